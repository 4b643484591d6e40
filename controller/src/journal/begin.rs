//! How a file begins: with everything that the next record, a restart and people need.
//!
//! A new file is made under another name, made durable, and renamed: at every instant either the
//! file before is the newest one, whole, or the new one is. The file's beginning is a link of the
//! chain of its own: `opening = blake3(head ‖ content)`, where `content` lists, each field behind its
//! length, what the file begins with and never changes afterwards. The first record's link is made
//! from `opening`. In the very first file `opening` is the chain's start.

use std::path::{Path, PathBuf};

use line_engine::chain::Head;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use units::Micros;

use super::policy::{Day, Policy};
use super::{JournalFault, files, retention, schema, snapshots};

/// Outcomes that a parcel may still leave.
pub(super) const OPEN: &str = "('on_line', 'unconfirmed', 'lost')";

/// The row that a file begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// Its business day.
    pub day: Day,
    /// When it was made.
    pub created_utc_us: u64,
    /// Name of the file before it.
    pub previous_file: Option<String>,
    /// The last record of the file before; 0 in the first.
    pub last_record: u64,
    /// The chain's head behind that record.
    pub head: Head,
    /// What the first record's link is made from.
    pub opening: Head,
    /// Greatest id of the kept files that it began with.
    pub files_kept: u64,
}

/// A wish for the next file.
#[derive(Clone, Debug)]
pub struct Roll {
    /// The business day that begins.
    pub day: Day,
    /// Number of the last record offered before.
    pub number: u64,
    /// When, on the engine's clock.
    pub at: Micros,
    /// The same by the wall clock.
    pub utc_us: u64,
    /// State of the line behind that record.
    pub snapshot: Vec<u8>,
}

/// Reads the row that a file begins with.
///
/// # Errors
/// When it cannot be read.
pub fn read(connection: &Connection, path: &Path) -> Result<Beginning, JournalFault> {
    let read = |row: &Row<'_>| {
        Ok(Beginning {
            day: Day(row.get(0)?),
            created_utc_us: row.get(1)?,
            previous_file: row.get(2)?,
            last_record: row.get(3)?,
            head: Head(row.get(4)?),
            opening: Head(row.get(5)?),
            files_kept: row.get(6)?,
        })
    };
    connection
        .query_row(
            "SELECT day, created_utc_us, previous_file, last_record, head, opening, files_kept
             FROM beginning",
            [],
            read,
        )
        .map_err(JournalFault::unreadable(path))
}

/// Makes the very first file of a journal.
pub(super) fn first(data: &Path, policy: &Policy, utc_us: u64) -> Result<PathBuf, JournalFault> {
    let day = policy.day(utc_us);
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
    make(&target, &mut |_| {}, |connection, part| {
        let mut fill = || {
            let tx = connection.transaction()?;
            empty(&tx)?;
            write(&tx, &beginning)?;
            tx.commit()
        };
        fill().map_err(JournalFault::unreadable(part))
    })?;
    Ok(target)
}

/// Makes the file behind `current`, whose last record is `roll.number` with `head` behind it.
pub(super) fn next(
    data: &Path,
    policy: &Policy,
    current: &Path,
    head: Head,
    roll: &Roll,
    step: &mut dyn FnMut(&'static str),
) -> Result<PathBuf, JournalFault> {
    files::clear_unfinished(data)?;
    let name = files::next_name(Some(&files::name(current)), roll.day);
    let target = files::directory(data).join(name);
    let told = retention::due(data, policy, roll.day, current)?;
    let mut beginning = Beginning {
        day: roll.day,
        created_utc_us: roll.utc_us,
        previous_file: Some(files::name(current)),
        last_record: roll.number,
        head,
        opening: head,
        files_kept: 0,
    };
    make(&target, step, |connection, part| {
        let mut fill = || {
            connection.execute("ATTACH ?1 AS old", [current.to_string_lossy()])?;
            let tx = connection.transaction()?;
            empty(&tx)?;
            tx.execute_batch(&carry())?;
            for file in &told {
                file.write(&tx)?;
            }
            beginning.files_kept =
                tx.query_row("SELECT coalesce(max(id), 0) FROM main.files", [], |row| row.get(0))?;
            let content = content(&tx, &beginning, blake3::hash(&roll.snapshot).as_bytes())?;
            beginning.opening.extend(&content);
            write(&tx, &beginning)?;
            snapshots::write(&tx, roll.number, roll.at, beginning.opening, &roll.snapshot)?;
            tx.commit()
        };
        fill().map_err(JournalFault::unreadable(part))
    })?;
    Ok(target)
}

/// Makes a file under another name and publishes it.
pub(super) fn make(
    target: &Path,
    step: &mut dyn FnMut(&'static str),
    fill: impl FnOnce(&mut Connection, &Path) -> Result<(), JournalFault>,
) -> Result<(), JournalFault> {
    step("begin");
    let part = files::unfinished(target);
    let unreadable = JournalFault::unreadable(&part);
    let mut connection = Connection::open(&part).map_err(&unreadable)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(&unreadable)?;
    step("created");
    fill(&mut connection, &part)?;
    step("filled");
    connection.close().map_err(|(_, error)| unreadable(error))?;
    files::publish(target, step)
}

/// Creates the tables of an empty file.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(schema::CREATE)?;
    connection.pragma_update(Some("main"), "user_version", schema::VERSION)
}

pub(super) fn write(connection: &Connection, beginning: &Beginning) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO beginning (one, day, created_utc_us, previous_file, last_record, head,
             opening, files_kept) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                beginning.day.0,
                beginning.created_utc_us,
                beginning.previous_file,
                beginning.last_record,
                beginning.head.0.as_slice(),
                beginning.opening.0.as_slice(),
                beginning.files_kept,
            ],
        )
        .map(|_| ())
}

/// What goes over from the attached file: single values, marks, the newest wall-clock pair, kept
/// files, open parcels with their counts, standing alarms, seals of files before.
fn carry() -> String {
    format!(
        "INSERT INTO main.meta SELECT * FROM old.meta;
         INSERT INTO main.marks SELECT * FROM old.marks;
         INSERT INTO main.wall_clock SELECT * FROM old.wall_clock ORDER BY at_us DESC LIMIT 1;
         INSERT INTO main.files SELECT * FROM old.files AS found WHERE id =
            (SELECT max(id) FROM old.files WHERE kind = found.kind);
         INSERT INTO main.parcels SELECT * FROM old.parcels WHERE outcome IN {OPEN};
         INSERT INTO main.carried SELECT id, outcome FROM main.parcels;
         INSERT INTO main.tally SELECT outcome, count(*) FROM main.carried GROUP BY outcome;
         INSERT INTO main.tally SELECT 'carried_in', count(*) FROM main.carried;
         INSERT INTO main.alarms SELECT * FROM old.alarms WHERE cleared_us IS NULL;
         INSERT INTO main.seals SELECT file, bytes, hash, 1 FROM old.seals;"
    )
}

/// Proves that `opening` follows from the head before and from what the file begins with.
pub(super) fn check_opening(
    connection: &Connection,
    beginning: &Beginning,
    path: &Path,
) -> Result<(), JournalFault> {
    let joint = |what| JournalFault::Joint { path: path.to_owned(), what };
    if beginning.previous_file.is_none() {
        return if beginning.opening == beginning.head {
            Ok(())
        } else {
            Err(joint("the opening is not the chain's start"))
        };
    }
    let unreadable = JournalFault::unreadable(path);
    let snapshot: Option<Vec<u8>> = connection
        .query_row(
            "SELECT bytes FROM snapshots WHERE number = ?1",
            [beginning.last_record],
            |row| row.get(0),
        )
        .optional()
        .map_err(&unreadable)?;
    let hash = blake3::hash(&snapshot.unwrap_or_default());
    let content = content(connection, beginning, hash.as_bytes()).map_err(&unreadable)?;
    let mut opening = beginning.head;
    opening.extend(&content);
    if opening == beginning.opening {
        Ok(())
    } else {
        Err(joint("what it begins with was altered"))
    }
}

/// The bytes of what a file begins with: every field behind its length.
fn content(
    connection: &Connection,
    beginning: &Beginning,
    snapshot: &[u8],
) -> rusqlite::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut put = |field: &[u8]| {
        out.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(field);
    };
    put(&schema::VERSION.to_be_bytes());
    put(&beginning.day.0.to_be_bytes());
    put(&beginning.created_utc_us.to_be_bytes());
    put(beginning.previous_file.as_deref().unwrap_or_default().as_bytes());
    put(&beginning.last_record.to_be_bytes());
    put(snapshot);
    let lists = [
        "SELECT kind, name, hash FROM main.files WHERE id <= ?1 ORDER BY id",
        "SELECT CAST(parcel AS TEXT), outcome, '' FROM main.carried WHERE ?1 >= 0 ORDER BY parcel",
        "SELECT file, first_record || ' ' || last_record, head FROM main.deletions WHERE ?1 >= 0
         ORDER BY file",
        "SELECT file, CAST(bytes AS TEXT), hash FROM main.seals WHERE known = 1 AND ?1 >= 0
         ORDER BY file",
    ];
    for list in lists {
        let mut rows = connection.prepare(list)?;
        let mut rows = rows.query([beginning.files_kept])?;
        while let Some(row) = rows.next()? {
            for column in 0..3 {
                let value = row.get_ref(column)?;
                put(value.as_bytes().map_err(rusqlite::Error::from)?);
            }
        }
        put(b"");
    }
    Ok(out)
}
