//! Conveyor zone node logic: transport, accumulation and gapping.
//!
//! Owns when the drive runs; knows nothing of parcels beyond its eyes. Start reading at [`Zone`],
//! then `gapping`.
#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

#[cfg(test)]
extern crate std;

mod gapping;
pub mod io;
pub mod limits;
mod zone;

pub use zone::{Zone, ZoneNode, node};
