//! Reads parcels and their stories from the journal, each time over a read-only connection of its
//! own: readers never hold a lock for long and never write.

use super::limits;
use super::router::Shared;
use super::story::{Class, Outcome, Step, Story};
use crate::journal::{JournalFault, files, schema};
use line_model::chute::Bar;
use line_model::decision::{ParcelEvent, Rescan};
use line_model::ids::{ChuteNo, DiverterId, EyeId, ParcelId, ScannerId, Tag};
use line_model::parcel::Confidence;
use line_model::reason::Reason;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row as SqlRow, params};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use units::{Distance, EncoderId, Grams, Micros, Position};

/// Why the journal could not be read for a screen.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// SQLite refused.
    #[error("query the journal")]
    Query(#[from] rusqlite::Error),
    /// There is none, or its directory cannot be read.
    #[error("find the journal")]
    Absent(#[from] JournalFault),
    /// Another program version wrote it.
    #[error("read the journal: its format is {found}, not {}", schema::VERSION)]
    Format {
        /// The version that it has.
        found: i64,
    },
    /// A row holds what the schema does not allow.
    #[error("read step {event:?} of parcel {parcel}: {detail}")]
    Step {
        /// Whose.
        parcel: u64,
        /// Name of the step.
        event: String,
        /// Its values as they stand.
        detail: String,
    },
    /// The reading task ended without an answer.
    #[error("finish reading the journal")]
    Gone,
}

/// One parcel of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Which.
    pub(super) parcel: ParcelId,
    /// Its code.
    pub(super) code: Option<String>,
    /// When it was inducted, on the wall clock.
    pub(super) inducted_utc_us: Option<u64>,
    /// Where it went.
    pub(super) outcome: Outcome,
}

/// Which parcels a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter {
    /// Only with a greater number; the list then begins with the oldest.
    pub(super) after: Option<u64>,
    /// Only with a smaller number.
    pub(super) before: Option<u64>,
    /// Only of this class.
    pub(super) class: Option<Class>,
}

/// Reads on a thread that may block; at most [`limits::READERS`] at a time.
pub(super) async fn read<T: Send + 'static>(
    shared: &Arc<Shared>,
    question: impl FnOnce(&Journal) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    let Ok(place) = shared.readers.clone().acquire_owned().await else {
        return Err(ReadError::Gone);
    };
    let shared = shared.clone();
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        question(&Journal::open(&shared.data)?)
    });
    task.await.unwrap_or(Err(ReadError::Gone))
}

/// An open journal: its files, newest first.
#[derive(Debug)]
pub(super) struct Journal(Vec<Connection>);

const COLUMNS: &str = "SELECT id, code, outcome, chute, reason, COALESCE(
    (SELECT utc_us + p.inducted_us - at_us FROM wall_clock
      WHERE at_us <= p.inducted_us ORDER BY at_us DESC LIMIT 1),
    (SELECT utc_us + p.inducted_us - at_us FROM wall_clock ORDER BY at_us LIMIT 1))
  FROM parcels AS p";

/// Parcels that this file carries from the one before: the file before knows them less well.
type Carried = BTreeSet<u64>;

impl Journal {
    /// Opens one file, or the newest [`limits::FILES`] files of a data directory.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        if !path.is_dir() {
            return Ok(Self(vec![open(path)?]));
        }
        let mut list = files::list_some(path)?;
        list.reverse();
        list.truncate(limits::FILES);
        Ok(Self(list.iter().map(|file| open(file)).collect::<Result<_, _>>()?))
    }

    /// The parcels that the filter asks for, at most [`limits::LIST_ROWS`].
    pub(super) fn list(&self, filter: &Filter) -> Result<Vec<Row>, ReadError> {
        let oldest_first = filter.after.is_some();
        let order = if oldest_first { "ASC" } else { "DESC" };
        let class = filter.class.map(stored_name);
        let sql = format!(
            "{COLUMNS} WHERE id > ?1 AND id < ?2 AND (?3 IS NULL OR outcome = ?3)
             ORDER BY id {order} LIMIT ?4"
        );
        let after = filter.after.map_or(-1, clamped);
        let before = filter.before.map_or(i64::MAX, clamped);
        let mut rows = Vec::new();
        self.each_file(|connection, better| {
            let limit = limits::LIST_ROWS + u32::try_from(better.len()).unwrap_or(u32::MAX / 2);
            let found = listed(connection, &sql, params![after, before, class, limit])?;
            rows.extend(found.into_iter().filter(|row| !better.contains(&row.parcel.0)));
            Ok(oldest_first || !full(&rows))
        })?;
        rows.sort_by_key(|row| row.parcel);
        if !oldest_first {
            rows.reverse();
        }
        rows.truncate(usize::try_from(limits::LIST_ROWS).unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// Parcels with this code, or whose code ends with it; the latest first.
    pub(super) fn find(&self, text: &str) -> Result<Vec<Row>, ReadError> {
        let exact = format!("{COLUMNS} WHERE code = ?1 ORDER BY id DESC LIMIT ?2");
        let rows = self.search(&exact, text)?;
        if !rows.is_empty() || text.chars().count() < limits::TAIL_DIGITS {
            return Ok(rows);
        }
        let tail = format!(
            "{COLUMNS} WHERE code IS NOT NULL AND upper(substr(code, -length(?1))) = upper(?1)
             ORDER BY id DESC LIMIT ?2"
        );
        self.search(&tail, text)
    }

    fn search(&self, sql: &str, text: &str) -> Result<Vec<Row>, ReadError> {
        let mut rows = Vec::new();
        self.each_file(|connection, better| {
            let found = listed(connection, sql, params![text, limits::LIST_ROWS])?;
            rows.extend(found.into_iter().filter(|row| !better.contains(&row.parcel.0)));
            Ok(!full(&rows))
        })?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.parcel));
        Ok(rows)
    }

    /// Goes through the files, newest first, while `each` says so; it also gets the parcels that a
    /// newer file knows better.
    fn each_file(
        &self,
        mut each: impl FnMut(&Connection, &Carried) -> Result<bool, ReadError>,
    ) -> Result<(), ReadError> {
        let mut better = Carried::new();
        for connection in &self.0 {
            if !each(connection, &better)? {
                return Ok(());
            }
            let mut carried = connection.prepare("SELECT parcel FROM carried")?;
            let carried = carried.query_map([], |row| unsigned(row, 0))?;
            better.extend(carried.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(())
    }

    /// One parcel's story over all files that hold a part of it; `None` when the journal does not
    /// know the parcel.
    pub(super) fn story(&self, parcel: ParcelId) -> Result<Option<Story>, ReadError> {
        let Ok(id) = i64::try_from(parcel.0) else {
            return Ok(None);
        };
        let (mut steps, mut found) = (Vec::new(), false);
        for connection in &self.0 {
            let exists = |sql| connection.query_row(sql, [id], |_| Ok(())).optional();
            if exists("SELECT 1 FROM parcels WHERE id = ?1")?.is_some() {
                found = true;
                steps.splice(0..0, self::steps(connection, parcel, id)?);
                if exists("SELECT 1 FROM carried WHERE parcel = ?1")?.is_none() {
                    break;
                }
            } else if found {
                break;
            }
        }
        Ok(found.then_some(Story { parcel, steps }))
    }
}

/// Opens one file of the journal.
fn open(file: &Path) -> Result<Connection, ReadError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(limits::BUSY_TIMEOUT)?;
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == schema::VERSION { Ok(connection) } else { Err(ReadError::Format { found }) }
}

fn full(rows: &[Row]) -> bool {
    u32::try_from(rows.len()).is_ok_and(|count| count >= limits::LIST_ROWS)
}

fn listed(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Row>, ReadError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params, list_row)?;
    Ok(rows.collect::<Result<Vec<Row>, rusqlite::Error>>()?)
}

/// The part of a parcel's story that stands in one file.
fn steps(connection: &Connection, parcel: ParcelId, id: i64) -> Result<Vec<Step>, ReadError> {
    let mut statement = connection.prepare(
        "SELECT record, at_us, event, detail, COALESCE(
            (SELECT utc_us + s.at_us - at_us FROM wall_clock
              WHERE at_us <= s.at_us ORDER BY at_us DESC LIMIT 1),
            (SELECT utc_us + s.at_us - at_us FROM wall_clock ORDER BY at_us LIMIT 1))
         FROM story AS s WHERE parcel = ?1 ORDER BY record, step LIMIT ?2",
    )?;
    let mut rows = statement.query(params![id, limits::STORY_STEPS])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(step(parcel, row)?);
    }
    Ok(steps)
}

fn unsigned(row: &SqlRow<'_>, index: usize) -> Result<u64, rusqlite::Error> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}

fn clamped(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

const fn stored_name(class: Class) -> &'static str {
    match class {
        Class::Planned => "landed_planned",
        Class::Alternate => "landed_alternate",
        Class::End => "end_landed",
        Class::Round => "recirculated",
        Class::Removed => "removed",
        Class::Lost => "lost",
        Class::Unconfirmed => "unconfirmed",
        Class::OnLine => "on_line",
    }
}

fn list_row(row: &SqlRow<'_>) -> Result<Row, rusqlite::Error> {
    let stored: String = row.get(2)?;
    let chute = ChuteNo(row.get::<_, Option<u16>>(3)?.unwrap_or_default());
    let reason: Option<String> = row.get(4)?;
    let outcome = match Class::ALL.into_iter().find(|class| stored_name(*class) == stored) {
        Some(Class::Planned) => Outcome::Planned(chute),
        Some(Class::Alternate) => Outcome::Alternate(chute),
        Some(Class::End) => match reason.as_deref().and_then(reason_of) {
            Some(reason) => Outcome::End(reason),
            None => return Err(rusqlite::Error::InvalidQuery),
        },
        Some(Class::Round) => match reason.as_deref().and_then(reason_of) {
            Some(reason) => Outcome::Round(reason),
            None => return Err(rusqlite::Error::InvalidQuery),
        },
        Some(Class::Removed) => Outcome::Removed(String::new()),
        Some(Class::Lost) => Outcome::Lost,
        Some(Class::Unconfirmed) => Outcome::Unconfirmed(chute),
        Some(Class::OnLine) => Outcome::OnLine,
        None => return Err(rusqlite::Error::InvalidQuery),
    };
    Ok(Row {
        parcel: ParcelId(unsigned(row, 0)?),
        code: row.get(1)?,
        inducted_utc_us: row.get::<_, Option<i64>>(5)?.and_then(|us| u64::try_from(us).ok()),
        outcome,
    })
}

fn reason_of(code: &str) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| reason.code() == code)
}

fn step(parcel: ParcelId, row: &SqlRow<'_>) -> Result<Step, ReadError> {
    let event: String = row.get(2)?;
    let detail: String = row.get(3)?;
    let values = serde_json::from_str::<Value>(&detail).unwrap_or_default();
    match told(&event, &Detail(&values)) {
        Some(event) => Ok(Step {
            record: unsigned(row, 0)?,
            at: Micros(unsigned(row, 1)?),
            utc_us: row.get::<_, Option<i64>>(4)?.and_then(|us| u64::try_from(us).ok()),
            event,
        }),
        None => Err(ReadError::Step { parcel: parcel.0, event, detail }),
    }
}

/// Values of a step.
struct Detail<'a>(&'a Value);

impl Detail<'_> {
    fn unsigned<T: TryFrom<u64>>(&self, key: &str) -> Option<T> {
        T::try_from(self.0.get(key)?.as_u64()?).ok()
    }

    fn signed(&self, key: &str) -> Option<i64> {
        self.0.get(key)?.as_i64()
    }

    fn text(&self, key: &str) -> Option<String> {
        Some(self.0.get(key)?.as_str()?.to_owned())
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    fn chute(&self) -> Option<ChuteNo> {
        self.unsigned("chute").map(ChuteNo)
    }

    fn eye(&self) -> Option<EyeId> {
        self.unsigned("eye").map(EyeId)
    }

    fn confidence(&self) -> Option<Confidence> {
        match self.text("confidence")?.as_str() {
            "certain" => Some(Confidence::Certain),
            "open" => self.eye().map(|eye| Confidence::Open { eye }),
            "uncertain" => Some(Confidence::Uncertain),
            _ => None,
        }
    }

    fn rescan(&self) -> Option<Rescan> {
        let name = self.text("result")?;
        Rescan::ALL.into_iter().find(|result| result.name() == name)
    }

    fn bar(&self) -> Option<Bar> {
        let code = self.text("bar")?;
        Bar::ALL.into_iter().find(|bar| bar.code() == code)
    }

    fn tag(&self) -> Option<Tag> {
        self.unsigned("tag").map(Tag)
    }

    fn reason(&self) -> Option<Reason> {
        reason_of(self.0.get("reason")?.as_str()?)
    }

    /// The position in the belt's frame; the story holds one belt, so its number does not matter.
    fn position(&self) -> Option<Position> {
        Some(Position::new(EncoderId(0), self.signed("position")?))
    }
}

/// The event behind its stored name and values; `None` when they do not fit the schema.
fn told(name: &str, detail: &Detail<'_>) -> Option<ParcelEvent> {
    Some(match name {
        "inducted" => ParcelEvent::Inducted { at: detail.position()? },
        "measured" => ParcelEvent::Measured { length: Distance(detail.signed("length")?) },
        "weighed" => ParcelEvent::Weighed { weight: detail.unsigned("weight_g").map(Grams) },
        "identified" => ParcelEvent::Identified { code: detail.text("code")? },
        "rescanned" => ParcelEvent::Rescanned {
            scanner: ScannerId(detail.unsigned("scanner")?),
            code: detail.text("code")?,
            result: detail.rescan()?,
        },
        "seen" => ParcelEvent::Seen { eye: detail.eye()?, at: detail.position()? },
        "routed" => {
            ParcelEvent::Routed { carrier: detail.text("carrier")?, route: detail.text("route")? }
        }
        "passed_over" => ParcelEvent::PassedOver { chute: detail.chute()?, bar: detail.bar()? },
        "assigned" => ParcelEvent::Assigned {
            chute: detail.chute()?,
            alternate: detail.flag("alternate")?,
            reason: detail.reason(),
        },
        "believed" => ParcelEvent::Believed { now: detail.confidence()? },
        "sent_to_end" => ParcelEvent::SentToEnd { reason: detail.reason()? },
        "armed" => ParcelEvent::Armed {
            tag: detail.tag()?,
            diverter: DiverterId(detail.unsigned("diverter")?),
        },
        "fired" => ParcelEvent::Fired { tag: detail.tag()?, chute: detail.chute()? },
        "landed_provisional" => ParcelEvent::LandedProvisional { chute: detail.chute()? },
        "landed" => {
            ParcelEvent::Landed { chute: detail.chute()?, alternate: detail.flag("alternate")? }
        }
        "end_landed" => ParcelEvent::EndLanded { reason: detail.reason()? },
        "recirculated" => ParcelEvent::Recirculated { reason: detail.reason()? },
        "unconfirmed" => ParcelEvent::Unconfirmed { chute: detail.chute()? },
        "lost" => ParcelEvent::Lost { eye: detail.eye()? },
        "removed" => ParcelEvent::Removed { by: detail.text("by")? },
        _ => return None,
    })
}
