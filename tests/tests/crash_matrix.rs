//! The controller is cut at every record of a run; each time the line is brought back and run empty.
//!
//! A fork of the whole run (world, wires, disk) is taken whenever a record has been made, its commit
//! is decided, the controller dies, stays away for a while, comes back from the last snapshot and the
//! tail, and works off what is on the belts. `CRASH_PARCELS` and `CRASH_SEED` change the run,
//! `CRASH_RECORD` looks at one record alone.

use line_engine::record;
use line_model::{Line, Memory};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::summary;
use units::Micros;

/// Records between two snapshots of the run: the tail of a restart is half of that on average.
const SNAPSHOT_EVERY: u64 = 150;
/// How long a line may take to run empty after a restart.
const DRAIN_MAX: Micros = Micros::from_secs(240);

/// What the commit under way became when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// It ended just behind this record, and nobody heard of it.
    Behind,
    /// It did not end: everything that was not durable is gone.
    Before,
}

/// One death.
struct Death {
    /// The record that had just been made.
    record: u64,
    cut: Cut,
    away: Micros,
    /// State behind each record from the first one that was not durable on, by full replay.
    replayed: Vec<Memory>,
    first_waiting: u64,
    run: Harness,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Deaths seen, and what became of them.
#[derive(Default)]
struct Seen {
    deaths: AtomicU64,
    went_on: AtomicU64,
    stopped: AtomicU64,
    unconfirmed: AtomicU64,
}

/// Kills, restarts, drains and judges one fork.
fn live_through(inputs: &Inputs, mut death: Death, seen: &Seen) {
    let Death { record, cut, away, .. } = death;
    let name = format!("record {record}, {cut:?}, away {} ms", away.millis());
    let run = &mut death.run;
    match cut {
        Cut::Behind => run.disk.cut_behind(record),
        Cut::Before => run.disk.cut(),
    }
    run.kill();
    run.world.stop_feed();
    let back = run.now().plus(away);
    run.run_until(back, |_| false);
    let durable = run.disk.records.len() as u64;
    if durable >= death.first_waiting {
        let index = usize::try_from(durable - death.first_waiting).expect("few");
        let found = summary::recover(&run.fixed, run.disk.newest_snapshot(), &run.disk.records);
        let memory = found.expect("our own records replay").memory;
        assert!(memory == death.replayed[index], "{name}: snapshot + tail is not the full replay");
    }
    run.restart();
    let state = run.engine().expect("alive").line().memory().machine.mode.state();
    if state == line_model::packml::State::Execute { &seen.went_on } else { &seen.stopped }
        .fetch_add(1, Ordering::Relaxed);
    run.please_start();
    let limit = run.now().plus(DRAIN_MAX);
    assert!(run.run_until(limit, Harness::drained), "{name}: the line does not run empty");
    let summary::Report { summary, finding } = summary::report(run, inputs);
    assert!(summary.ties, "{name}: the outcome equation: {summary:?}");
    let none = Vec::<String>::new();
    assert_eq!(finding.wrong_by_decision, none, "{name}");
    assert_eq!(finding.wrong_unreported, none, "{name}");
    assert_eq!(finding.doubled, none, "{name}");
    assert_eq!(finding.lost, none, "{name}");
    seen.unconfirmed.fetch_add(summary.unconfirmed, Ordering::Relaxed);
    seen.deaths.fetch_add(1, Ordering::Relaxed);
}

/// Away for a blink, for less than the lease, and for longer than any.
fn away(record: u64) -> Micros {
    let spans = [20, 700, 150, 1_900, 60, 400, 1_200, 6_000];
    Micros::from_millis(spans[usize::try_from(record % 8).expect("small")])
}

/// The next fork from a queue that several threads empty.
fn next(queue: &Mutex<Receiver<Death>>) -> Option<Death> {
    queue.lock().ok()?.recv().ok()
}

/// Runs to the end and forks at every record, or at `only`; returns how many there were.
fn run_and_fork(inputs: &Inputs, parcels: u64, only: u64, forks: SyncSender<Death>) -> u64 {
    let mut run = Harness::new(inputs).expect("set up");
    let mut replay = Line::new(run.fixed.line.engine.layout.clone());
    // States by full replay behind the records that are not durable yet, oldest first.
    let mut replayed: Vec<Memory> = Vec::new();
    let (mut made, mut kept) = (0, 0);
    let limit = Micros::from_secs(parcels * 20 + 600);
    while run.now() < limit && !run.drained() {
        run.step(limit);
        let durable = run.disk.records.len() as u64;
        let from = made;
        let fresh = run.disk.waiting().filter(|waiting| waiting.number > from);
        for waiting in fresh {
            let decoded = record::decode(&waiting.bytes).expect("our own record");
            replay.handle(decoded.at, decoded.input, &mut Vec::new());
            replayed.push(replay.memory().clone());
            made = waiting.number;
        }
        let settled = usize::try_from(durable - kept).expect("few").min(replayed.len());
        replayed.drain(..settled);
        kept += settled as u64;
        for record in (from + 1..=made).filter(|record| only == 0 || only == *record) {
            let cut = if record % 4 == 3 { Cut::Before } else { Cut::Behind };
            let death = Death {
                record,
                cut,
                away: away(record / 4),
                replayed: replayed.clone(),
                first_waiting: kept + 1,
                run: run.clone(),
            };
            if forks.send(death).is_err() {
                break;
            }
        }
        if made / SNAPSHOT_EVERY > from / SNAPSHOT_EVERY {
            run.snapshot();
        }
    }
    assert!(run.drained(), "the run itself ends");
    run.disk.records.len() as u64
}

#[test]
fn the_process_is_cut_at_every_record() {
    let (parcels, seed) = (number("CRASH_PARCELS", 500), number("CRASH_SEED", 31));
    let only = number("CRASH_RECORD", 0);
    println!(
        "{parcels} parcels, seed {seed}; repeat one record: CRASH_PARCELS={parcels} CRASH_SEED={seed} \
         CRASH_RECORD=<number> cargo test --release -p system-tests --test crash_matrix"
    );
    let inputs = Inputs::demo(parcels, seed);
    let seen = Seen::default();
    let (forks, queue) = sync_channel::<Death>(2);
    let queue = Mutex::new(queue);
    let records = std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while let Some(death) = next(&queue) {
                    live_through(&inputs, death, &seen);
                }
            });
        }
        run_and_fork(&inputs, parcels, only, forks)
    });
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{records} records, {} deaths: {} went on, {} stopped first; {} landings left open for a person",
        read(&seen.deaths),
        read(&seen.went_on),
        read(&seen.stopped),
        read(&seen.unconfirmed),
    );
    let expected = if only == 0 { records } else { 1 };
    assert_eq!(read(&seen.deaths), expected, "a death at every record");
}
