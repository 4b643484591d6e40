//! RTU framing: unit, PDU and CRC on a serial line, ended by length, CRC and silence.

mod frame;
mod length;
mod receiver;
mod timing;

pub use frame::{FrameError, check, encode};
pub use length::{Length, answer_length, request_length};
pub use receiver::{Receiver, Tally};
pub use timing::Timing;

pub(crate) use frame::seal;
pub(crate) use length::framed;

/// The longest frame, in bytes: unit, PDU of 253, CRC.
pub const MAX_FRAME: usize = 256;
/// The shortest frame: unit, function, CRC.
pub const MIN_FRAME: usize = 4;
/// The unit that addresses every node at once; nobody answers it.
pub const BROADCAST: u8 = 0;

/// A frame that owns its bytes.
pub type Frame = crate::Buffer<MAX_FRAME>;
