//! Where parcels end: the happy path and every reason for another one.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::harness::{ArmAnswer, Bench, arrival, diverter_node, facts, position};
use crate::ids::{ChuteNo, ParcelId, ScannerId};
use crate::layout::Largest;
use crate::parcel::Parcel;
use crate::plan::{Hold, Screening};
use crate::reason::Reason;
use crate::signal::{ArmEnd, Command, DownReason, Input, Read};
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use units::{Distance, Grams};

#[test]
fn a_readable_routable_parcel_lands_as_planned() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.drain();
    bench.lands(1, 1);
    let story = bench.story(1);
    let steps: alloc::vec::Vec<&str> = story
        .iter()
        .map(|event| match event {
            ParcelEvent::Inducted { .. } => "inducted",
            ParcelEvent::Measured { .. } => "measured",
            ParcelEvent::Weighed { .. } => "weighed",
            ParcelEvent::Identified { .. } => "identified",
            ParcelEvent::Seen { .. } => "seen",
            ParcelEvent::Routed { .. } => "routed",
            ParcelEvent::Assigned { .. } => "assigned",
            ParcelEvent::PassedOver { .. } => "passed_over",
            ParcelEvent::Believed { .. } => "believed",
            ParcelEvent::Rescanned { .. } => "rescanned",
            ParcelEvent::SentToEnd { .. } => "sent_to_end",
            ParcelEvent::Armed { .. } => "armed",
            ParcelEvent::Fired { .. } => "fired",
            ParcelEvent::LandedProvisional { .. } => "provisional",
            ParcelEvent::Landed { .. } => "landed",
            ParcelEvent::EndLanded { .. } => "end_landed",
            ParcelEvent::Recirculated { .. } => "recirculated",
            ParcelEvent::Unconfirmed { .. } => "unconfirmed",
            ParcelEvent::Lost { .. } => "lost",
            ParcelEvent::Removed { .. } => "removed",
        })
        .collect();
    let wanted = [
        "inducted",
        "weighed",
        "identified",
        "routed",
        "seen",
        "measured",
        "assigned",
        "armed",
        "seen",
        "fired",
        "provisional",
        "landed",
    ];
    assert_eq!(steps, wanted);
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.inducted, tally.landed_planned, tally.on_line), (1, 1, 0));
    assert_eq!(bench.line.memory.chutes.get(&ChuteNo(1)), Some(&1));
    assert!(bench.line.memory.alarms.is_empty() && bench.line.memory.arms.is_empty());
}

#[test]
fn a_stream_at_the_target_gap_lands_whole() {
    let mut bench = Bench::running();
    let codes = ["A", "B", "C", "R1", "R2"];
    for round in 0..20usize {
        let code = std::format!("{}-{round}", codes[round % 5]);
        let route = bench.facts[codes[round % 5]].route.clone();
        bench.facts.insert(code.clone(), facts(&code, &route));
        bench.put(100 + 1_250 * i64::try_from(round).unwrap(), 350, &code);
    }
    bench.drain();
    let tally = bench.line.memory.tally.clone();
    assert_eq!((tally.inducted, tally.landed_planned), (20, 20), "{tally:?}");
    let chutes: alloc::vec::Vec<_> =
        bench.line.memory.chutes.iter().map(|(chute, count)| (chute.0, *count)).collect();
    assert_eq!(chutes, [(1, 4), (3, 4), (7, 4), (8, 4), (9, 4)]);
}

#[track_caller]
fn one_ends(reason: Reason, prepare: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::running();
    prepare(&mut bench);
    bench.drain();
    bench.ends_at_end(1, reason);
    assert_eq!(bench.line.memory.tally.on_line, 0);
    bench
}

#[track_caller]
fn one_read(reason: Reason, read: Read) {
    one_ends(reason, |bench| {
        let carton = bench.put(100, 300, "A");
        bench.cartons[carton].read = Some(read);
    });
}

#[test]
fn what_the_reader_cannot_tell_goes_to_the_end() {
    one_read(Reason::NoRead, Read::NoRead);
    one_read(Reason::NoRead, Read::Codes(vec![]));
    one_read(Reason::CodeTooLong, Read::TooLong);
    one_read(Reason::MultiCode, Read::Codes(vec!["A".to_string(), "B".to_string()]));
}

#[test]
fn the_same_code_twice_is_one_code() {
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "A");
    bench.cartons[carton].read = Some(Read::Codes(vec!["A".to_string(), "A".to_string()]));
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn a_waybill_that_the_manifest_lacks_goes_to_the_end() {
    one_ends(Reason::NoManifest, |bench| {
        bench.put(100, 300, "nobody's");
    });
}

#[test]
fn a_key_without_a_rule_goes_to_general_exceptions() {
    let mut bench = Bench::running();
    bench.facts.insert("X".to_string(), facts("X", "77"));
    bench.put(100, 300, "X");
    bench.drain();
    bench.lands(1, 11);
    let assigned = ParcelEvent::Assigned {
        chute: ChuteNo(11),
        alternate: false,
        reason: Some(Reason::NoRoute),
    };
    assert!(bench.story(1).contains(&&assigned));
}

#[test]
fn another_carriers_rule_never_fits() {
    let mut bench = Bench::running();
    let mut other = facts("X", "1");
    other.carrier = "ZTO".to_string();
    bench.facts.insert("X".to_string(), other);
    bench.put(100, 300, "X");
    bench.drain();
    bench.lands(1, 11);
}

#[test]
fn gates_come_before_the_plan() {
    let cases = [
        (false, Screening::Passed, Reason::NotInspected),
        (true, Screening::Unknown, Reason::NotScreened),
        (true, Screening::Rejected, Reason::ScreeningRejected),
        (false, Screening::Rejected, Reason::ScreeningRejected),
    ];
    for (inspected, screened, reason) in cases {
        let mut bench = Bench::running();
        let mut item = facts("X", "1");
        (item.inspected, item.screened) = (inspected, screened);
        bench.facts.insert("X".to_string(), item);
        bench.put(100, 300, "X");
        bench.drain();
        bench.lands(1, 12);
        let assigned =
            ParcelEvent::Assigned { chute: ChuteNo(12), alternate: false, reason: Some(reason) };
        assert!(bench.story(1).contains(&&assigned));
    }
}

#[test]
fn what_is_held_or_without_a_name_goes_to_quarantine() {
    let cases = [
        (None, false, Reason::NotRealName),
        (Some(Hold::Cancelled), true, Reason::ItemCancelled),
        (Some(Hold::Intercepted), true, Reason::Intercepted),
        (Some(Hold::Debt), false, Reason::DebtIntercept),
        (Some(Hold::Customs), true, Reason::CustomsHold),
        (Some(Hold::Prohibited), true, Reason::Prohibited),
    ];
    for (hold, real_name, reason) in cases {
        let mut bench = Bench::running();
        let mut item = facts("X", "1");
        (item.hold, item.real_name) = (hold, real_name);
        bench.facts.insert("X".to_string(), item);
        bench.put(100, 300, "X");
        bench.drain();
        bench.lands(1, 12);
        assert_eq!(bench.line.memory.tally.landed_for, BTreeMap::from([(reason, 1)]));
    }
}

#[test]
fn what_is_too_heavy_or_too_large_goes_to_general_exceptions() {
    let cases = [
        (30_000, [0, 0, 0], None),
        (30_001, [900, 0, 0], Some(Reason::Overweight)),
        (900, [300, 701, 200], Some(Reason::Oversize)),
    ];
    for (grams, size_mm, reason) in cases {
        // Measured ahead of the decision, and behind it.
        for behind in [1_300, 2_300] {
            let mut bench = Bench::running();
            let largest = Largest { weight: Some(Grams(30_000)), side_mm: Some(700) };
            bench.line.layout.limits.largest = largest;
            let carton = bench.put(100, 300, "C");
            let head = bench.cartons[carton].head;
            bench.run(behind);
            let (at, weight) = (position(head + 300), Some(Grams(grams)));
            bench.feed(Input::Measured { at, spread: Distance(2), weight, size_mm });
            bench.drain();
            bench.lands(1, if reason.is_some() { 11 } else { 9 });
            let counted: Vec<Reason> = bench.line.memory.tally.landed_for.keys().copied().collect();
            assert_eq!(counted, Vec::from_iter(reason), "{grams} g, measured {behind} mm on");
        }
    }
}

#[test]
fn screening_at_the_hub_passes_the_gate() {
    let mut bench = Bench::running();
    let mut item = facts("X", "1");
    item.screened = Screening::AtHub;
    bench.facts.insert("X".to_string(), item);
    bench.put(100, 300, "X");
    bench.drain();
    bench.lands(1, 1);
}

#[test]
fn an_unreachable_quarantine_chute_sends_to_the_end_with_an_alarm() {
    let bench = one_ends(Reason::NotInspected, |bench| {
        let mut item = facts("X", "1");
        item.inspected = false;
        bench.facts.insert("X".to_string(), item);
        let node = diverter_node(6);
        bench.feed(Input::NodeDown { node, why: DownReason::Silent });
        bench.mute.insert(node);
        bench.put(100, 300, "X");
    });
    assert!(bench.line.memory.alarms.contains(&Alarm::QuarantineAtEnd(ParcelId(1))));
}

#[test]
fn a_duplicate_goes_to_the_end_unless_the_first_ended_there() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.put(1_500, 300, "A");
    bench.drain();
    bench.put(100, 300, "A");
    bench.drain();
    bench.lands(1, 1);
    bench.ends_at_end(2, Reason::Duplicate);
    bench.ends_at_end(3, Reason::Duplicate);

    let mut bench = Bench::running();
    bench.route_delay = 20_000;
    bench.put(100, 300, "A");
    bench.drain();
    bench.ends_at_end(1, Reason::RouteLate);
    bench.route_delay = 100;
    bench.put(100, 300, "A");
    bench.drain();
    bench.lands(2, 1);
}

#[test]
fn the_first_of_two_equal_waybills_goes_on() {
    // The second one is read before the first one's route is known.
    let mut bench = Bench::running();
    bench.route_delay = 1_800;
    bench.put(100, 300, "A");
    bench.put(1_500, 300, "A");
    bench.drain();
    bench.lands(1, 1);
    bench.ends_at_end(2, Reason::Duplicate);
}

#[test]
fn a_gap_that_is_too_small_sends_the_parcel_to_the_end() {
    // Behind a neighbour.
    let mut bench = Bench::running();
    bench.put(100, 300, "C");
    bench.put(100 + 300 + 500, 300, "A");
    bench.drain();
    bench.ends_at_end(2, Reason::GapTooSmall);
    // Ahead of one: the first is judged at the eye before its own bed.
    bench.ends_at_end(1, Reason::GapTooSmall);
}

#[test]
fn a_late_route_takes_a_later_chute_of_the_list_or_the_end() {
    let mut bench = Bench::running();
    bench.route_delay = 4_500;
    bench.put(100, 300, "B");
    bench.drain();
    // Chute 3 at the second diverter was past, chute 5 at the third was not.
    bench.lands(1, 5);
    one_ends(Reason::RouteLate, |bench| {
        bench.route_delay = 4_000;
        bench.put(100, 300, "A");
    });
    one_ends(Reason::ReaderSilent, |bench| {
        let carton = bench.put(100, 300, "A");
        bench.cartons[carton].read = None;
    });
}

#[test]
fn arms_that_do_not_fire_send_to_the_end_with_their_reason() {
    let cases = [
        (ArmAnswer::Refused, Reason::ArmRefused),
        (ArmAnswer::Withheld, Reason::ArmLate),
        (ArmAnswer::Silent, Reason::ArmLate),
        (ArmAnswer::Ends(ArmEnd::Expired), Reason::NotSeen),
        (ArmAnswer::Ends(ArmEnd::Ambiguous), Reason::Ambiguous),
        (ArmAnswer::Ends(ArmEnd::Locked), Reason::ChuteLocked),
        (ArmAnswer::Ends(ArmEnd::Short), Reason::LengthMismatch),
        (ArmAnswer::Ends(ArmEnd::Busy), Reason::BedBusy),
        (ArmAnswer::Ends(ArmEnd::LeaseExpired), Reason::Cancelled),
        (ArmAnswer::Ends(ArmEnd::Restarted), Reason::Restarted),
    ];
    for (answer, reason) in cases {
        let bench = one_ends(reason, |bench| {
            bench.arm_answer = answer;
            bench.put(100, 300, "A");
        });
        assert!(bench.line.memory.arms.is_empty(), "{answer:?} leaves no arm");
    }
}

#[test]
fn a_stalled_journal_arms_nobody() {
    let bench = one_ends(Reason::ArmLate, |bench| {
        bench.put(100, 300, "A");
        bench.run(500);
        bench.feed(Input::CommitsStalled);
        bench.run(5_000);
        bench.feed(Input::CommitsResumed);
    });
    let armed = |decision: &Decision| matches!(decision, Decision::Arm(_));
    assert!(!bench.log.iter().any(armed));
}

#[test]
fn a_chute_that_is_off_is_replaced_only_from_the_same_list() {
    let off = |bench: &mut Bench, number: u8| {
        let node = diverter_node(number);
        bench.feed(Input::NodeDown { node, why: DownReason::Silent });
        bench.mute.insert(node);
    };
    one_ends(Reason::ChuteOff, |bench| {
        off(bench, 1);
        bench.put(100, 300, "A");
    });
    // Off after the decision: another chute of the list counts as an alternate.
    let mut bench = Bench::running();
    bench.route_delay = 10;
    bench.put(100, 300, "B");
    bench.run(100 + 1_500 + 300 + 20);
    off(&mut bench, 2);
    bench.drain();
    // Its own eye is dark too, so that the parcel is not certain enough any more for the next bed.
    bench.ends_at_end(1, Reason::Uncertain);
    let again = ParcelEvent::Assigned {
        chute: ChuteNo(5),
        alternate: true,
        reason: Some(Reason::ChuteOff),
    };
    assert!(bench.story(1).contains(&&again));
}

#[test]
fn a_divert_that_fails_is_seen_downstream() {
    let bench = one_ends(Reason::DivertFailed, |bench| {
        let carton = bench.put(100, 300, "A");
        bench.cartons[carton].grips = false;
    });
    assert_eq!(bench.line.memory.tally.landed_planned, 0);
}

#[test]
fn a_divert_without_a_pulse_is_unconfirmed_until_a_person_resolves_it() {
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "A");
    bench.cartons[carton].pulse = false;
    bench.drain();
    bench.ends(1, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) });
    assert!(bench.line.memory.alarms.contains(&Alarm::Unconfirmed(ParcelId(1))));
    assert_eq!(bench.line.memory.tally.unconfirmed, 1);
    bench.command(Command::Resolve { parcel: ParcelId(1), chute: Some(ChuteNo(1)) });
    bench.ends(1, &ParcelEvent::Removed { by: "test".to_string() });
    let tally = &bench.line.memory.tally;
    assert_eq!((tally.unconfirmed, tally.removed), (0, 1));
    assert!(bench.line.memory.alarms.is_empty());
    bench.command(Command::Resolve { parcel: ParcelId(1), chute: None });
    assert!(matches!(bench.log.last(), Some(Decision::Refused { .. })));
}

/// Two boxes to one chute, so close that the second could land while the first still blocks the eye.
fn two_landings(pulse_counts: i64) -> Bench {
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "A");
    let second = bench.put(100 + 300 + 780, 300, "B");
    bench.facts.insert("B".to_string(), facts("B", "356-1"));
    bench.facts.insert("A".to_string(), facts("A", "356-1"));
    bench.cartons[first].pulse_counts = pulse_counts;
    bench.cartons[second].pulse = false;
    bench.drain();
    bench
}

#[test]
fn a_pulse_longer_than_one_parcel_stands_for_two_landings() {
    // At 1.2 m/s: 750 ms, longer than one parcel's.
    let bench = two_landings(900);
    let chute = match bench.story(1).last() {
        Some(ParcelEvent::Landed { chute, .. }) => chute.0,
        other => panic!("{other:?}"),
    };
    bench.lands(2, chute);
    assert_eq!(bench.line.memory.tally.landed_planned, 2);
}

#[test]
fn a_pulse_of_one_parcel_confirms_nobody_else() {
    // 666 ms: it ends after the second could have begun, and is no longer than one parcel's.
    let bench = two_landings(800);
    assert_eq!(bench.line.memory.tally.landed_planned, 1);
    assert_eq!(bench.line.memory.tally.unconfirmed, 1);
}

#[test]
fn one_pulse_that_two_could_have_cut_confirms_neither() {
    // A hand takes the first one off the turned bed; the second one's pulse is not too late for it.
    let mut bench = Bench::running();
    let first = bench.put(100, 300, "A");
    bench.put(100 + 300 + 780, 300, "B");
    bench.put(100 + 2 * (300 + 780) + 1_200, 300, "C");
    bench.facts.insert("A".to_string(), facts("A", "9"));
    bench.facts.insert("B".to_string(), facts("B", "9"));
    bench.cartons[first].pulse = false;
    bench.drain();
    bench.ends(1, &ParcelEvent::Unconfirmed { chute: ChuteNo(9) });
    bench.ends(2, &ParcelEvent::Unconfirmed { chute: ChuteNo(9) });
    bench.lands(3, 9);
}

#[test]
fn a_pulse_without_a_firing_is_never_a_landing() {
    let mut bench = Bench::running();
    let (at, ms) = (position(bench.at), units::Millis(5));
    bench.feed(Input::Landing { chute: ChuteNo(3), active: true, at, ms });
    assert!(bench.line.memory.alarms.contains(&Alarm::UnexpectedLanding(ChuteNo(3))));
    assert_eq!(bench.line.memory.counters.unexpected_landings, 1);
    assert_eq!(bench.line.memory.tally.landed_planned, 0);
}

#[test]
fn a_pulse_and_a_sighting_behind_the_bed_leave_it_unconfirmed_in_either_order() {
    for pulse_at in [5_700, 6_300] {
        let mut bench = Bench::running();
        let carton = bench.put(100, 300, "A");
        bench.change(carton, |carton| carton.grips = false);
        bench.run(pulse_at);
        let (at, ms) = (position(bench.at), units::Millis(5));
        bench.feed(Input::Landing { chute: ChuteNo(1), active: true, at, ms });
        bench.drain();
        bench.ends(1, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) });
    }
}

#[test]
fn lengths_that_do_not_fit_go_to_the_end() {
    one_ends(Reason::LengthMismatch, |bench| {
        let carton = bench.put(100, 300, "A");
        bench.change(carton, |carton| carton.looks = Some((crate::ids::EyeId(1), 450)));
    });
    // At the induction eye a parcel reads up to 60 % too long, and never too short.
    for (length, drawn) in [(200, 600), (300, 230)] {
        one_ends(Reason::LengthMismatch, |bench| {
            let carton = bench.put(100, length, "A");
            bench.change(carton, |carton| carton.looks = Some((crate::ids::EyeId(0), drawn)));
        });
    }
    one_ends(Reason::Touching, |bench| {
        bench.put(100, 800, "A");
    });
}

#[test]
fn two_labels_in_what_looks_like_one_parcel_with_a_hole_are_two_parcels() {
    let mut bench = Bench::running();
    let base = bench.at;
    let edge = |eye, active, at| {
        let (at, spread) = (position(base + at), units::Distance(0));
        Input::Edge { eye: crate::ids::EyeId(eye), active, at, spread }
    };
    let read = |at, code: &str| {
        let (at, spread) = (position(base + at), units::Distance(0));
        Input::Read { scanner: ScannerId(0), at, spread, read: Read::Codes(vec![code.into()]) }
    };
    // 380 mm and 160 mm with 50 mm between them, no more than a handle is long.
    for (eye, place) in [(0, 0), (1, 1_500)] {
        for (at, active) in [(100, true), (480, false), (530, true), (690, false)] {
            bench.later(at + place, edge(eye, active, at + place));
        }
    }
    bench.later(1_500, read(1_000, "A"));
    // Told while the hole is under the tunnel's eye, when 380 mm seem to be the whole of it.
    bench.later(2_010, read(1_430, "C"));
    bench.run(2_400);
    assert!(bench.story(1).contains(&&ParcelEvent::SentToEnd { reason: Reason::Touching }));
}

#[test]
fn a_read_of_unknown_owner_makes_both_neighbours_uncertain() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.put(1_400, 300, "C");
    bench.run(100 + 900 + 700);
    let at = position(bench.at);
    bench.feed(Input::Unassigned { scanner: ScannerId(0), at, trigger: Some(7) });
    assert!(bench.line.memory.live.values().all(Parcel::certain));
    bench.feed(Input::Unassigned { scanner: ScannerId(0), at, trigger: None });
    bench.drain();
    bench.ends_at_end(1, Reason::UnassignedRead);
    bench.ends_at_end(2, Reason::UnassignedRead);
}

#[test]
fn an_emergency_stop_cancels_what_was_armed() {
    let mut bench = one_ends(Reason::Cancelled, |bench| {
        bench.put(100, 300, "A");
        bench.run(100 + 4_000);
        bench.press(crate::signal::Contact::Estop(1), true);
    });
    let cancelled = |decision: &Decision| matches!(decision, Decision::CancelArm { .. });
    assert!(bench.log.iter().any(cancelled));
    bench.feed(Input::Timer);
}

#[test]
fn an_input_set_aside_makes_everybody_uncertain() {
    let bench = one_ends(Reason::Uncertain, |bench| {
        bench.put(100, 300, "A");
        bench.run(4_000);
        bench.feed(Input::Quarantined);
    });
    assert!(bench.line.memory.alarms.contains(&Alarm::InputQuarantined));
}

#[test]
fn a_node_that_restarts_with_an_arm_leaves_its_parcel_open() {
    // The bed fired, and the node forgot: nothing comes at the next eye.
    let mut bench = Bench::running();
    let carton = bench.put(100, 300, "A");
    bench.change(carton, |carton| carton.gone_after = Some(arrival(1)));
    bench.run(100 + 4_450 + 50);
    bench.arms.clear();
    bench.feed(Input::NodeUp { node: diverter_node(1), restarted: true });
    bench.drain();
    bench.ends(1, &ParcelEvent::Unconfirmed { chute: ChuteNo(1) });
    // The node restarted before the parcel came near: it passes.
    let bench = one_ends(Reason::Restarted, |bench| {
        bench.put(100, 300, "A");
        bench.run(100 + 3_000);
        bench.arms.clear();
        bench.feed(Input::NodeUp { node: diverter_node(1), restarted: true });
    });
    assert_eq!(bench.line.memory.tally.unconfirmed, 0);
}

#[test]
fn the_plan_of_the_induction_holds_for_a_parcel() {
    let mut bench = Bench::running();
    bench.put(100, 300, "A");
    bench.run(200);
    let mut plan = crate::harness::demo_plan();
    plan.version = 2;
    plan.rules[0].chutes = vec![ChuteNo(4)];
    bench.feed(Input::PlanSelected { plan });
    bench.facts.insert("A2".to_string(), facts("A2", "1"));
    bench.put(1_500, 300, "A2");
    bench.drain();
    bench.lands(1, 1);
    bench.lands(2, 4);
}
