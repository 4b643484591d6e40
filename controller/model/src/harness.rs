//! A small plant for the tests of this crate: the demo geometry, a belt that moves, boxes on it.

use crate::decision::{ArmPlan, Decision, ParcelEvent};
use crate::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, ScannerId, Side, Tag};
use crate::layout::{
    ChuteCare, ChutePlace, ChuteRole, DiverterPlace, Duty, EyePlace, Largest, Layout, Limits,
    LineEnd, NodePlace, StationPlace, ZonePlace,
};
use crate::line::Line;
use crate::packml::State;
use crate::plan::{Allocation, Facts, Plan, Rule, Screening};
use crate::reason::Reason;
use crate::signal::{ArmEnd, Command, Contact, Input, Read};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, EncoderId, Grams, Micros, Millis, MmPerSecond, Position};

/// Nodes of the demo line: three zones, scanner, scale, six diverters, panel.
pub(crate) const Z3: NodeId = NodeId(2);
pub(crate) const SCANNER: NodeId = NodeId(3);
pub(crate) const PANEL: NodeId = NodeId(11);

/// Node of diverter `number` (from 1).
pub(crate) const fn diverter_node(number: u8) -> NodeId {
    NodeId(4 + number)
}

/// Arrival eye of diverter `number` (from 1).
pub(crate) const fn arrival(number: u8) -> EyeId {
    EyeId(1 + number)
}

pub(crate) fn position(at: i64) -> Position {
    Position::new(EncoderId(0), at)
}

/// The demo line of the reference geometry, 1 mm a count.
pub(crate) fn demo_layout() -> Layout {
    let node = |name: &str, duty| NodePlace { name: name.to_string(), duty };
    let mut nodes = vec![
        node("Z1", Duty::Essential),
        node("Z2", Duty::Essential),
        node("Z3", Duty::Essential),
        node("SC", Duty::Essential),
        node("DW", Duty::Optional),
    ];
    let mut eyes =
        vec![EyePlace { node: Z3, at: Distance(0) }, EyePlace { node: Z3, at: Distance(1_500) }];
    let (mut diverters, mut chutes) = (Vec::new(), Vec::new());
    for number in 1..=6u8 {
        let id = DiverterId(number - 1);
        nodes.push(node(&format!("D{number}"), Duty::Diverter(id)));
        let bed = 4_900 + 1_600 * i64::from(number - 1);
        let arrival_eye = EyePlace { node: diverter_node(number), at: Distance(bed - 450) };
        eyes.push(arrival_eye);
        diverters.push(DiverterPlace {
            name: format!("D{number}"),
            node: diverter_node(number),
            eye: arrival(number),
            eye_to_bed: Distance(450),
            bed: Distance(350),
            delay: Distance(100),
            gap_before: Distance(650),
            gap_after: Distance(770),
            landing_from: Distance(650),
            landing_to: Distance(2_510),
        });
        for (side, offset) in [(Side::Left, 1), (Side::Right, 2)] {
            let number = ChuteNo(u16::from(number - 1) * 2 + offset);
            let role = match number.0 {
                11 => ChuteRole::GeneralExceptions,
                12 => ChuteRole::Quarantine,
                _ => ChuteRole::Sort,
            };
            let care = ChuteCare::PLAIN;
            chutes.push(ChutePlace { number, diverter: id, side, role, care });
        }
    }
    nodes.push(node("PN", Duty::Essential));
    eyes.push(EyePlace { node: PANEL, at: Distance(14_300) });
    let zone = |name: &str, node, speed, gapping| ZonePlace {
        name: name.to_string(),
        node: NodeId(node),
        speed: MmPerSecond(speed),
        gapping,
        transit: Micros::from_millis(2_500),
    };
    Layout {
        encoder: EncoderId(0),
        counts_per_metre: 1_000,
        speed: MmPerSecond(1_200),
        nodes,
        zones: vec![
            zone("Z1", 0, 600, false),
            zone("Z2", 1, 900, true),
            zone("Z3", 2, 1_200, false),
        ],
        eyes,
        scanner: StationPlace { node: SCANNER, at: Distance(900) },
        rescanners: Vec::new(),
        dws: Some(StationPlace { node: NodeId(4), at: Distance(300) }),
        diverters,
        chutes,
        end: LineEnd::Chute,
        panel: PANEL,
        limits: demo_limits(),
    }
}

fn demo_limits() -> Limits {
    Limits {
        prestart: Micros::from_secs(5),
        ramp: Micros::from_millis(2_400),
        lease: Micros::from_secs(3),
        arm_lead: Micros::from_millis(150),
        tolerance: Distance(60),
        early_permille: 20,
        late_permille: 60,
        length_percent: 20,
        length_min: Distance(60),
        length_max: Distance(700),
        gap_target: Distance(900),
        in_flight_max: 40,
        jam: Micros::from_secs(5),
        sleep: None,
        largest: Largest::default(),
    }
}

/// Carrier "YTO": prefix "1" → chute 1; "3" → 3, then 5; "r" → 7 and 8 in turn.
pub(crate) fn demo_plan() -> Plan {
    let rule = |prefix: &str, chutes: &[u16], allocation| Rule {
        carrier: "YTO".to_string(),
        prefix: prefix.to_string(),
        chutes: chutes.iter().copied().map(ChuteNo).collect(),
        allocation,
        overflow: Vec::new(),
        cut_off: None,
    };
    Plan {
        name: "day".to_string(),
        version: 1,
        rules: vec![
            rule("1", &[1], Allocation::Nearest),
            rule("3", &[3, 5], Allocation::Nearest),
            rule("9", &[9], Allocation::Nearest),
            rule("r", &[7, 8], Allocation::RoundRobin),
        ],
        bagged: Vec::new(),
    }
}

/// Facts of a waybill that passed both gates.
pub(crate) fn facts(waybill: &str, route: &str) -> Facts {
    Facts {
        waybill: waybill.to_string(),
        carrier: "YTO".to_string(),
        route: route.to_string(),
        class: String::new(),
        inspected: true,
        screened: Screening::Passed,
        real_name: true,
        hold: None,
    }
}

/// A box: where it stands in belt positions, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Carton {
    /// Belt position at its head edge under the induction eye.
    pub(crate) head: i64,
    pub(crate) length: i64,
    pub(crate) read: Option<Read>,
    /// A hand takes it off behind this eye.
    pub(crate) gone_after: Option<EyeId>,
    /// The wheels turn and do not move it.
    pub(crate) grips: bool,
    /// Its landing eye works.
    pub(crate) pulse: bool,
    /// How long it blocks its landing eye, in counts of the belt.
    pub(crate) pulse_counts: i64,
    /// It slips behind this eye by so much; behind the induction eye, before it is read.
    pub(crate) slip_behind: Option<(EyeId, i64)>,
    /// It is not under this eye long enough, or too long.
    pub(crate) looks: Option<(EyeId, i64)>,
}

impl Carton {
    /// How much later than by its head at the induction eye it comes to `eye`.
    fn slip(&self, eye: EyeId) -> i64 {
        self.slip_behind.map_or(0, |(from, by)| if eye > from { by } else { 0 })
    }

    /// Belt position at its head under the scale and the scanner, less their places.
    fn head_in_tunnel(&self) -> i64 {
        self.head + self.slip(EyeId(1))
    }

    /// Drawn from a slower belt under the induction eye, whose belt runs on by `by` meanwhile: it
    /// reads that much too long there and comes that much later everywhere else.
    pub(crate) fn draw(&mut self, by: i64) {
        self.looks = Some((EyeId(0), self.length + by));
        self.slip_behind = Some((EyeId(0), by));
    }
}

/// How the nodes answer an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArmAnswer {
    /// It fires at a fitting edge.
    Works,
    /// It ends like this at the edge.
    Ends(ArmEnd),
    Refused,
    Withheld,
    /// The command is never sent and nobody says so.
    Silent,
}

enum Event {
    Edge { carton: usize, eye: EyeId, active: bool },
    Read { carton: usize },
    Weigh { carton: usize },
    Fire { tag: Tag, edge: i64 },
    Pulse { chute: ChuteNo, active: bool },
    Raw(Input),
}

/// The line under test and its plant.
pub(crate) struct Bench {
    pub(crate) line: Line,
    pub(crate) log: Vec<Decision>,
    pub(crate) at: i64,
    /// For how long the belt's counts have stood.
    stood: Micros,
    pub(crate) cartons: Vec<Carton>,
    pub(crate) facts: BTreeMap<String, Facts>,
    pub(crate) arms: BTreeMap<Tag, ArmPlan>,
    pub(crate) arm_answer: ArmAnswer,
    /// Counts from the question to the manifest's answer.
    pub(crate) route_delay: i64,
    /// Nodes that say nothing.
    pub(crate) mute: BTreeSet<NodeId>,
    /// What the wheels really did: box by box.
    pub(crate) diverted: BTreeMap<usize, ChuteNo>,
    events: BTreeMap<(i64, u64), Event>,
    number: u64,
}

impl Bench {
    /// A line that has been started and runs.
    pub(crate) fn running() -> Self {
        Self::stopped().started()
    }

    pub(crate) fn started(mut self) -> Self {
        self.feed(Input::PlanSelected { plan: demo_plan() });
        self.command(Command::Reset);
        self.command(Command::Start);
        self.pass(Micros::from_secs(8));
        self.feed(Input::Timer);
        self.pass(Micros::from_secs(3));
        self.feed(Input::Timer);
        assert_eq!(self.state(), State::Execute);
        self
    }

    /// A stopped line with every node up and no plan.
    pub(crate) fn stopped() -> Self {
        Self::of(demo_layout())
    }

    pub(crate) fn of(layout: Layout) -> Self {
        let mut bench = Self {
            line: Line::new(layout),
            log: Vec::new(),
            at: 1_000_000,
            cartons: Vec::new(),
            facts: BTreeMap::new(),
            arms: BTreeMap::new(),
            arm_answer: ArmAnswer::Works,
            route_delay: 100,
            mute: BTreeSet::new(),
            diverted: BTreeMap::new(),
            stood: Micros::ZERO,
            events: BTreeMap::new(),
            number: 0,
        };
        for node in 0..=PANEL.0 {
            bench.feed(Input::NodeUp { node: NodeId(node), restarted: true });
        }
        for (code, route) in [("A", "1"), ("B", "35"), ("C", "9"), ("R1", "r"), ("R2", "r")] {
            bench.facts.insert(code.to_string(), facts(code, route));
        }
        bench
    }

    fn now(&self) -> Micros {
        let run = u64::try_from(self.at * 1_000_000 / 1_200).expect("positions are positive");
        Micros(run).plus(self.stood)
    }

    /// Time passes, and no count tells of it.
    pub(crate) fn stall(&mut self, span: Micros) {
        self.stood = self.stood.plus(span);
    }

    /// Lets the belt run for a time, without boxes.
    pub(crate) fn pass(&mut self, span: Micros) {
        self.at += i64::try_from(span.0 * 1_200 / 1_000_000).expect("short");
    }

    pub(crate) fn state(&self) -> State {
        self.line.memory.machine.mode.state()
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.feed(Input::Command { command, by: "test".to_string(), reason: "a test".to_string() });
    }

    pub(crate) fn press(&mut self, contact: Contact, active: bool) {
        self.feed(Input::Contact { contact, active });
    }

    /// Puts a box on the belt: a good one, `ahead` counts upstream of the induction eye.
    pub(crate) fn put(&mut self, ahead: i64, length: i64, code: &str) -> usize {
        self.put_carton(self.carton(ahead, length, code))
    }

    /// A good box, `ahead` counts upstream of the induction eye.
    pub(crate) fn carton(&self, ahead: i64, length: i64, code: &str) -> Carton {
        Carton {
            head: self.at + ahead,
            length,
            read: Some(Read::Codes(vec![code.to_string()])),
            gone_after: None,
            grips: true,
            pulse: true,
            pulse_counts: 400,
            slip_behind: None,
            looks: None,
        }
    }

    pub(crate) fn put_carton(&mut self, carton: Carton) -> usize {
        let index = self.cartons.len();
        let eyes = self.line.layout.eyes.clone();
        for (number, eye) in (0u8..).zip(&eyes) {
            let id = EyeId(number);
            let head = carton.head + eye.at.0 + carton.slip(id);
            let looks = carton.looks.filter(|(at, _)| *at == id);
            let length = looks.map_or(carton.length, |(_, length)| length);
            self.plan_event(head, Event::Edge { carton: index, eye: id, active: true });
            self.plan_event(head + length, Event::Edge { carton: index, eye: id, active: false });
        }
        let tunnel = carton.head_in_tunnel();
        self.plan_event(tunnel + 900 + carton.length + 150, Event::Read { carton: index });
        self.plan_event(tunnel + 300 + carton.length + 250, Event::Weigh { carton: index });
        self.cartons.push(carton);
        index
    }

    /// Changes a box that stands at its place already.
    pub(crate) fn change(&mut self, index: usize, change: impl FnOnce(&mut Carton)) {
        let mut carton = self.cartons[index].clone();
        change(&mut carton);
        self.cartons[index].head = i64::MIN;
        let again = self.put_carton(carton);
        assert_eq!(again, index + 1, "change the newest box");
    }

    pub(crate) fn later(&mut self, ahead: i64, input: Input) {
        self.plan_event(self.at + ahead, Event::Raw(input));
    }

    fn plan_event(&mut self, at: i64, event: Event) {
        self.number += 1;
        self.events.insert((at, self.number), event);
    }

    /// Lets the belt run until nothing is planned any more and every node was heard.
    pub(crate) fn drain(&mut self) {
        while let Some((at, _)) = self.events.keys().next().copied() {
            self.run_to(at);
        }
        for _ in 0..8 {
            self.run_to(self.at + 1_000);
        }
    }

    pub(crate) fn run(&mut self, way: i64) {
        self.run_to(self.at + way);
    }

    pub(crate) fn run_to(&mut self, to: i64) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > to {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.hear(at - 1);
            self.at = self.at.max(at);
            self.happen(event);
        }
        self.hear(to);
        self.at = self.at.max(to);
    }

    /// Feeds `Heard` where a node passed a position that the line waits for.
    fn hear(&mut self, to: i64) {
        let nodes = self.line.layout.nodes.len();
        loop {
            let mut next: Option<(i64, NodeId)> = None;
            for node in (0..nodes).filter_map(|node| u8::try_from(node).ok()).map(NodeId) {
                let wanted = self.line.next_position(node).filter(|_| !self.mute.contains(&node));
                if let Some(wanted) = wanted.filter(|wanted| wanted.at <= to)
                    && next.is_none_or(|(at, _)| wanted.at < at)
                {
                    next = Some((wanted.at, node));
                }
            }
            let Some((at, node)) = next else { return };
            // An exchange tells where the belt is, not where somebody waited for it.
            self.at = self.at.max(at);
            self.feed(Input::Heard { node, at: position(self.at) });
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Raw(input) => self.feed(input),
            Event::Edge { carton, eye, active } => self.edge(carton, eye, active),
            Event::Read { carton } => {
                let here = &self.cartons[carton];
                let (at, read) = (here.head_in_tunnel() + 900, here.read.clone());
                if here.head > 0
                    && let Some(read) = read
                {
                    let (scanner, at, spread) = (ScannerId(0), position(at), Distance(0));
                    self.feed(Input::Read { scanner, at, spread, read });
                }
            }
            Event::Weigh { carton } => {
                let at = position(self.cartons[carton].head_in_tunnel().max(0) + 300);
                let weight = Some(Grams(1_800));
                self.feed(Input::Measured { at, spread: Distance(0), weight, size_mm: [0; 3] });
            }
            Event::Fire { tag, edge } => self.fire(tag, edge),
            Event::Pulse { chute, active } => {
                let ms = Millis::of(self.now());
                self.feed(Input::Landing { chute, active, at: position(self.at), ms });
            }
        }
    }

    fn edge(&mut self, carton: usize, eye: EyeId, active: bool) {
        let here = &self.cartons[carton];
        let gone = here.gone_after.is_some_and(|after| eye > after);
        let node = self.line.layout.eye(eye).node;
        let passed = self.diverted.contains_key(&carton);
        if here.head < 0 || gone || self.mute.contains(&node) || (passed && active) {
            return;
        }
        let at = self.at;
        self.feed(Input::Edge { eye, active, at: position(at), spread: Distance(0) });
        let fitting = self.arms.values().find(|arm| {
            let place = self.line.layout.diverter(arm.diverter);
            active && place.eye == eye && arm.from.at <= at && at <= arm.to.at
        });
        if let Some(arm) = fitting {
            let tag = arm.tag;
            let delay = arm.delay.0;
            self.plan_event(at + delay, Event::Fire { tag, edge: at });
        }
    }

    fn fire(&mut self, tag: Tag, edge: i64) {
        let Some(arm) = self.arms.remove(&tag) else { return };
        let (at, ms) = (position(self.at), Millis::of(self.now()));
        let end = match self.arm_answer {
            ArmAnswer::Ends(end) => end,
            ArmAnswer::Works | ArmAnswer::Refused | ArmAnswer::Withheld | ArmAnswer::Silent => {
                ArmEnd::Fired { edge: position(edge) }
            }
        };
        self.feed(Input::ArmEnded { tag, end, at, ms });
        if end != (ArmEnd::Fired { edge: position(edge) }) {
            return;
        }
        let eye = self.line.layout.diverter(arm.diverter).eye;
        let way = self.line.layout.eye(eye).at.0;
        let under = self
            .cartons
            .iter()
            .position(|carton| carton.head.saturating_add(way + carton.slip(eye)) == edge);
        let Some(carton) = under else { return };
        let chute = self.line.layout.chute_at(arm.diverter, arm.side).expect("two sides").number;
        if self.cartons[carton].grips {
            self.diverted.insert(carton, chute);
            if self.cartons[carton].pulse {
                self.plan_event(self.at + 1_000, Event::Pulse { chute, active: true });
                let end = self.at + 1_000 + self.cartons[carton].pulse_counts;
                self.plan_event(end, Event::Pulse { chute, active: false });
            }
        }
    }

    /// Feeds one input and lets the surroundings answer what it decided.
    pub(crate) fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.line.handle(self.now(), input, &mut out);
        for decision in &out {
            self.answer(decision);
        }
        self.log.extend(out);
    }

    fn answer(&mut self, decision: &Decision) {
        match decision {
            Decision::AskRoute { parcel, code } => {
                let facts = self.facts.get(code).cloned();
                self.later(self.route_delay, Input::Route { parcel: *parcel, facts });
            }
            Decision::Arm(plan) => match self.arm_answer {
                ArmAnswer::Works | ArmAnswer::Ends(_) => {
                    self.arms.insert(plan.tag, plan.clone());
                    self.later(30, Input::ArmAnswered { tag: plan.tag, taken: true });
                }
                ArmAnswer::Refused => {
                    self.later(30, Input::ArmAnswered { tag: plan.tag, taken: false });
                }
                ArmAnswer::Withheld => self.later(30, Input::Withheld { tag: plan.tag }),
                ArmAnswer::Silent => {}
            },
            Decision::CancelArm { tag, .. } => {
                if self.arms.remove(tag).is_some() {
                    let (at, ms) = (position(self.at), Millis::of(self.now()));
                    let end = ArmEnd::Cancelled;
                    self.later(30, Input::ArmEnded { tag: *tag, end, at, ms });
                }
            }
            Decision::Drive { .. }
            | Decision::Release { .. }
            | Decision::Light { .. }
            | Decision::Lamp { .. }
            | Decision::Chute { .. }
            | Decision::Alarm { .. }
            | Decision::Parcel { .. }
            | Decision::State { .. }
            | Decision::Refused { .. } => {}
        }
    }

    /// The steps of one parcel's story.
    pub(crate) fn story(&self, id: u64) -> Vec<&ParcelEvent> {
        let of = |decision| match decision {
            &Decision::Parcel { parcel, ref event } if parcel == ParcelId(id) => Some(event),
            &Decision::Parcel { .. }
            | Decision::Arm(_)
            | Decision::CancelArm { .. }
            | Decision::Drive { .. }
            | Decision::Release { .. }
            | Decision::Light { .. }
            | Decision::Lamp { .. }
            | Decision::Chute { .. }
            | Decision::AskRoute { .. }
            | Decision::Alarm { .. }
            | Decision::State { .. }
            | Decision::Refused { .. } => None,
        };
        self.log.iter().filter_map(of).collect()
    }

    /// The last step of one parcel's story.
    #[track_caller]
    pub(crate) fn ends(&self, id: u64, event: &ParcelEvent) {
        let story = self.story(id);
        assert_eq!(story.last(), Some(&event), "story of parcel {id}: {story:#?}");
    }

    #[track_caller]
    pub(crate) fn ends_at_end(&self, id: u64, reason: Reason) {
        self.ends(id, &ParcelEvent::EndLanded { reason });
        assert!(self.line.memory.tally.end_landed.get(&reason).is_some_and(|count| *count > 0));
    }

    #[track_caller]
    pub(crate) fn lands(&self, id: u64, chute: u16) {
        let event = ParcelEvent::Landed { chute: ChuteNo(chute), alternate: false };
        self.ends(id, &event);
    }
}
