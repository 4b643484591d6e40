//! Barcode scanner node logic: triggers, codes and their assignment.
//!
//! Owns which code belongs to which trigger: by the number that the reader echoes, or because only
//! one trigger is open. Start reading at [`Scanner`].
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

mod answer;
pub mod io;
pub mod limits;
mod line;
mod scanner;

pub use scanner::{Scanner, ScannerNode, node};
