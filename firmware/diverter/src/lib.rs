//! Wheel diverter node logic: arms become firings of the bed.
//!
//! Owns the bed; the queue of arms is `node::armed`. A bed fires only on the node's own arrival eye,
//! inside a window that the host armed ahead. Start reading at [`Diverter`].
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

mod bed;
mod diverter;
pub mod io;
mod lamp;

pub use diverter::{Diverter, DiverterNode, node};
