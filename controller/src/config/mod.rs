//! Files that people write, read and checked: line file, sort plan, manifest.
//!
//! Owns every rule that a file must keep, the ranges of its keys ([`keys`]) and the way faults are
//! shown ([`fault`]); a file with faults gives all of them at once and nothing else. Knows no bus, no
//! disk and no clock. Start reading at [`check`](fn@check), then [`plan::load`], [`manifest::load`].

mod build;
mod check;
#[cfg(test)]
mod docs;
mod end;
pub mod fault;
mod geometry;
pub mod keys;
pub mod limit;
pub mod manifest;
mod names;
pub mod plan;
pub mod planner;
mod policies;
mod repair;
mod rescanners;
pub mod waybill;

pub(crate) use build::kind as wire_kind;
pub use build::{BusPort, Line, Screens};
pub use check::check;
pub use fault::{Fault, Faults};
pub use policies::Policies;
