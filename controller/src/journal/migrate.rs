//! Format 1 to format 2: the one file of a journal before daily files becomes the first of them.
//!
//! Its chain is proven on the way. The original stays, as `journal.sqlite.format-1`; a cut at any
//! instant leaves either it alone, or it and the finished new file, and the next start goes on.

use std::path::Path;

use line_engine::chain::Head;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use super::begin::{self, Beginning};
use super::policy::Policy;
use super::walk::LINK;
use super::{FILE, JournalFault, files, snapshots};

/// The format that is migrated.
const OLD: i64 = 1;
/// Says in `meta` that a file was made from one of format 1.
const MADE_FROM: &str = "made_from_format";

/// What an old snapshot is: its record, its instant, its bytes.
type OldSnapshot = (u64, u64, Vec<u8>);
/// What an old record is: its number, its instant, its bytes, the head of its commit.
type OldRecord = (u64, u64, Vec<u8>, Option<[u8; 32]>);

/// Makes the first daily file from a journal of format 1, when there is one.
pub(super) fn to_daily(data: &Path, policy: &Policy, utc_us: u64) -> Result<(), JournalFault> {
    let old = data.join(FILE);
    if !old.exists() {
        return Ok(());
    }
    let unreadable = JournalFault::unreadable(&old);
    let day = {
        let connection = open_old(&old)?;
        let last: Option<u64> = connection
            .query_row("SELECT max(utc_us) FROM wall_clock", [], |row| row.get(0))
            .map_err(&unreadable)?;
        policy.day(last.unwrap_or(utc_us))
    };
    match files::list(data)?.first() {
        Some(first) => check_made_from(first, &old)?,
        None => {
            let target = files::directory(data).join(files::next_name(None, day));
            let beginning = Beginning {
                day,
                created_utc_us: utc_us,
                previous_file: None,
                last_record: 0,
                head: Head::START,
                opening: Head::START,
                files_kept: 0,
            };
            begin::make(&target, &mut |_| {}, |connection, part| {
                copy(connection, part, &old, &beginning)
            })?;
            files::sync_directory(&files::directory(data))?;
            tracing::info!(file = files::name(&target), "journal migrated from format 1");
        }
    }
    let kept = old.with_file_name(format!("{FILE}.format-{OLD}"));
    std::fs::rename(&old, &kept).map_err(JournalFault::system(&kept))?;
    files::sync_directory(data)
}

/// Opens the old file and moves its log into it, so that the file is all there is.
fn open_old(path: &Path) -> Result<Connection, JournalFault> {
    let unreadable = JournalFault::unreadable(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&unreadable)?;
    let found: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(&unreadable)?;
    if found != OLD {
        return Err(JournalFault::Format { path: path.to_owned(), found });
    }
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(unreadable)?;
    Ok(connection)
}

/// Checks that the daily files beside an old one come from it.
fn check_made_from(first: &Path, old: &Path) -> Result<(), JournalFault> {
    let connection = files::open_to_read(first)?;
    let found: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [MADE_FROM], |row| row.get(0))
        .optional()
        .map_err(JournalFault::unreadable(first))?;
    if found == Some(OLD) {
        Ok(())
    } else {
        let what = "daily files stand beside a journal of format 1 that they do not come from";
        Err(JournalFault::Joint { path: old.to_owned(), what })
    }
}

fn copy(
    connection: &mut Connection,
    part: &Path,
    old: &Path,
    beginning: &Beginning,
) -> Result<(), JournalFault> {
    let unreadable = JournalFault::unreadable(part);
    connection.execute("ATTACH ?1 AS old", [old.to_string_lossy()]).map_err(&unreadable)?;
    let tx = connection.transaction().map_err(&unreadable)?;
    let fill = || {
        begin::empty(&tx)?;
        tx.execute_batch(&tables())?;
        tx.execute("INSERT INTO main.meta (key, value) VALUES (?1, ?2)", params![MADE_FROM, OLD])?;
        begin::write(&tx, beginning)
    };
    fill().map_err(&unreadable)?;
    records(&tx, old)?;
    tx.commit().map_err(unreadable)
}

/// Copies the tables that have kept their shape.
fn tables() -> String {
    let same = [
        "meta",
        "heads",
        "marks",
        "files",
        "wall_clock",
        "parcels",
        "story",
        "alarms",
        "states",
        "tally",
    ];
    same.map(|table| format!("INSERT INTO main.{table} SELECT * FROM old.{table};")).concat()
}

/// Copies records with their links and snapshots with their hashes, and proves the chain.
fn records(tx: &Transaction<'_>, old: &Path) -> Result<(), JournalFault> {
    let unreadable = JournalFault::unreadable(old);
    let mut waiting = old_snapshots(tx).map_err(&unreadable)?.into_iter().peekable();
    let mut rows = tx
        .prepare(
            "SELECT found.number, at_us, bytes, head FROM old.records AS found
             LEFT JOIN old.heads ON heads.number = found.number ORDER BY found.number",
        )
        .map_err(&unreadable)?;
    let mut rows = rows.query([]).map_err(&unreadable)?;
    let (mut head, mut last, mut open) = (Head::START, 0, false);
    while let Some(row) = rows.next().map_err(&unreadable)? {
        let take = || -> rusqlite::Result<OldRecord> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let (number, at, bytes, stored) = take().map_err(&unreadable)?;
        if number != last + 1 {
            let (path, expected) = (old.to_owned(), last + 1);
            return Err(JournalFault::Gap { path, expected, found: number });
        }
        head.extend(&bytes);
        open = stored.is_none();
        if stored.is_some_and(|stored| stored != head.0) {
            return Err(JournalFault::Chain { path: old.to_owned(), number });
        }
        last = number;
        let write = || {
            tx.prepare_cached(
                "INSERT INTO main.records (number, at_us, bytes, link) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![number, at, bytes, &head.0[..LINK]])
        };
        write().map_err(&unreadable)?;
        while let Some((number, at, bytes)) = waiting.next_if(|(behind, _, _)| *behind <= number) {
            let at = units::Micros(at);
            snapshots::write(tx, number, at, head, &bytes).map_err(&unreadable)?;
        }
    }
    if open {
        return Err(JournalFault::Chain { path: old.to_owned(), number: last });
    }
    Ok(())
}

fn old_snapshots(tx: &Transaction<'_>) -> rusqlite::Result<Vec<OldSnapshot>> {
    let mut rows = tx.prepare("SELECT number, at_us, bytes FROM old.snapshots ORDER BY number")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}
