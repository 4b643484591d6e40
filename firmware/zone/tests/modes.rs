//! The three modes of a zone: when the drive runs.

use node::bench::{Bench, IDENTITY};
use registers::event::Event;
use registers::exchange::{Operation, Verdict};
use registers::points::zone::{DOWNSTREAM_READY, DRIVE, EYE_A, EYE_EXIT, GAP, READY, RUN, SPEED};
use registers::points::{MODE_ACCUMULATE, MODE_GAPPING, MODE_TRANSPORT};
use zone::{Zone, node};

fn bench(mode: u16, pass_lead: u16, start_lead: u16) -> Bench<Zone> {
    let mut bench = Bench::new(node(IDENTITY));
    assert!(bench.settings(&[30_000, 25, mode, pass_lead, start_lead]));
    bench.set(SPEED, 900);
    bench
}

fn drive(bench: &Bench<Zone>) -> u32 {
    let drive = bench.outputs[usize::from(DRIVE)];
    assert_eq!(bench.outputs[usize::from(READY)], u32::from(drive != 0), "ready = running");
    drive
}

#[test]
fn transport_runs_with_the_hosts_word_alone() {
    let mut bench = bench(MODE_TRANSPORT, 0, 0);
    assert_eq!(drive(&bench), 0);
    bench.set(RUN, 1);
    assert_eq!(drive(&bench), 900);
    bench.level(EYE_EXIT, true);
    bench.run(100);
    assert_eq!(drive(&bench), 900);
    bench.set(SPEED, 1_200);
    assert_eq!(drive(&bench), 1_200);
    bench.set(RUN, 0);
    assert_eq!(drive(&bench), 0);
}

#[test]
fn accumulation_holds_a_parcel_until_the_next_zone_is_ready() {
    let mut bench = bench(MODE_ACCUMULATE, 0, 0);
    bench.set(RUN, 1);
    assert_eq!(drive(&bench), 900);
    bench.level(EYE_EXIT, true);
    bench.run(24);
    assert_eq!(drive(&bench), 900);
    bench.run(1);
    assert_eq!(drive(&bench), 0);
    bench.level(DOWNSTREAM_READY, true);
    bench.run(25);
    assert_eq!(drive(&bench), 900);
    bench.level(DOWNSTREAM_READY, false);
    bench.run(25);
    assert_eq!(drive(&bench), 0);
    bench.level(EYE_EXIT, false);
    bench.run(25);
    assert_eq!(drive(&bench), 900);
}

/// A parcel of 100 ms leaves over the exit eye; afterwards `since` counts have passed since its
/// tail on the take-away belt.
fn leave(bench: &mut Bench<Zone>, since: u64) {
    bench.level(EYE_EXIT, true);
    bench.run(100);
    assert_eq!(drive(bench), 900, "the first parcel is due at once");
    bench.level(EYE_EXIT, false);
    bench.run(since);
}

#[test]
fn a_parcel_is_held_until_the_gap_and_started_early_by_its_lead() {
    let mut bench = bench(MODE_GAPPING, 50, 80);
    bench.set(GAP, 600);
    bench.set(RUN, 1);
    leave(&mut bench, 300);
    bench.level(EYE_EXIT, true);
    bench.run(25);
    assert_eq!(drive(&bench), 0);
    // 600 - 80 = 520 counts after the tail.
    bench.run(194);
    assert_eq!(drive(&bench), 0);
    bench.run(1);
    assert_eq!(drive(&bench), 900);
    bench.run(500);
    assert_eq!(drive(&bench), 900, "it leaves without being held again");
}

#[test]
fn a_parcel_that_comes_late_enough_passes_without_stopping() {
    for (since, runs) in [(524, false), (525, true)] {
        let mut bench = bench(MODE_GAPPING, 50, 0);
        bench.set(GAP, 600);
        bench.set(RUN, 1);
        leave(&mut bench, since);
        bench.level(EYE_EXIT, true);
        // The decision falls 25 ms later, when the edge has settled: at 549 or 550 of 600 - 50.
        bench.run(25);
        assert_eq!(drive(&bench) != 0, runs, "{since}");
    }
}

#[test]
fn the_gap_may_change_while_a_parcel_is_held_and_0_closes() {
    let mut bench = bench(MODE_GAPPING, 0, 0);
    bench.set(RUN, 1);
    bench.level(EYE_EXIT, true);
    bench.run(1_000);
    assert_eq!(drive(&bench), 0, "closed: even the first parcel is held");
    bench.set(GAP, 600);
    assert_eq!(drive(&bench), 900, "the first parcel is due at once");
    bench.run(100);
    bench.level(EYE_EXIT, false);
    bench.run(100);
    bench.level(EYE_EXIT, true);
    bench.run(50);
    assert_eq!((drive(&bench), bench.node.next_second().is_some()), (0, true));
    bench.set(GAP, 0);
    bench.run(2_000);
    assert_eq!(drive(&bench), 0);
    bench.set(GAP, 3_000);
    bench.run(100);
    assert_eq!(drive(&bench), 0);
    bench.set(GAP, 1_000);
    assert_eq!(drive(&bench), 900);
}

#[test]
fn the_take_away_belt_measures_the_gap_not_the_clock() {
    let mut bench = bench(MODE_GAPPING, 0, 0);
    bench.set(GAP, 600);
    bench.set(RUN, 1);
    leave(&mut bench, 100);
    bench.level(EYE_EXIT, true);
    bench.run(30);
    bench.speed = (1, 0);
    bench.run(5_000);
    assert_eq!(drive(&bench), 0);
    bench.speed = (0, 2);
    bench.run(234);
    assert_eq!(drive(&bench), 0);
    bench.run(1);
    assert_eq!(drive(&bench), 900);
}

#[test]
fn after_a_stop_the_zone_goes_on_where_the_eye_says() {
    let mut bench = bench(MODE_GAPPING, 0, 0);
    bench.set(GAP, 600);
    bench.set(RUN, 1);
    leave(&mut bench, 300);
    bench.set(RUN, 0);
    // The belt coasts: the next parcel reaches the eye and stands there.
    bench.level(EYE_EXIT, true);
    bench.run(50);
    bench.set(RUN, 1);
    assert_eq!(drive(&bench), 0);
    bench.run(300);
    assert_eq!(drive(&bench), 900);
    bench.set(RUN, 0);
    bench.run(100);
    bench.set(RUN, 1);
    assert_eq!(drive(&bench), 900, "it was on its way already");
    // A person takes it off: the belt brings the next one.
    bench.level(EYE_EXIT, false);
    bench.run(50);
    assert_eq!(drive(&bench), 900);
}

#[test]
fn the_safe_state_stops_and_stays_stopped() {
    let mut bench = bench(MODE_TRANSPORT, 0, 0);
    bench.set(GAP, 600);
    bench.set(RUN, 1);
    bench.run(30_000);
    let value = |id: u8| bench.outputs[usize::from(id)];
    assert_eq!((value(RUN), value(GAP), value(DRIVE), value(READY)), (0, 0, 0, 0));
    assert_eq!(value(SPEED), 900);
    bench.run(5_000);
    bench.set(SPEED, 800);
    assert_eq!(drive(&bench), 0, "nothing restarts by itself");
}

#[test]
fn outputs_of_the_node_and_values_out_of_range_are_refused() {
    let mut bench = bench(MODE_TRANSPORT, 0, 0);
    for (output, value) in
        [(READY, 1), (DRIVE, 1), (RUN, 2), (SPEED, 5_001), (GAP, 100_001), (5, 0)]
    {
        let verdict = bench.command(Operation::SetOutput { output, value });
        assert_eq!(verdict, Verdict::BadArgument, "{output} {value}");
    }
    assert_eq!(bench.command(Operation::CancelAll), Verdict::NotSupported);
}

#[test]
fn every_eye_reports_its_edges_with_the_own_belts_count() {
    let mut bench = bench(MODE_TRANSPORT, 0, 0);
    bench.speed = (3, 1);
    let count = bench.at.count;
    bench.level(EYE_A, true);
    bench.run(30);
    let events = bench.drain();
    assert!(
        matches!(events[..], [Event::Edge { input: EYE_A, active: true, at }] if at.count == count),
        "{events:?}"
    );
    assert!(size_of::<zone::ZoneNode>() <= 5_120);
}
