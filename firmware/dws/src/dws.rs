//! The scale: one trigger per head edge, one `Measured` per trigger.

use crate::limits::{LINE_BYTES_MAX, OPEN_MAX};
use crate::reading::{Reading, parse};
use heapless::Vec;
use node::{Core, Edge, Identity, Logic, Node};
use registers::NodeKind;
use registers::event::{At, Event};
use registers::exchange::Verdict;
use registers::points::SETTING_OWN;
use registers::points::dws::{TRIGGER, ZERO};
use units::Micros;

/// A weighing and measuring node.
pub type DwsNode = Node<Dws>;

/// Builds a weighing and measuring node as it is after boot: no trigger open.
pub fn node(identity: Identity) -> DwsNode {
    Node::new(identity, Dws::default())
}

/// A trigger that waits for its reading.
#[derive(Clone, Copy, Debug)]
struct Open {
    number: u16,
    /// Head edge as the ring carries it.
    at: At,
    /// Head edge on the node's clock.
    since: Micros,
}

/// The node's own logic.
#[derive(Clone, Debug, Default)]
pub struct Dws {
    /// Triggers that wait, oldest first.
    open: Vec<Open, OPEN_MAX>,
    /// Number of the last trigger; 0 = none since boot.
    last: u16,
    line: Vec<u8, LINE_BYTES_MAX>,
    /// The line is too long: it is dropped up to its end.
    dropping: bool,
}

fn tell(core: &mut Core, open: &Open, value: Option<(u32, [u16; 3])>) {
    let (weight_g, size_mm) = match value {
        Some((weight, size)) => (Some(weight), size),
        None => (None, [0; 3]),
    };
    core.emit(&Event::Measured { trigger: open.number, weight_g, size_mm, at: open.at });
}

impl Dws {
    fn head(&mut self, core: &mut Core, edge: Edge) {
        self.last = self.last.checked_add(1).unwrap_or(1);
        if self.open.is_full() {
            let oldest = self.open.remove(0);
            tell(core, &oldest, None);
        }
        let open = Open { number: self.last, at: edge.at.at(), since: edge.at.now };
        // A place was made above.
        let _opened: Result<(), _> = self.open.push(open);
        let mut text: heapless::String<8> = heapless::String::new();
        // One letter, five digits and CR always fit.
        let _written: core::fmt::Result =
            core::fmt::Write::write_fmt(&mut text, format_args!("T{}\r", self.last));
        core.send(text.as_bytes());
    }

    fn byte(&mut self, core: &mut Core, byte: u8) {
        if byte != b'\r' && byte != b'\n' {
            self.dropping |= self.line.push(byte).is_err();
            return;
        }
        let line = core::mem::take(&mut self.line);
        let dropped = core::mem::take(&mut self.dropping);
        if !line.is_empty() {
            let Reading { number, value } = parse(&line);
            self.answer(core, number, value.filter(|_| !dropped));
        }
    }

    fn answer(&mut self, core: &mut Core, number: u16, value: Option<(u32, [u16; 3])>) {
        match self.open.iter().position(|open| open.number == number) {
            Some(index) => {
                let open = self.open.remove(index);
                tell(core, &open, value);
            }
            None => {
                let at = core.at().at();
                core.emit(&Event::Unassigned { trigger: number, at });
            }
        }
    }
}

impl Logic for Dws {
    const KIND: NodeKind = NodeKind::Dws;

    fn edge(&mut self, core: &mut Core, edge: Edge) {
        if edge.input == TRIGGER && edge.active {
            self.head(core, edge);
        }
    }

    fn tick(&mut self, core: &mut Core) {
        let (now, wait) = (core.at().now, core.setting_span(SETTING_OWN));
        self.open.retain(|open| {
            let over = open.since.plus(wait) <= now;
            if over {
                tell(core, open, None);
            }
            !over
        });
    }

    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict {
        match (output, value) {
            (ZERO, 0 | 1) => {
                core.set(output, value);
                Verdict::Accepted
            }
            _ => Verdict::BadArgument,
        }
    }

    /// Ends zeroing; open triggers still end in order.
    fn safe(&mut self, core: &mut Core) {
        core.set(ZERO, 0);
    }

    fn device(&mut self, core: &mut Core, bytes: &[u8]) {
        for byte in bytes {
            self.byte(core, *byte);
        }
    }

    fn next_deadline(&self, core: &Core) -> Option<Micros> {
        let wait = core.setting_span(SETTING_OWN);
        self.open.iter().map(|open| open.since.plus(wait)).min()
    }
}
