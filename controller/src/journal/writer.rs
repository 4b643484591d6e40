//! The one thread that writes the journal.
//!
//! The next batch is what queued during the last commit; nothing waits for a timer. A commit that
//! fails is tried again for ever and nothing is dropped: the engine sees that records stay undurable
//! and pauses the induction by itself. Moving the write-ahead log into the file, and all work on
//! closed files, is the keeper's.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use line_engine::chain::Head;
use line_engine::{Mark, Record, record};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::sync::watch;
use units::Micros;

use super::begin::{self, Roll};
use super::keeper::{Keeper, Seal};
use super::policy::Day;
use super::store::{self, Store};
use super::walk::LINK;
use super::{JournalFault, files, log, project, restart, snapshots};

/// Entries that may wait for the writer: about a minute of a busy line.
const QUEUE_MAX: usize = 8_192;
/// Entries of one commit at most, so that one commit stays short.
const BATCH_MAX: usize = 1_024;
/// First pause after a failed commit.
const RETRY_MIN: Duration = Duration::from_millis(50);
/// Longest pause after a failed commit.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// One thing for the journal.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A record; numbers are consecutive.
    Record(Record),
    /// State of the line behind the last record offered.
    Snapshot {
        /// That record's number.
        number: u64,
        /// When.
        at: Micros,
        /// The encoded memory.
        bytes: Vec<u8>,
    },
    /// A file that people gave, kept when its content is new.
    File(KeptFile),
    /// The daemon lives: a restart counts its absence from here, also when nothing moved.
    Alive {
        /// When.
        at: Micros,
        /// The same by the wall clock.
        utc_us: u64,
    },
    /// The next day's file begins. When it cannot be made, the present one goes on.
    Roll(Roll),
}

/// A file as it was at a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// What it is.
    pub kind: FileKind,
    /// Its path as given.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it was read.
    pub utc_us: u64,
}

/// What a kept file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The line file.
    Line,
    /// The sort plan.
    Plan,
    /// The manifest.
    Manifest,
}

impl FileKind {
    /// The word in the table `files`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Plan => "plan",
            Self::Manifest => "manifest",
        }
    }
}

/// How far the writer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every record up to this number is on disk.
    pub durable: u64,
    /// Why the last commit failed; `None` while the disk works.
    pub failing: Option<String>,
    /// The queue was closed and everything in it is on disk.
    pub closed: bool,
    /// Business day of the file that is written.
    pub day: Day,
    /// Its name.
    pub file: String,
}

/// The shell's end of the writer.
#[derive(Debug)]
pub struct Writer {
    entries: SyncSender<Entry>,
    progress: watch::Receiver<Progress>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the store cannot be read, or the operating system gives no thread.
    pub fn start(store: Store) -> Result<Self, JournalFault> {
        let (durable, head) = restart::last(&store)?;
        let (entries, queue) = sync_channel(QUEUE_MAX);
        let (day, file) = (store.day, store.file());
        let first = Progress { durable, failing: None, closed: false, day, file };
        let (report, progress) = watch::channel(first.clone());
        let system = JournalFault::system(&store.data);
        let keeper = Keeper::start(&store).map_err(&system)?;
        let work = Work {
            store,
            head,
            keeper,
            seals: Vec::new(),
            progress: first,
            report,
            pause: RETRY_MIN,
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || work.run(&queue))
            .map_err(system)?;
        Ok(Self { entries, progress, thread })
    }

    /// Hands an entry over; gives it back when the queue is full or the writer is gone.
    ///
    /// # Errors
    /// The entry.
    pub fn offer(&self, entry: Entry) -> Result<(), Entry> {
        self.entries.try_send(entry).map_err(|error| match error {
            TrySendError::Full(entry) | TrySendError::Disconnected(entry) => entry,
        })
    }

    /// A view of the progress.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Whether the thread has ended, which it does only when closed or by a defect.
    pub fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }

    /// Closes the queue; [`Progress::closed`] tells when everything is on disk.
    pub fn close(self) -> watch::Receiver<Progress> {
        self.progress
    }
}

/// The thread's state.
struct Work {
    store: Store,
    /// What the next record's link is made from.
    head: Head,
    keeper: Keeper,
    /// Seals of closed files that are not in the file yet.
    seals: Vec<Seal>,
    progress: Progress,
    report: watch::Sender<Progress>,
    pause: Duration,
}

impl Work {
    fn run(mut self, queue: &Receiver<Entry>) {
        while let Ok(first) = queue.recv() {
            let batch: Vec<Entry> =
                std::iter::once(first).chain(queue.try_iter().take(BATCH_MAX - 1)).collect();
            for part in batch.split_inclusive(|entry| matches!(entry, Entry::Roll(_))) {
                match part {
                    [before @ .., Entry::Roll(roll)] => {
                        self.insist(before);
                        self.roll(roll);
                    }
                    all => self.insist(all),
                }
            }
        }
        let Self { store, keeper, mut progress, report, .. } = self;
        // Closing moves the log into the file. Both are closed, and the lock is free, when `closed`
        // is read.
        keeper.stop();
        drop(store);
        progress.closed = true;
        report.send_replace(progress);
    }

    /// Commits the batch, however often it takes.
    fn insist(&mut self, batch: &[Entry]) {
        self.seals.extend(self.keeper.seals());
        if batch.is_empty() && self.seals.is_empty() {
            return;
        }
        loop {
            match self.attempt(batch) {
                Ok(committed) => {
                    self.seals.clear();
                    self.head = committed.head;
                    self.progress.durable = committed.last.unwrap_or(self.progress.durable);
                    self.healed();
                    log::after_commit(&self.store, &self.keeper);
                    return;
                }
                Err(why) => self.failed(why),
            }
        }
    }

    fn attempt(&mut self, batch: &[Entry]) -> Result<Committed, String> {
        log::before_commit(&self.store)?;
        let connection = &mut self.store.connection;
        commit(connection, self.head, batch, &self.seals).map_err(|error| error.to_string())
    }

    fn healed(&mut self) {
        self.pause = RETRY_MIN;
        if self.progress.failing.take().is_some() {
            tracing::info!(durable = self.progress.durable, "journal writes again");
        }
        self.report.send_replace(self.progress.clone());
    }

    /// Tells why the disk refused, and waits a little longer each time.
    fn failed(&mut self, why: String) {
        if self.progress.failing.as_ref() != Some(&why) {
            tracing::error!(why, "failed to commit to the journal; trying again");
            self.progress.failing = Some(why);
            self.report.send_replace(self.progress.clone());
        }
        std::thread::sleep(self.pause);
        self.pause = RETRY_MAX.min(self.pause.saturating_mul(2));
    }

    /// Begins the next day's file. Until it has its name the present one can go on; from then on
    /// there is only the new one, whatever it takes to open it.
    fn roll(&mut self, roll: &Roll) {
        if roll.number != self.progress.durable {
            tracing::error!(number = roll.number, "the next file was asked for at another record");
            return;
        }
        let Store { data, policy, path, .. } = &self.store;
        // The opening of an empty file is not the head of a record.
        let head = match self.head_of_last() {
            Ok(head) => head,
            Err(fault) => return tracing::error!(%fault, "failed to begin the next file"),
        };
        match begin::next(data, policy, path, head, roll, &mut |_| {}) {
            Ok(target) => self.move_to(&target, roll.day),
            Err(fault) => {
                tracing::error!(%fault, "failed to begin the next file; the present one goes on");
            }
        }
    }

    fn head_of_last(&self) -> Result<Head, JournalFault> {
        let Store { connection, path, .. } = &self.store;
        let beginning = begin::read(connection, path)?;
        restart::last_of(connection, &beginning, path).map(|(_, head)| head)
    }

    fn move_to(&mut self, target: &std::path::Path, day: Day) {
        let open = || {
            files::sync_directory(&files::directory(&self.store.data))?;
            let connection = store::open_to_write(target)?;
            let beginning = begin::read(&connection, target)?;
            Ok::<_, JournalFault>((connection, beginning.opening))
        };
        let (connection, opening) = loop {
            match open() {
                Ok(opened) => break opened,
                Err(fault) => {
                    let why = fault.to_string();
                    tracing::error!(why, "failed to open the next file; trying again");
                    if self.progress.failing.as_ref() != Some(&why) {
                        self.progress.failing = Some(why);
                        self.report.send_replace(self.progress.clone());
                    }
                    std::thread::sleep(RETRY_MAX);
                }
            }
        };
        let old = std::mem::replace(&mut self.store.connection, connection);
        let old_path = std::mem::replace(&mut self.store.path, target.to_owned());
        self.store.day = day;
        self.head = opening;
        self.keeper.close(old, old_path, target);
        self.progress.day = day;
        self.progress.file = self.store.file();
        tracing::info!(file = self.progress.file, "a new file begins");
        self.healed();
    }
}

/// What a commit leaves.
struct Committed {
    head: Head,
    last: Option<u64>,
}

fn commit(
    connection: &mut Connection,
    mut head: Head,
    batch: &[Entry],
    seals: &[Seal],
) -> rusqlite::Result<Committed> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut last = None;
    for entry in batch {
        match entry {
            Entry::Record(record) => {
                head.extend(&record.bytes);
                write_record(&tx, record, head)?;
                last = Some(record.number);
            }
            Entry::Snapshot { number, at, bytes } => {
                snapshots::write(&tx, *number, *at, head, bytes)?;
            }
            Entry::File(file) => write_file(&tx, file)?,
            Entry::Alive { at, utc_us } => write_alive(&tx, *at, *utc_us)?,
            Entry::Roll(_) => {}
        }
    }
    for seal in seals {
        seal.write(&tx)?;
    }
    if let Some(number) = last {
        tx.prepare_cached("INSERT OR REPLACE INTO heads (number, head) VALUES (?1, ?2)")?
            .execute(params![number, head.0.as_slice()])?;
    }
    tx.commit()?;
    Ok(Committed { head, last })
}

/// Writes a record once: a commit whose end was not heard of may have succeeded before a retry.
fn write_record(tx: &Transaction<'_>, record: &Record, head: Head) -> rusqlite::Result<()> {
    let fresh = tx
        .prepare_cached(
            "INSERT INTO records (number, at_us, bytes, link) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![record.number, record.at.0, record.bytes, &head.0[..LINK]])?;
    if fresh == 0 {
        return Ok(());
    }
    for mark in &record.marks {
        write_mark(tx, mark)?;
    }
    match record::decode(&record.bytes) {
        Ok(decoded) => {
            project::record(tx, record.number, record.at, &decoded.input, &decoded.decisions)
        }
        Err(fault) => {
            // The truth is kept; only its view for people lacks this step.
            tracing::error!(record = record.number, %fault, "failed to project a record");
            Ok(())
        }
    }
}

fn write_mark(tx: &Transaction<'_>, mark: &Mark) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO marks (node, boot_id, sequence, base, encoder_known)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![mark.node.0, mark.boot_id, mark.sequence.0, mark.base, mark.encoder_known])
    .map(|_| ())
}

fn write_alive(tx: &Transaction<'_>, at: Micros, utc_us: u64) -> rusqlite::Result<()> {
    let mut set = tx.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    set.execute(params!["alive_us", at.0])?;
    set.execute(params!["alive_utc_us", utc_us]).map(|_| ())
}

fn write_file(tx: &Transaction<'_>, file: &KeptFile) -> rusqlite::Result<()> {
    let hash = blake3::hash(&file.bytes);
    tx.prepare_cached(
        "INSERT INTO files (utc_us, kind, name, hash, bytes)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?4 IS NOT
         (SELECT hash FROM files WHERE kind = ?2 ORDER BY id DESC LIMIT 1)",
    )?
    .execute(params![
        file.utc_us,
        file.kind.code(),
        file.name,
        hash.as_bytes().as_slice(),
        file.bytes
    ])
    .map(|_| ())
}
