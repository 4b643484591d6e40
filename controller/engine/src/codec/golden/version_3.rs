//! The bytes of what came with format version 3, literally: new variants, and old ones that gained
//! a field.

use super::{check, check_old};
use crate::record;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use line_model::alarm::Alarm;
use line_model::decision::Decision;
use line_model::ids::{ChuteNo, EyeId, ParcelId, ZoneId};
use line_model::jog::Jog;
use line_model::memory::Pace;
use line_model::parcel::{Confidence, Fate, Identity, Parcel, Sighting, Track};
use line_model::plan::{Facts, Hold, Screening};
use line_model::reason::Reason;
use line_model::signal::{Command, Input};
use line_model::view::Tally;
use std::format;
use std::string::ToString;
use units::{Distance, EncoderId, Grams, Micros, Position};

#[test]
fn a_record_of_version_3_is_read() {
    let old = super::bytes("03000000000000000500000000000000061800000000");
    let today = record::encode(5, Micros(6), &Input::Timer, &[]);
    assert_eq!(record::decode(&old), record::decode(&today));
}

#[test]
fn reasons_and_holds() {
    for (reason, golden) in [
        (Reason::ReaderSilent, "32"),
        (Reason::Overweight, "33"),
        (Reason::Oversize, "34"),
        (Reason::NotRealName, "35"),
        (Reason::DebtIntercept, "36"),
        (Reason::ItemCancelled, "37"),
        (Reason::Intercepted, "38"),
        (Reason::Prohibited, "39"),
        (Reason::CustomsHold, "3a"),
    ] {
        check(3, &reason, golden);
    }
    for (hold, golden) in [
        (None, "00"),
        (Some(Hold::Cancelled), "01 01"),
        (Some(Hold::Intercepted), "01 02"),
        (Some(Hold::Debt), "01 03"),
        (Some(Hold::Customs), "01 04"),
        (Some(Hold::Prohibited), "01 05"),
    ] {
        let facts = Facts {
            waybill: "w".to_string(),
            carrier: "c".to_string(),
            route: "r".to_string(),
            class: String::new(),
            inspected: true,
            screened: Screening::Passed,
            real_name: false,
            hold,
        };
        let input = Input::Route { parcel: ParcelId(1), facts: Some(facts) };
        let bytes = format!(
            "0f 0000000000000001 01 0000000177 0000000163 0000000172 00000000 01 01 00 {golden}"
        );
        check(3, &input, &bytes);
    }
}

#[test]
fn alarms_of_chutes() {
    for (alarm, golden) in
        [(Alarm::ChuteFaulted(ChuteNo(3)), "17 0003"), (Alarm::ChuteWaits(ChuteNo(3)), "18 0003")]
    {
        check(3, &Decision::Alarm { alarm, raised: true }, &format!("07 {golden} 01"));
    }
}

#[test]
fn jogs() {
    for (zone, golden) in [(None, "00"), (Some(ZoneId(2)), "01 02")] {
        let (by, reason) = ("x".to_string(), String::new());
        let input = Input::Command { command: Command::Jog { zone }, by, reason };
        check(3, &input, &format!("10 0d {golden} 00000001 78 00000000"));
    }
    let jog = Jog { zone: ZoneId(2), held_until: Micros(1), starts: Micros(3), running: true };
    check(3, &jog, "02 0000000000000001 0000000000000003 01");
}

#[test]
fn counts_and_sizes_of_a_snapshot() {
    let tally = Tally {
        inducted: 1,
        landed_planned: 1,
        landed_for: BTreeMap::from([(Reason::NoRoute, 1)]),
        ..Tally::default()
    };
    let rest = "0000000000000000 00000000 0000000000000000 0000000000000000 0000000000000000 \
                0000000000000000";
    let bytes = format!("0000000000000001 0000000000000001 {rest} 00000001 05 0000000000000001");
    check_old(3, &tally, &bytes);
    let head = Position::new(EncoderId(0), 5);
    let sighting = Sighting { eye: EyeId(0), head, tail: None, spread: Distance(2) };
    let parcel = Parcel {
        id: ParcelId(1),
        track: Track { seen: vec![sighting], next: 1, slack: Distance(0), length: None },
        identity: Identity::Unread,
        weight: Some(Grams(9)),
        fate: Fate::Open,
        confidence: Confidence::Certain,
        size_mm: [1, 2, 3],
        rescan: None,
        mixed: false,
    };
    check_old(
        3,
        &parcel,
        "0000000000000001 00000001 00 00 0000000000000005 00 0000000000000002 01 \
         0000000000000000 00 01 01 00000009 01 01 0001 0002 0003",
    );
}

#[test]
fn the_pace_of_the_belt_and_what_was_fired_in_vain() {
    let at = Position::new(EncoderId(2), 5);
    let pace = Pace { at, when: Micros(6), heard: Micros(7) };
    check(3, &pace, "02 0000000000000005 0000000000000006 0000000000000007");
    for (fired, golden) in [(None, "06 13 00"), (Some(ChuteNo(8)), "06 13 01 0008")] {
        check(3, &Fate::ToEnd { reason: Reason::DivertFailed, fired }, golden);
    }
}
