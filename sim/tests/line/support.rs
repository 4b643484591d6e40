//! A Modbus master of a few lines, just enough to run the simulated line by hand.

use line_file::LineFile;
use line_sim::{Feed, Item, PlantFile, World, WorldSetup};
use modbus::{mbap, pdu, rtu};
use registers::event::{ArmOutcome, Event};
use registers::exchange::{EventsHead, Operation, Verdict, WriteBlock};
use registers::points::zone::{GAP, RUN, SPEED};
use registers::status::{STATUS_WORDS, Status};
use registers::{Reader, check, map};
use units::{Counts, Micros, Serial};

/// The owner word of these tests.
const OWNER: u16 = 9;

/// A ring entry without its borrowed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A debounced edge.
    Edge { input: u8, active: bool, count: Counts },
    /// An arm ended.
    Ended { tag: u32, outcome: ArmOutcome },
    /// A code.
    Code { trigger: u16, code: String },
    /// A weight.
    Weight { trigger: u16, grams: Option<u32> },
    /// Anything else.
    Other,
}

/// What the master knows of a node.
#[derive(Clone, Debug)]
struct Link {
    boot_id: u16,
    ack: Serial,
    command: Serial,
    events: Vec<Seen>,
}

/// A world with a master on all its buses.
#[derive(Clone)]
pub(crate) struct Bench {
    /// The line.
    pub(crate) world: World,
    links: Vec<Link>,
    token: u16,
}

/// A shipped line with its plant.
pub(crate) fn files(fast: bool) -> (LineFile, PlantFile) {
    let (line, plant) = if fast {
        (
            include_str!("../../../controller/examples/factory-line-fast.toml"),
            include_str!("../../plants/factory-line-fast.plant.toml"),
        )
    } else {
        (
            include_str!("../../../controller/examples/factory-line.toml"),
            include_str!("../../plants/factory-line.plant.toml"),
        )
    };
    (LineFile::parse(line).expect("shipped"), PlantFile::parse(plant).expect("shipped"))
}

/// A run of a shipped line.
pub(crate) fn setup(fast: bool, profile: &str, seed: u64, parcels: u64) -> WorldSetup {
    let (line, plant) = files(fast);
    WorldSetup {
        line,
        plant,
        manifest: (0..500).map(|n| Item { waybill: format!("YT{:013}", n * 104_729) }).collect(),
        seed,
        feed: Feed::Saturated,
        profile: profile.to_owned(),
        parcels: Some(parcels),
        faults: line_sim::Faults::NONE,
        events: Vec::new(),
    }
}

impl Bench {
    /// Powers the line and adopts its nodes.
    pub(crate) fn new(setup: WorldSetup) -> Self {
        let mut world = World::new(setup).expect("shipped files fit");
        world.advance(Micros::from_millis(100));
        let links = world
            .stations()
            .iter()
            .map(|station| {
                let status = station.node.view().status;
                let (boot_id, command) = (status.boot_id, status.last_command);
                Link { boot_id, ack: Serial(0), command, events: Vec::new() }
            })
            .collect();
        let mut bench = Self { world, links, token: 0 };
        for node in 0..bench.links.len() {
            // A poll without a boot id: nothing is acknowledged yet.
            let boot = core::mem::take(&mut bench.links[node].boot_id);
            let head = bench.exchange(node, Operation::Noop);
            bench.links[node].boot_id = boot;
            bench.links[node].events.clear();
            assert_eq!(head.boot_id, boot);
        }
        bench
    }

    /// The node with this name.
    pub(crate) fn node(&self, name: &str) -> usize {
        self.world.stations().iter().position(|s| s.plan.name == name).expect("known node")
    }

    /// Sends a PDU and waits for the answer's.
    pub(crate) fn request(&mut self, node: usize, pdu: &[u8]) -> Vec<u8> {
        let plan = &self.world.stations()[node].plan;
        let (bus, unit) = (plan.bus, plan.unit);
        let timing = self.world.buses().nth(bus).expect("known bus").serial;
        let mut frame = [0; mbap::MAX_FRAME];
        let len = match timing {
            Some(timing) => {
                let len = rtu::encode(unit, pdu, &mut frame).expect("fits");
                let on_wire = self.world.now().plus(timing.silence());
                self.world.advance(on_wire.plus(timing.wire_time(len)));
                len
            }
            None => {
                let frame_out = mbap::Frame { transaction: self.token, unit, pdu };
                mbap::encode(frame_out, &mut frame).expect("fits")
            }
        };
        self.world.send(bus, &frame[..len]);
        let until = self.world.now().plus(Micros::from_millis(50));
        loop {
            if let Some(answer) = self.world.take_answers().into_iter().next() {
                assert_eq!(answer.bus, bus);
                self.world.advance(answer.at);
                return match timing {
                    Some(_) => rtu::check(&answer.frame).expect("whole frame").1.to_vec(),
                    None => mbap::decode(&answer.frame).expect("whole frame").pdu.to_vec(),
                };
            }
            assert!(self.world.now() < until, "node {node} is silent");
            self.world.advance(self.world.next_event());
        }
    }

    fn words(answer: &[u8]) -> Vec<u16> {
        answer[2..].as_chunks().0.iter().map(|word| u16::from_be_bytes(*word)).collect()
    }

    /// One FC 23 (0x17) that reads `quantity` words at `address`.
    fn read_write(
        &mut self,
        node: usize,
        operation: Operation,
        (address, quantity): (u16, u16),
    ) -> Vec<u16> {
        self.token = self.token.wrapping_add(1).max(1);
        let link = &mut self.links[node];
        let block = WriteBlock {
            token: self.token,
            owner: OWNER,
            boot_id: link.boot_id,
            ack: link.ack,
            command: link.command.next(),
            operation,
        };
        let unit = self.world.stations()[node].plan.unit;
        let mut pdu = [0; pdu::MAX_PDU];
        let words = block.encode(unit);
        let len = pdu::read_write(address, quantity, map::WRITE, &words, &mut pdu).expect("fits");
        let answer = self.request(node, &pdu[..len]);
        let words = Self::words(&answer);
        assert!(check::sealed(unit, self.token, &words), "node {node}: {answer:?}");
        words
    }

    /// One exchange of events; a command must be accepted.
    pub(crate) fn exchange(&mut self, node: usize, operation: Operation) -> EventsHead {
        let kind = self.world.stations()[node].plan.kind;
        let words = self.read_write(node, operation, (map::EVENTS, kind.event_words()));
        let mut read = Reader::new(&words);
        let head = EventsHead::parse(&mut read).expect("sealed");
        let link = &mut self.links[node];
        let mut next = head.first;
        for _ in 0..head.count {
            let event = Event::parse(&mut read).expect("sealed");
            next = next.plus(event.numbers());
            link.events.push(match event {
                Event::Edge { input, active, at } => Seen::Edge { input, active, count: at.count },
                Event::ArmEnded { tag, outcome, .. } => Seen::Ended { tag, outcome },
                Event::Code { trigger, code, .. } => {
                    let code = String::from_utf8(code.bytes().collect()).expect("ASCII");
                    Seen::Code { trigger, code }
                }
                Event::Measured { trigger, weight_g: grams, .. } => Seen::Weight { trigger, grams },
                Event::NoRead { .. }
                | Event::TooLong { .. }
                | Event::Unassigned { .. }
                | Event::Lost { .. }
                | Event::LeaseExpired { .. } => Seen::Other,
            });
        }
        link.ack = next.prev();
        if operation != Operation::Noop {
            assert_eq!(head.verdict, Verdict::Accepted, "{operation:?} at node {node}");
            link.command = link.command.next();
        }
        head
    }

    /// The status block.
    pub(crate) fn status(&mut self, node: usize) -> Status {
        let words = self.read_write(node, Operation::Noop, (map::STATUS, STATUS_WORDS));
        let unit = self.world.stations()[node].plan.unit;
        Status::parse(unit, self.token, &words).expect("sealed")
    }

    /// Sets an output.
    pub(crate) fn set(&mut self, node: &str, output: u8, value: u32) {
        self.exchange(self.node(node), Operation::SetOutput { output, value });
    }

    /// Writes a whole settings block.
    pub(crate) fn settings(&mut self, node: &str, words: &[u16]) {
        let mut pdu = [0; pdu::MAX_PDU];
        let len = pdu::write_multiple(map::SETTINGS, words, &mut pdu).expect("fits");
        let answer = self.request(self.node(node), &pdu[..len]);
        assert_eq!(answer[0], 0x10, "settings of {node} refused");
    }

    /// Starts all belts, sorter first, with a gap of `gap` counts and the given leads.
    pub(crate) fn start(&mut self, speeds: [u32; 3], gap: u32, [pass, start]: [u16; 2]) {
        self.settings("Z1", &[30_000, 25, 1, 0, 0]);
        self.settings("Z2", &[30_000, 25, 2, pass, start]);
        self.settings("Z3", &[30_000, 25, 0, 0, 0]);
        self.set("Z2", GAP, gap);
        for (zone, speed) in [("Z3", speeds[2]), ("Z2", speeds[1]), ("Z1", speeds[0])] {
            self.set(zone, SPEED, speed);
            self.set(zone, RUN, 1);
            if zone == "Z3" {
                self.poll_for(Micros::from_secs(3));
            }
        }
    }

    /// Polls every node in turn for a while.
    pub(crate) fn poll_for(&mut self, span: Micros) {
        let until = self.world.now().plus(span);
        while self.world.now() < until {
            for node in 0..self.links.len() {
                self.exchange(node, Operation::Noop);
            }
        }
    }

    /// The events of a node so far.
    pub(crate) fn events(&self, node: usize) -> &[Seen] {
        &self.links[node].events
    }
}
