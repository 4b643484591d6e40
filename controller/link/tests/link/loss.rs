//! Events under lost, stale and flipped answers and restarts of the host.

use crate::rig::Fault;
use crate::{connected, edges, random};
use line_model::ids::ChuteNo;
use line_model::signal::Input;
use registers::points::{diverter, panel, zone};
use units::Micros;

#[test]
fn whatever_is_lost_on_the_way_every_event_arrives_exactly_once() {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (1..=12).collect::<Vec<u64>>(),
    };
    for seed in seeds {
        println!("repeat: SEED={seed} cargo test -p node-link --test link whatever_is_lost");
        let mut rig = connected();
        rig.drain();
        let mut faults = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut host = faults ^ 0xABCD;
        rig.fault = Box::new(move |_| match random(&mut faults) % 10 {
            0 => Fault::RequestLost,
            1 => Fault::AnswerLost,
            2 => Fault::Stale,
            3 => Fault::Flipped,
            _ => Fault::None,
        });
        rig.plant.speed = 1_200;
        let mut truth = Vec::new();
        let mut found = Vec::new();
        for n in 0..60 {
            rig.commit = Some(Micros::from_millis(random(&mut host) % 30));
            let node = [0u8, 1, 2][usize::try_from(n % 3).expect("small")];
            let (input, eye) = [(zone::EYE_A, 0), (diverter::EYE_ARRIVAL, 2), (panel::EYE_END, 3)]
                [usize::from(node)];
            truth.push((eye, rig.plant.position().at));
            rig.pulse(node, input, 30 + random(&mut host) % 40);
            rig.run(30 + random(&mut host) % 60);
            found.extend(edges(&rig.drain()));
            if n % 20 == 19 {
                rig.start();
            }
        }
        rig.fault = Box::new(|_| Fault::None);
        rig.connect();
        rig.run(3_000);
        found.extend(edges(&rig.drain()));
        // A restart may tell again what was not durable, at the very same place; nothing else.
        let mut heads: Vec<_> = found.iter().filter(|edge| edge.1).map(|e| (e.0.0, e.2)).collect();
        heads.sort_unstable();
        heads.dedup();
        let mut expected: Vec<_> = truth.clone();
        expected.sort_unstable();
        assert_eq!(heads.len(), expected.len(), "seed {seed}: {heads:?} {expected:?}");
        for (head, truth) in heads.iter().zip(&expected) {
            assert_eq!(head.0, truth.0, "seed {seed}");
            assert!((head.1 - truth.1).abs() <= 4, "seed {seed}: {head:?} {truth:?}");
        }
        for node in 0..3 {
            assert_eq!(rig.view(node).counters.lost, 0, "seed {seed}");
        }
    }
}

#[test]
fn without_a_restart_nothing_is_told_twice() {
    let mut rig = connected();
    rig.drain();
    // While a record waits for the disk, its events are read again.
    rig.commit = Some(Micros::from_millis(30));
    let mut faults = 77;
    rig.fault = Box::new(move |_| match random(&mut faults) % 8 {
        0 => Fault::AnswerLost,
        1 => Fault::Stale,
        _ => Fault::None,
    });
    let landing =
        |input: &Input| matches!(input, Input::Landing { chute: ChuteNo(1), active: true, .. });
    for _ in 0..50 {
        rig.pulse(1, diverter::EYE_LEFT, 40);
        rig.run(60);
    }
    rig.fault = Box::new(|_| Fault::None);
    rig.run(2_500);
    assert_eq!(rig.drain().iter().filter(|input| landing(input)).count(), 50);
    assert!(rig.view(1).counters.bad > 0 && rig.view(1).counters.duplicates > 0);
}
