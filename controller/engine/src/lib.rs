//! Joins links and line; forms journal records.
//!
//! Owns the order of truth: every input of the line with its decisions is one record, what
//! energises or acknowledges waits until its record is durable, what stops never waits. Owns no
//! clock, no file and no socket. Start reading at [`Wake`] and [`Effects`] (all that enters and
//! leaves), then [`Engine::handle`].
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod chain;
mod codec;
pub mod door;
mod engine;
mod gate;
pub mod record;
pub mod snapshot;
mod wake;

pub use engine::{Engine, Tamper};
pub use node_link::{
    BusId, BusSetup, BusView, Counters, Health, InputRole, LinkLimits, Mark, Outcome,
    State as StationState, StationSetup, StationView, Transmit, Why,
};
pub use wake::{Effects, EngineLimits, EngineSetup, EngineView, Question, Record, Start, Wake};
