//! Retention: whole files go, oldest first, and the chain tells of each.
//!
//! A deletion is first told: the next file begins with a row for it, which its opening covers, so it
//! is in the chain before anything is gone. Only then the file is removed; a start finishes what a
//! power cut left.

use std::path::{Path, PathBuf};

use line_engine::chain::Head;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::policy::{Day, Policy};
use super::{JournalFault, begin, files, restart};

/// A file that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deletion {
    pub(super) name: String,
    pub(super) first_record: u64,
    pub(super) last_record: u64,
    pub(super) head: Head,
}

impl Deletion {
    /// Tells it in the file that begins.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .execute(
                "INSERT INTO main.deletions (file, first_record, last_record, head)
                 VALUES (?1, ?2, ?3, ?4)",
                params![self.name, self.first_record, self.last_record, self.head.0.as_slice()],
            )
            .map(|_| ())
    }

    /// The deletion of a file, when this file tells of it.
    pub(super) fn read(connection: &Connection, file: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .query_row(
                "SELECT file, first_record, last_record, head FROM deletions WHERE file = ?1",
                [file],
                |row| {
                    Ok(Self {
                        name: row.get(0)?,
                        first_record: row.get(1)?,
                        last_record: row.get(2)?,
                        head: Head(row.get(3)?),
                    })
                },
            )
            .optional()
    }
}

/// The files that are older than the policy when `today` begins behind `current`.
///
/// Never `current` (with the file that is about to begin, the newest two stay), never one that
/// holds a part of an open parcel's story, never one that cannot be read, and none behind such one.
pub(super) fn due(
    data: &Path,
    policy: &Policy,
    today: Day,
    current: &Path,
) -> Result<Vec<Deletion>, JournalFault> {
    let mut due = Vec::new();
    let mut open: Option<Vec<u64>> = None;
    for path in files::list(data)? {
        if path == current {
            break;
        }
        let found = match old(&path, policy, today) {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(fault) => {
                tracing::warn!(%fault, "a file past its time stays: it cannot be read");
                break;
            }
        };
        let open = match &open {
            Some(open) => open,
            None => open.insert(open_parcels(current)?),
        };
        let (connection, deletion) = found;
        if holds_any(&connection, open).map_err(JournalFault::unreadable(&path))? {
            tracing::warn!(file = deletion.name, "a file past its time stays: open parcels");
            break;
        }
        due.push(deletion);
    }
    Ok(due)
}

/// The file, when its day is past its time.
fn old(
    path: &Path,
    policy: &Policy,
    today: Day,
) -> Result<Option<(Connection, Deletion)>, JournalFault> {
    let connection = files::open_to_read(path)?;
    let beginning = begin::read(&connection, path)?;
    if beginning.day.0.saturating_add(policy.retention_days) >= today.0 {
        return Ok(None);
    }
    let (last_record, head) = restart::last_of(&connection, &beginning, path)?;
    let first_record = beginning.last_record + 1;
    let deletion = Deletion { name: files::name(path), first_record, last_record, head };
    Ok(Some((connection, deletion)))
}

fn open_parcels(current: &Path) -> Result<Vec<u64>, JournalFault> {
    let connection = files::open_to_read(current)?;
    let sql = format!("SELECT id FROM parcels WHERE outcome IN {}", begin::OPEN);
    let read = || {
        let mut rows = connection.prepare(&sql)?;
        let rows = rows.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<u64>>>()
    };
    read().map_err(JournalFault::unreadable(current))
}

fn holds_any(connection: &Connection, parcels: &[u64]) -> rusqlite::Result<bool> {
    for chunk in parcels.chunks(500) {
        let places = vec!["?"; chunk.len()].join(",");
        let sql = format!("SELECT EXISTS (SELECT 1 FROM parcels WHERE id IN ({places}))");
        if connection.query_row(&sql, params_from_iter(chunk), |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The files that the beginning of `path` tells as deleted and that are still there.
pub(super) fn left_over(
    connection: &Connection,
    path: &Path,
) -> Result<Vec<PathBuf>, JournalFault> {
    let read = || {
        let mut rows = connection.prepare("SELECT file FROM deletions ORDER BY file")?;
        let rows = rows.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let told = read().map_err(JournalFault::unreadable(path))?;
    Ok(told.iter().map(|file| path.with_file_name(file)).filter(|file| file.exists()).collect())
}

/// Removes files that the chain tells as deleted; one that cannot be removed stays until the next
/// start.
pub(super) fn remove(paths: &[PathBuf]) {
    for path in paths {
        let mut failed = None;
        for tail in ["-wal", "-shm", ""] {
            let file = path.with_file_name(format!("{}{tail}", files::name(path)));
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => failed = Some(error),
                Ok(()) | Err(_) => {}
            }
        }
        match failed {
            None => tracing::info!(file = files::name(path), "deleted: past its time"),
            Some(error) => tracing::warn!(file = files::name(path), %error, "failed to delete"),
        }
    }
}
