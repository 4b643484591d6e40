//! Reads parcels and their stories from the journal, each time over a read-only connection of its
//! own: readers never hold a lock for long and never write.

use super::limits;
use super::router::Shared;
use super::story::{Class, Outcome, Step, Story};
use crate::journal::{FILE, schema};
use line_model::decision::ParcelEvent;
use line_model::ids::{ChuteNo, DiverterId, EyeId, ParcelId, Tag};
use line_model::reason::Reason;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row as SqlRow, params};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use units::{Distance, EncoderId, Grams, Micros, Position};

/// Why the journal could not be read for a screen.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// SQLite refused.
    #[error("query the journal")]
    Query(#[from] rusqlite::Error),
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

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal(Connection);

const COLUMNS: &str = "SELECT id, code, outcome, chute, reason, COALESCE(
    (SELECT utc_us + p.inducted_us - at_us FROM wall_clock
      WHERE at_us <= p.inducted_us ORDER BY at_us DESC LIMIT 1),
    (SELECT utc_us + p.inducted_us - at_us FROM wall_clock ORDER BY at_us LIMIT 1))
  FROM parcels AS p";

impl Journal {
    /// Opens the journal's file, or the file in the journal's directory.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(limits::BUSY_TIMEOUT)?;
        let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found == schema::VERSION {
            Ok(Self(connection))
        } else {
            Err(ReadError::Format { found })
        }
    }

    /// The parcels that the filter asks for, at most [`limits::LIST_ROWS`].
    pub(super) fn list(&self, filter: &Filter) -> Result<Vec<Row>, ReadError> {
        let order = if filter.after.is_some() { "ASC" } else { "DESC" };
        let class = filter.class.map(stored_name);
        let sql = format!(
            "{COLUMNS} WHERE id > ?1 AND id < ?2 AND (?3 IS NULL OR outcome = ?3)
             ORDER BY id {order} LIMIT ?4"
        );
        let after = filter.after.map_or(-1, clamped);
        let before = filter.before.map_or(i64::MAX, clamped);
        let mut statement = self.0.prepare(&sql)?;
        let rows = statement
            .query_map(params![after, before, class, limits::LIST_ROWS], list_row)?
            .collect::<Result<Vec<Row>, rusqlite::Error>>()?;
        Ok(rows)
    }

    /// Parcels with this code, or whose code ends with it; the latest first.
    pub(super) fn find(&self, text: &str) -> Result<Vec<Row>, ReadError> {
        let exact = self.0.prepare(&format!("{COLUMNS} WHERE code = ?1 ORDER BY id DESC LIMIT ?2"));
        let rows = exact?
            .query_map(params![text, limits::LIST_ROWS], list_row)?
            .collect::<Result<Vec<Row>, rusqlite::Error>>()?;
        if !rows.is_empty() || text.chars().count() < limits::TAIL_DIGITS {
            return Ok(rows);
        }
        let sql = format!(
            "{COLUMNS} WHERE code IS NOT NULL AND upper(substr(code, -length(?1))) = upper(?1)
             ORDER BY id DESC LIMIT ?2"
        );
        let rows = self
            .0
            .prepare(&sql)?
            .query_map(params![text, limits::LIST_ROWS], list_row)?
            .collect::<Result<Vec<Row>, rusqlite::Error>>()?;
        Ok(rows)
    }

    /// One parcel's story; `None` when the journal does not know the parcel.
    pub(super) fn story(&self, parcel: ParcelId) -> Result<Option<Story>, ReadError> {
        let Ok(id) = i64::try_from(parcel.0) else {
            return Ok(None);
        };
        let known =
            self.0.query_row("SELECT 1 FROM parcels WHERE id = ?1", [id], |_| Ok(())).optional()?;
        if known.is_none() {
            return Ok(None);
        }
        let mut statement = self.0.prepare(
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
        Ok(Some(Story { parcel, steps }))
    }
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
        "seen" => ParcelEvent::Seen { eye: detail.eye()?, at: detail.position()? },
        "routed" => {
            ParcelEvent::Routed { carrier: detail.text("carrier")?, route: detail.text("route")? }
        }
        "assigned" => ParcelEvent::Assigned {
            chute: detail.chute()?,
            alternate: detail.flag("alternate")?,
            reason: detail.reason(),
        },
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
        "unconfirmed" => ParcelEvent::Unconfirmed { chute: detail.chute()? },
        "lost" => ParcelEvent::Lost { eye: detail.eye()? },
        "removed" => ParcelEvent::Removed { by: detail.text("by")? },
        _ => return None,
    })
}
