//! Lines as data: generated lines of 1, 2, 12 and 64 chutes pass the check and sort a shift.

use std::path::Path;
use system_tests::layouts::generated;
use system_tests::summary::{self, Report};

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
