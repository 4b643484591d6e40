//! The plant side of the bench: real node machines on buses, one belt, virtual time.

use line_model::ids::{ChuteNo, EyeId, NodeId, ScannerId};
use line_model::signal::{ChuteContact, Contact};
use modbus::rtu;
use node::{Identity, Output, Stamp};
use node_link::{BusSetup, InputRole, StationSetup};
use registers::NodeKind;
use std::collections::BTreeMap;
use units::{Counts, Distance, EncoderId, Micros, Position, Serial};

pub(crate) const BELT: EncoderId = EncoderId(0);

pub(crate) type Machine = Box<dyn FnMut(Stamp, node::Input<'_>, &mut Output)>;

/// A node on the bench.
pub(crate) struct Place {
    pub(crate) bus: usize,
    pub(crate) setup: StationSetup,
    pub(crate) offset: u32,
    pub(crate) dead: bool,
    pub(crate) outputs: BTreeMap<u8, u32>,
    /// What it has sent to its reader.
    pub(crate) device: Vec<u8>,
    pub(crate) machine: Machine,
    /// Its last answer, for faults.
    pub(crate) answer: Vec<u8>,
}

pub(crate) fn machine(setup: &StationSetup, boot_id: u16, seed: u16) -> Machine {
    device(setup, boot_id, seed, 100 + u32::from(setup.unit))
}

/// The same with a serial number of its own.
pub(crate) fn device(setup: &StationSetup, boot_id: u16, seed: u16, serial_number: u32) -> Machine {
    let identity = Identity {
        unit: setup.unit,
        boot_id,
        serial_number,
        firmware_hash: 2,
        reset_cause: 0,
        first_event: Serial(seed.wrapping_sub(7)),
        last_command: Serial(seed.wrapping_mul(31)),
    };
    match setup.kind {
        NodeKind::Zone => {
            let mut node = zone::node(identity);
            Box::new(move |at, input, out| node.handle(at, input, out))
        }
        NodeKind::Diverter => {
            let mut node = diverter::node(identity);
            Box::new(move |at, input, out| node.handle(at, input, out))
        }
        NodeKind::Scanner => {
            let mut node = scanner::node(identity);
            Box::new(move |at, input, out| node.handle(at, input, out))
        }
        NodeKind::Panel | NodeKind::Dws => {
            let mut node = panel::node(identity);
            Box::new(move |at, input, out| node.handle(at, input, out))
        }
    }
}

/// Nodes and belt.
pub(crate) struct Plant {
    pub(crate) now: Micros,
    pub(crate) places: Vec<Place>,
    /// mm/s
    pub(crate) speed: u64,
    travelled: u64,
}

pub(crate) fn station(node: u8, kind: NodeKind, inputs: Vec<InputRole>) -> StationSetup {
    StationSetup {
        node: NodeId(node),
        unit: node + 1,
        kind,
        main_encoder: true,
        settings: kind.settings().iter().map(|setting| setting.reset).collect(),
        inputs,
        scanner: ScannerId(0),
        horizon_lag: Distance(60),
    }
}

pub(crate) fn bus(serial: bool, stations: Vec<StationSetup>) -> BusSetup {
    BusSetup {
        name: if serial { "serial".into() } else { "tcp".into() },
        serial,
        baud: if serial { 115_200 } else { 0 },
        owner: 77,
        poll_min: if serial { Micros::ZERO } else { Micros::from_millis(20) },
        answer_timeout: Micros::from_millis(40),
        stations,
    }
}

/// Reference zone 0, diverter 1 and panel 2 on a serial bus, scanner 3 on TCP.
pub(crate) fn line() -> Vec<BusSetup> {
    let eye = |n| InputRole::Eye(EyeId(n));
    let contact = InputRole::Contact;
    let zone = station(0, NodeKind::Zone, vec![InputRole::Ignored, eye(0), eye(1)]);
    let landing = |n| InputRole::Landing(ChuteNo(n));
    let chute = |n, contact| InputRole::Chute(ChuteNo(n), contact);
    let diverter = station(
        1,
        NodeKind::Diverter,
        vec![
            eye(2),
            landing(1),
            landing(2),
            InputRole::Ignored,
            chute(1, ChuteContact::Lock),
            chute(2, ChuteContact::Lock),
            chute(1, ChuteContact::Full),
            chute(2, ChuteContact::Full),
            chute(1, ChuteContact::Button),
            chute(2, ChuteContact::Button),
        ],
    );
    let panel = station(
        2,
        NodeKind::Panel,
        vec![
            contact(Contact::Estop(1)),
            contact(Contact::Estop(2)),
            contact(Contact::Start),
            contact(Contact::Stop),
            contact(Contact::Reset),
            eye(3),
            contact(Contact::EndFull),
        ],
    );
    let scanner = station(3, NodeKind::Scanner, vec![]);
    vec![bus(true, vec![zone, diverter, panel]), bus(false, vec![scanner])]
}

impl Plant {
    pub(crate) fn new(setups: &[BusSetup]) -> Self {
        let mut places = Vec::new();
        for (bus, setup) in setups.iter().enumerate() {
            for station in &setup.stations {
                let seed = u16::from(station.unit) * 1_000;
                places.push(Place {
                    bus,
                    machine: machine(station, seed, seed),
                    setup: station.clone(),
                    // Near the wrap, each another one.
                    offset: (u32::MAX - 500).wrapping_add(111 * u32::from(station.unit)),
                    dead: false,
                    outputs: BTreeMap::new(),
                    device: Vec::new(),
                    answer: Vec::new(),
                });
            }
        }
        Self { now: Micros::from_secs(100), places, speed: 0, travelled: 0 }
    }

    /// One millisecond passes.
    pub(crate) fn step(&mut self) {
        self.now = self.now.plus(Micros::from_millis(1));
        self.travelled += self.speed;
        for place in 0..self.places.len() {
            self.feed(place, node::Input::Tick);
        }
    }

    /// A request arrives: the answer PDU and the unit's answer before it.
    pub(crate) fn serve(&mut self, bus: usize, unit: u8, pdu: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut frame = [0; 256];
        let used = rtu::encode(unit, pdu, &mut frame).expect("fits");
        let mut answer = None;
        for place in 0..self.places.len() {
            let found = &self.places[place];
            let here = found.bus == bus && !found.dead;
            if here && (unit == 0 || unit == found.setup.unit) {
                let reply = self.feed(place, node::Input::Rtu(&frame[..used]));
                if let Ok((_, pdu)) = rtu::check(&reply) {
                    let before = std::mem::replace(&mut self.places[place].answer, pdu.to_vec());
                    answer = Some((pdu.to_vec(), before));
                }
            }
        }
        answer
    }
    /// True position of the belt in counts, from an arbitrary origin.
    pub(crate) fn belt(&self) -> i64 {
        i64::try_from(self.travelled / 1_000).expect("small")
    }

    fn stamp(&self, place: usize) -> Stamp {
        let low = Position::new(BELT, self.belt()).low();
        let count = Counts(low.0.wrapping_add(self.places[place].offset));
        Stamp { now: self.now, count, second: Counts(0) }
    }

    pub(crate) fn feed(&mut self, place: usize, input: node::Input<'_>) -> Vec<u8> {
        let mut out = Output::new();
        let at = self.stamp(place);
        (self.places[place].machine)(at, input, &mut out);
        self.places[place].outputs.extend(out.outputs.iter().copied());
        self.places[place].device.extend_from_slice(&out.device);
        out.reply.to_vec()
    }

    pub(crate) fn level(&mut self, node: u8, input: u8, level: bool) {
        self.feed(usize::from(node), node::Input::Level { input, level });
    }
}
