//! Chutes on virtual time: they fill and people empty them, lock them and change their bags; full
//! ones send their parcels elsewhere, with the reason.

use line_model::chute::{ChuteEvent, ChuteState, FullBy, LockedBy};
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::ChuteNo;
use line_model::packml::State;
use line_sim::scenario::{Entry, Event};
use system_tests::inputs::Inputs;
use system_tests::stage::{self, Stage};
use units::Micros;

/// The only chute of its key.
const ALONE: ChuteNo = ChuteNo(9);
/// One of three chutes of the biggest key.
const SHARED: ChuteNo = ChuteNo(3);

fn with_events(parcels: u64, seed: u64, events: Vec<Entry>) -> Stage {
    let mut inputs = Inputs::demo(parcels, seed);
    inputs.profile = "clean".to_owned();
    inputs.events = events;
    println!("seed {seed}");
    Stage::of(inputs, |_| {}).expect("set up")
}

/// The spans in which a chute took nothing for this reason.
fn spans(stage: &Stage, chute: ChuteNo, closed: impl Fn(ChuteState) -> bool) -> Vec<[Micros; 2]> {
    let mut spans: Vec<[Micros; 2]> = Vec::new();
    for (at, decision) in stage.decisions() {
        let Decision::Chute { chute: told, event: ChuteEvent::State { from, to, .. } } = decision
        else {
            continue;
        };
        if told != chute {
            continue;
        }
        match (closed(from), closed(to)) {
            (false, true) => spans.push([at, Micros::MAX]),
            (true, false) => {
                if let Some(last) = spans.last_mut() {
                    last[1] = at;
                }
            }
            (false, false) | (true, true) => {}
        }
    }
    spans
}

/// Parcels that were decided for a chute within a span.
fn decided(stage: &Stage, chute: ChuteNo, [from, to]: [Micros; 2]) -> usize {
    let within = |(at, decision): &(Micros, Decision)| {
        let assigned = matches!(
            decision,
            Decision::Parcel { event: ParcelEvent::Assigned { chute: told, .. }, .. } if *told == chute
        );
        assigned && *at > from && *at < to
    };
    stage.decisions().iter().filter(|decision| within(decision)).count()
}

#[test]
fn chutes_fill_and_people_empty_them_while_the_line_sorts_on() {
    // At the full rate more parcels find their chute closed than the bench can work off.
    let mut inputs = Inputs::demo(500, 5);
    (inputs.feed, inputs.profile) = ("people".to_owned(), "clean".to_owned());
    println!("seed {}", inputs.seed);
    let mut stage = Stage::of(inputs, |case| {
        stage::profile(case, "chutes_fill", true);
        stage::profile(case, "workers", 6);
    })
    .expect("set up");
    stage.harness.please_keep_running();
    let summary = stage.drain_and_judge();
    println!("{}", serde_json::to_string(&summary).expect("figures"));
    assert_eq!(summary.wrong_mechanical, 0);
    let full = |state| matches!(state, ChuteState::Full { by: FullBy::Eye });
    let locked = |state| matches!(state, ChuteState::Locked { by: LockedBy::Button });
    let chutes = || (1..=10).map(ChuteNo);
    let filled: usize = chutes().map(|chute| spans(&stage, chute, full).len()).sum();
    let changed: usize = chutes().map(|chute| spans(&stage, chute, locked).len()).sum();
    assert!(filled >= 10 && changed >= 10, "{filled} filled, {changed} bags changed");
    let closed = |state| full(state) || locked(state);
    for chute in chutes() {
        for span in spans(&stage, chute, closed) {
            assert_eq!(decided(&stage, chute, span), 0, "{chute:?} was closed in {span:?}");
        }
    }
    let reasons = ["chute_full", "chute_locked"];
    let count = |counts: &std::collections::BTreeMap<&'static str, u64>| -> u64 {
        reasons.iter().filter_map(|reason| counts.get(reason)).sum()
    };
    let (end, elsewhere) = (count(&summary.end_landed), count(&summary.landed_for));
    assert!(end + elsewhere >= 10, "{end} at the end, {elsewhere} in alternates, with the reason");
    assert_eq!(summary.landed_alternate, elsewhere, "no other cause on this line");
    let views = stage.harness.view().line.at_chutes;
    let hands: u64 = views.iter().map(|chute| chute.counts.hands).sum();
    assert!(hands > 0, "hands were seen and counted as hands");
}

#[test]
fn a_full_chute_is_passed_over_and_the_only_one_of_its_key_means_the_end() {
    let full = |chute: ChuteNo| Event::ChuteFull { chute: chute.0, for_ms: Some(60_000) };
    let events = vec![Entry::at(30_000, full(ALONE)), Entry::at(30_000, full(SHARED))];
    let mut stage = with_events(150, 7, events);
    let summary = stage.drain_and_judge();
    for chute in [ALONE, SHARED] {
        let closed = |state| matches!(state, ChuteState::Full { by: FullBy::Eye });
        let found = spans(&stage, chute, closed);
        let [span] = found.as_slice() else { panic!("{chute:?}: {found:?}") };
        assert!(span[1].since(span[0]) > Micros::from_secs(55), "{span:?}");
        assert_eq!(decided(&stage, chute, *span), 0, "{chute:?} is full");
        assert!(decided(&stage, chute, [span[1], Micros::MAX]) > 0, "{chute:?} is used again");
        let view = stage.harness.view().line;
        let counts = view.at_chutes.iter().find(|view| view.chute == chute).expect("there").counts;
        assert!(counts.barred_full > 0, "{chute:?} has passed parcels over");
    }
    assert!(summary.end_landed.get("chute_full").is_some_and(|count| *count > 0), "{summary:?}");
    assert_eq!(
        summary.landed_alternate,
        summary.landed_for.get("chute_full").copied().unwrap_or(0)
    );
}

#[test]
fn a_button_locks_a_chute_until_it_is_pressed_again() {
    let press = Event::ChuteButton { chute: ALONE.0, for_ms: 300 };
    let events = vec![Entry::at(30_000, press.clone()), Entry::at(90_000, press)];
    let mut stage = with_events(150, 7, events);
    let summary = stage.drain_and_judge();
    let closed = |state| matches!(state, ChuteState::Locked { by: LockedBy::Button });
    let found = spans(&stage, ALONE, closed);
    let [span] = found.as_slice() else { panic!("{found:?}") };
    let seconds = span[1].since(span[0]).0 / 1_000_000;
    assert!((59..=61).contains(&seconds), "locked for {seconds} s");
    assert_eq!(decided(&stage, ALONE, *span), 0);
    assert!(decided(&stage, ALONE, [span[1], Micros::MAX]) > 0, "it takes parcels again");
    assert!(summary.end_landed.get("chute_locked").is_some_and(|count| *count > 0), "{summary:?}");
}

#[test]
fn hands_at_a_bag_change_are_nobodys_landing() {
    let change = Event::BagChange { chute: SHARED.0 };
    let mut stage = with_events(200, 9, vec![Entry::at(40_000, change)]);
    stage.wait_for(State::Execute, 60);
    let summary = stage.drain_and_judge();
    let closed = |state| matches!(state, ChuteState::Locked { by: LockedBy::Button });
    assert_eq!(spans(&stage, SHARED, closed).len(), 1, "locked, changed, given free");
    let view = stage.harness.view().line;
    let there = view.at_chutes.iter().find(|view| view.chute == SHARED).expect("there");
    assert!(there.counts.hands > 0, "hands were counted as hands: {:?}", there.counts);
    let landed = view.chutes.get(&SHARED).copied().unwrap_or(0);
    let truth = stage.harness.world.truth().parcels.iter();
    let lying = truth.filter(|parcel| parcel.place == line_sim::truth::Place::Chute(SHARED.0));
    assert!(landed <= lying.count() as u64, "no landing was invented");
    assert_eq!(summary.lost, 0);
}
