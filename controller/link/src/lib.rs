//! Sans-io Modbus master of the line's nodes: bytes to meaning and back.
#![no_std]

extern crate alloc;

mod limits;
mod setup;

pub use limits::LinkLimits;
pub use setup::{BusId, BusSetup, InputRole, Mark, Outcome, StationSetup, Transmit};
