#![doc = include_str!("../README.md")]
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

mod buffer;
pub mod crc;
pub mod mbap;
pub mod pdu;
pub mod rtu;
pub mod server;
pub mod session;

pub use buffer::{Buffer, Full};
