//! The world under a small master: determinism, one parcel diverted, latch, speed.

use crate::support::{Bench, Seen, setup};
use line_sim::{Button, Place, World};
use registers::event::ArmOutcome;
use registers::exchange::{Arm, Operation, Side};
use registers::map;
use registers::points::{diverter, panel, zone};
use units::{Counts, Micros};

const SPEEDS: [u32; 3] = [600, 900, 1_200];

fn started(profile: &str, seed: u64, parcels: u64) -> Bench {
    let mut bench = Bench::new(setup(false, profile, seed, parcels));
    bench.start(SPEEDS, 902, [67, 40]);
    bench
}

#[test]
fn the_same_seed_gives_the_same_truth_and_a_clone_continues_alike() {
    let run = |seed| {
        let mut bench = started("normal", seed, 20);
        bench.poll_for(Micros::from_secs(10));
        let mut fork = bench.clone();
        bench.poll_for(Micros::from_secs(30));
        fork.poll_for(Micros::from_secs(30));
        assert_eq!(bench.world.truth(), fork.world.truth());
        assert!(bench.world.is_drained());
        bench.world.truth().clone()
    };
    assert_eq!(run(4), run(4));
    assert_ne!(run(4), run(5));
}

/// How a run is cut into advances is no matter to it.
#[test]
fn small_and_large_steps_give_the_same_world() {
    let mut coarse = started("normal", 6, 10);
    let mut fine = coarse.clone();
    let until = coarse.world.now().plus(Micros::from_secs(2));
    coarse.world.advance(until);
    while fine.world.now() < until {
        let next = fine.world.next_event().min(fine.world.now().plus(Micros(137)));
        fine.world.advance(next.min(until));
    }
    coarse.poll_for(Micros::from_secs(30));
    fine.poll_for(Micros::from_secs(30));
    assert_eq!(coarse.world.truth(), fine.world.truth());
}

/// Arms `node` for whatever comes next.
fn arm_next(bench: &mut Bench, node: &str, side: Side, tag: u32) {
    let node = bench.node(node);
    let now = bench.exchange(node, Operation::Noop).encoder;
    let arm = Arm {
        tag,
        side,
        window_from: now.plus(10),
        window_to: now.plus(60_000),
        length_min: 100,
        delay: 450 - 288 - 60,
        release: 1_000,
    };
    bench.exchange(node, Operation::Arm(arm));
}

#[test]
fn an_armed_parcel_lands_in_its_chute_and_the_others_at_the_end() {
    for (seed, side, chute, eye) in [
        (1, Side::Left, 5, diverter::EYE_LEFT),
        (2, Side::Right, 6, diverter::EYE_RIGHT),
        (3, Side::Left, 5, diverter::EYE_LEFT),
    ] {
        let mut bench = started("normal", seed, 3);
        arm_next(&mut bench, "D3", side, 77);
        while !bench.world.is_drained() {
            bench.poll_for(Micros::from_secs(2));
            assert!(bench.world.now() < Micros::from_secs(60), "seed {seed}: never drained");
        }
        bench.poll_for(Micros::from_secs(2));
        let parcels = &bench.world.truth().parcels;
        let places: Vec<Place> = parcels.iter().map(|parcel| parcel.place).collect();
        assert_eq!(places, [Place::Chute(chute), Place::End, Place::End], "seed {seed}");
        assert!(parcels.iter().all(|parcel| parcel.fault.is_none()), "seed {seed}");
        let d3 = bench.node("D3");
        let ended = Seen::Ended { tag: 77, outcome: ArmOutcome::Fired };
        assert!(bench.events(d3).contains(&ended), "seed {seed}: {:?}", bench.events(d3));
        let landings = bench.events(d3).iter().filter(
            |event| matches!(event, Seen::Edge { input, active: true, .. } if *input == eye),
        );
        assert_eq!(landings.count(), 1, "seed {seed}");
    }
}

#[test]
fn codes_weights_and_induction_counts_are_those_of_the_truth() {
    let mut bench = started("clean", 8, 12);
    bench.poll_for(Micros::from_secs(45));
    assert!(bench.world.is_drained());
    let parcels = bench.world.truth().parcels.clone();
    let codes: Vec<&String> = bench
        .events(bench.node("scanner"))
        .iter()
        .filter_map(|event| match event {
            Seen::Code { code, .. } => Some(code),
            Seen::Edge { .. } | Seen::Ended { .. } | Seen::Weight { .. } | Seen::Other => None,
        })
        .collect();
    assert_eq!(codes, parcels.iter().map(|parcel| &parcel.waybill).collect::<Vec<_>>());
    let weights: Vec<Option<u32>> = bench
        .events(bench.node("dws"))
        .iter()
        .filter_map(|event| match event {
            Seen::Weight { grams, .. } => Some(*grams),
            Seen::Edge { .. } | Seen::Ended { .. } | Seen::Code { .. } | Seen::Other => None,
        })
        .collect();
    let truth: Vec<Option<u32>> = parcels.iter().map(|p| u32::try_from(p.mass_g).ok()).collect();
    assert_eq!(weights, truth);
    let heads: Vec<Counts> = bench
        .events(bench.node("Z3"))
        .iter()
        .filter_map(|event| match event {
            Seen::Edge { input: zone::EYE_A, active: true, count } => Some(*count),
            Seen::Edge { .. } | Seen::Ended { .. } | Seen::Code { .. } => None,
            Seen::Weight { .. } | Seen::Other => None,
        })
        .collect();
    assert_eq!(heads, parcels.iter().filter_map(|p| p.induct_count).collect::<Vec<_>>());
}

/// Broadcasts latch `number` on the serial bus and gives what `names` captured.
fn latch(bench: &mut Bench, number: u16, names: &[&str]) -> Vec<Counts> {
    let mut pdu = [0; 8];
    let len = modbus::pdu::write_single(map::LATCH, number, &mut pdu).expect("fits");
    let mut frame = [0; 16];
    let len = modbus::rtu::encode(0, &pdu[..len], &mut frame).expect("fits");
    bench.world.send(0, &frame[..len]);
    assert!(bench.world.take_answers().is_empty(), "nobody answers a broadcast");
    bench.poll_for(Micros::from_millis(1));
    names
        .iter()
        .map(|name| {
            let node = bench.node(name);
            let status = bench.status(node);
            assert_eq!(status.latch_number, number, "{name}");
            status.latch_count
        })
        .collect()
}

#[test]
fn a_broadcast_latch_catches_every_counter_at_one_instant() {
    let mut bench = started("normal", 3, 5);
    let names = ["Z3", "D1", "D4", "D6", "panel"];
    let offsets = |counts: &[Counts]| -> Vec<i32> {
        counts.iter().map(|count| count.since(counts[0])).collect()
    };
    let first = latch(&mut bench, 1, &names);
    bench.poll_for(Micros::from_secs(2));
    let second = latch(&mut bench, 2, &names);
    assert_eq!(offsets(&first), offsets(&second), "counters differ by their offsets only");
    assert!(offsets(&first)[1..].iter().all(|offset| *offset != 0), "offsets are drawn");
    assert!(second[0].since(first[0]) > 2_000, "the belt moved between the latches");
}

#[test]
fn an_emergency_stop_coasts_and_reports_itself() {
    let mut bench = started("normal", 3, 200);
    bench.poll_for(Micros::from_secs(5));
    let z3 = bench.node("Z3");
    let before = bench.status(z3).encoder;
    bench.world.estop(2, true);
    bench.world.press(Button::Stop, true);
    bench.poll_for(Micros::from_secs(3));
    let status = bench.status(z3);
    let way = status.encoder.since(before);
    assert!((300..=640).contains(&way), "coasted {way} mm");
    assert_eq!(status.inputs >> zone::DRIVE_READY & 1, 0);
    bench.world.estop(2, false);
    bench.poll_for(Micros::from_secs(2));
    assert_eq!(bench.status(z3).encoder, status.encoder, "the belt restarted by itself");
    let seen = |input| {
        let edge = |event: &&Seen| matches!(event, Seen::Edge { input: i, .. } if *i == input);
        bench.events(bench.node("panel")).iter().filter(edge).count()
    };
    assert_eq!((seen(panel::ESTOP_2), seen(panel::STOP), seen(panel::START)), (2, 1, 0));
}

#[test]
fn a_line_at_rest_waits_without_steps() {
    let mut world = World::new(setup(false, "normal", 1, 50)).expect("shipped files fit");
    world.advance(Micros::from_secs(1));
    assert!(world.next_event() > Micros::from_secs(60), "{:?}", world.next_event());
    world.advance(Micros::from_secs(3_600));
    assert_eq!(world.now(), Micros::from_secs(3_600));
}
