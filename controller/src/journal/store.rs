//! Opening the newest file for writing, by one process, after finishing what a cut left behind.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::policy::{Day, Policy};
use super::{JournalFault, LOCK, begin, files, migrate, retention};

/// The journal opened for writing; the data directory is locked while it lives.
#[derive(Debug)]
pub struct Store {
    /// The newest file.
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) day: Day,
    pub(super) data: PathBuf,
    pub(super) policy: Policy,
    /// Held for its lock; the operating system frees it however the process ends.
    _lock: File,
}

impl Store {
    /// Opens or creates the journal of a data directory for this process alone; `utc_us` names the
    /// day of the first file.
    ///
    /// # Errors
    /// When the directory cannot be used, another daemon works on it, or a file is no journal.
    pub fn open(data: &Path, policy: Policy, utc_us: u64) -> Result<Self, JournalFault> {
        let directory = files::directory(data);
        std::fs::create_dir_all(data).map_err(JournalFault::system(data))?;
        let lock = lock(data)?;
        std::fs::create_dir_all(&directory).map_err(JournalFault::system(&directory))?;
        files::sync_directory(data)?;
        files::clear_unfinished(data)?;
        migrate::to_daily(data, &policy, utc_us)?;
        let path = match files::list(data)?.pop() {
            Some(newest) => newest,
            None => begin::first(data, &policy, utc_us)?,
        };
        // A rename may have come to the disk's cache only, when the power went.
        files::sync_directory(&directory)?;
        let connection = open_to_write(&path)?;
        let day = begin::read(&connection, &path)?.day;
        retention::remove(&retention::left_over(&connection, &path)?);
        Ok(Self { connection, path, day, data: data.to_owned(), policy, _lock: lock })
    }

    /// The newest file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name.
    pub fn file(&self) -> String {
        files::name(&self.path)
    }
}

fn lock(data: &Path) -> Result<File, JournalFault> {
    let path = data.join(LOCK);
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(JournalFault::system(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalFault::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(JournalFault::Directory { path, source }),
    }
}

/// Opens one file for writing: every commit is durable, and the log is moved by the keeper only.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, JournalFault> {
    let unreadable = JournalFault::unreadable(path);
    let connection = Connection::open(path).map_err(&unreadable)?;
    let prepare = || {
        connection.busy_timeout(files::BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)
    };
    prepare().map_err(&unreadable)?;
    files::check_format(&connection, path)?;
    Ok(connection)
}
