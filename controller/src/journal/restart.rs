//! Bringing the line back: the last snapshot, the records behind it, marks, token and clock.

use line_engine::chain::Head;
use line_engine::{Mark, Start, record, snapshot};
use line_model::ids::NodeId;
use line_model::layout::Layout;
use line_model::{Line, Memory};
use rusqlite::{OptionalExtension as _, params};
use units::{Micros, Serial};

use super::JournalFault;
use super::store::Store;
use super::writer::FileKind;

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
}

/// Restores the past from an opened store; `utc_us` is the wall clock now.
///
/// # Errors
/// When the journal cannot be read, lacks a record, or repeats to other decisions.
pub fn restore(store: &mut Store, layout: &Layout, utc_us: u64) -> Result<Past, JournalFault> {
    let unreadable = store.unreadable();
    let token = raise_token(store).map_err(&unreadable)?;
    let (memory, number) = match newest_snapshot(store)? {
        Some((memory, number)) => (memory, number),
        None => (Memory::new(layout), 0),
    };
    let mut line = Line::resume(layout.clone(), memory);
    let tail = repeat(store, &mut line, number)?;
    let (last, _) = last(store)?;
    if last == 0 {
        return Ok(Past { start: Start::Fresh, now: Micros::ZERO, token, repeated: 0 });
    }
    let at = last_instant(store).map_err(&unreadable)?;
    let (alive, away) = absence(store, at, utc_us).map_err(&unreadable)?;
    let marks = marks(store).map_err(&unreadable)?;
    let memory = line.memory().clone();
    let start = Start::Resume { memory, marks, next_record: last + 1, away };
    Ok(Past { start, now: alive.plus(away), token, repeated: tail })
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
        .map_err(store.unreadable())
}

/// Number of the last record, 0 without one, and the chain head behind it.
pub(super) fn last(store: &Store) -> Result<(u64, Head), JournalFault> {
    let unreadable = store.unreadable();
    let last: Option<u64> = store
        .connection
        .query_row("SELECT max(number) FROM records", [], |row| row.get(0))
        .map_err(&unreadable)?;
    let Some(last) = last else { return Ok((0, Head::START)) };
    let head: Option<[u8; 32]> = store
        .connection
        .query_row("SELECT head FROM heads WHERE number = ?1", [last], |row| row.get(0))
        .optional()
        .map_err(&unreadable)?;
    // Records and head are of one transaction: without the other, one of them was altered.
    head.map(|head| (last, Head(head))).ok_or(JournalFault::Chain { number: last })
}

/// Raises the token in a transaction of its own, before anything is sent with it.
fn raise_token(store: &mut Store) -> rusqlite::Result<u16> {
    let tx = store.connection.transaction()?;
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

/// The newest snapshot that can be decoded.
fn newest_snapshot(store: &Store) -> Result<Option<(Memory, u64)>, JournalFault> {
    let unreadable = store.unreadable();
    let mut rows = store
        .connection
        .prepare("SELECT number, bytes FROM snapshots ORDER BY number DESC")
        .map_err(&unreadable)?;
    let rows = rows
        .query_map([], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .map_err(&unreadable)?;
    for row in rows {
        let (number, bytes) = row.map_err(&unreadable)?;
        match snapshot::decode(&bytes) {
            Ok(memory) => return Ok(Some((memory, number))),
            Err(fault) => tracing::warn!(number, %fault, "failed to decode a snapshot; going back"),
        }
    }
    Ok(None)
}

/// Lets the line handle every record behind `number` again; returns how many there were.
fn repeat(store: &Store, line: &mut Line, number: u64) -> Result<u64, JournalFault> {
    let unreadable = store.unreadable();
    let mut rows = store
        .connection
        .prepare("SELECT number, bytes FROM records WHERE number > ?1 ORDER BY number")
        .map_err(&unreadable)?;
    let rows = rows
        .query_map([number], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .map_err(&unreadable)?;
    let mut expected = number + 1;
    for row in rows {
        let (found, bytes) = row.map_err(&unreadable)?;
        if found != expected {
            return Err(JournalFault::Gap { expected, found });
        }
        let decoded = record::decode(&bytes)
            .map_err(|fault| JournalFault::Record { number: found, why: fault.to_string() })?;
        let mut decisions = Vec::new();
        line.handle(decoded.at, decoded.input, &mut decisions);
        if decisions != decoded.decisions {
            return Err(JournalFault::Decisions {
                number: found,
                recorded: format!("{:?}", decoded.decisions),
                now: format!("{decisions:?}"),
            });
        }
        expected += 1;
    }
    Ok(expected - number - 1)
}

fn last_instant(store: &Store) -> rusqlite::Result<Micros> {
    store
        .connection
        .query_row("SELECT at_us FROM records ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .map(Micros)
}

/// The last instant that the daemon is known to have lived, and how long nobody was there since.
fn absence(store: &Store, record: Micros, utc_us: u64) -> rusqlite::Result<(Micros, Micros)> {
    let pair = |sql: &str| -> rusqlite::Result<Option<(u64, u64)>> {
        store.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    };
    let told = pair("SELECT at_us, utc_us FROM wall_clock ORDER BY at_us DESC LIMIT 1")?;
    let alive = pair(
        "SELECT alive.value, utc.value FROM meta AS alive JOIN meta AS utc
         WHERE alive.key = 'alive_us' AND utc.key = 'alive_utc_us'",
    )?;
    let last = alive.map_or(record, |(at, _)| record.max(Micros(at)));
    Ok(match told.max(alive) {
        Some((at, then)) => (last, absence_by(last, at, then, utc_us)),
        None => (last, UNKNOWN_ABSENCE),
    })
}

/// Never nothing: `now` must be later than every instant before.
fn absence_by(last: Micros, at: u64, then: u64, utc_us: u64) -> Micros {
    let last_utc = then.saturating_add(last.since(Micros(at)).0);
    match utc_us.checked_sub(last_utc) {
        Some(0) => Micros(1),
        Some(gap) => Micros(gap),
        // Someone set the clock back: nobody can tell how long it was.
        None => UNKNOWN_ABSENCE,
    }
}

fn marks(store: &Store) -> rusqlite::Result<Vec<Mark>> {
    let mut rows = store
        .connection
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
        let last = Micros(5_000);
        assert_eq!(absence_by(last, 1_000, 100_000, 104_000), Micros(1));
        assert_eq!(absence_by(last, 1_000, 100_000, 154_000), Micros(50_000));
        assert_eq!(absence_by(last, 1_000, 100_000, 103_999), UNKNOWN_ABSENCE);
    }
}
