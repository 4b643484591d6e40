//! What the node does for its chutes: it refuses a full one by itself, and its lamps blink.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY};
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Operation, Side, Verdict};
use registers::points::diverter::{
    BLINK_MS, BUTTON_LEFT, EYE_ARRIVAL, FULL_LEFT, FULL_MS, FULL_RIGHT, HOME, LAMP_BLINK,
    LAMP_LEFT, LAMP_OFF, LAMP_RIGHT, LAMP_STEADY,
};

fn bench() -> Bench<Diverter> {
    let mut bench = Bench::new(node(IDENTITY));
    bench.level(HOME, true);
    bench.run(30);
    bench.drain();
    bench
}

/// How an arm to `side` ends for a parcel whose firing is due after 150 ms.
fn ends(bench: &mut Bench<Diverter>, side: Side) -> ArmOutcome {
    let arm = Arm {
        tag: 1,
        side,
        window_from: bench.ahead(-5),
        window_to: bench.ahead(20),
        length_min: 100,
        delay: 150,
        release: 400,
    };
    assert_eq!(bench.command(Operation::Arm(arm)), Verdict::Accepted);
    bench.level(EYE_ARRIVAL, true);
    bench.run(200);
    bench.level(EYE_ARRIVAL, false);
    let ended = bench.drain().into_iter().find_map(|event| match event {
        Event::ArmEnded { outcome, .. } => Some(outcome),
        _ => None,
    });
    ended.expect("the arm has ended")
}

#[test]
fn a_full_eye_refuses_its_own_side_once_it_was_blocked_for_long() {
    // From the raw transition to the firing instant.
    for (blocked_ms, side, outcome) in [
        (FULL_MS - 1, Side::Left, ArmOutcome::Fired),
        (FULL_MS, Side::Left, ArmOutcome::RefusedLocked),
        (FULL_MS + 20_000, Side::Left, ArmOutcome::RefusedLocked),
        (FULL_MS + 20_000, Side::Right, ArmOutcome::Fired),
    ] {
        let mut bench = bench();
        bench.level(FULL_LEFT, true);
        while bench.at.now.millis() < 5_030 + blocked_ms - 150 {
            bench.run(1);
            // The host keeps the lease.
            if bench.at.now.millis().is_multiple_of(1_000) {
                bench.drain();
            }
        }
        bench.drain();
        assert_eq!(ends(&mut bench, side), outcome, "{blocked_ms} ms, {side:?}");
    }
}

#[test]
fn a_full_eye_that_cleared_refuses_nothing() {
    let mut bench = bench();
    for _ in 0..4 {
        // A parcel a second passes: never blocked for long.
        bench.level(FULL_RIGHT, true);
        bench.run(900);
        bench.level(FULL_RIGHT, false);
        bench.run(100);
        bench.drain();
    }
    assert_eq!(ends(&mut bench, Side::Right), ArmOutcome::Fired);
}

#[test]
fn a_button_is_only_reported() {
    let mut bench = bench();
    bench.level(BUTTON_LEFT, true);
    bench.run(60);
    let pressed = bench.drain();
    assert!(matches!(pressed[..], [Event::Edge { input: BUTTON_LEFT, active: true, .. }]));
    assert_eq!(ends(&mut bench, Side::Left), ArmOutcome::Fired);
}

fn lamps(bench: &Bench<Diverter>) -> [u32; 2] {
    [LAMP_LEFT, LAMP_RIGHT].map(|lamp| bench.outputs[usize::from(lamp)])
}

#[test]
fn a_lamp_blinks_by_itself_and_stays_lit_when_steady() {
    let mut bench = bench();
    bench.set(LAMP_LEFT, LAMP_BLINK);
    bench.set(LAMP_RIGHT, LAMP_STEADY);
    let mut changes = Vec::new();
    let mut last = lamps(&bench);
    for _ in 0..2_900 {
        bench.run(1);
        if lamps(&bench) != last {
            last = lamps(&bench);
            changes.push((bench.at.now.millis(), last[0]));
        }
        assert_eq!(last[1], 1, "steady");
    }
    let wanted: Vec<_> = (0..5).map(|n| (5_500 + n * BLINK_MS, u32::from(n % 2 == 1))).collect();
    assert_eq!(changes, wanted);
    bench.set(LAMP_LEFT, LAMP_OFF);
    assert_eq!(lamps(&bench), [0, 1]);
    bench.set(LAMP_LEFT, LAMP_BLINK);
    // The lease expires: nobody says any more what the lamps mean.
    bench.run(3_001);
    assert_eq!(lamps(&bench), [0, 0]);
    bench.run(BLINK_MS * 3);
    assert_eq!(lamps(&bench), [0, 0]);
}
