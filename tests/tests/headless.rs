//! Whole runs on virtual time: the outcome equation, the oracle, throughput, determinism.

use line_model::decision::Decision;
use line_model::ids::Side;
use line_model::signal::Input;
use std::process::Command;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::process::Binaries;
use system_tests::summary::{self, Report};
use units::Micros;

/// The one command that repeats a run.
fn repeat(inputs: &Inputs) -> String {
    format!(
        "cargo demo -- --headless --parcels {} --seed {} --line {}",
        inputs.parcels.unwrap_or_default(),
        inputs.seed,
        inputs.line.display()
    )
}

fn run(inputs: &Inputs) -> Report {
    println!("seed {}; repeat: {}", inputs.seed, repeat(inputs));
    summary::run(inputs).expect("the example files are right")
}

fn check(inputs: &Inputs, per_hour: u64) {
    let Report { summary, finding } = run(inputs);
    println!("{}", serde_json::to_string(&summary).expect("figures"));
    assert!(summary.ties, "the outcome equation holds");
    assert_eq!(summary.inducted, inputs.parcels.expect("a number"));
    assert_eq!(summary.inducted, summary.plant_parcels);
    assert_eq!(summary.on_line, 0, "drained");
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.wrong_unreported, Vec::<String>::new());
    assert_eq!(finding.wrong_mechanical, Vec::<String>::new());
    assert_eq!(finding.lost, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
    assert_eq!((summary.lost, summary.removed), (0, 0));
    // Two landings can merge into one pulse that is no longer than one parcel's: then the second
    // stays open until a person looks, which is the truth.
    assert!(summary.unconfirmed * 200 <= summary.inducted, "{} open", summary.unconfirmed);
    let share = summary.landed_planned * 1_000 / summary.sortable;
    assert!(share >= 970, "{share} per mille of readable, routable parcels landed as planned");
    assert!(summary.parcels_per_hour >= per_hour, "{} an hour", summary.parcels_per_hour);
    let limit = summary.geometric_limit_per_hour;
    assert!(summary.parcels_per_hour * 100 >= limit * 98, "of the geometric limit {limit}");
    let conflicts = summary.end_landed.get("gap_too_small").copied().unwrap_or_default();
    assert!(conflicts * 100 <= summary.inducted, "{conflicts} too close to be sorted");
}

#[test]
fn five_thousand_parcels_on_the_demo_line() {
    check(&Inputs::demo(5_000, 7), 3_300);
}

#[test]
fn two_thousand_parcels_on_the_fast_line() {
    check(&Inputs::fast(2_000, 7), 4_500);
}

#[test]
fn people_at_the_induction_leave_gaps_and_bursts() {
    let mut inputs = Inputs::demo(400, 11);
    inputs.feed = "people".to_owned();
    let Report { summary, finding } = run(&inputs);
    assert!(summary.ties && summary.on_line == 0 && summary.inducted == 400);
    assert_eq!(finding.wrong_by_decision.len() + finding.wrong_unreported.len(), 0);
    assert_eq!(finding.lost.len() + finding.doubled.len(), 0);
    assert!(summary.sorted * 1_000 / summary.sortable >= 970);
}

fn swap_side(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(arm) = decision {
            arm.side = match arm.side {
                Side::Left => Side::Right,
                Side::Right => Side::Left,
            };
        }
    }
}

fn shift_window(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(arm) = decision {
            // One pitch later: the window of the parcel behind.
            let pitch = units::Distance(1_225);
            (arm.from, arm.to) = (arm.from.plus(pitch), arm.to.plus(pitch));
        }
    }
}

fn land_early(_: &Input, decisions: &mut Vec<Decision>) {
    use line_model::decision::ParcelEvent;
    for decision in decisions {
        if let Decision::Parcel { event, .. } = decision
            && let ParcelEvent::Assigned { chute, .. } = event
        {
            *event = ParcelEvent::Landed { chute: *chute, alternate: false };
        }
    }
}

#[test]
fn the_oracle_catches_every_saboteur() {
    let inputs = Inputs::demo(60, 3);
    let saboteurs: [(&str, system_tests::harness::Tamper); 3] = [
        ("swapped chute", swap_side),
        ("shifted window", shift_window),
        ("landed early", land_early),
    ];
    for (name, saboteur) in saboteurs {
        let mut harness = Harness::new(&inputs).expect("set up");
        harness.tamper(saboteur);
        harness.run_until(Micros::from_secs(240), Harness::drained);
        let finding = summary::report(&harness, &inputs).finding;
        let caught = finding.wrong_by_decision.len()
            + finding.wrong_unreported.len()
            + finding.wrong_mechanical.len()
            + finding.doubled.len();
        assert!(caught > 0, "{name} went unnoticed");
    }
}

#[test]
fn an_honest_run_of_the_same_seed_shows_nothing() {
    let Report { finding, .. } = run(&Inputs::demo(60, 3));
    let found = finding.wrong_by_decision.len()
        + finding.wrong_unreported.len()
        + finding.wrong_mechanical.len()
        + finding.doubled.len()
        + finding.lost.len();
    assert_eq!(found, 0, "{finding:?}");
}

/// The last line of a headless run in another process, as JSON.
fn in_process(binaries: &Binaries, seed: u64, dir: &str, zone: &str, locale: &str) -> String {
    let inputs = Inputs::demo(200, seed);
    let out = Command::new(&binaries.demo)
        .args(["--headless", "--parcels", "200", "--seed", &seed.to_string()])
        .arg("--line")
        .arg(&inputs.line)
        .current_dir(dir)
        .env("TZ", zone)
        .env("LC_ALL", locale)
        .env("LANG", locale)
        .output()
        .expect("demo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    last["journal_hash"].as_str().expect("a hash").to_owned()
}

#[test]
fn the_same_seed_gives_the_same_journal_in_another_process() {
    let binaries = Binaries::build().expect("builds");
    let here = in_process(&binaries, 7, "/", "UTC", "C");
    let there = in_process(&binaries, 7, "/tmp", "Asia/Shanghai", "zh_CN.UTF-8");
    assert_eq!(here, there);
    let other = in_process(&binaries, 8, "/tmp", "UTC", "C");
    assert_ne!(here, other);
}

#[test]
fn replay_gives_the_same_decisions() {
    let inputs = Inputs::demo(150, 21);
    let mut harness = Harness::new(&inputs).expect("set up");
    assert!(harness.run_until(Micros::from_secs(600), Harness::drained), "drains");
    let recovered = summary::recover(&harness.fixed, None, &harness.disk.records).expect("replays");
    assert_eq!(&recovered.memory, harness.engine().expect("alive").line().memory());
    // A changed decision is found: the same records against another line.
    let mut records = harness.disk.records.clone();
    let middle = records.len() / 2;
    records.remove(middle);
    assert!(summary::recover(&harness.fixed, None, &records).is_err(), "a missing record shows");
}
