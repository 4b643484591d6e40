//! One file with a slice of the journal and everything that its replay needs.
//!
//! The tables have the names and columns of the journal's own, so that replay reads both alike; the
//! slice begins behind a snapshot. What the manifest said is in the records' route replies. Codes
//! and persons are masked before anything is written, and the masked slice is replayed before the
//! file gets its name: a file that exists is one that replays.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use line_engine::chain::Head;
use line_engine::record;
use rusqlite::{Connection, params};
use units::Micros;

use super::key::{self, KeyFault};
use crate::exit::Exit;
use crate::flight::dump::{self, DumpFault};
use crate::flight::{self, recorder};
use crate::mask::Mask;
use crate::replay::recording::Kept;
use crate::replay::{Recording, RecordingFault, Replay, ReplayFault, UtcPair, time};

/// `SLIN`: tells an incident file from a journal.
const APPLICATION: i32 = 0x534C_494E;
/// Format of the file; raised whenever a table changes its meaning.
const VERSION: i64 = 2;
/// Frames this much before the first record and behind the last one belong to them.
const MARGIN: Micros = Micros::from_secs(1);
/// How long a running daemon may take to dump its frames.
const DUMP_MAX: Duration = Duration::from_secs(20);

const CREATE: &str = "
-- Facts about the file: versions and the slice asked for.
CREATE TABLE about (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
-- As in the journal, masked.
CREATE TABLE records (number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, bytes BLOB NOT NULL)
    STRICT;
-- Chain over the masked records, from zeros on; one row, behind the last of them.
CREATE TABLE heads (number INTEGER PRIMARY KEY, head BLOB NOT NULL) STRICT;
CREATE TABLE snapshots (number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, bytes BLOB NOT NULL)
    STRICT;
CREATE TABLE files (id INTEGER PRIMARY KEY, utc_us INTEGER NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE wall_clock (at_us INTEGER PRIMARY KEY, utc_us INTEGER NOT NULL) STRICT;
";

/// Puts a slice of the journal into one masked file that replays elsewhere.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// First instant, such as 2026-11-22T14:03 (Asia/Shanghai unless it says otherwise).
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    from: u64,
    /// Last instant.
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    to: u64,
    /// The file to make; must not exist. Without it `incident-<from>.sqlite` here.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Why there is no incident file.
#[derive(Debug)]
pub enum ExportFault {
    /// The journal.
    Recording(RecordingFault),
    /// The site's key.
    Key(KeyFault),
    /// The data directory has no key: it was never used by a daemon that masks.
    NoKey {
        /// The data directory.
        data: PathBuf,
    },
    /// No record lies in the slice.
    Empty,
    /// A record cannot be decoded.
    Record(record::Fault),
    /// The slice does not replay, masked as it is.
    Replay(ReplayFault),
    /// The file exists already.
    Exists {
        /// Which one.
        path: PathBuf,
    },
    /// The file cannot be written.
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The frames of its time cannot be read.
    Frames(DumpFault),
    /// The file cannot be given its name.
    Name {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl std::fmt::Display for ExportFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Recording(fault) => fault.fmt(f),
            Self::Key(fault) => fault.fmt(f),
            Self::NoKey { data } => {
                write!(f, "mask: {} has no {}", data.display(), key::FILE)
            }
            Self::Empty => f.write_str("export: no record lies between these instants"),
            Self::Record(fault) => write!(f, "mask a record: {fault}"),
            Self::Replay(fault) => write!(f, "replay what was to be exported: {fault}"),
            Self::Frames(fault) => write!(f, "take the frames: {fault}"),
            Self::Exists { path } => write!(f, "make {}: it exists", path.display()),
            Self::Write { path, source } => write!(f, "write {}: {source}", path.display()),
            Self::Name { path, source } => write!(f, "name {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for ExportFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Recording(fault) => Some(fault),
            Self::Key(fault) => Some(fault),
            Self::Record(fault) => Some(fault),
            Self::Replay(fault) => Some(fault),
            Self::Frames(fault) => Some(fault),
            Self::Write { source, .. } => Some(source),
            Self::Name { source, .. } => Some(source),
            Self::NoKey { .. } | Self::Empty | Self::Exists { .. } => None,
        }
    }
}

impl From<RecordingFault> for ExportFault {
    fn from(fault: RecordingFault) -> Self {
        Self::Recording(fault)
    }
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// First record, behind the snapshot that the slice begins with.
    pub first: u64,
    /// Last record.
    pub last: u64,
    /// Raw frames of the flight recorder.
    pub frames: u64,
}

/// A slice, masked, before it is written.
struct Slice {
    /// The snapshot that it begins behind; `None` = from nothing.
    snapshot: Option<(u64, Vec<u8>)>,
    /// Number, instant and masked bytes.
    records: Vec<(u64, Micros, Vec<u8>)>,
    wall_clock: Vec<UtcPair>,
    files: Vec<Kept>,
    /// The instants asked for, on the engine's clock.
    span: (Micros, Micros),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Exit {
    let out = arguments.out.clone().unwrap_or_else(|| {
        let stamp: String =
            time::utc(arguments.from).chars().filter(char::is_ascii_digit).take(14).collect();
        PathBuf::from(format!("incident-{stamp}.sqlite"))
    });
    // What a running daemon has only in memory is asked for first; without it the dumps must do.
    if let Err(error) = recorder::ask(&arguments.data, DUMP_MAX) {
        eprintln!("warning: failed to ask the daemon for its frames: {error}");
    }
    match export(&arguments.data, arguments.from, arguments.to, &out) {
        Ok(Exported { path, first, last, frames }) => {
            let path = path.display().to_string();
            if arguments.json {
                let told = serde_json::json!({
                    "file": path, "first": first, "last": last, "frames": frames,
                });
                println!("{told}");
            } else {
                println!(
                    "{path}: records {first} to {last} and {frames} raw frames, masked; it replays"
                );
                if frames == 0 {
                    println!("no frames: nothing was dumped of this time");
                }
            }
            Exit::Done
        }
        Err(fault) => {
            eprintln!("error: failed to {fault}");
            match fault {
                ExportFault::Recording(
                    RecordingFault::Missing { .. } | RecordingFault::Frames { .. },
                )
                | ExportFault::NoKey { .. }
                | ExportFault::Exists { .. } => Exit::CannotStart,
                ExportFault::Recording(_) | ExportFault::Record(_) => Exit::JournalDamaged,
                ExportFault::Replay(_) => Exit::ReplayDiffers,
                ExportFault::Empty => Exit::Usage,
                ExportFault::Key(_)
                | ExportFault::Write { .. }
                | ExportFault::Frames(_)
                | ExportFault::Name { .. } => Exit::Internal,
            }
        }
    }
}

/// Exports the records between two instants, in microseconds since 1970-01-01 UTC.
///
/// # Errors
/// When the journal cannot be read, the slice is empty or does not replay, or the file cannot be
/// made.
pub fn export(
    data: &Path,
    from_utc_us: u64,
    to_utc_us: u64,
    out: &Path,
) -> Result<Exported, ExportFault> {
    if out.exists() {
        return Err(ExportFault::Exists { path: out.to_owned() });
    }
    let site = key::read(data).map_err(ExportFault::Key)?;
    let site = site.ok_or_else(|| ExportFault::NoKey { data: data.to_owned() })?;
    let mask = Mask::new(&site);
    let recording = Recording::open(data)?;
    let slice = slice(&recording, &mask, from_utc_us, to_utc_us)?;
    let (Some((first, ..)), Some((last, ..))) = (slice.records.first(), slice.records.last())
    else {
        return Err(ExportFault::Empty);
    };
    let (first, last) = (*first, *last);
    let making = out.with_extension("making");
    let named = |source| ExportFault::Name { path: making.clone(), source };
    if making.exists() {
        std::fs::remove_file(&making).map_err(named)?;
    }
    let failed = |source| ExportFault::Write { path: making.clone(), source };
    write(&making, &slice, (from_utc_us, to_utc_us)).map_err(failed)?;
    let frames = frames(data, &making, slice.span)?;
    replays(&making)?;
    std::fs::rename(&making, out)
        .map_err(|source| ExportFault::Name { path: out.to_owned(), source })?;
    Ok(Exported { path: out.to_owned(), first, last, frames })
}

/// Copies the frames of the span out of the dumps, which hold them masked under the same key.
fn frames(data: &Path, making: &Path, span: (Micros, Micros)) -> Result<u64, ExportFault> {
    let failed = |source| ExportFault::Write { path: making.to_owned(), source };
    let mut connection = Connection::open(making).map_err(failed)?;
    let tx = connection.transaction().map_err(failed)?;
    let (from, to) = (Micros(span.0.0.saturating_sub(MARGIN.0)), span.1.plus(MARGIN));
    let (mut frames, mut fault) = (0, None);
    for path in dump::list(&flight::directory(data)).map_err(ExportFault::Frames)? {
        let copied = dump::each(&path, from, to, |tapped| match dump::insert(&tx, &tapped) {
            Ok(()) => frames += 1,
            Err(source) => fault = Some(failed(source)),
        });
        // A dump of this moment may be deleted by the daemon meanwhile: then its time is over.
        match copied {
            Err(fault) if path.exists() => return Err(ExportFault::Frames(fault)),
            Ok(()) | Err(_) => {}
        }
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    tx.commit().map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))?;
    Ok(frames)
}

/// Takes the slice out of the journal and masks it.
fn slice(
    recording: &Recording,
    mask: &Mask,
    from_utc_us: u64,
    to_utc_us: u64,
) -> Result<Slice, ExportFault> {
    let ((first, begins), (last, ends)) = numbers(recording, from_utc_us, to_utc_us)?;
    let snapshots = recording.snapshots()?;
    let begun = recording.beginning_before(first)?.map(|beginning| beginning.behind);
    let start = recording.beginning()?.behind;
    let behind = begun.unwrap_or(start);
    let snapshot = match snapshots.get(&behind) {
        Some(bytes) => match mask.snapshot(bytes) {
            Ok(masked) => Some((behind, masked)),
            Err(fault) => return Err(ExportFault::Record(fault)),
        },
        None => None,
    };
    let (mut records, mut fault) = (Vec::new(), None);
    recording.each(behind, |bytes| {
        let masked = record::decode(bytes).and_then(|decoded| {
            mask.record(bytes).map(|masked| (decoded.number, decoded.at, masked))
        });
        match masked {
            Ok((number, ..)) if number > last => return ControlFlow::Break(()),
            Ok(masked) => records.push(masked),
            Err(found) => {
                fault = Some(found);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(fault) = fault {
        return Err(ExportFault::Record(fault));
    }
    let until = records.last().map_or(Micros::ZERO, |(_, at, _)| *at);
    let since = records.first().map_or(Micros::ZERO, |(_, at, _)| *at);
    let mut wall_clock: Vec<UtcPair> = recording.utc_before(since)?.into_iter().collect();
    let told = recording.wall_clock()?;
    wall_clock.extend(told.into_iter().filter(|pair| (since..=until).contains(&pair.at)));
    wall_clock.dedup();
    let files = [recording.kept("line")?, recording.kept("plan")?];
    let files = files.into_iter().flatten().collect();
    Ok(Slice { snapshot, records, wall_clock, files, span: (begins, ends) })
}

type Place = (u64, Micros);

/// The first and the last record between two instants.
fn numbers(
    recording: &Recording,
    from_utc_us: u64,
    to_utc_us: u64,
) -> Result<(Place, Place), ExportFault> {
    let pairs = recording.wall_clock()?;
    let start = recording.beginning()?.behind;
    let (mut first, mut last, mut fault) = (None, None, None);
    recording.each(start, |bytes| {
        let decoded = match record::decode(bytes) {
            Ok(decoded) => decoded,
            Err(found) => {
                fault = Some(found);
                return ControlFlow::Break(());
            }
        };
        // The pair before the record, or the first one for records before any.
        let place = pairs.partition_point(|pair| pair.at <= decoded.at).saturating_sub(1);
        let Some(pair) = pairs.get(place) else { return ControlFlow::Break(()) };
        let utc_us = pair.utc_at(decoded.at);
        if utc_us >= from_utc_us && utc_us <= to_utc_us {
            let place = (decoded.number, decoded.at);
            first.get_or_insert(place);
            last = Some(place);
        }
        ControlFlow::Continue(())
    })?;
    if let Some(fault) = fault {
        return Err(ExportFault::Record(fault));
    }
    first.zip(last).ok_or(ExportFault::Empty)
}

fn write(path: &Path, slice: &Slice, asked: (u64, u64)) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    let tx = connection.transaction()?;
    tx.execute_batch(CREATE)?;
    tx.execute_batch(dump::CREATE_FRAMES)?;
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    let about = |key: &str, value: &dyn rusqlite::ToSql| {
        tx.execute("INSERT INTO about (key, value) VALUES (?1, ?2)", params![key, value])
    };
    about("program", &env!("CARGO_PKG_VERSION"))?;
    about("record_format", &record::FORMAT_VERSION)?;
    about("map_version", &registers::map::MAP_VERSION)?;
    about("from_utc_us", &asked.0)?;
    about("to_utc_us", &asked.1)?;
    if let Some((number, bytes)) = &slice.snapshot {
        tx.execute(
            "INSERT INTO snapshots (number, at_us, bytes) VALUES (?1, 0, ?2)",
            params![number, bytes],
        )?;
    }
    let mut head = Head::START;
    let mut insert =
        tx.prepare("INSERT INTO records (number, at_us, bytes) VALUES (?1, ?2, ?3)")?;
    for (number, at, bytes) in &slice.records {
        insert.execute(params![number, at.0, bytes])?;
        head.extend(bytes);
    }
    drop(insert);
    let last = slice.records.last().map(|(number, ..)| *number);
    tx.execute(
        "INSERT INTO heads (number, head) VALUES (?1, ?2)",
        params![last, head.0.as_slice()],
    )?;
    for pair in &slice.wall_clock {
        tx.execute(
            "INSERT INTO wall_clock (at_us, utc_us) VALUES (?1, ?2)",
            params![pair.at.0, pair.utc_us],
        )?;
    }
    for Kept { kind, name, bytes, utc_us } in &slice.files {
        // Where a file lay on that machine is nobody's business.
        let name = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("file");
        tx.execute(
            "INSERT INTO files (utc_us, kind, name, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![utc_us, kind, name, blake3::hash(bytes).as_bytes().as_slice(), bytes],
        )?;
    }
    tx.commit()?;
    connection.close().map_err(|(_, error)| error)
}

/// Replays the file as its reader will.
fn replays(path: &Path) -> Result<(), ExportFault> {
    let recording = Recording::open(path)?;
    let layout = recording.line()?.engine.layout;
    let beginning = recording.beginning()?;
    let behind = beginning.behind;
    let mut replay = Replay::new(&layout, beginning).map_err(ExportFault::Replay)?;
    let mut fault = None;
    recording.each(behind, |bytes| {
        let different = match replay.step(bytes) {
            Ok(step) => step.difference().map(|found| ReplayFault::Different(Box::new(found))),
            Err(found) => Some(found),
        };
        match different {
            None => ControlFlow::Continue(()),
            Some(found) => {
                fault = Some(found);
                ControlFlow::Break(())
            }
        }
    })?;
    fault.map_or(Ok(()), |fault| Err(ExportFault::Replay(fault)))
}
