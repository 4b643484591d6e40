//! The nodes under torture: real node machines on one belt, each with a clock and counter of its own.

use line_sim::nodes::{Clock, NativeNode};
use line_sim::rng::Rng;
use node::limits::INPUTS_MAX;
use node::{Identity, Input, Output, Stamp};
use registers::NodeKind;
use units::{Counts, Micros, Serial};

/// The belt: pieces of constant speed.
#[derive(Clone, Debug)]
pub(super) struct Belt {
    since: u64,
    /// µm at `since`.
    base: u64,
    /// mm/s, never 0.
    speed: u64,
}

impl Belt {
    pub(super) const fn new(speed: u64) -> Self {
        Self { since: 0, base: 0, speed }
    }

    /// Travel in µm.
    pub(super) const fn travel(&self, now: u64) -> u64 {
        self.base + (now - self.since) * self.speed / 1_000
    }

    /// Travel in whole counts of 1 mm.
    pub(super) fn counts(&self, now: u64) -> i64 {
        (self.travel(now) / 1_000).cast_signed()
    }

    pub(super) fn set_speed(&mut self, now: u64, speed: u64) {
        self.base = self.travel(now);
        (self.since, self.speed) = (now, speed);
    }

    /// The first instant, not before `now`, at which it has travelled so many whole counts.
    fn reaches(&self, now: u64, counts: i64) -> u64 {
        let target = counts.max(0).unsigned_abs() * 1_000;
        let left = target.saturating_sub(self.base);
        (self.since + (left * 1_000).div_ceil(self.speed)).max(now)
    }
}

/// Where a node is built in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub(super) bus: usize,
    /// Its place among the stations of the bus.
    pub(super) station: usize,
    pub(super) unit: u8,
    pub(super) kind: NodeKind,
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) post: Post,
    pub(super) machine: NativeNode,
    pub(super) boot_id: u16,
    clock: Clock,
    offset: u32,
    serial_number: u32,
    pub(super) off: bool,
    /// Raw levels of its inputs, and when each changed last on the node's own clock.
    pub(super) levels: [bool; INPUTS_MAX],
    pub(super) changed: [u32; INPUTS_MAX],
    /// When it needs a tick.
    pub(super) wake: u64,
    /// The last bytes on its line.
    pub(super) heard: Vec<u8>,
}

fn near_wrap(rng: &mut Rng) -> u16 {
    let drawn = rng.half_word();
    if rng.chance(300_000) { u16::MAX - drawn % 100 } else { drawn }
}

impl Place {
    pub(super) fn new(post: Post, rng: &mut Rng) -> Self {
        let mut place = Self {
            post,
            machine: NativeNode::boot(post.kind, identity(post.unit, 1, 1, 0, 0)),
            boot_id: near_wrap(rng).max(1),
            clock: Clock::draw(rng, 10_000),
            offset: 0,
            serial_number: rng.word(),
            off: false,
            levels: [false; INPUTS_MAX],
            changed: [0; INPUTS_MAX],
            wake: 0,
            heard: Vec::new(),
        };
        place.boot(rng);
        place
    }

    /// Boots it: everything but address and serial number is another.
    pub(super) fn boot(&mut self, rng: &mut Rng) {
        let step = 1 + rng.half_word() % 20;
        self.boot_id = self.boot_id.checked_add(step).unwrap_or(step);
        let (first, last) = (near_wrap(rng), near_wrap(rng));
        let identity = identity(self.post.unit, self.boot_id, self.serial_number, first, last);
        self.machine = NativeNode::boot(self.post.kind, identity);
        self.clock = Clock::draw(rng, 10_000);
        self.offset =
            if rng.chance(300_000) { u32::MAX - u32::from(rng.half_word()) } else { rng.word() };
        self.off = false;
        self.wake = 0;
    }

    pub(super) fn stamp(&self, now: u64, belt: &Belt) -> Stamp {
        let count = Counts(self.offset).plus(low(belt.counts(now)));
        Stamp { now: self.clock.shows(now), count, second: Counts(0) }
    }

    /// The node's clock in ms.
    pub(super) fn millis(&self, now: u64) -> u32 {
        units::Millis::of(self.clock.shows(now)).0
    }

    /// What the node's counter shows at the belt's `counts`.
    pub(super) fn count_at(&self, counts: i64) -> Counts {
        Counts(self.offset).plus(low(counts))
    }

    pub(super) fn handle(&mut self, now: u64, belt: &Belt, input: Input<'_>, out: &mut Output) {
        let at = self.stamp(now, belt);
        self.machine.handle(at, input, out);
        let by_clock = self.machine.next_deadline().map(|due| self.clock.reaches(due).max(now));
        let by_count = self.machine.next_count().map(|target| {
            let ahead = i64::from(target.since(at.count));
            belt.reaches(now, belt.counts(now) + ahead)
        });
        self.wake = by_clock.into_iter().chain(by_count).min().unwrap_or(u64::MAX);
    }

    /// The belt runs at another speed: counts are reached at other instants.
    pub(super) fn reschedule(&mut self, now: u64) {
        if !self.off {
            self.wake = self.wake.min(now);
        }
    }

    /// Keeps what is on its line, as much as a frame can be.
    pub(super) fn overhear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        let surplus = self.heard.len().saturating_sub(300);
        self.heard.drain(..surplus);
    }

    pub(super) fn power_off(&mut self) {
        self.off = true;
        self.wake = u64::MAX;
    }
}

fn identity(unit: u8, boot_id: u16, serial_number: u32, first: u16, last: u16) -> Identity {
    Identity {
        unit,
        boot_id,
        serial_number,
        firmware_hash: 7,
        reset_cause: 0,
        first_event: Serial(first),
        last_command: Serial(last),
    }
}

/// The low 32 bits of a travel, as a step of the counter.
fn low(counts: i64) -> i32 {
    let [_, _, _, _, a, b, c, d] = counts.to_be_bytes();
    i32::from_be_bytes([a, b, c, d])
}

/// The instant as units have it.
pub(super) const fn at(now: u64) -> Micros {
    Micros(now)
}
