//! The loop: everything that can wake the engine comes in here, every effect leaves from here.
//!
//! One task owns the engine and waits for nothing but the next [`Woken`]. Buses, journal, manifest
//! and screens are other tasks or threads behind bounded queues; none of them can make it wait.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use line_engine::{BusId, Effects, Outcome, Question, Record, Transmit, Wake, record};
use line_model::alarm::Alarm;
use line_model::decision::Decision;
use line_model::packml::State;
use line_model::plan::Plan;
use line_model::signal::{Command, Input};
use line_model::view::Unmet;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior};
use units::Micros;

use crate::bus::{self, Heard};
use crate::clock::{Clock, utc_us};
use crate::flight::recorder::Recorder;
use crate::guard::Guard;
use crate::hmi::{HmiCommand, HmiView, Order, Refused};
use crate::journal::begin::Roll;
use crate::journal::policy::{DayWatch, Policy};
use crate::journal::writer::{Entry, Progress, Writer};
use crate::upstream::manifest::Answer;
use crate::view::Names;
use crate::wall::{Step, WallWatch};

/// Entries that may wait for a writer whose queue is full. The engine leaves events on their nodes
/// and pauses the induction long before (at 10,000 records); beyond this the loop hears nothing more
/// but the disk, stop orders and signals, so that nothing is dropped and memory stays bounded: the
/// nodes keep their events, and fall to their safe state when their lease ends.
const BACKLOG_DEAF: usize = 50_000;
/// Entries at which a loop that became deaf hears again.
const BACKLOG_HEAR: usize = 10_000;
/// Screens get a view this often.
const VIEW_EVERY: Duration = Duration::from_millis(100);
/// The wall clock is told this often.
const WALL_CLOCK_EVERY: Duration = Duration::from_secs(60);
/// The journal is told this often that the daemon lives; well below any lease, because a restart
/// counts its absence from the last time.
const ALIVE_EVERY: Duration = Duration::from_millis(500);
/// Two clocks that were not read within this time of each other say nothing about each other.
const LOOK_MAX: Micros = Micros::from_millis(20);
/// The business day is looked at this often.
const DAY_EVERY: Duration = Duration::from_secs(1);
/// How long belts may take to stop before the daemon leaves anyway; the nodes' lease stops them then.
const STOP_MAX: Duration = Duration::from_secs(5);
/// How long the last commits may take before the daemon leaves anyway.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// Everything that the loop holds and talks to.
pub struct Loop {
    /// The clock of this run.
    pub clock: Clock,
    /// The engine.
    pub guard: Guard,
    /// Requests to each bus, by its index.
    pub buses: Vec<mpsc::Sender<bus::Request>>,
    /// What all buses say.
    pub heard: mpsc::Receiver<Heard>,
    /// The journal.
    pub writer: Writer,
    /// Questions to the manifest.
    pub questions: mpsc::Sender<Question>,
    /// Its answers.
    pub answers: mpsc::Receiver<Answer>,
    /// Commands of people at screens.
    pub commands: mpsc::Receiver<HmiCommand>,
    /// The view for screens.
    pub view: watch::Sender<Arc<HmiView>>,
    /// What the view needs besides.
    pub names: Names,
    /// The plan to sort by.
    pub plan: Plan,
    /// Files to keep in the journal.
    pub files: Vec<Entry>,
    /// What the line must know of the start: files that are others than before, a wall clock that
    /// went back meanwhile.
    pub begins: Vec<Wake<'static>>,
    /// Watches the wall clock.
    pub wall: WallWatch,
    /// What the site decides about its journal.
    pub policy: Policy,
    /// Keeps the raw frames of the last minutes.
    pub flight: Recorder,
    /// Asks the daemon to leave.
    pub leave: Leave,
}

/// The signals that ask the daemon to leave.
#[derive(Debug)]
pub struct Leave {
    /// Ctrl-C.
    pub interrupt: Signal,
    /// The service manager.
    pub terminate: Signal,
}

impl Leave {
    async fn asked(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Why the loop ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunFault {
    /// The journal's thread has ended.
    WriterGone,
    /// The last records are not on disk; the nodes still hold what was not acknowledged.
    NotFlushed {
        /// Why the last commit failed, when one did.
        why: Option<String>,
    },
}

impl std::fmt::Display for RunFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WriterGone => f.write_str("go on: the journal's thread has ended"),
            Self::NotFlushed { why: Some(why) } => write!(f, "flush the journal: {why}"),
            Self::NotFlushed { why: None } => f.write_str("flush the journal in time"),
        }
    }
}

impl std::error::Error for RunFault {}

/// The closed list of what wakes the loop.
enum Woken {
    Bus(Heard),
    Disk,
    Route(Answer),
    Person(HmiCommand),
    View,
    WallClock,
    Alive,
    Day,
    Deadline,
    Leave(&'static str),
}

/// The loop at work.
struct Running {
    parts: Loop,
    progress: watch::Receiver<Progress>,
    effects: Effects,
    backlog: VecDeque<Entry>,
    /// Buses whose task has ended; told to the engine after the present wake.
    gone: VecDeque<BusId>,
    /// Alarms that the flight recorder knows of.
    alarms: BTreeSet<Alarm>,
    now: Micros,
    told_durable: u64,
    last_record: u64,
    last_snapshot: u64,
    /// Too much waits for the disk: see [`BACKLOG_DEAF`].
    deaf: bool,
    day_watch: DayWatch,
    view_tick: Interval,
    wall_tick: Interval,
    alive_tick: Interval,
    day_tick: Interval,
}

/// Runs until a signal asks to leave.
///
/// # Errors
/// When the journal cannot take the records any more.
pub async fn run(mut parts: Loop) -> Result<(), RunFault> {
    let progress = parts.writer.progress();
    let durable = progress.borrow().durable;
    let backlog = std::mem::take(&mut parts.files).into();
    let mut running = Running {
        now: parts.clock.now(),
        parts,
        progress,
        effects: Effects::default(),
        backlog,
        gone: VecDeque::new(),
        alarms: BTreeSet::new(),
        told_durable: durable,
        last_record: durable,
        last_snapshot: durable,
        deaf: false,
        day_watch: DayWatch::default(),
        view_tick: ticks(VIEW_EVERY),
        wall_tick: ticks(WALL_CLOCK_EVERY),
        alive_tick: ticks(ALIVE_EVERY),
        day_tick: ticks(DAY_EVERY),
    };
    // The beginning tells the time of day itself.
    running.wall_tick.reset();
    running.begin();
    let by = loop {
        match running.next().await {
            Woken::Leave(by) => break by,
            woken => running.take(woken)?,
        }
    };
    tracing::info!(by, "leaving");
    running.stop(by).await?;
    running.flush().await
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Running {
    /// Tells the time of day, what is special about this start, and the plan, when the line does not
    /// follow it already.
    fn begin(&mut self) {
        self.wake(Wake::WallClock { utc_us: utc_us() });
        for wake in std::mem::take(&mut self.parts.begins) {
            self.wake(wake);
        }
        let follows = self.parts.guard.engine().line().memory().plans.last();
        if follows.is_none_or(|follows| follows.plan != self.parts.plan) {
            let plan = self.parts.plan.clone();
            tracing::info!(plan = plan.name, version = plan.version, "plan selected");
            self.wake(Wake::SelectPlan { plan });
        }
    }

    async fn next(&mut self) -> Woken {
        let deadline = self.parts.guard.engine().next_deadline();
        let hears = !self.deaf;
        tokio::select! {
            Some(heard) = self.parts.heard.recv(), if hears => Woken::Bus(heard),
            Ok(()) = self.progress.changed() => Woken::Disk,
            Some(answer) = self.parts.answers.recv(), if hears => Woken::Route(answer),
            Some(command) = self.parts.commands.recv() => Woken::Person(command),
            _ = self.view_tick.tick() => Woken::View,
            _ = self.wall_tick.tick(), if hears => Woken::WallClock,
            _ = self.alive_tick.tick() => Woken::Alive,
            _ = self.day_tick.tick() => Woken::Day,
            () = self.parts.clock.sleep_until(deadline), if hears => Woken::Deadline,
            by = self.parts.leave.asked() => Woken::Leave(by),
        }
    }

    fn take(&mut self, woken: Woken) -> Result<(), RunFault> {
        match woken {
            Woken::Bus(heard) => self.bus(heard),
            Woken::Disk => {
                let durable = self.progress.borrow_and_update().durable;
                if durable > self.told_durable {
                    self.told_durable = durable;
                    self.wake(Wake::Durable { record: durable });
                }
            }
            Woken::Route(Answer { parcel, facts }) => self.wake(Wake::Route { parcel, facts }),
            Woken::Person(command) => self.person(command),
            Woken::View => self.publish(),
            Woken::WallClock => self.wake(Wake::WallClock { utc_us: utc_us() }),
            Woken::Alive => {
                self.alive();
                self.look_at_wall();
            }
            Woken::Day => self.day(),
            Woken::Deadline | Woken::Leave(_) => self.wake(Wake::Timer),
        }
        self.pump();
        if self.parts.writer.is_gone() {
            return Err(RunFault::WriterGone);
        }
        self.listen_or_not();
        Ok(())
    }

    /// Becomes deaf when too much waits for the disk, and hears again when it is written.
    fn listen_or_not(&mut self) {
        let waiting = self.backlog.len();
        if !self.deaf && waiting >= BACKLOG_DEAF {
            self.deaf = true;
            tracing::error!(waiting, "too much waits for the disk: buses are left to their lease");
        } else if self.deaf && waiting <= BACKLOG_HEAR {
            self.deaf = false;
            tracing::info!(waiting, "the disk keeps up again: buses are heard");
        }
    }

    fn bus(&mut self, Heard { bus, event }: Heard) {
        let bus = BusId(bus);
        let outcome = match &event {
            bus::Event::Up => return self.wake(Wake::BusUp { bus }),
            bus::Event::Down { why: _ } => return self.wake(Wake::BusDown { bus }),
            bus::Event::Answer { unit, pdu } => Outcome::Answer { unit: *unit, pdu },
            bus::Event::Timeout => Outcome::Timeout,
            bus::Event::BroadcastDone => Outcome::BroadcastDone,
            bus::Event::Lost => Outcome::Lost,
        };
        self.wake(Wake::Exchange { bus, outcome });
    }

    fn person(&mut self, HmiCommand { order, by, answer }: HmiCommand) {
        let stops = matches!(
            order,
            Order::Command { command: Command::Stop | Command::Hold | Command::Abort, .. }
        );
        if self.deaf && !(stops && self.backlog.len() < 2 * BACKLOG_DEAF) {
            // Its record could not be kept within bounds; the nodes stand by their lease.
            answer.send(Err(Refused { why: vec![Unmet::CommitsStalled] })).ok();
            return;
        }
        let wake = match order {
            Order::Command { command, reason } => {
                tracing::info!(?command, by, "command");
                Wake::Command { command, by, reason }
            }
            // What was scanned may hold personal data: it goes through the door first.
            Order::Deed { deed, reason } => {
                tracing::info!(deed = deed.name(), by, "deed");
                Wake::Deed { deed, by, reason }
            }
        };
        let before = self.last_record;
        let refused = self.wake_and_look(wake, before);
        // The person may have left meanwhile; the command was taken all the same.
        answer.send(refused.map_or(Ok(()), |why| Err(Refused { why }))).ok();
    }

    fn wake(&mut self, wake: Wake<'_>) {
        self.handle(wake);
        self.dispatch();
    }

    /// As [`Self::wake`]; returns why the line refused, when it did.
    fn wake_and_look(&mut self, wake: Wake<'_>, before: u64) -> Option<Vec<Unmet>> {
        self.handle(wake);
        let fresh = self.effects.records.iter().filter(|record| record.number > before);
        let refused = fresh.filter_map(refusal).next();
        self.dispatch();
        refused
    }

    fn handle(&mut self, wake: Wake<'_>) {
        self.now = self.now.max(self.parts.clock.now());
        let before = self.parts.guard.counts();
        self.parts.guard.handle(self.now, wake, &mut self.effects);
        let after = self.parts.guard.counts();
        if after.set_aside > before.set_aside {
            tracing::error!("an input panicked twice and was set aside; parcels are uncertain");
        } else if after.panics > before.panics {
            tracing::error!("an input panicked; the second attempt succeeded");
        }
        self.tell_alarms();
    }

    /// Tells the flight recorder of alarms that were raised.
    fn tell_alarms(&mut self) {
        let alarms = &self.parts.guard.engine().line().memory().alarms;
        if *alarms != self.alarms {
            alarms.difference(&self.alarms).for_each(|alarm| self.parts.flight.alarm(alarm.code()));
            self.alarms.clone_from(alarms);
        }
    }

    /// Sends every effect on its way.
    fn dispatch(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        for transmit in effects.transmit.drain(..) {
            self.transmit(transmit);
        }
        for record in effects.records.drain(..) {
            self.last_record = record.number;
            self.backlog.push_back(Entry::Record(record));
        }
        for question in effects.questions.drain(..) {
            if self.parts.questions.try_send(question).is_err() {
                tracing::error!("a question to the manifest was dropped: its queue is full");
            }
        }
        self.effects = effects;
        if self.last_record >= self.last_snapshot + self.parts.policy.snapshot_every {
            self.snapshot();
        }
        while let Some(bus) = self.gone.pop_front() {
            self.wake(Wake::Exchange { bus, outcome: Outcome::Lost });
            self.wake(Wake::BusDown { bus });
        }
    }

    fn transmit(&mut self, Transmit { bus, unit, pdu, timeout }: Transmit) {
        let request = bus::Request { unit, pdu, timeout };
        let taken = self.parts.buses[usize::from(bus.0)].try_send(request);
        if let Err(error) = taken {
            tracing::error!(bus = bus.0, %error, "a bus takes no request");
            self.gone.push_back(bus);
        }
    }

    fn snapshot(&mut self) {
        self.last_snapshot = self.last_record;
        let bytes = self.parts.guard.engine().snapshot();
        self.backlog.push_back(Entry::Snapshot { number: self.last_record, at: self.now, bytes });
    }

    /// Hands waiting entries to the writer, as many as it takes.
    fn pump(&mut self) {
        while let Some(entry) = self.backlog.pop_front() {
            if let Err(entry) = self.parts.writer.offer(entry) {
                self.backlog.push_front(entry);
                return;
            }
        }
    }

    fn alive(&mut self) {
        self.now = self.now.max(self.parts.clock.now());
        // Behind a disk that does not write there is nothing to be gained by another entry.
        if self.backlog.is_empty() {
            self.backlog.push_back(Entry::Alive { at: self.now, utc_us: utc_us() });
        }
    }

    /// Tells a jump of the wall clock.
    fn look_at_wall(&mut self) {
        // A loop that takes no input looks later; nothing of the jump is lost by that.
        if self.deaf {
            return;
        }
        let (before, utc_us) = (self.parts.clock.now(), utc_us());
        if self.parts.clock.now().since(before) > LOOK_MAX {
            return;
        }
        if let Some(Step { utc_us, by_us }) = self.parts.wall.look(before, utc_us) {
            tracing::warn!(by_us, "the wall clock jumped");
            self.wake(Wake::WallClockStepped { utc_us, by_us });
        }
    }

    /// Asks for the next day's file when it is time for it.
    fn day(&mut self) {
        self.now = self.now.max(self.parts.clock.now());
        let (policy, utc_us) = (self.parts.policy, utc_us());
        let file = self.progress.borrow().day;
        let on_line = self.parts.guard.engine().line().memory().live.len();
        let due = self.day_watch.due(&policy, self.now, utc_us, file, on_line);
        // Behind a disk that does not write, the day can wait.
        if let Some(day) = due.filter(|_| self.backlog.is_empty()) {
            let snapshot = self.parts.guard.engine().snapshot();
            let (number, at) = (self.last_record, self.now);
            self.last_snapshot = number;
            self.backlog.push_back(Entry::Roll(Roll { day, number, at, utc_us, snapshot }));
        }
    }

    fn publish(&mut self) {
        self.now = self.now.max(self.parts.clock.now());
        let view = self.parts.guard.engine().view(self.now);
        let view = self.parts.names.view(view, self.now, utc_us());
        self.parts.view.send_replace(Arc::new(view));
    }

    fn state(&self) -> State {
        self.parts.guard.engine().line().memory().machine.mode.state()
    }

    /// Stops the line and waits until its belts stand; a second signal does not wait.
    async fn stop(&mut self, by: &str) -> Result<(), RunFault> {
        let at_rest = |state| matches!(state, State::Stopped | State::Aborted);
        if !at_rest(self.state()) {
            self.wake(Wake::Command {
                command: Command::Stop,
                by: format!("signal {by}"),
                reason: String::new(),
            });
            self.pump();
        }
        let limit = tokio::time::sleep(STOP_MAX);
        tokio::pin!(limit);
        while !at_rest(self.state()) {
            let woken = tokio::select! {
                woken = self.next() => woken,
                () = &mut limit => break,
            };
            if let Woken::Leave(by) = woken {
                tracing::warn!(by, "leaving before the belts stand");
                break;
            }
            self.take(woken)?;
        }
        Ok(())
    }

    /// Writes what waits and a last snapshot, then closes the journal.
    async fn flush(mut self) -> Result<(), RunFault> {
        if self.last_record > self.last_snapshot {
            self.snapshot();
        }
        let last = self.progress.clone();
        let flushed = async move {
            self.pump();
            while !self.backlog.is_empty() {
                if self.progress.changed().await.is_err() {
                    return;
                }
                self.pump();
            }
            let mut progress = self.parts.writer.close();
            // An error means that the thread has ended, which `closed` does not say then.
            progress.wait_for(|progress| progress.closed).await.map(|_| ()).unwrap_or_default();
        };
        // When the time is over, the progress tells what is missing.
        tokio::time::timeout(FLUSH_MAX, flushed).await.unwrap_or_default();
        let progress = last.borrow().clone();
        if progress.closed { Ok(()) } else { Err(RunFault::NotFlushed { why: progress.failing }) }
    }
}

/// Why the line refused the command of this record; `None` when it did not.
fn refusal(record: &Record) -> Option<Vec<Unmet>> {
    let decoded = record::decode(&record.bytes).ok()?;
    if !matches!(decoded.input, Input::Command { .. }) {
        return None;
    }
    decoded.decisions.into_iter().find_map(|decision| match decision {
        Decision::Refused { why } => Some(why),
        _ => None,
    })
}
