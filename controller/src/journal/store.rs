//! Opening the journal's file: for writing by one process, for reading by any.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{FILE, JournalFault, LOCK, schema};

/// How long a reader's or a tool's lock on the file is waited for before a commit counts as failed.
const BUSY: Duration = Duration::from_millis(200);

/// The journal opened for writing; the data directory is locked while it lives.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) directory: PathBuf,
    /// Held for its lock; the operating system frees it however the process ends.
    _lock: File,
}

impl Store {
    /// Opens or creates the journal of a data directory for this process alone.
    ///
    /// # Errors
    /// When the directory cannot be used, another daemon works on it, or the file is no journal.
    pub fn open(directory: &Path) -> Result<Self, JournalFault> {
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalFault::Directory { path, source }
        };
        std::fs::create_dir_all(directory).map_err(fault(directory))?;
        let lock_path = directory.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(fault(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalFault::InUse { path: directory.to_owned() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(JournalFault::Directory { path: lock_path, source });
            }
        }
        let path = directory.join(FILE);
        let unreadable = |source| JournalFault::Unreadable { path: path.clone(), source };
        let mut connection = Connection::open(&path).map_err(unreadable)?;
        prepare(&mut connection).map_err(unreadable)?;
        check_format(&connection, &path)?;
        Ok(Self { connection, directory: directory.to_owned(), _lock: lock })
    }

    /// The journal's file.
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// Wraps an error of SQLite.
    pub(super) fn unreadable(&self) -> impl Fn(rusqlite::Error) -> JournalFault + use<> {
        let path = self.path();
        move |source| JournalFault::Unreadable { path: path.clone(), source }
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        let tx = connection.transaction()?;
        tx.execute_batch(schema::CREATE)?;
        tx.pragma_update(None, "user_version", schema::VERSION)?;
        tx.commit()?;
    }
    Ok(())
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), JournalFault> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|source| JournalFault::Unreadable { path: path.to_owned(), source })?;
    if found == schema::VERSION {
        Ok(())
    } else {
        Err(JournalFault::Format { path: path.to_owned(), found })
    }
}

/// Opens the journal of a data directory for reading, also while a daemon writes it.
///
/// # Errors
/// When there is none or the file is no journal.
pub fn open_to_read(directory: &Path) -> Result<Connection, JournalFault> {
    let path = directory.join(FILE);
    if !path.exists() {
        return Err(JournalFault::Missing { path });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)
        .map_err(|source| JournalFault::Unreadable { path: path.clone(), source })?;
    connection
        .busy_timeout(BUSY)
        .map_err(|source| JournalFault::Unreadable { path: path.clone(), source })?;
    check_format(&connection, &path)?;
    Ok(connection)
}
