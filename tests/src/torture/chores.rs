//! What the host orders, and how it dies and comes back.

use super::host::{BELT, Host};
use super::nodes::at;
use super::run::{Chore, LINE, Run, SPEEDS};
use crate::wires::Wire;
use line_model::decision::ArmPlan;
use line_model::ids::{DiverterId, ParcelId, Side, Tag};
use modbus::session::Wire as Line;
use node_link::{Nature, Order};
use registers::NodeKind;
use registers::points::{diverter, zone};
use units::{Distance, Micros, Position};

/// How often the belt changes its speed, in ms.
const SPEED_MS: [u64; 2] = [5_000, 40_000];
/// How often the host gives an order.
const ORDER_MS: [u64; 2] = [20, 400];
/// How long the host lives, and how long it is away.
const LIFE_MS: [u64; 2] = [2_000, 60_000];
const AWAY_MS: [u64; 2] = [20, 4_000];
/// Now and then it is away so long that rings overflow.
const LONG_AWAY_MS: [u64; 2] = [40_000, 110_000];
/// How long the line may take to come to rest at the end.
const REST: u64 = 120_000_000;

/// How far ahead of a head an arm is given at least, in µs.
const AHEAD_US: u64 = 150_000;

impl Run {
    pub(super) fn chores(&mut self) {
        while let Some(chore) = self.due_chore() {
            match chore {
                Chore::Speed => {
                    let speed = self.rng.span(SPEEDS);
                    self.belt.set_speed(self.now, speed);
                    self.places.iter_mut().for_each(|place| place.reschedule(self.now));
                    self.plan_chore(Chore::Speed, SPEED_MS);
                }
                Chore::Order => {
                    self.order();
                    self.plan_chore(Chore::Order, ORDER_MS);
                }
                Chore::Crash => {
                    self.crash();
                    let long = self.rng.chance(60_000);
                    self.plan_chore(Chore::Start, if long { LONG_AWAY_MS } else { AWAY_MS });
                }
                Chore::Start => {
                    self.start();
                    self.plan_chore(Chore::Order, ORDER_MS);
                    self.plan_chore(Chore::Crash, LIFE_MS);
                }
            }
        }
    }

    fn due_chore(&mut self) -> Option<Chore> {
        let due = self.chores.iter().find(|(_, due)| **due <= self.now).map(|(chore, _)| *chore)?;
        self.chores.remove(&due);
        Some(due)
    }

    fn plan_chore(&mut self, chore: Chore, span: [u64; 2]) {
        let due = self.now + self.rng.span(span.map(|ms| ms * 1_000));
        self.chores.insert(chore, due);
    }

    /// Power is cut: everything that was not durable is gone.
    fn crash(&mut self) {
        if let Some(host) = self.host.take() {
            host.counted(&mut self.counted);
            self.crashes += 1;
        }
        self.chores.remove(&Chore::Order);
        self.wires.clear();
        self.ledger.crashed(self.now);
    }

    pub(super) fn start(&mut self) {
        let line = Line {
            baud: LINE.baud,
            bits_per_char: LINE.bits_per_char,
            turnaround_max: Micros::from_millis(100),
            broadcast_wait: Micros::from_millis(10),
            echo: modbus::session::Echo::Absent,
        };
        self.wires = vec![Wire::serial(0, line, at(self.now)), Wire::tcp(1)];
        self.host = Some(Host::start(self.now, &self.setups, &self.disk, self.seed));
    }

    fn order(&mut self) {
        let drawn = self.rng.below(100);
        let order = match drawn {
            0..70 => self.arm(),
            70..78 => self.pick(NodeKind::Diverter).map(|node| {
                let back = u32::try_from(self.rng.below(6)).unwrap_or_default();
                (node, Order::Cancel(Tag(self.tag.saturating_sub(back).max(1))))
            }),
            78..80 => self.pick(NodeKind::Diverter).map(|node| (node, Order::CancelAll)),
            80..90 => self.pick(NodeKind::Diverter).map(|node| {
                let (output, value) = (diverter::LAMP_LEFT, u32::from(self.rng.chance(500_000)));
                (node, Order::Set { output, value, nature: Nature::Showing })
            }),
            _ => self.pick(NodeKind::Zone).map(|node| {
                self.value = self.value % 50_000 + 1;
                self.ordered.insert((node, self.value));
                let energises = self.rng.chance(500_000);
                let nature = if energises { Nature::Energising } else { Nature::Stopping };
                (node, Order::Set { output: zone::GAP, value: self.value, nature })
            }),
        };
        if let (Some((node, order)), Some(host)) = (order, &mut self.host) {
            host.order(self.now, node, &order);
            for input in core::mem::take(&mut host.told) {
                self.ledger.answered(self.now, &input);
            }
        }
    }

    fn pick(&mut self, kind: NodeKind) -> Option<usize> {
        let found: Vec<usize> =
            (0..self.places.len()).filter(|at| self.places[*at].post.kind == kind).collect();
        found.get(self.rng.index(found.len())).copied()
    }

    /// An arm for the next head of a diverter, or one that misses it.
    fn arm(&mut self) -> Option<(usize, Order)> {
        let node = self.pick(NodeKind::Diverter)?;
        let offset = self.ledger.frame_offset()?;
        let place = &self.places[node];
        let head = self.driver.next_toggle(node, diverter::EYE_ARRIVAL)?;
        let blocked = place.levels[usize::from(diverter::EYE_ARRIVAL)];
        let late = place.off || blocked || head < self.now + AHEAD_US;
        let miss = late || self.rng.chance(250_000);
        let head = if late { self.now + 600_000 } else { head };
        let middle = self.belt.counts(head) + offset + if miss { 200 } else { 0 };
        let half = self.rng.between(45, 120);
        let position = |at| Position::new(BELT, at);
        self.tag += 1;
        let plan = ArmPlan {
            tag: Tag(self.tag),
            diverter: DiverterId(0),
            side: if self.rng.chance(500_000) { Side::Left } else { Side::Right },
            parcel: ParcelId(1),
            from: position(middle - half),
            to: position(middle + half),
            length_min: Distance(self.rng.between(20, 200)),
            delay: Distance(self.rng.between(60, 200)),
            release: Distance(self.rng.between(50, 300)),
            send_by: at(self.now).plus(Micros::from_millis(300)),
        };
        Some((node, Order::Arm(plan)))
    }

    /// Nothing goes wrong any more and nothing more happens: everything must have been told.
    pub(super) fn rest(&mut self) {
        if self.ledger.is_hopeless() {
            return;
        }
        self.driver.be_quiet();
        self.saboteur.iter_mut().for_each(super::sabotage::Saboteur::retire);
        self.bridges
            .iter_mut()
            .for_each(|bridge| bridge.set_faults(&line_sim::bridge::Faults::NONE));
        for chore in [Chore::Order, Chore::Crash, Chore::Speed] {
            self.chores.remove(&chore);
        }
        if self.host.is_none() {
            self.chores.insert(Chore::Start, self.now);
        }
        let limit = self.now + REST;
        let mut quiet = 0;
        while quiet < 200 && self.now < limit {
            self.step();
            self.chores.remove(&Chore::Order);
            self.chores.remove(&Chore::Crash);
            quiet = if self.rests() { quiet + 1 } else { 0 };
        }
        if quiet < 200 {
            let views: Vec<_> =
                self.host.iter().flat_map(|host| &host.masters).map(|m| m.view()).collect();
            self.ledger.violation(self.now, format!("does not come to rest: {views:?}"));
        }
        self.ledger.finish(self.now);
    }

    fn rests(&self) -> bool {
        let empty = |place: &super::nodes::Place| {
            let view = place.machine.view();
            !place.off && view.status.ring_used == 0 && view.armed.count == 0
        };
        self.host.as_ref().is_some_and(Host::rests) && self.places.iter().all(empty)
    }
}
