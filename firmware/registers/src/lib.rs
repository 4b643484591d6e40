//! The wire contract between host and node: register maps, exchange blocks, ring events, points.
//!
//! One fact in one place: a node's bank, the host's poll plan, the simulator's defaults and
//! `REGISTERS.md` all come from the tables here. Knows nothing of nodes, links or parcels.
//! Start reading at [`map`], then [`exchange`], then [`event`].
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

pub mod address;
pub mod check;
pub mod descriptor;
pub mod event;
pub mod exchange;
pub mod map;
pub mod objects;
pub mod points;
pub mod status;
mod words;

pub use map::{MAP_VERSION, NodeKind};
pub use words::{Reader, Writer};
