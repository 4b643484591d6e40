//! What fails around the line: disk, model, controller; on virtual time.

use line_model::decision::Decision;
use line_model::packml::State;
use line_model::signal::{Command, DownReason, Input};
use line_model::view::Unmet;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::{replays, summary};
use units::Micros;

fn running(parcels: u64, seed: u64) -> (Inputs, Harness) {
    let inputs = Inputs::demo(parcels, seed);
    let mut harness = Harness::new(&inputs).expect("set up");
    let limit = Micros::from_secs(60);
    assert!(harness.run_until(limit, |h| inducted(h) >= 10), "parcels flow");
    (inputs, harness)
}

fn inducted(harness: &Harness) -> u64 {
    harness.engine().map_or(0, |engine| engine.line().memory().tally.inducted)
}

fn state(harness: &Harness) -> State {
    harness.engine().expect("alive").line().memory().machine.mode.state()
}

fn later(harness: &mut Harness, seconds: u64) {
    let until = harness.now().plus(Micros::from_secs(seconds));
    harness.run_until(until, |_| false);
}

/// Runs to the end and demands that nothing is wrong, lost or doubled.
fn drain_and_judge(inputs: &Inputs, harness: &mut Harness) -> summary::Summary {
    let limit = harness.now().plus(Micros::from_secs(1_200));
    assert!(harness.run_until(limit, Harness::drained), "drains");
    let summary::Report { summary, finding } = summary::report(harness, inputs);
    assert!(summary.ties, "{summary:?}");
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.wrong_unreported, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
    assert_eq!(finding.lost, Vec::<String>::new());
    replays::run(harness, 500);
    summary
}

#[test]
fn a_stopped_disk_pauses_induction_and_lets_stops_out() {
    let (inputs, mut harness) = running(80, 5);
    harness.disk.stall(harness.now(), true);
    later(&mut harness, 3);
    assert!(harness.view().line.induction_paused, "induction pauses");
    let before = inducted(&harness);
    later(&mut harness, 10);
    assert!(inducted(&harness) <= before + 1, "nothing more is inducted");
    harness.command(Command::Stop);
    later(&mut harness, 8);
    assert_eq!(state(&harness), State::Stopped);
    assert!(harness.belts_rest(), "the stop went out although nothing is durable");
    harness.disk.stall(harness.now(), false);
    later(&mut harness, 2);
    harness.please_start();
    let summary = drain_and_judge(&inputs, &mut harness);
    assert_eq!(summary.inducted, 80);
}

#[test]
fn stop_and_start_in_the_middle_loses_nothing() {
    let (inputs, mut harness) = running(60, 9);
    harness.command(Command::Stop);
    later(&mut harness, 10);
    assert_eq!(state(&harness), State::Stopped);
    assert!(harness.belts_rest());
    later(&mut harness, 5);
    harness.please_start();
    drain_and_judge(&inputs, &mut harness);
}

#[test]
fn an_emergency_stop_needs_clear_reset_and_start() {
    let (inputs, mut harness) = running(60, 13);
    harness.world.estop(1, true);
    later(&mut harness, 5);
    assert_eq!(state(&harness), State::Aborted);
    assert!(harness.belts_rest());
    harness.command(Command::Start);
    harness.command(Command::Clear);
    later(&mut harness, 2);
    assert_eq!(state(&harness), State::Aborted, "the contact is still open");
    harness.world.estop(1, false);
    later(&mut harness, 2);
    assert_eq!(state(&harness), State::Aborted, "nothing clears by itself");
    harness.command(Command::Clear);
    later(&mut harness, 5);
    assert_eq!(state(&harness), State::Stopped);
    harness.please_start();
    drain_and_judge(&inputs, &mut harness);
}

#[test]
fn a_killed_controller_comes_back_within_the_lease_and_goes_on() {
    let (inputs, mut harness) = running(120, 17);
    for round in 0..6 {
        later(&mut harness, 7);
        harness.kill();
        let away = Micros::from_millis(300 + 200 * round);
        let until = harness.now().plus(away);
        harness.run_until(until, |_| false);
        harness.restart();
        assert_eq!(state(&harness), State::Execute, "round {round}: within the lease it goes on");
    }
    drain_and_judge(&inputs, &mut harness);
}

#[test]
fn away_for_longer_than_the_lease_means_stopped() {
    let (inputs, mut harness) = running(60, 19);
    harness.kill();
    let until = harness.now().plus(Micros::from_secs(12));
    harness.run_until(until, |_| false);
    assert!(harness.belts_rest(), "the nodes stopped by themselves");
    harness.restart();
    later(&mut harness, 3);
    assert_eq!(state(&harness), State::Stopped);
    harness.please_start();
    drain_and_judge(&inputs, &mut harness);
}

fn panic_on_long_reads(input: &Input, _: &mut Vec<Decision>) {
    if let Input::Read { at, .. } = input {
        assert!(at.at % 7 != 0, "injected");
    }
}

#[test]
fn a_panic_is_retried_once_then_set_aside() {
    let inputs = Inputs::demo(60, 23);
    let mut harness = Harness::new(&inputs).expect("set up");
    harness.tamper(panic_on_long_reads);
    let limit = Micros::from_secs(400);
    assert!(harness.run_until(limit, Harness::drained), "no crash loop: the line drains");
    let counts = harness.guard_counts();
    assert!(counts.set_aside > 0, "the injected panic came");
    assert_eq!(counts.panics, counts.set_aside * 2, "each was tried twice");
    let decisions = summary::decisions(&harness.disk.records);
    let alarmed = decisions.iter().any(|d| {
        matches!(
            d,
            Decision::Alarm { alarm: line_model::alarm::Alarm::InputQuarantined, raised: true }
        )
    });
    assert!(alarmed, "an alarm names it");
    let summary::Report { summary, finding } = summary::report(&harness, &inputs);
    assert!(summary.ties);
    assert_eq!(finding.wrong_by_decision.len() + finding.wrong_unreported.len(), 0, "{finding:?}");
}

/// The scanner's identity (FC 03 of ten words over MBAP) tells another map version.
fn another_map_version(bus: usize, frame: &mut [u8]) {
    const PDU: usize = 7;
    if bus == 1 && frame.get(PDU..PDU + 2) == Some(&[0x03, 20]) {
        frame[PDU + 5] = 9;
    }
}

#[test]
fn a_node_with_another_map_version_keeps_the_line_from_starting() {
    let inputs = Inputs::demo(20, 29);
    let mut harness = Harness::new(&inputs).expect("set up");
    harness.tap(another_map_version);
    later(&mut harness, 20);
    assert_eq!(state(&harness), State::Stopped);
    let view = harness.view();
    let scanner = view.buses[1].stations[0];
    let (wrong, unmet) = (Unmet::NodeDown(scanner.node), view.line.unmet);
    assert!(unmet.contains(&wrong), "the line says what it waits for: {unmet:?}");
    let why = format!("{:?} {:?}", scanner.state, scanner.why);
    assert!(why.contains("WrongMap"), "the bus says why: {why}");
    let told = harness.disk.records.iter().any(|bytes| {
        let input = line_engine::record::decode(bytes).expect("our own record").input;
        matches!(input, Input::NodeDown { why: DownReason::WrongMap { found: 9 }, .. })
    });
    assert!(told, "the journal names the version found");
    harness.command(Command::Reset);
    later(&mut harness, 2);
    assert_eq!(state(&harness), State::Stopped, "refused");
}
