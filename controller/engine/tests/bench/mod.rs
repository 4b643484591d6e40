//! A bench for engines: real node machines, parcels on a belt, a disk, and a journal that can be
//! replayed.

#[path = "../../../link/tests/rig/plant.rs"]
mod plant;

use line_engine::door::{Door, Form};
use line_engine::record::{self, Decoded};
use line_engine::{
    BusId, Effects, Engine, EngineLimits, EngineSetup, Mark, Outcome, Record, Start, Wake, snapshot,
};
use line_model::Line;
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, Side};
use line_model::layout::{
    ChuteCare, ChutePlace, ChuteRole, DiverterPlace, Duty, EyePlace, Largest, Layout, Limits,
    NodePlace, StationPlace, ZonePlace,
};
use line_model::packml::State;
use line_model::plan::{Allocation, Facts, Plan, Rule, Screening};
use line_model::signal::{Command, Input};
use plant::Plant;
use registers::points::{diverter, panel, scanner, zone};
use std::collections::{BTreeMap, VecDeque};
use units::{Distance, EncoderId, Micros, MmPerSecond};

/// Eyes from the induction eye on: node, input, counts.
const EYES: [(usize, u8, i64); 4] = [
    (0, zone::EYE_A, 0),
    (0, zone::EYE_B, 1_500),
    (1, diverter::EYE_ARRIVAL, 3_500),
    (2, panel::EYE_END, 7_000),
];
const SCANNER_AT: i64 = 900;
const LENGTH: i64 = 300;

pub(crate) fn layout() -> Layout {
    let node = |name: &str, duty| NodePlace { name: name.to_string(), duty };
    let eye = |(node, _, at): (usize, u8, i64)| EyePlace {
        node: NodeId(u8::try_from(node).expect("few")),
        at: Distance(at),
    };
    let chute = |number, side, role| ChutePlace {
        number: ChuteNo(number),
        diverter: DiverterId(0),
        side,
        role,
        care: ChuteCare::PLAIN,
    };
    Layout {
        encoder: EncoderId(0),
        counts_per_metre: 1_000,
        speed: MmPerSecond(1_200),
        nodes: vec![
            node("Z1", Duty::Essential),
            node("D1", Duty::Diverter(DiverterId(0))),
            node("PN", Duty::Essential),
            node("SC", Duty::Essential),
        ],
        zones: vec![ZonePlace {
            name: "Z1".to_string(),
            node: NodeId(0),
            speed: MmPerSecond(1_200),
            gapping: false,
            transit: Micros::from_secs(2),
        }],
        eyes: EYES.into_iter().map(eye).collect(),
        scanner: StationPlace { node: NodeId(3), at: Distance(SCANNER_AT) },
        rescanners: Vec::new(),
        end: line_model::layout::LineEnd::Chute,
        dws: None,
        diverters: vec![DiverterPlace {
            name: "D1".to_string(),
            node: NodeId(1),
            eye: EyeId(2),
            eye_to_bed: Distance(450),
            bed: Distance(350),
            delay: Distance(100),
            gap_before: Distance(650),
            gap_after: Distance(770),
            landing_from: Distance(650),
            landing_to: Distance(2_510),
        }],
        chutes: vec![
            chute(1, Side::Left, ChuteRole::Sort),
            chute(2, Side::Right, ChuteRole::GeneralExceptions),
        ],
        panel: NodeId(2),
        limits: Limits {
            prestart: Micros::from_millis(500),
            ramp: Micros::from_millis(200),
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
        },
    }
}

fn plan() -> Plan {
    let rule = Rule {
        carrier: "YTO".into(),
        prefix: String::new(),
        chutes: vec![ChuteNo(1)],
        allocation: Allocation::Nearest,
        overflow: Vec::new(),
        cut_off: None,
    };
    Plan { name: "day".into(), version: 1, rules: vec![rule], bagged: Vec::new() }
}

struct Flight {
    arrives: Micros,
    ends: Micros,
    unit: u8,
    pdu: Vec<u8>,
    served: Option<Vec<u8>>,
}

struct Parcel {
    /// Belt position (true) at which its head is at the induction eye.
    start: i64,
    fired: Option<i64>,
}

pub(crate) struct Bench {
    pub(crate) plant: Plant,
    pub(crate) engine: Engine,
    flights: Vec<Option<Flight>>,
    parcels: Vec<Parcel>,
    /// How long a commit takes; `None` = the disk hangs.
    pub(crate) commit: Option<Micros>,
    pending: VecDeque<(Micros, Record)>,
    /// What is on disk.
    pub(crate) journal: Vec<Record>,
    marks: BTreeMap<NodeId, Mark>,
    levels: BTreeMap<(usize, u8), bool>,
}

pub(crate) fn setup() -> EngineSetup {
    let forms = ["[0-9]{1,9}:YT[0-9]{1,9}", "YT[0-9]{1,9}"].map(Form::parse);
    EngineSetup {
        layout: layout(),
        buses: plant::line(),
        limits: EngineLimits::default(),
        door: Door::new([7; 32], forms.into_iter().flatten().collect()),
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let setup = setup();
        let mut bench = Self {
            plant: Plant::new(&setup.buses),
            engine: Engine::new(setup, 65_500, Start::Fresh),
            flights: Vec::new(),
            parcels: Vec::new(),
            commit: Some(Micros::from_millis(3)),
            pending: VecDeque::new(),
            journal: Vec::new(),
            marks: BTreeMap::new(),
            levels: BTreeMap::new(),
        };
        bench.plant.level(1, diverter::HOME, true);
        bench.open();
        bench
    }

    fn open(&mut self) {
        self.flights = [None, None].into();
        for bus in [BusId(0), BusId(1)] {
            self.wake(Wake::BusUp { bus });
        }
    }

    /// A line in Execute.
    pub(crate) fn running() -> Self {
        let mut bench = Self::new();
        bench.wake(Wake::SelectPlan { plan: plan() });
        bench.run(2_000);
        for command in [Command::Reset, Command::Start] {
            bench.wake(Wake::Command { command, by: "test".into(), reason: String::new() });
            bench.run(1_500);
        }
        assert_eq!(bench.state(), State::Execute, "{:#?}", bench.engine.view(bench.plant.now));
        bench
    }

    pub(crate) fn state(&self) -> State {
        self.engine.view(self.plant.now).line.state
    }

    /// Puts a parcel on the belt, its head at the induction eye now.
    pub(crate) fn induct(&mut self) {
        let start = self.plant.belt();
        self.parcels.push(Parcel { start, fired: None });
    }

    pub(crate) fn wake(&mut self, wake: Wake<'_>) {
        let mut effects = Effects::default();
        self.engine.handle(self.plant.now, wake, &mut effects);
        let due = self.commit.map_or(Micros::MAX, |span| self.plant.now.plus(span));
        self.pending.extend(effects.records.into_iter().map(|record| (due, record)));
        for sent in effects.transmit {
            let bus = usize::from(sent.bus.0);
            assert!(self.flights[bus].is_none(), "one exchange at a time");
            self.flights[bus] = Some(Flight {
                arrives: self.plant.now.plus(Micros::from_millis(2)),
                ends: self.plant.now.plus(Micros::from_millis(4)),
                unit: sent.unit,
                pdu: sent.pdu,
                served: None,
            });
        }
        for question in effects.questions {
            let facts = Facts {
                waybill: question.code,
                carrier: "YTO".into(),
                route: "021".into(),
                class: String::new(),
                inspected: true,
                screened: Screening::Passed,
                real_name: true,
                hold: None,
            };
            self.wake(Wake::Route { parcel: question.parcel, facts: Some(facts) });
        }
    }

    /// The disk works again: what waited is written now.
    pub(crate) fn flush(&mut self) {
        self.pending.iter_mut().for_each(|(due, _)| *due = Micros::ZERO);
    }

    pub(crate) fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.step();
        }
    }

    fn step(&mut self) {
        self.plant.step();
        self.carry();
        while self.pending.front().is_some_and(|(due, _)| *due <= self.plant.now) {
            let (_, record) = self.pending.pop_front().expect("checked");
            self.marks.extend(record.marks.iter().map(|mark| (mark.node, *mark)));
            let number = record.number;
            self.journal.push(record);
            self.wake(Wake::Durable { record: number });
        }
        for bus in 0..self.flights.len() {
            self.fly(bus);
        }
        if self.engine.next_deadline().is_some_and(|at| at <= self.plant.now) {
            self.wake(Wake::Timer);
        }
    }

    fn fly(&mut self, bus: usize) {
        let Some(mut flight) = self.flights[bus].take() else { return };
        if flight.arrives == self.plant.now {
            let answer = self.plant.serve(bus, flight.unit, &flight.pdu);
            flight.served = answer.map(|(pdu, _)| pdu);
        }
        if flight.ends > self.plant.now {
            self.flights[bus] = Some(flight);
            return;
        }
        let outcome = match &flight.served {
            Some(pdu) => Outcome::Answer { unit: flight.unit, pdu },
            None if flight.unit == 0 => Outcome::BroadcastDone,
            None => Outcome::Timeout,
        };
        let id = BusId(u8::try_from(bus).expect("few"));
        self.wake(Wake::Exchange { bus: id, outcome });
    }

    /// Moves belt and parcels: levels at eyes, reads, landings.
    fn carry(&mut self) {
        let drive = self.plant.places[0].outputs.get(&zone::DRIVE).copied().unwrap_or(0);
        self.plant.speed = u64::from(drive);
        let belt = self.plant.belt();
        let turned = self.plant.places[1].outputs.get(&diverter::TURN_LEFT) == Some(&1);
        self.level(1, diverter::HOME, !turned);
        let mut wanted: BTreeMap<(usize, u8), bool> = BTreeMap::new();
        for parcel in &mut self.parcels {
            let head = belt - parcel.start;
            let bed = EYES[2].2 + 450;
            if turned && parcel.fired.is_none() && (bed..bed + 350).contains(&head) {
                parcel.fired = Some(belt);
            }
            for (node, input, at) in EYES {
                let here =
                    (at..at + LENGTH).contains(&head) && (parcel.fired.is_none() || at < bed);
                *wanted.entry((node, input)).or_default() |= here;
            }
            let here = (SCANNER_AT..SCANNER_AT + LENGTH).contains(&head);
            *wanted.entry((3, scanner::TRIGGER)).or_default() |= here;
            let landed = parcel.fired.is_some_and(|at| (700..900).contains(&(belt - at)));
            *wanted.entry((1, diverter::EYE_LEFT)).or_default() |= landed;
        }
        for ((node, input), level) in wanted {
            self.level(node, input, level);
        }
        let asked = std::mem::take(&mut self.plant.places[3].device);
        for number in String::from_utf8(asked).expect("ASCII").split_terminator('\r') {
            let number = number.trim_start_matches('T');
            let text = format!("{number}:YT{belt}\r");
            self.plant.feed(3, node::Input::Device(text.as_bytes()));
        }
    }

    fn level(&mut self, node: usize, input: u8, level: bool) {
        let before = self.levels.insert((node, input), level);
        if before != Some(level) {
            self.plant.feed(node, node::Input::Level { input, level });
        }
    }

    /// The host dies and comes back after `away` milliseconds; what was not durable is gone.
    pub(crate) fn restart(&mut self, away: u64) {
        self.pending.clear();
        self.flights = [None, None].into();
        for _ in 0..away {
            self.plant.step();
            self.carry();
        }
        let memory = self.replay().memory().clone();
        let start = Start::Resume {
            memory,
            marks: self.marks.values().copied().collect(),
            next_record: self.journal.last().map_or(1, |record| record.number + 1),
            away: Micros::from_millis(away),
        };
        self.engine = Engine::new(setup(), 1_000, start);
        self.open();
    }

    /// The line that the journal gives; every decision must come again.
    pub(crate) fn replay(&self) -> Line {
        let mut line = Line::new(layout());
        for record in &self.journal {
            let Decoded { number, at, input, decisions } =
                record::decode(&record.bytes).expect("written by us");
            assert_eq!((number, at), (record.number, record.at));
            let mut again = Vec::new();
            line.handle(at, input, &mut again);
            assert_eq!(again, decisions, "record {number}");
            let bytes = snapshot::encode(line.memory());
            assert_eq!(snapshot::decode(&bytes).as_ref(), Ok(line.memory()));
        }
        line
    }

    /// The inputs on disk.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let input = |record: &Record| record::decode(&record.bytes).expect("ours").input;
        self.journal.iter().map(input).collect()
    }
}
