//! Nodes that answer badly, not at all, or twice.

use crate::rig::{Fault, Rig, bus, line, station};
use crate::{connected, random};
use line_model::ids::NodeId;
use line_model::signal::{DownReason, Input};
use node_link::{BusSetup, Counters, Health, LinkLimits, State, Why};
use registers::NodeKind;

/// A reference zone and 15 diverters on one serial bus.
fn sixteen() -> Vec<BusSetup> {
    let kind = |node| if node == 0 { NodeKind::Zone } else { NodeKind::Diverter };
    vec![bus(true, (0..16).map(|node| station(node, kind(node), vec![])).collect())]
}

fn counters(rig: &Rig) -> Vec<Counters> {
    (0..16).map(|node| rig.view(node).counters).collect()
}

/// Fewest rounds of any living node, and the time-outs of all, in `ms`.
fn measured(rig: &mut Rig, dead: &[u8], ms: u64) -> (u64, u64) {
    let before = counters(rig);
    rig.run(ms);
    let after = counters(rig);
    let pairs = || (0u8..).zip(before.iter().zip(&after));
    let alive = pairs().filter(|(node, _)| !dead.contains(node));
    let rounds = alive.map(|(_, (before, after))| after.exchanges - before.exchanges).min();
    let timeouts = pairs().map(|(_, (before, after))| after.timeouts - before.timeouts).sum();
    (rounds.expect("some live"), timeouts)
}

#[test]
fn dead_nodes_cost_the_other_nodes_one_time_out_in_eight_cycles() {
    let span = 20_000;
    let mut rig = Rig::new(sixteen());
    rig.connect();
    rig.run(2_000);
    let (healthy, none) = measured(&mut rig, &[], span);
    assert_eq!(none, 0);
    let n = u64::from(LinkLimits::default().probe_cycles);
    for dead in [&[7u8][..], &[3, 7, 11]] {
        for node in dead {
            rig.plant.places[usize::from(*node)].dead = true;
        }
        rig.run(3_000);
        for node in dead {
            assert_eq!(rig.view(*node).health, Health::Offline);
        }
        let (rounds, timeouts) = measured(&mut rig, dead, span);
        println!(
            "16 nodes, {} dead: {} us a cycle of the others ({} us with all alive), {timeouts} time-outs of 40 ms in {rounds} cycles",
            dead.len(),
            span * 1_000 / rounds,
            span * 1_000 / healthy,
        );
        assert!(timeouts > 0, "they are tried again");
        assert!(timeouts * n <= rounds + n, "{timeouts} time-outs in {rounds} cycles");
    }
    for place in &mut rig.plant.places {
        place.dead = false;
    }
    rig.connect();
    assert_eq!(rig.view(7).state, State::Online);
}

#[test]
fn while_a_node_dies_the_others_are_asked_between_its_time_outs() {
    let mut rig = Rig::new(sixteen());
    rig.connect();
    rig.run(500);
    rig.plant.places[7].dead = true;
    let run = |rig: &mut Rig, ms| measured(rig, &[7], ms);
    // Until it counts as down: at most one time-out a round, but for one repetition at once.
    let mut rounds = 0;
    while rig.view(7).state == State::Online {
        rounds += run(&mut rig, 10).0;
        assert!(rounds < 100, "found dead in time");
    }
    assert!(rig.view(7).counters.timeouts <= rounds + 6, "{:?}", rig.view(7));
}

#[test]
fn a_bus_whose_nodes_are_all_dead_is_tried_by_time() {
    let mut rig = Rig::new(sixteen());
    rig.connect();
    rig.plant.places.iter_mut().for_each(|place| place.dead = true);
    rig.run(20_000);
    assert!((0..16).all(|node| rig.view(node).health == Health::Offline));
    let (_, timeouts) = measured(&mut rig, &[0], 10_000);
    assert!((8..=11).contains(&timeouts), "one try a second: {timeouts}");
}

#[test]
fn a_node_that_fails_now_and_then_is_degraded_and_polled_all_the_same() {
    let mut rig = connected();
    assert_eq!(rig.view(0).health, Health::Ok);
    let mut state = 3;
    rig.fault = Box::new(move |_| match random(&mut state) % 4 {
        0 => Fault::AnswerLost,
        _ => Fault::None,
    });
    rig.run(1_500);
    rig.drain();
    let before = rig.view(0).counters.exchanges;
    let (mut degraded, mut failures) = (0, 0);
    for _ in 0..100 {
        rig.run(10);
        let view = rig.view(0);
        assert_eq!(view.state, State::Online);
        degraded += u32::from(view.health == Health::Degraded);
        failures = failures.max(view.failures);
    }
    assert!(degraded >= 30, "a quarter is lost, and it was called degraded in {degraded} of 100");
    let exchanges = rig.view(0).counters.exchanges - before;
    assert!(failures >= 2 && exchanges > 10, "{failures} {exchanges}");
    rig.fault = Box::new(|_| Fault::None);
    rig.run(1_000);
    assert_eq!((rig.view(0).health, rig.view(0).failures), (Health::Ok, 0));
    assert!(!rig.drain().iter().any(|input| matches!(input, Input::NodeDown { .. })));
}

#[test]
fn a_busy_node_is_left_in_peace_and_asked_again() {
    for code in [5, 6] {
        let mut rig = connected();
        let before = rig.view(3).counters;
        rig.drain();
        rig.fault = Box::new(move |pdu| match pdu {
            // The scanner's status and events, over TCP.
            [0x17, ..] => Fault::Refused(code),
            _ => Fault::None,
        });
        rig.run(1_000);
        let view = rig.view(3);
        let busy = view.counters.busy - before.busy;
        // 25 + 50 + 100 + 200 + 400 ... ms: not one answer of 24 ms after the other.
        assert!((4..=7).contains(&busy), "{busy}");
        assert_eq!((view.state, view.counters.timeouts), (State::Online, before.timeouts));
        rig.fault = Box::new(|_| Fault::None);
        rig.run(500);
        assert_eq!(rig.view(3).state, State::Online);
        let down = |input: &Input| matches!(input, Input::NodeDown { .. });
        assert!(!rig.drain().iter().any(down), "a while of it is no failure");
        // For good, it is: nothing can be read of the node.
        rig.fault = Box::new(move |_| Fault::Refused(code));
        rig.run(8_000);
        assert_eq!(rig.view(3).why, Why::Busy);
        let why = DownReason::Silent;
        assert!(rig.drain().contains(&Input::NodeDown { node: NodeId(3), why }));
    }
}

#[test]
fn a_gateway_without_a_path_is_a_silent_node_and_an_unknown_block_is_another_map() {
    for (code, why) in [
        (0x0A, Why::Silent),
        (0x0B, Why::Silent),
        (0x04, Why::Silent),
        (0x02, Why::WrongMap),
        (0x01, Why::WrongMap),
    ] {
        let mut rig = Rig::new(line());
        rig.fault = Box::new(move |_| Fault::Refused(code));
        rig.run(900);
        assert_eq!(rig.view(0).why, why, "{code:#x}");
    }
}

#[test]
fn two_devices_at_one_address_are_told_with_their_serial_numbers() {
    let mut rig = connected();
    rig.drain();
    let twin = rig.plant.twin(1, 7_777, 9);
    let mut state = 11;
    for _ in 0..200 {
        // Now the one is louder, now the other.
        let first = random(&mut state).is_multiple_of(2);
        rig.plant.places[1].dead = first;
        rig.plant.places[twin].dead = !first;
        rig.run(15);
    }
    let inputs = rig.drain();
    // The other one is named when it was heard to identify itself, too.
    let clash = |input: &Input| match input {
        Input::NodeDown { node: NodeId(1), why: DownReason::AddressClash { one, other } } => {
            [0, 9].contains(one) && *other == 102
        }
        _ => false,
    };
    assert!(inputs.iter().any(clash), "{inputs:?}");
    assert_eq!(rig.view(1).why, Why::Clash);
    assert!(rig.view(1).counters.clashes > 0);
    // One is taken away: after a while without a sign of it the other is used.
    rig.plant.places[1].dead = true;
    rig.plant.places[twin].dead = false;
    rig.run(20_000);
    assert_eq!(rig.view(1).why, Why::Clash, "not trusted at once");
    rig.run(25_000);
    assert_eq!((rig.view(1).state, rig.view(1).serial), (State::Online, Some(9)));
    let up = |input: &Input| matches!(input, Input::NodeUp { node: NodeId(1), .. });
    assert!(rig.drain().iter().any(up));
}

#[test]
fn a_device_that_is_replaced_is_another_boot_even_with_the_same_boot_id() {
    let mut rig = connected();
    rig.drain();
    let boot = rig.view(1).boot_id;
    let twin = rig.plant.twin(1, boot, 55);
    rig.plant.places[1].dead = true;
    rig.run(1_000);
    rig.plant.places[twin].dead = false;
    rig.run(2_500);
    let view = rig.view(1);
    assert_eq!((view.state, view.serial, view.boot_id), (State::Online, Some(55), boot));
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::NodeUp { node: NodeId(1), restarted: true }), "{inputs:?}");
}
