//! The host under torture: real masters, and a journal that keeps marks with events.

use super::nodes::Post;
use super::sabotage::Saboteur;
use line_model::ids::{ChuteNo, NodeId, ScannerId};
use line_model::signal::Input;
use line_sim::rng::Rng;
use node_link::{
    BusId, BusSetup, Frame, InputRole, LinkLimits, Mark, Master, Order, Report, State,
    StationSetup, Transmit, What,
};
use registers::NodeKind;
use registers::points::SETTING_LEASE;
use std::collections::{BTreeMap, VecDeque};
use units::{Distance, EncoderId, Micros};

/// The owner word of this host.
pub(super) const OWNER: u16 = 0x5A17;
/// The belt's encoder.
pub(super) const BELT: EncoderId = EncoderId(0);
/// How long an answer may take.
const TIMEOUT: Micros = Micros::from_millis(40);
/// How long a commit takes, in µs.
const COMMIT_US: [u64; 2] = [800, 6_000];

/// Numbers that each node's inputs have among the chutes; as many as a node can have (`INPUTS_MAX`).
pub(super) const INPUTS: u8 = 16;

/// The chute that stands for an input of a node: every edge then comes with the node's own clock.
fn chute_of(node: u16, input: u16) -> ChuteNo {
    ChuteNo(1 + node * u16::from(INPUTS) + input)
}

/// The node and input that a chute stands for.
pub(super) fn input_of(chute: ChuteNo) -> (usize, u8) {
    let number = usize::from(chute.0 - 1);
    let inputs = usize::from(INPUTS);
    (number / inputs, u8::try_from(number % inputs).expect("few inputs"))
}

/// One thing told to the line: whose, of which boot, and what.
pub(super) type Told = (usize, u16, Input);

#[derive(Clone, Debug)]
struct Commit {
    number: u64,
    due: u64,
    told: Option<Told>,
    marks: Vec<Mark>,
}

/// What survives the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    marks: BTreeMap<NodeId, Mark>,
    durable: u64,
    near: Option<units::Position>,
}

/// Counters of all stations, summed over all lives of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Exchanges without an answer.
    pub timeouts: u64,
    /// Answers that did not fit.
    pub bad: u64,
    /// Exceptions.
    pub exceptions: u64,
    /// Events that came again and were dropped.
    pub duplicates: u64,
    /// Orders taken.
    pub taken: u64,
    /// Orders refused.
    pub refused: u64,
}

impl Counted {
    /// Adds those of another run.
    pub const fn add(&mut self, other: &Self) {
        self.timeouts += other.timeouts;
        self.bad += other.bad;
        self.exceptions += other.exceptions;
        self.duplicates += other.duplicates;
        self.taken += other.taken;
        self.refused += other.refused;
    }
}

/// A living host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) masters: Vec<Master>,
    frame: Frame,
    queue: VecDeque<Commit>,
    next_record: u64,
    /// Boot ids by node, as the masters know them.
    boots: Vec<u16>,
    /// Reports of the line that were not recorded yet.
    pub(super) told: Vec<Input>,
    latency: Rng,
}

/// The buses as a host sets them up.
pub(super) fn setups(posts: &[Post]) -> Vec<BusSetup> {
    let buses = posts.iter().map(|post| post.bus).max().map_or(0, |last| last + 1);
    let station = |(node, post): (u16, &Post)| {
        let mut settings: Vec<u16> =
            post.kind.settings().iter().map(|setting| setting.reset).collect();
        if matches!(post.kind, NodeKind::Zone | NodeKind::Dws) {
            // They have to be told: their reset value is another.
            settings[SETTING_LEASE] = 2_800;
        }
        let inputs = (0u16..).zip(post.kind.inputs());
        StationSetup {
            node: NodeId(u8::try_from(node).expect("few")),
            unit: post.unit,
            kind: post.kind,
            main_encoder: true,
            settings,
            inputs: inputs.map(|(input, _)| InputRole::Landing(chute_of(node, input))).collect(),
            scanner: ScannerId(0),
            horizon_lag: Distance(60),
        }
    };
    (0..buses)
        .map(|bus| BusSetup {
            name: format!("bus {bus}"),
            serial: bus == 0,
            baud: if bus == 0 { 115_200 } else { 0 },
            owner: OWNER,
            poll_min: if bus == 0 { Micros::ZERO } else { Micros::from_millis(8) },
            answer_timeout: TIMEOUT,
            stations: (0u16..)
                .zip(posts)
                .filter(|(_, post)| post.bus == bus)
                .map(station)
                .collect(),
        })
        .collect()
}

impl Host {
    /// Starts from what is durable.
    pub(super) fn start(now: u64, setups: &[BusSetup], disk: &Disk, seed: u64) -> Self {
        let marks: Vec<Mark> = disk.marks.values().copied().collect();
        // The token of the first exchange follows from the journal, as the daemon's does.
        let [.., high, low] = disk.durable.wrapping_mul(97).wrapping_add(1).to_be_bytes();
        let token = u16::from_be_bytes([high, low]);
        let mut masters: Vec<Master> = (0..)
            .zip(setups)
            .map(|(bus, setup)| {
                let limits = LinkLimits::default();
                Master::new(BusId(bus), setup.clone(), limits, NodeId(0), token, &marks)
            })
            .collect();
        for master in &mut masters {
            master.durable(disk.durable);
            master.bus_up(Micros(now));
        }
        let nodes = setups.iter().map(|setup| setup.stations.len()).sum();
        let mut host = Self {
            masters,
            frame: Frame::new(BELT, disk.near.filter(|_| !marks.is_empty())),
            queue: VecDeque::new(),
            next_record: disk.durable + 1,
            boots: vec![0; nodes],
            told: Vec::new(),
            latency: Rng::stream(seed ^ disk.durable, "commits"),
        };
        host.boots = host.known_boots();
        host
    }

    fn known_boots(&self) -> Vec<u16> {
        let mut boots = vec![0; self.boots.len()];
        for station in self.masters.iter().flat_map(|master| master.view().stations) {
            boots[usize::from(station.node.0)] = station.boot_id;
        }
        boots
    }

    /// The end of an exchange.
    pub(super) fn exchanged(
        &mut self,
        now: u64,
        bus: usize,
        outcome: node_link::Outcome<'_>,
        saboteur: &mut Option<Saboteur>,
    ) {
        let mut reports = Vec::new();
        self.masters[bus].exchanged(Micros(now), outcome, &mut self.frame, &mut reports);
        self.take(now, reports, saboteur);
        self.boots = self.known_boots();
    }

    pub(super) fn port(&mut self, now: u64, bus: usize, usable: bool) {
        let mut reports = Vec::new();
        if usable {
            self.masters[bus].bus_up(Micros(now));
        } else {
            self.masters[bus].bus_down(Micros(now), &mut reports);
        }
        self.take(now, reports, &mut None);
    }

    /// Everything that is due; the requests that go out.
    pub(super) fn work(&mut self, now: u64, saboteur: &mut Option<Saboteur>) -> Vec<Transmit> {
        let mut reports = Vec::new();
        self.masters.iter_mut().for_each(|master| master.expire(Micros(now), &mut reports));
        self.take(now, reports, saboteur);
        if self.masters.iter().any(Master::wants_record) {
            self.record(now, None);
        }
        let (mut reports, mut out) = (Vec::new(), Vec::new());
        for master in &mut self.masters {
            out.extend(master.pump(Micros(now), &mut self.frame, &mut reports));
        }
        self.take(now, reports, saboteur);
        out
    }

    fn take(&mut self, now: u64, reports: Vec<Report>, saboteur: &mut Option<Saboteur>) {
        for report in reports {
            let dropped = saboteur.as_mut().is_some_and(|one| one.drops(&report));
            if let Some(through) = report.through {
                self.masters.iter_mut().for_each(|found| found.settle(report.node, through));
            }
            if let What::Input(input) = report.what
                && !dropped
            {
                let node = usize::from(report.node.0);
                self.told.push(input.clone());
                self.record(now, Some((node, self.boots[node], input)));
            }
        }
    }

    fn record(&mut self, now: u64, told: Option<Told>) {
        let number = self.next_record;
        self.next_record += 1;
        let mut marks = Vec::new();
        for master in &mut self.masters {
            master.recorded(number, &self.frame, &mut marks);
        }
        // A batch is what queued during the last commit.
        let last = self.queue.back().map_or(0, |commit| commit.due);
        let due = if last > now { last } else { now + self.latency.span(COMMIT_US) };
        self.queue.push_back(Commit { number, due, told, marks });
    }

    /// Gives an order under a record of its own.
    pub(super) fn order(&mut self, now: u64, node: usize, order: &Order) {
        self.record(now, None);
        let record = self.next_record - 1;
        let node = NodeId(u8::try_from(node).expect("few"));
        let mut reports = Vec::new();
        for master in &mut self.masters {
            master.order(node, order.clone(), record, &self.frame, &mut reports);
        }
        self.take(now, reports, &mut None);
    }

    /// Makes durable what is due.
    pub(super) fn commit(&mut self, now: u64, disk: &mut Disk) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(commit) = self.queue.pop_front_if(|commit| commit.due <= now) {
            disk.durable = commit.number;
            disk.marks.extend(commit.marks.into_iter().map(|mark| (mark.node, mark)));
            disk.near = self.frame.near();
            told.extend(commit.told);
            self.masters.iter_mut().for_each(|master| master.durable(disk.durable));
        }
        told
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let masters = self.masters.iter().filter_map(Master::next_deadline).map(|at| at.0);
        masters.chain(self.queue.front().map(|commit| commit.due)).min()
    }

    /// Whether all nodes are online and nothing waits to be durable.
    pub(super) fn rests(&self) -> bool {
        let online = |master: &Master| {
            master
                .view()
                .stations
                .iter()
                .all(|found| found.state == State::Online && found.orders == 0)
        };
        self.queue.is_empty() && self.masters.iter().all(online)
    }

    /// What the stations have counted.
    pub(super) fn counted(&self, sum: &mut Counted) {
        for found in self.masters.iter().flat_map(|master| master.view().stations) {
            sum.timeouts += found.counters.timeouts;
            sum.bad += found.counters.bad;
            sum.exceptions += found.counters.exceptions;
            sum.duplicates += found.counters.duplicates;
            sum.taken += found.counters.taken;
            sum.refused += found.counters.refused;
        }
    }
}
