//! The journal: one SQLite file that holds the truth and what people read.
//!
//! [`writer`] is the only one that writes: records, marks, chain head and projections in one
//! transaction. [`restart`] brings the line back from the last snapshot and the records behind it.
//! [`reader`] serves people from read-only connections, [`verify`] proves the chain.
//! Tables: [`schema`].

mod project;
pub mod reader;
pub mod restart;
pub mod schema;
mod store;
pub mod writer;

pub use reader::{records, verify};
pub use store::{Store, open_to_read};

use std::path::PathBuf;

use crate::exit::Exit;

/// Name of the journal's file in the data directory.
pub const FILE: &str = "journal.sqlite";
/// Name of the file whose lock keeps a second daemon away.
pub const LOCK: &str = "lock";

/// Why a journal cannot be used.
#[derive(Debug)]
pub enum JournalFault {
    /// The data directory or a file in it cannot be made or opened.
    Directory {
        /// Which path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another daemon works on the data directory.
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// There is no journal.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is no journal, or of another format.
    Format {
        /// Which file.
        path: PathBuf,
        /// What stands where the format number should.
        found: i64,
    },
    /// SQLite could not read the file.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A record cannot be decoded.
    Record {
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// A record is missing.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The chain head does not fit the records.
    Chain {
        /// The record up to which it was written.
        number: u64,
    },
    /// The same input leads to other decisions than were recorded.
    Decisions {
        /// The record.
        number: u64,
        /// What was recorded.
        recorded: String,
        /// What comes now.
        now: String,
    },
    /// The journal was written by a line with another geometry.
    OtherLine {
        /// The data directory.
        path: PathBuf,
    },
}

impl JournalFault {
    /// The exit code that it leads to.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Directory { .. }
            | Self::InUse { .. }
            | Self::Missing { .. }
            | Self::OtherLine { .. } => Exit::CannotStart,
            Self::Format { .. }
            | Self::Unreadable { .. }
            | Self::Record { .. }
            | Self::Gap { .. }
            | Self::Chain { .. }
            | Self::Decisions { .. } => Exit::JournalDamaged,
        }
    }
}

impl std::fmt::Display for JournalFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory { path, source } => write!(f, "use {}: {source}", path.display()),
            Self::InUse { path } => {
                write!(f, "lock {}: another daemon works on this data directory", path.display())
            }
            Self::Missing { path } => write!(f, "read {}: there is no journal", path.display()),
            Self::Format { path, found } => write!(
                f,
                "read {}: format {found} is not format {} of this program's journal",
                path.display(),
                schema::VERSION
            ),
            Self::Unreadable { path, source } => {
                write!(f, "read {}: {source}; the file is damaged or no journal", path.display())
            }
            Self::Record { number, why } => write!(f, "decode record {number}: {why}"),
            Self::Gap { expected, found } => {
                write!(f, "find record {expected}: the next one is {found}")
            }
            Self::Chain { number } => {
                write!(f, "verify the chain at record {number}: a record before it was altered")
            }
            Self::Decisions { number, recorded, now } => write!(
                f,
                "repeat record {number}: recorded was {recorded}, this program decides {now}"
            ),
            Self::OtherLine { path } => write!(
                f,
                "go on from {}: its line has another geometry; give a new data directory",
                path.display()
            ),
        }
    }
}

impl std::error::Error for JournalFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::Unreadable { source, .. } => Some(source),
            Self::InUse { .. }
            | Self::Missing { .. }
            | Self::Format { .. }
            | Self::Record { .. }
            | Self::Gap { .. }
            | Self::Chain { .. }
            | Self::Decisions { .. }
            | Self::OtherLine { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
