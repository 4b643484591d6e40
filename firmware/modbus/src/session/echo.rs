//! Own bytes heard back: found out once, stripped always, suspected where there should be none.

use units::Micros;

use super::machine::count;
use super::{Echo, Outputs, Session};
use crate::pdu::read_holding;
use crate::rtu::{Frame, MAX_FRAME, check, encode};

/// Whom a probe asks. No node may have a unit above 247, so nobody is asked and nobody answers.
const NOBODY: u8 = 251;

/// Whether the line echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detection {
    /// Declared or found out.
    Known(bool),
    /// A probe is to be sent as soon as the line is quiet. Entered when the port opens and after a
    /// probe of which something else than nothing or itself was heard.
    Wanted,
    /// A probe was sent. Ends when nothing more can come of it.
    Listening,
}

impl Detection {
    pub(super) const fn of(echo: Echo) -> Self {
        match echo {
            Echo::Absent => Self::Known(false),
            Echo::Present => Self::Known(true),
            Echo::Detect => Self::Wanted,
        }
    }

    pub(super) const fn echoes(self) -> Option<bool> {
        match self {
            Self::Known(echoes) => Some(echoes),
            Self::Wanted | Self::Listening => None,
        }
    }
}

/// How far the own frame was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// The line does not echo, or all of it was stripped.
    Passed,
    /// This many bytes were heard and stripped.
    Seen(usize),
    /// Other bytes were heard: the request is garbled, so nothing heard can be its answer.
    Garbled,
}

/// The frame that finds out whether the line echoes: a read of one register of nobody.
///
/// A read changes nothing, whoever takes it for his; every framing knows its length, so it leaves
/// nothing behind in a node that frames by length; and no answer to it can equal it (an answer
/// counts 2 bytes where the request has the high byte of address 0).
fn probe() -> Frame {
    let (mut pdu, mut frame) = ([0; 5], [0; MAX_FRAME]);
    // Both always fit.
    let len = read_holding(0, 1, &mut pdu).and_then(|_| encode(NOBODY, &pdu, &mut frame));
    let whole = len.ok().and_then(|len| frame.get(..len)).map(Frame::copy_of);
    whole.and_then(Result::ok).unwrap_or_default()
}

impl Session {
    /// Whether own bytes are heard and stripped.
    pub(super) fn echoes(&self) -> bool {
        self.detection.echoes() == Some(true)
    }

    /// How long a probe keeps the line.
    pub(super) fn probe_time(&self) -> Micros {
        let wire = self.wire.timing().wire_time(probe().as_bytes().len());
        wire.plus(self.wire.turnaround_max).plus(self.silence())
    }

    /// Whether it is known if the line echoes; else does the next step to find out. The line must be
    /// quiet now.
    pub(super) fn knows_echo(&mut self, now: Micros, out: &mut Outputs) -> bool {
        if self.detection == Detection::Listening {
            self.conclude();
        }
        match self.detection {
            Detection::Known(_) => true,
            Detection::Wanted | Detection::Listening => {
                self.sweep();
                self.detection = Detection::Listening;
                self.ready = now.plus(self.probe_time());
                out.drain = true;
                out.send = Some(probe());
                false
            }
        }
    }

    /// Judges what was heard of the probe.
    fn conclude(&mut self) {
        let probe = probe();
        self.detection = match self.heard.as_bytes().strip_prefix(probe.as_bytes()) {
            Some(_) => {
                self.heard.drop_front(probe.as_bytes().len());
                self.heard_unasked();
                Detection::Known(true)
            }
            None if self.heard.as_bytes().is_empty() => Detection::Known(false),
            // Somebody answers for units that are not his, and no echo came before that.
            None if check(self.heard.as_bytes()).is_ok_and(|(unit, _)| unit == NOBODY) => {
                count(&mut self.view.foreign);
                self.heard.clear();
                Detection::Known(false)
            }
            None => Detection::Wanted,
        };
        self.sweep();
    }

    /// Takes exactly the bytes sent off the front of what is heard first.
    pub(super) fn strip_echo<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Own::Seen(seen) = self.own else { return bytes };
        let due = self.request.as_bytes().get(seen..).unwrap_or_default();
        let same = due.iter().zip(bytes).take_while(|(sent, heard)| sent == heard).count();
        let rest = bytes.get(same..).unwrap_or_default();
        if same == due.len() {
            count(&mut self.view.echo);
            self.own = Own::Passed;
        } else if rest.is_empty() {
            self.own = Own::Seen(seen.saturating_add(same));
        } else {
            count(&mut self.view.echo_garbled);
            self.own = Own::Garbled;
        }
        rest
    }

    /// Counts an answer that is the request itself and came before any node could have begun it, on
    /// a line that should not echo.
    pub(super) fn suspect(&mut self, now: Micros, answer: &[u8]) {
        let [_, request @ .., _, _] = self.request.as_bytes() else { return };
        let early = now < self.sent_end.plus(self.silence());
        if early && request == answer && !self.echoes() {
            count(&mut self.view.echo_suspected);
        }
    }
}
