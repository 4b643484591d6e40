//! The plan's numbers, and how they come about.

use super::wire::{self, WireTimes};
use crate::config::build::kind;
use crate::config::rescanners::{self, Rescan};
use line_file::{Bus, BusKind, LineFile, Node, NodeKind};
use node_link::LinkLimits;
use registers::event::{ArmOutcome, At, ENTRY_WORDS_MAX, Event, RING_WORDS};
use registers::exchange::{EVENT_OVERHEAD, WRITE_WORDS};
use registers::status::STATUS_WORDS;
use units::{Counts, Micros, Millis};

/// A TCP bus asks each of its nodes this often.
pub(crate) const TCP_CYCLE: Micros = Micros::from_millis(20);
/// Decision and commit between a route answer and the arm: a disk that flushes slowly. A slower
/// one withholds the arm, it does not send it late.
pub(crate) const HOST: Micros = Micros::from_millis(50);
/// Codes of the greatest length that a parcel is planned to have: labels carry up to three, mostly
/// shorter ones. More of them on every parcel of a stalled line are lost by name, not silently.
const CODES_PLANNED: u64 = 4;
/// The same at a re-scanner: it only counts when it reads one, and what is lost there misleads nobody.
const RESCAN_CODES_PLANNED: u64 = 1;
/// Arms that wait on a node at most.
const ARMS: u64 = 8;
/// Parcels that the gapping zone lets go while the order to stop is on its way to it.
const RELEASED: u64 = 1;

/// What every bus of a line has to carry, and every diverter's way from code to arm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Buses in the order of the file.
    pub buses: Vec<BusPlan>,
    /// Diverters in the order of the file.
    pub paths: Vec<Path>,
    /// What each re-scanner is good for.
    pub rescans: Vec<Rescan>,
}

/// One bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusPlan {
    /// Its name.
    pub name: String,
    /// Bits a second; `None` on TCP.
    pub baud: Option<u32>,
    /// Its nodes in the order of the file.
    pub nodes: Vec<NodePlan>,
    /// Time between two requests for the events of one node, all answering.
    pub cycle: Micros,
    /// The same when every node's status falls into the round, too.
    pub cycle_worst: Micros,
    /// Least time between the beginnings of two exchanges: zero on a serial bus, which polls as
    /// fast as the wire allows.
    pub period: Micros,
    /// Repeating one exchange: its time-out, and the exchange.
    pub retry: Micros,
    /// Share of its time that polling for status, carrying the events and arming take at the
    /// line's full rate, per mille; the rest only shortens the cycle.
    pub load_permille: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// Its Modbus unit.
    pub unit: u8,
    /// What it is.
    pub kind: registers::NodeKind,
    /// What is read of it, all by FC 23.
    pub blocks: [Block; 2],
    /// What its ring must hold.
    pub ring: Ring,
}

/// One block that is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Name of the block in the register document.
    pub name: &'static str,
    /// Words written.
    pub write: u16,
    /// Words read.
    pub read: u16,
    /// Bytes on the wire, both ways.
    pub bytes: u32,
    /// Time of one exchange, silences and turn-around included.
    pub exchange: Micros,
    /// Time between two of them.
    pub period: Micros,
}

/// A node's ring, while acknowledgements are withheld and the full line drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Parcels that still come by.
    pub parcels: u64,
    /// Words of the entries that one of them makes by passing.
    pub words_per_parcel: u64,
    /// Words besides: what waiting arms can still divert, and what people and drives do meanwhile.
    pub words_besides: u64,
    /// Words needed.
    pub need: u64,
    /// Words that a node keeps.
    pub holds: u64,
}

/// From a code in the scanner to an arm in a diverter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The diverter.
    pub diverter: String,
    /// Its bus, by index.
    pub bus: usize,
    /// The scanner's bus, by index.
    pub scanner_bus: usize,
    /// The way from scanner to eye, less the longest parcel, in mm.
    pub way_mm: i64,
    /// How long the belt takes for it.
    pub have: Micros,
    /// What is not the bus: waiting for the read, the route, decision and commit.
    pub host: Micros,
    /// What is the bus: the read's cycle, the arm's cycle, one repetition.
    pub wire: Micros,
    /// The longest cycle of its bus with which the arm is in time; zero when none is short enough.
    pub cycle_max: Micros,
}

impl Path {
    /// From code to arm.
    pub fn total(&self) -> Micros {
        self.host.plus(self.wire)
    }
}

impl Plan {
    /// Computes the plan of a line whose parcels keep the gap of `gap_target` mm; total for a file
    /// whose keys are in their ranges.
    pub(crate) fn of(file: &LineFile, gap_target: i64) -> Self {
        let rate = Rate::of(file, gap_target);
        let buses: Vec<BusPlan> = file.bus.iter().map(|bus| rate.bus(bus)).collect();
        let paths = paths(file, &buses);
        Self { buses, paths, rescans: rescanners::reach(file) }
    }
}

/// What the line brings to its nodes at worst.
struct Rate<'a> {
    file: &'a LineFile,
    /// Speed of the sorter belt in mm/s.
    speed: u64,
    /// Least pitch of two parcels in mm: shortest length and least gap.
    pitch: u64,
    /// Their pitch at full rate in mm: mean length and the gap that is made.
    mean_pitch: u64,
}

impl<'a> Rate<'a> {
    fn of(file: &'a LineFile, gap_target: i64) -> Self {
        let speed = u64::from(file.zone.last().map_or(1, |zone| zone.speed_mm_s));
        let gap = file.diverter.iter().map(|diverter| {
            u64::from(diverter.bed_length_mm)
                + speed * u64::from(diverter.switch_ms) / 1_000
                + u64::from(file.gap.margin_mm)
        });
        let pitch = u64::from(file.gap.shortest_length_mm) + gap.min().unwrap_or(0);
        let mean = u64::try_from(gap_target).unwrap_or(0) + u64::from(file.gap.mean_length_mm);
        Self { file, speed, pitch: pitch.max(1), mean_pitch: mean.max(1) }
    }

    /// `amount` a parcel, as an amount a second at full rate.
    fn a_second(&self, amount: u64) -> u64 {
        (amount * self.speed).div_ceil(self.mean_pitch)
    }

    fn bus(&self, bus: &Bus) -> BusPlan {
        let times = WireTimes::of(bus);
        let nodes: Vec<&Node> = self.file.node.iter().filter(|node| node.bus == bus.name).collect();
        let status = LinkLimits::default().status;
        let sum = |each: &dyn Fn(&Node) -> Micros| {
            nodes.iter().fold(Micros::ZERO, |sum, node| sum.plus(each(node)))
        };
        let events = sum(&|node| times.events(kind(node.kind)));
        let both = sum(&|node| times.events(kind(node.kind)).plus(times.status()));
        let count = u64::try_from(nodes.len()).unwrap_or(u64::MAX).max(1);
        let (cycle, cycle_worst, period) = match bus.kind {
            BusKind::Rtu => (events, both, Micros::ZERO),
            // The node's status takes the place of its events once in a while.
            BusKind::Tcp => {
                let least = events.max(TCP_CYCLE);
                (least, both.max(Micros(2 * least.0)), Micros(TCP_CYCLE.0 / count))
            }
        };
        let longest = nodes.iter().map(|node| times.events(kind(node.kind))).max();
        let answer = Micros::from_millis(u64::from(bus.answer_timeout_ms));
        let plans = nodes.iter().map(|node| self.node(node, times, cycle, status));
        BusPlan {
            name: bus.name.clone(),
            baud: bus.baud.filter(|_| bus.kind == BusKind::Rtu),
            nodes: plans.collect(),
            cycle,
            cycle_worst,
            period,
            retry: answer.plus(longest.unwrap_or(Micros::ZERO)),
            load_permille: self.load(&nodes, times, status),
        }
    }

    fn node(&self, node: &Node, times: WireTimes, cycle: Micros, status: Micros) -> NodePlan {
        let kind = kind(node.kind);
        let block = |name, read, period| Block {
            name,
            write: WRITE_WORDS,
            read,
            bytes: wire::bytes(read),
            exchange: times.exchange(read),
            period,
        };
        NodePlan {
            name: node.name.clone(),
            unit: node.unit,
            kind,
            blocks: [
                block("events", kind.event_words(), cycle),
                block("status", STATUS_WORDS, status.max(cycle)),
            ],
            ring: self.ring(node),
        }
    }

    /// Share of a second, per mille, that the bus must have for its nodes at full rate: every
    /// parcel passes every eye, and is diverted once.
    fn load(&self, nodes: &[&Node], times: WireTimes, status: Micros) -> u64 {
        let mut busy = 0;
        for node in nodes {
            let (events, words) = (times.events(kind(node.kind)).0, passing(self.file, node));
            busy += self.a_second(words * events / room(node));
            busy += times.status().0 * 1_000_000 / status.0.max(1);
        }
        if let Some(node) = nodes.iter().find(|node| node.kind == NodeKind::Diverter) {
            let (events, words) = (times.events(kind(node.kind)).0, diverting());
            busy += self.a_second(events + words * events / room(node));
        }
        busy.div_ceil(1_000)
    }

    /// What a node's ring must hold when nothing is acknowledged until the belt is empty.
    ///
    /// Until the journal counts as stalled, parcels are inducted; then what is upstream comes by. An
    /// arm leaves behind the record that decided it, and nothing is recorded: no more parcels are
    /// diverted than arms wait on the node, the others pass.
    fn ring(&self, node: &Node) -> Ring {
        let inducted = self.speed * u64::from(self.file.timing.stall_ms) / 1_000;
        let upstream = u64::try_from(watched(self.file, node)).unwrap_or(0) + inducted;
        let parcels = upstream.div_ceil(self.pitch) + RELEASED;
        let most = u64::from(self.file.tracking.in_flight_max) + RELEASED;
        let parcels = parcels.min(most);
        let diverted = if node.kind == NodeKind::Diverter { parcels.min(ARMS) } else { 0 };
        let words_per_parcel = passing(self.file, node);
        let words_besides = diverted * diverting() + besides(node);
        let holds = u64::try_from(RING_WORDS).unwrap_or(u64::MAX);
        let need = parcels * words_per_parcel + words_besides;
        Ring { parcels, words_per_parcel, words_besides, need, holds }
    }
}

/// How far down the sorter belt the node looks, in mm.
fn watched(file: &LineFile, node: &Node) -> i64 {
    let mine = |name: &String| *name == node.name;
    let eyes = file.eye.iter().filter(|eye| mine(&eye.node)).map(|eye| eye.at_mm);
    let arrivals = file.diverter.iter().filter(|d| mine(&d.node)).map(|d| d.eye_at_mm);
    let end = Some(file.end.eye_at_mm).filter(|_| mine(&file.end.node));
    let scanners = [&file.scanner].into_iter().chain(&file.rescanner);
    let scanners = scanners.filter(|place| mine(&place.node)).map(|place| place.at_mm);
    let scale = file.dws.as_ref().filter(|dws| mine(&dws.node)).map(|dws| dws.at_mm);
    let all = eyes.chain(arrivals).chain(end).chain(scanners).chain(scale);
    i64::from(all.max().unwrap_or(0).max(0))
}

/// An instant, for the lengths of entries.
const AT: At = At { count: Counts(0), ms: Millis(0) };

/// Words of entries that one exchange carries.
fn room(node: &Node) -> u64 {
    u64::from((kind(node.kind).event_words() - EVENT_OVERHEAD).max(1))
}

/// Words of the two edges at each of `n` eyes.
fn eyes(n: usize) -> u64 {
    let edge = words(&Event::Edge { input: 0, active: true, at: AT });
    u64::try_from(n).unwrap_or(u64::MAX) * 2 * edge
}

/// Words of what a diverted parcel makes besides passing: landing eye, full eye, the bed's home
/// contact, the arm's end.
fn diverting() -> u64 {
    let (outcome, edge, length) = (ArmOutcome::Fired, Counts(0), 0);
    eyes(3) + words(&Event::ArmEnded { tag: 0, outcome, edge, length, at: AT })
}

/// Words of what happens beside the parcels: every input once there and back, the lease, and the
/// room that the word of a loss keeps for itself.
fn besides(node: &Node) -> u64 {
    let lease = words(&Event::LeaseExpired { at: AT });
    eyes(kind(node.kind).inputs().len()) + lease + words(&Event::Lost { entries: 0 })
}

/// Words of the entries that a parcel makes by passing.
fn passing(file: &LineFile, node: &Node) -> u64 {
    let code = u64::try_from(ENTRY_WORDS_MAX).unwrap_or(u64::MAX);
    match node.kind {
        NodeKind::Zone => {
            let exit = file
                .zone
                .iter()
                .filter(|zone| zone.node == node.name && zone.exit_eye_mm.is_some());
            let own = file.eye.iter().filter(|eye| eye.node == node.name);
            eyes((exit.count() + own.count()).max(1))
        }
        NodeKind::Diverter | NodeKind::Panel => eyes(1),
        NodeKind::Scanner if node.name == file.scanner.node => eyes(1) + CODES_PLANNED * code,
        NodeKind::Scanner => eyes(1) + RESCAN_CODES_PLANNED * code,
        NodeKind::Dws => {
            let (weight_g, size_mm) = (Some(0), [0; 3]);
            eyes(1) + words(&Event::Measured { trigger: 0, weight_g, size_mm, at: AT })
        }
    }
}

fn words(event: &Event<'_>) -> u64 {
    let used = event.encode(&mut [0; ENTRY_WORDS_MAX]);
    u64::try_from(used.unwrap_or(ENTRY_WORDS_MAX)).unwrap_or(u64::MAX)
}

fn paths(file: &LineFile, buses: &[BusPlan]) -> Vec<Path> {
    let speed = i64::from(file.zone.last().map_or(1, |zone| zone.speed_mm_s)).max(1);
    let bus_of = |name: &String| {
        let node = file.node.iter().find(|node| node.name == *name)?;
        file.bus.iter().position(|bus| bus.name == node.bus)
    };
    let host =
        Micros::from_millis(u64::from(file.scanner.read_wait_ms) + u64::from(file.timing.route_ms))
            .plus(HOST);
    let path = |diverter: &line_file::Diverter| {
        let (bus, scanner_bus) = (bus_of(&diverter.node)?, bus_of(&file.scanner.node)?);
        let (plan, scanner) = (buses.get(bus)?, buses.get(scanner_bus)?);
        let way_mm = i64::from(diverter.eye_at_mm)
            - i64::from(file.scanner.at_mm)
            - i64::from(file.tracking.length_max_mm);
        let have = Micros(u64::try_from(way_mm * 1_000_000 / speed).unwrap_or(0));
        let left = have.0.saturating_sub(host.0).saturating_sub(plan.retry.0);
        let cycle_max =
            if bus == scanner_bus { left / 2 } else { left.saturating_sub(scanner.cycle_worst.0) };
        Some(Path {
            diverter: diverter.name.clone(),
            bus,
            scanner_bus,
            way_mm,
            have,
            host,
            wire: scanner.cycle_worst.plus(plan.cycle_worst).plus(plan.retry),
            cycle_max: Micros(cycle_max),
        })
    };
    file.diverter.iter().filter_map(path).collect()
}
