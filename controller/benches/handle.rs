//! `Line::handle` on a long line: 64 chutes behind 32 diverters, 200 parcels in flight and more. The
//! layout is generated from the demo line's; every parcel keeps its place on the belt to the count.
//! Prints figures; asserts nothing about time.
//!
//! Two lines are measured. On the first one every parcel is sorted: its belt slips so little over the
//! long way between two diverters that the windows of neighbours stay apart. The second one expects
//! the demo line's slip: windows of neighbours meet everywhere, no arm may be planned where they do,
//! and about half of the parcels run to the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use line_model::Line;
use line_model::decision::{ArmPlan, Decision, ParcelEvent};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, ScannerId, Side, Tag};
use line_model::layout::{ChuteRole, Duty, Layout};
use line_model::packml::State;
use line_model::plan::{Facts, Screening};
use line_model::signal::{ArmEnd, Command, Input, Read};
use sortline::config;
use units::{Distance, Micros, Millis, Position};

const DIVERTERS: u8 = 32;
/// From one diverter to the next, in counts; half the line at this spacing holds 200 parcels.
const BETWEEN: i64 = 20_000;
/// What share of its way a parcel may come early and late, in per mille, on the line that sorts.
const SLIP: (u16, u16) = (10, 20);
/// From head to head, and a parcel's length, in counts.
const PITCH: i64 = 1_200;
const LENGTH: i64 = 350;
const PARCELS: usize = 2_000;
/// Calls are counted while at least so many parcels are in flight.
const IN_FLIGHT: u64 = 200;

#[expect(clippy::disallowed_methods, reason = "a benchmark is a stopwatch")]
fn clock() -> Instant {
    Instant::now()
}

fn percentile(sorted: &[Duration], per_100_000: usize) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) * per_100_000 / 100_000).copied().unwrap_or_default()
}

/// The demo line with more diverters of the same make, each with a node of its own.
fn layout(slip: Option<(u16, u16)>) -> Layout {
    let text = include_str!("../examples/factory-line.toml");
    let mut layout =
        config::check("factory-line.toml", text).expect("the example is right").engine.layout;
    let mut end = layout.eyes.pop().expect("an end eye");
    let number = |count: usize| u8::try_from(count).expect("few");
    while number(layout.diverters.len()) < DIVERTERS {
        let id = DiverterId(number(layout.diverters.len()));
        let mut diverter = layout.diverters.last().expect("some").clone();
        let mut node = layout.nodes[usize::from(diverter.node.0)].clone();
        let mut eye = layout.eyes[usize::from(diverter.eye.0)];
        node.name = format!("D{}", id.0 + 1);
        node.duty = Duty::Diverter(id);
        diverter.name.clone_from(&node.name);
        diverter.node = NodeId(number(layout.nodes.len()));
        diverter.eye = EyeId(number(layout.eyes.len()));
        eye.node = diverter.node;
        eye.at.0 += BETWEEN;
        for (side, offset) in [(Side::Left, 1), (Side::Right, 2)] {
            let mut chute = *layout.chutes.first().expect("some");
            chute.number = ChuteNo(u16::from(id.0) * 2 + offset);
            (chute.diverter, chute.side, chute.role) = (id, side, ChuteRole::Sort);
            layout.chutes.push(chute);
        }
        layout.nodes.push(node);
        layout.eyes.push(eye);
        layout.diverters.push(diverter);
    }
    end.at.0 = layout.eyes.last().expect("some").at.0 + BETWEEN;
    layout.eyes.push(end);
    layout.limits.in_flight_max = 1_000;
    if let Some((early, late)) = slip {
        (layout.limits.early_permille, layout.limits.late_permille) = (early, late);
    }
    layout
}

fn plan(layout: &Layout) -> line_model::plan::Plan {
    let mut text = String::from("[plan]\nname = \"long\"\nversion = 1\n");
    let sorts = layout.chutes.iter().filter(|chute| chute.role == ChuteRole::Sort);
    for ChuteNo(number) in sorts.map(|chute| chute.number) {
        text += &format!("[[chute]]\nlogical = \"L{number}\"\nphysical = {number}\n");
        text += "[[rule]]\ncarrier = \"SF\"\n";
        text += &format!("prefix = \"{number:03}\"\nchutes = [\"L{number}\"]\n");
        text += "allocation = \"nearest\"\n";
    }
    config::plan::load("long.toml", text, layout).expect("a right plan")
}

#[derive(Clone, Debug)]
enum Event {
    Raw(Input),
    Edge { parcel: usize, eye: EyeId, active: bool },
    Fire { tag: Tag, edge: Position },
    Pulse { chute: ChuteNo, active: bool },
}

struct Bench {
    line: Line,
    at: i64,
    events: BTreeMap<(i64, u64), Event>,
    order: u64,
    arms: BTreeMap<Tag, ArmPlan>,
    sorts: Vec<ChuteNo>,
    waits: Vec<Option<Position>>,
    landed: u64,
    calls: Vec<Duration>,
    asks: Vec<Duration>,
    in_flight: u64,
}

impl Bench {
    fn new(layout: Layout) -> Self {
        let sorts = layout.chutes.iter().filter(|chute| chute.role == ChuteRole::Sort);
        let mut bench = Self {
            sorts: sorts.map(|chute| chute.number).collect(),
            line: Line::new(layout),
            at: 1_000_000,
            events: BTreeMap::new(),
            order: 0,
            arms: BTreeMap::new(),
            waits: Vec::new(),
            landed: 0,
            calls: Vec::new(),
            asks: Vec::new(),
            in_flight: 0,
        };
        bench.start();
        bench
    }

    fn start(&mut self) {
        let nodes = u8::try_from(self.line.layout().nodes.len()).expect("few");
        for node in (0..nodes).map(NodeId) {
            self.feed(Input::NodeUp { node, restarted: true });
        }
        let plan = plan(self.line.layout());
        self.feed(Input::PlanSelected { plan });
        for command in [Command::Reset, Command::Start] {
            self.feed(Input::Command { command, by: "bench".to_owned(), reason: String::new() });
        }
        while let Some(at) = self.line.next_deadline() {
            self.at = self.at.max(i64::try_from(at.0 * 12 / 10_000).expect("soon") + 1);
            self.feed(Input::Timer);
        }
        assert_eq!(self.line.memory().machine.mode.state(), State::Execute);
        let first = self.at + 100_000;
        for parcel in 0..PARCELS {
            let at = first + PITCH * i64::try_from(parcel).expect("few");
            self.later(at, Event::Edge { parcel, eye: EyeId(0), active: true });
        }
    }

    /// 1,200 counts take a second.
    fn now(&self) -> Micros {
        Micros(self.at.unsigned_abs() * 10_000 / 12)
    }

    fn position(&self, at: i64) -> Position {
        Position::new(self.line.layout().encoder, at)
    }

    fn later(&mut self, at: i64, event: Event) {
        self.order += 1;
        self.events.insert((at, self.order), event);
    }

    fn run(&mut self) {
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.hear(at);
            self.at = at;
            match event {
                Event::Raw(input) => self.feed(input),
                Event::Edge { parcel, eye, active } => self.edge(parcel, eye, active),
                Event::Fire { tag, edge } => self.fire(tag, edge),
                Event::Pulse { chute, active } => {
                    let (at, ms) = (self.position(self.at), Millis::of(self.now()));
                    self.feed(Input::Landing { chute, active, at, ms });
                }
            }
        }
    }

    /// Tells what the line waits to hear, in order, up to `to`.
    fn hear(&mut self, to: i64) {
        loop {
            let waits =
                self.waits.iter().zip(0..).filter_map(|(wait, node)| Some(((*wait)?, node)));
            let Some((at, node)) = waits.min_by_key(|(at, _)| at.at).filter(|(at, _)| at.at <= to)
            else {
                return;
            };
            self.at = self.at.max(at.at);
            self.feed(Input::Heard { node: NodeId(node), at });
        }
    }

    fn edge(&mut self, parcel: usize, eye: EyeId, active: bool) {
        let (here, layout) = (self.at, self.line.layout());
        let at = self.position(here);
        let way = layout.eye(eye).at.0;
        let next = EyeId(eye.0 + 1);
        let following = layout.eyes.get(usize::from(next.0)).map(|place| place.at.0 - way);
        let scanner = layout.scanner.at.0;
        self.feed(Input::Edge { eye, active, at, spread: Distance(0) });
        if !active {
            return;
        }
        self.later(here + LENGTH, Event::Edge { parcel, eye, active: false });
        if eye == EyeId(0) {
            let read = Read::Codes(vec![format!("SF{parcel:013}")]);
            let at = self.position(here + scanner);
            let input = Input::Read { scanner: ScannerId(0), at, spread: Distance(0), read };
            self.later(here + scanner + LENGTH + 50, Event::Raw(input));
        }
        let fits = |arm: &&ArmPlan| {
            let place = self.line.layout().diverter(arm.diverter);
            place.eye == eye && (arm.from.at..=arm.to.at).contains(&here)
        };
        if let Some(arm) = self.arms.values().find(fits) {
            let (tag, delay) = (arm.tag, arm.delay.0);
            self.later(here + delay, Event::Fire { tag, edge: at });
        } else if let Some(following) = following {
            self.later(here + following, Event::Edge { parcel, eye: next, active: true });
        }
    }

    fn fire(&mut self, tag: Tag, edge: Position) {
        let arm = self.arms.remove(&tag).expect("armed");
        let (at, ms) = (self.position(self.at), Millis::of(self.now()));
        self.feed(Input::ArmEnded { tag, end: ArmEnd::Fired { edge }, at, ms });
        let layout = self.line.layout();
        let chute = layout.chute_at(arm.diverter, arm.side).expect("two sides").number;
        let place = layout.diverter(arm.diverter);
        let falls = self.at + i64::midpoint(place.landing_from.0, place.landing_to.0);
        self.later(falls, Event::Pulse { chute, active: true });
        self.later(falls + 400, Event::Pulse { chute, active: false });
    }

    /// Lets the line handle one input and asks it what it waits for, as the engine does.
    fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        let full = self.line.memory().tally.on_line >= IN_FLIGHT;
        let (now, begun) = (self.now(), clock());
        self.line.handle(now, input, &mut out);
        let handled = begun.elapsed();
        let begun = clock();
        self.line.next_positions(&mut self.waits);
        if full {
            self.calls.push(handled);
            self.asks.push(begun.elapsed());
        }
        self.in_flight = self.in_flight.max(self.line.memory().tally.on_line);
        for decision in out {
            self.answer(decision);
        }
    }

    fn answer(&mut self, decision: Decision) {
        match decision {
            Decision::AskRoute { parcel, code } => {
                let facts = Some(self.facts(parcel, code));
                self.later(self.at + 20, Event::Raw(Input::Route { parcel, facts }));
            }
            Decision::Arm(arm) => {
                let tag = arm.tag;
                self.arms.insert(tag, arm);
                let answer = Input::ArmAnswered { tag, taken: true };
                self.later(self.at + 20, Event::Raw(answer));
            }
            Decision::Parcel { event: ParcelEvent::Landed { .. }, .. } => self.landed += 1,
            _ => {}
        }
    }

    fn facts(&self, parcel: ParcelId, waybill: String) -> Facts {
        // 37 is prime: neighbours go far apart, and every chute gets its share.
        let index = usize::try_from(parcel.0).expect("few") * 37 % self.sorts.len();
        Facts {
            waybill,
            carrier: "SF".to_owned(),
            route: format!("{:03}", self.sorts[index].0),
            class: String::new(),
            inspected: true,
            screened: Screening::Passed,
            real_name: true,
            hold: None,
        }
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let [p50, p99, p999] = [50_000, 99_000, 99_900].map(|part| percentile(&times, part));
    let budget = Duration::from_micros(10);
    let share = p99.as_nanos() * 100 / budget.as_nanos();
    println!(
        "{what}: {} calls, p50 {p50:?}, p99 {p99:?} = {share} % of the budget of {budget:?}, p99.9 \
         {p999:?}",
        times.len()
    );
}

fn measure(what: &str, slip: Option<(u16, u16)>) {
    let mut bench = Bench::new(layout(slip));
    bench.run();
    println!(
        "{what}: {} diverters, {} chutes, up to {} parcels in flight; {} of {PARCELS} landed",
        bench.line.layout().diverters.len(),
        bench.line.layout().chutes.len(),
        bench.in_flight,
        bench.landed
    );
    print("Line::handle", bench.calls);
    print("Line::next_positions", bench.asks);
}

fn main() {
    measure("a line that sorts", Some(SLIP));
    measure("a line where windows meet", None);
}
