//! A scanner behind diverters: whom it makes sure again, and whom doubtful.

use crate::alarm::Alarm;
use crate::decision::{ParcelEvent, Rescan};
use crate::harness::{Bench, Z3, arrival, diverter_node, facts, position};
use crate::ids::{EyeId, NodeId, ParcelId, ScannerId};
use crate::layout::StationPlace;
use crate::parcel::{Confidence, Parcel};
use crate::reason::Reason;
use crate::rescan::RescanMemory;
use crate::signal::{Input, Read};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use units::Distance;

/// Between the beds of D3 and D4: D4's eye makes sure, D5 and D6 can be had.
const PLACE: i64 = 8_700;
const NODE: NodeId = NodeId(4);

fn codes(code: &str) -> Read {
    Read::Codes(vec![code.to_string()])
}

fn running() -> Bench {
    let mut bench = Bench::running();
    bench.line.layout.rescanners = vec![StationPlace { node: NODE, at: Distance(PLACE) }];
    bench.line.memory.rescanners = vec![RescanMemory::default()];
    bench
}

impl Bench {
    /// A box that the tunnel reads as `first` and the re-scanner as `then`; `None` = no read.
    fn put_twice(&mut self, ahead: i64, first: Option<&str>, then: Option<&str>) -> usize {
        let mut carton = self.carton(ahead, 300, "");
        carton.read = Some(first.map_or(Read::NoRead, codes));
        let at = carton.head + PLACE;
        self.rescan_at(ahead + PLACE, at, then.map_or(Read::NoRead, codes));
        self.put_carton(carton)
    }

    /// The re-scanner answers for a trigger at `at`, 450 counts behind it.
    fn rescan_at(&mut self, ahead: i64, at: i64, read: Read) {
        let (at, spread) = (position(at), Distance(0));
        let input = Input::Read { scanner: ScannerId(1), at, spread, read };
        self.later(ahead + 450, input);
    }

    fn rescanned(&self, id: u64) -> Vec<Rescan> {
        let of = |event: &&ParcelEvent| match event {
            ParcelEvent::Rescanned { result, .. } => Some(*result),
            _ => None,
        };
        self.story(id).iter().filter_map(of).collect()
    }

    fn told(&self) -> RescanMemory {
        self.line.memory.rescanners[0]
    }
}

/// One box whose eyes lost events while it was behind the tunnel.
fn in_doubt(first: &str, then: &str) -> Bench {
    let mut bench = running();
    bench.put_twice(100, Some(first), Some(then));
    bench.run(100 + 3_000);
    bench.feed(Input::EventsLost { node: diverter_node(1), entries: 1 });
    assert!(bench.line.memory.live.values().all(Parcel::uncertain));
    bench
}

#[test]
fn its_own_code_again_confirms_a_parcel_and_changes_nothing() {
    let mut bench = running();
    bench.put_twice(100, Some("C"), Some("C"));
    bench.drain();
    bench.lands(1, 9);
    assert_eq!(bench.rescanned(1), [Rescan::Confirmed]);
    let told = RescanMemory { confirmed: 1, silent: 1, ..RescanMemory::default() };
    assert_eq!(bench.told(), told, "what passes counts as silent until the next code");
}

#[test]
fn its_own_code_again_restores_a_parcel_in_doubt_at_the_eye_behind() {
    let mut bench = in_doubt("C", "C");
    bench.run(100 + PLACE - 3_000);
    bench.run(460);
    assert_eq!(bench.rescanned(1), [Rescan::Found]);
    assert!(bench.line.memory.live.values().all(Parcel::uncertain), "one witness so far");
    bench.drain();
    bench.lands(1, 9);
    let certain = ParcelEvent::Believed { now: Confidence::Certain };
    assert!(bench.story(1).contains(&&certain));
    assert_eq!(bench.told().restored, 1);
    assert_eq!(bench.line.memory.tally.end_landed.len(), 0);
}

#[test]
fn a_chute_ahead_of_the_re_scanner_cannot_be_had_any_more() {
    let mut bench = in_doubt("A", "A");
    bench.drain();
    bench.ends_at_end(1, Reason::RouteLate);
    assert_eq!(bench.told().restored, 1);
}

#[test]
fn another_code_makes_two_parcels_doubtful_for_good() {
    let mut bench = running();
    bench.put_twice(100, Some("C"), Some("C2"));
    bench.facts.insert("C2".to_string(), facts("C2", "9"));
    bench.put_twice(1_600, Some("C2"), Some("C2"));
    bench.drain();
    bench.ends_at_end(1, Reason::OtherCode);
    bench.ends_at_end(2, Reason::OtherCode);
    assert_eq!(bench.rescanned(1), [Rescan::Differs]);
    assert_eq!(bench.rescanned(2), [Rescan::Elsewhere, Rescan::Unproven]);
    assert_eq!(bench.told().differs, 1);
    assert!(bench.line.memory.alarms.contains(&Alarm::RescanDiffers(NODE)));
}

#[test]
fn another_code_takes_an_arm_back() {
    let mut bench = running();
    bench.put_twice(100, Some("R1"), Some("X"));
    bench.drain();
    bench.ends_at_end(1, Reason::OtherCode);
    assert!(bench.story(1).iter().any(|step| matches!(step, ParcelEvent::Armed { .. })));
    assert!(bench.diverted.is_empty());
}

#[test]
fn a_parcel_in_doubt_with_another_code_is_not_restored() {
    let mut bench = in_doubt("C", "B");
    bench.drain();
    bench.ends_at_end(1, Reason::Uncertain);
    assert_eq!(bench.rescanned(1), [Rescan::Differs]);
}

#[test]
fn a_parcel_without_a_code_gets_one_and_is_sorted_behind_the_next_eye() {
    for route in ["9", "x"] {
        let mut bench = running();
        bench.facts.insert("N".to_string(), facts("N", route));
        bench.put_twice(100, None, Some("N"));
        bench.drain();
        bench.lands(1, if route == "9" { 9 } else { 11 });
        assert_eq!(bench.rescanned(1), [Rescan::Named]);
        assert_eq!(bench.told().restored, 1);
    }
    // Nor is it left open: the tunnel's reader said nothing at all.
    let mut bench = running();
    let at = bench.at + 100 + PLACE;
    let mut silent = bench.carton(100, 300, "");
    silent.read = None;
    bench.put_carton(silent);
    bench.rescan_at(100 + PLACE, at, codes("C"));
    bench.drain();
    bench.lands(1, 9);
}

#[test]
fn what_the_manifest_does_not_have_ends_for_that() {
    let mut bench = running();
    bench.put_twice(100, None, Some("stranger"));
    bench.drain();
    bench.ends_at_end(1, Reason::NoManifest);
    // The answer was there before the eye behind made it sure, or comes after it.
    for delay in [20, 700] {
        let mut bench = running();
        bench.route_delay = delay;
        bench.put_twice(100, None, Some("C"));
        bench.drain();
        bench.lands(1, 9);
    }
}

#[test]
fn a_code_that_is_in_a_chute_already_is_a_duplicate() {
    let mut bench = running();
    bench.put_twice(100, Some("A"), None);
    bench.drain();
    bench.lands(1, 1);
    bench.put_twice(100, None, Some("A"));
    bench.drain();
    bench.ends_at_end(2, Reason::Duplicate);
}

#[test]
fn a_duplicate_behind_it_makes_nobody_doubtful() {
    let mut bench = running();
    bench.put_twice(100, Some("C"), Some("C"));
    bench.put_twice(1_500, Some("C"), Some("C"));
    bench.drain();
    bench.lands(1, 9);
    bench.ends_at_end(2, Reason::Duplicate);
    assert_eq!(
        (bench.rescanned(1), bench.rescanned(2)),
        (vec![Rescan::Confirmed], vec![Rescan::Confirmed])
    );
    assert_eq!(bench.told().differs, 0);
}

#[test]
fn several_codes_stay_several_when_one_is_read_alone() {
    let mut bench = running();
    let mut carton = bench.carton(100, 300, "");
    carton.read = Some(Read::Codes(vec!["C".to_string(), "690".to_string()]));
    let at = carton.head + PLACE;
    bench.put_carton(carton);
    bench.rescan_at(100 + PLACE, at, codes("C"));
    bench.drain();
    bench.ends_at_end(1, Reason::MultiCode);
    assert_eq!(bench.rescanned(1), [Rescan::Unproven]);
}

#[test]
fn two_bodies_in_one_are_not_restored_by_one_code() {
    let mut bench = running();
    let carton = bench.put_twice(100, Some("C"), Some("C"));
    bench.change(carton, |carton| carton.looks = Some((EyeId(1), 450)));
    bench.drain();
    bench.ends_at_end(1, Reason::LengthMismatch);
    assert_eq!(bench.rescanned(1), [Rescan::Unproven]);
}

#[test]
fn a_trigger_that_two_parcels_could_have_made_restores_nobody() {
    let mut bench = running();
    bench.put_twice(100, Some("C"), None);
    bench.put_twice(1_300, Some("C2"), None);
    bench.facts.insert("C2".to_string(), facts("C2", "9"));
    bench.run(1_300 + 4_000);
    bench.feed(Input::EventsLost { node: diverter_node(1), entries: 1 });
    bench.feed(Input::NodeUp { node: Z3, restarted: true });
    let at = bench.at - 4_000 + PLACE;
    bench.run(100 + PLACE - 5_300);
    let layout = bench.line.layout.clone();
    let slack = |parcel: &mut Parcel| parcel.track.slack = Distance(1_300);
    bench.line.memory.live.change_all(&layout, slack);
    bench.rescan_at(0, at, codes("C2"));
    bench.run(500);
    assert!(bench.rescanned(1).is_empty() && bench.rescanned(2).is_empty());
    assert!(bench.line.memory.live.values().all(Parcel::uncertain));
}

#[test]
fn a_code_read_where_its_parcel_is_not_makes_that_one_doubtful() {
    let mut bench = running();
    bench.put_twice(2_000, Some("C"), None);
    bench.run(2_000 + 3_000);
    // Nobody is at the re-scanner as far as anybody knows.
    let at = bench.at;
    bench.rescan_at(0, at, codes("C"));
    bench.drain();
    bench.ends_at_end(1, Reason::OtherCode);
    assert_eq!(bench.rescanned(1), [Rescan::Elsewhere]);
}

#[test]
fn a_second_trigger_of_the_same_body_is_nothing() {
    let mut bench = running();
    bench.put_twice(100, Some("C"), Some("C"));
    let at = bench.at + 100 + PLACE + 250;
    bench.rescan_at(100 + PLACE + 250, at, codes("C"));
    bench.drain();
    bench.lands(1, 9);
    assert_eq!((bench.told().confirmed, bench.told().differs), (1, 0));
}

#[test]
fn a_code_that_counts_as_landed_is_told() {
    let mut bench = running();
    bench.put_twice(100, Some("A"), None);
    bench.drain();
    bench.lands(1, 1);
    let at = bench.at;
    // Told so late that it may have been on the belt then.
    bench.rescan_at(0, at - 2_000, codes("A"));
    bench.run(500);
    assert_eq!(bench.told().differs, 0);
    bench.rescan_at(0, at, codes("A"));
    bench.run(500);
    assert!(bench.line.memory.alarms.contains(&Alarm::RescanDiffers(NODE)));
}

#[test]
fn a_lost_parcel_whose_code_is_read_is_told_of() {
    let mut bench = running();
    let carton = bench.put_twice(100, Some("C"), None);
    bench.change(carton, |carton| carton.gone_after = Some(arrival(1)));
    bench.drain();
    let at = bench.at;
    bench.rescan_at(0, at, codes("C"));
    bench.run(500);
    bench.ends(
        1,
        &ParcelEvent::Rescanned {
            scanner: ScannerId(1),
            code: "C".to_string(),
            result: Rescan::Elsewhere,
        },
    );
    assert!(bench.line.memory.open.contains_key(&ParcelId(1)));
}

#[test]
fn who_is_not_seen_where_it_was_triggered_is_not_restored() {
    let mut bench = in_doubt("C", "C");
    let carton = bench.cartons.len() - 1;
    bench.change(carton, |carton| carton.slip_behind = Some((arrival(3), 190)));
    bench.drain();
    assert_eq!(bench.told().restored, 0);
    bench.ends_at_end(1, Reason::Uncertain);
}

#[test]
fn a_read_of_unknown_owner_takes_back_what_waits_for_the_next_eye() {
    let mut bench = in_doubt("C", "C");
    bench.run(100 + PLACE - 3_000 + 460);
    let (scanner, at) = (ScannerId(1), position(bench.at));
    bench.feed(Input::Unassigned { scanner, at, trigger: Some(3) });
    assert!(bench.line.memory.live.values().all(|parcel| parcel.rescan.is_some()));
    bench.feed(Input::Unassigned { scanner, at, trigger: None });
    bench.drain();
    bench.ends_at_end(1, Reason::Uncertain);
}

#[test]
fn a_re_scanner_that_reads_nothing_is_told_and_stops_nobody() {
    let mut bench = running();
    for number in 0..5 {
        bench.put_twice(100 + 1_500 * number, None, None);
    }
    bench.drain();
    assert!(bench.line.memory.alarms.contains(&Alarm::RescannerSilent(NODE)));
    assert_eq!(bench.told().unread, 5);
    bench.put_twice(100, Some("C"), Some("C"));
    bench.drain();
    bench.lands(6, 9);
    assert!(!bench.line.memory.alarms.contains(&Alarm::RescannerSilent(NODE)));
    // A dead node is told as one.
    bench.feed(Input::NodeDown { node: NODE, why: crate::signal::DownReason::Silent });
    bench.put(100, 300, "R1");
    bench.drain();
    bench.lands(7, 7);
    assert_eq!(bench.state(), crate::packml::State::Execute);
}
