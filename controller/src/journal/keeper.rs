//! The thread that does what need not be done on the way to a commit: moving the write-ahead log,
//! closing and sealing yesterday's file, deleting what is past its time.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use line_engine::chain::Head;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::store::Store;
use super::{files, log, retention};

/// Jobs and seals that may wait. A job that finds no room is done at the next start.
const QUEUE_MAX: usize = 256;
/// How long readers of a closed file are waited for before it stays unsealed for now.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes that are read between two looks at whether the daemon leaves.
const CHUNK: usize = 1 << 20;

/// A closed file's bytes as one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    file: String,
    bytes: u64,
    hash: [u8; 32],
}

impl Seal {
    /// Keeps the seal in the file that is written now.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .execute(
                "INSERT INTO seals (file, bytes, hash, known) VALUES (?1, ?2, ?3, 0)
                 ON CONFLICT DO NOTHING",
                params![self.file, self.bytes, self.hash.as_slice()],
            )
            .map(|_| ())
    }

    /// The seal that `connection`'s file keeps of another file.
    pub(super) fn read(connection: &Connection, file: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .query_row("SELECT bytes, hash FROM seals WHERE file = ?1", [file], |row| {
                Ok(Self { file: file.to_owned(), bytes: row.get(0)?, hash: row.get(1)? })
            })
            .optional()
    }

    /// Its hash in hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        Head(self.hash).hex()
    }

    /// The seal of a file as it is; `None` when asked to stop meanwhile.
    pub(super) fn of(path: &Path, stop: &AtomicBool) -> std::io::Result<Option<Self>> {
        let mut file = std::fs::File::open(path)?;
        let (mut hasher, mut chunk, mut bytes) = (blake3::Hasher::new(), vec![0; CHUNK], 0);
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let read = file.read(&mut chunk)?;
            if read == 0 {
                let hash = *hasher.finalize().as_bytes();
                return Ok(Some(Self { file: files::name(path), bytes, hash }));
            }
            hasher.update(&chunk[..read]);
            bytes += u64::try_from(read).unwrap_or_default();
        }
    }
}

enum Job {
    /// Move what can be moved of the file's log.
    Pass(PathBuf),
    /// Close a file that was written, and delete what the new one tells.
    Close { connection: Connection, path: PathBuf, next: PathBuf },
}

/// The writer's end of the keeper.
pub(super) struct Keeper {
    jobs: SyncSender<Job>,
    seals: Receiver<Seal>,
    stop: Arc<AtomicBool>,
    /// A pass is asked for or under way: another one would find nothing.
    passing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts the thread; its first work are closed files that no start before could seal.
    pub(super) fn start(store: &Store) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let (tell, seals) = sync_channel(QUEUE_MAX);
        let (stop, passing) = (Arc::default(), Arc::default());
        let work = Work {
            unsealed: unsealed(store),
            tell,
            stop: Arc::clone(&stop),
            passing: Arc::clone(&passing),
            open: None,
        };
        let thread = std::thread::Builder::new()
            .name("journal-keeper".to_owned())
            .spawn(move || work.run(&queue))?;
        Ok(Self { jobs, seals, stop, passing, thread })
    }

    /// Has the log of a file moved as far as nobody is disturbed.
    pub(super) fn pass(&self, path: &Path) {
        if !self.passing.swap(true, Ordering::Relaxed)
            && self.jobs.try_send(Job::Pass(path.to_owned())).is_err()
        {
            self.passing.store(false, Ordering::Relaxed);
        }
    }

    /// Hands over the file that is no more written; `next` tells what is to be deleted.
    pub(super) fn close(&self, connection: Connection, path: PathBuf, next: &Path) {
        let job = Job::Close { connection, path, next: next.to_owned() };
        if self.jobs.try_send(job).is_err() {
            tracing::warn!("the journal's keeper is busy; the next start seals the closed file");
        }
    }

    /// Seals since the last look.
    pub(super) fn seals(&self) -> impl Iterator<Item = Seal> + '_ {
        self.seals.try_iter()
    }

    /// Ends the thread; a seal that is under way is left to the next start.
    pub(super) fn stop(self) {
        let Self { jobs, seals, stop, passing: _, thread } = self;
        stop.store(true, Ordering::Relaxed);
        drop(jobs);
        if thread.join().is_err() {
            tracing::error!("the journal's keeper ended by a defect");
        }
        drop(seals);
    }
}

/// Closed files without a seal in the newest file.
fn unsealed(store: &Store) -> Vec<PathBuf> {
    let list = files::list(&store.data).unwrap_or_default();
    let older = list.into_iter().filter(|path| *path != store.path);
    let open = |path: &PathBuf| {
        Seal::read(&store.connection, &files::name(path)).is_ok_and(|seal| seal.is_none())
    };
    older.filter(open).collect()
}

struct Work {
    unsealed: Vec<PathBuf>,
    tell: SyncSender<Seal>,
    stop: Arc<AtomicBool>,
    passing: Arc<AtomicBool>,
    /// Its own connection to the file that is written.
    open: Option<(PathBuf, Connection)>,
}

impl Work {
    fn run(mut self, queue: &Receiver<Job>) {
        self.seal();
        while let Ok(job) = queue.recv() {
            match job {
                Job::Pass(path) => self.pass(path),
                Job::Close { connection, path, next } => {
                    self.open = None;
                    drop(connection);
                    self.unsealed.push(path);
                    self.seal();
                    delete(&next);
                }
            }
        }
    }

    fn pass(&mut self, path: PathBuf) {
        if self.open.as_ref().is_none_or(|(open, _)| *open != path) {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            self.open = Connection::open_with_flags(&path, flags).ok().map(|found| (path, found));
        }
        if let Some((path, connection)) = &self.open
            && let Err(error) = log::pass(connection)
        {
            tracing::warn!(file = files::name(path), %error, "failed to move the journal's log");
        }
        self.passing.store(false, Ordering::Relaxed);
    }

    /// Seals every closed file that can be; the others wait for the next occasion.
    fn seal(&mut self) {
        let waiting = std::mem::take(&mut self.unsealed);
        for path in waiting {
            match seal(&path, &self.stop) {
                Ok(Some(seal)) => {
                    tracing::info!(file = seal.file, bytes = seal.bytes, "closed and sealed");
                    // The writer takes seals with every commit; a full queue means that it is gone.
                    self.tell.try_send(seal).ok();
                }
                Ok(None) => self.unsealed.push(path),
                Err(why) => {
                    tracing::warn!(file = files::name(&path), why, "a closed file stays unsealed");
                    self.unsealed.push(path);
                }
            }
        }
    }
}

/// Moves the log into the file for good, so that the file is all there is of that day.
fn seal(path: &Path, stop: &AtomicBool) -> Result<Option<Seal>, String> {
    let close = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        connection.close().map_err(|(_, error)| error)?;
        Ok::<_, rusqlite::Error>(mode)
    };
    let mode = close().map_err(|error| error.to_string())?;
    if mode != "delete" {
        return Err(format!("someone reads it in mode {mode}"));
    }
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| error.to_string())?;
    Seal::of(path, stop).map_err(|error| error.to_string())
}

fn delete(next: &Path) {
    let told =
        files::open_to_read(next).and_then(|connection| retention::left_over(&connection, next));
    match told {
        Ok(paths) => retention::remove(&paths),
        Err(fault) => tracing::warn!(%fault, "failed to read what is to be deleted"),
    }
}
