//! The sans-io RTU master: one request at a time on one serial line.
//!
//! [`Session::handle`] is total and bounded; the shell moves bytes and calls it with
//! [`Event::Timer`] no later than [`Session::next_deadline`]. An answer is accepted only from the
//! unit asked and only when it fits the request; whatever else is heard is counted, and listening
//! goes on to the deadline. After a time-out nothing is sent before the late answer can no longer
//! come. Where an echo is to be found out, a probe that nobody answers goes first: a port that hears
//! it back echoes. What this cannot tell (a stale answer with the same shape) is the business of a token in
//! the payload.

mod echo;
mod events;
mod machine;

pub use events::{Echo, Event, Outcome, Outputs, View, Wire};
pub use machine::Session;
