//! A bench for links: the real node machines on buses in virtual time, and a host that keeps the
//! order of truth with a slow disk.

mod plant;

use line_model::decision::ArmPlan;
use line_model::ids::{DiverterId, NodeId, ParcelId, Side, Tag};
use line_model::signal::Input;
use node_link::{
    BusId, BusSetup, BusView, Frame, LinkLimits, Mark, Master, Order, Outcome, Report, State,
    StationSetup, StationView, What,
};
use plant::{BELT, Plant, device, machine};
use registers::NodeKind;
use std::collections::{BTreeMap, VecDeque};
use units::{Distance, Micros, Position};

pub(crate) use plant::{bus, line, station};

type Faults = Box<dyn FnMut(&[u8]) -> Fault>;

/// What goes wrong with one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    RequestLost,
    AnswerLost,
    /// The unit's previous answer comes instead of this one.
    Stale,
    /// The request is lost, and the unit's previous answer comes (again).
    Late,
    /// One bit of the answer is flipped behind the frame's CRC.
    Flipped,
    /// The identity block says another map version.
    Version(u8),
    /// One bit of this byte of the identity block is flipped, under a right CRC.
    Identity(usize),
    /// These many bytes of nonsense come instead.
    Garbage(u8),
    /// The request is not executed, this exception comes.
    Refused(u8),
}

struct Flight {
    arrives: Micros,
    ends: Micros,
    unit: u8,
    pdu: Vec<u8>,
    fault: Fault,
    served: Option<Vec<u8>>,
}

pub(crate) struct Rig {
    pub(crate) plant: Plant,
    pub(crate) masters: Vec<Master>,
    pub(crate) frame: Frame,
    flights: Vec<Option<Flight>>,
    pub(crate) fault: Faults,
    pub(crate) inputs: Vec<Input>,
    pub(crate) heard: Vec<(NodeId, Position)>,
    /// How long a commit takes; `None` = the disk hangs.
    pub(crate) commit: Option<Micros>,
    next_record: u64,
    pending: VecDeque<(u64, Micros, Vec<Mark>)>,
    /// What a restart finds.
    pub(crate) marks: BTreeMap<NodeId, Mark>,
    pub(crate) durable: u64,
    setups: Vec<BusSetup>,
}

impl Plant {
    pub(crate) fn reboot(&mut self, node: u8, boot_id: u16) {
        let place = &mut self.places[usize::from(node)];
        place.machine = machine(&place.setup, boot_id, boot_id);
        place.offset = place.offset.wrapping_mul(7);
        place.outputs.clear();
    }

    /// Replaces what answers at a node's address.
    pub(crate) fn replace(&mut self, node: u8, kind: NodeKind) {
        let place = &mut self.places[usize::from(node)];
        let setup = StationSetup { kind, ..place.setup.clone() };
        place.machine = machine(&setup, 9_999, 5);
    }

    /// Puts a second device with this boot id and serial number at a node's address, dead for now;
    /// returns its place.
    pub(crate) fn twin(&mut self, node: u8, boot_id: u16, serial_number: u32) -> usize {
        let place = &self.places[usize::from(node)];
        let setup = place.setup.clone();
        self.places.push(plant::Place {
            bus: place.bus,
            offset: 77,
            dead: true,
            outputs: BTreeMap::new(),
            device: Vec::new(),
            machine: device(&setup, boot_id, boot_id, serial_number),
            answer: Vec::new(),
            setup,
        });
        self.places.len() - 1
    }

    /// The belt position that the host should see at the true one.
    pub(crate) fn position(&self) -> Position {
        let offset = i64::from(self.places[0].offset);
        Position::new(BELT, self.belt() + offset)
    }
}

impl Rig {
    pub(crate) fn new(setups: Vec<BusSetup>) -> Self {
        let mut rig = Self {
            plant: Plant::new(&setups),
            masters: Vec::new(),
            frame: Frame::new(BELT, None),
            flights: Vec::new(),
            fault: Box::new(|_| Fault::None),
            inputs: Vec::new(),
            heard: Vec::new(),
            commit: Some(Micros::from_millis(3)),
            next_record: 1,
            pending: VecDeque::new(),
            marks: BTreeMap::new(),
            durable: 0,
            setups,
        };
        rig.start();
        rig
    }

    /// Starts the host (again): what was not durable is gone.
    pub(crate) fn start(&mut self) {
        let near = self.frame.near();
        self.frame = Frame::new(BELT, near.filter(|_| !self.marks.is_empty()));
        let marks: Vec<Mark> = self.marks.values().copied().collect();
        self.pending.clear();
        self.flights = self.setups.iter().map(|_| None).collect();
        self.masters = (0u8..)
            .zip(&self.setups)
            .map(|(bus, setup)| {
                let limits = LinkLimits::default();
                Master::new(BusId(bus), setup.clone(), limits, NodeId(0), 65_500, &marks)
            })
            .collect();
        self.next_record = self.durable + 1;
        for master in &mut self.masters {
            master.durable(self.durable);
            master.bus_up(self.plant.now);
        }
    }

    /// Lets an input be active for `ms`.
    pub(crate) fn pulse(&mut self, node: u8, input: u8, ms: u64) {
        self.plant.level(node, input, true);
        self.run(ms);
        self.plant.level(node, input, false);
    }

    pub(crate) fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.step();
        }
    }

    /// Runs until every node is online, or panics.
    pub(crate) fn connect(&mut self) {
        for _ in 0..5_000 {
            self.step();
            let online = |bus: BusView| bus.stations.iter().all(|s| s.state == State::Online);
            if self.masters.iter().all(|master| online(master.view())) {
                return;
            }
        }
        panic!("not online: {:#?}", self.masters.iter().map(Master::view).collect::<Vec<_>>());
    }

    pub(crate) fn view(&self, node: u8) -> StationView {
        let buses = self.masters.iter().map(Master::view);
        let mut all = buses.flat_map(|bus| bus.stations);
        all.find(|found| found.node == NodeId(node)).expect("on a bus")
    }

    fn step(&mut self) {
        self.plant.step();
        let mut reports = Vec::new();
        for bus in 0..self.flights.len() {
            self.fly(bus, &mut reports);
        }
        while self.pending.front().is_some_and(|(_, due, _)| *due <= self.plant.now) {
            let (record, _, marks) = self.pending.pop_front().expect("checked");
            self.durable = record;
            self.marks.extend(marks.into_iter().map(|mark| (mark.node, mark)));
            self.masters.iter_mut().for_each(|master| master.durable(record));
        }
        for master in &mut self.masters {
            master.expire(self.plant.now, &mut reports);
        }
        self.take(reports);
        if self.masters.iter().any(Master::wants_record) {
            self.record(Input::Timer);
        }
        let mut reports = Vec::new();
        for bus in 0..self.masters.len() {
            let Some(sent) = self.masters[bus].pump(self.plant.now, &mut self.frame, &mut reports)
            else {
                continue;
            };
            let fault = (self.fault)(&sent.pdu);
            let lost = matches!(fault, Fault::RequestLost | Fault::AnswerLost);
            let wait = if lost { sent.timeout } else { Micros::from_millis(4) };
            self.flights[bus] = Some(Flight {
                arrives: self.plant.now.plus(Micros::from_millis(2)),
                ends: self.plant.now.plus(wait),
                unit: sent.unit,
                pdu: sent.pdu,
                fault,
                served: None,
            });
        }
        self.take(reports);
    }

    fn fly(&mut self, bus: usize, reports: &mut Vec<Report>) {
        let Some(mut flight) = self.flights[bus].take() else { return };
        if flight.arrives == self.plant.now && flight.fault == Fault::Late {
            let mut places = self.plant.places.iter();
            let unit = places.find(|place| place.setup.unit == flight.unit);
            flight.served = unit.map(|place| place.answer.clone());
        } else if let (true, Fault::Refused(code)) =
            (flight.arrives == self.plant.now, flight.fault)
        {
            flight.served = Some(vec![flight.pdu[0] | 0x80, code]);
        } else if flight.arrives == self.plant.now && flight.fault != Fault::RequestLost {
            let answer = self.plant.serve(bus, flight.unit, &flight.pdu);
            let stale = flight.fault == Fault::Stale;
            flight.served =
                answer.map(|(pdu, before)| if stale && !before.is_empty() { before } else { pdu });
        }
        if flight.served.is_none() && flight.unit != 0 && flight.ends == self.plant.now {
            flight.ends = flight.arrives.plus(Micros::from_millis(38)).max(self.plant.now);
        }
        if flight.ends > self.plant.now {
            self.flights[bus] = Some(flight);
            return;
        }
        if flight.fault == Fault::Flipped
            && let Some(byte) = flight.served.as_mut().and_then(|pdu| pdu.last_mut())
        {
            *byte ^= 4;
        }
        if let (Fault::Version(version), Some([0x03, _, _, _, _, low, ..])) =
            (flight.fault, flight.served.as_deref_mut())
        {
            *low = version;
        }
        if let (Fault::Identity(at), Some([0x03, _, block @ ..])) =
            (flight.fault, flight.served.as_deref_mut())
        {
            block[at] ^= 0x10;
        }
        if let (Fault::Garbage(len), Some(pdu)) = (flight.fault, &mut flight.served) {
            let seed = self.plant.now.0 / 1_000;
            let byte = |n: u64| (seed.wrapping_mul(31) ^ n.wrapping_mul(151)).to_be_bytes()[7];
            let kept = usize::from(len % 3).min(pdu.len());
            pdu.truncate(kept);
            pdu.extend((0..u64::from(len)).map(byte));
        }
        let lost = matches!(flight.fault, Fault::RequestLost | Fault::AnswerLost);
        let outcome = match &flight.served {
            _ if flight.unit == 0 => Outcome::BroadcastDone,
            Some(pdu) if !lost => Outcome::Answer { unit: flight.unit, pdu },
            Some(_) | None => Outcome::Timeout,
        };
        self.masters[bus].exchanged(self.plant.now, outcome, &mut self.frame, reports);
    }

    fn take(&mut self, reports: Vec<Report>) {
        for report in reports {
            if let Some(through) = report.through {
                self.masters.iter_mut().for_each(|found| found.settle(report.node, through));
            }
            match report.what {
                What::Nothing => {}
                What::Input(input) => self.record(input),
                What::Heard(at) => self.heard.push((report.node, at)),
            }
        }
    }

    fn record(&mut self, input: Input) {
        let number = self.next_record;
        self.next_record += 1;
        let mut marks = Vec::new();
        for master in &mut self.masters {
            master.recorded(number, &self.frame, &mut marks);
        }
        let due = self.commit.map_or(Micros::MAX, |span| self.plant.now.plus(span));
        self.pending.push_back((number, due, marks));
        if input != Input::Timer {
            self.inputs.push(input);
        }
    }

    /// Gives an order under a record of its own.
    pub(crate) fn order(&mut self, node: u8, order: Order) {
        self.record(Input::WallClock { utc_us: 0 });
        self.inputs.pop();
        let record = self.next_record - 1;
        let mut reports = Vec::new();
        for master in &mut self.masters {
            master.order(NodeId(node), order.clone(), record, &self.frame, &mut reports);
        }
        self.take(reports);
    }

    pub(crate) fn arm(&self, tag: u32, from: i64, to: i64) -> ArmPlan {
        let at = self.plant.position();
        ArmPlan {
            tag: Tag(tag),
            diverter: DiverterId(0),
            side: Side::Left,
            parcel: ParcelId(1),
            from: at.plus(Distance(from)),
            to: at.plus(Distance(to)),
            length_min: Distance(50),
            delay: Distance(100),
            release: Distance(400),
            send_by: self.plant.now.plus(Micros::from_millis(300)),
        }
    }

    /// The inputs since the last call.
    pub(crate) fn drain(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.inputs)
    }
}
