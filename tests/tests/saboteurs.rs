//! What makes the swarm worth something: each saboteur is caught, a known defect shrinks to few
//! parcels, and what no sensor can tell is published.

use line_sim::Scenario;
use line_sim::scenario::{Entry, Event, ReadFault};
use system_tests::swarm::{self, run, saboteurs, shrink};

/// What a reader reads wrong and well-formed no sensor tells: the rates are printed, not judged.
#[test]
fn what_no_sensor_tells_is_published() {
    let (mut parcels, mut misread, mut wrong, mut unreported) = (0, 0, 0, 0);
    for seed in 1..=12 {
        let mut scenario = swarm::draw(seed, 150).scenario;
        let wrongly =
            |parcel| Entry::on(parcel, 50, Event::Read { scanner: 0, result: ReadFault::Wrong });
        scenario.events = (1..15).map(|place| wrongly(place * 10)).collect();
        let outcome = run::run(&scenario, None);
        assert!(outcome.drained && outcome.tally.ties(), "seed {seed}: {:?}", outcome.faults());
        parcels += outcome.parcels;
        misread += outcome.verdict.misread;
        wrong += outcome.verdict.wrong_by_decision.len();
        unreported += outcome.verdict.wrong_unreported.len();
    }
    println!(
        "{parcels} parcels, {misread} read wrong and well-formed: {wrong} decided for a chute that \
         their reading does not allow, {unreported} not where they are told to be"
    );
    assert!(misread > 0);
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
    let mut fails = |smaller: &Scenario| !run::faults(smaller, Some(defect)).is_empty();
    let well = |scenario: &Scenario| run::faults(scenario, None).is_empty();
    // Not every line has a bed whose sides may be taken for each other.
    let mut drawn = (1..=12).map(|seed| swarm::draw(seed, 150));
    let drawn = drawn.find(|drawn| fails(&drawn.scenario) && well(&drawn.scenario));
    let drawn = drawn.expect("a line on which it shows");
    let small = shrink::shrink(&drawn.scenario, &mut fails);
    let diverters = (shrink::diverters(&drawn.scenario), shrink::diverters(&small));
    println!(
        "{name}: {:?} parcels -> {:?}, {} events -> {}, {} diverters -> {}\n{}",
        drawn.scenario.parcels,
        small.parcels,
        drawn.scenario.events.len(),
        small.events.len(),
        diverters.0,
        diverters.1,
        small.print().expect("prints")
    );
    assert!(small.parcels <= Some(8) && small.events.is_empty(), "{small:?}");
    assert!(diverters.1 <= diverters.0);
    assert_eq!(shrink::shrink(&drawn.scenario, &mut fails), small, "the same every time");
}
