//! The journal's files in their directory: names, order, opening to read, publishing a new one.
//!
//! Names sort in the order of the chain, also when the wall clock went back between two files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::policy::Day;
use super::{JournalFault, schema};

/// The directory of the daily files in the data directory.
pub const DIRECTORY: &str = "journal";
/// Ending of a daily file.
const ENDING: &str = ".sqlite";
/// Ending of a file that is being made: whatever it holds, it counts for nothing.
const UNFINISHED: &str = ".sqlite.new";
/// How long a reader's or a tool's lock on a file is waited for before the attempt counts as failed.
pub(super) const BUSY: Duration = Duration::from_millis(200);

/// The directory of a data directory's daily files.
pub fn directory(data: &Path) -> PathBuf {
    data.join(DIRECTORY)
}

/// The daily files of a data directory, oldest first; none when there is no journal.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn list(data: &Path) -> Result<Vec<PathBuf>, JournalFault> {
    let mut files = ending(&directory(data), ENDING)?;
    files.sort();
    Ok(files)
}

/// As [`list`], for a journal that must be there.
///
/// # Errors
/// Also when there is none.
pub fn list_some(data: &Path) -> Result<Vec<PathBuf>, JournalFault> {
    let files = list(data)?;
    if files.is_empty() {
        return Err(JournalFault::Missing { path: directory(data) });
    }
    Ok(files)
}

/// The newest file of a data directory.
///
/// # Errors
/// When there is none.
pub fn newest(data: &Path) -> Result<PathBuf, JournalFault> {
    let missing = || JournalFault::Missing { path: directory(data) };
    list(data)?.pop().ok_or_else(missing)
}

fn ending(directory: &Path, wanted: &str) -> Result<Vec<PathBuf>, JournalFault> {
    let fault = JournalFault::system(directory);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(&fault)?.path();
        if name(&path).ends_with(wanted) {
            found.push(path);
        }
    }
    Ok(found)
}

/// A file's name without its directory.
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Name of the next file: the day's, unless the newest one stands at or behind it.
pub(super) fn next_name(newest: Option<&str>, day: Day) -> String {
    let plain = format!("{day}{ENDING}");
    let Some(newest) = newest.filter(|newest| **newest >= *plain) else { return plain };
    let stem = newest.trim_end_matches(ENDING);
    let (base, count) = stem.split_once('_').unwrap_or((stem, "1"));
    let count: u32 = count.parse().unwrap_or(1);
    format!("{base}_{:03}{ENDING}", count + 1)
}

/// Where a file is made before it gets its name.
pub(super) fn unfinished(target: &Path) -> PathBuf {
    target.with_file_name(format!("{}.new", name(target)))
}

/// Removes what a start or a roll before left unfinished.
pub(super) fn clear_unfinished(data: &Path) -> Result<(), JournalFault> {
    let directory = directory(data);
    for tail in ["", "-journal", "-wal", "-shm"] {
        for path in ending(&directory, &format!("{UNFINISHED}{tail}"))? {
            std::fs::remove_file(&path).map_err(JournalFault::system(&path))?;
        }
    }
    Ok(())
}

/// Makes a finished file durable and gives it its name.
pub(super) fn publish(
    target: &Path,
    step: &mut dyn FnMut(&'static str),
) -> Result<(), JournalFault> {
    let part = unfinished(target);
    let fault = JournalFault::system(&part);
    File::open(&part).and_then(|file| file.sync_all()).map_err(&fault)?;
    step("synced");
    std::fs::rename(&part, target).map_err(&fault)?;
    step("renamed");
    Ok(())
}

/// Makes the entries of a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), JournalFault> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(JournalFault::system(directory))
}

/// Opens one file for reading, also while a daemon writes it.
///
/// # Errors
/// When it cannot be opened or is of another format.
pub fn open_to_read(path: &Path) -> Result<Connection, JournalFault> {
    if !path.exists() {
        return Err(JournalFault::Missing { path: path.to_owned() });
    }
    let unreadable = JournalFault::unreadable(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&unreadable)?;
    connection.busy_timeout(BUSY).map_err(&unreadable)?;
    check_format(&connection, path)?;
    Ok(connection)
}

/// Checks that a file has this program's format.
pub(super) fn check_format(connection: &Connection, path: &Path) -> Result<(), JournalFault> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(JournalFault::unreadable(path))?;
    if found == schema::VERSION {
        Ok(())
    } else {
        Err(JournalFault::Format { path: path.to_owned(), found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_in_the_order_of_the_chain() {
        let day = Day(20_779);
        let mut names = vec![next_name(None, day)];
        for next in [day, day, Day(20_778), Day(20_780)] {
            let newest = names.last().map(String::as_str);
            names.push(next_name(newest, next));
        }
        let expected = [
            "2026-11-22.sqlite",
            "2026-11-22_002.sqlite",
            "2026-11-22_003.sqlite",
            "2026-11-22_004.sqlite",
            "2026-11-23.sqlite",
        ];
        assert_eq!(names, expected);
        assert!(names.is_sorted());
    }
}
