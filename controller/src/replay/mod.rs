//! Replay: the line handles a journal's records again and must decide the same, to the bit.
//!
//! Everything comes from the journal itself: the line file that it keeps, its snapshots and its
//! records; nothing beside it is read, so that it works on another machine. [`machine`] is the
//! replay proper, for the program and for tests; [`recording`] opens what there is to replay;
//! [`command`] is what people see.

pub mod command;
pub mod machine;
pub mod recording;
pub mod time;
pub mod words;

pub use machine::{Beginning, Difference, Replay, ReplayFault, Replayed, Step, UtcPair, verify};
pub use recording::{Recording, RecordingFault};
