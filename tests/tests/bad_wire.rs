//! The whole line over a bad cable: nothing wrong, nothing lost, and most parcels where they belong.

use line_model::packml::State;
use line_model::signal::Command;
use line_sim::bridge::{Class, Faults};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::summary;
use units::Micros;

/// People bring a line that stopped or was held back to work: nothing restarts by itself.
fn start_again(harness: &mut Harness) {
    let state = harness.engine().map(|engine| engine.line().memory().machine.mode.state());
    match state {
        Some(State::Aborted) => harness.command(Command::Clear),
        Some(State::Held) => harness.command(Command::Start),
        Some(State::Execute) | None => {}
        Some(_) => harness.please_start(),
    }
}

/// Sorts `parcels` over buses with these faults and demands that nothing is wrong or lost.
fn check(faults: Faults, parcels: u64, seed: u64) -> (summary::Summary, Harness) {
    println!("seed {seed}, {parcels} parcels");
    let inputs = Inputs { faults, ..Inputs::demo(parcels, seed) };
    let mut harness = Harness::new(&inputs).expect("set up");
    let mut drained = false;
    while !drained && harness.now() < Micros::from_secs(3_600) {
        let until = harness.now().plus(Micros::from_secs(5));
        drained = harness.run_until(until, Harness::drained);
        start_again(&mut harness);
    }
    let summary::Report { summary, finding } = summary::report(&harness, &inputs);
    for (class, times) in harness.world.tally().all().filter(|(_, times)| *times > 0) {
        println!("{times:>9}  {}", class.name());
    }
    println!("{summary:?}");
    assert!(drained, "drains");
    assert!(summary.ties, "{summary:?}");
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.wrong_unreported, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
    assert_eq!(finding.lost, Vec::<String>::new());
    (summary, harness)
}

#[test]
fn a_bad_cable_misleads_no_parcel() {
    let (summary, harness) = check(Faults::BAD_RS485, 300, 4);
    assert_eq!(summary.inducted, 300);
    let tally = harness.world.tally();
    for class in [Class::BitErrors, Class::Bursts, Class::LostAnswers, Class::Noise, Class::Split] {
        assert!(tally.of(class) > 0, "{}", class.name());
    }
}

#[test]
fn unplugged_ports_mislead_no_parcel() {
    let faults =
        Faults::parse("bad-rs485,unplugs=500,unplug_ms=200..900,resets=400").expect("fits");
    let (_, harness) = check(faults, 100, 5);
    let tally = harness.world.tally();
    assert!(tally.of(Class::Unplugs) > 0 && tally.of(Class::Resets) > 0, "both kinds of port went");
}
