//! The sequence rules of the exchange, each with its trouble, between our master and real nodes.

use crate::rig::{Fault, Rig};
use crate::{connected, edges, random};
use line_model::ids::{NodeId, Tag};
use line_model::signal::{DownReason, Input};
use node_link::{Nature, Order, State};
use registers::exchange::{Operation, WriteBlock};
use registers::points::{diverter, zone};
use units::{Micros, Serial};

/// An exchange of somebody else with `node`, over the same bus.
fn foreign(rig: &mut Rig, node: u8, owner: u16, ack: Serial, operation: Operation) -> Vec<u8> {
    let unit = node + 1;
    let boot_id = rig.view(node).boot_id;
    let command = Serial(4_711);
    let block = WriteBlock { token: 1, owner, boot_id, ack, command, operation };
    let mut pdu = [0; 253];
    let used = modbus::pdu::read_write(0x0200, 28, 0x0100, &block.encode(unit), &mut pdu);
    let answer = rig.plant.serve(0, unit, &pdu[..used.expect("fits")]);
    answer.expect("answered").0
}

/// Verdict word of an events answer.
fn verdict(answer: &[u8]) -> u16 {
    u16::from_be_bytes([answer[12], answer[13]])
}

#[test]
fn a_second_master_cannot_acknowledge_command_or_renew() {
    let mut rig = connected();
    rig.drain();
    // Our events are not durable yet: what another one could acknowledge would be lost to us.
    rig.commit = None;
    rig.pulse(0, zone::EYE_A, 40);
    rig.run(100);
    let heard = edges(&rig.drain());
    assert_eq!(heard.len(), 2);
    let mark = rig.marks.get(&NodeId(0)).map_or(Serial(0), |mark| mark.sequence);
    for ack in [mark.next(), mark.plus(2), mark.plus(500)] {
        let run = Operation::SetOutput { output: zone::RUN, value: 1 };
        let answer = foreign(&mut rig, 0, 5, ack, run);
        assert_eq!(verdict(&answer), registers::exchange::Verdict::NotOwner.word());
    }
    assert_eq!(rig.plant.places[0].outputs.get(&zone::RUN).copied().unwrap_or(0), 0);
    // Our restart hears everything again, nothing is lost.
    rig.commit = Some(Micros::from_millis(2));
    rig.start();
    rig.connect();
    rig.run(100);
    assert_eq!(edges(&rig.drain()), heard);
    assert_eq!(rig.view(0).counters.lost, 0);
}

#[test]
fn a_wild_acknowledgement_under_our_own_word_forgets_nothing() {
    let mut rig = connected();
    rig.drain();
    rig.commit = None;
    rig.pulse(0, zone::EYE_A, 40);
    rig.run(100);
    let heard = edges(&rig.drain());
    let first = rig.marks.get(&NodeId(0)).map_or(Serial(0), |mark| mark.sequence);
    for wild in [first.plus(1_000), first.plus(40_000), Serial(first.0.wrapping_sub(9))] {
        foreign(&mut rig, 0, 77, wild, Operation::Noop);
    }
    rig.commit = Some(Micros::from_millis(2));
    rig.start();
    rig.connect();
    rig.run(100);
    assert_eq!(edges(&rig.drain()), heard);
}

#[test]
fn nothing_is_energised_before_a_node_has_told_everything() {
    let mut rig = connected();
    rig.drain();
    // The host is away for longer than the lease; the next one wants the belt to run on.
    (0..5_000).for_each(|_| rig.plant.step());
    rig.start();
    rig.order(0, Order::Set { output: zone::RUN, value: 1, nature: Nature::Energising });
    let runs = |rig: &Rig| rig.plant.places[0].outputs.get(&zone::RUN) == Some(&1);
    let (mut told, mut steps) = (false, 0);
    while !told {
        rig.run(1);
        told = rig.drain().contains(&Input::LeaseExpired { node: NodeId(0) });
        assert!(told || !runs(&rig), "the belt runs before its node has told of the lease's end");
        steps += 1;
        assert!(steps < 2_000, "the lease's end is never told");
    }
    rig.run(200);
    assert!(runs(&rig), "then the order is carried out");
}

#[test]
fn a_token_of_before_a_crash_is_never_taken_for_an_answer() {
    // The host restarts with the same first token; the node's last answer of then comes late.
    let mut rig = connected();
    rig.pulse(0, zone::EYE_A, 40);
    rig.run(100);
    rig.drain();
    rig.start();
    let mut state = 9;
    rig.fault = Box::new(move |_| match random(&mut state) % 3 {
        0 => Fault::Late,
        1 => Fault::Stale,
        _ => Fault::None,
    });
    rig.run(5_000);
    rig.fault = Box::new(|_| Fault::None);
    rig.connect();
    rig.run(200);
    let told = rig.drain();
    assert_eq!(edges(&told), [], "nothing of before is told again");
    assert!((0..3).any(|node| rig.view(node).counters.late > 0));
    assert!((0..3).all(|node| rig.view(node).counters.lost == 0));
}

#[test]
fn sequences_commands_and_tokens_go_on_across_their_wraps() {
    // Token, events, commands and encoder of this node wrap within its first 200 exchanges.
    let mut rig = connected();
    rig.plant.reboot(0, 65_530);
    rig.run(2_000);
    rig.drain();
    rig.commit = Some(Micros::ZERO);
    rig.plant.speed = 1_000;
    let before = rig.view(0).counters;
    let mut seen = 0;
    for n in 0..600_u32 {
        let (output, nature) = (zone::SPEED, Nature::Showing);
        rig.order(0, Order::Set { output, value: 100 + n % 2, nature });
        rig.plant.level(0, zone::EYE_A, n % 2 == 0);
        rig.run(26);
        if n % 100 == 0 {
            seen += edges(&rig.drain()).len();
        }
    }
    rig.run(200);
    seen += edges(&rig.drain()).len();
    let after = rig.view(0).counters;
    println!(
        "{} commands, {seen} edges, {} exchanges of one node",
        after.taken - before.taken,
        after.exchanges - before.exchanges
    );
    assert_eq!((after.refused, after.lost, after.bad), (0, 0, 0));
    assert_eq!(seen, 600);
    assert_eq!(after.taken - before.taken, 600);
    let mark = rig.marks[&NodeId(0)].sequence;
    assert!(mark.0 < 10_000, "its events wrapped: {mark:?}");
    assert_eq!(rig.view(0).state, State::Online);
}

#[test]
fn a_reboot_with_events_unread_is_one_restart_and_old_arms_are_not_repeated() {
    let mut rig = connected();
    rig.drain();
    let plan = rig.arm(7, 5_000, 5_300);
    rig.order(1, Order::Arm(plan));
    rig.run(60);
    rig.pulse(1, diverter::EYE_LEFT, 40);
    rig.plant.reboot(1, 31_000);
    rig.run(2_000);
    let told = rig.drain();
    let up = Input::NodeUp { node: NodeId(1), restarted: true };
    assert_eq!(told.iter().filter(|input| **input == up).count(), 1, "{told:?}");
    assert_eq!(rig.view(1).counters.restarts, 1);
    rig.start();
    rig.connect();
    let adopted = Input::Adopted { node: NodeId(1), tags: vec![] };
    assert!(rig.drain().contains(&adopted));
}

#[test]
fn a_cancelled_arm_is_gone_even_when_two_of_five_answers_are_lost() {
    let mut rig = connected();
    rig.drain();
    let mut state = 21;
    rig.fault = Box::new(move |_| match random(&mut state) % 5 {
        0 | 1 => Fault::AnswerLost,
        _ => Fault::None,
    });
    for tag in [1, 2, 3] {
        let plan = rig.arm(tag, 50_000, 50_300);
        rig.order(1, Order::Arm(plan));
    }
    rig.run(250);
    rig.order(1, Order::Cancel(Tag(2)));
    rig.run(1_000);
    rig.fault = Box::new(|_| Fault::None);
    rig.run(500);
    let told = rig.drain();
    let ended: Vec<_> = told.iter().filter(|i| matches!(i, Input::ArmEnded { .. })).collect();
    assert!(
        matches!(ended[..], [Input::ArmEnded { tag: Tag(2), .. }]),
        "exactly one end, of the cancelled one: {told:?}"
    );
    let lost = Input::NodeDown { node: NodeId(1), why: DownReason::Silent };
    assert!(!told.contains(&lost));
    rig.start();
    rig.connect();
    let tags = vec![Tag(1), Tag(3)];
    assert!(rig.drain().contains(&Input::Adopted { node: NodeId(1), tags }));
}
