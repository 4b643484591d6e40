//! Why a journal cannot be used.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use super::schema;
use crate::exit::Exit;

/// Why a journal cannot be used.
#[derive(Debug)]
pub enum JournalFault {
    /// The data directory or a file in it cannot be made or opened.
    Directory {
        /// Which path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another daemon works on the data directory.
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// There is no journal.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The directory that a backup is to go to is not empty.
    NotEmpty {
        /// Which directory.
        path: PathBuf,
    },
    /// The file is no journal, or of another format.
    Format {
        /// Which file.
        path: PathBuf,
        /// What stands where the format number should.
        found: i64,
    },
    /// SQLite could not read the file.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The first record that could not be read, when records were read.
        record: Option<u64>,
        /// Why.
        source: rusqlite::Error,
    },
    /// A record cannot be decoded.
    Record {
        /// Which file.
        path: PathBuf,
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// A record is missing.
    Gap {
        /// In which file.
        path: PathBuf,
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A record does not fit its link: it, or the link, was altered.
    Altered {
        /// In which file.
        path: PathBuf,
        /// The first such record.
        number: u64,
    },
    /// A chain head does not fit the records, though each fits its link.
    Chain {
        /// In which file.
        path: PathBuf,
        /// The record behind which it stands.
        number: u64,
    },
    /// A file does not begin where the one before it ends.
    Joint {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// A file is gone, and no later one tells that it was deleted.
    Absent {
        /// The file that begins behind it.
        path: PathBuf,
        /// The one that is gone.
        file: String,
    },
    /// A closed file has other bytes than when it was closed, though its records hold.
    Broken {
        /// Which file.
        path: PathBuf,
    },
    /// The exported head is not that of this journal.
    OtherHead {
        /// The record that it was exported behind.
        number: u64,
        /// The head that stands there; `None` = there is no such record.
        found: Option<String>,
    },
    /// A backup's list of files is unreadable or does not fit its files.
    Backup {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The same input leads to other decisions than were recorded.
    Decisions {
        /// The record.
        number: u64,
        /// An older program wrote the record.
        older: bool,
        /// What was recorded.
        recorded: String,
        /// What comes now.
        now: String,
    },
    /// The journal was written by a line with another geometry.
    OtherLine {
        /// The data directory.
        path: PathBuf,
    },
}

/// Whether it was the disk that refused: the file itself may be whole.
const fn of_the_disk(source: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = source else { return false };
    match error.code {
        ErrorCode::DiskFull | ErrorCode::CannotOpen | ErrorCode::ReadOnly => true,
        // A file that ends too early is damaged, though SQLite counts it among these.
        ErrorCode::SystemIoFailure => error.extended_code != SQLITE_IOERR_SHORT_READ,
        _ => false,
    }
}

impl JournalFault {
    /// The exit code that it leads to.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { source, .. } if of_the_disk(source) => Exit::CannotStart,
            Self::Directory { .. }
            | Self::InUse { .. }
            | Self::Missing { .. }
            | Self::NotEmpty { .. }
            | Self::OtherLine { .. } => Exit::CannotStart,
            Self::Format { .. }
            | Self::Unreadable { .. }
            | Self::Record { .. }
            | Self::Gap { .. }
            | Self::Altered { .. }
            | Self::Chain { .. }
            | Self::Joint { .. }
            | Self::Absent { .. }
            | Self::Broken { .. }
            | Self::OtherHead { .. }
            | Self::Backup { .. }
            | Self::Decisions { .. } => Exit::JournalDamaged,
        }
    }

    /// The first bad record, when the fault is about one.
    pub const fn record(&self) -> Option<u64> {
        match self {
            Self::Unreadable { record, .. } => *record,
            Self::Gap { expected, .. } => Some(*expected),
            Self::Record { number, .. }
            | Self::Altered { number, .. }
            | Self::Chain { number, .. }
            | Self::Decisions { number, .. } => Some(*number),
            Self::Directory { .. }
            | Self::InUse { .. }
            | Self::Missing { .. }
            | Self::NotEmpty { .. }
            | Self::Format { .. }
            | Self::Joint { .. }
            | Self::Absent { .. }
            | Self::Broken { .. }
            | Self::OtherHead { .. }
            | Self::Backup { .. }
            | Self::OtherLine { .. } => None,
        }
    }

    /// Wraps an error of SQLite.
    pub(super) fn unreadable(path: &std::path::Path) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), record: None, source }
    }

    /// Wraps an error of the operating system.
    pub(super) fn system(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Directory { path: path.clone(), source }
    }
}

impl std::fmt::Display for JournalFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory { path, source } => write!(f, "use {}: {source}", path.display()),
            Self::InUse { path } => {
                write!(f, "lock {}: another daemon works on this data directory", path.display())
            }
            Self::Missing { path } => write!(f, "read {}: there is no journal", path.display()),
            Self::NotEmpty { path } => write!(f, "use {}: it is not empty", path.display()),
            Self::Format { path, found } => other_format(f, path, *found),
            Self::Unreadable { path, record: None, source } if of_the_disk(source) => write!(
                f,
                "use {}: {source}; the disk is full or refuses, the file need not be damaged",
                path.display()
            ),
            Self::Unreadable { path, record: None, source } => {
                write!(f, "read {}: {source}; the file is damaged or no journal", path.display())
            }
            Self::Unreadable { path, record: Some(number), source } => {
                write!(f, "read record {number} in {}: {source}", path.display())
            }
            Self::Record { path, number, why } => {
                write!(f, "decode record {number} in {}: {why}", path.display())
            }
            Self::Gap { path, expected, found } => {
                write!(f, "find record {expected} in {}: the next one is {found}", path.display())
            }
            Self::Altered { path, number } => {
                write!(f, "verify record {number} in {}: it was altered", path.display())
            }
            Self::Chain { path, number } => write!(
                f,
                "verify the chain head behind record {number} in {}: the head, or the records with their links, were altered",
                path.display()
            ),
            Self::Joint { path, what } => {
                write!(f, "join {} to the file before it: {what}", path.display())
            }
            Self::Absent { path, file } => write!(
                f,
                "join {} to {file}: that file is gone, and nothing tells of its deletion",
                path.display()
            ),
            Self::Broken { path } => write!(
                f,
                "verify {}: its records hold, but other bytes were altered after it was closed",
                path.display()
            ),
            Self::OtherHead { number, found } => {
                let found = found.as_deref().unwrap_or("no record");
                write!(f, "find the exported head behind record {number}: there stands {found}")
            }
            Self::Backup { path, why } => write!(f, "use the backup {}: {why}", path.display()),
            Self::Decisions { number, older, recorded, now } => {
                other_decisions(f, *number, *older, [recorded, now])
            }
            Self::OtherLine { path } => write!(
                f,
                "go on from {}: its line has another geometry; give a new data directory",
                path.display()
            ),
        }
    }
}

fn other_format(
    f: &mut std::fmt::Formatter<'_>,
    path: &std::path::Path,
    found: i64,
) -> std::fmt::Result {
    let (path, known) = (path.display(), schema::VERSION);
    if found > known {
        write!(
            f,
            "read {path}: it has format {found}, from a newer program; this one knows formats up to {known}"
        )
    } else {
        write!(f, "read {path}: format {found} is not format {known} of this program's journal")
    }
}

fn other_decisions(
    f: &mut std::fmt::Formatter<'_>,
    number: u64,
    older: bool,
    [recorded, now]: [&String; 2],
) -> std::fmt::Result {
    write!(f, "repeat record {number}: recorded was {recorded}, this program decides {now}")?;
    if older {
        f.write_str(
            "; an older program wrote it and was not stopped in order: start that program once \
             more, stop it, then start this one",
        )?;
    }
    Ok(())
}

impl std::error::Error for JournalFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::Unreadable { source, .. } => Some(source),
            Self::InUse { .. }
            | Self::Missing { .. }
            | Self::NotEmpty { .. }
            | Self::Format { .. }
            | Self::Record { .. }
            | Self::Gap { .. }
            | Self::Altered { .. }
            | Self::Chain { .. }
            | Self::Joint { .. }
            | Self::Absent { .. }
            | Self::Broken { .. }
            | Self::OtherHead { .. }
            | Self::Backup { .. }
            | Self::Decisions { .. }
            | Self::OtherLine { .. } => None,
        }
    }
}
