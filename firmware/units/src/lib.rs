//! Units as types: time, encoder counts, positions, serial numbers and their checked arithmetic.
//!
//! Owns every conversion between integer widths (`as` is banned elsewhere) and every comparison of
//! numbers that wrap. Knows nothing of wires, nodes or parcels. Start reading at [`Position`].
#![no_std]

#[cfg(any(test, feature = "repeat"))]
extern crate std;

mod counts;
mod measure;
#[cfg(feature = "repeat")]
pub mod repeat;
mod serial;
mod time;

pub use counts::{Counts, Distance, EncoderId, Position};
pub use measure::{Grams, Millimeters, MmPerSecond};
pub use serial::Serial;
pub use time::{Micros, Millis};
