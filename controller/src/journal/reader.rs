//! What people and tools read, from a read-only connection.

use std::path::Path;

use line_engine::chain::Head;
use rusqlite::Connection;
use serde::Serialize;

use super::store::open_to_read;
use super::{FILE, JournalFault};

/// One parcel's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParcelRow {
    /// Its number.
    pub id: u64,
    /// When its head reached the induction eye, on the engine's clock.
    pub inducted_us: u64,
    /// Belt position at that instant, in counts.
    pub position: i64,
    /// Its waybill, when exactly one code was read.
    pub code: Option<String>,
    /// Carrier code of the manifest.
    pub carrier: Option<String>,
    /// Route code of the manifest.
    pub route: Option<String>,
    /// Where it is to go, or where it landed.
    pub chute: Option<u16>,
    /// Why it is not where the plan wants it.
    pub reason: Option<String>,
    /// What became of it.
    pub outcome: String,
    /// Since when.
    pub outcome_us: u64,
}

/// Every parcel in order of induction.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn parcels(
    directory: &Path,
    mut each: impl FnMut(ParcelRow) -> std::io::Result<()>,
) -> Result<std::io::Result<()>, JournalFault> {
    let connection = open_to_read(directory)?;
    let unreadable = |source| JournalFault::Unreadable { path: directory.join(FILE), source };
    let mut rows = connection
        .prepare(
            "SELECT id, inducted_us, position, code, carrier, route, chute, reason, outcome,
             outcome_us FROM parcels ORDER BY id",
        )
        .map_err(unreadable)?;
    let rows = rows
        .query_map([], |row| {
            Ok(ParcelRow {
                id: row.get(0)?,
                inducted_us: row.get(1)?,
                position: row.get(2)?,
                code: row.get(3)?,
                carrier: row.get(4)?,
                route: row.get(5)?,
                chute: row.get(6)?,
                reason: row.get(7)?,
                outcome: row.get(8)?,
                outcome_us: row.get(9)?,
            })
        })
        .map_err(unreadable)?;
    for row in rows {
        let written = each(row.map_err(unreadable)?);
        if written.is_err() {
            return Ok(written);
        }
    }
    Ok(Ok(()))
}

/// The bytes of every record in order.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn records(directory: &Path) -> Result<Vec<Vec<u8>>, JournalFault> {
    let connection = open_to_read(directory)?;
    let read = || {
        let mut rows = connection.prepare("SELECT bytes FROM records ORDER BY number")?;
        let rows = rows.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|source| JournalFault::Unreadable { path: directory.join(FILE), source })
}

/// A journal whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// Heads that were compared.
    pub heads: u64,
    /// The last head in hexadecimal digits.
    pub head: String,
}

/// Recomputes the chain over every record and compares it with every head.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(directory: &Path) -> Result<Verified, JournalFault> {
    let connection = open_to_read(directory)?;
    let unreadable = |source| JournalFault::Unreadable { path: directory.join(FILE), source };
    check_pages(&connection).map_err(unreadable)?;
    let mut rows = connection
        .prepare(
            "SELECT records.number, bytes, head FROM records
             LEFT JOIN heads ON heads.number = records.number ORDER BY records.number",
        )
        .map_err(unreadable)?;
    let rows = rows
        .query_map([], |row| {
            let head: Option<[u8; 32]> = row.get(2)?;
            Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?, head))
        })
        .map_err(unreadable)?;
    let (mut head, mut verified) =
        (Head::START, Verified { records: 0, heads: 0, head: String::new() });
    let mut open = false;
    for row in rows {
        let (number, bytes, stored) = row.map_err(unreadable)?;
        let expected = verified.records + 1;
        if number != expected {
            return Err(JournalFault::Gap { expected, found: number });
        }
        verified.records = number;
        head.extend(&bytes);
        open = stored.is_none();
        if let Some(stored) = stored {
            if stored != head.0 {
                return Err(JournalFault::Chain { number });
            }
            verified.heads += 1;
        }
    }
    if open {
        return Err(JournalFault::Chain { number: verified.records });
    }
    verified.head = head.hex();
    Ok(verified)
}

/// Lets SQLite check its own pages.
fn check_pages(connection: &Connection) -> rusqlite::Result<()> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        Ok(())
    } else {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(code, Some(said)))
    }
}
