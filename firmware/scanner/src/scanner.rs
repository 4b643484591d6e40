//! The scanner: one trigger per head edge, one outcome per trigger.

use crate::answer::{Answer, Read, parse};
use crate::limits::OPEN_MAX;
use crate::line::{Line, Whole};
use heapless::Vec;
use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::event::{At, CODE_MAX, CODES_MAX, Code, Event};
use registers::exchange::Verdict;
use registers::points::SETTING_OWN;
use registers::points::scanner::{READER_ENABLE, TRIGGER};
use units::Micros;

/// A scanner node.
pub type ScannerNode = Node<Scanner>;

/// Builds a scanner node as it is after boot: no trigger open.
pub fn node(identity: Identity) -> ScannerNode {
    Node::new(identity, Scanner::default())
}

/// A trigger that waits for its read.
#[derive(Clone, Copy, Debug)]
struct Open {
    number: u16,
    /// Head edge.
    at: At,
    /// Tail edge; the trigger does not close by time before it.
    tail: Option<Micros>,
}

/// The scanner's own logic.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// Triggers that wait, oldest first.
    open: Vec<Open, OPEN_MAX>,
    /// Number of the last trigger; 0 = none since boot.
    last: u16,
    line: Line,
}

type CodeWords = [u16; CODE_MAX / 2];

fn pack(code: &[u8]) -> CodeWords {
    let mut words = [0; CODE_MAX / 2];
    for (word, pair) in words.iter_mut().zip(code.chunks(2)) {
        let high = pair.first().copied().unwrap_or_default();
        *word = u16::from_be_bytes([high, pair.get(1).copied().unwrap_or_default()]);
    }
    words
}

/// Tells the codes of one trigger: all in the ring, or all lost.
fn tell_codes(core: &mut Core, trigger: u16, at: At, codes: &[&[u8]]) {
    let packed: Vec<(CodeWords, u8), { CODES_MAX as usize }> = codes
        .iter()
        .map(|code| (pack(code), u8::try_from(code.len()).unwrap_or(u8::MAX)))
        .collect();
    let of = u8::try_from(codes.len()).unwrap_or(u8::MAX);
    let events: Vec<Event<'_>, { CODES_MAX as usize }> = packed
        .iter()
        .zip(0u8..)
        .filter_map(|((words, len), index)| {
            Some(Event::Code { trigger, index, of, code: Code::new(words, *len)?, at })
        })
        .collect();
    core.emit_all(&events);
}

impl Scanner {
    fn head(&mut self, core: &mut Core, at: At) {
        self.last = self.last.checked_add(1).unwrap_or(1);
        if self.open.is_full() {
            let oldest = self.open.remove(0);
            core.emit(&Event::NoRead { trigger: oldest.number, at: oldest.at });
        }
        // A place was made above.
        let _opened: Result<(), _> = self.open.push(Open { number: self.last, at, tail: None });
        send_trigger(core, self.last);
    }

    fn tail(&mut self, when: Micros) {
        let last = self.last;
        if let Some(open) = self.open.iter_mut().find(|open| open.number == last) {
            open.tail = Some(when);
        }
    }

    fn answer(&mut self, core: &mut Core, line: &Whole) {
        let Answer { number, read } = parse(&line.bytes, line.cut);
        let index = match (number, self.open.as_slice()) {
            (Some(number), open) => open.iter().position(|open| open.number == number),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        let Some(index) = index else {
            let at = core.at().at();
            return core.emit(&Event::Unassigned { trigger: number.unwrap_or_default(), at });
        };
        let Open { number: trigger, at, .. } = self.open.remove(index);
        match read {
            Read::Codes(codes) => tell_codes(core, trigger, at, &codes),
            Read::Nothing => core.emit(&Event::NoRead { trigger, at }),
            Read::TooLong => core.emit(&Event::TooLong { trigger, at }),
        }
    }
}

/// Sends `T<n>` and CR.
fn send_trigger(core: &mut Core, number: u16) {
    let mut text: heapless::String<8> = heapless::String::new();
    // One letter, five digits and CR always fit.
    let _written: core::fmt::Result =
        core::fmt::Write::write_fmt(&mut text, format_args!("T{number}\r"));
    core.send(text.as_bytes());
}

impl Logic for Scanner {
    const KIND: NodeKind = NodeKind::Scanner;

    fn edge(&mut self, core: &mut Core, edge: Edge) {
        match (edge.input, edge.active) {
            (TRIGGER, true) => self.head(core, edge.at.at()),
            (TRIGGER, false) => self.tail(edge.at.now),
            _ => {}
        }
    }

    fn tick(&mut self, core: &mut Core) {
        let (now, wait) = (core.at().now, core.setting_span(SETTING_OWN));
        self.open.retain(|open| {
            let over = open.tail.is_some_and(|tail| tail.plus(wait) <= now);
            if over {
                core.emit(&Event::NoRead { trigger: open.number, at: open.at });
            }
            !over
        });
    }

    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict {
        match (output, value) {
            (READER_ENABLE, 0 | 1) => {
                core.set(output, value);
                Verdict::Accepted
            }
            _ => Verdict::BadArgument,
        }
    }

    /// Puts the illumination out; open triggers still end in order.
    fn safe(&mut self, core: &mut Core) {
        core.set(READER_ENABLE, 0);
    }

    fn device(&mut self, core: &mut Core, bytes: &[u8]) {
        for byte in bytes {
            if let Some(line) = self.line.take(*byte) {
                self.answer(core, &line);
            }
        }
    }

    fn next_deadline(&self, core: &Core) -> Option<Micros> {
        let wait = core.setting_span(SETTING_OWN);
        self.open.iter().filter_map(|open| open.tail.map(|tail| tail.plus(wait))).min()
    }
}
