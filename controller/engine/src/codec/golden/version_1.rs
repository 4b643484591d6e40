//! The bytes of format version 1, literally. Never edited: another form is another version.

use super::{Source, Wire, check_old};
use crate::codec::Fault;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use line_model::alarm::Alarm;
use line_model::decision::{ArmPlan, Decision, Light, ParcelEvent};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, ScannerId, Side, Tag, ZoneId};
use line_model::packml::{State, StateReason};
use line_model::plan::{Allocation, Facts, Plan, Rule, Screening};
use line_model::reason::Reason;
use line_model::signal::{ArmEnd, Command, Contact, DownReason, Input, Read};
use line_model::view::Unmet;
use std::format;
use std::string::ToString;
use std::vec;
use units::{Distance, EncoderId, Grams, Micros, Millis, MmPerSecond, Position};

#[track_caller]
fn check<T: Wire + PartialEq + Debug>(value: &T, golden: &str) {
    super::check(1, value, golden);
}

const fn at(at: i64) -> Position {
    Position::new(EncoderId(1), at)
}

const AT: &str = "01 0000000000000002";
const SPREAD: &str = "0000000000000003";
const TAG: &str = "00000009";

#[test]
fn inputs_of_maps() {
    let node = NodeId(4);
    check(&Input::MapSpread { node, spread: Distance(2) }, "19 04 0000000000000002");
    check(&Input::EncoderDrift { node, by: Distance(-3) }, "1a 04 fffffffffffffffd");
}

#[test]
fn inputs_of_readers() {
    let (position, spread, scanner) = (at(2), Distance(3), ScannerId(0));
    let codes = Read::Codes(vec!["ab".to_string()]);
    for (read, golden) in
        [(codes, "01 00000001 00000002 6162"), (Read::NoRead, "02"), (Read::TooLong, "03")]
    {
        check_old(
            1,
            &Input::Read { scanner, at: position, spread, read },
            &format!("04 {AT} {SPREAD} {golden}"),
        );
    }
    check_old(
        1,
        &Input::Unassigned { scanner, at: position, trigger: Some(6) },
        &format!("05 {AT} 01 0006"),
    );
}

#[test]
fn inputs() {
    let (position, spread, tag) = (at(2), Distance(3), Tag(9));
    let node = NodeId(4);
    let ms = Millis(5);
    check(
        &Input::Edge { eye: EyeId(7), active: true, at: position, spread },
        &format!("01 07 01 {AT} {SPREAD}"),
    );
    check(
        &Input::Landing { chute: ChuteNo(12), active: false, at: position, ms },
        &format!("02 000c 00 {AT} 00000005"),
    );
    check(&Input::Heard { node, at: at(-1) }, "03 04 01 ffffffffffffffff");
    check(
        &Input::Measured { at: position, spread, weight: Some(Grams(8)), size_mm: [1, 2, 3] },
        &format!("06 {AT} {SPREAD} 01 00000008 0001 0002 0003"),
    );
    check(&Input::ArmAnswered { tag, taken: true }, &format!("07 {TAG} 01"));
    for (end, golden) in [
        (ArmEnd::Fired { edge: at(2) }, "01 01 0000000000000002"),
        (ArmEnd::Expired, "02"),
        (ArmEnd::Ambiguous, "03"),
        (ArmEnd::Locked, "04"),
        (ArmEnd::Short, "05"),
        (ArmEnd::Busy, "06"),
        (ArmEnd::Cancelled, "07"),
        (ArmEnd::LeaseExpired, "08"),
        (ArmEnd::Restarted, "09"),
    ] {
        check(
            &Input::ArmEnded { tag, end, at: position, ms },
            &format!("08 {TAG} {golden} {AT} 00000005"),
        );
    }
    for (contact, golden) in [
        (Contact::Estop(2), "01 02"),
        (Contact::Start, "02"),
        (Contact::Stop, "03"),
        (Contact::Reset, "04"),
        (Contact::EndFull, "05"),
    ] {
        check(&Input::Contact { contact, active: true }, &format!("09 {golden} 01"));
    }
    check(&Input::NodeUp { node, restarted: true }, "0a 04 01");
    for (why, golden) in [
        (DownReason::Silent, "01"),
        (DownReason::BusDown, "02"),
        (DownReason::WrongMap { found: 2 }, "03 0002"),
        (DownReason::WrongKind { found: 3 }, "04 0003"),
        (DownReason::NotOwner, "05"),
        (DownReason::AddressClash { one: 1, other: 0x0203 }, "06 00000001 00000203"),
    ] {
        check(&Input::NodeDown { node, why }, &format!("0b 04 {golden}"));
    }
    check(&Input::EventsLost { node, entries: 513 }, "0c 04 0201");
    check(&Input::LeaseExpired { node }, "0d 04");
    check(&Input::Adopted { node, tags: vec![tag] }, &format!("0e 04 00000001 {TAG}"));
    check(&Input::Withheld { tag }, &format!("12 {TAG}"));
    check(&Input::CommitsStalled, "13");
    check(&Input::CommitsResumed, "14");
    check(&Input::Resumed { gap: Micros(10) }, "15 000000000000000a");
    check(&Input::Quarantined, "16");
    check(&Input::WallClock { utc_us: 11 }, "17 000000000000000b");
    check(&Input::Timer, "18");
}

#[test]
fn inputs_from_people_and_the_manifest() {
    let parcel = ParcelId(1);
    check(&Input::Route { parcel, facts: None }, "0f 0000000000000001 00");
    for (screened, golden) in [
        (Screening::Passed, "01"),
        (Screening::AtHub, "02"),
        (Screening::Rejected, "03"),
        (Screening::Unknown, "04"),
    ] {
        let facts = Facts {
            waybill: "w".to_string(),
            carrier: "c".to_string(),
            route: "r".to_string(),
            class: String::new(),
            inspected: true,
            screened,
            real_name: true,
            hold: None,
        };
        check_old(
            1,
            &Input::Route { parcel, facts: Some(facts) },
            &format!(
                "0f 0000000000000001 01 0000000177 0000000163 0000000172 00000000 01 {golden}"
            ),
        );
    }
    for (command, golden) in [
        (Command::Reset, "01"),
        (Command::Start, "02"),
        (Command::Stop, "03"),
        (Command::Hold, "04"),
        (Command::Abort, "05"),
        (Command::Clear, "06"),
        (Command::Resolve { parcel, chute: Some(ChuteNo(3)) }, "07 0000000000000001 01 0003"),
    ] {
        let by = "x".to_string();
        let input = Input::Command { command, by, reason: String::new() };
        check_old(1, &input, &format!("10 {golden} 00000001 78"));
    }
    for (allocation, golden) in [(Allocation::Nearest, "01"), (Allocation::RoundRobin, "02")] {
        let rule = Rule {
            carrier: "c".to_string(),
            prefix: String::new(),
            chutes: vec![ChuteNo(5)],
            allocation,
            overflow: vec![],
            cut_off: None,
        };
        let (name, rules, bagged) = ("p".to_string(), vec![rule], vec![]);
        let plan = Plan { name, version: 2, rules, bagged };
        super::check_old(
            1,
            &Input::PlanSelected { plan },
            &format!("11 0000000170 00000002 00000001 0000000163 00000000 00000001 0005 {golden}"),
        );
    }
}

#[test]
fn decisions() {
    let (parcel, tag, node) = (ParcelId(1), Tag(9), NodeId(4));
    for (side, golden) in [(Side::Left, "01"), (Side::Right, "02")] {
        let plan = ArmPlan {
            tag,
            diverter: DiverterId(2),
            side,
            parcel,
            from: at(2),
            to: at(2),
            length_min: Distance(3),
            delay: Distance(3),
            release: Distance(3),
            send_by: Micros(6),
        };
        check(
            &Decision::Arm(plan),
            &format!(
                "01 {TAG} 02 {golden} 0000000000000001 {AT} {AT} {SPREAD} {SPREAD} {SPREAD} \
                 0000000000000006"
            ),
        );
    }
    check(&Decision::CancelArm { diverter: DiverterId(2), tag }, &format!("02 02 {TAG}"));
    let drive = Decision::Drive { zone: ZoneId(1), run: true, speed: MmPerSecond(1_200) };
    check(&drive, "03 01 01 000004b0");
    check(&Decision::Release { zone: ZoneId(1), gap: Distance(3) }, &format!("04 01 {SPREAD}"));
    for (light, golden) in
        [(Light::Red, "01"), (Light::Yellow, "02"), (Light::Green, "03"), (Light::Horn, "04")]
    {
        check(&Decision::Light { light, on: true }, &format!("05 {golden} 01"));
    }
    let ask = Decision::AskRoute { parcel, code: "k".to_string() };
    check(&ask, "06 0000000000000001 00000001 6b");
    for (alarm, golden) in [
        (Alarm::Estop(1), "01 01"),
        (Alarm::NodeDown(node), "02 04"),
        (Alarm::LeaseExpired(node), "03 04"),
        (Alarm::EventsLost(node), "04 04"),
        (Alarm::EncoderDrift(node), "0d 04"),
        (Alarm::Unconfirmed(parcel), "05 0000000000000001"),
        (Alarm::Lost(parcel), "06 0000000000000001"),
        (Alarm::Ghost(node), "07 04"),
        (Alarm::UnexpectedLanding(ChuteNo(3)), "08 0003"),
        (Alarm::CommitsStalled, "09"),
        (Alarm::EndFull, "0a"),
        (Alarm::QuarantineAtEnd(parcel), "0b 0000000000000001"),
        (Alarm::InputQuarantined, "0c"),
    ] {
        check(&Decision::Alarm { alarm, raised: false }, &format!("07 {golden} 00"));
    }
    let why = vec![
        Unmet::EstopActive(1),
        Unmet::NodeDown(node),
        Unmet::NoPlan,
        Unmet::CommitsStalled,
        Unmet::EndFull,
        Unmet::WrongState(State::Stopped),
        Unmet::NotOpen(parcel),
    ];
    let golden = "0a 00000007 0101 0204 03 04 05 0601 07 0000000000000001";
    check(&Decision::Refused { why }, golden);
}

#[test]
fn steps_of_parcels() {
    let (parcel, tag, chute) = (ParcelId(1), Tag(9), ChuteNo(3));
    for (event, golden) in [
        (ParcelEvent::Inducted { at: at(2) }, format!("01 {AT}")),
        (ParcelEvent::Measured { length: Distance(3) }, format!("02 {SPREAD}")),
        (ParcelEvent::Weighed { weight: None }, "03 00".to_string()),
        (ParcelEvent::Identified { code: "k".to_string() }, "04 00000001 6b".to_string()),
        (ParcelEvent::Seen { eye: EyeId(7), at: at(2) }, format!("05 07 {AT}")),
        (
            ParcelEvent::Routed { carrier: "c".to_string(), route: String::new() },
            "06 00000001 63 00000000".to_string(),
        ),
        (
            ParcelEvent::Assigned { chute, alternate: true, reason: Some(Reason::NoRoute) },
            "07 0003 01 01 05".to_string(),
        ),
        (ParcelEvent::SentToEnd { reason: Reason::NoRead }, "08 01".to_string()),
        (ParcelEvent::Armed { tag, diverter: DiverterId(2) }, format!("09 {TAG} 02")),
        (ParcelEvent::Fired { tag, chute }, format!("0a {TAG} 0003")),
        (ParcelEvent::LandedProvisional { chute }, "0b 0003".to_string()),
        (ParcelEvent::Landed { chute, alternate: false }, "0c 0003 00".to_string()),
        (ParcelEvent::EndLanded { reason: Reason::Touching }, "0d 19".to_string()),
        (ParcelEvent::Unconfirmed { chute }, "0e 0003".to_string()),
        (ParcelEvent::Lost { eye: EyeId(7) }, "0f 07".to_string()),
        (ParcelEvent::Removed { by: "x".to_string() }, "10 00000001 78".to_string()),
    ] {
        check(&Decision::Parcel { parcel, event }, &format!("08 0000000000000001 {golden}"));
    }
}

#[test]
fn states_and_their_reasons() {
    for (state, golden) in State::ALL.into_iter().zip(1..) {
        let reason = StateReason::Done;
        let decision = Decision::State { from: state, to: State::Stopped, reason };
        check(&decision, &format!("09 {golden:02x} 01 02"));
    }
    for (reason, golden) in [
        (StateReason::Command(Command::Stop), "01 03"),
        (StateReason::Done, "02"),
        (StateReason::Estop(1), "03 01"),
        (StateReason::NodeDown(NodeId(4)), "04 04"),
        (StateReason::LeaseExpired(NodeId(4)), "05 04"),
        (StateReason::AwayTooLong, "06"),
        (StateReason::EndFull, "07"),
        (StateReason::Quarantined, "08"),
    ] {
        let decision = Decision::State { from: State::Idle, to: State::Held, reason };
        check(&decision, &format!("09 03 06 {golden}"));
    }
}

#[test]
fn lengths_that_lie_are_faults_before_anything_is_kept() {
    let bytes = [0xFF, 0xFF, 0xFF, 0xFF, 1, 2];
    assert_eq!(Vec::<u64>::get(&mut Source::new(&bytes, 1)), Err(Fault::Truncated { at: 6 }));
    assert_eq!(String::get(&mut Source::new(&bytes, 1)), Err(Fault::Truncated { at: 6 }));
    let twice = [0, 0, 0, 2, 5, 5];
    let set = <alloc::collections::BTreeSet<u8> as Wire>::get(&mut Source::new(&twice, 1));
    assert_eq!(set, Err(Fault::Order { at: 6 }));
    let text = [0, 0, 0, 1, 0xFF];
    assert_eq!(String::get(&mut Source::new(&text, 1)), Err(Fault::Text { at: 4 }));
}
