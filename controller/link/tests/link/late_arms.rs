//! Arms whose latest instant passes while nobody knows whether the node has them.

use crate::connected;
use crate::rig::{Fault, Rig};
use line_model::ids::{NodeId, Tag};
use line_model::signal::Input;
use node_link::Order;
use registers::exchange::{Operation, WriteBlock};
use registers::map::WRITE;
use std::sync::{Arc, Mutex};
use units::Micros;

/// The write block of a request, when it has one.
fn block(pdu: &[u8]) -> Option<WriteBlock> {
    let data =
        pdu.get(10..).filter(|_| pdu.first() == Some(&0x17) && pdu[5..7] == WRITE.to_be_bytes())?;
    let words: Vec<u16> = data.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
    WriteBlock::parse(2, &words).ok()
}

fn arms(pdu: &[u8], tag: u32) -> bool {
    block(pdu).is_some_and(|block| matches!(block.operation, Operation::Arm(arm) if arm.tag == tag))
}

/// Requests that carried arm 7, with the instant of each.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

/// Orders arm 7 over a bus that damages each exchange that carries it.
fn ordered(fault: Fault) -> (Rig, Sent) {
    let mut rig = connected();
    rig.drain();
    let sent = Sent::default();
    let list = Arc::clone(&sent);
    rig.fault = Box::new(move |pdu| {
        if !arms(pdu, 7) {
            return Fault::None;
        }
        list.lock().expect("no panic inside").push(pdu.to_vec());
        fault
    });
    let mut plan = rig.arm(7, 5_000, 5_300);
    plan.send_by = rig.plant.now.plus(Micros::from_millis(100));
    rig.order(1, Order::Arm(plan));
    (rig, sent)
}

/// Restarts the host and returns the tags that it adopts.
fn adopted(rig: &mut Rig) -> Vec<Tag> {
    rig.fault = Box::new(|_| Fault::None);
    rig.run(100);
    rig.drain();
    rig.start();
    rig.connect();
    let tags = rig.drain().into_iter().find_map(|input| match input {
        Input::Adopted { node: NodeId(1), tags } => Some(tags),
        _ => None,
    });
    tags.expect("a diverter's list is adopted")
}

#[test]
fn an_arm_whose_requests_are_lost_is_withheld_once_and_never_sent_again() {
    let (mut rig, sent) = ordered(Fault::RequestLost);
    rig.run(600);
    assert_eq!(rig.drain(), [Input::Withheld { tag: Tag(7) }]);
    assert_eq!(rig.view(1).counters.overdue, 1);
    let times = sent.lock().expect("no panic inside").len();
    assert!((2..=5).contains(&times), "repeated until its latest instant: {times}");
    rig.run(2_000);
    assert_eq!(sent.lock().expect("no panic inside").len(), times);
    assert_eq!(adopted(&mut rig), []);
}

#[test]
fn an_arm_whose_answers_are_lost_is_told_as_taken_when_the_node_has_it() {
    let (mut rig, sent) = ordered(Fault::AnswerLost);
    rig.run(600);
    assert_eq!(rig.drain(), [Input::ArmAnswered { tag: Tag(7), taken: true }]);
    assert_eq!(rig.view(1).counters.overdue, 0);
    let times = sent.lock().expect("no panic inside").len();
    rig.run(2_000);
    assert_eq!(sent.lock().expect("no panic inside").len(), times);
    assert_eq!(adopted(&mut rig), [Tag(7)]);
}

#[test]
fn a_withheld_arm_that_arrives_late_is_only_a_repetition() {
    let (mut rig, sent) = ordered(Fault::RequestLost);
    rig.run(600);
    assert_eq!(rig.drain(), [Input::Withheld { tag: Tag(7) }]);
    // A copy that a network had kept comes after all.
    let late = sent.lock().expect("no panic inside")[0].clone();
    rig.plant.serve(0, 2, &late).expect("answered");
    assert_eq!(adopted(&mut rig), []);
}

#[test]
fn orders_go_on_behind_a_withheld_arm() {
    let (mut rig, _) = ordered(Fault::RequestLost);
    rig.run(50);
    let plan = rig.arm(8, 6_000, 6_300);
    rig.order(1, Order::Arm(plan));
    rig.run(400);
    let taken = Input::ArmAnswered { tag: Tag(8), taken: true };
    assert_eq!(rig.drain(), [Input::Withheld { tag: Tag(7) }, taken]);
    assert_eq!(adopted(&mut rig), [Tag(8)]);
}

#[test]
fn a_node_that_dies_with_an_arm_on_its_way_is_asked_when_it_is_back() {
    for (fault, taken) in [(Fault::RequestLost, false), (Fault::AnswerLost, true)] {
        let (mut rig, _) = ordered(fault);
        rig.run(30);
        rig.plant.places[1].dead = true;
        rig.run(1_200);
        assert_eq!(rig.drain().len(), 1, "only that it is down: the arm's fate is not known");
        rig.plant.places[1].dead = false;
        rig.fault = Box::new(|_| Fault::None);
        rig.run(2_500);
        let inputs = rig.drain();
        let told: Vec<_> = inputs
            .iter()
            .filter(|input| matches!(input, Input::ArmAnswered { .. } | Input::Withheld { .. }))
            .collect();
        let expected = if taken {
            Input::ArmAnswered { tag: Tag(7), taken }
        } else {
            Input::Withheld { tag: Tag(7) }
        };
        assert_eq!(told, [&expected], "{inputs:?}");
        let tags = if taken { vec![Tag(7)] } else { vec![] };
        assert!(inputs.contains(&Input::Adopted { node: NodeId(1), tags }));
    }
}
