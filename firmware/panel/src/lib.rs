//! Operator panel node logic.
//!
//! Owns the lamps and the horn; the contacts and buttons go to the ring as they are. Knows nothing
//! of machine states. Start reading at [`Panel`].
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

pub mod io;
mod panel;

pub use panel::{Panel, PanelNode, node};
