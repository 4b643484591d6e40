//! The line: parcels, tracking, routing, diverting, landing and PackML, as one sans-io machine.
//!
//! Owns every decision about a parcel. Knows nothing of wires, registers, clocks, files or people's
//! screens. Start reading at [`signal::Input`] (all that can happen), [`decision::Decision`] (all
//! that may be asked), then `Line::handle`.
#![no_std]
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod alarm;
mod annunciator;
pub mod chute;
mod chutes;
pub mod decision;
mod deed;
mod divert;
mod drives;
pub mod foreign;
mod gaps;
mod health;
mod identify;
pub mod ids;
pub mod invariants;
pub mod jog;
mod landing;
mod laps;
pub mod layout;
pub mod limits;
pub mod line;
pub mod live;
mod machine;
pub mod memory;
mod mode;
pub mod packml;
pub mod parcel;
pub mod plan;
pub mod reason;
pub mod rescan;
mod routing;
mod show;
pub mod signal;
mod tally;
mod tracking;
pub mod view;
mod watch;
pub mod waybills;

#[cfg(test)]
mod harness;
#[cfg(test)]
mod tests;

pub use line::Line;
pub use memory::Memory;
