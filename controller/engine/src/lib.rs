//! Joins links and line; forms journal records.
#![no_std]

extern crate alloc;

mod wake;

pub use node_link::{
    BusId, BusSetup, InputRole, LinkLimits, Mark, Outcome, StationSetup, Transmit,
};
pub use wake::{Effects, EngineLimits, EngineSetup, Question, Record, Wake};
