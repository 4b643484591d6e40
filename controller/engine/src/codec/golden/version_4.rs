//! The bytes of what came with format version 4, literally: new variants, and old ones that gained
//! a field.

use super::check;
use crate::record;
use alloc::collections::BTreeMap;
use alloc::vec;
use line_model::alarm::Alarm;
use line_model::decision::{Decision, ParcelEvent, Rescan};
use line_model::ids::{EyeId, NodeId, ParcelId, ScannerId};
use line_model::memory::Laps;
use line_model::parcel::{Confidence, Fate, Identity, Parcel, Sighting, Track};
use line_model::reason::Reason;
use line_model::rescan::{RescanMemory, Trigger};
use line_model::signal::{Input, Read};
use line_model::view::Tally;
use std::format;
use std::string::ToString;
use units::{Distance, EncoderId, Micros, Position};

#[test]
fn a_record_begins_with_its_version() {
    let written = record::encode(5, Micros(6), &Input::Timer, &[]);
    assert_eq!(super::hex(&written), "04000000000000000500000000000000061800000000");
    for older in [1, 2, 3] {
        let mut old = written.clone();
        old[0] = older;
        assert_eq!(record::decode(&old), record::decode(&written), "version {older} is read");
    }
    for found in [0, 5, 255] {
        let mut other = written.clone();
        other[0] = found;
        assert_eq!(record::decode(&other), Err(record::Fault::Version { found }));
    }
}

#[test]
fn reads_of_several_scanners() {
    let (at, spread) = (Position::new(EncoderId(2), 7), Distance(3));
    let scanner = ScannerId(2);
    let read = Input::Read { scanner, at, spread, read: Read::NoRead };
    check(4, &read, "04 02 0000000000000007 0000000000000003 02 02");
    let unassigned = Input::Unassigned { scanner, at, trigger: None };
    check(4, &unassigned, "05 02 0000000000000007 00 02");
}

#[test]
fn what_a_re_scan_says() {
    for (result, golden) in Rescan::ALL.into_iter().zip(["01", "02", "03", "04", "05", "06"]) {
        let event =
            ParcelEvent::Rescanned { scanner: ScannerId(1), code: "ab".to_string(), result };
        check(4, &event, &format!("13 01 00000002 6162 {golden}"));
    }
    check(4, &Reason::OtherCode, "2d");
    for (alarm, golden) in
        [(Alarm::RescanDiffers(NodeId(3)), "19 03"), (Alarm::RescannerSilent(NodeId(3)), "1a 03")]
    {
        check(4, &Decision::Alarm { alarm, raised: true }, &format!("07 {golden} 01"));
    }
}

#[test]
fn what_a_snapshot_keeps_of_a_re_scan() {
    let told = RescanMemory { confirmed: 1, restored: 2, differs: 3, unread: 4, silent: 5 };
    check(4, &told, "0000000000000001 0000000000000002 0000000000000003 0000000000000004 05");
    let head = Position::new(EncoderId(0), 5);
    let sighting = Sighting { eye: EyeId(0), head, tail: None, spread: Distance(2) };
    let parcel = Parcel {
        id: ParcelId(1),
        track: Track { seen: vec![sighting], next: 1, slack: Distance(0), length: None },
        identity: Identity::Unread,
        weight: None,
        fate: Fate::Open,
        confidence: Confidence::Certain,
        size_mm: [1, 2, 3],
        rescan: Some(Trigger { scanner: ScannerId(1), head, spread: Distance(2) }),
        mixed: true,
    };
    check(
        4,
        &parcel,
        "0000000000000001 00000001 00 00 0000000000000005 00 0000000000000002 01 \
         0000000000000000 00 01 00 01 01 0001 0002 0003 \
         01 01 00 0000000000000005 0000000000000002 01",
    );
}

#[test]
fn what_goes_round() {
    check(4, &ParcelEvent::Recirculated { reason: Reason::LapLimit }, "1e 3b");
    for (alarm, golden) in [(Alarm::ReturnFull, "1e"), (Alarm::RoundInVain, "1f")] {
        check(4, &Decision::Alarm { alarm, raised: true }, &format!("07 {golden} 01"));
    }
    check(4, &Laps { passes: 2, last: Micros(9) }, "02 0000000000000009");
    let tally = Tally {
        inducted: 1,
        recirculated: BTreeMap::from([(Reason::ChuteFull, 1)]),
        ..Tally::default()
    };
    let rest = "0000000000000000 0000000000000000 00000000 0000000000000000 0000000000000000 \
                0000000000000000 0000000000000000 00000000";
    check(4, &tally, &format!("0000000000000001 {rest} 00000001 28 0000000000000001"));
}
