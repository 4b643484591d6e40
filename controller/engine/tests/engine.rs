//! Engines against real node machines: order of truth, restart, stall, quarantine, replay.

mod bench;

use bench::Bench;
use line_engine::chain::Head;
use line_engine::{Engine, Start, Wake, record, snapshot};
use line_model::decision::Decision;
use line_model::ids::EyeId;
use line_model::packml::State;
use line_model::signal::{Command, Input};
use registers::points::zone;
use std::panic::{AssertUnwindSafe, catch_unwind};
use units::Micros;

fn drive(bench: &Bench) -> u32 {
    bench.plant.places[0].outputs.get(&zone::DRIVE).copied().unwrap_or(0)
}

fn command(bench: &mut Bench, command: Command) {
    bench.wake(Wake::Command { command, by: "test".into(), reason: String::new() });
}

fn sorted(parcels: usize) -> Bench {
    let mut bench = Bench::running();
    for _ in 0..parcels {
        bench.induct();
        bench.run(2_000);
    }
    bench.run(9_000);
    bench
}

#[test]
fn parcels_are_sorted_and_the_journal_replays_to_the_same_line() {
    let bench = sorted(3);
    let view = bench.engine.view(bench.plant.now);
    assert!(view.line.tally.ties());
    assert_eq!(view.line.tally.landed_planned, 3, "{:#?}", view.line.tally);
    assert_eq!(&bench.replay(), bench.engine.line());
    let numbers: Vec<u64> = bench.journal.iter().map(|record| record.number).collect();
    assert!(numbers.iter().zip(1..).all(|(number, expected)| *number == expected));
    let memory = snapshot::decode(&bench.engine.snapshot());
    assert_eq!(memory.as_ref(), Ok(bench.engine.line().memory()));
}

#[test]
fn the_same_run_gives_the_same_chain() {
    let chain = |bench: &Bench| {
        let mut head = Head::START;
        bench.journal.iter().for_each(|record| head.extend(&record.bytes));
        head.hex()
    };
    let (one, two, other) = (sorted(1), sorted(1), sorted(2));
    assert_eq!(chain(&one), chain(&two));
    assert_ne!(chain(&one), chain(&other));
}

#[test]
fn belts_start_only_after_the_record_and_stop_without_one() {
    let mut bench = Bench::running();
    assert_eq!(drive(&bench), 1_200);
    bench.commit = None;
    let written = bench.journal.len();
    command(&mut bench, Command::Stop);
    bench.run(60);
    assert_eq!(drive(&bench), 0);
    assert_eq!(bench.journal.len(), written);
}

#[test]
fn a_hanging_disk_stalls_the_line_and_a_working_one_resumes_it() {
    let mut bench = Bench::running();
    bench.commit = None;
    bench.induct();
    bench.run(3_000);
    assert!(bench.engine.line().memory().stalled);
    assert!(bench.engine.view(bench.plant.now).line.induction_paused);
    // The node still has what the disk does not.
    assert!(!bench.inputs().iter().any(|input| matches!(input, Input::Edge { .. })));
    let mut hanging = bench;
    hanging.commit = Some(Micros::ZERO);
    hanging.flush();
    hanging.run(100);
    assert!(!hanging.engine.line().memory().stalled);
    let inputs = hanging.inputs();
    let stalled = inputs.iter().filter(|input| **input == Input::CommitsStalled).count();
    let resumed = inputs.iter().filter(|input| **input == Input::CommitsResumed).count();
    assert_eq!((stalled, resumed), (1, 1));
}

#[test]
fn parcels_in_flight_go_on_after_a_short_absence() {
    for at in [300, 900, 1_400, 2_500, 2_900, 3_100] {
        let mut bench = Bench::running();
        bench.induct();
        bench.run(at);
        bench.restart(400);
        bench.run(9_000);
        let view = bench.engine.view(bench.plant.now);
        assert_eq!(view.line.state, State::Execute, "restart after {at} ms");
        let tally = view.line.tally;
        assert!(tally.ties());
        assert_eq!(tally.inducted, 1, "{at}: {tally:?}");
        let end: u64 = tally.end_landed.values().sum();
        assert_eq!(tally.landed_planned + end, 1, "{at}: {tally:?}");
        assert_eq!(&bench.replay(), bench.engine.line());
    }
}

#[test]
fn a_long_absence_stops_the_line() {
    let mut bench = Bench::running();
    bench.restart(4_000);
    bench.run(2_000);
    assert_eq!(bench.state(), State::Stopped);
    assert_eq!(drive(&bench), 0);
}

fn panics_at_the_tunnel(input: &Input, _decisions: &mut Vec<Decision>) {
    assert!(
        !matches!(input, Input::Edge { eye: EyeId(1), active: true, .. }),
        "injected: {input:?}"
    );
}

#[test]
fn an_input_that_panics_is_named_set_aside_and_never_comes_again() {
    let mut bench = Bench::running();
    bench.engine.tamper(panics_at_the_tunnel);
    bench.induct();
    let unwound = catch_unwind(AssertUnwindSafe(|| bench.run(3_000)));
    assert!(unwound.is_err());
    let guilty = bench.engine.handling().cloned().expect("the input in the line");
    assert!(matches!(guilty, Input::Edge { eye: EyeId(1), active: true, .. }));
    bench.restart(20);
    bench.engine.tamper(panics_at_the_tunnel);
    bench.engine.set_aside(guilty);
    bench.run(3_000);
    assert_eq!(bench.engine.handling(), None);
    let inputs = bench.inputs();
    assert_eq!(inputs.iter().filter(|input| **input == Input::Quarantined).count(), 1);
    assert_eq!(bench.engine.line().memory().counters.quarantined, 1);
}

#[test]
fn tampered_decisions_are_what_is_recorded() {
    fn drops_questions(_input: &Input, decisions: &mut Vec<Decision>) {
        decisions.retain(|decision| !matches!(decision, Decision::AskRoute { .. }));
    }
    let mut bench = Bench::running();
    bench.engine.tamper(drops_questions);
    bench.induct();
    bench.run(3_000);
    let asks = |bytes: &[u8]| {
        let decoded = record::decode(bytes).expect("ours");
        decoded.decisions.iter().any(|found| matches!(found, Decision::AskRoute { .. }))
    };
    assert!(bench.inputs().iter().any(|input| matches!(input, Input::Read { .. })));
    assert!(!bench.journal.iter().any(|record| asks(&record.bytes)));
}

#[test]
fn truncated_and_altered_bytes_are_faults_and_never_a_panic() {
    let bench = sorted(1);
    for found in bench.journal.iter().step_by(7) {
        for len in 0..found.bytes.len() {
            assert!(record::decode(&found.bytes[..len]).is_err());
        }
        // The first byte is the version: older forms of what has not changed mean the same.
        for at in 1..found.bytes.len() {
            let mut bytes = found.bytes.clone();
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                if let Ok(decoded) = record::decode(&bytes) {
                    assert_ne!(Ok(decoded), record::decode(&found.bytes));
                }
                bytes[at] ^= 1 << bit;
            }
        }
    }
    let bytes = bench.engine.snapshot();
    for len in 0..bytes.len() {
        assert!(snapshot::decode(&bytes[..len]).is_err());
    }
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] = !altered[at];
        assert_ne!(snapshot::decode(&altered), snapshot::decode(&bytes));
    }
}

#[test]
fn a_clone_goes_on_identically() {
    let mut bench = Bench::running();
    bench.induct();
    bench.run(1_000);
    let (mut one, mut two) = (bench.engine.clone(), bench.engine.clone());
    for engine in [&mut one, &mut two] {
        let mut out = line_engine::Effects::default();
        let now = bench.plant.now;
        engine.handle(
            now,
            Wake::Command { command: Command::Stop, by: "x".into(), reason: String::new() },
            &mut out,
        );
        assert!(!out.records.is_empty());
    }
    assert_eq!(one.snapshot(), two.snapshot());
}

#[test]
fn an_engine_resumed_at_once_remembers_everything_but_the_gap() {
    let bench = sorted(1);
    let memory = bench.engine.line().memory().clone();
    let start = Start::Resume {
        memory: memory.clone(),
        marks: vec![],
        next_record: 100,
        away: Micros::from_millis(1),
    };
    let mut engine = Engine::new(bench::setup(), 1, start);
    assert_eq!(engine.line().memory(), &memory);
    let mut out = line_engine::Effects::default();
    engine.handle(Micros::ZERO, Wake::Timer, &mut out);
    let first = record::decode(&out.records[0].bytes).expect("ours");
    assert_eq!(first.number, 100);
    assert_eq!(first.input, Input::Resumed { gap: Micros::from_millis(1) });
    // Time never runs back over a restart.
    assert!(first.at >= memory.now);
}
