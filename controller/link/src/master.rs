//! The master of one bus: its stations, the exchange under way, and the entry points.

use crate::exchange::{Ask, Outstanding};
use crate::limits::{EXACT_SPREAD, LATCH_SPREAD, LinkLimits};
use crate::map::Frame;
use crate::queue::{Nature, Order, Queued};
use crate::setup::{BusId, BusSetup, Mark, Outcome, Transmit};
use crate::station::{State, Station, Told, Why};
use crate::view::{BusView, StationView};
use alloc::vec::Vec;
use line_model::ids::{NodeId, Tag};
use line_model::signal::{DownReason, Input};
use units::{Micros, Position, Serial};

/// Something that a link tells the line, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose.
    pub node: NodeId,
    /// With this report every event of the node up to here is handed over; the caller calls
    /// [`Master::settle`] with it before the line handles the input.
    pub through: Option<Serial>,
    /// What.
    pub what: What,
}

/// Content of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An event that the line does not follow.
    Nothing,
    /// An input of the line.
    Input(Input),
    /// Every event of the node up to this position has been reported.
    Heard(Position),
}

/// The broadcast latch by which nodes of the reference's bus are mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LatchRound {
    pub(crate) number: u16,
    pub(crate) started: Micros,
    /// Readings of this latch by station.
    pub(crate) counts: Vec<(usize, units::Counts)>,
}

/// Master of one bus.
///
/// The caller calls one entry point after another, hands every [`Report`] to the line, and calls
/// [`Self::pump`] at the end of each wake. Work per call is bounded by the stations of the bus and
/// the entries of one events block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    pub(crate) bus: BusId,
    pub(crate) setup: BusSetup,
    pub(crate) limits: LinkLimits,
    /// Node that the belt's frame is read from.
    pub(crate) reference: NodeId,
    pub(crate) stations: Vec<Station>,
    pub(crate) up: bool,
    pub(crate) outstanding: Option<Outstanding>,
    pub(crate) token: u16,
    pub(crate) durable: u64,
    pub(crate) hold: bool,
    pub(crate) cursor: usize,
    pub(crate) ready: Micros,
    pub(crate) next_probe: Micros,
    /// Rounds of all nodes in turn, and the one from which on a silent node may be tried.
    pub(crate) cycles: u32,
    pub(crate) probe_cycle: u32,
    pub(crate) opened: u64,
    pub(crate) round: Option<LatchRound>,
    /// When the nodes are compared by another latch.
    pub(crate) next_latch: Micros,
    pub(crate) stray: u64,
}

impl Master {
    /// Builds the master of bus `bus`; it is idle until [`Self::bus_up`].
    ///
    /// `token` is the first exchange's; `marks` are those of an earlier run, of any bus.
    ///
    /// # Panics
    /// When the owner word is 0, which no node takes.
    pub fn new(
        bus: BusId,
        setup: BusSetup,
        limits: LinkLimits,
        reference: NodeId,
        token: u16,
        marks: &[Mark],
    ) -> Self {
        assert!(setup.owner != 0, "owner word 0 means nobody");
        let mark = |node| marks.iter().find(|mark| mark.node == node).copied();
        let latches = setup.serial && setup.stations.iter().any(|place| place.node == reference);
        let spread = |node| match node {
            _ if node == reference => 0,
            _ if latches => LATCH_SPREAD,
            _ => EXACT_SPREAD,
        };
        let stations = setup
            .stations
            .iter()
            .map(|place| Station::new(place.clone(), mark(place.node), spread(place.node)));
        Self {
            bus,
            stations: stations.collect(),
            setup,
            limits,
            reference,
            up: false,
            outstanding: None,
            token,
            durable: 0,
            hold: false,
            cursor: 0,
            ready: Micros::ZERO,
            next_probe: Micros::ZERO,
            cycles: 0,
            probe_cycle: 0,
            opened: 0,
            round: None,
            next_latch: Micros::ZERO,
            stray: 0,
        }
    }

    /// Whether `node` is on this bus.
    pub fn has(&self, node: NodeId) -> bool {
        self.index(node).is_some()
    }

    pub(crate) fn index(&self, node: NodeId) -> Option<usize> {
        self.stations.iter().position(|station| station.setup.node == node)
    }

    /// The bus can be used (again): every station is identified anew.
    pub fn bus_up(&mut self, now: Micros) {
        self.up = true;
        self.opened += 1;
        self.outstanding = None;
        self.round = None;
        for station in &mut self.stations {
            station.enter(now, State::Unknown, Why::BusUp);
        }
    }

    /// The bus is gone.
    pub fn bus_down(&mut self, now: Micros, out: &mut Vec<Report>) {
        self.up = false;
        self.outstanding = None;
        self.round = None;
        for station in 0..self.stations.len() {
            self.down(station, now, DownReason::BusDown, Why::BusLost, out);
        }
    }

    /// The outstanding exchange has ended.
    pub fn exchanged(
        &mut self,
        now: Micros,
        outcome: Outcome<'_>,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) {
        let Some(asked) = self.outstanding.take() else {
            self.stray += 1;
            return;
        };
        match outcome {
            Outcome::Answer { unit, pdu } => match asked.accept(unit, pdu) {
                Ok(reply) => self.replied(now, &asked, reply, frame, out),
                Err(misfit) => {
                    if let Some(station) = self.stations.get_mut(asked.station) {
                        station.counters.misfit(misfit);
                    }
                    self.failed(now, &asked, out);
                }
            },
            Outcome::Timeout => {
                if let Some(station) = self.stations.get_mut(asked.station) {
                    station.counters.timeouts += 1;
                }
                self.failed(now, &asked, out);
            }
            Outcome::BroadcastDone => self.latch_sent(now, frame),
            Outcome::Lost => self.bus_down(now, out),
        }
    }

    /// Every record up to `record` is durable.
    pub fn durable(&mut self, record: u64) {
        self.durable = self.durable.max(record);
        for station in &mut self.stations {
            station.durable(record);
        }
    }

    /// While held, no events are read, because no more records can be kept; leases are.
    pub fn hold(&mut self, hold: bool) {
        self.hold = hold;
    }

    /// Queues an order of record `record` for `node`; an energising one waits until the record is
    /// durable.
    pub fn order(
        &mut self,
        node: NodeId,
        order: Order,
        record: u64,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) {
        let Some(station) = self.stations.iter_mut().find(|station| station.setup.node == node)
        else {
            return;
        };
        let tag = match &order {
            Order::Arm(plan) if station.current_map(frame).is_none() => {
                out.push(answered(node, plan.tag, false));
                return;
            }
            Order::Arm(plan) => plan.tag,
            Order::Cancel(tag) => *tag,
            Order::Set { nature: Nature::Energising, .. } if station.is_told_down() => {
                station.counters.dropped += 1;
                return;
            }
            Order::CancelAll | Order::Set { .. } => Tag(0),
        };
        match station.queue.push(order, record) {
            Queued::Waits => {}
            Queued::Full => out.push(answered(node, tag, false)),
            Queued::NeverSent => out.push(withheld(node, tag)),
        }
    }

    /// Drops the arms whose latest instant for sending has passed; an arm on its way is resolved by
    /// the node's next answer.
    pub fn expire(&mut self, now: Micros, out: &mut Vec<Report>) {
        for station in &mut self.stations {
            let node = station.setup.node;
            out.extend(station.queue.expire(now).into_iter().map(|tag| withheld(node, tag)));
        }
    }

    /// The line is about to handle what `node` reported up to `through`.
    pub fn settle(&mut self, node: NodeId, through: Serial) {
        if let Some(station) = self.stations.iter_mut().find(|found| found.setup.node == node) {
            station.settle(through);
        }
    }

    /// Record `record` is being written: appends the marks that belong to its transaction.
    pub fn recorded(&mut self, record: u64, frame: &Frame, marks: &mut Vec<Mark>) {
        marks.extend(self.stations.iter_mut().filter_map(|found| found.recorded(record, frame)));
    }

    /// Whether a node waits for an acknowledgement that needs a record of its own.
    pub fn wants_record(&self) -> bool {
        self.stations.iter().any(Station::wants_record)
    }

    /// Begins the next exchange when the bus is free and it is time.
    pub fn pump(
        &mut self,
        now: Micros,
        frame: &mut Frame,
        out: &mut Vec<Report>,
    ) -> Option<Transmit> {
        if !self.up || self.outstanding.is_some() || now < self.ready {
            return None;
        }
        self.check_frame(now, frame, out);
        let asked = self.begin(now, frame, out)?;
        let transmit = Transmit {
            bus: self.bus,
            unit: asked.unit,
            pdu: asked.request.clone(),
            timeout: self.setup.answer_timeout,
        };
        if asked.ask != Ask::Latch
            && let Some(station) = self.stations.get_mut(asked.station)
        {
            station.counters.exchanges += 1;
            station.asked = now;
        }
        self.ready = now.plus(self.setup.poll_min);
        self.outstanding = Some(asked);
        Some(transmit)
    }

    /// When [`Self::pump`] or [`Self::expire`] may have something to do; an outstanding exchange
    /// wakes by itself.
    pub fn next_deadline(&self) -> Option<Micros> {
        let arms = self.stations.iter().filter_map(|station| station.queue.next_deadline()).min();
        if !self.up || self.outstanding.is_some() {
            return arms;
        }
        let next = self.stations.iter().map(|station| match station.state {
            State::Down { why: DownReason::Silent, probe } => probe.max(self.next_probe),
            State::Down { why: _, probe } => probe,
            State::Unknown
            | State::Peeking
            | State::Configuring
            | State::Checking
            | State::Adopting
            | State::Mapping
            | State::Online => station.rest,
        });
        let next = next.min().map(|at| at.max(self.ready));
        arms.into_iter().chain(next).min()
    }

    /// What the bus shows of itself.
    pub fn view(&self) -> BusView {
        let stations = self.stations.iter().map(|station| StationView {
            node: station.setup.node,
            unit: station.setup.unit,
            kind: station.setup.kind,
            state: station.state,
            why: station.why,
            health: station.health(),
            failures: station.history.failures(),
            serial: station.answerers.serial(),
            since: station.since,
            last_answer: station.last_answer,
            boot_id: station.boot,
            spread: station.spread(),
            orders: station.queue.len(),
            counters: station.counters,
        });
        BusView {
            name: self.setup.name.clone(),
            up: self.up,
            opened: self.opened,
            stray: self.stray,
            stations: stations.collect(),
        }
    }

    /// Takes a station down and tells the line, unless it knows.
    pub(crate) fn down(
        &mut self,
        index: usize,
        now: Micros,
        why: DownReason,
        because: Why,
        out: &mut Vec<Report>,
    ) {
        let probe = match why {
            DownReason::Silent | DownReason::NotOwner => now.plus(self.limits.probe),
            DownReason::WrongMap { .. }
            | DownReason::WrongKind { .. }
            | DownReason::AddressClash { .. } => now.plus(self.limits.recheck),
            DownReason::BusDown => Micros::MAX,
        };
        let Some(station) = self.stations.get_mut(index) else { return };
        station.enter(now, State::Down { why, probe }, because);
        if station.told != Told::Down(why) {
            station.told = Told::Down(why);
            let node = station.setup.node;
            out.push(input(node, Input::NodeDown { node, why }));
        }
    }

    /// An exchange brought nothing. A node that the line counts on being down gets one chance a
    /// try, any other as many as the limit says.
    pub(crate) fn failed(&mut self, now: Micros, asked: &Outstanding, out: &mut Vec<Report>) {
        if asked.ask == Ask::Latch {
            return;
        }
        let limit = self.limits.failures;
        let Some(station) = self.stations.get_mut(asked.station) else { return };
        station.failures = station.failures.saturating_add(1);
        station.history.note(true);
        let chances = if station.is_told_down() { 1 } else { limit };
        if station.failures >= chances {
            self.down(asked.station, now, DownReason::Silent, Why::Silent, out);
        }
    }
}

pub(crate) const fn input(node: NodeId, input: Input) -> Report {
    Report { node, through: None, what: What::Input(input) }
}

pub(crate) const fn answered(node: NodeId, tag: Tag, taken: bool) -> Report {
    input(node, Input::ArmAnswered { tag, taken })
}

pub(crate) const fn withheld(node: NodeId, tag: Tag) -> Report {
    input(node, Input::Withheld { tag })
}
