//! Random lines with random plans, parcels and faults, judged by the oracle; see `swarm` in `src`.
//!
//! `SWARM_SEED`, `SWARM_LINES` and `SWARM_PARCELS` choose another first seed, number of lines and
//! mean number of parcels on each. What fails is shrunk to a scenario file.

use line_sim::Scenario;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use system_tests::swarm::run::{self, Outcome};
use system_tests::swarm::{self, saboteurs, shrink, trouble};

/// Each class of trouble and each reason comes at least this often in a whole run.
const TIMES_MIN: u64 = 3;
/// Of a thousand parcels far from every trouble, at least this many land as planned.
const FAR_PERMILLE: u64 = 990;

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
        self.far += verdict.far;
        self.far_sorted += verdict.far_sorted;
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
        println!("{} in a wrong chute by mechanics, alarmed", self.mechanical);
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

/// Runs one seed and enters what came of it.
fn one(seed: u64, parcels: u64, sum: &Mutex<Sum>) {
    let drawn = swarm::draw(seed, parcels);
    let done = catch_unwind(AssertUnwindSafe(|| run::run(&drawn.scenario, None)));
    let faults = {
        let mut sum = sum.lock().expect("no panic inside");
        sum.refused += drawn.refused;
        match &done {
            Ok(outcome) => {
                sum.add(outcome);
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
        let share = sum.far_sorted * 1_000 / sum.far.max(1);
        assert!(share >= FAR_PERMILLE, "{share} per mille far from every trouble as planned");
    }
}

/// A scenario with whatever makes a saboteur's work show.
fn with_losses(seed: u64) -> Scenario {
    let text = include_str!("../../sim/scenarios/taken-off-after-the-scanner.toml");
    let mut scenario = Scenario::parse(text).expect("shipped");
    scenario.profile = "normal".to_owned();
    scenario.parcels = Some(60);
    scenario.seed = seed;
    scenario
}

#[test]
fn every_saboteur_is_caught() {
    for seed in [3, 4] {
        assert_eq!(run::faults(&with_losses(seed), None), Vec::<String>::new(), "seed {seed}");
        for (name, saboteur) in saboteurs::ALL {
            let faults = run::faults(&with_losses(seed), Some(*saboteur));
            println!("seed {seed}, {name}: {} faults", faults.len());
            assert!(!faults.is_empty(), "seed {seed}: {name} went unnoticed");
        }
    }
}

#[test]
fn a_known_defect_shrinks_to_few_parcels() {
    let (name, defect) = saboteurs::ALL[0];
    let drawn = swarm::draw(7, 150);
    let mut fails = |smaller: &Scenario| !run::faults(smaller, Some(defect)).is_empty();
    assert!(fails(&drawn.scenario), "{name} shows");
    let small = shrink::shrink(&drawn.scenario, &mut fails);
    let diverters = (shrink::diverters(&drawn.scenario), shrink::diverters(&small));
    println!(
        "{name}: {:?} parcels -> {:?}, {} events -> {}, {} diverters -> {}; {}",
        drawn.scenario.parcels,
        small.parcels,
        drawn.scenario.events.len(),
        small.events.len(),
        diverters.0,
        diverters.1,
        keep(&small, "known-defect")
    );
    assert!(small.parcels <= Some(3) && small.events.is_empty(), "{small:?}");
    assert!(diverters.1 <= diverters.0);
    assert_eq!(shrink::shrink(&drawn.scenario, &mut fails), small, "the same every time");
}
