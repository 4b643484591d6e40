//! The line as a machine on virtual time: running empty, jams, sleep and wake, a full end chute, jog.

use line_model::alarm::Alarm;
use line_model::decision::{Decision, Light};
use line_model::ids::{EyeId, ZoneId};
use line_model::packml::{State, UnitMode};
use line_model::signal::Command;
use line_model::view::Unmet;
use line_sim::scenario::{Entry, Event};
use line_sim::truth::Place;
use system_tests::inputs::{Case, Inputs};
use system_tests::stage::{self, Stage};
use units::{Distance, Micros};

/// The end eye, behind induction, tunnel exit and six arrival eyes. No later eye can tell that
/// parcels pass it, so that one that stays blocked is a jam and no broken eye.
const END: EyeId = EyeId(8);
/// The sorter belt.
const SORTER: ZoneId = ZoneId(2);

fn clean(parcels: u64, seed: u64, events: Vec<Entry>, change: impl FnOnce(&mut Case)) -> Stage {
    let mut inputs = Inputs::demo(parcels, seed);
    inputs.profile = "clean".to_owned();
    inputs.events = events;
    println!("seed {seed}");
    Stage::of(inputs, change).expect("set up")
}

fn on_the_sorter_belt(stage: &Stage) -> usize {
    let parcels = stage.harness.world.truth().parcels.iter();
    let there = |place: &Place| matches!(place, Place::OnLine | Place::Sliding(_));
    parcels.filter(|parcel| parcel.inducted_at.is_some() && there(&parcel.place)).count()
}

#[test]
fn running_empty_proves_the_line_empty_and_stops_it() {
    let mut stage = clean(60, 7, vec![], |_| {});
    stage.flow(20);
    stage.harness.command(Command::Complete);
    stage.wait_for(State::Completing, 2);
    stage.wait_for(State::Completed, 120);
    let line = stage.harness.view().line;
    assert_eq!(line.tally.on_line, 0, "{:?}", line.tally);
    assert!(line.tally.inducted < 60, "the infeed closed: {:?}", line.tally);
    assert_eq!(on_the_sorter_belt(&stage), 0, "the plant's belt is empty");
    stage.wait("belts rest", 10, |harness| harness.belts_rest());
    stage.later(20);
    assert_eq!(stage.state(), State::Completed, "it does not start by itself");
    stage.harness.command(Command::Start);
    assert_eq!(stage.state(), State::Completed, "a reset comes first");
    stage.harness.command(Command::Reset);
    stage.harness.please_start();
    let summary = stage.drain_and_judge();
    assert_eq!(summary.inducted, 60);
    assert_eq!(stage.raised(Alarm::NotEmpty), []);
}

#[test]
fn a_blocked_eye_stops_the_line_until_it_is_clear_and_somebody_starts_it() {
    let blocked = Event::EyeBlocked { eye: "end".to_owned(), for_ms: Some(40_000) };
    let mut stage = clean(60, 7, vec![Entry::at(35_000, blocked)], |_| {});
    stage.flow(10);
    stage.wait_for(State::Held, 60);
    stage.wait("belts rest", 5, |harness| harness.belts_rest());
    let line = stage.harness.view().line;
    assert!(line.alarms.contains(&Alarm::Jam(END)), "{:?}", line.alarms);
    assert_eq!(line.unmet, [Unmet::EyeBlocked(END)]);
    stage.harness.command(Command::Start);
    assert_eq!(stage.state(), State::Held, "refused while the eye is blocked");
    stage.wait("the eye is clear", 60, |harness| harness.view().line.unmet.is_empty());
    stage.later(10);
    assert_eq!(stage.state(), State::Held, "it does not go on by itself");
    stage.harness.please_keep_running();
    let summary = stage.drain_and_judge();
    assert_eq!(summary.inducted, 60);
    assert_eq!(stage.raised(Alarm::Jam(END)).len(), 1);
}

#[test]
fn a_line_that_nothing_comes_to_sleeps_and_wakes_with_a_warning() {
    let mut inputs = Inputs::demo(80, 11);
    inputs.feed = "people".to_owned();
    println!("seed {}", inputs.seed);
    let mut stage = Stage::of(inputs, |case| {
        let sleeps = case.line.replace("# sleep_s = 600 ", "sleep_s = 15 ");
        assert_ne!(sleeps, case.line, "the example shows the key");
        case.line = sleeps;
    })
    .expect("set up");
    let summary = stage.drain_and_judge();
    assert_eq!(summary.inducted, 80);
    let decisions = stage.decisions();
    let entered = |state: State| {
        let told = decisions
            .iter()
            .filter(move |(_, one)| matches!(one, Decision::State { to, .. } if *to == state));
        told.map(|(at, _)| *at).collect::<Vec<Micros>>()
    };
    let (slept, woke) = (entered(State::Suspended), entered(State::Unsuspending));
    assert!(!slept.is_empty() && !woke.is_empty(), "slept {slept:?}, woke {woke:?}");
    let prestart = stage.harness.fixed.line.engine.layout.limits.prestart;
    for at in woke {
        let warned = decisions.iter().any(|(then, one)| {
            *then == at && *one == Decision::Light { light: Light::Horn, on: true }
        });
        assert!(warned, "the horn at {at:?}");
        let started = decisions.iter().find(|(then, one)| {
            *then >= at && matches!(one, Decision::Drive { zone: SORTER, run: true, .. })
        });
        let (started, _) = started.expect("the belt starts");
        assert!(started.since(at) >= prestart, "warned at {at:?}, started at {started:?}");
    }
}

#[test]
fn a_full_end_chute_stops_induction_and_then_the_belt() {
    let full = Event::EndFull { for_ms: Some(60_000) };
    let mut stage = clean(80, 7, vec![Entry::at(40_000, full)], |case| {
        // Every third parcel has a label that no manifest knows: it goes to the end.
        stage::profile(case, "strangers_permille", 300);
    });
    stage.wait("the end is full", 60, |harness| {
        harness.view().line.alarms.contains(&Alarm::EndFull)
    });
    let ended = |stage: &Stage| {
        let parcels = stage.harness.world.truth().parcels.iter();
        parcels.filter(|parcel| parcel.place == Place::End).count()
    };
    let (at, before) = (stage.harness.now(), ended(&stage));
    let line = stage.harness.view().line;
    assert!(line.induction_paused || line.state == State::Holding, "induction stops at once");
    stage.wait_for(State::Held, 40);
    stage.wait("belts rest", 5, |harness| harness.belts_rest());
    stage.later(10);
    assert_eq!(ended(&stage), before, "no parcel reached the full end chute");
    assert_eq!(stage.harness.view().line.unmet, [Unmet::EndFull]);
    let closed = Decision::Release { zone: ZoneId(1), gap: Distance(0) };
    let decisions = stage.decisions();
    let first =
        decisions.iter().find(|(then, one)| *then >= at.minus(Micros(1_000)) && *one == closed);
    let (first, _) = first.expect("the release closes");
    assert!(first.since(at) < Micros::from_millis(100), "{first:?} after {at:?}");
    stage.wait("it is emptied", 90, |harness| harness.view().line.unmet.is_empty());
    stage.harness.please_keep_running();
    let summary = stage.drain_and_judge();
    assert_eq!(summary.inducted, 80);
    assert_eq!(stage.raised(Alarm::EndFull).len(), 1);
}

#[test]
fn jog_moves_one_real_belt_while_its_button_speaks_and_then_stops_it() {
    let mut stage = clean(20, 7, vec![], |_| {});
    stage.flow(3);
    stage.harness.command(Command::Stop);
    stage.wait_for(State::Stopped, 10);
    stage.wait("belts rest", 5, |harness| harness.belts_rest());
    stage.harness.command(Command::Jog { zone: Some(SORTER) });
    stage.later(8);
    assert!(stage.harness.belts_rest(), "not in production");
    stage.harness.command(Command::SetMode(UnitMode::Maintenance));
    let mut moved = false;
    for _ in 0..40 {
        stage.harness.command(Command::Jog { zone: Some(SORTER) });
        let until = stage.harness.now().plus(Micros::from_millis(250));
        stage.harness.run_until(until, |_| false);
        moved |= !stage.harness.world.plant().belt(2).rests();
        assert!(stage.harness.world.plant().belt(0).rests(), "one zone alone");
    }
    assert!(moved, "the sorter belt moves");
    // Nobody lets go: the button only falls silent.
    stage.wait("it stops by itself", 5, |harness| harness.belts_rest());
    stage.harness.command(Command::SetMode(UnitMode::Production));
    stage.harness.please_start();
    let summary = stage.drain_and_judge();
    assert_eq!(summary.inducted, 20);
    assert!(summary.end_landed.contains_key("uncertain"), "what was jogged: {summary:?}");
}
