//! One run: nodes, bridges, wires and a host on one virtual clock.

use super::driver::{Driver, Happening, Meaning};
use super::host::{Counted, Disk, Host, setups};
use super::ledger::{Figures, Ledger, What};
use super::nodes::{Belt, Place, Post, at};
use super::sabotage::{Sabotage, Saboteur};
use crate::wires::{Done, Wire};
use line_sim::bridge::{Bridge, Effect, Faults, Sound, Speaker, Tally};
use line_sim::rng::Rng;
use modbus::rtu::Timing;
use node::{Input, Output};
use node_link::{BusSetup, Outcome as End, Transmit};
use registers::NodeKind;
use registers::points::diverter;
use std::collections::{BTreeMap, BTreeSet};
use units::Micros;

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// Exchanges to make.
    pub exchanges: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// A deliberate wrong that must be found.
    pub sabotage: Option<Sabotage>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The plan's seed.
    pub seed: u64,
    /// What was found wrong.
    pub violations: Vec<String>,
    /// What the ledger counted.
    pub figures: Figures,
    /// What went wrong on the wires.
    pub tally: Tally,
    /// Exchanges made.
    pub exchanges: u64,
    /// What the masters counted.
    pub counted: Counted,
    /// Lives of the host that ended in a crash.
    pub crashes: u64,
    /// Virtual time.
    pub lasted: Micros,
    /// How often the saboteur struck.
    pub strikes: u64,
}

/// Speeds of the belt, in mm/s.
pub(super) const SPEEDS: [u64; 2] = [400, 1_800];
/// The serial bus.
pub(super) const LINE: Timing = Timing { baud: 115_200, bits_per_char: 11 };
fn posts() -> Vec<Post> {
    let serial = [
        NodeKind::Zone,
        NodeKind::Diverter,
        NodeKind::Diverter,
        NodeKind::Panel,
        NodeKind::Scanner,
    ];
    let network = [NodeKind::Scanner, NodeKind::Dws, NodeKind::Diverter, NodeKind::Zone];
    let post = |bus| {
        move |(station, kind): (usize, NodeKind)| Post {
            bus,
            station,
            unit: u8::try_from(station + 1 + bus * 10).expect("few"),
            kind,
        }
    };
    let serial = serial.into_iter().enumerate().map(post(0));
    serial.chain(network.into_iter().enumerate().map(post(1))).collect()
}

/// What an order of the host is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chore {
    Speed,
    Order,
    Crash,
    Start,
}

pub(super) struct Run {
    pub(super) now: u64,
    pub(super) rng: Rng,
    pub(super) belt: Belt,
    /// When each input changed last, in counts of the belt.
    pub(super) edges: BTreeMap<(usize, u8), i64>,
    pub(super) places: Vec<Place>,
    pub(super) bridges: Vec<Bridge>,
    pub(super) wires: Vec<Wire>,
    pub(super) setups: Vec<BusSetup>,
    pub(super) host: Option<Host>,
    pub(super) disk: Disk,
    pub(super) driver: Driver,
    pub(super) ledger: Ledger,
    pub(super) chores: BTreeMap<Chore, u64>,
    pub(super) saboteur: Option<Saboteur>,
    pub(super) call: u64,
    pub(super) tag: u32,
    pub(super) value: u32,
    /// Output values ordered, and the last one seen, by node.
    pub(super) ordered: BTreeSet<(usize, u32)>,
    pub(super) valued: BTreeMap<usize, u32>,
    pub(super) exchanges: u64,
    pub(super) crashes: u64,
    pub(super) counted: Counted,
    pub(super) out: Output,
    pub(super) seed: u64,
}

/// Runs a plan to its end, or until too much is wrong.
pub fn run(plan: &Plan) -> Outcome {
    let mut run = Run::new(plan);
    while run.exchanges < plan.exchanges && !run.ledger.is_hopeless() {
        run.step();
    }
    run.rest();
    run.outcome(plan)
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let mut rng = Rng::stream(plan.seed, "torture");
        let posts = posts();
        let places: Vec<Place> = posts.iter().map(|post| Place::new(*post, &mut rng)).collect();
        let bridges = (0..2)
            .map(|bus| {
                let here = posts.iter().filter(|post| post.bus == bus);
                let units = here.map(|post| post.unit).collect();
                let timing = (bus == 0).then_some(LINE);
                Bridge::new(timing, units, &plan.faults, plan.seed, &format!("{bus}"))
            })
            .collect();
        let ledger = Ledger::new(posts.len());
        let speed = rng.span(SPEEDS);
        let mut run = Self {
            now: 0,
            belt: Belt::new(speed),
            edges: BTreeMap::new(),
            places,
            bridges,
            wires: Vec::new(),
            setups: setups(&posts),
            host: None,
            disk: Disk::default(),
            driver: Driver::new(plan.seed),
            ledger,
            chores: BTreeMap::from([(Chore::Speed, 1_000_000), (Chore::Start, 50_000)]),
            saboteur: plan.sabotage.map(Saboteur::new),
            call: 0,
            tag: 0,
            value: 0,
            ordered: BTreeSet::new(),
            valued: BTreeMap::new(),
            exchanges: 0,
            crashes: 0,
            counted: Counted::default(),
            out: Output::new(),
            rng,
            seed: plan.seed,
        };
        for index in 0..run.places.len() {
            if run.places[index].post.kind == NodeKind::Diverter {
                run.places[index].levels[usize::from(diverter::HOME)] = true;
            }
            run.begin(index);
        }
        run
    }

    fn outcome(mut self, plan: &Plan) -> Outcome {
        if let Some(host) = &self.host {
            host.counted(&mut self.counted);
        }
        let mut tally = Tally::default();
        self.bridges.iter().for_each(|bridge| tally.add(bridge.tally()));
        Outcome {
            seed: plan.seed,
            violations: self.ledger.violations,
            figures: self.ledger.figures,
            tally,
            exchanges: self.exchanges,
            counted: self.counted,
            crashes: self.crashes,
            lasted: Micros(self.now),
            strikes: self.saboteur.map_or(0, |saboteur| saboteur.strikes),
        }
    }

    /// A node has booted: it finds its inputs as they are.
    fn begin(&mut self, index: usize) {
        self.ledger.booted(index, self.places[index].boot_id);
        self.feed(index, Input::Tick, None);
        for input in 0..super::host::INPUTS {
            if self.places[index].levels[usize::from(input)] {
                self.level(index, input, true);
            }
        }
        self.driver.begin(self.now, index, &self.places[index]);
    }

    /// An input has changed.
    fn level(&mut self, index: usize, input: u8, level: bool) {
        let counts = self.belt.counts(self.now);
        self.edges.insert((index, input), counts);
        let place = &mut self.places[index];
        place.levels[usize::from(input)] = level;
        place.changed[usize::from(input)] = place.millis(self.now);
        self.feed(index, Input::Level { input, level }, None);
    }

    fn next(&self) -> u64 {
        let wakes = self.places.iter().map(|place| place.wake);
        let bridges = self.bridges.iter().filter_map(|bridge| Some(bridge.next_deadline()?.0));
        let wires = self.wires.iter().filter_map(|wire| Some(wire.next_deadline()?.0));
        let own = self.driver.next().into_iter().chain(self.chores.values().copied());
        let host = self.host.as_ref().and_then(Host::next_deadline);
        let all = wakes.chain(bridges).chain(wires).chain(own).chain(host);
        all.min().unwrap_or(u64::MAX)
    }

    /// Goes on to the next thing that happens.
    pub(super) fn step(&mut self) {
        let next = self.next();
        // What waits for somebody else's doing says "now": time must go on all the same.
        self.now = if next > self.now { next } else { self.now + 1 };
        for index in 0..self.places.len() {
            if self.places[index].wake <= self.now {
                self.feed(index, Input::Tick, None);
            }
        }
        while let Some(happening) = self.driver.due(self.now) {
            self.happen(happening);
        }
        for bus in 0..self.bridges.len() {
            self.cross(bus);
        }
        for bus in 0..self.wires.len() {
            if self.wires[bus].next_deadline().is_some_and(|due| due.0 <= self.now) {
                let done = self.wires[bus].timer(at(self.now), &mut self.bridges);
                self.done(bus, done);
            }
        }
        self.chores();
        self.host();
    }

    /// The host does what is due.
    fn host(&mut self) {
        let Some(host) = &mut self.host else { return };
        for (node, boot_id, input) in host.commit(self.now, &mut self.disk) {
            self.ledger.heard(self.now, node, boot_id, &input);
        }
        let requests = host.work(self.now, &mut self.saboteur);
        for input in core::mem::take(&mut host.told) {
            self.ledger.answered(self.now, &input);
        }
        for request in requests {
            self.send(&request);
        }
    }

    fn send(&mut self, request: &Transmit) {
        self.exchanges += 1;
        let bus = usize::from(request.bus.0);
        let done = self.wires[bus].submit(at(self.now), request, &mut self.bridges);
        self.done(bus, done);
    }

    fn done(&mut self, bus: usize, done: Option<Done>) {
        let (Some(done), Some(host)) = (done, &mut self.host) else { return };
        let end = match &done {
            Done::Answer { unit, pdu } => End::Answer { unit: *unit, pdu },
            Done::Timeout => End::Timeout,
            Done::BroadcastDone => End::BroadcastDone,
            Done::Lost => End::Lost,
        };
        host.exchanged(self.now, bus, end, &mut self.saboteur);
    }

    /// Carries out what is due on a bridge.
    fn cross(&mut self, bus: usize) {
        while let Some((_, effect)) = self.bridges[bus].due(at(self.now)) {
            match effect {
                Effect::Hear { station, sound, from } => {
                    let found =
                        |place: &Place| (place.post.bus, place.post.station) == (bus, station);
                    let index = self.places.iter().position(found).expect("a place");
                    let reply = self.feed(index, sound.input(), Some((from, &sound)));
                    if !reply.is_empty() {
                        self.bridges[bus].reply(at(self.now), station, &reply);
                    }
                    self.add_command(index, &sound);
                }
                Effect::Host(mut bytes) => {
                    if let Some(saboteur) = &mut self.saboteur
                        && bus == 0
                    {
                        saboteur.answer(&mut bytes);
                    }
                    let wire = self.wires.get_mut(bus);
                    let done = wire.and_then(|wire| wire.received(at(self.now), &bytes));
                    self.done(bus, done);
                }
                Effect::Off { station } => self.place(bus, station).power_off(),
                Effect::On { station } => {
                    let mut rng = self.rng.clone();
                    self.place(bus, station).boot(&mut rng);
                    self.rng = rng;
                    let found =
                        |place: &Place| (place.post.bus, place.post.station) == (bus, station);
                    let index = self.places.iter().position(found).expect("a place");
                    self.begin(index);
                }
                Effect::PortLost => {
                    let done = self.wires.get_mut(bus).and_then(|wire| wire.lost(at(self.now)));
                    self.done(bus, done);
                    if let Some(host) = &mut self.host {
                        host.port(self.now, bus, false);
                    }
                }
                Effect::PortBack => {
                    if let (Some(wire), Some(host)) = (self.wires.get_mut(bus), &mut self.host) {
                        wire.back(at(self.now));
                        host.port(self.now, bus, true);
                    }
                }
            }
        }
    }

    /// A saboteur lets a node hear one more command than the host has given.
    fn add_command(&mut self, index: usize, sound: &Sound) {
        let (Some(saboteur), Sound::Bytes(bytes)) = (&mut self.saboteur, sound) else { return };
        if bytes.first() == Some(&self.places[index].post.unit)
            && let Some(extra) = saboteur.request(bytes)
        {
            self.feed(index, Input::Silence, None);
            let sound = Sound::Bytes(extra);
            self.feed(index, sound.input(), Some((Speaker::Host, &sound)));
        }
    }

    fn place(&mut self, bus: usize, station: usize) -> &mut Place {
        let found = |place: &&mut Place| (place.post.bus, place.post.station) == (bus, station);
        self.places.iter_mut().find(found).expect("a place")
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Toggle { place: index, input } => {
                let place = &self.places[index];
                if place.off {
                    return;
                }
                let (kind, level) = (place.post.kind, place.levels[usize::from(input)]);
                let settled = place.machine.view().status.inputs >> input & 1 == 1;
                if settled != level {
                    self.ledger.violation(self.now, format!("node {index}: input {input} missed"));
                }
                self.level(index, input, !level);
                self.driver.plan_toggle(self.now, index, kind, input, !level);
            }
            Happening::Line { place: index, boot_id, line, meaning, head } => {
                let place = &self.places[index];
                if place.off || place.boot_id != boot_id {
                    return;
                }
                let here = self.belt.counts(self.now);
                let (what, belt) = match meaning {
                    Meaning::Codes(codes) => (What::Codes(codes), head),
                    Meaning::NoRead => (What::NoRead, head),
                    Meaning::TooLong => (What::TooLong, head),
                    Meaning::Unassigned(number) => (What::Unassigned(number), here),
                    Meaning::Measured(grams, size) => (What::Measured(grams, size), head),
                };
                self.ledger.arose(index, self.call + 1, self.now, belt, what);
                self.feed(index, Input::Device(line.as_bytes()), None);
            }
        }
    }

    /// Gives a node one input and watches what it does; its answer.
    fn feed(
        &mut self,
        index: usize,
        input: Input<'_>,
        heard: Option<(Speaker, &Sound)>,
    ) -> Vec<u8> {
        if self.places[index].off {
            return Vec::new();
        }
        self.call += 1;
        let mut out = core::mem::take(&mut self.out);
        let place = &mut self.places[index];
        if let Some((_, Sound::Bytes(bytes))) = heard {
            place.overhear(bytes);
        }
        let before = place.machine.view();
        place.handle(self.now, &self.belt, input, &mut out);
        let after = place.machine.view();
        if before != after || !out.outputs.is_empty() {
            self.observe(index, &before, &after, &out, heard.map(|(_, sound)| sound));
        }
        if let Some((Speaker::SecondMaster, _)) = heard {
            self.usurped(index, &before, &after);
        }
        if !out.device.is_empty() {
            let input = super::driver::trigger(self.places[index].post.kind);
            let head = input.and_then(|input| self.edges.get(&(index, input)).copied());
            let head = head.expect("a trigger has an edge");
            self.driver.triggered(self.now, index, &self.places[index], &out.device, head);
        }
        let reply = out.reply.to_vec();
        self.out = out;
        reply
    }
}
