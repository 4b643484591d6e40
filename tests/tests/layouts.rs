//! Lines as data: generated lines of 1, 2, 12 and 64 chutes pass the check and sort a shift, and a
//! line that brings parcels back comes to an end with every one of them.

use line_sim::scenario::{Entry, Event};
use std::collections::BTreeMap;
use std::path::Path;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::layouts::generated;
use system_tests::summary::{self, Report};
use units::Micros;

#[test]
fn lines_of_1_2_12_and_64_chutes_sort() {
    for (chutes, parcels) in [(1, 80), (2, 80), (12, 120), (64, 160)] {
        let inputs = generated(Path::new(env!("CARGO_TARGET_TMPDIR")), chutes, 1_600, parcels);
        println!("{chutes} chutes, seed {}: {}", inputs.seed, inputs.line.display());
        let Report { summary, finding } = match summary::run(&inputs) {
            Ok(report) => report,
            Err(fault) => panic!("{chutes} chutes: {fault}"),
        };
        println!("{}", serde_json::to_string(&summary).expect("figures"));
        assert!(summary.ties && summary.on_line == 0 && summary.inducted == parcels);
        let wrong = finding.wrong_by_decision.len() + finding.wrong_unreported.len();
        assert_eq!(
            wrong + finding.wrong_mechanical.len() + finding.doubled.len(),
            0,
            "{finding:?}"
        );
        assert!(summary.sortable > 0 && summary.sorted * 100 >= summary.sortable * 97);
    }
}

/// Laps of `loop-line.toml`.
const LAPS_MAX: u64 = 3;
/// One lap of it at most: 17 m of belts in 16 s, 26.5 s on the return, and a wait at the infeed.
const LAP: Micros = Micros::from_secs(60);

#[test]
fn behind_the_last_fresh_parcel_a_line_with_a_return_is_empty_within_its_laps() {
    let parcels = 200;
    let demo = Inputs::demo(parcels, 11);
    let inputs = Inputs {
        line: demo.line.with_file_name("loop-line.toml"),
        plant: demo.plant.with_file_name("loop-line.plant.toml"),
        // Whoever belongs there comes round until it has had its laps.
        events: vec![Entry::at(12_000, Event::ChuteFull { chute: 6, for_ms: None })],
        ..demo
    };
    let mut harness = Harness::new(&inputs).unwrap_or_else(|fault| panic!("{fault}"));
    let drained = harness.run_until(Micros::from_secs(3_600), Harness::drained);
    let Report { summary, finding } = summary::report(&harness, &inputs);
    println!("{}", serde_json::to_string(&summary).expect("figures"));
    assert!(drained && summary.ties && summary.on_line == 0, "{summary:?}");
    assert_eq!((summary.distinct, summary.plant_parcels), (parcels, summary.inducted));
    assert!(summary.end_landed.is_empty() && !summary.recirculated.is_empty(), "{summary:?}");
    let wrong = finding.wrong_by_decision.len() + finding.wrong_unreported.len();
    assert_eq!(wrong + finding.lost.len() + finding.doubled.len(), 0, "{finding:?}");
    assert!(summary.sorted * 100 >= summary.sortable * 97, "{summary:?}");
    let passes = &harness.world.truth().parcels;
    let mut laps: BTreeMap<u64, u64> = BTreeMap::new();
    for pass in passes {
        let before = pass.lap_of.map_or(0, |of| laps[&of]);
        assert!(before <= LAPS_MAX, "pass {} is lap {}", pass.index, before + 1);
        laps.insert(pass.index, before + 1);
    }
    let fresh = passes.iter().filter(|pass| pass.lap_of.is_none());
    let last_fed = fresh.map(|pass| pass.fed_at).max().expect("parcels");
    let last_landed = passes.iter().filter_map(|pass| pass.landed_at).max().expect("parcels");
    assert!(last_landed.since(last_fed) <= Micros(LAP.0 * (LAPS_MAX + 1)), "{last_landed:?}");
}
