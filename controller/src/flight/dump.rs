//! A dump: frames in one file, masked, with why it was made and what is missing.
//!
//! The table `frames` is that of an incident file, so that one reader serves both.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, params};
use units::Micros;

use super::Policy;
use super::ring::Segment;
use crate::bus::tap::{Tapped, What, Wire};
use crate::mask::{Mask, Masker};
use crate::replay::time;

/// `SLFR`: tells a dump from a journal and from an incident file.
pub const APPLICATION: i32 = 0x534C_4652;
/// Format of the file; raised whenever a table changes its meaning.
const VERSION: i64 = 1;
/// Ending of a dump.
const ENDING: &str = "sqlite";
/// Ending of a file that is being made: whatever it holds, it counts for nothing.
const UNFINISHED: &str = "new";
/// Bytes of the disk that a dump leaves free whatever happens: they are the journal's.
const FREE_BYTES: u64 = 64 << 20;

/// The table of frames, in dumps and in incident files.
pub const CREATE_FRAMES: &str = "
-- Raw frames with their codes masked: engine's clock, wall clock, index of the bus in the line file,
-- `serial` or `tcp`, unit, what it was to the host, all bytes with CRC or MBAP header.
CREATE TABLE frames (id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, utc_us INTEGER NOT NULL,
    bus INTEGER NOT NULL, wire TEXT NOT NULL, unit INTEGER NOT NULL, what TEXT NOT NULL,
    bytes BLOB NOT NULL) STRICT;
";

const CREATE_ABOUT: &str = "
-- Facts about the file.
CREATE TABLE about (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
";

/// Why a dump was not made or cannot be read.
#[derive(Debug)]
pub enum DumpFault {
    /// The disk has too little room for it beside the journal.
    NoRoom {
        /// Bytes that are free.
        free: u64,
        /// Bytes that it might need.
        wanted: u64,
    },
    /// A directory or file cannot be used.
    System {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written or read.
    Database {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl std::fmt::Display for DumpFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRoom { free, wanted } => {
                write!(f, "find room for {wanted} bytes of frames: {free} are free")
            }
            Self::System { path, source } => write!(f, "use {}: {source}", path.display()),
            Self::Database { path, source } => write!(f, "use {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for DumpFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoRoom { .. } => None,
            Self::System { source, .. } => Some(source),
            Self::Database { source, .. } => Some(source),
        }
    }
}

/// What goes into a dump.
#[derive(Clone, Debug)]
pub struct Load {
    /// The frames.
    pub segments: Vec<Arc<Segment>>,
    /// Why it is made: codes of alarms, or `request`.
    pub causes: Vec<&'static str>,
    /// Frames since the dump before that are in none.
    pub missing: u64,
    /// Names the file: microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
}

/// The dumps of a directory, oldest first; none when there is no directory.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn list(directory: &Path) -> Result<Vec<PathBuf>, DumpFault> {
    let fault = |source| DumpFault::System { path: directory.to_owned(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let is_dump = |path: &PathBuf| path.extension().is_some_and(|ending| ending == ENDING);
    let mut dumps: Vec<PathBuf> = paths.map_err(fault)?.into_iter().filter(is_dump).collect();
    dumps.sort();
    Ok(dumps)
}

/// Writes a dump under a name of its own, after deleting the oldest ones beyond the bounds.
///
/// # Errors
/// When there is no room or the file cannot be written; nothing half made stays behind.
pub fn write(
    directory: &Path,
    policy: &Policy,
    mask: &Mask,
    load: &Load,
) -> Result<Written, DumpFault> {
    let fault = |source| DumpFault::System { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(fault)?;
    let wanted = load.segments.iter().map(|segment| segment.file_bytes()).sum();
    make_room(directory, policy, wanted)?;
    let stamp: String = time::utc(load.utc_us).chars().filter(char::is_ascii_digit).collect();
    // A wall clock that went back names nothing twice.
    let newest = list(directory)?
        .pop()
        .and_then(|path| path.file_stem()?.to_str()?.split('-').nth(1)?.parse::<u32>().ok());
    let number = newest.unwrap_or_default().saturating_add(1);
    let name = format!("flight-{number:06}-{}", stamp.get(..14).unwrap_or(&stamp));
    let path = directory.join(name).with_extension(ENDING);
    let making = path.with_extension(UNFINISHED);
    let made = fill(&making, mask, load).and_then(|frames| {
        let named = std::fs::File::open(&making)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&making, &path));
        named.map_err(|source| DumpFault::System { path: path.clone(), source })?;
        Ok(Written { path, frames })
    });
    if made.is_err() {
        // On a full disk what was half made is the first thing to go; that may fail too.
        std::fs::remove_file(&making).ok();
    }
    made
}

/// Deletes unfinished files and the oldest dumps, until one more fits every bound.
fn make_room(directory: &Path, policy: &Policy, wanted: u64) -> Result<(), DumpFault> {
    let fault = |source| DumpFault::System { path: directory.to_owned(), source };
    for entry in std::fs::read_dir(directory).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|ending| ending == UNFINISHED) {
            std::fs::remove_file(&path).map_err(fault)?;
        }
    }
    let dumps = list(directory)?;
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |found| found.len());
    let mut kept: Vec<(PathBuf, u64)> =
        dumps.into_iter().map(|path| (path.clone(), size(&path))).collect();
    loop {
        let bytes: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
        let many = kept.len() >= policy.dumps_max.max(1);
        if kept.is_empty() || (!many && bytes + wanted <= policy.disk_bytes) {
            break;
        }
        let (oldest, _) = kept.remove(0);
        std::fs::remove_file(&oldest).map_err(fault)?;
    }
    let found = rustix::fs::statvfs(directory).map_err(|error| fault(error.into()))?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let wanted = wanted.saturating_add(FREE_BYTES);
    if free < wanted { Err(DumpFault::NoRoom { free, wanted }) } else { Ok(()) }
}

fn fill(making: &Path, mask: &Mask, load: &Load) -> Result<u64, DumpFault> {
    let write = || -> rusqlite::Result<u64> {
        let mut connection = Connection::open(making)?;
        // The file gets its name when it is whole and synced: SQLite need not care for a cut.
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        let tx = connection.transaction()?;
        tx.execute_batch(CREATE_ABOUT)?;
        tx.execute_batch(CREATE_FRAMES)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        let about = |key: &str, value: &dyn rusqlite::ToSql| {
            tx.execute("INSERT INTO about (key, value) VALUES (?1, ?2)", params![key, value])
        };
        about("program", &env!("CARGO_PKG_VERSION"))?;
        about("causes", &load.causes.join(" "))?;
        about("missing", &load.missing)?;
        let (mut masker, mut frames) = (Masker::new(mask.clone()), 0);
        for segment in &load.segments {
            for mut tapped in segment.frames() {
                masker.mask(&mut tapped);
                insert(&tx, &tapped)?;
                frames += 1;
            }
        }
        tx.commit()?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(frames)
    };
    write().map_err(|source| DumpFault::Database { path: making.to_owned(), source })
}

/// Appends a frame to the table of a dump or an incident file.
pub(crate) fn insert(connection: &Connection, tapped: &Tapped) -> rusqlite::Result<()> {
    let wire = match tapped.wire {
        Wire::Serial => "serial",
        Wire::Tcp => "tcp",
    };
    connection
        .prepare_cached(
            "INSERT INTO frames (at_us, utc_us, bus, wire, unit, what, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            tapped.at.0,
            tapped.utc_us,
            tapped.bus,
            wire,
            tapped.unit,
            tapped.what.name(),
            tapped.bytes
        ])
        .map(|_| ())
}

/// Gives the frames of a dump or an incident file between two instants of the engine's clock.
///
/// # Errors
/// When the file cannot be read or has no such table.
pub fn each(
    path: &Path,
    from: Micros,
    to: Micros,
    mut each: impl FnMut(Tapped),
) -> Result<(), DumpFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut read = || -> rusqlite::Result<()> {
        let connection = Connection::open_with_flags(path, flags)?;
        let mut rows = connection.prepare(
            "SELECT at_us, utc_us, bus, wire, unit, what, bytes FROM frames
             WHERE at_us BETWEEN ?1 AND ?2 ORDER BY id",
        )?;
        let last = i64::try_from(to.0).unwrap_or(i64::MAX);
        let mut rows = rows.query(params![from.0, last])?;
        while let Some(row) = rows.next()? {
            let (wire, what): (String, String) = (row.get(3)?, row.get(5)?);
            let Some(what) = What::parse(&what) else { continue };
            each(Tapped {
                at: Micros(row.get(0)?),
                utc_us: row.get(1)?,
                bus: row.get(2)?,
                wire: if wire == "tcp" { Wire::Tcp } else { Wire::Serial },
                unit: row.get(4)?,
                what,
                bytes: row.get(6)?,
            });
        }
        Ok(())
    };
    read().map_err(|source| DumpFault::Database { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flight::ring::Ring;

    fn load(frames: u64) -> Load {
        let mut ring = Ring::new(Policy::default());
        for n in 0..frames {
            ring.push(&Tapped {
                at: Micros(n),
                utc_us: n,
                bus: 1,
                wire: Wire::Serial,
                unit: 7,
                what: What::Crc,
                bytes: b"\x07\x17\x02 phone 13812345678".to_vec(),
            });
        }
        Load { segments: ring.kept(), causes: vec!["lost", "estop"], missing: 3, utc_us: 1 << 50 }
    }

    fn written(directory: &Path, policy: &Policy, load: &Load) -> Result<Written, DumpFault> {
        write(directory, policy, &Mask::new(&[1; 32]), load)
    }

    #[test]
    fn dumps_are_masked_named_in_order_and_few() {
        let dir = tempfile::tempdir().expect("a directory");
        let policy = Policy { dumps_max: 3, ..Policy::default() };
        for n in 1..=5_u64 {
            let made = written(dir.path(), &policy, &load(n)).expect("written");
            assert_eq!(made.frames, n);
            let bytes = std::fs::read(&made.path).expect("readable");
            assert!(!bytes.windows(11).any(|found| found == b"13812345678"), "masked");
            assert!(bytes.windows(10).any(|found| found == b"lost estop"), "told why");
        }
        let dumps = list(dir.path()).expect("listed");
        let mut counts = Vec::new();
        for path in &dumps {
            let mut count = 0;
            each(path, Micros::ZERO, Micros(u64::MAX), |_| count += 1).expect("readable");
            counts.push(count);
        }
        assert_eq!(counts, [3, 4, 5], "the oldest went, the newest is last");
    }

    #[test]
    fn bytes_on_the_disk_are_bounded() {
        let dir = tempfile::tempdir().expect("a directory");
        let policy = Policy { disk_bytes: 600 << 10, ..Policy::default() };
        for _ in 0..6 {
            written(dir.path(), &policy, &load(2_000)).expect("written");
        }
        let size = |path: &PathBuf| std::fs::metadata(path).expect("there").len();
        let bytes: u64 = list(dir.path()).expect("listed").iter().map(size).sum();
        assert!(bytes <= policy.disk_bytes && bytes > policy.disk_bytes / 4, "{bytes}");
    }

    #[test]
    fn the_last_room_of_a_disk_is_the_journals() {
        let dir = tempfile::tempdir().expect("a directory");
        let fault = make_room(dir.path(), &Policy::default(), u64::MAX / 2).expect_err("no room");
        assert!(matches!(fault, DumpFault::NoRoom { .. }), "{fault}");
        std::fs::write(dir.path().join("flight-000001-x.new"), b"half").expect("written");
        written(dir.path(), &Policy::default(), &load(1)).expect("written");
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing half made");
    }
}
