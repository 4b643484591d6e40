//! One station: a node, its clock and its encoders.

use super::Clock;
use crate::blueprint::{EncoderPlan, StationPlan};
use crate::plant::belt::counts;
use crate::plant::motion::low_counts;
use crate::plant::{Nm, Plant};
use crate::rng::Rng;
use diverter::DiverterNode;
use dws::DwsNode;
use node::{Identity, Input, Output, Stamp};
use panel::PanelNode;
use registers::NodeKind;
use scanner::ScannerNode;
use units::{Counts, Micros, Serial};
use zone::ZoneNode;

/// A node of the node crates running in this process.
#[derive(Clone, Debug)]
pub enum NativeNode {
    /// Conveyor zone.
    Zone(Box<ZoneNode>),
    /// Wheel diverter.
    Diverter(Box<DiverterNode>),
    /// Barcode scanner.
    Scanner(Box<ScannerNode>),
    /// Scale.
    Dws(Box<DwsNode>),
    /// Operator panel.
    Panel(Box<PanelNode>),
}

/// Runs the same expression on the node of whatever kind.
macro_rules! each {
    ($node:expr, $inner:ident => $body:expr) => {
        match $node {
            NativeNode::Zone($inner) => $body,
            NativeNode::Diverter($inner) => $body,
            NativeNode::Scanner($inner) => $body,
            NativeNode::Dws($inner) => $body,
            NativeNode::Panel($inner) => $body,
        }
    };
}

impl NativeNode {
    /// Boots a node.
    pub fn boot(kind: NodeKind, identity: Identity) -> Self {
        match kind {
            NodeKind::Zone => Self::Zone(Box::new(zone::node(identity))),
            NodeKind::Diverter => Self::Diverter(Box::new(diverter::node(identity))),
            NodeKind::Scanner => Self::Scanner(Box::new(scanner::node(identity))),
            NodeKind::Dws => Self::Dws(Box::new(dws::node(identity))),
            NodeKind::Panel => Self::Panel(Box::new(panel::node(identity))),
        }
    }

    /// Gives it one input at its instant.
    pub fn handle(&mut self, at: Stamp, input: Input<'_>, out: &mut Output) {
        each!(self, node => node.handle(at, input, out));
    }

    /// A right frame for another unit passes on its bus.
    pub fn overhear(&mut self) {
        each!(self, node => node.overhear());
    }

    /// When it needs a tick at the latest, on its own clock.
    pub fn next_deadline(&self) -> Option<Micros> {
        each!(self, node => node.next_deadline())
    }

    /// At which reading of the main encoder it needs a tick.
    pub fn next_count(&self) -> Option<Counts> {
        each!(self, node => node.next_count())
    }

    /// At which reading of the second encoder it needs a tick.
    pub fn next_second(&self) -> Option<Counts> {
        each!(self, node => node.next_second())
    }

    /// The node's state, for screens and tests.
    pub fn view(&self) -> node::View {
        each!(self, node => node.view())
    }
}

/// A sequence number; one in four is close before the wrap.
fn near_wrap(rng: &mut Rng) -> Serial {
    let drawn = rng.half_word();
    if rng.chance(250_000) { Serial(u16::MAX - drawn % 100) } else { Serial(drawn) }
}

/// A node's counter on an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// Which encoder.
    pub plan: EncoderPlan,
    /// What the counter showed when the encoder had not moved yet.
    pub offset: Counts,
    /// What it shows while it gets no pulses.
    stands: Option<Counts>,
}

impl Encoder {
    /// Draws a counter; one in four wraps within the first 200 m.
    fn draw(plan: EncoderPlan, rng: &mut Rng) -> Self {
        let offset = if rng.chance(250_000) {
            u32::MAX - u32::try_from(rng.below(200_000)).unwrap_or_default()
        } else {
            rng.word()
        };
        Self { plan, offset: Counts(offset), stands: None }
    }

    /// What the counter shows at `part` µs into the plant's last step.
    fn shows(&self, plant: &Plant, part: i64) -> Counts {
        if let Some(count) = self.stands {
            return count;
        }
        let travel = plant.belt(self.plan.belt).travel_at(part);
        self.offset.plus(low_counts(counts(travel, self.plan.nm_per_count)))
    }

    /// The belt's travel at which the counter reaches `target`.
    fn travel_for(&self, plant: &Plant, target: Counts) -> Nm {
        let (from, _) = plant.belt(self.plan.belt).segment();
        let span = self.plan.nm_per_count;
        let first = counts(from, span);
        let ahead = i64::from(target.since(self.offset.plus(low_counts(first))));
        (first + ahead) * span
    }

    /// The first µs of the plant's last step, not before `part`, at which the belt's travel is
    /// `needed`.
    fn reaches(&self, plant: &Plant, part: i64, needed: Nm) -> Option<i64> {
        if self.stands.is_some() {
            return None;
        }
        let (from, to) = plant.belt(self.plan.belt).segment();
        if needed > to {
            return None;
        }
        if needed <= from {
            return Some(part);
        }
        Some(((needed - from) * 1_000 + (to - from) - 1).div_euclid(to - from).max(part))
    }
}

impl Encoder {
    /// The counter gets no pulses from now on, or gets them again: what it missed is lost.
    pub fn stall(&mut self, stalls: bool, plant: &Plant, part: i64) {
        let shown = self.shows(plant, part);
        self.stands = stalls.then_some(shown);
        if !stalls {
            let behind = shown.since(self.shows(plant, part));
            self.offset = self.offset.plus(behind);
        }
    }

    /// What it shows while it gets no pulses.
    pub const fn stands(&self) -> Option<Counts> {
        self.stands
    }
}

/// A node has been up for so long when the run begins, in µs.
const UP_US: [u64; 2] = [1_000_000, 600_000_000];

/// A station with its node.
#[derive(Clone, Debug)]
pub struct Station {
    /// What is built here.
    pub plan: StationPlan,
    /// Who the node is in this boot.
    pub identity: Identity,
    /// The node.
    pub node: NativeNode,
    /// It has no power: it hears and does nothing until it boots.
    pub off: bool,
    /// Raw levels at its inputs, which a booting node finds.
    levels: u16,
    /// The node's clock.
    pub clock: Clock,
    /// The encoder of the belt that its eyes look at.
    pub main: Encoder,
    /// The take-away belt's encoder of a gapping zone.
    pub second: Option<Encoder>,
    /// When it needs its next tick, in µs; `u64::MAX` = not within the plant's last step.
    pub wake: u64,
    /// What it waits for; a step of the plant may bring it.
    waits: Waits,
}

/// What a node said after its last input about the next tick that it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Waits {
    /// When its clock has come there, in µs.
    clock: Option<u64>,
    /// Travel of the main encoder's belt.
    main: Option<Nm>,
    /// Travel of the second encoder's belt.
    second: Option<Nm>,
}

impl Station {
    /// Boots the node of a station some time before the run; every start value is drawn.
    pub fn boot(plan: StationPlan, rng: &mut Rng, drift_ppm: u32) -> Self {
        let identity = Identity {
            unit: plan.unit,
            boot_id: rng.half_word().max(1),
            serial_number: rng.word(),
            firmware_hash: rng.word(),
            reset_cause: 0,
            first_event: near_wrap(rng),
            last_command: near_wrap(rng),
        };
        let mut station = Self {
            node: NativeNode::boot(plan.kind, identity),
            identity,
            off: false,
            levels: 0,
            clock: Clock::draw(rng, drift_ppm),
            main: Encoder::draw(plan.main, rng),
            second: plan.second.map(|encoder| Encoder::draw(encoder, rng)),
            wake: 0,
            waits: Waits::default(),
            plan,
        };
        let booted = station.clock.shows(0).minus(Micros(rng.span(UP_US)));
        let count = station.main.offset;
        let second = station.second.map_or(Counts(0), |encoder| encoder.offset);
        let at = Stamp { now: booted, count, second };
        station.node.handle(at, Input::Tick, &mut Output::new());
        station
    }

    /// Boots the node anew: another boot id, another place in every counter and sequence.
    pub fn reboot(&mut self, rng: &mut Rng, drift_ppm: u32) {
        let boot_id = self.identity.boot_id.wrapping_add(1 + rng.half_word() % 1_000).max(1);
        let (first_event, last_command) = (near_wrap(rng), near_wrap(rng));
        let reset_cause = 1 + rng.half_word() % 2;
        self.identity = Identity {
            unit: self.plan.unit,
            boot_id,
            first_event,
            last_command,
            reset_cause,
            ..self.identity
        };
        self.node = NativeNode::boot(self.plan.kind, self.identity);
        self.clock = Clock::draw(rng, drift_ppm);
        self.main = Encoder::draw(self.plan.main, rng);
        self.second = self.plan.second.map(|encoder| Encoder::draw(encoder, rng));
        self.off = false;
    }

    /// Takes note of a raw level at an input.
    pub fn take_level(&mut self, input: u8, level: bool) {
        let bit = 1u16 << input.min(15);
        if level {
            self.levels |= bit;
        } else {
            self.levels &= !bit;
        }
    }

    /// The inputs that are active.
    pub fn active(&self) -> impl Iterator<Item = u8> + use<> {
        let levels = self.levels;
        (0..16u8).filter(move |input| levels >> input & 1 == 1)
    }

    /// The stamp of `now`, which is `part` µs into the plant's last step.
    pub fn stamp(&self, plant: &Plant, now: u64, part: i64) -> Stamp {
        Stamp {
            now: self.clock.shows(now),
            count: self.main.shows(plant, part),
            second: self.second.map_or(Counts(0), |encoder| encoder.shows(plant, part)),
        }
    }

    /// Asks the node when it needs its next tick; `now` is `part` µs into the plant's last step.
    pub fn schedule(&mut self, plant: &Plant, now: u64, part: i64) {
        if self.off {
            self.sleep();
            return;
        }
        let second = self.second.as_ref().zip(self.node.next_second());
        self.waits = Waits {
            clock: self.node.next_deadline().map(|at| self.clock.reaches(at)),
            main: self.node.next_count().map(|count| self.main.travel_for(plant, count)),
            second: second.map(|(encoder, count)| encoder.travel_for(plant, count)),
        };
        self.look(plant, now, part);
    }

    /// Without power it waits for nothing.
    pub fn sleep(&mut self) {
        (self.wake, self.waits) = (u64::MAX, Waits::default());
    }

    /// Whether a count may wake it: then each step of the plant is looked at.
    pub const fn counts(&self) -> bool {
        self.waits.main.is_some() || self.waits.second.is_some()
    }

    /// Finds out whether the plant's last step brings what the node waits for.
    pub fn look(&mut self, plant: &Plant, now: u64, part: i64) {
        let by_count = |encoder: &Encoder, needed: Option<Nm>| {
            let at = encoder.reaches(plant, part, needed?)?;
            Some(now + (at - part).unsigned_abs())
        };
        let clock = self.waits.clock.map(|at| at.max(now));
        let main = by_count(&self.main, self.waits.main);
        let second = self.second.as_ref().and_then(|encoder| by_count(encoder, self.waits.second));
        self.wake = [clock, main, second].into_iter().flatten().min().unwrap_or(u64::MAX);
    }
}
