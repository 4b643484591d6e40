//! Proving a journal offline: every record's link, every head, every joint, every closed file, and
//! that an exported head is part of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use line_engine::chain::Head;
use rusqlite::Connection;
use serde::Serialize;

use super::begin::{self, Beginning};
use super::keeper::Seal;
use super::retention::Deletion;
use super::walk::Walk;
use super::{JournalFault, files, restart};

/// A journal whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Files.
    pub files: u64,
    /// The first record that is there, when there is one.
    pub first: u64,
    /// Records.
    pub records: u64,
    /// Heads that were compared.
    pub heads: u64,
    /// Closed files whose every byte was compared.
    pub seals: u64,
    /// The last head in hexadecimal digits.
    pub head: String,
}

/// A head as it can be kept elsewhere, to prove later that nothing before it was altered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The record that it stands behind.
    pub number: u64,
    /// The head in hexadecimal digits.
    pub head: String,
    /// The file that the record is in.
    pub file: String,
    /// When it was exported.
    pub utc_us: u64,
}

/// The head behind the last durable record; also while a daemon writes.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn head(data: &Path, utc_us: u64) -> Result<Exported, JournalFault> {
    let path = files::newest(data)?;
    let connection = files::open_to_read(&path)?;
    // Both are read in one transaction, for a daemon may write between them.
    let tx = connection.unchecked_transaction().map_err(JournalFault::unreadable(&path))?;
    let beginning = begin::read(&tx, &path)?;
    let (number, head) = restart::last_of(&tx, &beginning, &path)?;
    Ok(Exported { number, head: head.hex(), file: files::name(&path), utc_us })
}

/// Proves the whole journal.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(data: &Path) -> Result<Verified, JournalFault> {
    verify_with(data, None)
}

/// Proves the whole journal, and that `exported`, a record's number and its head in hexadecimal
/// digits, is part of it.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_with(data: &Path, exported: Option<(u64, &str)>) -> Result<Verified, JournalFault> {
    let list = files::list_some(data)?;
    let first = begin::read(&files::open_to_read(&list[0])?, &list[0])?;
    check_anchor(&list, &first)?;
    let mut walk = Walk::from(first.last_record, first.head);
    let (mut seals, mut found) = (0, None);
    let mut look = |number: u64, walked: Head| {
        if exported.is_some_and(|(wanted, _)| wanted == number) {
            found = Some(walked.hex());
        }
    };
    look(first.last_record, first.head);
    for (index, path) in list.iter().enumerate() {
        let connection = files::open_to_read(path)?;
        let mut number = walk.number();
        walk.file(&connection, path, |behind, _, head| {
            number = behind;
            look(behind, head);
            Ok(())
        })?;
        check_pages(&connection, path, number)?;
        drop(connection);
        seals += check_seal(path, &list[index + 1..])?;
    }
    if let Some((number, head)) = exported
        && found.as_deref() != Some(&head.to_ascii_lowercase())
    {
        return Err(JournalFault::OtherHead { number, found });
    }
    Ok(Verified {
        files: u64::try_from(list.len()).unwrap_or(u64::MAX),
        first: first.last_record + 1,
        records: walk.number() - first.last_record,
        heads: walk.heads(),
        seals,
        head: walk.behind().hex(),
    })
}

/// The oldest file must be the first of all, or begin behind one whose deletion is told.
fn check_anchor(list: &[PathBuf], first: &Beginning) -> Result<(), JournalFault> {
    let Some(before) = &first.previous_file else { return Ok(()) };
    for path in list {
        let connection = files::open_to_read(path)?;
        let told = Deletion::read(&connection, before).map_err(JournalFault::unreadable(path))?;
        match told {
            Some(told) if told.head == first.head && told.last_record == first.last_record => {
                return Ok(());
            }
            Some(_) => {
                let what = "the deleted file before it ended with another head";
                return Err(JournalFault::Joint { path: list[0].clone(), what });
            }
            None => {}
        }
    }
    Err(JournalFault::Absent { path: list[0].clone(), file: before.clone() })
}

/// Compares a closed file with its seal; how many seals there were.
fn check_seal(path: &Path, later: &[PathBuf]) -> Result<u64, JournalFault> {
    let mut seals = 0;
    let mut now = None;
    for keeps in later {
        let connection = files::open_to_read(keeps)?;
        let kept = Seal::read(&connection, &files::name(path));
        let Some(kept) = kept.map_err(JournalFault::unreadable(keeps))? else { continue };
        let now = match &now {
            Some(now) => now,
            None => {
                let seal = Seal::of(path, &AtomicBool::new(false));
                now.insert(seal.map_err(JournalFault::system(path))?)
            }
        };
        if now.as_ref() != Some(&kept) {
            return Err(JournalFault::Broken { path: path.to_owned() });
        }
        seals = 1;
    }
    Ok(seals)
}

/// Lets SQLite check its own pages.
fn check_pages(connection: &Connection, path: &Path, number: u64) -> Result<(), JournalFault> {
    let unreadable = JournalFault::unreadable(path);
    let said: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(&unreadable)?;
    if said == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    let said = format!("records up to {number} hold, other pages do not: {said}");
    Err(unreadable(rusqlite::Error::SqliteFailure(code, Some(said))))
}
