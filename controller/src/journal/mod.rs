//! The journal: one SQLite file a business day, which hold the truth and what people read.
//!
//! [`writer`] is the only one that writes: records, marks, chain heads and projections in one
//! transaction; `begin` makes the next day's file, `keeper` works off the hot path. [`restart`]
//! brings the line back from the last snapshot and the records behind it. [`reader`] serves people
//! from read-only connections, [`verify`] proves the chain, [`backup`] carries it elsewhere.
//! Tables: [`schema`]. The whole story: `controller/JOURNAL.md`.

pub mod backup;
pub mod begin;
pub mod commands;
mod fault;
pub mod files;
mod keeper;
mod log;
mod migrate;
pub mod policy;
mod project;
pub mod reader;
pub mod restart;
mod retention;
pub mod schema;
pub mod snapshots;
mod store;
pub mod verify;
mod walk;
pub mod writer;

pub use fault::JournalFault;
pub use policy::{Day, Policy};
pub use reader::records;
pub use store::Store;
pub use verify::verify;

/// Name of the only file of a journal of format 1.
pub const FILE: &str = "journal.sqlite";
/// Name of the file whose lock keeps a second daemon away.
pub const LOCK: &str = "lock";

#[cfg(test)]
mod tests;
