//! The recorder's thread: takes frames from the tap, hands them to the disk when it is time.
//!
//! Memory is bounded by twice the policy's bytes: the ring, and while a dump is being written the
//! segments that it writes. The file is written on a thread of its own, so that a slow disk costs no
//! frames; a disk that is full or gone costs the dump, is logged once, and is tried again.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::Policy;
use super::dump::{self, DumpFault, Load, Written};
use super::ring::{Ring, Segment};
use super::schedule::Schedule;
use crate::bus::tap::{Listener, Tap};
use crate::clock::{Clock, utc_us};
use crate::mask::Mask;

/// Alarms that may wait; when they are more, a dump is due anyway.
const ALARMS_MAX: usize = 64;
/// A person's request is looked for this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Name of the file by which a tool asks for a dump; it goes away when the dump is made or failed.
const REQUEST: &str = "request";
/// Name of the file that the recorder keeps locked while it lives.
const LOCK: &str = "lock";

/// The loop's end of the recorder; the recorder ends with it, after a dump that is due.
#[derive(Debug)]
pub struct Recorder {
    alarms: mpsc::Sender<&'static str>,
}

/// Tells when the recorder has ended.
#[derive(Debug)]
pub struct Ending(std::sync::mpsc::Receiver<()>);

impl Recorder {
    /// Starts to record what passes on the tap.
    ///
    /// # Errors
    /// When there is no thread or event queue.
    pub fn start(
        tap: &Tap,
        clock: Clock,
        policy: Policy,
        data: &Path,
        mask: Mask,
    ) -> io::Result<(Self, Ending)> {
        let (alarms, raised) = mpsc::channel(ALARMS_MAX);
        let (end, ended) = std::sync::mpsc::sync_channel(1);
        let work = Work {
            clock,
            policy,
            mask,
            directory: super::directory(data),
            ring: Ring::new(policy),
            schedule: Schedule::new(policy.dump_every),
            writing: None,
            complained: false,
            lost: 0,
        };
        let listener = tap.listen();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        std::thread::Builder::new().name("flight".to_owned()).spawn(move || {
            runtime.block_on(work.run(listener, raised));
            // Nobody may wait for it any more.
            end.try_send(()).ok();
        })?;
        Ok((Self { alarms }, Ending(ended)))
    }

    /// An alarm was raised. Never waits: when its queue is full, a dump is due already.
    pub fn alarm(&self, code: &'static str) {
        self.alarms.try_send(code).ok();
    }
}

impl Ending {
    /// Waits for the end, no longer than `patience`.
    pub fn wait(self, patience: Duration) {
        if self.0.recv_timeout(patience).is_err() {
            tracing::warn!("the flight recorder did not end in time");
        }
    }
}

/// Asks the daemon that works on a data directory for a dump, and waits until it was made or failed.
/// False when there is no daemon, or it did not answer in time.
///
/// # Errors
/// When the request cannot be made.
pub fn ask(data: &Path, patience: Duration) -> io::Result<bool> {
    let directory = super::directory(data);
    let Ok(lock) = File::open(directory.join(LOCK)) else { return Ok(false) };
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => return Ok(false),
    }
    let request = directory.join(REQUEST);
    std::fs::write(&request, b"")?;
    let begun = Clock::starting_at(units::Micros::ZERO);
    while request.exists() {
        if u128::from(begun.now().0) > patience.as_micros() {
            std::fs::remove_file(&request)?;
            return Ok(false);
        }
        // The daemon that is asked is another process: only its taking the request away tells.
        std::thread::sleep(LOOK_EVERY / 10);
    }
    Ok(true)
}

/// A dump that is being written, and what must be told when it is done.
struct Writing {
    task: JoinHandle<Result<Written, DumpFault>>,
    segments: Vec<Arc<Segment>>,
    causes: Vec<&'static str>,
    requested: bool,
}

struct Work {
    clock: Clock,
    policy: Policy,
    mask: Mask,
    directory: PathBuf,
    ring: Ring,
    schedule: Schedule,
    writing: Option<Writing>,
    /// The log knows that dumps fail.
    complained: bool,
    /// Frames that the tap dropped for this listener, as far as dumps have told them.
    lost: u64,
}

impl Work {
    /// Says by a lock that a recorder lives here; without it tools do not ask.
    fn present(&self) -> io::Result<File> {
        std::fs::create_dir_all(&self.directory)?;
        let path = self.directory.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        // A tool that looks whether somebody is here holds it for an instant.
        lock.lock()?;
        Ok(lock)
    }

    async fn run(mut self, mut listener: Listener, mut raised: mpsc::Receiver<&'static str>) {
        let lock = self.present();
        if let Err(error) = &lock {
            tracing::warn!(%error, "frames cannot be asked for");
        }
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.schedule.due().filter(|_| self.writing.is_none());
            tokio::select! {
                tapped = listener.next() => match tapped {
                    Some(tapped) => self.ring.push(&tapped),
                    None => break,
                },
                alarm = raised.recv() => match alarm {
                    Some(code) => self.schedule.alarm(self.clock.now(), code),
                    None => break,
                },
                () = self.clock.sleep_until(due) => self.begin(listener.dropped()),
                done = finished(&mut self.writing) => self.end(done),
                _ = look.tick() => {
                    if self.writing.is_none() && self.request().exists() {
                        self.schedule.asked(self.clock.now());
                        self.begin(listener.dropped());
                    }
                }
            }
        }
        if self.writing.is_none() && self.schedule.due().is_some() {
            self.begin(listener.dropped());
        }
        if self.writing.is_some() {
            let done = finished(&mut self.writing).await;
            self.end(done);
        }
        drop(lock);
    }

    fn request(&self) -> PathBuf {
        self.directory.join(REQUEST)
    }

    /// Hands what is kept to the disk.
    fn begin(&mut self, dropped: u64) {
        let causes = self.schedule.begun(self.clock.now());
        let segments = self.ring.kept();
        let missing = self.ring.forgotten() + dropped.saturating_sub(self.lost);
        self.lost = dropped;
        let load =
            Load { segments: segments.clone(), causes: causes.clone(), missing, utc_us: utc_us() };
        let (directory, policy, mask) = (self.directory.clone(), self.policy, self.mask.clone());
        let write = move || dump::write(&directory, &policy, &mask, &load);
        let task = tokio::task::spawn_blocking(write);
        let requested = self.request().exists();
        self.writing = Some(Writing { task, segments, causes, requested });
    }

    fn end(&mut self, (done, written): (Writing, Result<Written, DumpFault>)) {
        match written {
            Ok(Written { path, frames }) => {
                tracing::info!(file = %path.display(), frames, causes = ?done.causes, "frames dumped");
                self.ring.written(&done.segments);
                self.complained = false;
            }
            Err(fault) => {
                if !std::mem::replace(&mut self.complained, true) {
                    tracing::warn!("failed to {fault}; frames stay in memory and are tried again");
                }
                self.schedule.failed(self.clock.now(), done.causes);
            }
        }
        if done.requested {
            // Whoever asked waits until it is gone.
            std::fs::remove_file(self.request()).ok();
        }
    }
}

/// Waits for the dump that is being written; for ever without one.
async fn finished(writing: &mut Option<Writing>) -> (Writing, Result<Written, DumpFault>) {
    let ended = match writing {
        Some(writing) => (&mut writing.task).await,
        None => std::future::pending().await,
    };
    let Some(done) = writing.take() else { return std::future::pending().await };
    let written = ended.unwrap_or_else(|ended| {
        let source = io::Error::other(ended);
        Err(DumpFault::System { path: PathBuf::from("the dump"), source })
    });
    (done, written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::tap::{Tapped, What, Wire};
    use units::Micros;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn started(data: &Path) -> (Tap, Recorder, Ending) {
        let clock = Clock::starting_at(Micros::from_secs(1_000));
        let tap = Tap::on(clock);
        let mask = Mask::new(&[3; 32]);
        let (recorder, ending) =
            Recorder::start(&tap, clock, Policy::default(), data, mask).expect("starts");
        (tap, recorder, ending)
    }

    fn frames(data: &Path) -> Vec<Tapped> {
        let mut found = Vec::new();
        for path in dump::list(&super::super::directory(data)).expect("listed") {
            dump::each(&path, Micros::ZERO, Micros(u64::MAX), |tapped| found.push(tapped))
                .expect("readable");
        }
        found
    }

    #[test]
    fn an_alarm_that_is_still_waited_behind_is_dumped_at_the_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tap, recorder, ending) = started(dir.path());
        tap.pass(3, Wire::Tcp, 9, What::Timeout, Vec::new());
        recorder.alarm("estop");
        drop(recorder);
        ending.wait(PATIENCE);
        let found = frames(dir.path());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].bus, found[0].unit, found[0].what), (3, 9, What::Timeout));
        assert!(found[0].at >= Micros::from_secs(1_000), "on the daemon's clock");
    }

    #[test]
    fn without_an_alarm_nothing_is_written_and_a_person_may_ask() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(!ask(dir.path(), PATIENCE).expect("nobody is here"));
        let (tap, recorder, ending) = started(dir.path());
        tap.pass(0, Wire::Serial, 1, What::Crc, vec![1, 2, 3]);
        // The thread makes its lock as its first deed.
        while !ask(dir.path(), PATIENCE).expect("can be asked") {
            std::thread::yield_now();
        }
        assert_eq!(frames(dir.path()).len(), 1);
        tap.pass(0, Wire::Serial, 2, What::Lost, Vec::new());
        assert!(ask(dir.path(), PATIENCE).expect("asked again"));
        let units: Vec<u8> = frames(dir.path()).iter().map(|tapped| tapped.unit).collect();
        assert_eq!(units, [1, 2], "dumps follow each other without overlap");
        tap.pass(0, Wire::Serial, 3, What::Lost, Vec::new());
        drop(recorder);
        ending.wait(PATIENCE);
        assert_eq!(frames(dir.path()).len(), 2, "nobody asked for the third");
        assert!(!ask(dir.path(), PATIENCE).expect("nobody is here any more"));
    }

    #[test]
    fn a_disk_that_takes_nothing_costs_the_dump_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(super::super::directory(dir.path()), b"not a directory").expect("written");
        let (tap, recorder, ending) = started(dir.path());
        tap.pass(0, Wire::Serial, 1, What::Crc, vec![1, 2, 3]);
        recorder.alarm("lost");
        drop(recorder);
        ending.wait(PATIENCE);
        let there = std::fs::read(super::super::directory(dir.path())).expect("still there");
        assert_eq!(there, b"not a directory");
    }
}
