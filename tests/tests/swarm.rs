//! Random lines with random plans, parcels and faults, judged by the oracle; see `swarm` in `src`.
//!
//! `SWARM_SEED`, `SWARM_LINES` and `SWARM_PARCELS` choose another first seed, number of lines and
//! mean number of parcels on each. What fails is shrunk to a scenario file; `SWARM_WHOLE` leaves it
//! whole, `SWARM_KEEP` keeps every one drawn, `SWARM_EACH` tells how each line did.

use line_model::reason::Reason;
use line_sim::Scenario;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use system_tests::swarm::run::{self, Outcome};
use system_tests::swarm::{self, shrink, trouble};
use units::Micros;

/// Each class of trouble and each reason comes at least this often in a whole run.
const TIMES_MIN: u64 = 3;
/// Of a thousand parcels far from every trouble, at least this many land as planned.
const FAR_PERMILLE: u64 = 990;

/// Reasons that a random line gives never or by chance only, and why.
const UNREACHED: &[(&str, &str)] = &[
    ("code_too_long", "no label is that long"),
    ("arm_refused", "only between a node's restart and the word of it"),
    ("ambiguous", "where a second head may come, the arm is taken back before"),
    ("unassigned_read", "the reader echoes the number of its trigger"),
];

/// A number of the environment, or this one.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Sums over all lines.
#[derive(Default)]
struct Sum {
    lines: u64,
    refused: u64,
    parcels: u64,
    seconds: u64,
    sortable: u64,
    sorted: u64,
    far: u64,
    far_sorted: u64,
    mechanical: u64,
    stuck: u64,
    wired: u64,
    wired_sorted: u64,
    again: Micros,
    reasons: BTreeMap<String, u64>,
    classes: BTreeMap<String, u64>,
    failed: Vec<u64>,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        let verdict = &outcome.verdict;
        self.lines += 1;
        self.parcels += outcome.parcels;
        self.seconds += outcome.lasted.0 / 1_000_000;
        self.sortable += verdict.sortable;
        self.sorted += verdict.sorted;
        if outcome.bad_wires {
            self.wired += verdict.far;
            self.wired_sorted += verdict.far_sorted;
        } else {
            self.far += verdict.far;
            self.far_sorted += verdict.far_sorted;
        }
        self.stuck += verdict.stuck;
        self.again = self.again.max(outcome.again.unwrap_or_default());
        self.mechanical += verdict.wrong_mechanical;
        for (all, own) in
            [(&mut self.reasons, &outcome.reasons), (&mut self.classes, &outcome.classes)]
        {
            for (name, times) in own {
                *all.entry(name.clone()).or_insert(0) += times;
            }
        }
    }

    fn print(&self) {
        let Self { lines, refused, parcels, seconds, sorted, sortable, .. } = self;
        println!("{lines} lines ({refused} drawn anew), {parcels} parcels, {seconds} s of lines");
        println!("{sorted} of {sortable} sortable parcels lie where they belong");
        println!("{} of {} far from every trouble do", self.far_sorted, self.far);
        println!("{} of {} on lines with bad wires", self.wired_sorted, self.wired);
        println!("{} in a wrong chute by mechanics, alarmed", self.mechanical);
        println!("{} stuck to the one ahead, and no sensor told (not judged)", self.stuck);
        println!("{} s at most from the last trouble to the next parcel", self.again.0 / 1_000_000);
        for (name, times) in self.classes.iter().chain(&self.reasons) {
            println!("{times:>9}  {name}");
        }
    }
}

/// Shrinks what fails in the same way, and says where the small one is and how it is repeated.
fn shrunk(scenario: &Scenario, faults: &[String]) -> String {
    let kind = |fault: &String| fault.split(':').next().unwrap_or_default().to_owned();
    let kinds: Vec<String> = faults.iter().map(kind).collect();
    let mut same = |smaller: &Scenario| {
        run::faults(smaller, None).iter().any(|fault| kinds.contains(&kind(fault)))
    };
    let small = shrink::shrink(scenario, &mut same);
    keep(&small, &format!("seed-{}", scenario.seed))
}

/// Writes a scenario to a file of its own; gives the command that runs it.
fn keep(scenario: &Scenario, name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).expect("a folder for what tests leave");
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, scenario.print().expect("prints")).expect("a file");
    format!(
        "{}\n    SCENARIO_FILE={} cargo test --release -p system-tests --test scenarios one_file \
         -- --nocapture",
        path.display(),
        path.display()
    )
}

/// One line about one seed, to find the line that loses most.
fn tell(seed: u64, outcome: &Outcome, wires: Option<&str>) {
    let (verdict, reasons) = (&outcome.verdict, &outcome.reasons);
    let (far, sorted, parcels) = (verdict.far, verdict.far_sorted, outcome.parcels);
    let seconds = outcome.lasted.0 / 1_000_000;
    println!("seed {seed}: far {sorted} of {far}, {parcels} in {seconds} s, {reasons:?} {wires:?}");
}

/// Runs one seed and enters what came of it.
fn one(seed: u64, parcels: u64, sum: &Mutex<Sum>) {
    let drawn = swarm::draw(seed, parcels);
    if std::env::var_os("SWARM_KEEP").is_some() {
        keep(&drawn.scenario, &format!("whole-{seed}"));
    }
    let done = catch_unwind(AssertUnwindSafe(|| run::run(&drawn.scenario, None)));
    let faults = {
        let mut sum = sum.lock().expect("no panic inside");
        sum.refused += drawn.refused;
        match &done {
            Ok(outcome) => {
                sum.add(outcome);
                if std::env::var_os("SWARM_EACH").is_some() {
                    tell(seed, outcome, drawn.scenario.faults.as_deref());
                }
                outcome.faults()
            }
            Err(_) => vec!["panicked".to_owned()],
        }
    };
    if faults.is_empty() {
        return;
    }
    sum.lock().expect("no panic inside").failed.push(seed);
    println!(
        "seed {seed}: SWARM_SEED={seed} SWARM_LINES=1 SWARM_PARCELS={parcels} cargo test --release \
         -p system-tests --test swarm random_lines -- --nocapture\n  {}",
        faults.join("\n  ")
    );
    if std::env::var_os("SWARM_WHOLE").is_none() {
        println!("  seed {seed} as a small scenario: {}", shrunk(&drawn.scenario, &faults));
    }
}

#[test]
fn random_lines_mislead_no_parcel() {
    let (first, lines) = (number("SWARM_SEED", 1), number("SWARM_LINES", 200));
    let parcels = number("SWARM_PARCELS", 530);
    let (next, sum) = (AtomicU64::new(first), Mutex::new(Sum::default()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + lines {
                        break;
                    }
                    one(seed, parcels, &sum);
                }
            });
        }
    });
    let sum = sum.into_inner().expect("no panic inside");
    sum.print();
    assert_eq!(sum.failed, Vec::<u64>::new(), "seeds that failed");
    if lines >= 200 {
        assert!(sum.parcels >= 100_000, "{} parcels", sum.parcels);
        let times = |name: &str| sum.classes.get(name).copied().unwrap_or(0);
        let names = trouble::CLASSES.iter().map(|(name, _)| *name);
        let rare: Vec<&str> = names.filter(|name| times(name) < TIMES_MIN).collect();
        assert_eq!(rare, Vec::<&str>::new(), "classes that came less than {TIMES_MIN} times");
        let reached = |code: &str| UNREACHED.iter().all(|(name, _)| *name != code);
        let told = |code: &str| sum.reasons.get(code).copied().unwrap_or(0);
        let codes = Reason::ALL.iter().map(|reason| reason.code());
        let rare: Vec<&str> =
            codes.filter(|code| reached(code) && told(code) < TIMES_MIN).collect();
        assert_eq!(rare, Vec::<&str>::new(), "reasons given less than {TIMES_MIN} times");
        let share = sum.far_sorted * 1_000 / sum.far.max(1);
        assert!(share >= FAR_PERMILLE, "{share} per mille far from every trouble as planned");
    }
}
