//! Sans-io Modbus master of the line's nodes: bytes to meaning and back.
//!
//! Owns the exactly-once exchange with every node of one bus: identity, settings, ownership, the
//! ring's sequence, orders with their numbers, and the maps from each node's counts to the belt's
//! frame. Knows no parcel and no decision's reason, no socket and no clock. Start reading at
//! [`Master`], then `poll` (whose turn it is), `answer` (what follows), `decode` and `encode`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod align;
mod answer;
mod decode;
mod edges;
mod encode;
mod exchange;
mod health;
mod limits;
mod map;
mod master;
mod poll;
mod queue;
mod setup;
mod station;
mod view;

pub use edges::Sights;
pub use encode::orders;
pub use health::Health;
pub use limits::LinkLimits;
pub use map::Frame;
pub use master::{Master, Report, What};
pub use queue::{Nature, Order};
pub use setup::{BusId, BusSetup, InputRole, Mark, Outcome, StationSetup, Transmit};
pub use station::{Counters, State, Why};
pub use view::{BusView, StationView};
