//! Register maps of other people's test servers, served by our own server core, so that their
//! unmodified clients can judge it.
//!
//! A profile is sans-io: a whole request in, a [`Reply`] out, with the times that its faults ask
//! for. [`Line`] puts a profile on a serial line as a node is on it, with a real node beside it.

mod libmodbus_ut;
mod line;

pub use libmodbus_ut::LibmodbusUt;
pub use line::Line;

use units::Micros;

/// What a profile sends, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The whole frame.
    pub frame: Vec<u8>,
    /// How long the server waits before it.
    pub after: Micros,
    /// How long it waits before each byte.
    pub per_byte: Micros,
}

impl Reply {
    /// A frame that leaves at once.
    fn now(frame: Vec<u8>) -> Self {
        Self { frame, after: Micros::ZERO, per_byte: Micros::ZERO }
    }
}
