//! What a session is told, what it says, and what it counts.

use units::Micros;

use crate::pdu::Pdu;
use crate::rtu::{Frame, Timing};

/// What a session must know of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Bits a second.
    pub baud: u32,
    /// Bits of one character: 11 for 8E1, 10 for 8N1.
    pub bits_per_char: u8,
    /// The longest time that any node takes from the end of a request to the start of its answer,
    /// the latency of the adapter included. Quarantine after a time-out lasts that long.
    pub turnaround_max: Micros,
    /// How long nodes may take to execute a broadcast.
    pub broadcast_wait: Micros,
    /// Whether the adapter hears what it sends.
    pub echo: Echo,
}

/// Whether an adapter hears its own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It does not.
    Absent,
    /// It does: exactly the bytes sent are stripped from what is heard.
    Present,
    /// To be found out each time the port opens, before the first request is sent.
    Detect,
}

impl Wire {
    /// The times on this line.
    pub const fn timing(&self) -> Timing {
        Timing { baud: self.baud, bits_per_char: self.bits_per_char }
    }
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The port is open (again).
    Opened,
    /// The port is gone.
    Closed,
    /// Send a request as soon as the line is free.
    Submit {
        /// Whom to ask; 0 is a broadcast.
        unit: u8,
        /// The request PDU.
        pdu: &'a [u8],
        /// How long after the computed end of the request the answer may take to begin; its own
        /// time on the wire is added.
        timeout: Micros,
    },
    /// Bytes came from the port.
    Received(&'a [u8]),
    /// The deadline may have been reached.
    Timer,
}

/// How a submitted request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "without a heap the answer has no other place")]
pub enum Outcome {
    /// The unit answered, perhaps with an exception; the PDU fits the request.
    Answer {
        /// Who answered.
        unit: u8,
        /// The answer PDU.
        pdu: Pdu,
    },
    /// No fitting answer came, or the line never fell quiet for sending.
    Timeout,
    /// The broadcast was sent and its waiting time is over.
    BroadcastDone,
    /// The port was or went away; whether the unit executed the request is unknown.
    PortLost,
    /// This submission is refused: another request is outstanding and goes on.
    Busy,
    /// This submission is refused: a PDU has 1 to 253 bytes.
    Unfit {
        /// Bytes that the PDU had.
        len: usize,
    },
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Discard what the kernel has received.
    pub drain: bool,
    /// Send this frame.
    pub send: Option<Frame>,
    /// Tell the one who submitted.
    pub done: Option<Outcome>,
}

/// Counters since the session was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Requests sent, broadcasts included, probes for an echo not.
    pub sent: u64,
    /// Answers accepted, exceptions included.
    pub answers: u64,
    /// Exceptions among the answers.
    pub exceptions: u64,
    /// Requests sent without a fitting answer.
    pub timeouts: u64,
    /// Requests never sent, because the line did not fall quiet.
    pub blocked: u64,
    /// Stretches of bytes that were no frame.
    pub crc: u64,
    /// Whole frames of another unit while an answer was awaited.
    pub foreign: u64,
    /// Whole frames while no answer was awaited.
    pub late: u64,
    /// Whole frames equal to the answer accepted last.
    pub duplicates: u64,
    /// Whole frames of the unit asked that do not fit the request.
    pub mismatch: u64,
    /// Own frames heard and stripped.
    pub echo: u64,
    /// Own frames heard altered: the request was garbled on the line.
    pub echo_garbled: u64,
    /// Answers that are the request itself, heard before a node could have sent them, on a line
    /// without echo. When it grows with every such write, the line echoes after all and nobody
    /// executes anything. A port without wire times (a pseudo-terminal) lets honest answers look
    /// like this.
    pub echo_suspected: u64,
    /// Whether the line echoes; `None` until it was found out.
    pub echoes: Option<bool>,
}
