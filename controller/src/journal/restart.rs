//! Bringing the line back: the newest good snapshot, the records behind it, marks, token and clock.
//!
//! Only what stands behind that snapshot is read and verified, so that the time to start does not
//! depend on the day's length.

use std::path::{Path, PathBuf};

use line_engine::chain::Head;
use line_engine::{Mark, Start, record};
use line_model::ids::NodeId;
use line_model::layout::Layout;
use line_model::{Line, Memory};
use rusqlite::{Connection, OptionalExtension as _, params};
use units::{Micros, Serial};

use super::begin::{self, Beginning};
use super::snapshots::{self, Snapshot};
use super::store::Store;
use super::walk::Walk;
use super::writer::FileKind;
use super::{JournalFault, files};
use crate::wall::{self, Step};

/// Tokens that one run may use before its successor's range begins: a late answer to a run before
/// cannot carry a token of the new one.
const TOKENS: u16 = 4_096;
/// Absence that is assumed when the wall clock cannot tell it: longer than any lease.
const UNKNOWN_ABSENCE: Micros = Micros::from_secs(60);

/// What the journal knows of the time before.
#[derive(Debug)]
pub struct Past {
    /// How the engine begins.
    pub start: Start,
    /// What the line's clock reads now.
    pub now: Micros,
    /// First token of this run, already raised on disk for the next one.
    pub token: u16,
    /// Records that were repeated behind the snapshot.
    pub repeated: u64,
    /// The wall clock went back since the journal knew it last, at least by so much.
    pub back: Option<Step>,
}

/// Restores the past from an opened store; `utc_us` is the wall clock now.
///
/// # Errors
/// When the journal cannot be read, lacks a record, does not fit its chain, or repeats to other
/// decisions.
pub fn restore(store: &mut Store, layout: &Layout, utc_us: u64) -> Result<Past, JournalFault> {
    let unreadable = JournalFault::unreadable(&store.path);
    let (last, _) = last(store)?;
    let (memory, repeated) = memory(store, layout)?;
    let token = raise_token(&mut store.connection).map_err(&unreadable)?;
    let Some(memory) = memory else {
        return Ok(Past { start: Start::Fresh, now: Micros::ZERO, token, repeated: 0, back: None });
    };
    let at = last_instant(&store.connection).map_err(&unreadable)?.unwrap_or(memory.now);
    let Absence { alive, away, back } =
        absence(&store.connection, at, utc_us).map_err(&unreadable)?;
    let marks = marks(&store.connection).map_err(&unreadable)?;
    let start = Start::Resume { memory, marks, next_record: last + 1, away };
    Ok(Past { start, now: alive.plus(away), token, repeated, back })
}

/// The line's memory behind the last record, and how many records were repeated for it; `None`
/// when there are no records.
fn memory(store: &Store, layout: &Layout) -> Result<(Option<Memory>, u64), JournalFault> {
    let (base, mut walk, behind) = base(store, layout)?;
    let (mut line, mut repeated) = (Line::resume(layout.clone(), base.memory), 0);
    for path in &behind {
        let mut each = |number, bytes: &[u8], _| {
            repeated += 1;
            repeat(&mut line, path, number, bytes)
        };
        if *path == store.path {
            walk.file(&store.connection, path, &mut each)?;
        } else {
            walk.file(&files::open_to_read(path)?, path, &mut each)?;
        }
    }
    let memory = line.memory().clone();
    Ok(((walk.number() > 0).then_some(memory), repeated))
}

/// The newest good snapshot of the journal, its place in the chain, and the file that it stands in
/// with all files behind it; a line that has never run when there is none and the first file is
/// there.
fn base(store: &Store, layout: &Layout) -> Result<(Snapshot, Walk, Vec<PathBuf>), JournalFault> {
    let mut behind = Vec::new();
    for path in files::list(&store.data)?.into_iter().rev() {
        let opened;
        let connection = if path == store.path {
            &store.connection
        } else {
            opened = files::open_to_read(&path)?;
            &opened
        };
        behind.insert(0, path.clone());
        let beginning = begin::read(connection, &path)?;
        let found = snapshots::newest(connection, u64::MAX >> 1)
            .map_err(JournalFault::unreadable(&path))?;
        let fresh = || Snapshot { number: 0, head: beginning.opening, memory: Memory::new(layout) };
        let found = found.or_else(|| (beginning.last_record == 0).then(fresh));
        if let Some(found) = found {
            let walk = Walk::within(connection, &path, found.number, found.head)?;
            return Ok((found, walk, behind));
        }
    }
    let what = "no file has a good snapshot, and the first one was deleted";
    Err(JournalFault::Joint { path: store.path.clone(), what })
}

/// Lets the line handle a record again.
fn repeat(line: &mut Line, path: &Path, number: u64, bytes: &[u8]) -> Result<(), JournalFault> {
    let decoded = record::decode(bytes).map_err(|fault| JournalFault::Record {
        path: path.to_owned(),
        number,
        why: fault.to_string(),
    })?;
    let mut decisions = Vec::new();
    line.handle(decoded.at, decoded.input, &mut decisions);
    if decisions == decoded.decisions {
        return Ok(());
    }
    Err(JournalFault::Decisions {
        number,
        older: bytes.first() != Some(&record::FORMAT_VERSION),
        recorded: format!("{:?}", decoded.decisions),
        now: format!("{decisions:?}"),
    })
}

/// The content of the newest kept file of a kind; `None` when there is none.
///
/// # Errors
/// When the journal cannot be read.
pub fn kept_file(store: &Store, kind: FileKind) -> Result<Option<(String, Vec<u8>)>, JournalFault> {
    store
        .connection
        .query_row(
            "SELECT name, bytes FROM files WHERE kind = ?1 ORDER BY id DESC LIMIT 1",
            [kind.code()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(JournalFault::unreadable(&store.path))
}

/// Number of the last record, 0 without one, and what the next one's link is made from.
pub(super) fn last(store: &Store) -> Result<(u64, Head), JournalFault> {
    let beginning = begin::read(&store.connection, &store.path)?;
    let (number, head) = last_of(&store.connection, &beginning, &store.path)?;
    Ok((number, if number == beginning.last_record { beginning.opening } else { head }))
}

/// Number of the last record up to the end of a file, and the chain's head behind it.
pub(super) fn last_of(
    connection: &Connection,
    beginning: &Beginning,
    path: &Path,
) -> Result<(u64, Head), JournalFault> {
    let unreadable = JournalFault::unreadable(path);
    let last: Option<u64> = connection
        .query_row("SELECT max(number) FROM records", [], |row| row.get(0))
        .map_err(&unreadable)?;
    let Some(last) = last else { return Ok((beginning.last_record, beginning.head)) };
    let head: Option<[u8; 32]> = connection
        .query_row("SELECT head FROM heads WHERE number = ?1", [last], |row| row.get(0))
        .optional()
        .map_err(&unreadable)?;
    // Records and head are of one transaction: without the other, one of them was altered.
    let fault = || JournalFault::Chain { path: path.to_owned(), number: last };
    head.map(|head| (last, Head(head))).ok_or_else(fault)
}

/// Raises the token in a transaction of its own, before anything is sent with it.
fn raise_token(connection: &mut Connection) -> rusqlite::Result<u16> {
    let tx = connection.transaction()?;
    let token: Option<u16> = tx
        .query_row("SELECT value FROM meta WHERE key = 'token'", [], |row| row.get(0))
        .optional()?;
    let token = token.unwrap_or(TOKENS);
    tx.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('token', ?1)",
        params![token.wrapping_add(TOKENS)],
    )?;
    tx.commit()?;
    Ok(token)
}

/// The instant of the file's last record or snapshot.
fn last_instant(connection: &Connection) -> rusqlite::Result<Option<Micros>> {
    connection
        .query_row(
            "SELECT coalesce(
                (SELECT at_us FROM records ORDER BY number DESC LIMIT 1),
                (SELECT at_us FROM snapshots ORDER BY number DESC LIMIT 1))",
            [],
            |row| row.get::<_, Option<u64>>(0),
        )
        .map(|at| at.map(Micros))
}

/// The time between two daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Absence {
    /// The last instant that the one before is known to have lived.
    alive: Micros,
    /// How long nobody was there since.
    away: Micros,
    /// The wall clock went back meanwhile.
    back: Option<Step>,
}

fn absence(connection: &Connection, record: Micros, utc_us: u64) -> rusqlite::Result<Absence> {
    let pair = |sql: &str| -> rusqlite::Result<Option<(u64, u64)>> {
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    };
    let told = pair("SELECT at_us, utc_us FROM wall_clock ORDER BY at_us DESC LIMIT 1")?;
    let alive = pair(
        "SELECT alive.value, utc.value FROM meta AS alive JOIN meta AS utc
         WHERE alive.key = 'alive_us' AND utc.key = 'alive_utc_us'",
    )?;
    let last = alive.map_or(record, |(at, _)| record.max(Micros(at)));
    Ok(match told.max(alive) {
        Some((at, then)) => absence_by(last, at, then, utc_us),
        None => Absence { alive: last, away: UNKNOWN_ABSENCE, back: None },
    })
}

/// Never nothing: `now` must be later than every instant before.
fn absence_by(alive: Micros, at: u64, then: u64, utc_us: u64) -> Absence {
    let last_utc = then.saturating_add(alive.since(Micros(at)).0);
    match utc_us.checked_sub(last_utc) {
        Some(gap) => Absence { alive, away: Micros(gap.max(1)), back: None },
        // Someone set the clock back: nobody can tell how long it was.
        None => Absence { alive, away: UNKNOWN_ABSENCE, back: wall::stepped(last_utc, utc_us) },
    }
}

fn marks(connection: &Connection) -> rusqlite::Result<Vec<Mark>> {
    let mut rows = connection
        .prepare("SELECT node, boot_id, sequence, base, encoder_known FROM marks ORDER BY node")?;
    let rows = rows.query_map([], |row| {
        Ok(Mark {
            node: NodeId(row.get(0)?),
            boot_id: row.get(1)?,
            sequence: Serial(row.get(2)?),
            base: row.get(3)?,
            encoder_known: row.get(4)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_never_zero_and_never_guessed_short() {
        let alive = Micros(5_000);
        let away = |utc_us| absence_by(alive, 1_000, 100_000, utc_us);
        let known = |away| Absence { alive, away, back: None };
        assert_eq!(away(104_000), known(Micros(1)));
        assert_eq!(away(154_000), known(Micros(50_000)));
        let back = Some(Step { utc_us: 103_999, by_us: -1 });
        assert_eq!(away(103_999), Absence { alive, away: UNKNOWN_ABSENCE, back });
    }
}
