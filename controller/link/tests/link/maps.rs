//! Count maps under lost pulses, wraps and loose brackets.

use crate::connected;
use crate::rig::{Rig, bus, line, station};
use line_model::ids::{EyeId, NodeId};
use line_model::signal::Input;
use node_link::{InputRole, Sights};
use registers::NodeKind;
use registers::points::{diverter, zone};
use units::Distance;

fn drifts(inputs: &[Input]) -> Vec<(NodeId, i64)> {
    let drift = |input: &Input| match input {
        Input::EncoderDrift { node, by } => Some((*node, by.0)),
        _ => None,
    };
    inputs.iter().filter_map(drift).collect()
}

/// Lets a node's encoder lose (or find) pulses.
fn lose(rig: &mut Rig, node: u8, pulses: i32) {
    let place = &mut rig.plant.places[usize::from(node)];
    place.offset = place.offset.wrapping_add_signed(-pulses);
}

/// Where the node's eye sees a head now, against the truth.
fn error(rig: &mut Rig, node: u8, input: u8) -> i64 {
    rig.drain();
    let truth = rig.plant.position().at;
    rig.pulse(node, input, 60);
    rig.run(200);
    let found = rig.drain().into_iter().find_map(|input| match input {
        Input::Edge { active: true, at, .. } => Some(at.at),
        _ => None,
    });
    found.expect("seen") - truth
}

#[test]
fn lost_pulses_of_a_shared_encoder_are_an_alarm_and_the_map_is_taken_anew() {
    for lost in [9, 40, -25, 3_000] {
        let mut rig = connected();
        rig.plant.speed = 1_200;
        rig.run(1_000);
        rig.drain();
        lose(&mut rig, 1, lost);
        rig.run(8_000);
        let told = drifts(&rig.drain());
        assert_eq!(told.len(), 1, "{lost}: {told:?}");
        let (node, by) = told[0];
        assert_eq!(node, NodeId(1));
        // A count less for a pulse that the node did not get: its base is ahead by as much.
        assert!((by - i64::from(lost)).abs() <= 6, "{lost}: {by}");
        assert_eq!(rig.view(1).counters.slips, 1);
        assert!(error(&mut rig, 1, diverter::EYE_ARRIVAL).abs() <= 4);
        rig.run(20_000);
        assert_eq!(drifts(&rig.drain()), [], "told once");
    }
}

#[test]
fn encoders_that_agree_are_never_told_to_drift_across_the_wrap() {
    let mut rig = connected();
    rig.drain();
    // All counters wrap within the first second.
    rig.plant.speed = 2_000;
    rig.run(60_000);
    assert_eq!(drifts(&rig.drain()), []);
    for node in 0..3 {
        assert_eq!(rig.view(node).counters.slips, 0);
        assert!(rig.view(node).spread <= Some(Distance(2)));
    }
    assert!(error(&mut rig, 1, diverter::EYE_ARRIVAL).abs() <= 3);
}

#[test]
fn pulses_lost_one_by_one_are_an_alarm_when_they_add_up() {
    let mut rig = connected();
    rig.plant.speed = 1_000;
    rig.drain();
    let mut told = Vec::new();
    for _ in 0..12 {
        lose(&mut rig, 2, 1);
        rig.run(5_500);
        told.extend(drifts(&rig.drain()));
    }
    assert!((1..=2).contains(&told.len()), "{told:?}");
    assert!(told.iter().all(|(node, by)| *node == NodeId(2) && *by > 2), "{told:?}");
}

#[test]
fn when_every_other_node_drifts_alike_it_is_the_reference() {
    let mut rig = connected();
    rig.plant.speed = 1_000;
    rig.run(500);
    rig.drain();
    lose(&mut rig, 0, 50);
    rig.run(8_000);
    let inputs = rig.drain();
    let told: Vec<_> = drifts(&inputs).into_iter().filter(|(node, _)| *node != NodeId(3)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, NodeId(0));
    assert!((told[0].1 - 50).abs() <= 6, "{told:?}");
    // The frame follows the reference: everybody agrees with it again.
    let apart = error(&mut rig, 0, zone::EYE_A) - error(&mut rig, 1, diverter::EYE_ARRIVAL);
    assert!(apart.abs() <= 6, "{apart}");
}

#[test]
fn lost_pulses_of_a_node_on_tcp_are_an_alarm_too() {
    for lost in [30, 200, -150] {
        let mut rig = connected();
        rig.plant.speed = 1_200;
        rig.run(3_000);
        rig.drain();
        lose(&mut rig, 3, lost);
        rig.run(5_000);
        let told = drifts(&rig.drain());
        assert!(!told.is_empty() && told.iter().all(|(node, _)| *node == NodeId(3)), "{told:?}");
        let sum: i64 = told.iter().map(|(_, by)| by).sum();
        assert_eq!(sum.signum(), i64::from(lost).signum(), "{lost}: {told:?}");
        assert!(rig.view(3).counters.slips > 0);
    }
}

#[test]
fn the_line_is_told_how_exactly_each_node_is_mapped() {
    let mut rig = Rig::new(line());
    rig.connect();
    rig.run(100);
    let inputs = rig.drain();
    for (node, most) in [(0, 0), (1, 2), (2, 2), (3, 2)] {
        let told = inputs.iter().rev().find_map(|input| match input {
            Input::MapSpread { node: found, spread } if *found == NodeId(node) => Some(spread.0),
            _ => None,
        });
        let told = told.unwrap_or_else(|| panic!("node {node} is told: {inputs:?}"));
        assert!(told <= most, "{node}: {told}");
    }
    // A node that restarts while the belt runs is only bracketed: the line learns how loosely.
    rig.plant.speed = 1_200;
    rig.run(500);
    rig.drain();
    rig.plant.reboot(3, 4_242);
    rig.run(2_500);
    let told = rig.drain().into_iter().filter_map(|input| match input {
        Input::MapSpread { node: NodeId(3), spread } => Some(spread),
        _ => None,
    });
    let told: Vec<Distance> = told.collect();
    let spread = rig.view(3).spread.expect("mapped");
    let last = *told.last().expect("told");
    assert!(last > Distance(2) && last >= spread, "{told:?} {spread:?}");
    assert!(last.0 < 2 * spread.0, "no worse than twice the truth: {told:?} {spread:?}");
}

/// A reference zone with two eyes on a serial bus, and a diverter with one behind it on TCP.
fn common() -> Rig {
    let eye = |n| InputRole::Eye(EyeId(n));
    let zone = station(0, NodeKind::Zone, vec![InputRole::Ignored, eye(0), eye(1)]);
    let diverter = station(1, NodeKind::Diverter, vec![eye(2)]);
    let mut rig = Rig::new(vec![bus(true, vec![zone]), bus(false, vec![diverter])]);
    rig.frame = rig.frame.clone().with_sights(Sights {
        eyes: [0, 1_000, 1_900].map(Distance).to_vec(),
        tolerance: Distance(3),
        early_permille: 0,
        late_permille: 2,
    });
    rig.connect();
    rig
}

/// One parcel passes both eyes, `late` counts behind its nominal place at the second one.
fn parcel(rig: &mut Rig, late: i64) {
    rig.pulse(0, zone::EYE_B, 60);
    let at = rig.plant.belt();
    // 60 ms of the way have passed during the pulse.
    while rig.plant.belt() - at < 900 + late - 72 {
        rig.run(1);
    }
    rig.pulse(1, diverter::EYE_ARRIVAL, 60);
    rig.run(100);
}

#[test]
fn common_edges_narrow_what_a_bracket_leaves_open() {
    let mut rig = common();
    rig.plant.speed = 1_200;
    rig.run(500);
    // Answers over the network take long: a wide bracket.
    rig.plant.reboot(1, 4_242);
    rig.run(3_000);
    let before = rig.view(1).spread.expect("mapped");
    assert!(before > Distance(7), "{before:?}");
    rig.drain();
    for late in [0, 2, 1, 2, 0] {
        parcel(&mut rig, late);
    }
    let after = rig.view(1).spread.expect("mapped");
    println!("a bracket of ± {} counts became ± {} by five parcels", before.0, after.0);
    assert!(after < before && after <= Distance(6), "{before:?} {after:?}");
    let told = rig.drain();
    assert_eq!(drifts(&told), []);
    let found = error(&mut rig, 1, diverter::EYE_ARRIVAL).abs();
    assert!(found <= after.0 + 3, "{found} within ± {after:?}");
}
