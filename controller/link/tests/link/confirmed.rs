//! What the host believes of a node's boot, and when it has told the line.

use crate::connected;
use crate::rig::{Fault, Rig};
use line_model::ids::NodeId;
use line_model::signal::Input;
use node_link::{Nature, Order, State};
use registers::points::{diverter, panel};

fn restarts(inputs: &[Input], node: u8) -> usize {
    let told = Input::NodeUp { node: NodeId(node), restarted: true };
    inputs.iter().filter(|input| **input == told).count()
}

#[test]
fn a_restart_is_told_by_the_host_after_the_one_that_died_before_telling() {
    let mut rig = connected();
    rig.plant.reboot(1, 4_242);
    while rig.view(1).boot_id != 4_242 {
        rig.run(1);
    }
    assert_ne!(rig.view(1).state, State::Online, "the line has not been told");
    rig.drain();
    // Another node's record takes every mark along, and becomes durable; then the host dies.
    let light = Order::Set { output: panel::LAMP_RED, value: 1, nature: Nature::Showing };
    rig.order(2, light);
    let durable = rig.durable;
    while rig.durable == durable {
        rig.run(1);
    }
    assert_eq!(restarts(&rig.drain(), 1), 0, "still not told");
    rig.start();
    rig.connect();
    rig.run(30);
    assert_eq!(restarts(&rig.drain(), 1), 1);
}

/// A node's bus comes back while its identity is garbled once, and it has events that were told.
fn garbled(rig: &mut Rig, at: usize) {
    let mut once = true;
    rig.fault = Box::new(move |pdu| {
        let identity = pdu.first() == Some(&0x03);
        if identity && std::mem::take(&mut once) { Fault::Identity(at) } else { Fault::None }
    });
    let now = rig.plant.now;
    rig.masters[0].bus_up(now);
}

#[test]
fn a_garbled_identity_with_a_right_crc_makes_no_restart_and_doubles_nothing() {
    // Kind, map version, boot id, serial number, lengths: each byte of the block.
    for at in 0..20 {
        let mut rig = connected();
        rig.plant.speed = 500;
        rig.pulse(1, diverter::EYE_LEFT, 40);
        rig.run(200);
        let landings = |inputs: &[Input]| {
            inputs.iter().filter(|input| matches!(input, Input::Landing { .. })).count()
        };
        assert_eq!(landings(&rig.drain()), 2);
        // The stations are identified in turn: the first one's answer is garbled.
        garbled(&mut rig, at);
        rig.connect();
        rig.run(100);
        let inputs = rig.drain();
        let told = (0..3).map(|node| restarts(&inputs, node)).sum::<usize>();
        assert_eq!((told, landings(&inputs)), (0, 0), "byte {at}: {inputs:?}");
        assert!(!inputs.iter().any(|input| matches!(input, Input::NodeDown { .. })), "byte {at}");
    }
}

#[test]
fn a_garbled_first_identity_of_a_run_makes_no_restart() {
    for at in 0..20 {
        let mut rig = connected();
        rig.run(100);
        rig.drain();
        rig.start();
        garbled(&mut rig, at);
        rig.connect();
        rig.run(100);
        let inputs = rig.drain();
        let told = (0..3).map(|node| restarts(&inputs, node)).sum::<usize>();
        assert_eq!(told, 0, "byte {at}: {inputs:?}");
    }
}
