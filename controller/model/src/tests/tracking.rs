//! Positions: what is matched, what is not, and whose fate moves.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::harness::{Bench, PANEL, SCANNER, Z3, arrival, diverter_node, facts, position};
use crate::ids::{ChuteNo, EyeId, ParcelId};
use crate::limits;
use crate::line::Line;
use crate::parcel::Confidence;
use crate::reason::Reason;
use crate::signal::{ArmEnd, Command, DownReason, Input};
use units::{Distance, Micros};

fn head(eye: EyeId, at: i64) -> Input {
    Input::Edge { eye, active: true, at: position(at), spread: Distance(0) }
}

fn tail(eye: EyeId, at: i64) -> Input {
    Input::Edge { eye, active: false, at: position(at), spread: Distance(0) }
}

#[test]
fn a_parcel_taken_off_by_hand_shifts_nobody() {
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "A");
    bench.change(first, |carton| carton.gone_after = Some(EyeId(1)));
    bench.put(1_500, 300, "C");
    bench.drain();
    bench.ends(1, &ParcelEvent::Lost { eye: arrival(1) });
    bench.lands(2, 9);
    assert!(bench.line.memory.alarms.contains(&Alarm::Lost(ParcelId(1))));
    assert_eq!(bench.line.memory.tally.lost, 1);
    bench.command(Command::Resolve { parcel: ParcelId(1), chute: None });
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.lost, tally.removed), (0, 1));
    // It may be fed again.
    bench.put(100, 300, "A");
    bench.drain();
    bench.lands(3, 1);
}

#[test]
fn a_thing_put_on_the_belt_is_a_ghost_and_shifts_nobody() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.put(4_000, 300, "C");
    let base = bench.at;
    // Between the two, far from both, seen at the tunnel exit and at every eye behind it.
    bench.later(3_500, head(EyeId(1), base + 3_500));
    bench.later(3_700, tail(EyeId(1), base + 3_700));
    bench.drain();
    bench.lands(1, 1);
    bench.lands(2, 9);
    assert_eq!(bench.line.memory.counters.ghosts, 1);
    assert!(bench.line.memory.alarms.contains(&Alarm::Ghost(Z3)));
}

#[test]
fn a_ghost_close_to_an_armed_parcel_takes_the_arm_back() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    let base = bench.at;
    bench.later(100 + 1_500 + 700, head(EyeId(1), base + 2_300));
    bench.drain();
    bench.ends_at_end(1, Reason::GapTooSmall);
    let cancelled = |decision: &Decision| matches!(decision, Decision::CancelArm { .. });
    assert!(bench.log.iter().any(cancelled));
}

#[test]
fn two_things_closer_than_a_hole_are_one_and_their_two_codes_make_it_uncertain() {
    let mut bench = Bench::running();
    bench.put(100, 60, "A");
    bench.put(180, 60, "C");
    bench.drain();
    let tally = bench.line.memory.tally.clone();
    assert_eq!((tally.inducted, tally.landed_planned, tally.on_line), (1, 0, 0), "{tally:?}");
    assert_eq!(tally.end_landed.get(&Reason::Uncertain), Some(&1));
}

/// Two boxes between the first two beds, moved by nobody knows how much, `by` in truth.
fn after_a_slip(by: i64, change: impl FnOnce(&mut crate::harness::Carton)) -> Bench {
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| {
        carton.slip_behind = Some((arrival(1), by));
        change(carton);
    });
    let second = bench.put(1_300, 300, "R1");
    bench.change(second, |carton| carton.slip_behind = Some((arrival(1), by)));
    bench.run(1_300 + 4_450 + 10);
    let Line { layout, memory } = &mut bench.line;
    memory.live.change_all(layout, |parcel| parcel.track.slack = Distance(1_300));
    bench
}

#[test]
fn overlapping_windows_are_told_apart_by_what_both_slipped() {
    for by in [0, 250, 600] {
        let mut bench = after_a_slip(by, |_| {});
        bench.drain();
        bench.lands(1, 9);
        bench.lands(2, 7);
        assert_eq!(bench.line.memory.counters.ghosts, 0);
        let open = ParcelEvent::Believed { now: Confidence::Open { eye: arrival(2) } };
        let certain = ParcelEvent::Believed { now: Confidence::Certain };
        let story = bench.story(1);
        assert!(story.contains(&&open) && story.contains(&&certain), "{story:#?}");
    }
}

#[test]
fn one_edge_where_two_are_expected_is_the_nearer_ones_or_nobodys() {
    // The first one is gone; the second one's place is off by much less than a pitch.
    let mut bench = after_a_slip(0, |carton| carton.gone_after = Some(arrival(1)));
    bench.drain();
    bench.ends(1, &ParcelEvent::Lost { eye: arrival(2) });
    bench.lands(2, 7);
    // In the middle between the two places nobody can tell.
    let mut bench = after_a_slip(-600, |carton| carton.gone_after = Some(arrival(1)));
    bench.drain();
    assert_eq!(bench.line.memory.tally.landed_planned, 0);
    assert!(bench.line.memory.tally.end_landed.contains_key(&Reason::Uncertain));
}

#[test]
fn a_parcel_held_back_into_its_followers_place_fires_nothing() {
    // Held between the first two beds for a pitch, with its follower pushed against it.
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| carton.slip_behind = Some((arrival(1), 1_200)));
    let second = bench.put(1_300, 300, "B");
    bench.change(second, |carton| carton.slip_behind = Some((arrival(1), 340)));
    bench.drain();
    assert!(bench.diverted.is_empty(), "the first one is not the second one: {:?}", bench.diverted);
    assert_eq!(bench.line.memory.tally.landed_planned, 0);
}

#[test]
fn a_parcel_taken_off_leaves_its_follower_certain_behind_the_next_eye() {
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| carton.gone_after = Some(arrival(1)));
    bench.put(1_300, 300, "R1");
    bench.drain();
    bench.ends(1, &ParcelEvent::Lost { eye: arrival(2) });
    bench.lands(2, 7);
    // Had it been due at that very eye, its arm would have been taken back.
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "C");
    bench.change(first, |carton| carton.gone_after = Some(arrival(1)));
    bench.put(1_300, 300, "B");
    bench.drain();
    let (last, chute) = (bench.story(2).len() - 1, ChuteNo(5));
    let another = ParcelEvent::Assigned { chute, alternate: false, reason: None };
    assert!(bench.story(2).contains(&&another), "the next chute of its list");
    assert_eq!(bench.story(2)[last], &ParcelEvent::Landed { chute, alternate: false });
}

#[test]
fn a_hole_in_a_parcel_is_no_second_parcel() {
    // A handle hole of 50 in the middle, at every eye that has not seen its length and one that has.
    for eye in [EyeId(0), EyeId(1), arrival(1)] {
        let mut bench = Bench::running();
        bench.put(100, 300, "C");
        let at = bench.cartons[0].head + bench.line.layout.eye(eye).at.0;
        bench.later(at + 130 - bench.at, tail(eye, at + 130));
        bench.later(at + 180 - bench.at, head(eye, at + 180));
        bench.drain();
        bench.lands(1, 9);
        assert_eq!(bench.line.memory.counters.ghosts, 0, "hole at {eye:?}");
        assert_eq!(bench.line.memory.tally.inducted, 1);
    }
}

#[test]
fn a_slip_beyond_the_window_is_lost_and_found_again_once() {
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "C");
    // Late by more than the window, yet within twice the tolerance at the eye after the next.
    bench.change(carton, |carton| carton.slip_behind = Some((EyeId(2), 200)));
    bench.drain();
    let lost = bench.story(1).iter().filter(|e| matches!(e, ParcelEvent::Lost { .. })).count();
    assert_eq!(lost, 1);
    bench.ends_at_end(1, Reason::Uncertain);
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.inducted, tally.lost, tally.on_line), (1, 0, 0));
    assert_eq!(bench.line.memory.counters.found_again, 1);
}

#[test]
fn who_comes_out_of_a_pile_is_nobody_when_several_are_missing() {
    let mut bench = Bench::running();
    // The second is held back behind the place of the third, which is gone; so is the first.
    for (ahead, code, gone) in [(100, "C", true), (1_100, "R1", false), (2_100, "R2", true)] {
        let mut carton = bench.carton(ahead, 300, code);
        carton.gone_after = gone.then_some(arrival(1));
        carton.slip_behind = (!gone).then_some((arrival(1), 1_500));
        bench.put_carton(carton);
    }
    bench.drain();
    for id in 1..=3 {
        let eye = arrival(2);
        bench.ends(id, &ParcelEvent::Lost { eye });
    }
    assert_eq!(bench.line.memory.counters.found_again, 0);
}

#[test]
fn a_parcel_lifted_from_under_the_end_eye_does_not_end_there() {
    let mut bench = Bench::running();
    let end = bench.line.layout.last_eye();
    let carton = bench.put(100, 300, "no manifest has it");
    bench.change(carton, |carton| carton.looks = Some((end, 120)));
    bench.drain();
    bench.ends(1, &ParcelEvent::Lost { eye: end });
}

#[test]
fn a_silent_eye_of_a_silent_node_makes_uncertain_and_not_lost() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(3_000);
    let node = diverter_node(1);
    bench.feed(Input::NodeDown { node, why: DownReason::Silent });
    bench.mute.insert(node);
    bench.drain();
    bench.ends_at_end(1, Reason::Uncertain);
    assert_eq!(bench.line.memory.tally.lost, 0);
}

#[test]
fn lost_events_explain_a_missing_edge() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(100 + 4_500);
    // The edge at the first bed was heard; the next one's is lost.
    let node = diverter_node(2);
    bench.mute.insert(node);
    bench.run(1_700);
    bench.mute.remove(&node);
    bench.feed(Input::EventsLost { node, entries: 2 });
    bench.drain();
    bench.ends_at_end(1, Reason::Uncertain);
    assert_eq!(bench.line.memory.counters.events_lost, 2);
    assert_eq!(bench.line.memory.tally.lost, 0);
}

#[test]
fn nodes_may_be_heard_in_any_order() {
    // The first bed's node is heard late: its edge comes after the second one's.
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    let node = diverter_node(1);
    bench.mute.insert(node);
    let (head_at, tail_at) = (bench.at + 100 + 4_450, bench.at + 100 + 4_750);
    bench.run(100 + 6_100);
    bench.mute.remove(&node);
    bench.feed(head(arrival(1), head_at));
    bench.feed(tail(arrival(1), tail_at));
    bench.drain();
    bench.lands(1, 9);
    assert_eq!(bench.line.memory.counters.ghosts, 0);
}

#[test]
fn a_landing_waits_for_the_word_of_its_own_diverter() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(100 + 4_400);
    let node = diverter_node(1);
    let arm = bench.arms.values().next().expect("armed").clone();
    bench.mute.insert(node);
    let edge = bench.cartons[0].head + 4_450;
    // Everybody else is heard far past it; the bed's node says nothing.
    bench.arms.clear();
    bench.cartons[0].gone_after = Some(arrival(1));
    bench.run(6_000);
    for other in [Z3, PANEL, diverter_node(2), diverter_node(3)] {
        bench.feed(Input::Heard { node: other, at: position(bench.at) });
    }
    assert_eq!(bench.line.memory.live.len(), 1, "nothing is concluded from silence alone");
    // Its ring comes late, in order.
    bench.feed(head(arrival(1), edge));
    let (at, ms) = (position(edge + 100), units::Millis(7));
    let end = ArmEnd::Fired { edge: position(edge) };
    bench.feed(Input::ArmEnded { tag: arm.tag, end, at, ms });
    bench.feed(tail(arrival(1), edge + 300));
    let at = position(edge + 100 + 1_000);
    bench.feed(Input::Landing { chute: ChuteNo(1), active: true, at, ms });
    bench.lands(1, 1);
}

#[test]
fn a_fired_parcel_is_not_final_before_the_next_eye_stayed_dark() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(100 + 4_450 + 100 + 1_010);
    let provisional = ParcelEvent::LandedProvisional { chute: ChuteNo(1) };
    bench.ends(1, &provisional);
    assert_eq!(bench.line.memory.tally.on_line, 1);
    assert_eq!(bench.line.memory.tally.landed_planned, 0);
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn a_length_does_not_shrink_the_belt_when_the_tail_is_never_told() {
    let mut bench = Bench::running();
    let base = bench.at;
    bench.feed(head(EyeId(0), base));
    bench.run(1_400);
    bench.feed(head(EyeId(0), base + 1_400));
    let doubtful = &bench.line.memory.live[&ParcelId(1)];
    assert!(doubtful.uncertain() && doubtful.track.length.is_none());
    assert!(bench.line.memory.live[&ParcelId(2)].certain());
}

/// Whether an arm was ever planned for this parcel.
fn armed(bench: &Bench, id: u64) -> bool {
    bench.story(id).iter().any(|event| matches!(event, ParcelEvent::Armed { .. }))
}

#[test]
fn a_parcel_that_is_drawn_from_a_slower_belt_lands_by_plan() {
    // It reads 1.35 times too long at the induction eye, and comes later by as much everywhere.
    for length in [150, 300, 500] {
        let mut bench = Bench::running();
        let carton = bench.put(100, length, "A");
        bench.change(carton, |carton| carton.draw(length * 35 / 100));
        bench.drain();
        bench.lands(1, 1);
        let measured = ParcelEvent::Measured { length: Distance(length) };
        assert!(bench.story(1).contains(&&measured), "the length of the eye behind is the length");
        assert_eq!(bench.line.memory.counters.ghosts, 0);
    }
}

#[test]
fn a_length_behind_the_induction_eye_has_to_fit_what_was_drawn_there() {
    // Ends of the range: 60 % too long at the induction eye, and each time the tolerance.
    let lands = |length: i64, drawn: i64| {
        let mut bench = Bench::running();
        let carton = bench.put(100, length, "A");
        bench.change(carton, |carton| carton.looks = Some((EyeId(0), drawn)));
        bench.drain();
        bench.line.memory.tally.landed_planned == 1
    };
    // 600 / 1.6 - 120 to 600 + 120, yet never longer than any parcel.
    assert_eq!([254, 255, 700, 701].map(|length| lands(length, 600)), [false, true, true, false]);
    // 160 / 1.6 - 60 to 160 + 60.
    assert_eq!([39, 40, 220, 221].map(|length| lands(length, 160)), [false, true, true, false]);
    let mut bench = Bench::running();
    let carton = bench.put(100, 254, "A");
    bench.change(carton, |carton| carton.looks = Some((EyeId(0), 600)));
    bench.drain();
    bench.ends_at_end(1, Reason::LengthMismatch);
}

#[test]
fn a_follower_that_falls_back_behind_the_induction_eye_stops_no_arm() {
    // Gap behind the first one: 700 at the induction eye, where 770 are needed.
    let run = |back: i64| {
        let mut bench = Bench::running();
        bench.put(100, 300, "A");
        let second = bench.put(1_100, 300, "C");
        if back > 0 {
            bench.change(second, |carton| carton.draw(back));
        }
        bench.run(1_100 + 1_500 + back - 1);
        assert!(!armed(&bench, 1), "it is not known yet");
        bench.run(1);
        assert_eq!(armed(&bench, 1), back >= 70, "known at the next eye");
        bench.drain();
        bench
    };
    for back in [70, 105] {
        let bench = run(back);
        bench.lands(1, 1);
        bench.lands(2, 9);
        let cancelled = |decision: &Decision| matches!(decision, Decision::CancelArm { .. });
        assert!(!bench.log.iter().any(cancelled));
    }
    for back in [0, 69] {
        run(back).ends_at_end(1, Reason::GapTooSmall);
    }
}

#[test]
fn the_first_diverters_arm_waits_for_the_tail_behind_the_induction_eye() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    // Read, routed and clear of followers long before.
    bench.run(100 + 1_500 + 300 - 1);
    let parcel = &bench.line.memory.live[&ParcelId(1)];
    assert!(parcel.identity.facts().is_some() && parcel.fate.choice().is_none());
    assert!(!armed(&bench, 1));
    bench.run(1);
    assert!(bench.line.memory.live[&ParcelId(1)].fate.choice().is_some());
    assert!(armed(&bench, 1));
    let arm = bench.arms.values().next().expect("armed");
    assert_eq!((arm.length_min, arm.release), (Distance(240), Distance(350 + 300 + 350)));
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn a_restart_of_the_controller_goes_on_within_the_lease() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(4_200);
    let memory = bench.line.memory().clone();
    bench.line = Line::resume(bench.line.layout().clone(), memory);
    bench.feed(Input::Resumed { gap: Micros::from_millis(800) });
    let node = diverter_node(1);
    bench.feed(Input::NodeUp { node, restarted: false });
    let tags = bench.arms.keys().copied().collect();
    bench.feed(Input::Adopted { node, tags });
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn a_restart_asks_again_for_what_was_not_answered() {
    let mut bench = Bench::running();
    bench.route_delay = 100_000;
    bench.put(100, 300, "A");
    bench.run(2_000);
    bench.route_delay = 10;
    bench.feed(Input::Resumed { gap: Micros::from_millis(100) });
    bench.run(10_000);
    bench.lands(1, 1);
}

#[test]
fn an_arm_that_nobody_remembers_is_asked_back() {
    let mut bench = Bench::running();
    let tag = crate::ids::Tag(77);
    bench.feed(Input::Adopted { node: diverter_node(3), tags: alloc::vec![tag] });
    let diverter = crate::ids::DiverterId(2);
    assert_eq!(bench.log.last(), Some(&Decision::CancelArm { diverter, tag }));
}

#[test]
fn a_restart_of_the_sorter_belts_node_makes_everybody_uncertain() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.put(1_600, 300, "C");
    bench.run(3_000);
    bench.feed(Input::NodeUp { node: Z3, restarted: true });
    bench.drain();
    bench.ends_at_end(1, Reason::Restarted);
    bench.ends_at_end(2, Reason::Restarted);
    assert!(bench.drives(2), "its drive is told again");
}

#[test]
fn the_belt_is_full_at_its_limit() {
    let mut bench = Bench::running();
    bench.line.layout.limits.in_flight_max = 3;
    for number in 0..5 {
        bench.put(100 + number * 1_300, 300, "nobody's");
    }
    bench.run(100 + 4 * 1_300 + 10);
    assert_eq!(bench.line.memory.live.len(), 3);
    assert_eq!(bench.line.memory.tally.lost, 2);
    assert!(bench.line.view(bench.line.memory.now).induction_paused);
}

#[test]
fn open_parcels_are_bounded_and_the_oldest_stay() {
    let mut bench = Bench::running();
    let eye = EyeId(0);
    for number in 0..300 {
        let at = bench.at + number * 1_000;
        bench.feed(head(eye, at));
        bench.feed(tail(eye, at + 200));
        bench.feed(Input::Heard { node: Z3, at: position(at + 900) });
    }
    bench.feed(Input::Heard { node: Z3, at: position(bench.at + 400_000) });
    let memory = &bench.line.memory;
    assert_eq!(memory.tally.lost, 300);
    assert_eq!(memory.open.len(), limits::OPEN_MAX);
    assert!(memory.open.contains_key(&ParcelId(1)));
}

#[test]
fn nothing_is_waited_for_on_an_empty_belt() {
    let mut bench = Bench::running();
    for node in [Z3, SCANNER, PANEL, diverter_node(1)] {
        assert_eq!(bench.line.next_position(node), None);
    }
    bench.put(0, 300, "A");
    bench.run(1);
    let awaited = |bench: &Bench, at: i64| {
        let mut found = false;
        bench.line.each_wait(|node, wanted| found |= node == Z3 && wanted == position(at));
        found
    };
    let latest = bench.cartons[0].head + 1_500 + 60 + 90;
    // The longest parcel of all may still be drawn from the belt before: 700 - 700 / 1.6.
    assert!(awaited(&bench, latest + 263 + 1), "the tunnel exit eye is awaited");
    bench.run(300);
    // This one at most by 300 - 300 / 1.6.
    assert!(awaited(&bench, latest + 113 + 1), "still awaited");
    assert_eq!(bench.line.next_position(diverter_node(1)), None);
}

#[test]
fn a_pulse_confirms_one_parcel_only() {
    // Two parcels to one chute, and the second one's pulse never comes.
    let mut bench = Bench::running();
    bench.facts.insert("A2".into(), facts("A2", "1"));
    bench.put(100, 300, "A");
    let second = bench.put(1_400, 300, "A2");
    bench.cartons[second].pulse = false;
    bench.drain();
    bench.lands(1, 1);
    bench.ends(2, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) });
}

#[test]
fn the_spread_of_a_nodes_map_widens_the_window_before_its_first_edge() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(600);
    let window = |bench: &Bench| {
        let memory = &bench.line.memory;
        let parcel = memory.live.values().next().expect("inducted");
        parcel.expected(bench.line.layout(), &memory.nodes, arrival(1)).expect("expected")
    };
    let before = window(&bench);
    let (node, spread) = (diverter_node(1), Distance(40));
    bench.feed(Input::MapSpread { node: diverter_node(2), spread });
    assert_eq!(window(&bench), before, "another node's");
    bench.feed(Input::MapSpread { node, spread });
    assert_eq!(window(&bench), before.widened(spread));
    // The arm's window follows it.
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn a_drifted_encoder_is_an_alarm_and_widens_whom_it_saw_last() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(600);
    let node = diverter_node(3);
    bench.feed(Input::EncoderDrift { node, by: Distance(-7) });
    assert!(bench.line.memory.alarms.contains(&Alarm::EncoderDrift(node)));
    let slack = |bench: &Bench| bench.line.memory.live.values().map(|p| p.track.slack.0).max();
    assert_eq!(slack(&bench), Some(0), "it has seen nobody");
    // The reference's drift is everybody's.
    bench.feed(Input::EncoderDrift { node: Z3, by: Distance(-7) });
    assert_eq!(slack(&bench), Some(7));
    bench.drain();
    bench.lands(1, 1);
    bench.command(Command::Stop);
    bench.run(5_000);
    bench.command(Command::Reset);
    assert!(!bench.line.memory.alarms.contains(&Alarm::EncoderDrift(node)), "seen by a person");
}

#[test]
fn a_drift_beyond_the_tolerance_makes_uncertain() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(600);
    bench.feed(Input::EncoderDrift { node: Z3, by: Distance(200) });
    bench.drain();
    bench.ends_at_end(1, Reason::Uncertain);
}

#[test]
fn a_pulse_while_its_parcel_is_still_under_the_arrival_eye_proves_nothing() {
    // One that stuck on the bed slides off at last; its follower stands behind it, under the eye,
    // and the eye behind the bed stays dark for longer than a running belt needs.
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "A");
    bench.change(carton, |carton| carton.looks = Some((arrival(1), 2_000)));
    bench.drain();
    bench.ends(1, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) });
}
