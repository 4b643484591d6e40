//! A million exchanges at 20 % mixed faults, with restarts on both sides.
//!
//! `SEED` and `EXCHANGES` in the environment choose another run. A debug build makes 20,000
//! exchanges unless told otherwise.

use line_sim::bridge::{Class, Faults, Tally};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use system_tests::torture::sabotage::Sabotage;
use system_tests::torture::{Counted, Figures, Outcome, Plan, run};

/// Exchanges of one seed: a failing one is repeated in seconds.
const SHARD: u64 = 50_000;
/// Occurrences of every class that a million exchanges must have seen.
const LEAST: u64 = 100;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn plan(seed: u64, exchanges: u64) -> Plan {
    Plan { seed, exchanges, faults: Faults::MIXED_20, sabotage: None }
}

/// Runs every plan, two at a time.
fn run_all(plans: &[Plan]) -> Vec<Outcome> {
    let next = AtomicU64::new(0);
    let (done, results) = mpsc::sync_channel(plans.len());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                let take = || usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok();
                while let Some(plan) = take().and_then(|at| plans.get(at)) {
                    done.send(run(plan)).expect("room for all");
                }
            });
        }
    });
    drop(done);
    let mut outcomes: Vec<Outcome> = results.into_iter().collect();
    outcomes.sort_by_key(|outcome| outcome.seed);
    outcomes
}

fn sums(outcomes: &[Outcome]) -> (Figures, Counted, Tally) {
    let (mut figures, mut counted, mut tally) =
        (Figures::default(), Counted::default(), Tally::default());
    for outcome in outcomes {
        figures.add(&outcome.figures);
        counted.add(&outcome.counted);
        tally.add(&outcome.tally);
    }
    (figures, counted, tally)
}

fn report(outcomes: &[Outcome]) -> (Figures, Tally) {
    let (figures, counted, tally) = sums(outcomes);
    let exchanges: u64 = outcomes.iter().map(|outcome| outcome.exchanges).sum();
    let crashes: u64 = outcomes.iter().map(|outcome| outcome.crashes).sum();
    let seconds: u64 = outcomes.iter().map(|outcome| outcome.lasted.0 / 1_000_000).sum();
    println!("{exchanges} exchanges in {seconds} s of virtual time, {crashes} crashes of the host");
    for (class, times) in tally.all() {
        println!("{times:>9}  {}", class.name());
    }
    println!("{counted:#?}\n{figures:#?}");
    (figures, tally)
}

#[test]
fn a_million_exchanges_lose_double_and_invent_nothing() {
    let usual = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    let (first, exchanges) = (number("SEED", 1), number("EXCHANGES", usual));
    let shards = exchanges.div_ceil(SHARD);
    let plans: Vec<Plan> =
        (0..shards).map(|shard| plan(first + shard, exchanges.div_ceil(shards))).collect();
    println!(
        "seeds {first} to {}, {} exchanges each",
        first + shards - 1,
        exchanges.div_ceil(shards)
    );
    let outcomes = run_all(&plans);
    let (figures, tally) = report(&outcomes);
    for outcome in outcomes.iter().filter(|outcome| !outcome.violations.is_empty()) {
        println!(
            "seed {}: SEED={} EXCHANGES={} cargo test --release -p system-tests --test torture \
             a_million -- --nocapture",
            outcome.seed,
            outcome.seed,
            exchanges.div_ceil(shards)
        );
        outcome.violations.iter().for_each(|violation| println!("    {violation}"));
    }
    assert!(outcomes.iter().all(|outcome| outcome.violations.is_empty()), "violations above");
    let least = LEAST * exchanges / 1_000_000;
    let rare: Vec<&Class> = Class::ALL.iter().filter(|class| tally.of(**class) < least).collect();
    assert!(rare.is_empty(), "fewer than {least} times: {rare:?}");
    assert_eq!(
        figures.arose,
        figures.told + figures.lost + figures.in_gaps,
        "every entry is told, lost by name, or in a named gap"
    );
    let scale = exchanges / 20_000;
    assert!(figures.gaps > scale && figures.arms > 50 * scale && figures.fired > scale);
    assert!(figures.usurpers > 50 * scale && figures.executed > 100 * scale);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, other) = (run(&plan(77, 3_000)), run(&plan(77, 3_000)));
    assert_eq!((one.figures, one.tally, one.lasted), (other.figures, other.tally, other.lasted));
    assert_ne!(one.figures, run(&plan(78, 3_000)).figures);
}

/// Without faults, so that nothing but the saboteur can be found.
fn check_sabotage(sabotage: Sabotage, found: &str) {
    let plan = Plan { faults: Faults::NONE, sabotage: Some(sabotage), ..plan(7, 6_000) };
    let outcome = run(&plan);
    assert!(outcome.strikes > 0, "{sabotage:?} never struck");
    let named = outcome.violations.iter().any(|violation| violation.contains(found));
    assert!(named, "{sabotage:?}: no \"{found}\" in {:?}", outcome.violations);
    let honest = run(&Plan { sabotage: None, ..plan });
    assert_eq!(honest.violations, Vec::<String>::new());
}

#[test]
fn old_events_under_new_numbers_are_found() {
    check_sabotage(Sabotage::DoubledEvents, "doubled");
}

#[test]
fn altered_events_are_found() {
    check_sabotage(Sabotage::AlteredEvent, "wrong or invented");
}

#[test]
fn dropped_reports_are_found() {
    check_sabotage(Sabotage::DroppedReport, "lost silently");
}

#[test]
fn a_command_executed_twice_is_found() {
    check_sabotage(Sabotage::DoubledCommand, "set the value");
}

#[test]
fn a_second_master_with_the_owner_word_is_found() {
    check_sabotage(Sabotage::KnownOwner, "never ordered");
}
