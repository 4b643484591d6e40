//! What every node shares: server, exchange, event ring, armed queue, lease, debounce.
//!
//! Owns the behaviour behind the wire contract of `registers` that does not depend on the node's
//! kind; the kinds plug in through [`Logic`]. Knows no clock and no socket, and pins only in [`io`]:
//! time, encoder counts, levels and the bytes of the line come in through [`Node::handle`]. Start reading
//! there.
#![no_std]
#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(
    not(any(test, feature = "bench")),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

#[cfg(any(test, feature = "bench"))]
extern crate std;

pub mod armed;
mod bank;
#[cfg(any(test, feature = "bench"))]
pub mod bench;
mod boundary;
mod core;
mod debounce;
mod event_ring;
mod exchange;
pub mod io;
mod lease;
pub mod limits;
mod line;
mod logic;
mod machine;
mod outputs;
mod settings;

pub use crate::core::Core;
pub use boundary::{Identity, Input, LineError, Output, Stamp, View};
pub use debounce::Edge;
pub use event_ring::EventRing;
pub use logic::Logic;
pub use machine::Node;
