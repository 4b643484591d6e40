//! A shift on an ordinary line, worked by people: the plant draws by itself all that goes wrong there.
//!
//! Profile `full` of the example, without its straps and handles: a hole that is drawn under the
//! induction eye may still be counted as a second parcel.

use system_tests::inputs::Inputs;
use system_tests::stage;
use system_tests::swarm::run;

/// Of a thousand parcels far from every trouble, at least this many land as planned.
const FAR_PERMILLE: u64 = 990;

fn shift(seed: u64, feed: &str, parcels: u64) {
    println!("seed {seed}, {feed}");
    let mut inputs = Inputs::demo(parcels, seed);
    (inputs.profile, inputs.feed) = ("full".to_owned(), feed.to_owned());
    let mut case = inputs.read().expect("the example's files");
    stage::profile(&mut case, "holes_permille", 0);
    let (harness, drained) = run::to_the_end(&case, None);
    let outcome = run::judge(&case, &harness, drained);
    let verdict = &outcome.verdict;
    println!("{:?}, {} s", outcome.tally, outcome.lasted.0 / 1_000_000);
    println!("{} of {} far from trouble as planned", verdict.far_sorted, verdict.far);
    println!("{:?} {:?}", outcome.classes, outcome.reasons);
    assert_eq!(outcome.faults(), Vec::<String>::new(), "seed {seed}");
    assert!(verdict.far_sorted * 1_000 >= verdict.far * FAR_PERMILLE, "seed {seed}");
    assert!(
        !outcome.reasons.contains_key("arm_late"),
        "seed {seed}: a hold costs no parcel its chute"
    );
}

#[test]
fn people_at_the_infeed() {
    shift(8, "people", 1_200);
}

#[test]
fn a_feed_that_never_ends_with_holds_for_the_end_chute() {
    shift(7, "saturated", 600);
}
