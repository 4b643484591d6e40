//! The controller is cut at every record of a run; each time it is brought back and the line runs
//! empty, and nothing may be wrong, lost or doubled.
//!
//! Each record is cut in one way that the seed chooses, or in all nine with `CRASH_WAYS=all`.
//! `CRASH_PARCELS` and `CRASH_SEED` change the run, `CRASH_RECORD` looks at one record alone.

use line_engine::record;
use line_model::packml::State;
use line_model::signal::Input;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use system_tests::crash::{self, Death, Fork, Lived};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::summary;
use units::Micros;

/// Failures after which a matrix is given up.
const FAILURES_MAX: usize = 8;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a matrix found.
#[derive(Default)]
struct Seen {
    deaths: u64,
    went_on: u64,
    adopted: u64,
    unconfirmed: u64,
    sortable: u64,
    sorted: u64,
    failures: Vec<String>,
}

impl Seen {
    fn take(&mut self, death: Death, came: Result<Lived, String>) {
        self.deaths += 1;
        match came {
            Ok(lived) => {
                self.went_on += u64::from(lived.went_on);
                self.adopted += lived.adopted;
                self.unconfirmed += lived.unconfirmed;
                self.sortable += lived.sortable;
                self.sorted += lived.sorted;
            }
            Err(why) => self.failures.push(format!("{death}: {why}")),
        }
    }
}

/// A run that is cut.
struct Matrix {
    inputs: Inputs,
    seed: u64,
    /// Cuts this record alone.
    only: Option<u64>,
    /// Cuts in all ways, not in one.
    all: bool,
    spoil: fn(&mut Harness),
}

impl Matrix {
    fn deaths(&self, record: u64) -> Vec<Death> {
        match self.all || self.only.is_some() {
            true => Death::all(record).collect(),
            false => vec![Death::one(record, self.seed)],
        }
    }

    fn die(&self, death: Death, fork: &Fork<'_>) -> Result<Lived, String> {
        let lived = AssertUnwindSafe(|| fork.live_through(death, self.seed, self.spoil));
        catch_unwind(lived).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("panicked: {}", text.unwrap_or_default()))
        })
    }

    /// One thread's share: it walks the whole run and lets every `of`-th record's forks die.
    fn share(&self, mine: u64, of: u64, seen: &Mutex<Seen>, given_up: &AtomicBool) -> u64 {
        let walked = crash::walk(&self.inputs, |record, fork| {
            if record % of != mine || self.only.is_some_and(|only| only != record) {
                return Ok(());
            }
            for death in self.deaths(record) {
                if given_up.load(Ordering::Relaxed) {
                    return Err("given up".to_owned());
                }
                let came = self.die(death, fork);
                let mut seen = seen.lock().expect("nothing panics while it is held");
                seen.take(death, came);
                given_up.store(seen.failures.len() >= FAILURES_MAX, Ordering::Relaxed);
            }
            Ok(())
        });
        walked.unwrap_or_else(|why| {
            seen.lock().expect("nothing panics while it is held").failures.push(why);
            0
        })
    }

    /// Cuts everything on as many threads as there are cores; returns the run's records too.
    fn run(&self) -> (u64, Seen) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let (seen, given_up) = (Mutex::new(Seen::default()), AtomicBool::new(false));
        let records = std::thread::scope(|threads| {
            let shares: Vec<_> = (0..cores)
                .map(|mine| threads.spawn(move_share(self, mine, cores, &seen, &given_up)))
                .collect();
            let done =
                shares.into_iter().map(|share| share.join().expect("a share does not panic"));
            done.max().expect("at least one core")
        });
        (records, seen.into_inner().expect("nothing panics while it is held"))
    }
}

fn move_share<'a>(
    matrix: &'a Matrix,
    mine: u64,
    of: u64,
    seen: &'a Mutex<Seen>,
    given_up: &'a AtomicBool,
) -> impl FnOnce() -> u64 + Send + 'a {
    move || matrix.share(mine, of, seen, given_up)
}

fn honest(_: &mut Harness) {}

#[test]
fn the_process_is_cut_at_every_record() {
    let (parcels, seed) = (number("CRASH_PARCELS", 500), number("CRASH_SEED", 31));
    let all = std::env::var("CRASH_WAYS").is_ok_and(|ways| ways == "all");
    let only = Some(number("CRASH_RECORD", 0)).filter(|only| *only > 0);
    println!(
        "{parcels} parcels, seed {seed}; repeat one record: CRASH_PARCELS={parcels} CRASH_SEED={seed} \
         CRASH_RECORD=<number> cargo test --release -p system-tests --test crash_matrix"
    );
    let inputs = Inputs::demo(parcels, seed);
    let (records, seen) = Matrix { inputs, seed, only, all, spoil: honest }.run();
    println!(
        "{records} records, {} deaths: {} went on, {} stopped first; {} arms adopted; {} landings left \
         open for a person; {} of {} sortable parcels in their chutes",
        seen.deaths,
        seen.went_on,
        seen.deaths - seen.went_on,
        seen.adopted,
        seen.unconfirmed,
        seen.sorted,
        seen.sortable
    );
    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    let ways = if all || only.is_some() { 9 } else { 1 };
    assert_eq!(seen.deaths, ways * only.map_or(records, |_| 1), "a death at every record");
}

/// What starts the line is durable, and the controller dies before a belt has heard of it.
#[test]
fn what_was_decided_and_never_sent_is_said_again() {
    let (seed, inputs) = (31, Inputs::demo(6, 31));
    let mut run = Harness::new(&inputs).expect("set up");
    let runs = |run: &Harness| run.view().line.state == State::Execute;
    assert!(run.run_until(Micros::from_secs(60), runs), "the line starts, seed {seed}");
    // The records around the one that starts every belt; all nine ways at each of them.
    let last = run.disk.offered();
    for record in last - 5..=last + 2 {
        let only = Some(record);
        let matrix = Matrix { inputs: inputs.clone(), seed, only, all: true, spoil: honest };
        let (_, seen) = matrix.run();
        assert_eq!((seen.deaths, seen.failures), (9, Vec::new()), "record {record}, seed {seed}");
    }
}

/// The marks of what was heard are not those of the records: as if they stood in another commit.
fn forget_marks(run: &mut Harness) {
    run.disk.marks.clear();
}

#[test]
fn marks_of_another_commit_do_not_go_unnoticed() {
    let inputs = Inputs::demo(12, 32);
    let (_, seen) = Matrix { inputs, seed: 32, only: None, all: false, spoil: forget_marks }.run();
    assert!(!seen.failures.is_empty(), "{} deaths without a finding", seen.deaths);
}

/// A disk that called records durable and forgot them: the nodes know what they were told had been
/// kept, so that the gap is named, and nothing is decided wrong.
#[test]
fn what_a_lying_disk_forgot_is_named_as_a_gap() {
    let inputs = Inputs::demo(40, 33);
    let mut run = Harness::new(&inputs).expect("set up");
    let later = |run: &mut Harness, seconds| {
        let until = run.now().plus(Micros::from_secs(seconds));
        run.run_until(until, |_| false);
    };
    later(&mut run, 35);
    let mut old = run.disk.clone();
    later(&mut run, 2);
    run.kill();
    let forgotten = run.disk.records.len();
    old.cut();
    run.disk = old;
    let kept = run.disk.records.len();
    assert!(kept < forgotten, "{kept} of {forgotten} records are left");
    run.restart();
    run.please_keep_running();
    let limit = run.now().plus(Micros::from_secs(600));
    assert!(run.run_until(limit, Harness::drained), "drains");
    let lost = run.disk.records[kept..].iter().filter_map(|bytes| {
        match record::decode(bytes).expect("our own record").input {
            Input::EventsLost { node, entries } => Some((node, entries)),
            _ => None,
        }
    });
    let lost: Vec<_> = lost.collect();
    println!("{} records forgotten; events named as lost: {lost:?}", forgotten - kept);
    assert!(!lost.is_empty(), "nothing is dropped silently");
    let finding = summary::report(&run, &inputs).finding;
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
}
