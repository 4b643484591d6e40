//! Nothing outside a record influences a decision: everything replays, and what was changed is found.

use line_engine::record::{self, Decoded};
use line_model::decision::Decision;
use line_model::signal::{Command, Input};
use sortline::replay::{self, Beginning, ReplayFault};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::replays;
use units::Micros;

fn drained(inputs: &Inputs) -> Harness {
    let mut harness = Harness::new(inputs).expect("set up");
    assert!(harness.run_until(Micros::from_secs(1_800), Harness::drained), "drains");
    harness
}

fn later(harness: &mut Harness, seconds: u64) {
    let until = harness.now().plus(Micros::from_secs(seconds));
    harness.run_until(until, |_| false);
}

#[test]
fn the_demo_line_replays_from_nothing_and_from_every_snapshot() {
    replays::run(&drained(&Inputs::demo(150, 41)), 100);
}

#[test]
fn the_fast_line_replays_from_nothing_and_from_every_snapshot() {
    replays::run(&drained(&Inputs::fast(150, 42)), 100);
}

#[test]
fn a_faulty_bus_leaves_nothing_out_of_the_records() {
    let mut inputs = Inputs::demo(120, 43);
    inputs.faults.late = 20_000;
    inputs.faults.lost_requests = 10_000;
    inputs.faults.lost_answers = 10_000;
    inputs.faults.corrupt_answers = 10_000;
    inputs.faults.reboots = 200;
    replays::run(&drained(&inputs), 150);
}

fn panic_on_two_routes(input: &Input, _: &mut Vec<Decision>) {
    if let Input::Route { parcel, .. } = input {
        assert!(parcel.0 != 22 && parcel.0 != 39, "injected");
    }
}

#[test]
fn kills_stalls_commands_and_quarantined_inputs_replay() {
    let mut harness = Harness::new(&Inputs::demo(120, 44)).expect("set up");
    harness.tamper(panic_on_two_routes);
    later(&mut harness, 30);
    harness.disk.stall(harness.now(), true);
    later(&mut harness, 2);
    harness.disk.stall(harness.now(), false);
    later(&mut harness, 20);
    harness.kill();
    later(&mut harness, 1);
    harness.restart();
    later(&mut harness, 20);
    harness.command(Command::Hold);
    later(&mut harness, 3);
    harness.kill();
    later(&mut harness, 20);
    harness.restart();
    // What held or stopped the line before is worked off by people, as often as it takes.
    for _ in 0..12 {
        harness.please_start();
        later(&mut harness, 8);
        harness.command(Command::Start);
    }
    let inputs: Vec<Input> = harness
        .disk
        .records
        .iter()
        .map(|bytes| record::decode(bytes).expect("our own record").input)
        .collect();
    for wanted in ["Quarantined", "CommitsStalled", "Resumed", "Command"] {
        let there = inputs.iter().any(|input| format!("{input:?}").starts_with(wanted));
        assert!(there, "{wanted} happened");
    }
    replays::run(&harness, 60);
}

#[test]
fn a_changed_byte_of_a_decision_is_found_and_named() {
    let harness = drained(&Inputs::demo(40, 45));
    let layout = &harness.fixed.line.engine.layout;
    let assigned = |decision: &Decision| matches!(decision, Decision::Arm(_));
    let victim = harness
        .disk
        .records
        .iter()
        .position(|bytes| record::decode(bytes).expect("ours").decisions.iter().any(assigned))
        .expect("something was armed");
    let mut records = harness.disk.records.clone();
    // The last byte of the record stands in its last decision.
    *records[victim].last_mut().expect("not empty") ^= 1;
    let Decoded { number, at, .. } = record::decode(&records[victim]).expect("still a record");
    match replay::verify(layout, Beginning::NOTHING, &records) {
        Err(ReplayFault::Different(found)) => {
            assert_eq!((found.number, found.at), (number, at));
            assert_ne!(found.recorded, found.now);
            let told = found.to_string();
            assert!(told.contains(&format!("record {number} ")), "{told}");
        }
        other => panic!("record {number} was changed: {other:?}"),
    }
}

fn fire_late(_: &Input, decisions: &mut Vec<Decision>) {
    for decision in decisions {
        if let Decision::Arm(plan) = decision {
            plan.delay.0 += 1;
        }
    }
}

#[test]
fn a_tampered_model_is_found_at_its_first_other_decision() {
    let mut harness = Harness::new(&Inputs::demo(20, 46)).expect("set up");
    harness.tamper(fire_late);
    later(&mut harness, 60);
    let layout = &harness.fixed.line.engine.layout;
    let armed = |bytes: &&Vec<u8>| {
        let decisions = record::decode(bytes).expect("ours").decisions;
        decisions.iter().any(|decision| matches!(decision, Decision::Arm(_)))
    };
    let first = replays::number(harness.disk.records.iter().find(armed).expect("armed"));
    match replay::verify(layout, Beginning::NOTHING, &harness.disk.records) {
        Err(ReplayFault::Different(found)) => assert_eq!(found.number, first),
        other => panic!("the model was tampered with: {other:?}"),
    }
    // The replay that goes along with every run on virtual time has found the same one.
    assert_eq!(harness.disk.different().map(|found| found.number), Some(first));
}

#[test]
fn a_missing_record_is_named() {
    let harness = drained(&Inputs::demo(10, 47));
    let mut records = harness.disk.records.clone();
    let gone = records.len() / 2;
    let number = replays::number(&records.remove(gone));
    let found = replay::verify(&harness.fixed.line.engine.layout, Beginning::NOTHING, &records);
    assert_eq!(found, Err(ReplayFault::Gap { expected: number, found: number + 1 }));
}
