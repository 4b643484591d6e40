//! The line as the controller meets it: buses in virtual time, nodes and the plant behind them.
//!
//! [`World::advance`] runs in order of time: what reaches a node (levels, device bytes, frames,
//! ticks) at its very microsecond, the plant in steps of one millisecond ahead of it, so that every
//! instant inside a step is interpolated. What a node commands acts from the next step on.

mod inject;

pub use inject::ForHost;

use crate::blueprint::{Blueprint, BusPlan, EncoderPlan, SetupError};
use crate::bridge::{Bridge, Effect, Faults, NETWORK_US, TURN_AROUND_US, Tally};
use crate::items::Item;
use crate::nodes::Station;
use crate::plant::feed::Feed;
use crate::plant::{Happening, Plant, Run, STEP_US, What, Work};
use crate::plant_file::PlantFile;
use crate::rng::Rng;
use crate::scenario::Entry;
use crate::truth::Truth;
use inject::Awaited;
use line_file::LineFile;
use node::{Input, Output};
use registers::NodeKind;
use registers::exchange::Side;
use registers::points::{diverter, dws, panel, zone};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use units::Micros;

/// What a world is built from.
#[derive(Clone, Debug)]
pub struct WorldSetup {
    /// The line as its controller knows it.
    pub line: LineFile,
    /// What is physically true of it.
    pub plant: PlantFile,
    /// What is on the parcels.
    pub manifest: Vec<Item>,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// How parcels arrive.
    pub feed: Feed,
    /// Profile of the plant file.
    pub profile: String,
    /// How many parcels are put on; `None` = without end.
    pub parcels: Option<u64>,
    /// What goes wrong on every bus.
    pub faults: Faults,
    /// What is made to happen.
    pub events: Vec<Entry>,
}

/// A frame that a node sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The bus, in the line file's order.
    pub bus: usize,
    /// When its last byte arrives at the host.
    pub at: Micros,
    /// The whole RTU frame or MBAP frame.
    pub frame: Vec<u8>,
}

/// The host's port or connection of a bus is gone, or can be opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortChange {
    /// The bus, in the line file's order.
    pub bus: usize,
    /// When.
    pub at: Micros,
    /// It can be opened (again).
    pub usable: bool,
}

/// A button on the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Reset.
    Reset,
}

/// A relay contact from one zone's READY to the other's input, in µs.
const CONTACT_US: u64 = 1_000;
/// Emergency-stop contacts of a panel.
const ESTOPS: usize = 2;
/// Ticks in a row at one instant after which a node is taken for defect.
const TICKS_MAX: u32 = 1_000;

/// Something with its instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: u64,
    /// Ties go in the order in which they came.
    order: u64,
    event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Node(What),
    Frame {
        bus: usize,
        frame: Vec<u8>,
    },
    /// A scenario's event.
    Begin(Box<Entry>),
    /// A person does something.
    Work(Work),
    /// What has this place in the truth is over.
    End(usize),
}

/// A bus with the stations on it.
#[derive(Clone, Debug)]
struct Bus {
    plan: BusPlan,
    stations: Vec<usize>,
    rng: Rng,
    /// What goes wrong; without it frames pass whole.
    bridge: Option<Box<Bridge>>,
}

/// A simulated line; a clone continues exactly like the original.
#[derive(Clone, Debug)]
pub struct World {
    now: u64,
    /// The plant's last step is from `step` to `ahead`; `now` lies in it.
    step: u64,
    ahead: u64,
    plant: Plant,
    stations: Vec<Station>,
    buses: Vec<Bus>,
    panel: usize,
    reference: usize,
    encoders: Vec<(String, EncoderPlan)>,
    estops: [bool; ESTOPS],
    /// Drives that have tripped, by belt.
    tripped: Vec<bool>,
    /// Events that wait for their parcels; the soonest stands last.
    awaited: Vec<Awaited>,
    for_host: Vec<ForHost>,
    faults: Faults,
    seed: u64,
    agenda: BinaryHeap<Reverse<Due>>,
    order: u64,
    answers: Vec<Answer>,
    ports: Vec<PortChange>,
    reboots: Rng,
    drift_ppm: u32,
    happenings: Vec<Happening>,
    output: Output,
}

/// The buses with what is on them and what goes wrong there.
fn wires(buses: Vec<BusPlan>, stations: &[Station], faults: &Faults, seed: u64) -> Vec<Bus> {
    buses
        .into_iter()
        .enumerate()
        .map(|(index, plan)| {
            let on_bus = |station: &usize| stations[*station].plan.bus == index;
            let here: Vec<usize> = (0..stations.len()).filter(on_bus).collect();
            let units = here.iter().map(|station| stations[*station].plan.unit).collect();
            let bridge = (!faults.is_none())
                .then(|| Box::new(Bridge::new(plan.serial, units, faults, seed, &plan.name)));
            let rng = Rng::stream(seed, &format!("bus {}", plan.name));
            Bus { rng, stations: here, plan, bridge }
        })
        .collect()
}

impl World {
    /// Builds a line at rest and powers its nodes.
    ///
    /// # Errors
    /// The first thing that line file, plant file and manifest do not agree on.
    pub fn new(setup: WorldSetup) -> Result<Self, SetupError> {
        let WorldSetup {
            line,
            plant: file,
            manifest,
            seed,
            feed,
            profile,
            parcels,
            faults,
            events,
        } = setup;
        let Some(profile) = file.profile.get(&profile).cloned() else {
            let known = file.profile.keys().cloned().collect();
            return Err(SetupError::UnknownProfile { name: profile, known });
        };
        if manifest.is_empty() {
            return Err(SetupError::EmptyManifest);
        }
        let Blueprint { plant: mut plan, stations, buses, panel, reference, encoders } =
            Blueprint::draw(&line, &file, seed)?;
        let stations: Vec<Station> = stations
            .into_iter()
            .map(|plan| {
                let mut rng = Rng::stream(seed, &format!("station {}", plan.name));
                Station::boot(plan, &mut rng, profile.clock_drift_ppm)
            })
            .collect();
        plan.reference.0 = stations[reference].main.offset;
        let buses = wires(buses, &stations, &faults, seed);
        let drift_ppm = profile.clock_drift_ppm;
        let run = Run { seed, profile, feed, parcels, items: manifest.into() };
        let mut world = Self {
            now: 0,
            step: 0,
            ahead: 0,
            plant: Plant::new(plan, &file, run),
            stations,
            buses,
            panel,
            reference,
            encoders,
            estops: [false; ESTOPS],
            tripped: vec![false; line.zone.len()],
            awaited: Vec::new(),
            for_host: Vec::new(),
            faults,
            seed,
            agenda: BinaryHeap::with_capacity(256),
            order: 0,
            answers: Vec::new(),
            ports: Vec::new(),
            reboots: Rng::stream(seed, "reboots"),
            drift_ppm,
            happenings: Vec::with_capacity(64),
            output: Output::new(),
        };
        world.contacts_at_rest();
        world.schedule(&events)?;
        Ok(world)
    }

    /// The contacts that are made on a line at rest.
    fn contacts_at_rest(&mut self) {
        for station in 0..self.stations.len() {
            match self.stations[station].plan.kind {
                NodeKind::Zone => self.level(station, zone::DRIVE_READY, true),
                NodeKind::Diverter => self.level(station, diverter::HOME, true),
                NodeKind::Scanner | NodeKind::Dws | NodeKind::Panel => {}
            }
        }
    }

    /// The present instant.
    pub const fn now(&self) -> Micros {
        Micros(self.now)
    }

    /// When something may happen next; at most 1 ms ahead while anything moves.
    pub fn next_event(&self) -> Micros {
        let step = if self.ahead > self.now { self.ahead } else { self.ahead + STEP_US };
        let motion = self.plant.next_motion().map_or(u64::MAX, |at| at.max(step));
        Micros(self.next_due().min(motion).max(self.now))
    }

    /// Runs up to `to`, what is due then included.
    ///
    /// # Panics
    /// When `to` is earlier than [`World::now`], or a node asks for ticks without end.
    pub fn advance(&mut self, to: Micros) {
        let to = to.0;
        assert!(to >= self.now, "time does not run back");
        loop {
            self.run_due(to.min(self.ahead));
            if self.ahead >= to {
                break;
            }
            self.step_plant(to);
        }
        self.now = to;
    }

    /// Hands a whole frame, whose last byte arrives now, to every node on the bus.
    ///
    /// The answers, if any, are in [`World::take_answers`]: at once on a serial bus, after the
    /// network's time on a TCP bus.
    ///
    /// # Panics
    /// When there is no such bus.
    pub fn send(&mut self, bus: usize, frame: &[u8]) {
        if let Some(bridge) = &mut self.buses[bus].bridge {
            bridge.send(Micros(self.now), frame);
            self.cross(bus);
        } else if self.buses[bus].plan.serial.is_some() {
            self.deliver(bus, frame);
        } else {
            let at = self.now + self.buses[bus].rng.span(NETWORK_US);
            self.enter(at, Event::Frame { bus, frame: frame.to_vec() });
        }
    }

    /// Takes the answers that have been formed so far; their instants may lie ahead.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        core::mem::take(&mut self.answers)
    }

    /// Takes what has become of the host's ports so far.
    pub fn take_port_changes(&mut self) -> Vec<PortChange> {
        core::mem::take(&mut self.ports)
    }

    /// What has gone wrong on all buses so far.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.buses.iter().filter_map(|bus| bus.bridge.as_ref()).for_each(|b| sum.add(b.tally()));
        sum
    }

    /// Presses or leaves a button.
    pub fn press(&mut self, button: Button, down: bool) {
        self.level(self.panel, Self::button_input(button), down);
    }

    /// Trips or releases emergency-stop contact 1 or 2: it cuts the power of every drive.
    ///
    /// # Panics
    /// When there is no such contact.
    pub fn estop(&mut self, contact: usize, tripped: bool) {
        assert!((1..=ESTOPS).contains(&contact), "contact {contact}: only 1 to {ESTOPS}");
        self.estops[contact - 1] = tripped;
        let input = if contact == 1 { panel::ESTOP_1 } else { panel::ESTOP_2 };
        self.level(self.panel, input, tripped);
        self.power_drives();
    }

    /// What each parcel really did.
    pub const fn truth(&self) -> &Truth {
        self.plant.truth()
    }

    /// Nobody puts parcels on any more; the run ends with those on the belts.
    pub const fn stop_feed(&mut self) {
        self.plant.stop_feed();
    }

    /// Whether every parcel of the run was put on and is in a chute or at the end.
    pub fn is_drained(&self) -> bool {
        self.plant.is_drained()
    }

    /// The buses, in the line file's order.
    pub fn buses(&self) -> impl Iterator<Item = &BusPlan> {
        self.buses.iter().map(|bus| &bus.plan)
    }

    /// The stations, in the line file's order of nodes; for screens and tests.
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// The plant; for screens and tests.
    pub const fn plant(&self) -> &Plant {
        &self.plant
    }

    fn enter(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.agenda.push(Reverse(Due { at, order: self.order, event }));
    }

    fn enter_happenings(&mut self) {
        let mut happenings = core::mem::take(&mut self.happenings);
        for happening in happenings.drain(..) {
            self.enter(happening.at.max(self.now), Event::Node(happening.what));
        }
        self.happenings = happenings;
    }

    fn next_due(&self) -> u64 {
        let agenda = self.agenda.peek().map_or(u64::MAX, |due| due.0.at);
        let bridges = self.buses.iter().filter_map(|bus| bus.bridge.as_ref()?.next_deadline());
        let agenda = bridges.fold(agenda, |next, at| next.min(at.0));
        self.stations.iter().fold(agenda, |next, station| next.min(station.wake))
    }

    /// Runs everything that is due up to `until`, in order.
    fn run_due(&mut self, until: u64) {
        let mut ticks = 0;
        loop {
            let due = self.next_due();
            if due > until {
                break;
            }
            ticks = if due > self.now { 0 } else { ticks + 1 };
            self.now = self.now.max(due);
            if self.agenda.peek().is_some_and(|next| next.0.at <= due) {
                if let Some(Reverse(next)) = self.agenda.pop() {
                    self.run(next.event);
                }
            } else if let Some(station) = self.stations.iter().position(|s| s.wake <= due) {
                let name = &self.stations[station].plan.name;
                assert!(ticks < TICKS_MAX, "node {name} asks for ticks without end");
                self.handle(station, Input::Tick);
            } else {
                (0..self.buses.len()).for_each(|bus| self.cross(bus));
            }
        }
    }

    /// Carries out what is due on a bus's bridge.
    fn cross(&mut self, bus: usize) {
        let now = Micros(self.now);
        while let Some((at, effect)) =
            self.buses[bus].bridge.as_mut().and_then(|bridge| bridge.due(now))
        {
            match effect {
                Effect::Hear { station, sound, from: _ } => {
                    let station = self.buses[bus].stations[station];
                    self.handle(station, sound.input());
                }
                Effect::Host(frame) => self.answers.push(Answer { bus, at, frame }),
                Effect::Off { station } => self.reboot(bus, station, at, true),
                Effect::On { station } => self.reboot(bus, station, at, false),
                Effect::PortLost => self.ports.push(PortChange { bus, at, usable: false }),
                Effect::PortBack => self.ports.push(PortChange { bus, at, usable: true }),
            }
        }
    }

    /// A station loses its power: what it drove stands, what it knew is gone.
    fn power_off(&mut self, station: usize) {
        let outputs = self.stations[station].node.view().outputs;
        for (output, _) in (0u8..).zip(outputs).filter(|(_, value)| *value != 0) {
            self.act(station, output, 0);
        }
        let place = &mut self.stations[station];
        place.off = true;
        place.sleep();
    }

    /// It boots and finds its inputs as they are.
    fn power_on(&mut self, station: usize) {
        self.stations[station].reboot(&mut self.reboots, self.drift_ppm);
        self.handle(station, Input::Tick);
        for input in self.stations[station].active() {
            self.handle(station, Input::Level { input, level: true });
        }
    }

    fn run(&mut self, event: Event) {
        match event {
            Event::Node(What::Level { station, input, level }) => self.level(station, input, level),
            Event::Node(What::Device { station, bytes }) => {
                self.handle(station, Input::Device(&bytes));
            }
            Event::Frame { bus, frame } => self.deliver(bus, &frame),
            Event::Begin(entry) => self.begin(entry.parcel, &entry.event, false),
            Event::End(number) => self.end(number),
            Event::Work(work) => self.work(work),
        }
    }

    fn level(&mut self, station: usize, input: u8, level: bool) {
        if level && input == diverter::EYE_ARRIVAL {
            self.plant.note_arrival(station);
        }
        self.stations[station].take_level(input, level);
        self.handle(station, Input::Level { input, level });
    }

    /// Steps the plant by a millisecond, or over the time in which nothing can happen.
    fn step_plant(&mut self, to: u64) {
        let motion = self.plant.next_motion().unwrap_or(u64::MAX);
        let quiet = self.next_due().min(motion).min(to) / STEP_US * STEP_US;
        if quiet > self.ahead {
            self.step = quiet;
            self.ahead = quiet;
            return;
        }
        self.step = self.ahead;
        self.ahead += STEP_US;
        self.plant.step(self.step, &mut self.happenings);
        self.enter_happenings();
        if !self.awaited.is_empty() {
            self.begin_awaited();
        }
        self.let_people_see();
        for station in self.stations.iter_mut().filter(|station| station.counts()) {
            station.look(&self.plant, self.step, 0);
        }
    }

    fn part(&self) -> i64 {
        self.now.saturating_sub(self.step).min(STEP_US).cast_signed()
    }

    /// Gives a node one input, and does what it wants done.
    fn handle(&mut self, station: usize, input: Input<'_>) {
        if self.stations[station].off {
            return;
        }
        let mut output = core::mem::take(&mut self.output);
        let (now, part) = (self.now, self.part());
        let place = &mut self.stations[station];
        let stamp = place.stamp(&self.plant, now, part);
        place.node.handle(stamp, input, &mut output);
        place.schedule(&self.plant, now, part);
        for (id, value) in &output.outputs {
            self.act(station, *id, *value);
        }
        if !output.device.is_empty() {
            self.plant.device(station, &output.device, now, &mut self.happenings);
            self.enter_happenings();
        }
        if let Some(unit) = output.unit {
            // As in flash: the address of every later boot.
            self.stations[station].plan.unit = unit;
            let bus = self.stations[station].plan.bus;
            let Bus { bridge, stations, .. } = &mut self.buses[bus];
            if let (Some(bridge), Some(place)) =
                (bridge, stations.iter().position(|other| *other == station))
            {
                bridge.readdress(place, unit);
            }
        }
        if !output.reply.is_empty() {
            self.answer(station, &output.reply);
        }
        self.output = output;
    }

    /// An output of a node changed.
    fn act(&mut self, station: usize, output: u8, value: u32) {
        let plan = &self.stations[station].plan;
        match (plan.kind, output) {
            (NodeKind::Zone, zone::DRIVE) => {
                if let Some(belt) = plan.drives {
                    self.plant.drive(belt, value);
                }
            }
            (NodeKind::Zone, zone::READY) => {
                if let Some(station) = plan.ready_to {
                    let (input, level) = (zone::DOWNSTREAM_READY, value != 0);
                    let contact = Event::Node(What::Level { station, input, level });
                    self.enter(self.now + CONTACT_US, contact);
                }
            }
            (NodeKind::Diverter, diverter::TURN_LEFT) => {
                self.plant.turn(station, Side::Left, value != 0, self.now);
            }
            (NodeKind::Diverter, diverter::TURN_RIGHT) => {
                self.plant.turn(station, Side::Right, value != 0, self.now);
            }
            (NodeKind::Dws, dws::ZERO) if value != 0 => self.plant.zero(self.now),
            // Lamps, horn and levels inside the node move nothing.
            _ => {}
        }
    }

    /// Hands a frame to every node on the bus.
    fn deliver(&mut self, bus: usize, frame: &[u8]) {
        let serial = self.buses[bus].plan.serial.is_some();
        let to = modbus::rtu::check(frame).ok().filter(|_| serial).map(|(unit, _)| unit);
        let to = to.filter(|unit| *unit != modbus::rtu::BROADCAST);
        for at in 0..self.buses[bus].stations.len() {
            let station = self.buses[bus].stations[at];
            let place = &mut self.stations[station];
            if to.is_some_and(|unit| unit != place.plan.unit) && !place.off {
                place.node.overhear();
                continue;
            }
            let input = if serial { Input::Rtu(frame) } else { Input::Tcp(frame) };
            self.handle(station, input);
        }
    }

    fn answer(&mut self, station: usize, frame: &[u8]) {
        let bus = self.stations[station].plan.bus;
        let Bus { plan, rng, bridge, stations } = &mut self.buses[bus];
        if let Some(bridge) = bridge {
            let place = stations.iter().position(|other| *other == station);
            bridge.reply(Micros(self.now), place.unwrap_or_default(), frame);
            return;
        }
        let takes = match plan.serial {
            Some(timing) => {
                timing.silence().0 + rng.span(TURN_AROUND_US) + timing.wire_time(frame.len()).0
            }
            None => rng.span(NETWORK_US),
        };
        let at = Micros(self.now + takes);
        self.answers.push(Answer { bus, at, frame: frame.to_vec() });
    }
}
