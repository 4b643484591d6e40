//! The nodes of the line, each in its station.
//!
//! A station is the place of one node: it gives it frames, levels and device bytes with the stamp
//! of the node's own clock and encoders, and takes its answer and outputs. [`NativeNode`] is the
//! node crate itself running in this process. An emulated CPU with an unmodified firmware image
//! belongs in the same place: whatever takes [`node::Input`] with a [`node::Stamp`] in virtual time,
//! gives a [`node::Output`] back and says when it needs the next tick. Nothing in here knows what a
//! node does with its inputs.

mod clock;
mod station;

pub use clock::Clock;
pub use station::{Encoder, NativeNode, Station};
