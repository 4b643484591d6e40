//! A test bench: a node with a belt under it and a host on its bus, in virtual time.
//!
//! Only for tests (feature `bench`). The bench ticks the node exactly when the node asked for it,
//! so a deadline that a node forgets fails a test.

use crate::{Identity, Input, Logic, Node, Output, Stamp, View};
use modbus::rtu;
use registers::event::Event;
use registers::exchange::{EventsHead, Operation, Verdict, WRITE_WORDS, WriteBlock};
use registers::map::{EVENTS, SETTINGS, WRITE};
use registers::{Reader, check};
use std::boxed::Box;
use std::vec::Vec;
use units::{Counts, Micros, Serial};

/// The identity that the bench's host expects.
pub const IDENTITY: Identity = Identity {
    unit: 9,
    boot_id: 0xB007,
    serial_number: 0x0102_0304,
    firmware_hash: 0x0506_0708,
    reset_cause: 2,
    first_event: Serial(0xFFFE),
    last_command: Serial(0xFFFF),
};

/// One answer to an exchange on the events block.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its head.
    pub head: EventsHead,
    /// Its entries.
    pub events: Vec<Event<'static>>,
}

/// A node, its belts and its host.
#[derive(Clone, Debug)]
pub struct Bench<L> {
    /// The node.
    pub node: Node<L>,
    /// The instant now; starts close to the wrap of both encoders.
    pub at: Stamp,
    /// Speed of the main and the second encoder in counts/ms.
    pub speed: (i32, i32),
    /// Output values as the node told them.
    pub outputs: [u32; 16],
    /// Bytes to reader or scale so far.
    pub device: Vec<u8>,
    /// The host's owner word.
    pub owner: u16,
    /// The host's last command.
    pub command: Serial,
    /// The host's acknowledgement.
    pub ack: Serial,
    token: u16,
}

impl<L: Logic> Bench<L> {
    /// Puts a node with [`IDENTITY`] on the bench, belts running at 1 count/ms.
    pub fn new(node: Node<L>) -> Self {
        let mut bench = Self {
            node,
            at: Stamp {
                now: Micros::from_millis(5_000),
                count: Counts(u32::MAX - 200),
                second: Counts(u32::MAX - 300),
            },
            speed: (1, 1),
            outputs: [0; 16],
            device: Vec::new(),
            owner: 7,
            command: IDENTITY.last_command,
            ack: IDENTITY.first_event.prev(),
            token: 100,
        };
        bench.give(Input::Tick);
        bench
    }

    /// Gives the node one input now and returns its answer frame.
    pub fn give(&mut self, input: Input<'_>) -> Vec<u8> {
        let mut out = Output::new();
        self.node.handle(self.at, input, &mut out);
        for (output, value) in &out.outputs {
            assert_ne!(self.outputs[usize::from(*output)], *value, "only changes are told");
            self.outputs[usize::from(*output)] = *value;
        }
        self.device.extend_from_slice(&out.device);
        out.reply.to_vec()
    }

    /// Lets time pass and the belts run, ticking the node only when it asked for it.
    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.at.now = self.at.now.plus(Micros::from_millis(1));
            self.at.count = self.at.count.plus(self.speed.0);
            self.at.second = self.at.second.plus(self.speed.1);
            let due = self.node.next_deadline().is_some_and(|at| at <= self.at.now)
                || self.node.next_count().is_some_and(|at| self.at.count.reached(at))
                || self.node.next_second().is_some_and(|at| self.at.second.reached(at));
            if due {
                self.give(Input::Tick);
            }
        }
    }

    /// Changes a raw input level now.
    pub fn level(&mut self, input: u8, level: bool) {
        self.give(Input::Level { input, level });
    }

    /// Writes the whole settings block by FC 16; true when it was taken.
    pub fn settings(&mut self, words: &[u16]) -> bool {
        let quantity = u16::try_from(words.len()).expect("few");
        let mut pdu = std::vec![16];
        put(&mut pdu, &[SETTINGS, quantity]);
        pdu.push(u8::try_from(words.len() * 2).expect("few"));
        put(&mut pdu, words);
        self.request(IDENTITY.unit, &pdu)[1] == 16
    }

    /// Sends a PDU by RTU and returns the answer frame; empty = silence.
    pub fn request(&mut self, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let frame = frame(unit, pdu);
        self.give(Input::Rtu(&frame))
    }

    /// Sends a write block with a read of `quantity` words at `address`; gives the words read or
    /// the exception.
    pub fn exchange(&mut self, words: &[u16], address: u16, quantity: u16) -> Result<Vec<u16>, u8> {
        let mut pdu = std::vec![23];
        put(&mut pdu, &[address, quantity, WRITE, u16::try_from(words.len()).expect("few")]);
        pdu.push(u8::try_from(words.len() * 2).expect("few"));
        put(&mut pdu, words);
        let answer = self.request(IDENTITY.unit, &pdu);
        if answer[1] != 23 {
            return Err(answer[2]);
        }
        let data = &answer[3..answer.len() - 2];
        Ok(data.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    /// The write block that the host sends for `operation`, not sealed by a new token yet.
    pub fn block(&mut self, operation: Operation) -> WriteBlock {
        self.token = self.token.wrapping_add(1);
        WriteBlock {
            token: self.token,
            owner: self.owner,
            boot_id: IDENTITY.boot_id,
            ack: self.ack,
            command: self.command.next(),
            operation,
        }
    }

    /// Sends a block with a read of the events and checks the answer's seal and token.
    pub fn send(&mut self, block: WriteBlock) -> Answer {
        let words = block.encode(IDENTITY.unit);
        assert_eq!(words.len(), usize::from(WRITE_WORDS));
        let read = self.exchange(&words, EVENTS, L::KIND.event_words()).expect("an answer");
        assert!(check::sealed(IDENTITY.unit, block.token, &read), "sealed for this request");
        let words: &'static [u16] = Box::leak(read.into_boxed_slice());
        let mut reader = Reader::new(words);
        let head = EventsHead::parse(&mut reader).expect("a head");
        assert_eq!((head.token, head.boot_id), (block.token, IDENTITY.boot_id));
        let events = (0..head.count).map(|_| Event::parse(&mut reader).expect("entry")).collect();
        Answer { head, events }
    }

    /// Sends one command as the host does and returns the verdict.
    pub fn command(&mut self, operation: Operation) -> Verdict {
        let block = self.block(operation);
        let verdict = self.send(block).head.verdict;
        if verdict == Verdict::Accepted {
            self.command = block.command;
        }
        verdict
    }

    /// Sets an output, which must be accepted.
    pub fn set(&mut self, output: u8, value: u32) {
        let verdict = self.command(Operation::SetOutput { output, value });
        assert_eq!(verdict, Verdict::Accepted, "output {output} := {value}");
    }

    /// Polls and acknowledges until nothing waits; gives every event once and in order.
    pub fn drain(&mut self) -> Vec<Event<'static>> {
        let mut all = Vec::new();
        loop {
            let block = self.block(Operation::Noop);
            let Answer { head, events } = self.send(block);
            assert_eq!(head.first, self.ack.next(), "no number is skipped");
            if events.is_empty() {
                assert!(!head.more, "a waiting entry always fits an empty block");
                return all;
            }
            self.ack = events.iter().fold(self.ack, |ack, event| ack.plus(event.numbers()));
            all.extend(events);
        }
    }

    /// The node's view.
    pub fn view(&self) -> View {
        self.node.view()
    }

    /// The current encoder reading moved by `counts`.
    pub fn ahead(&self, counts: i32) -> Counts {
        self.at.count.plus(counts)
    }
}

fn put(pdu: &mut Vec<u8>, words: &[u16]) {
    pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

/// Builds an RTU frame.
pub fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = std::vec![0; rtu::MAX_FRAME];
    let used = rtu::encode(unit, pdu, &mut frame).expect("room for the check");
    frame.truncate(used);
    frame
}
