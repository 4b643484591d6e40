//! A serial bus in virtual time: the real link, the real session and the real node logic.

use crate::{BAUD, TURN_AROUND_US, percentile};
use line_model::ids::{EyeId, NodeId, ScannerId};
use line_sim::nodes::NativeNode;
use modbus::rtu::{self, Timing};
use modbus::session::{Event, Outcome as Ended, Outputs, Session, Wire};
use node::{Identity, Output, Stamp};
use node_link::{
    BusId, BusSetup, Frame, InputRole, LinkLimits, Master, Outcome, StationSetup, Transmit,
};
use registers::NodeKind;
use registers::map::EVENTS;
use units::{Counts, Distance, EncoderId, Micros, Serial};

/// How long a cycle is watched.
const WATCHED: Micros = Micros::from_secs(60);
/// A parcel passes each node's eye this often, in µs.
const PARCEL_US: u64 = 1_000_000;

/// A node and what it has to say.
struct Place {
    node: NativeNode,
    dead: bool,
    /// Event polls answered: when.
    polled: Vec<u64>,
}

/// The bus.
struct Bench {
    now: Micros,
    timing: Timing,
    master: Master,
    session: Session,
    frame: Frame,
    places: Vec<Place>,
    sending: Option<(Micros, Vec<u8>)>,
    answer: Option<(Micros, Vec<u8>)>,
    /// Length of the request that is answered.
    asked: usize,
    /// Time that the answered exchanges take at least, in µs.
    least: u64,
    exchanges: u64,
    edge: u64,
    record: u64,
    out: Output,
}

pub(crate) fn station(index: u8) -> StationSetup {
    let eye = |n: u8| InputRole::Eye(EyeId(n));
    StationSetup {
        node: NodeId(index),
        unit: index + 1,
        kind: NodeKind::Zone,
        main_encoder: true,
        settings: NodeKind::Zone.settings().iter().map(|setting| setting.reset).collect(),
        inputs: vec![InputRole::Ignored, eye(2 * index), eye(2 * index + 1)],
        scanner: ScannerId(0),
        horizon_lag: Distance(60),
    }
}

pub(crate) fn identity(unit: u8) -> Identity {
    Identity {
        unit,
        boot_id: 100 + u16::from(unit),
        serial_number: u32::from(unit),
        firmware_hash: 1,
        reset_cause: 0,
        first_event: Serial(65_500),
        last_command: Serial(7),
    }
}

impl Bench {
    fn new(nodes: u8) -> Self {
        let timing = Timing { baud: BAUD, bits_per_char: 11 };
        let wire = Wire {
            baud: BAUD,
            bits_per_char: 11,
            turnaround_max: Micros::from_millis(5),
            broadcast_wait: Micros::from_millis(5),
            echo: modbus::session::Echo::Absent,
        };
        let mut session = Session::new(wire);
        session.handle(Micros::ZERO, Event::Opened, &mut Outputs::default());
        let setup = BusSetup {
            name: "bench".into(),
            serial: true,
            baud: BAUD,
            owner: 7,
            poll_min: Micros::ZERO,
            answer_timeout: Micros::from_millis(10),
            stations: (0..nodes).map(station).collect(),
        };
        let limits = LinkLimits::default();
        let mut master = Master::new(BusId(0), setup, limits, NodeId(nodes - 1), 1, &[]);
        master.bus_up(Micros::ZERO);
        let place = |unit| Place {
            node: NativeNode::boot(NodeKind::Zone, identity(unit)),
            dead: false,
            polled: Vec::new(),
        };
        Self {
            now: Micros::ZERO,
            timing,
            master,
            session,
            frame: Frame::new(EncoderId(0), None),
            places: (1..=nodes).map(place).collect(),
            sending: None,
            answer: None,
            asked: 0,
            least: 0,
            exchanges: 0,
            edge: 0,
            record: 0,
            out: Output::new(),
        }
    }

    fn stamp(&self) -> Stamp {
        let count = u32::try_from(self.now.0 / 1_000).unwrap_or_default();
        Stamp { now: self.now, count: Counts(count), second: Counts(count) }
    }

    /// The next instant at which something happens.
    fn next(&self) -> Micros {
        let edge = Micros((self.edge + 1) * PARCEL_US / 2);
        let wire = [self.sending.as_ref(), self.answer.as_ref()];
        let wire = wire.into_iter().flatten().map(|(at, _)| *at);
        let machines = [self.session.next_deadline(), self.master.next_deadline(), Some(edge)];
        wire.chain(machines.into_iter().flatten()).min().unwrap_or(edge).max(self.now)
    }

    fn run_until(&mut self, end: Micros) {
        while self.now < end {
            self.now = self.next().min(end);
            self.edges();
            if let Some((_, frame)) = self.sending.take_if(|(at, _)| *at <= self.now) {
                self.arrive(&frame);
            }
            if let Some((_, frame)) = self.answer.take_if(|(at, _)| *at <= self.now) {
                self.exchanges += 1;
                let silences = 2 * self.timing.silence().0;
                let wire = self.timing.wire_time(self.asked + frame.len()).0;
                self.least += wire + silences + TURN_AROUND_US;
                self.step(Event::Received(&frame));
            }
            if self.session.next_deadline().is_some_and(|at| at <= self.now) {
                self.step(Event::Timer);
            }
            self.pump();
        }
    }

    /// Every node's eye sees a parcel's head or tail.
    fn edges(&mut self) {
        if self.now.0 < (self.edge + 1) * PARCEL_US / 2 {
            return;
        }
        self.edge += 1;
        let input = node::Input::Level { input: 1, level: self.edge % 2 == 1 };
        let stamp = self.stamp();
        for place in &mut self.places {
            place.node.handle(stamp, input, &mut self.out);
        }
    }

    /// A request's last byte is on the wire: the node answers after silence and turn-around.
    fn arrive(&mut self, request: &[u8]) {
        self.asked = request.len();
        let (stamp, now) = (self.stamp(), self.now);
        for place in self.places.iter_mut().filter(|place| !place.dead) {
            place.node.handle(stamp, node::Input::Rtu(request), &mut self.out);
            if self.out.reply.is_empty() {
                continue;
            }
            if matches!(request, [_, 0x17, high, low, ..] if [*high, *low] == EVENTS.to_be_bytes())
            {
                place.polled.push(now.0);
            }
            let wire = self.timing.wire_time(self.out.reply.len());
            let at = now.plus(self.timing.silence()).plus(Micros(TURN_AROUND_US)).plus(wire);
            self.answer = Some((at, self.out.reply.to_vec()));
        }
    }

    fn step(&mut self, event: Event<'_>) {
        let mut out = Outputs::default();
        self.session.handle(self.now, event, &mut out);
        if let Some(frame) = out.send {
            let bytes = frame.as_bytes().to_vec();
            self.sending = Some((self.now.plus(self.timing.wire_time(bytes.len())), bytes));
        }
        let Some(done) = out.done else { return };
        let outcome = match &done {
            Ended::Answer { unit, pdu } => Outcome::Answer { unit: *unit, pdu: pdu.as_bytes() },
            Ended::Timeout => Outcome::Timeout,
            Ended::BroadcastDone => Outcome::BroadcastDone,
            Ended::PortLost | Ended::Busy | Ended::Unfit { .. } => Outcome::Lost,
        };
        let mut reports = Vec::new();
        self.master.exchanged(self.now, outcome, &mut self.frame, &mut reports);
        // The disk of this bench is as fast as thought: each report is durable at once.
        for report in reports {
            if let Some(through) = report.through {
                self.master.settle(report.node, through);
            }
            self.record += 1;
            self.master.recorded(self.record, &self.frame, &mut Vec::new());
            self.master.durable(self.record);
        }
    }

    fn pump(&mut self) {
        let mut reports = Vec::new();
        let sent = self.master.pump(self.now, &mut self.frame, &mut reports);
        if let Some(Transmit { unit, pdu, timeout, .. }) = sent {
            self.step(Event::Submit { unit, pdu: &pdu, timeout });
        }
    }

    /// Times between two event polls of the same node that is alive, sorted, in µs.
    fn cycles(&self) -> Vec<u64> {
        let alive = self.places.iter().filter(|place| !place.dead);
        let mut all: Vec<u64> =
            alive.flat_map(|place| place.polled.windows(2).map(|pair| pair[1] - pair[0])).collect();
        all.sort_unstable();
        all
    }

    /// Forgets what was measured so far.
    fn restart(&mut self) {
        (self.least, self.exchanges) = (0, 0);
        self.places.iter_mut().for_each(|place| place.polled.clear());
    }

    fn connected(nodes: u8) -> Self {
        let mut bench = Self::new(nodes);
        bench.run_until(Micros::from_secs(10));
        let view = bench.master.view();
        let online = |s: &node_link::StationView| s.state == node_link::State::Online;
        assert!(view.stations.iter().all(online), "the nodes are not online: {view:#?}");
        bench.restart();
        bench
    }
}

/// One event exchange at least, in µs.
fn exchange_us() -> u64 {
    let timing = Timing { baud: BAUD, bits_per_char: 11 };
    let request = 13 + 2 * usize::from(registers::exchange::WRITE_WORDS);
    let answer = 5 + 2 * usize::from(NodeKind::Zone.event_words());
    debug_assert!(request + answer <= 2 * rtu::MAX_FRAME);
    timing.wire_time(request + answer).0 + 2 * timing.silence().0 + TURN_AROUND_US
}

/// (a) The poll cycle against the computed minimum.
pub(crate) fn cycles() {
    println!(
        "\n(a) RTU on the virtual wire: {BAUD} baud 8E1, W = {}, R = {}, turn-around {TURN_AROUND_US} us, a \
         parcel a second at every node (budget: 1.03 x the computed minimum)",
        registers::exchange::WRITE_WORDS,
        NodeKind::Zone.event_words(),
    );
    for nodes in [8, 16, 32] {
        let mut bench = Bench::connected(nodes);
        let started = bench.now;
        bench.run_until(started.plus(WATCHED));
        let spent = bench.now.since(started).0;
        let cycles = bench.cycles();
        let least = u64::from(nodes) * exchange_us();
        println!(
            "  {nodes:2} nodes: {} exchanges in {} s, {:.3} x the minimum of these exchanges; event poll \
             of a node every {:.1} ms (median; p99 {:.1}), {:.3} x {} exchanges of {:.2} ms",
            bench.exchanges,
            spent / 1_000_000,
            spent as f64 / bench.least as f64,
            percentile(&cycles, 500) as f64 / 1e3,
            percentile(&cycles, 990) as f64 / 1e3,
            percentile(&cycles, 500) as f64 / least as f64,
            nodes,
            exchange_us() as f64 / 1e3,
        );
    }
}

/// (d) What a dead node costs the others.
pub(crate) fn one_dead_node() {
    println!("\n(d) one dead node on a bus of 16 at {BAUD} baud: event polls of the other 15");
    let mut means = Vec::new();
    for dead in [false, true] {
        let mut bench = Bench::connected(16);
        bench.places[3].dead = dead;
        // The link needs three time-outs to take a node for offline; this is the time after it.
        bench.run_until(bench.now.plus(Micros::from_secs(2)));
        bench.restart();
        let started = bench.now;
        bench.run_until(started.plus(WATCHED));
        let cycles = bench.cycles();
        let mean = cycles.iter().sum::<u64>() as f64 / cycles.len().max(1) as f64;
        means.push(mean);
        println!(
            "  {}: mean {:.1} ms, median {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {} time-outs in {} s",
            if dead { "one dead " } else { "all alive" },
            mean / 1e3,
            percentile(&cycles, 500) as f64 / 1e3,
            percentile(&cycles, 990) as f64 / 1e3,
            cycles.last().copied().unwrap_or_default() as f64 / 1e3,
            bench.session.view().timeouts,
            WATCHED.0 / 1_000_000,
        );
    }
    println!("  ratio of the means {:.3}", means[1] / means[0]);
}
