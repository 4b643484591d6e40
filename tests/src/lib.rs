//! Controller and simulated line on one virtual clock, and the oracle that judges the outcome.
//!
//! The only place that joins `controller/*` with `sim`. Start reading at [`harness::Harness`]; the
//! judge is [`oracle`], which shares no code with what it judges beyond the journal's codec.

pub mod crash;
pub mod disk;
pub mod harness;
pub mod inputs;
pub mod laps;
pub mod layouts;
pub mod oracle;
pub mod process;
pub mod replays;
pub mod stage;
pub mod summary;
pub mod swarm;
pub mod torture;
pub mod wires;
