//! A line whose end brings parcels back: what goes round, what does not, and when that ends.

use crate::alarm::Alarm;
use crate::decision::ParcelEvent;
use crate::harness::{ArmAnswer, Bench, Carton, arrival, demo_layout, diverter_node, facts};
use crate::ids::ChuteNo;
use crate::layout::LineEnd;
use crate::limits;
use crate::memory::Mode;
use crate::packml::State;
use crate::plan::Screening;
use crate::reason::{Outcome, Reason};
use crate::signal::{ArmEnd, ChuteContact, Command, Contact, DownReason, Input, Read};
use alloc::string::ToString;
use alloc::vec;
use std::format;
use units::Micros;

/// Laps of the line under test.
const LAPS_MAX: u8 = 3;

/// The demo line with a return of 20 s.
fn round() -> Bench {
    let mut layout = demo_layout();
    layout.end = LineEnd::Return { laps_max: LAPS_MAX, transit: Micros::from_secs(20) };
    Bench::of(layout).started()
}

fn goes_round(bench: &Bench, id: u64, reason: Reason) {
    bench.ends(id, &ParcelEvent::Recirculated { reason });
}

/// Goes once more round with this code.
fn lap(bench: &mut Bench, code: &str) {
    bench.put(100, 300, code);
    bench.drain();
}

fn lands_for(bench: &Bench, id: u64, chute: u16, reason: Reason) {
    bench.lands(id, chute);
    let chute = ChuteNo(chute);
    let assigned = ParcelEvent::Assigned { chute, alternate: false, reason: Some(reason) };
    assert!(bench.story(id).contains(&&assigned), "{:#?}", bench.story(id));
}

#[test]
fn what_another_lap_may_cure_goes_round_and_lands_when_it_is_cured() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: true });
    lap(&mut bench, "A");
    goes_round(&bench, 1, Reason::ChuteLocked);
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.inducted, tally.count(Outcome::Recirculated), tally.distinct()), (1, 1, 0));
    assert_eq!((tally.count(Outcome::EndLanded), tally.on_line, tally.ties()), (0, 0, true));
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: false });
    lap(&mut bench, "A");
    bench.lands(2, 1);
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.inducted, tally.landed_planned, tally.distinct()), (2, 1, 1));
    assert!(tally.ties() && bench.line.memory.laps.is_empty(), "its laps are over");
    assert!(!bench.line.memory.alarms.contains(&Alarm::RoundInVain));
}

#[test]
fn a_failed_divert_and_a_late_arm_go_round() {
    let mut bench = round();
    let carton = bench.carton(100, 300, "A");
    bench.put_carton(Carton { grips: false, ..carton });
    bench.drain();
    goes_round(&bench, 1, Reason::DivertFailed);
    bench.arm_answer = ArmAnswer::Withheld;
    lap(&mut bench, "A");
    goes_round(&bench, 2, Reason::ArmLate);
    bench.arm_answer = ArmAnswer::Works;
    lap(&mut bench, "A");
    bench.lands(3, 1);
}

#[test]
fn what_no_lap_cures_goes_to_the_general_exceptions_at_once() {
    let mut bench = round();
    bench.facts.insert("X".to_string(), facts("X", "no such route"));
    for (code, reason) in [("nobody's", Reason::NoManifest), ("X", Reason::NoRoute)] {
        lap(&mut bench, code);
        lands_for(&bench, bench.line.memory.next_parcel - 1, 11, reason);
    }
    let reads = [
        (Read::NoRead, Reason::NoRead),
        (Read::TooLong, Reason::CodeTooLong),
        (Read::Codes(vec!["A".to_string(), "B".to_string()]), Reason::MultiCode),
    ];
    for (read, reason) in reads {
        let carton = bench.carton(100, 300, "A");
        bench.put_carton(Carton { read: Some(read), ..carton });
        bench.drain();
        lands_for(&bench, bench.line.memory.next_parcel - 1, 11, reason);
    }
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.count(Outcome::Recirculated), tally.landed_planned), (0, 5));
}

#[test]
fn a_second_label_is_an_exception_and_a_lap_is_no_second_label() {
    let mut bench = round();
    bench.put(100, 300, "A");
    bench.put(1_500, 300, "A");
    bench.drain();
    bench.lands(1, 1);
    lands_for(&bench, 2, 11, Reason::Duplicate);
}

#[test]
fn what_lies_among_the_exceptions_may_be_inducted_again() {
    let mut bench = round();
    lap(&mut bench, "late");
    lands_for(&bench, 1, 11, Reason::NoManifest);
    bench.facts.insert("late".to_string(), facts("late", "9"));
    lap(&mut bench, "late");
    bench.lands(2, 9);
    lap(&mut bench, "late");
    lands_for(&bench, 3, 11, Reason::Duplicate);
    lap(&mut bench, "late");
    lands_for(&bench, 4, 11, Reason::Duplicate);
}

#[test]
fn a_silent_reader_leads_to_the_general_exceptions_by_the_last_eye_before_them() {
    let mut bench = round();
    let carton = bench.carton(100, 300, "A");
    bench.put_carton(Carton { read: None, ..carton });
    bench.drain();
    lands_for(&bench, 1, 11, Reason::ReaderSilent);
}

#[test]
fn who_has_gone_round_as_often_as_it_may_goes_to_the_general_exceptions() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: true });
    for pass in 1..=u64::from(LAPS_MAX) {
        lap(&mut bench, "A");
        goes_round(&bench, pass, Reason::ChuteLocked);
    }
    assert_eq!(bench.line.memory.laps["A"].passes, LAPS_MAX);
    assert!(!bench.line.memory.alarms.contains(&Alarm::RoundInVain));
    lap(&mut bench, "A");
    lands_for(&bench, 4, 11, Reason::LapLimit);
    assert!(bench.line.memory.laps.is_empty());
}

#[test]
fn exceptions_go_round_with_their_reason_and_an_alarm_while_their_chute_is_closed() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(11), contact: ChuteContact::Lock, active: true });
    let unread = bench.carton(100, 300, "A");
    bench.put_carton(Carton { read: Some(Read::NoRead), ..unread });
    bench.drain();
    goes_round(&bench, 1, Reason::NoRead);
    assert!(bench.line.memory.alarms.contains(&Alarm::RoundInVain));
    // Closed behind the decision, it is the same.
    bench.feed(Input::Chute { chute: ChuteNo(11), contact: ChuteContact::Lock, active: false });
    let unread = bench.carton(100, 300, "A");
    bench.put_carton(Carton { read: Some(Read::NoRead), ..unread });
    bench.run(3_000);
    bench.feed(Input::Chute { chute: ChuteNo(11), contact: ChuteContact::Lock, active: true });
    bench.drain();
    goes_round(&bench, 2, Reason::NoRead);
}

#[test]
fn a_lap_limit_that_its_chute_cannot_take_is_alarmed() {
    let mut bench = round();
    for chute in [1, 11] {
        let lock = ChuteContact::Lock;
        bench.feed(Input::Chute { chute: ChuteNo(chute), contact: lock, active: true });
    }
    for _ in 0..LAPS_MAX {
        lap(&mut bench, "A");
    }
    assert!(!bench.line.memory.alarms.contains(&Alarm::RoundInVain));
    lap(&mut bench, "A");
    goes_round(&bench, 4, Reason::LapLimit);
    assert!(bench.line.memory.alarms.contains(&Alarm::RoundInVain));
}

#[test]
fn what_is_uncertain_goes_round_unfired_and_gets_a_new_chance() {
    let mut bench = round();
    let carton = bench.carton(100, 300, "A");
    let looks = Some((arrival(1), 500));
    bench.put_carton(Carton { looks, ..carton });
    bench.facts.insert("A".to_string(), facts("A", "9"));
    bench.drain();
    goes_round(&bench, 1, Reason::LengthMismatch);
    lap(&mut bench, "A");
    bench.lands(2, 9);
}

#[test]
fn the_laps_of_what_is_never_certain_are_counted_by_its_code() {
    let mut bench = round();
    bench.facts.insert("A".to_string(), facts("A", "9"));
    for pass in 1..=u64::from(LAPS_MAX) + 1 {
        let carton = bench.carton(100, 300, "A");
        let looks = Some((arrival(1), 500));
        bench.put_carton(Carton { looks, ..carton });
        bench.drain();
        goes_round(&bench, pass, Reason::LengthMismatch);
    }
    assert!(bench.line.memory.alarms.contains(&Alarm::RoundInVain), "somebody has to look");
    lap(&mut bench, "A");
    lands_for(&bench, u64::from(LAPS_MAX) + 2, 11, Reason::LapLimit);
}

#[test]
fn gates_come_before_laps_and_what_is_quarantined_never_lies_among_exceptions() {
    let mut bench = round();
    let held = crate::plan::Facts { screened: Screening::Unknown, ..facts("Q", "1") };
    bench.facts.insert("Q".to_string(), held);
    bench.feed(Input::Chute { chute: ChuteNo(12), contact: ChuteContact::Lock, active: true });
    for pass in 1..=u64::from(LAPS_MAX) + 1 {
        lap(&mut bench, "Q");
        goes_round(&bench, pass, Reason::NotScreened);
    }
    let alarms = &bench.line.memory.alarms;
    assert!(alarms.contains(&Alarm::RoundInVain));
    assert!(!alarms.iter().any(|alarm| matches!(alarm, Alarm::QuarantineAtEnd(_))));
    bench.feed(Input::Chute { chute: ChuteNo(12), contact: ChuteContact::Lock, active: false });
    lap(&mut bench, "Q");
    lands_for(&bench, u64::from(LAPS_MAX) + 2, 12, Reason::NotScreened);
}

#[test]
fn a_full_return_holds_the_belt_before_the_next_one_and_takes_no_induction_away() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: true });
    bench.put(100, 300, "A");
    bench.run(2_000);
    bench.press(Contact::EndFull, true);
    assert!(bench.line.memory.alarms.contains(&Alarm::ReturnFull));
    let paused = bench.line.view(bench.line.memory.now).induction_paused;
    assert!(!paused, "the infeed is the only way out of the return");
    bench.drain();
    bench.stand();
    assert_eq!(bench.state(), State::Held);
    bench.press(Contact::EndFull, false);
    bench.command(Command::Start);
    assert_eq!(bench.state(), State::Unholding);
}

#[test]
fn laps_are_forgotten_after_long_and_the_longest_away_when_there_are_too_many() {
    let mut bench = round();
    bench.feed(Input::NodeDown { node: diverter_node(1), why: DownReason::Silent });
    lap(&mut bench, "A");
    goes_round(&bench, 1, Reason::ChuteOff);
    bench.stall(limits::LAP_MEMORY);
    for _ in 0..LAPS_MAX {
        lap(&mut bench, "A");
    }
    assert_eq!(bench.line.memory.laps["A"].passes, LAPS_MAX, "the first one is forgotten");
    for number in 0..limits::LAPS_MAX {
        bench.line.memory.now = bench.line.memory.now.plus(Micros::from_secs(1));
        bench.line.count_lap(&[format!("{number}")]);
    }
    let laps = &bench.line.memory.laps;
    assert_eq!(laps.len(), limits::LAPS_MAX);
    assert!(!laps.contains_key("A") && laps.contains_key("0"));
}

#[test]
fn a_person_who_takes_a_parcel_over_ends_its_laps() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: true });
    lap(&mut bench, "A");
    let deed = crate::signal::Deed::PutByHand { chute: ChuteNo(1), code: "A".to_string() };
    bench.feed(Input::Deed { deed, by: "li".to_string(), reason: "".to_string() });
    assert!(bench.line.memory.laps.is_empty());
}

#[test]
fn running_empty_keeps_the_infeed_running_and_waits_for_the_whole_way_round() {
    let mut bench = round();
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: true });
    bench.put(100, 300, "A");
    bench.run(1_000);
    bench.command(Command::Complete);
    assert!(bench.drives(0) && bench.drives(1) && bench.drives(2));
    bench.run(16_000);
    goes_round(&bench, 1, Reason::ChuteLocked);
    assert!(matches!(bench.line.memory.machine.mode, Mode::Completing { .. }));
    // 20 s on the return, 5 s on the infeed.
    bench.run(28_000);
    assert!(matches!(bench.line.memory.machine.mode, Mode::Completing { .. }), "it is still away");
    bench.feed(Input::Chute { chute: ChuteNo(1), contact: ChuteContact::Lock, active: false });
    bench.put(2_000, 300, "A");
    bench.drain();
    bench.lands(2, 1);
    bench.run(48_000);
    bench.stand();
    assert_eq!(bench.state(), State::Completed);
}

#[test]
fn a_restart_between_two_laps_keeps_their_count() {
    let mut bench = round();
    bench.arm_answer = ArmAnswer::Ends(ArmEnd::Expired);
    for _ in 0..LAPS_MAX {
        lap(&mut bench, "A");
    }
    let (layout, memory) = (bench.line.layout.clone(), bench.line.memory.clone());
    bench.line = crate::line::Line::resume(layout, memory);
    bench.arm_answer = ArmAnswer::Works;
    lap(&mut bench, "A");
    lands_for(&bench, u64::from(LAPS_MAX) + 1, 11, Reason::LapLimit);
}
