//! The flight recorder: the last minutes of raw frames of every bus, kept in bounded memory.
//!
//! [`ring`] holds the frames, [`schedule`] decides when they go to disk, [`dump`] is a file of them,
//! [`recorder`] is the thread that joins the three. A dump holds what no dump before it holds, so
//! that dumps follow each other without overlap; frames are masked before they are written. Nothing
//! here can make a bus or the loop wait: the [tap](crate::bus::tap) drops what is not taken in time.

pub mod dump;
pub mod recorder;
pub mod ring;
pub mod schedule;

use std::path::{Path, PathBuf};

use units::Micros;

/// Name of the dumps' directory in the data directory.
pub const DIRECTORY: &str = "flight";

/// The directory of the dumps of a data directory.
pub fn directory(data: &Path) -> PathBuf {
    data.join(DIRECTORY)
}

/// A site's choices for its flight recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Bytes of frames kept in memory; beyond it the oldest are forgotten.
    pub memory_bytes: usize,
    /// Age at which frames are forgotten.
    pub span: Micros,
    /// Least time between two dumps that alarms ask for.
    pub dump_every: Micros,
    /// Dumps that are kept; one more and the oldest is deleted.
    pub dumps_max: usize,
    /// Bytes of dumps that are kept; before more, the oldest are deleted.
    pub disk_bytes: u64,
}

impl Default for Policy {
    /// 32 MiB, ten minutes; a dump a minute, 64 of them in 512 MiB.
    fn default() -> Self {
        Self {
            memory_bytes: 32 << 20,
            span: Micros::from_secs(600),
            dump_every: Micros::from_secs(60),
            dumps_max: 64,
            disk_bytes: 512 << 20,
        }
    }
}
