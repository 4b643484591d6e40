//! Fuzz body of the nodes: a diverter and a scanner on one serial line and on TCP.

use node::{Identity, Input, LineError, Logic, Node, Output, Stamp};
use registers::check::seal;
use units::{Counts, Micros, Serial};

const UNIT: u8 = 5;
const IDENTITY: Identity = Identity {
    unit: UNIT,
    boot_id: 9,
    serial_number: 1,
    firmware_hash: 2,
    reset_cause: 0,
    first_event: Serial(65_530),
    last_command: Serial(7),
};

/// Takes a length byte and that many bytes off the front.
fn portion<'a>(data: &mut &'a [u8]) -> &'a [u8] {
    let Some((len, rest)) = data.split_first() else { return &[] };
    let (head, tail) = rest.split_at(rest.len().min(usize::from(*len)));
    *data = tail;
    head
}

/// An exchange whose block is sealed, so that its words reach what lies behind the check word.
fn exchange(bytes: &[u8]) -> Vec<u8> {
    let mut words = [0u16; 18];
    let given =
        bytes.chunks(2).map(|pair| pair.iter().fold(0, |word, b| word << 8 | u16::from(*b)));
    words.iter_mut().zip(given).for_each(|(word, given)| *word = given);
    // Without these nothing would ever be accepted.
    words[2] = if words[2] & 3 == 0 { words[2] } else { IDENTITY.boot_id };
    seal(UNIT, words[0], &mut words);
    let head = [23, 2, 0, 0, 28, 1, 0, 0, 18, 36];
    head.into_iter().chain(words.into_iter().flat_map(u16::to_be_bytes)).collect()
}

fn framed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = [0; modbus::rtu::MAX_FRAME];
    let len = modbus::rtu::encode(unit, &pdu[..pdu.len().min(253)], &mut frame);
    frame[..len.unwrap_or(0)].to_vec()
}

/// A node of one kind and its instants.
struct Bench<L> {
    node: Node<L>,
    at: Stamp,
    out: Output,
}

impl<L: Logic> Bench<L> {
    fn new(node: Node<L>) -> Self {
        let count = Counts(u32::MAX - 100);
        let at = Stamp { now: Micros(1_000), count, second: count };
        Self { node, at, out: Output::new() }
    }

    fn give(&mut self, later: u8, input: Input<'_>) {
        self.at.now = self.at.now.plus(Micros(u64::from(later) * 3_000));
        self.at.count = self.at.count.plus(i32::from(later));
        let tcp = matches!(input, Input::Tcp(_));
        let unit = self.node.identity().unit;
        self.node.handle(self.at, input, &mut self.out);
        if !self.out.reply.is_empty() {
            if tcp {
                assert!(modbus::mbap::decode(&self.out.reply).is_ok());
            } else {
                let answer = modbus::rtu::check(&self.out.reply);
                assert!(answer.is_ok_and(|(from, _)| from == unit), "from itself");
            }
        }
        assert_eq!(self.out.unit.unwrap_or(unit), self.node.identity().unit);
        let view = self.node.view();
        assert!((1..=247).contains(&self.node.identity().unit));
        assert!(view.armed.count <= 8);
    }
}

/// Any bytes, errors, silences, whole frames, levels and device bytes.
pub(crate) fn node(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    if kind & 1 == 0 {
        drive(Bench::new(diverter::node(IDENTITY)), data);
    } else {
        drive(Bench::new(scanner::node(IDENTITY)), data);
    }
}

fn drive<L: Logic>(mut bench: Bench<L>, mut data: &[u8]) {
    while let [op, more, rest @ ..] = data {
        data = rest;
        let unit = bench.node.identity().unit;
        let unit = if more & 1 == 0 { unit } else { more >> 5 };
        match op & 15 {
            0 => bench.give(*more, Input::Silence),
            1 => bench.give(*more, Input::Tick),
            2 => {
                let error =
                    [LineError::Parity, LineError::Framing, LineError::Overrun, LineError::Break];
                bench.give(*more, Input::LineError(error[usize::from(more & 3)]));
            }
            3 => bench.give(0, Input::Level { input: more & 7, level: more & 8 != 0 }),
            4 => bench.give(0, Input::Device(portion(&mut data))),
            5 => bench.give(0, Input::Bytes(portion(&mut data))),
            6 => bench.give(0, Input::Rtu(portion(&mut data))),
            7 => bench.give(0, Input::Tcp(portion(&mut data))),
            8 | 9 => bench.give(0, Input::Bytes(&framed(unit, portion(&mut data)))),
            10 => {
                let pdu = portion(&mut data);
                let len = u8::try_from(pdu.len() + 1).unwrap_or(u8::MAX);
                let tcp = [&[0, 7, 0, 0, 0, len, unit], pdu].concat();
                bench.give(0, Input::Tcp(&tcp));
            }
            11 => bench.give(0, Input::Rtu(&framed(unit, portion(&mut data)))),
            _ => bench.give(*more >> 4, Input::Rtu(&framed(UNIT, &exchange(portion(&mut data))))),
        }
    }
}
