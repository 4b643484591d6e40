//! Snapshots in a file: each with the chain's head and a hash over all of it, so that a restart
//! knows a good one from a bad one.

use line_engine::chain::Head;
use line_engine::snapshot;
use line_model::Memory;
use rusqlite::{Connection, params};
use units::Micros;

/// Snapshots that are kept besides the one that the file begins with: the newest, and one before it
/// in case that one is damaged.
const KEPT: u32 = 2;

/// A good snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The record that it stands behind.
    pub number: u64,
    /// What the next record's link is made from.
    pub head: Head,
    /// The line's memory.
    pub memory: Memory,
}

fn hash(number: u64, at: u64, head: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.update(&at.to_be_bytes());
    hasher.update(head);
    hasher.update(bytes);
    *hasher.finalize().as_bytes()
}

/// Writes a snapshot and forgets those that are not kept.
pub(super) fn write(
    connection: &Connection,
    number: u64,
    at: Micros,
    head: Head,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    let hash = hash(number, at.0, &head.0, bytes);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO main.snapshots (number, at_us, bytes, head, hash)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![number, at.0, bytes, head.0.as_slice(), hash.as_slice()])?;
    connection
        .prepare_cached(
            "DELETE FROM main.snapshots WHERE number NOT IN
             (SELECT number FROM main.snapshots ORDER BY number DESC LIMIT ?1)
             AND number <> (SELECT last_record FROM main.beginning)",
        )?
        .execute([KEPT])
        .map(|_| ())
}

/// The newest good snapshot of a file behind a record up to `until`.
///
/// # Errors
/// When the table cannot be read at all; a snapshot that cannot is skipped like a bad one.
pub fn newest(connection: &Connection, until: u64) -> rusqlite::Result<Option<Snapshot>> {
    let mut numbers = connection
        .prepare("SELECT number FROM main.snapshots WHERE number <= ?1 ORDER BY number DESC")?;
    let numbers = numbers
        .query_map([until], |row| row.get::<_, u64>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for number in numbers {
        match good(connection, number) {
            Ok(found) => return Ok(Some(found)),
            Err(why) => tracing::warn!(number, why, "a snapshot is bad; going back"),
        }
    }
    Ok(None)
}

fn good(connection: &Connection, number: u64) -> Result<Snapshot, String> {
    type Row = (u64, [u8; 32], Vec<u8>, [u8; 32]);
    let (at, head, bytes, stored): Row = connection
        .query_row(
            "SELECT at_us, head, bytes, hash FROM main.snapshots WHERE number = ?1",
            [number],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .map_err(|error| error.to_string())?;
    if hash(number, at, &head, &bytes) != stored {
        return Err("its hash does not fit".to_owned());
    }
    let memory = snapshot::decode(&bytes).map_err(|fault| fault.to_string())?;
    Ok(Snapshot { number, head: Head(head), memory })
}
