//! Jams, eyes that cannot be believed, sleep, back-pressure, emergency stops over a bed.

use crate::alarm::Alarm;
use crate::decision::{Decision, Light, ParcelEvent};
use crate::harness::{Bench, Z3, arrival, diverter_node, position};
use crate::ids::{ChuteNo, EyeId, ParcelId, ZoneId};
use crate::memory::Pressure;
use crate::packml::{State, StateReason};
use crate::reason::Reason;
use crate::signal::{Command, Contact, Input};
use crate::view::Unmet;
use units::{Distance, Micros};

fn stands(bench: &Bench, alarm: Alarm) -> bool {
    bench.line.memory.alarms.contains(&alarm)
}

fn edge(bench: &mut Bench, eye: EyeId, active: bool) {
    let at = position(bench.at);
    bench.feed(Input::Edge { eye, active, at, spread: Distance(0) });
}

#[test]
fn an_eye_that_stays_blocked_stops_the_line_and_names_itself() {
    let mut bench = Bench::running();
    edge(&mut bench, arrival(2), true);
    // The belt's own node is heard all along: the belt moves.
    for _ in 0..2 {
        bench.pass(Micros::from_millis(2_450));
        let at = position(bench.at);
        bench.feed(Input::Heard { node: Z3, at });
    }
    assert_eq!(bench.state(), State::Execute);
    bench.pass(Micros::from_millis(200));
    bench.feed(Input::Timer);
    assert_eq!(bench.line.memory.machine.reason, StateReason::Jam(arrival(2)));
    assert!(stands(&bench, Alarm::Jam(arrival(2))) && !bench.drives(2));
    bench.stand();
    assert_eq!(bench.state(), State::Held);
    assert!(bench.line.memory.lights.contains(&Light::Red));
    bench.command(Command::Start);
    assert!(bench.line.unmet().contains(&Unmet::EyeBlocked(arrival(2))));
    assert_eq!(bench.state(), State::Held, "not while the eye is blocked");
    edge(&mut bench, arrival(2), false);
    bench.pass(Micros::from_secs(100));
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Held, "nothing restarts itself");
    bench.command(Command::Start);
    assert_eq!(bench.state(), State::Unholding);
}

#[test]
fn two_blocked_eyes_in_a_row_are_a_queue() {
    let mut bench = Bench::running();
    edge(&mut bench, arrival(2), true);
    edge(&mut bench, arrival(3), true);
    bench.pass(Micros::from_secs(6));
    bench.feed(Input::Timer);
    assert!(stands(&bench, Alarm::QueueJam(arrival(3))));
}

#[test]
fn a_blocked_eye_on_a_standing_belt_is_no_jam() {
    let mut bench = Bench::running();
    edge(&mut bench, arrival(2), true);
    bench.command(Command::Hold);
    bench.stand();
    bench.pass(Micros::from_secs(600));
    bench.feed(Input::Timer);
    assert!(!stands(&bench, Alarm::Jam(arrival(2))));
    assert_eq!(bench.line.next_deadline(), None);
}

#[test]
fn an_eye_that_parcels_pass_while_it_is_blocked_is_stuck_and_its_diverter_off() {
    let mut bench = Bench::running();
    bench.line.layout.limits.jam = Micros::from_secs(60);
    let eye = arrival(2);
    bench.line.memory.eyes[usize::from(eye.0)].blocked = Some(bench.line.memory.now);
    for _ in 0..2 {
        bench.line.watch_skipped(arrival(1), arrival(3), position(bench.at), &mut bench.log);
    }
    assert!(stands(&bench, Alarm::EyeStuck(eye)));
    assert!(!bench.line.diverter_on(crate::ids::DiverterId(1)));
    bench.pass(Micros::from_secs(120));
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Execute, "a stuck eye is no jam");
    edge(&mut bench, eye, false);
    assert!(!stands(&bench, Alarm::EyeStuck(eye)));
    assert!(bench.line.diverter_on(crate::ids::DiverterId(1)), "it is back");
    assert_eq!(bench.line.memory.counters.missed_edges, 2);
}

#[test]
fn an_eye_that_misses_three_in_a_row_is_blind_until_it_sees_one() {
    let mut bench = Bench::running();
    let eye = arrival(1);
    for _ in 0..3 {
        bench.line.watch_skipped(EyeId(1), arrival(2), position(bench.at), &mut bench.log);
    }
    assert!(stands(&bench, Alarm::EyeBlind(eye)));
    bench.line.watch_skipped(EyeId(1), eye, position(bench.at), &mut bench.log);
    assert!(!stands(&bench, Alarm::EyeBlind(eye)));
}

#[test]
fn three_parcels_that_do_not_come_stop_the_line_and_one_does_not() {
    let mut bench = Bench::running();
    for number in 0..4 {
        let mut carton = bench.carton(100 + number * 1_500, 300, "C");
        carton.gone_after = (number > 0).then_some(arrival(1));
        bench.put_carton(carton);
    }
    bench.run(12_000);
    assert_eq!(bench.state(), State::Holding);
    assert_eq!(bench.line.memory.machine.reason, StateReason::ArrivalJam(arrival(2)));
    let mut single = Bench::running();
    let mut carton = single.carton(100, 300, "C");
    carton.gone_after = Some(arrival(1));
    single.put_carton(carton);
    single.put(1_600, 300, "C");
    single.drain();
    assert_eq!(single.state(), State::Execute);
}

#[test]
fn counts_that_stand_hold_the_line() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(1_000);
    bench.pass(Micros::from_secs(30));
    bench.feed(Input::Timer);
    assert_eq!(bench.line.memory.machine.reason, StateReason::EncoderStall(Z3));
    assert!(stands(&bench, Alarm::EncoderStall(Z3)));
}

#[test]
fn a_sighting_of_one_in_doubt_falls_with_the_counts_that_it_rests_on() {
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "C");
    bench.change(carton, |carton| carton.slip_behind = Some((EyeId(2), 200)));
    while bench.line.memory.counters.found_again == 0 {
        bench.run(20);
    }
    let found = bench.line.memory.live.values().next().expect("found again").last().eye;
    let node = bench.line.layout.eye(found).node;
    bench.feed(Input::EncoderDrift { node, by: Distance(500) });
    bench.ends(1, &ParcelEvent::Lost { eye: found });
}

#[test]
fn counts_that_stood_for_a_second_make_nobody_sure() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.put(1_500, 300, "C");
    bench.put(4_000, 300, "R1");
    bench.run(4_900);
    let (fired, follower, other) = (ParcelId(1), ParcelId(2), ParcelId(3));
    let tells =
        |bench: &Bench, id: ParcelId, wanted: &ParcelEvent| bench.story(id.0).contains(&wanted);
    assert!(bench.story(1).iter().any(|event| matches!(event, ParcelEvent::Fired { .. })));
    // Late by less than an exchange it is nothing.
    bench.stall(Micros::from_millis(200));
    bench.run(700);
    assert_eq!(bench.state(), State::Execute);
    // The belt ran on for a second, and no count told of it.
    bench.stall(Micros::from_secs(1));
    bench.run(700);
    assert_eq!(bench.line.memory.machine.reason, StateReason::EncoderStall(Z3));
    assert!(tells(&bench, fired, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) }));
    // No count has returned the bed, and the belt has brought the next one to it.
    assert!(tells(&bench, follower, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) }));
    assert!(tells(&bench, other, &ParcelEvent::SentToEnd { reason: Reason::Uncertain }));
    assert!(stands(&bench, Alarm::EncoderStall(Z3)));
}

#[test]
fn a_landing_whose_end_a_restart_swallowed_leaves_the_chute_open() {
    let mut bench = Bench::running();
    let (at, ms) = (position(bench.at), units::Millis(5));
    bench.feed(Input::Landing { chute: ChuteNo(1), active: true, at, ms });
    bench.feed(Input::NodeUp { node: diverter_node(1), restarted: true });
    bench.pass(Micros::from_secs(30));
    bench.feed(Input::Timer);
    assert!(bench.line.at_chute(ChuteNo(1)).state.takes());
}

#[test]
fn a_belt_that_does_not_move_is_noticed_before_a_jam() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.run(1_000);
    bench.stall(Micros::from_millis(3_100));
    bench.feed(Input::Timer);
    assert_eq!(bench.line.memory.machine.reason, StateReason::EncoderStall(Z3));
    bench.stand();
    // Held stops the drive, so that one that had tripped may be started again.
    assert!(!bench.drives(2));
    bench.command(Command::Start);
    assert_eq!(bench.state(), State::Unholding);
}

#[test]
fn short_pulses_tell_of_a_dirty_lens() {
    let mut bench = Bench::running();
    for _ in 0..4 {
        bench.line.watch_length(arrival(1), true, &mut bench.log);
    }
    assert!(stands(&bench, Alarm::EyeDirty(arrival(1))));
    bench.line.watch_length(arrival(1), false, &mut bench.log);
    assert!(stands(&bench, Alarm::EyeDirty(arrival(1))), "one good pulse is not a clean lens");
    bench.pass(Alarm::EyeDirty(arrival(1)).row().off_delay);
    bench.feed(Input::Timer);
    assert!(!stands(&bench, Alarm::EyeDirty(arrival(1))));
}

#[test]
fn an_idle_line_sleeps_and_wakes_with_a_warning() {
    let mut bench = Bench::running();
    bench.line.layout.limits.sleep = Some(Micros::from_secs(60));
    bench.pass(Micros::from_secs(61));
    bench.feed(Input::Timer);
    assert_eq!(bench.state(), State::Suspending);
    assert!(!bench.drives(2) && bench.drives(1) && bench.drives(0), "the infeed goes on");
    assert!(!bench.line.memory.release_open);
    bench.stand();
    assert_eq!(bench.state(), State::Suspended);
    bench.feed(Input::ZoneExit { zone: ZoneId(1), active: true });
    assert_eq!(bench.state(), State::Unsuspending);
    assert!(bench.line.memory.lights.contains(&Light::Horn), "nothing wakes silently");
    assert!(!bench.drives(2), "no belt moves during the warning");
    bench.wait_for_start();
    assert!(bench.line.memory.release_open);
    bench.put(100, 300, "C");
    bench.drain();
    bench.lands(1, 9);
}

#[test]
fn induction_slows_down_pauses_and_resumes_at_four_fifths() {
    let mut bench = Bench::running();
    bench.line.layout.limits.in_flight_max = 10;
    bench.route_delay = 100_000;
    let mut seen = alloc::vec::Vec::new();
    for _ in 0..10 {
        bench.put(1, 300, "C");
        bench.run(700);
        seen.push((bench.line.memory.live.len(), bench.line.memory.pressure));
    }
    assert!(seen.contains(&(8, Pressure::None)), "{seen:?}");
    assert!(seen.contains(&(9, Pressure::SlowDown)), "{seen:?}");
    assert!(seen.contains(&(10, Pressure::Pause)), "{seen:?}");
    let slow = crate::decision::Decision::Release { zone: ZoneId(1), gap: Distance(1_350) };
    assert!(bench.log.contains(&slow));
    assert!(!bench.line.memory.release_open);
    while bench.line.memory.live.len() > 8 {
        assert_eq!(bench.line.memory.pressure, Pressure::Pause);
        bench.run(100);
    }
    assert_eq!(bench.line.memory.pressure, Pressure::None);
}

#[test]
fn a_parcel_on_a_bed_at_an_emergency_stop_goes_to_the_end() {
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.put(2_500, 300, "R1");
    // The first one lies over the first bed, the second one between tunnel and bed.
    bench.run(100 + 5_000);
    bench.press(Contact::Estop(1), true);
    let reasons: alloc::vec::Vec<_> =
        bench.line.view(bench.line.memory.now).parcels.iter().map(|p| p.end_reason).collect();
    assert_eq!(reasons, [Some(Reason::Cancelled), None]);
}

#[test]
fn the_silence_of_an_absence_says_nothing_of_the_belt() {
    for (away, state) in
        [(2_990, State::Execute), (12_000, State::Stopped), (40_000, State::Stopped)]
    {
        let mut bench = Bench::running();
        bench.put(100, 300, "A");
        bench.run(2_000);
        bench.stall(Micros::from_millis(away));
        bench.feed(Input::Resumed { gap: Micros::from_millis(away) });
        assert_eq!(bench.state(), state, "{away} ms away");
        let stalled = |decision: &Decision| {
            matches!(decision, Decision::Alarm { alarm: Alarm::EncoderStall(_), .. })
        };
        assert!(!bench.log.iter().any(stalled), "{away} ms away");
        let ended = |event: &&ParcelEvent| matches!(event, ParcelEvent::SentToEnd { .. });
        assert!(!bench.story(1).iter().any(ended), "{away} ms away");
    }
}
