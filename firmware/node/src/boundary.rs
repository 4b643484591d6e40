//! What goes into a node and what comes out of it.

use crate::limits::{CHANGES_MAX, DEVICE_BYTES_MAX, OUTPUTS_MAX, REPLY_BYTES_MAX};
use heapless::Vec;
use modbus::server::Counters;
use registers::event::At;
use registers::status::{ArmedList, Status};
use units::{Counts, Micros, Millis, Serial};

/// The instant of an input on this node: its own microsecond clock and its encoders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The node's own clock since boot (any origin, never runs back).
    pub now: Micros,
    /// The main encoder: the belt that the node's eyes look at.
    pub count: Counts,
    /// The second encoder: a gapping zone's take-away belt; anything where there is none.
    pub second: Counts,
}

impl Stamp {
    /// The instant as ring entries carry it.
    pub const fn at(self) -> At {
        At { count: self.count, ms: Millis::of(self.now) }
    }
}

/// What a UART says of a character that cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// The parity bit does not fit.
    Parity,
    /// The stop bit was low, or the UART says no more than that the character is bad.
    Framing,
    /// A character was lost because the one before had not been fetched.
    Overrun,
    /// The line was low for longer than a character.
    Break,
}

/// What happens to a node.
///
/// A serial line is given byte by byte (`Bytes`, `LineError`, `Silence`) by a board, or in whole
/// frames (`Rtu`) by a simulator. Whoever mixes the two says `Silence` before the next `Bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Bytes from the serial line as the UART gives them, in any portions, at the instant of the
    /// last one. The node finds its requests in them. What the node itself sends is not among
    /// them: the receiver of a two-wire line is off while its driver is on.
    Bytes(&'a [u8]),
    /// The UART could not read a character: everything up to the next silence is dropped.
    LineError(LineError),
    /// The serial line was quiet for t3.5. A node listens from the first silence on.
    Silence,
    /// One whole RTU frame, slave address to CRC, at the instant of its last byte.
    Rtu(&'a [u8]),
    /// One whole Modbus TCP frame, MBAP header included.
    Tcp(&'a [u8]),
    /// The raw, undebounced level of an input at the instant it changed.
    Level {
        /// Input id of the node kind.
        input: u8,
        /// true = eye blocked, contact active.
        level: bool,
    },
    /// Bytes from the reader or the scale, in any portions.
    Device(&'a [u8]),
    /// Nothing but the passing of time or counts.
    Tick,
}

/// What a node wants done after one input; [`crate::Node::handle`] empties it first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The answer frame in the form of the request (RTU or TCP); empty = stay silent. On a serial
    /// line it is sent after t3.5 of silence; when several requests came at once, it is the answer
    /// to the last frame, because whoever sends again no longer awaits an earlier answer.
    pub reply: Vec<u8, REPLY_BYTES_MAX>,
    /// Outputs that changed, in order of their ids: output id and new value.
    pub outputs: Vec<(u8, u32), CHANGES_MAX>,
    /// Bytes to the reader or scale.
    pub device: Vec<u8, DEVICE_BYTES_MAX>,
    /// The node's new slave address from the next input on: the shell stores it, and gives it as
    /// [`Identity::unit`] after the next boot.
    pub unit: Option<u8>,
}

impl Output {
    /// Builds an empty output.
    pub const fn new() -> Self {
        Self { reply: Vec::new(), outputs: Vec::new(), device: Vec::new(), unit: None }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.reply.clear();
        self.outputs.clear();
        self.device.clear();
        self.unit = None;
    }
}

/// Who a node is in this boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Slave address (RTU) and unit id (TCP); also part of every check word.
    pub unit: u8,
    /// This boot's id, never 0 (a 0 is taken as 1); another value after each boot.
    pub boot_id: u16,
    /// Serial number of the node.
    pub serial_number: u32,
    /// First 32 bits of the firmware image's hash.
    pub firmware_hash: u32,
    /// 0 power on, 1 watchdog, 2 software.
    pub reset_cause: u16,
    /// Sequence number of the first event of this boot.
    pub first_event: Serial,
    /// Where the command sequence starts: the first command taken is its successor.
    pub last_command: Serial,
}

/// A node as seen from outside, for screens and tests; never part of its behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The status block with token 0.
    pub status: Status,
    /// The armed list with token 0.
    pub armed: ArmedList,
    /// Output values by id.
    pub outputs: [u32; OUTPUTS_MAX],
    /// New slave addresses taken since boot, saturating.
    pub address_changes: u16,
    /// The counters of FC 08.
    pub counters: Counters,
}
