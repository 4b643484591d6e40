//! Weighing and measuring node logic: one reading per trigger.
//!
//! Owns which reading belongs to which trigger: only by the number that the scale echoes. Start
//! reading at [`Dws`].
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

mod dws;
pub mod io;
pub mod limits;
mod reading;

pub use dws::{Dws, DwsNode, node};
