//! What people and tools read, from read-only connections over all files of a journal.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Row};
use serde::Serialize;

use super::{JournalFault, begin, files};

/// Rows of one read: a reader that waits for its own output holds no file meanwhile.
const PAGE: u32 = 1_000;

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

const COLUMNS: &str = "id, inducted_us, position, code, carrier, route, chute, reason, outcome,
     outcome_us";

fn parcel_row(row: &Row<'_>) -> rusqlite::Result<ParcelRow> {
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
}

/// Every parcel once, in order of induction, with its latest outcome.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn parcels(
    data: &Path,
    mut each: impl FnMut(ParcelRow) -> std::io::Result<()>,
) -> Result<std::io::Result<()>, JournalFault> {
    let list = files::list_some(data)?;
    // A parcel that was carried over stands in several files; the newest knows best.
    let mut latest: BTreeMap<u64, ParcelRow> = BTreeMap::new();
    for path in &list[1..] {
        let sql = format!("SELECT {COLUMNS} FROM parcels WHERE id IN (SELECT parcel FROM carried)");
        let rows = rows(&files::open_to_read(path)?, &sql, []);
        let rows = rows.map_err(JournalFault::unreadable(path))?;
        latest.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    for (index, path) in list.iter().enumerate() {
        let connection = files::open_to_read(path)?;
        let own = if index == 0 { "" } else { "AND id NOT IN (SELECT parcel FROM carried)" };
        let sql =
            format!("SELECT {COLUMNS} FROM parcels WHERE id > ?1 {own} ORDER BY id LIMIT {PAGE}");
        let mut behind = -1;
        loop {
            let page = rows(&connection, &sql, [behind]).map_err(JournalFault::unreadable(path))?;
            let Some(last) = page.last() else { break };
            behind = i64::try_from(last.id).unwrap_or(i64::MAX);
            for row in page {
                let written = each(latest.remove(&row.id).unwrap_or(row));
                if written.is_err() {
                    return Ok(written);
                }
            }
        }
    }
    Ok(Ok(()))
}

fn rows(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<ParcelRow>> {
    connection.prepare_cached(sql)?.query_map(params, parcel_row)?.collect()
}

/// Hands over every record from number `from` on, in order: its number, its instant in
/// microseconds, its bytes.
///
/// # Errors
/// When there is no journal or it cannot be read, or what `each` returns.
pub fn records_from(
    data: &Path,
    from: u64,
    mut each: impl FnMut(u64, u64, &[u8]) -> Result<(), JournalFault>,
) -> Result<(), JournalFault> {
    for path in files::list_some(data)? {
        let connection = files::open_to_read(&path)?;
        let unreadable = JournalFault::unreadable(&path);
        let mut rows = connection
            .prepare("SELECT number, at_us, bytes FROM records WHERE number >= ?1 ORDER BY number")
            .map_err(&unreadable)?;
        let mut rows = rows.query([from]).map_err(&unreadable)?;
        while let Some(row) = rows.next().map_err(&unreadable)? {
            let (number, at): (u64, u64) =
                row.get(0).and_then(|number| Ok((number, row.get(1)?))).map_err(&unreadable)?;
            let bytes = row.get_ref(2).map_err(&unreadable)?;
            let bytes = bytes.as_blob().map_err(|why| unreadable(why.into()))?;
            each(number, at, bytes)?;
        }
    }
    Ok(())
}

/// The bytes of every record in order.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn records(data: &Path) -> Result<Vec<Vec<u8>>, JournalFault> {
    let mut records = Vec::new();
    records_from(data, 0, |_, _, bytes| {
        records.push(bytes.to_vec());
        Ok(())
    })?;
    Ok(records)
}

/// One file's counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayTally {
    /// The file.
    pub file: String,
    /// Its business day.
    pub day: String,
    /// Parcels that came open from the file before.
    pub carried_in: u64,
    /// Parcels inducted in it.
    pub inducted: u64,
    /// Parcels by outcome, without those that were carried on.
    pub outcomes: BTreeMap<String, u64>,
    /// Parcels that went on open to the next file.
    pub carried_out: u64,
}

impl DayTally {
    /// Whether what came in is what went out.
    pub fn ties(&self) -> bool {
        let out: u64 = self.outcomes.values().sum();
        self.carried_in + self.inducted == out + self.carried_out
    }
}

/// The counts of every file, oldest first.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn days(data: &Path) -> Result<Vec<DayTally>, JournalFault> {
    let mut days: Vec<DayTally> = Vec::new();
    for path in files::list_some(data)? {
        let connection = files::open_to_read(&path)?;
        let unreadable = JournalFault::unreadable(&path);
        let counts = |sql: &str| -> rusqlite::Result<BTreeMap<String, u64>> {
            let mut rows = connection.prepare(sql)?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let carried = counts("SELECT outcome, count(*) FROM carried GROUP BY outcome");
        let carried = carried.map_err(&unreadable)?;
        if let Some(before) = days.last_mut() {
            for (outcome, count) in &carried {
                let stays = before.outcomes.entry(outcome.clone()).or_default();
                *stays = stays.saturating_sub(*count);
                before.carried_out += count;
            }
            before.outcomes.retain(|_, count| *count > 0);
        }
        let mut tally =
            counts("SELECT key, count FROM tally WHERE key NOT LIKE '%.%' AND count <> 0")
                .map_err(&unreadable)?;
        days.push(DayTally {
            file: files::name(&path),
            day: begin::read(&connection, &path)?.day.to_string(),
            carried_in: tally.remove("carried_in").unwrap_or_default(),
            inducted: tally.remove("inducted").unwrap_or_default(),
            outcomes: tally,
            carried_out: 0,
        });
    }
    Ok(days)
}
