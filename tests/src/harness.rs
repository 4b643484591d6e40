//! One run of the whole system on virtual time: engine, buses, disk, manifest and the world.

use crate::disk::Disk;
use crate::inputs::{Case, Inputs};
use crate::wires::{Done, Passed, Wire};
use line_engine::{BusId, Effects, Engine, EngineView, Outcome, Question, Start, Wake};
use line_model::decision::Decision;
use line_model::packml::State;
use line_model::plan::Plan;
use line_model::signal::{Command, Input};
use line_sim::rng::Rng;
use line_sim::scenario::Event;
use line_sim::world::{Answer, PortChange, World, WorldSetup};
use sortline::config;
use sortline::config::manifest::Manifest;
use sortline::guard::{self, Guard};
use std::collections::BTreeMap;
use units::Micros;

/// Why a run could not be set up.
#[derive(Debug)]
pub struct SetupFault(pub String);

impl std::fmt::Display for SetupFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupFault {}

/// The parts that do not change during a run.
pub struct Fixed {
    /// The checked line.
    pub line: config::Line,
    /// The checked plan.
    pub plan: Plan,
    /// The imported manifest.
    pub manifest: Manifest,
}

/// The whole system on one virtual clock; a clone forks the run.
#[derive(Clone)]
pub struct Harness {
    /// Checked files, shared by forks.
    pub fixed: std::sync::Arc<Fixed>,
    /// The simulated line.
    pub world: World,
    /// The journal.
    pub disk: Disk,
    /// The controller; `None` while it is dead.
    guard: Option<Guard>,
    /// When the controller wants its timer, as it said after its last wake.
    deadline: Option<Micros>,
    now: Micros,
    wires: Vec<Wire>,
    /// Frames on their way to the host, in order of their last byte.
    arriving: BTreeMap<(Micros, u64), Answer>,
    arrived: u64,
    /// Alters frames on their way to the host.
    tap: Option<Tap>,
    /// Answers that the manifest will give, by time.
    replies: BTreeMap<(Micros, u64), Question>,
    asked: u64,
    upstream: Rng,
    people: People,
    tamper: Option<Tamper>,
    /// The wall clock at the beginning, which the controller is told at each start; `None` = it is not.
    utc_s: Option<u64>,
    /// When the disk goes on after a scenario's stall.
    stalled_until: Option<Micros>,
}

/// A saboteur between line and engine, or a fault injected there.
pub type Tamper = fn(&Input, &mut Vec<Decision>);

/// Alters a frame on its way from the bus with this index.
pub type Tap = fn(usize, &mut [u8]);

/// What the people at the panel still have to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum People {
    /// Press what brings the line to work, as soon as nothing is unmet, until it runs.
    Start,
    /// The same again whenever it stands.
    Keep,
    /// Nothing.
    Watch,
}

impl Harness {
    /// Sets up a run from files; nothing has moved yet.
    ///
    /// # Errors
    /// The first file that cannot be read or used.
    pub fn new(inputs: &Inputs) -> Result<Self, SetupFault> {
        Self::of(&inputs.read()?)
    }

    /// Sets up a run; nothing has moved yet.
    ///
    /// # Errors
    /// The first text that cannot be used.
    pub fn of(case: &Case) -> Result<Self, SetupFault> {
        let fault = |what: &str, why: &dyn std::fmt::Display| SetupFault(format!("{what}: {why}"));
        let line =
            config::check("line.toml", &case.line).map_err(|why| fault("line file", &why))?;
        let plan = config::plan::load("plan.toml", &case.plan, &line.engine.layout)
            .map_err(|why| fault("plan", &why))?;
        let manifest =
            config::manifest::load(&case.manifest, false).map_err(|why| fault("manifest", &why))?;
        let world = World::new(WorldSetup {
            line: line.file.clone(),
            plant: line_sim::plant_file::PlantFile::parse(&case.plant)
                .map_err(|why| fault("plant", &why))?,
            manifest: line_sim::items::read_manifest(case.manifest.as_slice())
                .map_err(|why| fault("manifest", &why))?,
            seed: case.seed,
            feed: case.feed,
            profile: case.profile.clone(),
            parcels: case.parcels,
            faults: case.faults.clone(),
            events: case.events.clone(),
        })
        .map_err(|why| fault("world", &why))?;
        let fixed = std::sync::Arc::new(Fixed { line, plan, manifest });
        let stream = |name: &str| Rng::stream(case.seed, name);
        let mut harness = Self {
            world,
            guard: None,
            deadline: None,
            arriving: BTreeMap::new(),
            arrived: 0,
            tap: None,
            disk: Disk::new(&fixed.line.engine.layout, stream("disk")),
            now: Micros::ZERO,
            wires: Vec::new(),
            replies: BTreeMap::new(),
            asked: 0,
            upstream: stream("upstream"),
            people: People::Start,
            tamper: None,
            stalled_until: None,
            utc_s: case.utc_s,
            fixed,
        };
        harness.boot(Start::Fresh);
        Ok(harness)
    }

    /// Puts a saboteur between line and engine.
    pub fn tamper(&mut self, tamper: Tamper) {
        self.tamper = Some(tamper);
        self.disk.expect_differences();
        if let Some(guard) = &mut self.guard {
            guard.change(|engine| engine.tamper(tamper));
        }
    }

    /// Puts a tap on the wires towards the host.
    pub fn tap(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// Keeps every frame that passes on the buses from now on, until the controller dies.
    pub fn record(&mut self) {
        self.wires.iter_mut().for_each(Wire::record);
    }

    /// The frames kept, for each bus of the line file.
    pub fn recorded(&self) -> impl Iterator<Item = &[Passed]> {
        self.wires.iter().map(Wire::recorded)
    }

    /// The controller, while it lives.
    pub fn engine(&self) -> Option<&Engine> {
        self.guard.as_ref().map(Guard::engine)
    }

    /// How often the guard was needed.
    pub fn guard_counts(&self) -> guard::Counts {
        self.guard.as_ref().map(Guard::counts).unwrap_or_default()
    }

    fn boot(&mut self, start: Start) {
        let fresh = matches!(start, Start::Fresh);
        let mut engine = Engine::new(self.fixed.line.engine.clone(), 1, start);
        if let Some(tamper) = self.tamper {
            engine.tamper(tamper);
        }
        self.guard = Some(Guard::new(engine));
        let (now, ports) = (self.now, self.fixed.line.ports.iter().enumerate());
        self.wires = ports
            .map(|(index, port)| match port.wire() {
                Some(line) => Wire::serial(index, line, now),
                None => Wire::tcp(index),
            })
            .collect();
        if let Some(utc_s) = self.utc_s {
            self.wake(Wake::WallClock { utc_us: utc_s * 1_000_000 + now.0 });
        }
        for index in 0..self.wires.len() {
            let bus = BusId(u8::try_from(index).expect("few buses"));
            self.wake(Wake::BusUp { bus });
        }
        if fresh {
            let plan = self.fixed.plan.clone();
            self.wake(Wake::SelectPlan { plan });
        }
    }

    /// The virtual now.
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// The engine's view; panics while the controller is dead.
    pub fn view(&self) -> EngineView {
        self.engine().expect("alive").view(self.now)
    }

    /// Hands one thing to the engine and carries out what it asks.
    pub fn wake(&mut self, wake: Wake<'_>) {
        let Some(guard) = &mut self.guard else { return };
        let mut effects = Effects::default();
        guard.handle(self.now, wake, &mut effects);
        self.deadline = guard.engine().next_deadline();
        self.disk.append(self.now, effects.records);
        for question in effects.questions {
            // A local manifest on a loaded host: 2-30 ms.
            let at = self.now.plus(Micros(self.upstream.span([2_000, 30_000])));
            self.asked += 1;
            self.replies.insert((at, self.asked), question);
        }
        for transmit in effects.transmit {
            let bus = usize::from(transmit.bus.0);
            let done = self.wires[bus].submit(self.now, &transmit, &mut self.world);
            self.finish(bus, done);
        }
    }

    fn finish(&mut self, bus: usize, done: Option<Done>) {
        let Some(done) = done else { return };
        let bus = BusId(u8::try_from(bus).expect("few buses"));
        let outcome = match &done {
            Done::Answer { unit, pdu } => Outcome::Answer { unit: *unit, pdu },
            Done::Timeout => Outcome::Timeout,
            Done::BroadcastDone => Outcome::BroadcastDone,
            Done::Lost => Outcome::Lost,
        };
        self.wake(Wake::Exchange { bus, outcome });
    }

    /// Goes on to the next thing that happens to the host; at most until `limit`.
    pub fn step(&mut self, limit: Micros) {
        let asked = self.wires.iter().any(Wire::waits_for_network);
        let deadlines = [
            self.deadline,
            self.disk.next_deadline(),
            self.replies.keys().next().map(|(at, _)| *at),
            self.arriving.keys().next().map(|(at, _)| *at),
            // A network's answer is formed inside the world: the host must not run past it.
            asked.then(|| self.world.next_event()),
            self.stalled_until,
            // Nothing but the world may wake a dead controller.
            self.guard.is_none().then(|| self.world.next_event()),
        ];
        let wires = self.wires.iter().filter_map(Wire::next_deadline).min();
        let next = deadlines.into_iter().flatten().chain(wires).min().unwrap_or(limit);
        self.now = next.max(self.now).min(limit);
        self.world.advance(self.now);
        self.collect();
        self.receive();
        for bus in 0..self.wires.len() {
            if self.wires[bus].next_deadline().is_some_and(|at| at <= self.now) {
                let done = self.wires[bus].timer(self.now, &mut self.world);
                self.finish(bus, done);
            }
        }
        if let Some(record) = self.disk.finish(self.now) {
            self.wake(Wake::Durable { record });
        }
        self.reply();
        if self.deadline.is_some_and(|at| at <= self.now) {
            self.wake(Wake::Timer);
        }
        self.attend();
        // A serial node has formed its answer by now, although its last byte lies ahead.
        self.collect();
    }

    fn collect(&mut self) {
        for answer in self.world.take_answers() {
            self.arrived += 1;
            self.arriving.insert((answer.at, self.arrived), answer);
        }
        for change in self.world.take_port_changes() {
            self.port(change);
        }
        for asked in self.world.take_for_host() {
            self.carry_out(&asked.event);
        }
        if self.stalled_until.is_some_and(|until| until <= self.now) {
            self.stalled_until = None;
            self.disk.stall(self.now, false);
        }
    }

    /// What a scenario makes happen on the host's side.
    fn carry_out(&mut self, event: &Event) {
        match event {
            Event::DiskStall { for_ms } => {
                self.disk.stall(self.now, true);
                self.stalled_until = Some(self.now.plus(Micros::from_millis(*for_ms)));
            }
            Event::ControllerKill => self.kill(),
            Event::ControllerRestart if self.guard.is_none() => self.restart(),
            _ => {}
        }
    }

    /// A port is gone or back, as the daemon's reopening loop would tell it.
    fn port(&mut self, change: PortChange) {
        let Some(wire) = self.wires.get_mut(change.bus) else { return };
        let bus = BusId(change.bus.try_into().expect("few buses"));
        if change.usable {
            wire.back(self.now);
            self.wake(Wake::BusUp { bus });
        } else {
            let done = wire.lost(self.now);
            self.finish(change.bus, done);
            self.wake(Wake::BusDown { bus });
        }
    }

    fn receive(&mut self) {
        while let Some(entry) = self.arriving.first_entry().filter(|e| e.key().0 <= self.now) {
            let mut answer = entry.remove();
            if let Some(tap) = self.tap {
                tap(answer.bus, &mut answer.frame);
            }
            let now = self.now;
            let wire = self.wires.get_mut(answer.bus);
            let done = wire.and_then(|wire| wire.received(now, &answer.frame));
            self.finish(answer.bus, done);
        }
    }

    fn reply(&mut self) {
        while let Some(entry) = self.replies.first_entry().filter(|e| e.key().0 <= self.now) {
            let question = entry.remove();
            let facts = self.fixed.manifest.items.get(&question.code).cloned();
            self.wake(Wake::Route { parcel: question.parcel, facts });
        }
    }

    fn attend(&mut self) {
        if self.people == People::Watch {
            return;
        }
        let Some(engine) = self.engine() else { return };
        let state = engine.line().memory().machine.mode.state();
        if state == State::Execute {
            if self.people == People::Start {
                self.people = People::Watch;
            }
            return;
        }
        let command = match state {
            State::Aborted => Command::Clear,
            State::Stopped => Command::Reset,
            // Nothing that was held goes on by itself.
            State::Idle | State::Held => Command::Start,
            _ => return,
        };
        if engine.line().view(self.now).unmet.is_empty() {
            self.command(command);
        }
    }

    /// Whether every belt of the plant stands.
    pub fn belts_rest(&self) -> bool {
        let zones = self.fixed.line.file.zone.len();
        (0..zones).all(|zone| self.world.plant().belt(zone).rests())
    }

    /// A person at the panel gives a command.
    pub fn command(&mut self, command: Command) {
        self.wake(Wake::Command { command, by: "panel".to_owned(), reason: String::new() });
    }

    /// Lets the people clear, reset and start as soon as that is possible, until the line runs.
    pub fn please_start(&mut self) {
        self.people = People::Start;
    }

    /// Lets the people do the same whenever the line stands, from now on.
    pub fn please_keep_running(&mut self) {
        self.people = People::Keep;
    }

    /// Runs until `until` says so or virtual time passes `limit`; returns whether it said so.
    pub fn run_until(&mut self, limit: Micros, mut until: impl FnMut(&Self) -> bool) -> bool {
        while self.now < limit {
            if until(self) {
                return true;
            }
            self.step(limit);
        }
        until(self)
    }

    /// Whether every plant parcel has ended and the controller has nothing left on the line.
    pub fn drained(&self) -> bool {
        let idle = self.engine().is_some_and(|engine| engine.line().memory().tally.on_line == 0)
            && self.disk.idle();
        idle && self.world.is_drained()
    }

    /// Cuts the controller's power: what was not durable is gone.
    pub fn kill(&mut self) {
        (self.guard, self.deadline) = (None, None);
        self.arriving.clear();
        self.disk.cut();
        self.replies.clear();
        self.wires.clear();
    }

    /// Keeps the state behind the last record, as the daemon does now and then.
    pub fn snapshot(&mut self) {
        if let Some(engine) = self.engine() {
            let bytes = engine.snapshot();
            self.disk.snapshots.push((self.disk.offered(), bytes));
        }
    }

    /// Starts the controller again from its last snapshot and the records behind it.
    ///
    /// # Panics
    /// When our own journal does not replay.
    pub fn restart(&mut self) {
        let snapshot = self.disk.newest_snapshot();
        let recovered = crate::summary::recover(&self.fixed, snapshot, &self.disk.records)
            .expect("our own records replay");
        if self.disk.different().is_none() {
            let same = recovered.memory == *self.disk.replayed();
            assert!(same, "snapshot and tail are not the full replay");
        }
        let away = self.now.since(recovered.last_at);
        self.boot(Start::Resume {
            memory: recovered.memory,
            marks: self.disk.marks.values().cloned().collect(),
            next_record: recovered.next_record,
            away,
        });
    }
}
