//! The bytes of what came with format version 2, literally: new variants, and old ones that gained
//! a field.

use super::{Source, Wire, check, check_old};
use crate::codec::Fault;
use crate::codec::{fields, tags};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use line_model::alarm::Alarm;
use line_model::chute::{
    Bar, ChangeBy, ChuteCause, ChuteCounts, ChuteEvent, ChuteMemory, ChuteState, Content,
    FaultedBy, FullBy, Lamp, LockedBy,
};
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::{ChuteNo, EyeId, NodeId, ParcelId, ZoneId};
use line_model::memory::{
    Annunciator, Attention, Entry, EyeMemory, Mode, Pressure, Pulse, Shelf, Stretch, Under,
};
use line_model::packml::{State, StateReason, UnitMode};
use line_model::parcel::Confidence;
use line_model::plan::{Allocation, CutOff, Plan, Rule};
use line_model::reason::Reason;
use line_model::signal::{ChuteContact, Command, Deed, File, Input};
use line_model::view::Unmet;
use line_model::waybills::Waybills;
use std::format;
use std::string::ToString;
use std::vec;
use units::{Distance, EncoderId, Micros, Position};

/// Stands for any struct that gains fields.
#[derive(Debug, PartialEq, Eq)]
struct Grown {
    old: Vec<u8>,
    new: Vec<u8>,
}

fields! { Grown { old; since 2 { new = vec![9; Vec::len(&old)]; } } }

/// Stands for any variant that gains a field.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Bare,
    Grown { old: u8, new: bool },
}

tags! { Choice, "a choice" {
    1 Bare;
    2 Grown { old; since 2 { new = true; } };
} }

#[test]
fn a_field_since_a_version_has_its_default_before() {
    let grown = Grown { old: vec![4, 5], new: vec![9, 9] };
    check_old(1, &grown, "00000002 0405");
    check(2, &grown, "00000002 0405 00000002 0909");
    check_old(1, &Choice::Grown { old: 6, new: true }, "02 06");
    check(2, &Choice::Grown { old: 6, new: false }, "02 06 00");
    check(1, &Choice::Bare, "01");
    let mut later = Source::new(&[2, 6], 2);
    assert!(Choice::get(&mut later).is_err(), "of version 2 the field must be there");
}

#[test]
fn what_is_open_about_edges() {
    let eye = EyeId(3);
    // 0 and 1 stood for a truth value before.
    check(1, &Confidence::Uncertain, "00");
    check(1, &Confidence::Certain, "01");
    check(2, &Confidence::Open { eye }, "02 03");
    check(2, &ParcelEvent::Believed { now: Confidence::Open { eye } }, "12 02 03");
    check(2, &Under::Open, "04");
    check(2, &Under::Torn(ParcelId(7)), "05 0000000000000007");
    let at = |at| Position::new(EncoderId(1), at);
    let pulse = Pulse { head: at(2), tail: Some(at(5)), spread: Distance(3) };
    check(
        2,
        &Stretch { eye, pulses: vec![pulse] },
        "03 00000001 01 0000000000000002 01 01 0000000000000005 0000000000000003",
    );
}

#[test]
fn waybills_are_a_set_of_texts_in_every_version() {
    let texts = ["a", "b", "bc"].map(String::from);
    let golden = "00000003 00000001 61 00000001 62 00000002 6263";
    check(1, &Waybills::from_iter(texts.clone()), golden);
    check(1, &BTreeSet::from(texts), golden);
    let mut twice = Source::new(&[0, 0, 0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 1, 97], 2);
    assert_eq!(Waybills::get(&mut twice), Err(Fault::Order { at: 14 }));
}

const CHUTE: ChuteNo = ChuteNo(3);

#[test]
fn inputs_of_chutes() {
    for (contact, golden) in
        [(ChuteContact::Full, "01"), (ChuteContact::Lock, "02"), (ChuteContact::Button, "03")]
    {
        let input = Input::Chute { chute: CHUTE, contact, active: true };
        check(2, &input, &format!("28 0003 {golden} 01"));
    }
    let code = || "c".to_string();
    for (deed, golden) in [
        (Deed::Lock { chute: CHUTE }, "01 0003"),
        (Deed::Unlock { chute: CHUTE }, "02 0003"),
        (Deed::TakeOut { chute: CHUTE }, "03 0003"),
        (Deed::PutBack { chute: CHUTE }, "04 0003"),
        (Deed::BindBag { chute: CHUTE, label: code() }, "05 0003 0000000163"),
        (Deed::CloseBag { chute: CHUTE, label: code() }, "06 0003 0000000163"),
        (Deed::PutByHand { chute: CHUTE, code: code() }, "07 0003 0000000163"),
        (Deed::Missorted { chute: CHUTE, code: code() }, "08 0003 0000000163"),
        (Deed::Fallen { code: code() }, "09 0000000163"),
    ] {
        let input = Input::Deed { deed, by: "x".to_string(), reason: "y".to_string() };
        check(2, &input, &format!("29 {golden} 0000000178 0000000179"));
    }
}

#[test]
fn plans_with_bags_overflow_and_cut_off() {
    for (allocation, golden) in [(Allocation::Fill, "03"), (Allocation::Balance, "04")] {
        let rule = Rule {
            carrier: "c".to_string(),
            prefix: String::new(),
            chutes: vec![ChuteNo(5)],
            allocation,
            overflow: vec![ChuteNo(6)],
            cut_off: Some(CutOff { from: 7, until: 8, chutes: vec![ChuteNo(9)] }),
        };
        let (name, rules, bagged) = ("p".to_string(), vec![rule], vec![ChuteNo(5)]);
        let plan = Plan { name, version: 2, rules, bagged };
        check(
            2,
            &Input::PlanSelected { plan },
            &format!(
                "11 0000000170 00000002 00000001 0000000163 00000000 00000001 0005 {golden} \
                 00000001 0006 01 0007 0008 00000001 0009 00000001 0005"
            ),
        );
    }
}

#[test]
fn decisions_of_chutes() {
    for (lamp, golden) in [(Lamp::Off, "01"), (Lamp::Steady, "02"), (Lamp::Blink, "03")] {
        check(2, &Decision::Lamp { chute: CHUTE, lamp }, &format!("0b 0003 {golden}"));
    }
    let label = || "b".to_string();
    for (event, golden) in [
        (ChuteEvent::BagBound { label: label() }, "02 0000000162"),
        (
            ChuteEvent::BagClosed { label: label(), pieces: 1, grams: 2 },
            "03 0000000162 00000001 0000000000000002",
        ),
        (ChuteEvent::Emptied { pieces: 1, grams: 2 }, "04 00000001 0000000000000002"),
        (ChuteEvent::PutByHand { code: label() }, "05 0000000162"),
        (ChuteEvent::Missorted { code: label() }, "06 0000000162"),
    ] {
        check(2, &Decision::Chute { chute: CHUTE, event }, &format!("0c 0003 {golden}"));
    }
    for (to, golden) in [
        (ChuteState::Filling, "02"),
        (ChuteState::Full { by: FullBy::Eye }, "03 01"),
        (ChuteState::Full { by: FullBy::Count }, "03 02"),
        (ChuteState::Full { by: FullBy::Weight }, "03 03"),
        (ChuteState::Full { by: FullBy::Buffer }, "03 04"),
        (ChuteState::Locked { by: LockedBy::Button }, "04 01"),
        (ChuteState::Locked { by: LockedBy::Switch }, "04 02"),
        (ChuteState::Locked { by: LockedBy::Person }, "04 03"),
        (ChuteState::Locked { by: LockedBy::NoBag }, "04 04"),
        (ChuteState::Buffered { landed: 5 }, "05 0005"),
        (ChuteState::Faulted { by: FaultedBy::Diverter }, "06 01"),
        (ChuteState::Faulted { by: FaultedBy::Person }, "06 02"),
        (ChuteState::Faulted { by: FaultedBy::Jam }, "06 03"),
    ] {
        let event = ChuteEvent::State { from: ChuteState::Idle, to, cause: ChuteCause::Landing };
        check(2, &Decision::Chute { chute: CHUTE, event }, &format!("0c 0003 01 01 {golden} 01"));
    }
    for (cause, golden) in [
        (ChuteCause::Landing, "01"),
        (ChuteCause::Eye, "02"),
        (ChuteCause::Switch, "03"),
        (ChuteCause::Button, "04"),
        (ChuteCause::Person, "05"),
        (ChuteCause::Bag, "06"),
        (ChuteCause::Plan, "07"),
        (ChuteCause::Node, "08"),
    ] {
        check(2, &cause, golden);
    }
    for (bar, golden) in [
        (Bar::Full, "01"),
        (Bar::Locked, "02"),
        (Bar::Rate, "03"),
        (Bar::Late, "04"),
        (Bar::Off, "05"),
    ] {
        let event = ParcelEvent::PassedOver { chute: CHUTE, bar };
        let decision = Decision::Parcel { parcel: ParcelId(1), event };
        check(2, &decision, &format!("08 0000000000000001 11 0003 {golden}"));
    }
}

#[test]
fn conditions_and_reasons_of_chutes() {
    let parcel = ParcelId(1);
    for (unmet, golden) in [
        (Unmet::NoSuchChute(CHUTE), "28 0003"),
        (Unmet::NotLocked(CHUTE), "29 0003"),
        (Unmet::BagOpen(CHUTE), "2a 0003"),
        (Unmet::OtherBag(CHUTE), "2b 0003"),
        (Unmet::LabelBound(CHUTE), "2c 0003"),
        (Unmet::NoCode, "2d"),
        (Unmet::OnBelt(parcel), "2e 0000000000000001"),
        (Unmet::GateClosed(parcel), "2f 0000000000000001"),
        (Unmet::OtherKey(CHUTE), "30 0003"),
    ] {
        check(2, &unmet, golden);
    }
    for (reason, golden) in
        [(Reason::ChuteFull, "28"), (Reason::RateLimit, "29"), (Reason::CutOff, "2a")]
    {
        check(2, &reason, golden);
    }
}

#[test]
fn what_is_known_of_a_chute() {
    let memory = ChuteMemory {
        state: ChuteState::Filling,
        since: Micros(1),
        cause: ChuteCause::Bag,
        lamp: Lamp::Blink,
        full_eye: Some(Micros(2)),
        landing_eye: None,
        switch: true,
        change: Some(ChangeBy::Person),
        buffered: 3,
        out_of_use: false,
        content: Content {
            label: Some("b".to_string()),
            closed: true,
            pieces: 4,
            grams: 5,
            from: None,
        },
        before: Some(Content::default()),
        recent: [(Micros(6), Distance(7))].into(),
        counts: ChuteCounts {
            barred_full: 1,
            barred_locked: 2,
            barred_rate: 3,
            hands: 4,
            by_hand: 5,
            missorted: 6,
        },
    };
    check(
        2,
        &memory,
        "02 0000000000000001 06 03 01 0000000000000002 00 01 01 02 0003 00 \
         01 0000000162 01 00000004 0000000000000005 00 \
         01 00 00 00000000 0000000000000000 00 \
         00000001 0000000000000006 0000000000000007 \
         0000000000000001 0000000000000002 0000000000000003 0000000000000004 0000000000000005 \
         0000000000000006",
    );
    check(2, &ChangeBy::Button, "01");
}

#[test]
fn commands_with_a_reason() {
    for (command, golden) in [
        (Command::Stop, "03"),
        (Command::Complete, "08"),
        (Command::SetMode(UnitMode::Production), "09 01"),
        (Command::SetMode(UnitMode::Maintenance), "09 02"),
        (Command::SetMode(UnitMode::Manual), "09 03"),
        (Command::Acknowledge { alarm: None }, "0a 00"),
        (Command::Acknowledge { alarm: Some(Alarm::EndFull) }, "0a 01 0a"),
        (Command::Shelve { alarm: Alarm::Ghost(NodeId(4)), minutes: 30 }, "0b 07 04 001e"),
        (Command::Unshelve { alarm: Alarm::Flood }, "0c 0f"),
    ] {
        let input = Input::Command { command, by: "x".to_string(), reason: "y".to_string() };
        check(2, &input, &format!("10 {golden} 00000001 78 00000001 79"));
    }
}

#[test]
fn states_alarms_and_refusals() {
    for (reason, golden) in [
        (StateReason::NotEmpty, "09"),
        (StateReason::Jam(EyeId(3)), "0a 03"),
        (StateReason::ArrivalJam(EyeId(3)), "0b 03"),
        (StateReason::EncoderStall(NodeId(4)), "0c 04"),
        (StateReason::Asleep, "0d"),
        (StateReason::Woken, "0e"),
    ] {
        let decision = Decision::State { from: State::Execute, to: State::Unsuspending, reason };
        check(2, &decision, &format!("09 05 11 {golden}"));
    }
    let eye = EyeId(3);
    for (alarm, golden) in [
        (Alarm::NotEmpty, "0e"),
        (Alarm::Flood, "0f"),
        (Alarm::Jam(eye), "10 03"),
        (Alarm::QueueJam(eye), "11 03"),
        (Alarm::ArrivalJam(eye), "12 03"),
        (Alarm::EyeStuck(eye), "13 03"),
        (Alarm::EyeBlind(eye), "14 03"),
        (Alarm::EyeDirty(eye), "15 03"),
        (Alarm::EncoderStall(NodeId(4)), "16 04"),
    ] {
        check(2, &Decision::Alarm { alarm, raised: true }, &format!("07 {golden} 01"));
    }
    let why = vec![
        Unmet::NoSuchAlarm(Alarm::EndFull),
        Unmet::TooUrgent(Alarm::EndFull),
        Unmet::NoReason,
        Unmet::ShelfTooLong,
        Unmet::ShelvesFull,
        Unmet::WrongMode(UnitMode::Maintenance),
        Unmet::EyeBlocked(eye),
    ];
    check(2, &Decision::Refused { why }, "0a 00000007 080a 090a 0a 0b 0c 0d02 0e03");
    check(2, &Input::ZoneExit { zone: ZoneId(1), active: true }, "1b 01 01");
}

#[test]
fn modes_of_a_snapshot() {
    let until = Micros(6);
    for (mode, golden) in [
        (Mode::Holding { until }, "0c 0000000000000006"),
        (Mode::UnholdWarning { until }, "0d 0000000000000006"),
        (Mode::UnholdRamping { until }, "0e 0000000000000006"),
        (Mode::Suspending { until }, "0f 0000000000000006"),
        (Mode::Suspended, "10"),
        (Mode::WakeWarning { until }, "11 0000000000000006"),
        (Mode::WakeRamping { until }, "12 0000000000000006"),
        (Mode::Completing { by: until }, "13 0000000000000006"),
        (Mode::Emptied { until }, "14 0000000000000006"),
        (Mode::Completed, "15"),
    ] {
        check(2, &mode, golden);
    }
}

#[test]
fn how_well_an_eye_sees() {
    let blocked = Some(Micros(6));
    let eye = EyeMemory { blocked, missed: 1, passed: 2, short: 3, lost: 4, lost_from: None };
    check(2, &eye, "01 0000000000000006 01 02 03 04 00");
    for (pressure, golden) in
        [(Pressure::None, "01"), (Pressure::SlowDown, "02"), (Pressure::Pause, "03")]
    {
        check(2, &pressure, golden);
    }
}

#[test]
fn the_annunciator_of_a_snapshot() {
    let shelf = Shelf { until: Micros(6), by: "x".to_string(), reason: String::new() };
    let entry = |attention, shelf| Entry { since: Micros(5), attention, shelf };
    let told = Annunciator {
        entries: BTreeMap::from([
            (Alarm::CommitsStalled, entry(Attention::Unacknowledged, None)),
            (Alarm::EndFull, entry(Attention::Returned, None)),
            (Alarm::NotEmpty, entry(Attention::Acknowledged, Some(shelf))),
        ]),
        rising: BTreeMap::from([(Alarm::Flood, Micros(7))]),
        falling: BTreeMap::new(),
        first_out: Some(Alarm::EndFull),
        recent: VecDeque::from([Micros(8)]),
    };
    check(
        2,
        &told,
        "00000003 09 0000000000000005 01 00 0a 0000000000000005 02 00 \
         0e 0000000000000005 03 01 0000000000000006 00000001 78 00000000 \
         00000001 0f 0000000000000007 00000000 01 0a 00000001 0000000000000008",
    );
}

#[test]
fn what_is_told_for_people() {
    let stepped = Input::WallClockStepped { utc_us: 11, by_us: -2 };
    check(2, &stepped, "32 000000000000000b fffffffffffffffe");
    for (file, golden) in [(File::Line, "01"), (File::Plan, "02"), (File::Manifest, "03")] {
        let (name, by, reason) = ("n".to_string(), "x".to_string(), "y".to_string());
        let input = Input::FileTaken { file, name, hash: [0xAB; 32], by, reason };
        let hash = "ab".repeat(32);
        check(2, &input, &format!("33 {golden} 00000001 6e {hash} 00000001 78 00000001 79"));
    }
    let raised = Decision::Alarm { alarm: Alarm::WallClockStepped, raised: true };
    check(2, &raised, "07 3c 01");
}
