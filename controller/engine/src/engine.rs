//! The engine: the order of work within one wake, and one record for each input of the line.

use crate::door::Door;
use crate::gate::{Change, Gate};
use crate::record;
use crate::snapshot;
use crate::wake::{Effects, EngineSetup, EngineView, Question, Record, Start, Wake};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use line_model::Line;
use line_model::decision::Decision;
use line_model::ids::NodeId;
use line_model::layout::Layout;
use line_model::signal::Input;
use node_link::{BusId, Frame, Mark, Master, Report, Sights, What, orders};
use units::{Distance, Micros, Position};

/// Inputs set aside that may still come again; more are dropped, oldest first.
const ASIDE_MAX: usize = 16;
/// Deadlines of the line that may fall due in one wake. More means that one does not move on.
const TIMERS_MAX: usize = 64;
/// Rounds of "heard" in one wake; what is left comes with the next answer.
const HEARD_ROUNDS: usize = 4;

/// A test door: changes decisions after the line and before the record.
pub type Tamper = fn(&Input, &mut Vec<Decision>);

/// Links and line joined, sans-io.
///
/// Within one wake: what came in becomes inputs in the order of its events; each input is handled
/// by the line, becomes one record, and its decisions become orders; then deadlines, positions
/// and the state of the journal; last, every idle bus gets its next request.
#[derive(Clone, Debug)]
pub struct Engine {
    line: Line,
    masters: Vec<Master>,
    frame: Frame,
    gate: Gate,
    door: Door,
    now: Micros,
    away: Option<Micros>,
    /// How far each node has been heard.
    heard: BTreeMap<NodeId, Position>,
    /// The position of each node that the line waits for, as it said when last asked.
    awaited: Vec<Option<Position>>,
    /// The line has taken an input since: it may wait for something else now.
    changed: bool,
    reports: VecDeque<Report>,
    handling: Option<Input>,
    aside: VecDeque<Input>,
    tamper: Option<Tamper>,
}

impl Engine {
    /// Builds an engine; `token_start` is the token of each bus' first exchange.
    ///
    /// # Panics
    /// When the layout is not one that a line can have, or a memory is of another layout.
    pub fn new(setup: EngineSetup, token_start: u16, start: Start) -> Self {
        let EngineSetup { layout, buses, limits, door } = setup;
        let encoder = layout.encoder;
        let sights = sights(&layout);
        let reference = layout.zones.last().map_or(NodeId(0), |zone| zone.node);
        let (line, marks, next_record, away) = match start {
            Start::Fresh => (Line::new(layout), Vec::new(), 1, None),
            Start::Resume { memory, marks, next_record, away } => {
                (Line::resume(layout, memory), marks, next_record, Some(away))
            }
        };
        let (near, now) = match away {
            Some(_) => (line.memory().belt.at, line.memory().now),
            None => (None, Micros::ZERO),
        };
        let gate = Gate::new(next_record, limits.stall);
        let durable = gate.last_durable();
        let masters = (0u8..).zip(buses).map(|(bus, setup)| {
            let mut master =
                Master::new(BusId(bus), setup, limits.link, reference, token_start, &marks);
            master.durable(durable);
            master
        });
        Self {
            masters: masters.collect(),
            line,
            frame: Frame::new(encoder, near).with_sights(sights),
            gate,
            door,
            now,
            away,
            heard: BTreeMap::new(),
            awaited: Vec::new(),
            changed: true,
            reports: VecDeque::new(),
            handling: None,
            aside: VecDeque::new(),
            tamper: None,
        }
    }

    /// Takes one wake and appends what the world must do to `out`.
    ///
    /// Bounded by the entries of one answer, the stations of all buses and the line's own bounds.
    pub fn handle(&mut self, now: Micros, wake: Wake<'_>, out: &mut Effects) {
        self.now = self.now.max(now);
        if let Some(gap) = self.away.take() {
            self.feed(Input::Resumed { gap }, out);
        }
        self.wake(wake, out);
        self.work_off(out);
        self.deadlines(out);
        self.journal(out);
        self.positions(out);
        self.transmit(out);
    }

    fn wake(&mut self, wake: Wake<'_>, out: &mut Effects) {
        let (now, mut reports) = (self.now, Vec::new());
        match wake {
            Wake::BusUp { bus } => {
                if let Some(master) = self.masters.get_mut(usize::from(bus.0)) {
                    master.bus_up(now);
                }
            }
            Wake::BusDown { bus } => {
                if let Some(master) = self.masters.get_mut(usize::from(bus.0)) {
                    master.bus_down(now, &mut reports);
                }
            }
            Wake::Exchange { bus, outcome } => {
                if let Some(master) = self.masters.get_mut(usize::from(bus.0)) {
                    master.exchanged(now, outcome, &mut self.frame, &mut reports);
                }
            }
            Wake::Durable { record } => {
                self.gate.durable(record);
                let durable = self.gate.last_durable();
                self.masters.iter_mut().for_each(|master| master.durable(durable));
            }
            Wake::Route { parcel, facts } => self.feed(Input::Route { parcel, facts }, out),
            Wake::Command { command, by, reason } => {
                self.feed(Input::Command { command, by, reason }, out);
            }
            Wake::Deed { deed, by, reason } => self.feed(Input::Deed { deed, by, reason }, out),
            Wake::SelectPlan { plan } => self.feed(Input::PlanSelected { plan }, out),
            Wake::WallClock { utc_us } => {
                if !self.gate.is_full() {
                    self.feed(Input::WallClock { utc_us }, out);
                }
            }
            Wake::WallClockStepped { utc_us, by_us } => {
                self.feed(Input::WallClockStepped { utc_us, by_us }, out);
            }
            Wake::FileTaken { file, name, hash, by, reason } => {
                self.feed(Input::FileTaken { file, name, hash, by, reason }, out);
            }
            Wake::Timer => {}
        }
        self.reports.extend(reports);
    }

    /// Hands every report to the line, in order; what they cause joins at the end.
    fn work_off(&mut self, out: &mut Effects) {
        while let Some(report) = self.reports.pop_front() {
            if let Some(through) = report.through {
                self.masters.iter_mut().for_each(|found| found.settle(report.node, through));
            }
            match report.what {
                What::Nothing => {}
                What::Input(input) => self.feed(input, out),
                What::Heard(at) => {
                    self.heard.insert(report.node, at);
                }
            }
        }
    }

    /// One input, one record, and the orders of its decisions.
    fn feed(&mut self, input: Input, out: &mut Effects) {
        let input = self.door.admit(input);
        let input = match self.aside.iter().position(|found| same_event(found, &input)) {
            Some(found) => {
                self.aside.remove(found);
                Input::Quarantined
            }
            None => input,
        };
        let mut decisions = Vec::new();
        self.changed = true;
        self.handling = Some(input.clone());
        self.line.handle(self.now, input.clone(), &mut decisions);
        if let Some(tamper) = self.tamper {
            tamper(&input, &mut decisions);
        }
        self.handling = None;
        let number = self.gate.number(self.now);
        let bytes = record::encode(number, self.now, &input, &decisions);
        let mut marks: Vec<Mark> = Vec::new();
        for master in &mut self.masters {
            master.recorded(number, &self.frame, &mut marks);
        }
        out.records.push(Record { number, at: self.now, bytes, marks });
        self.ask_nodes(&decisions, number);
        out.questions.extend(decisions.into_iter().filter_map(question));
    }

    fn ask_nodes(&mut self, decisions: &[Decision], record: u64) {
        let mut reports = Vec::new();
        for decision in decisions {
            for (node, order) in orders(self.line.layout(), decision) {
                if let Some(master) = self.masters.iter_mut().find(|found| found.has(node)) {
                    master.order(node, order, record, &self.frame, &mut reports);
                }
            }
        }
        self.reports.extend(reports);
    }

    /// What has fallen due: the line's own deadlines, and arms that were never sent.
    fn deadlines(&mut self, out: &mut Effects) {
        let mut timers = 0;
        while self.line.next_deadline().is_some_and(|at| at <= self.now) {
            assert!(timers < TIMERS_MAX, "a deadline of the line does not move on");
            timers += 1;
            self.feed(Input::Timer, out);
        }
        let mut reports = Vec::new();
        self.masters.iter_mut().for_each(|master| master.expire(self.now, &mut reports));
        self.reports.extend(reports);
        self.work_off(out);
    }

    /// What the journal's state means for the line and the nodes.
    fn journal(&mut self, out: &mut Effects) {
        match self.gate.change(self.now) {
            Some(Change::Stalled) => self.feed(Input::CommitsStalled, out),
            Some(Change::Resumed) => self.feed(Input::CommitsResumed, out),
            None => {}
        }
        if self.masters.iter().any(Master::wants_record) {
            self.feed(Input::Timer, out);
        }
        let full = self.gate.is_full();
        self.masters.iter_mut().for_each(|master| master.hold(full));
        self.work_off(out);
    }

    /// Tells the line of heard positions that it waits for.
    fn positions(&mut self, out: &mut Effects) {
        for _ in 0..HEARD_ROUNDS {
            if core::mem::take(&mut self.changed) {
                self.line.next_positions(&mut self.awaited);
            }
            let reached = self.heard.iter().filter(|(node, at)| {
                let next = self.awaited.get(usize::from(node.0)).copied().flatten();
                next.is_some_and(|next| at.since(next).0 >= 0)
            });
            let reached: Vec<_> = reached.map(|(node, at)| (*node, *at)).collect();
            if reached.is_empty() {
                return;
            }
            for (node, at) in reached {
                self.feed(Input::Heard { node, at }, out);
            }
            self.work_off(out);
        }
    }

    fn transmit(&mut self, out: &mut Effects) {
        let mut reports = Vec::new();
        for master in &mut self.masters {
            out.transmit.extend(master.pump(self.now, &mut self.frame, &mut reports));
        }
        self.reports.extend(reports);
        self.work_off(out);
    }

    /// When it wants [`Wake::Timer`] at the latest.
    pub fn next_deadline(&self) -> Option<Micros> {
        let masters = self.masters.iter().filter_map(Master::next_deadline);
        let own = [self.line.next_deadline(), self.gate.next_deadline()];
        masters.chain(own.into_iter().flatten()).min()
    }

    /// What line, buses and journal show of themselves.
    pub fn view(&self, now: Micros) -> EngineView {
        EngineView {
            line: self.line.view(now),
            buses: self.masters.iter().map(Master::view).collect(),
            durable: self.gate.last_durable(),
            pending: self.gate.pending(),
        }
    }

    /// The line.
    pub const fn line(&self) -> &Line {
        &self.line
    }

    /// The line's memory as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::encode(self.line.memory())
    }

    /// Test door: from now on `tamper` may change what the line decides, before it is recorded; it
    /// may also panic there.
    pub fn tamper(&mut self, tamper: Tamper) {
        self.tamper = Some(tamper);
    }

    /// The input that the line is handling: after an unwind, the one that it could not.
    pub const fn handling(&self) -> Option<&Input> {
        self.handling.as_ref()
    }

    /// The next time that `input` comes, [`Input::Quarantined`] is handled in its place; its event
    /// counts as handled.
    pub fn set_aside(&mut self, input: Input) {
        if self.aside.len() >= ASIDE_MAX {
            self.aside.pop_front();
        }
        self.aside.push_back(input);
    }
}

/// Where the layout's eyes look, for the links.
fn sights(layout: &Layout) -> Sights {
    Sights {
        eyes: layout.eyes.iter().map(|eye| eye.at).collect(),
        tolerance: layout.limits.tolerance,
        early_permille: layout.limits.early_permille,
        late_permille: layout.limits.late_permille,
    }
}

/// Whether two inputs are the same event, told twice: after a restart the maps' ± may be another.
fn same_event(one: &Input, other: &Input) -> bool {
    let bare = |input: &Input| {
        let mut input = input.clone();
        if let Input::Edge { spread, .. }
        | Input::Read { spread, .. }
        | Input::Measured { spread, .. } = &mut input
        {
            *spread = Distance(0);
        }
        input
    };
    bare(one) == bare(other)
}

fn question(decision: Decision) -> Option<Question> {
    match decision {
        Decision::AskRoute { parcel, code } => Some(Question { parcel, code }),
        Decision::Arm(_)
        | Decision::CancelArm { .. }
        | Decision::Drive { .. }
        | Decision::Release { .. }
        | Decision::Light { .. }
        | Decision::Lamp { .. }
        | Decision::Chute { .. }
        | Decision::Alarm { .. }
        | Decision::Parcel { .. }
        | Decision::State { .. }
        | Decision::Refused { .. } => None,
    }
}
