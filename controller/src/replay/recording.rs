//! What there is to replay: a data directory, one file of its journal, or an incident file.
//!
//! All of them keep their records, snapshots and line file in tables of the same names, so that one
//! reader serves them; it opens nothing for writing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use line_engine::{record, snapshot};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use units::Micros;

use super::machine::{Beginning, UtcPair};
use crate::config::{self, Faults, Line};
use crate::flight::dump;
use crate::journal::{FILE, files};

/// Why a recording cannot be read.
#[derive(Debug)]
pub enum RecordingFault {
    /// There is nothing to replay at this path.
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file is a dump of raw frames and has no records.
    Frames {
        /// Which file.
        path: PathBuf,
    },
    /// A file cannot be read.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// No line file is kept inside, so that nobody can tell what the records mean.
    NoLine {
        /// Which file.
        path: PathBuf,
    },
    /// This program does not take the line file that is kept inside.
    Line(Faults),
    /// The records begin behind a snapshot that is not there or cannot be read.
    NoBeginning {
        /// The first record.
        first: u64,
    },
}

impl std::fmt::Display for RecordingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { path } => {
                write!(f, "read {}: there is no journal and no incident", path.display())
            }
            Self::Frames { path } => write!(
                f,
                "read {0}: it holds raw frames and no records; see `sortline bus frames {0}`",
                path.display()
            ),
            Self::Unreadable { path, source } => write!(f, "read {}: {source}", path.display()),
            Self::NoLine { path } => {
                write!(f, "read {}: it keeps no line file", path.display())
            }
            Self::Line(faults) => write!(f, "understand the line file kept inside:\n{faults}"),
            Self::NoBeginning { first } => {
                write!(f, "begin at record {first}: no snapshot before it is there or can be read")
            }
        }
    }
}

impl std::error::Error for RecordingFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Missing { .. }
            | Self::Frames { .. }
            | Self::NoLine { .. }
            | Self::Line(_)
            | Self::NoBeginning { .. } => None,
        }
    }
}

/// One file, open to read.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    connection: Connection,
}

impl Part {
    fn open(path: PathBuf) -> Result<Self, RecordingFault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags).and_then(|connection| {
            let application =
                connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0))?;
            Ok((connection, application))
        });
        match opened {
            Ok((_, dump::APPLICATION)) => Err(RecordingFault::Frames { path }),
            Ok((connection, _)) => Ok(Self { path, connection }),
            Err(source) => Err(RecordingFault::Unreadable { path, source }),
        }
    }

    fn fault(&self, source: rusqlite::Error) -> RecordingFault {
        RecordingFault::Unreadable { path: self.path.clone(), source }
    }
}

/// A file that is kept inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `line`, `plan` or `manifest`.
    pub kind: String,
    /// Its name when it was given.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it was read, microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
}

/// A recording, open to read; its files follow each other.
#[derive(Debug)]
pub struct Recording {
    parts: Vec<Part>,
}

impl Recording {
    /// Opens a data directory, a file of a journal, or an incident file.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordingFault> {
        let paths = if path.is_dir() { daily(path) } else { vec![path.to_owned()] };
        let there: Vec<PathBuf> = paths.into_iter().filter(|path| path.is_file()).collect();
        if there.is_empty() {
            return Err(RecordingFault::Missing { path: path.to_owned() });
        }
        let parts = there.into_iter().map(Part::open).collect::<Result<_, _>>()?;
        Ok(Self { parts })
    }

    /// The line of the newest line file kept inside.
    ///
    /// # Errors
    /// When there is none, or this program does not take it.
    pub fn line(&self) -> Result<Line, RecordingFault> {
        let Some(kept) = self.kept("line")? else {
            let path = self.parts.last().map(|part| part.path.clone()).unwrap_or_default();
            return Err(RecordingFault::NoLine { path });
        };
        config::check(&kept.name, &kept.bytes).map_err(RecordingFault::Line)
    }

    /// The newest file of a kind that is kept inside.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn kept(&self, kind: &str) -> Result<Option<Kept>, RecordingFault> {
        for part in self.parts.iter().rev() {
            let found = part
                .connection
                .query_row(
                    "SELECT kind, name, bytes, utc_us FROM files WHERE kind = ?1
                     ORDER BY id DESC LIMIT 1",
                    [kind],
                    |row| {
                        Ok(Kept {
                            kind: row.get(0)?,
                            name: row.get(1)?,
                            bytes: row.get(2)?,
                            utc_us: row.get(3)?,
                        })
                    },
                )
                .optional();
            if let Some(found) = found.map_err(|source| part.fault(source))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Where a replay of everything begins: behind the first file's first snapshot, or from nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or the snapshot before the first record is missing.
    pub fn beginning(&self) -> Result<Beginning, RecordingFault> {
        match self.first_record()? {
            None | Some(1) => Ok(Beginning::NOTHING),
            Some(first) => self
                .beginning_before(first)?
                .filter(|beginning| beginning.behind + 1 == first)
                .ok_or(RecordingFault::NoBeginning { first }),
        }
    }

    /// The newest readable snapshot before `record`; `None` when the replay must begin from nothing.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn beginning_before(&self, record: u64) -> Result<Option<Beginning>, RecordingFault> {
        let snapshots = self.snapshots()?;
        for (behind, bytes) in snapshots.range(..record).rev() {
            if let Ok(memory) = snapshot::decode(bytes) {
                let utc = self.utc_before(memory.now)?;
                return Ok(Some(Beginning { behind: *behind, memory: Some(memory), utc }));
            }
        }
        Ok(None)
    }

    /// Every snapshot by the number of the record that it stands behind.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn snapshots(&self) -> Result<BTreeMap<u64, Vec<u8>>, RecordingFault> {
        let mut found = BTreeMap::new();
        for part in &self.parts {
            let read = || {
                let mut rows = part.connection.prepare("SELECT number, bytes FROM snapshots")?;
                let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<rusqlite::Result<Vec<(u64, Vec<u8>)>>>()
            };
            found.extend(read().map_err(|source| part.fault(source))?);
        }
        Ok(found)
    }

    /// Gives every record behind `number` in order, until `each` breaks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn each(
        &self,
        number: u64,
        mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), RecordingFault> {
        for part in &self.parts {
            let mut read = || -> rusqlite::Result<ControlFlow<()>> {
                let sql = "SELECT bytes FROM records WHERE number > ?1 ORDER BY number";
                let mut rows = part.connection.prepare(sql)?;
                let mut rows = rows.query([number])?;
                while let Some(row) = rows.next()? {
                    if each(row.get_ref(0)?.as_blob()?).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            };
            if read().map_err(|source| part.fault(source))?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The last instant on both clocks that a record before `at` told.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn utc_before(&self, at: Micros) -> Result<Option<UtcPair>, RecordingFault> {
        for part in self.parts.iter().rev() {
            let found = part
                .connection
                .query_row(
                    "SELECT at_us, utc_us FROM wall_clock WHERE at_us <= ?1
                     ORDER BY at_us DESC LIMIT 1",
                    [at.0],
                    |row| Ok(UtcPair { at: Micros(row.get(0)?), utc_us: row.get(1)? }),
                )
                .optional();
            if let Some(found) = found.map_err(|source| part.fault(source))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Number of the first record; `None` without records.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn first_record(&self) -> Result<Option<u64>, RecordingFault> {
        self.outermost("SELECT min(number) FROM records", self.parts.iter())
    }

    /// Number of the last record; `None` without records.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn last_record(&self) -> Result<Option<u64>, RecordingFault> {
        self.outermost("SELECT max(number) FROM records", self.parts.iter().rev())
    }

    fn outermost<'a>(
        &self,
        sql: &str,
        parts: impl Iterator<Item = &'a Part>,
    ) -> Result<Option<u64>, RecordingFault> {
        for part in parts {
            let found: Option<u64> = part
                .connection
                .query_row(sql, [], |row| row.get(0))
                .map_err(|source| part.fault(source))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Every record that tells the wall clock, as pairs of both clocks; in order.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn wall_clock(&self) -> Result<Vec<UtcPair>, RecordingFault> {
        let mut pairs = Vec::new();
        for part in &self.parts {
            let read = || {
                let sql = "SELECT at_us, utc_us FROM wall_clock ORDER BY at_us";
                let mut rows = part.connection.prepare(sql)?;
                let rows = rows.query_map([], |row| {
                    Ok(UtcPair { at: Micros(row.get(0)?), utc_us: row.get(1)? })
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            };
            pairs.extend(read().map_err(|source| part.fault(source))?);
        }
        Ok(pairs)
    }
}

/// The journal's files of a data directory, oldest first; one that cannot be listed has none.
fn daily(data: &Path) -> Vec<PathBuf> {
    let days = files::list(data).unwrap_or_default();
    if days.is_empty() { vec![data.join(FILE)] } else { days }
}

/// When a record was handled; `None` when it is no record.
pub fn instant(bytes: &[u8]) -> Option<Micros> {
    record::decode(bytes).ok().map(|decoded| decoded.at)
}
