//! Arms and the bed: when it fires, when it refuses, how each arm ends.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY};
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Operation, Side, Verdict};
use registers::points::diverter::{
    EYE_ARRIVAL, HOME, LOCK_LEFT, LOCK_RIGHT, TURN_LEFT, TURN_RIGHT,
};
use units::Counts;

/// A bench with the bed at home and an empty ring.
fn bench() -> Bench<Diverter> {
    let mut bench = Bench::new(node(IDENTITY));
    bench.level(HOME, true);
    bench.run(30);
    bench.drain();
    bench
}

fn arm(bench: &Bench<Diverter>, tag: u32, side: Side, from: i32, to: i32) -> Arm {
    Arm {
        tag,
        side,
        window_from: bench.ahead(from),
        window_to: bench.ahead(to),
        length_min: 100,
        delay: 150,
        release: 400,
    }
}

fn accept(bench: &mut Bench<Diverter>, arm: Arm) {
    assert_eq!(bench.command(Operation::Arm(arm)), Verdict::Accepted);
}

/// Outcomes in the ring: tag, outcome, edge, length, count of the end.
fn endings(bench: &mut Bench<Diverter>) -> Vec<(u32, ArmOutcome, Counts, u16, Counts)> {
    let ended = bench.drain().into_iter().filter_map(|event| match event {
        Event::ArmEnded { tag, outcome, edge, length, at } => {
            Some((tag, outcome, edge, length, at.count))
        }
        _ => None,
    });
    ended.collect()
}

fn turned(bench: &Bench<Diverter>) -> (u32, u32) {
    (bench.outputs[usize::from(TURN_LEFT)], bench.outputs[usize::from(TURN_RIGHT)])
}

/// A parcel of `length` counts passes the arrival eye from now on.
fn parcel(bench: &mut Bench<Diverter>, length: u64) {
    bench.level(EYE_ARRIVAL, true);
    bench.run(length);
    bench.level(EYE_ARRIVAL, false);
}

#[test]
fn the_bed_fires_at_the_delay_from_the_latched_edge_and_returns_at_the_release() {
    for (side, on) in [(Side::Left, (1, 0)), (Side::Right, (0, 1))] {
        let mut bench = bench();
        let wanted = arm(&bench, 5, side, 40, 60);
        accept(&mut bench, wanted);
        assert_eq!(bench.view().armed.tags(), [5]);
        bench.run(50);
        let edge = bench.at.count;
        bench.level(EYE_ARRIVAL, true);
        bench.run(149);
        assert_eq!(turned(&bench), (0, 0));
        bench.run(1);
        assert_eq!(turned(&bench), on);
        assert_eq!(bench.view().armed.tags(), []);
        bench.run(399);
        assert_eq!(turned(&bench), on);
        bench.run(1);
        assert_eq!(turned(&bench), (0, 0));
        let fired = (5, ArmOutcome::Fired, edge, 0, edge.plus(150));
        assert_eq!(endings(&mut bench), [fired]);
    }
}

#[test]
fn a_bouncing_head_fires_from_its_first_transition() {
    let mut bench = bench();
    let wanted = arm(&bench, 5, Side::Left, 40, 60);
    accept(&mut bench, wanted);
    bench.run(59);
    let edge = bench.at.count;
    for level in [true, false, true] {
        bench.level(EYE_ARRIVAL, level);
        bench.run(8);
    }
    // The window has passed by now, but its edge was latched inside.
    bench.run(400);
    let fired = (5, ArmOutcome::Fired, edge, 0, edge.plus(150));
    assert_eq!(endings(&mut bench), [fired]);
}

#[test]
fn a_glitch_does_not_fire_and_the_arm_expires_behind_its_window() {
    let mut bench = bench();
    let wanted = arm(&bench, 5, Side::Left, 40, 60);
    accept(&mut bench, wanted);
    bench.run(55);
    bench.level(EYE_ARRIVAL, true);
    bench.run(10);
    assert_eq!(bench.view().armed.tags(), [5], "the eye has not settled yet");
    bench.level(EYE_ARRIVAL, false);
    bench.run(500);
    let ended = endings(&mut bench);
    assert_eq!((ended.len(), ended[0].1, ended[0].2), (1, ArmOutcome::Expired, Counts(0)));
    assert_eq!(turned(&bench), (0, 0));
}

#[test]
fn an_arm_behind_its_window_expires_in_the_same_answer() {
    let mut bench = bench();
    let wanted = arm(&bench, 5, Side::Left, -60, -1);
    let block = bench.block(Operation::Arm(wanted));
    let answer = bench.send(block);
    assert_eq!(answer.head.verdict, Verdict::Accepted);
    assert!(matches!(
        answer.events[..],
        [Event::ArmEnded { tag: 5, outcome: ArmOutcome::Expired, .. }]
    ));
}

#[test]
fn an_edge_latched_before_the_command_came_still_fits() {
    let mut bench = bench();
    let edge = bench.at.count;
    bench.level(EYE_ARRIVAL, true);
    bench.run(10);
    let wanted = arm(&bench, 5, Side::Left, -20, -5);
    accept(&mut bench, wanted);
    bench.run(300);
    let fired = (5, ArmOutcome::Fired, edge, 0, edge.plus(150));
    assert_eq!(endings(&mut bench), [fired]);
}

#[test]
fn locks_of_the_own_side_refuse_at_the_firing_instant() {
    for (side, lock, outcome) in [
        (Side::Left, LOCK_LEFT, ArmOutcome::RefusedLocked),
        (Side::Right, LOCK_RIGHT, ArmOutcome::RefusedLocked),
        (Side::Left, LOCK_RIGHT, ArmOutcome::Fired),
        (Side::Right, LOCK_LEFT, ArmOutcome::Fired),
    ] {
        let mut bench = bench();
        let wanted = arm(&bench, 5, side, 0, 20);
        accept(&mut bench, wanted);
        bench.run(10);
        bench.level(EYE_ARRIVAL, true);
        bench.run(50);
        bench.level(lock, true);
        bench.run(100);
        assert_eq!(endings(&mut bench)[0].1, outcome, "{side:?} {lock}");
        assert_eq!(turned(&bench) == (0, 0), outcome != ArmOutcome::Fired);
    }
}

#[test]
fn a_bed_that_is_not_home_refuses() {
    let mut bench = bench();
    // Still turned for the first parcel when the second one is due.
    let (first, second) = (arm(&bench, 1, Side::Left, 0, 20), arm(&bench, 2, Side::Left, 300, 340));
    accept(&mut bench, first);
    accept(&mut bench, second);
    bench.run(10);
    parcel(&mut bench, 200);
    bench.run(110);
    parcel(&mut bench, 200);
    bench.run(1_000);
    let ended = endings(&mut bench);
    assert_eq!((ended[0].1, ended[1].1), (ArmOutcome::Fired, ArmOutcome::RefusedBusy));
    // Released longer ago than any way home takes, but the wheels are not there.
    bench.level(HOME, false);
    bench.run(501);
    let third = arm(&bench, 3, Side::Right, 0, 20);
    accept(&mut bench, third);
    parcel(&mut bench, 200);
    bench.run(500);
    assert_eq!(endings(&mut bench)[0].1, ArmOutcome::RefusedBusy);
    assert_eq!(turned(&bench), (0, 0));
}

#[test]
fn a_bed_on_its_way_home_is_fired_for_the_next_parcel() {
    // Milliseconds between the release for the first parcel and the firing for the second one.
    for (way, outcome) in [
        (1, ArmOutcome::Fired),
        (230, ArmOutcome::Fired),
        (500, ArmOutcome::Fired),
        (501, ArmOutcome::RefusedBusy),
        (900, ArmOutcome::RefusedBusy),
    ] {
        let mut bench = bench();
        let at = 400 + way;
        let first = arm(&bench, 1, Side::Left, 0, 20);
        let second = arm(&bench, 2, Side::Right, at - 20, at + 20);
        accept(&mut bench, first);
        accept(&mut bench, second);
        parcel(&mut bench, 200);
        // The wheels are turned by now, and the contact does not come back.
        bench.level(HOME, false);
        bench.run(u64::try_from(way).expect("later") + 200);
        parcel(&mut bench, 149);
        assert_eq!(turned(&bench), (0, 0), "{way} ms: home is commanded until the instant");
        bench.run(1);
        let fired = outcome == ArmOutcome::Fired;
        assert_eq!(turned(&bench), (0, u32::from(fired)), "{way} ms");
        bench.run(400);
        assert_eq!(turned(&bench), (0, 0), "{way} ms: the second release counts too");
        let ended: Vec<_> = endings(&mut bench).iter().map(|end| (end.0, end.1)).collect();
        assert_eq!(ended, [(1, ArmOutcome::Fired), (2, outcome)], "{way} ms");
    }
}

#[test]
fn a_turned_bed_refuses_whatever_its_home_contact_says() {
    let mut bench = bench();
    let (first, second) =
        (arm(&bench, 1, Side::Left, 0, 20), arm(&bench, 2, Side::Right, 380, 400));
    accept(&mut bench, first);
    accept(&mut bench, second);
    parcel(&mut bench, 200);
    bench.run(199);
    // Due one count ahead of the release, with a contact that sticks.
    parcel(&mut bench, 150);
    assert_eq!(turned(&bench), (1, 0));
    bench.run(100);
    assert_eq!(endings(&mut bench)[1].1, ArmOutcome::RefusedBusy);
}

#[test]
fn a_node_that_never_saw_its_home_contact_refuses() {
    let mut bench = Bench::new(node(IDENTITY));
    let wanted = arm(&bench, 1, Side::Left, 0, 20);
    accept(&mut bench, wanted);
    parcel(&mut bench, 300);
    assert_eq!(endings(&mut bench)[0].1, ArmOutcome::RefusedBusy);
}

#[test]
fn short_and_doubled_parcels_are_not_fired() {
    let mut bench = bench();
    let wanted = arm(&bench, 1, Side::Left, 0, 20);
    accept(&mut bench, wanted);
    let edge = bench.at.count;
    parcel(&mut bench, 90);
    bench.run(300);
    let ended = endings(&mut bench);
    assert_eq!(ended[0], (1, ArmOutcome::RefusedShort, edge, 90, edge.plus(115)));
    let wanted = Arm { length_min: 0, ..arm(&bench, 2, Side::Left, 0, 20) };
    accept(&mut bench, wanted);
    let edge = bench.at.count;
    parcel(&mut bench, 60);
    bench.run(40);
    parcel(&mut bench, 200);
    bench.run(300);
    let ended = endings(&mut bench);
    assert_eq!(ended[0], (2, ArmOutcome::Ambiguous, edge, 60, edge.plus(125)));
    assert_eq!(turned(&bench), (0, 0));
}

#[test]
fn the_measured_length_is_in_the_event_when_the_tail_was_seen() {
    let mut bench = bench();
    let wanted = Arm { delay: 300, ..arm(&bench, 1, Side::Left, 0, 20) };
    accept(&mut bench, wanted);
    let edge = bench.at.count;
    parcel(&mut bench, 220);
    bench.run(300);
    assert_eq!(endings(&mut bench), [(1, ArmOutcome::Fired, edge, 220, edge.plus(300))]);
}

#[test]
fn a_standing_belt_neither_fires_nor_expires() {
    let mut bench = bench();
    let (first, second) = (arm(&bench, 1, Side::Left, 0, 20), arm(&bench, 2, Side::Left, 500, 600));
    accept(&mut bench, first);
    accept(&mut bench, second);
    bench.level(EYE_ARRIVAL, true);
    bench.run(100);
    bench.speed = (0, 0);
    for _ in 0..10 {
        bench.run(2_000);
        assert_eq!(endings(&mut bench), []);
    }
    assert_eq!(bench.view().armed.tags(), [1, 2]);
    bench.speed = (1, 1);
    bench.run(50);
    assert_eq!(endings(&mut bench)[0].1, ArmOutcome::Fired);
}

#[test]
fn a_bed_in_mid_release_comes_home_at_its_count_although_the_host_is_silent() {
    let mut bench = bench();
    let wanted = Arm { release: 5_000, ..arm(&bench, 1, Side::Left, 0, 20) };
    accept(&mut bench, wanted);
    parcel(&mut bench, 200);
    bench.run(3_500);
    assert_eq!(bench.view().status.owner, 0, "the lease is over");
    assert_eq!(turned(&bench), (1, 0));
    bench.run(1_450 - 50);
    assert_eq!(turned(&bench), (1, 0));
    bench.run(50);
    assert_eq!(turned(&bench), (0, 0));
}

#[test]
fn cancelling_names_the_tag() {
    let mut bench = bench();
    for tag in [1, 2, 3] {
        let at = i32::try_from(tag).expect("small") * 100;
        let wanted = arm(&bench, tag, Side::Left, at, at + 20);
        accept(&mut bench, wanted);
    }
    assert_eq!(bench.command(Operation::Cancel { tag: 2 }), Verdict::Accepted);
    assert_eq!(bench.view().armed.tags(), [1, 3]);
    assert_eq!(bench.command(Operation::CancelAll), Verdict::Accepted);
    let tags: Vec<_> = endings(&mut bench).iter().map(|end| (end.0, end.1)).collect();
    let cancelled = ArmOutcome::Cancelled;
    assert_eq!(tags, [(2, cancelled), (1, cancelled), (3, cancelled)]);
}
