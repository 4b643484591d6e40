//! Links against the real node machines in virtual time.

#[path = "link/confirmed.rs"]
mod confirmed;
#[path = "link/health.rs"]
mod health;
#[path = "link/late_arms.rs"]
mod late_arms;
#[path = "link/loss.rs"]
mod loss;
#[path = "link/maps.rs"]
mod maps;
mod rig;
#[path = "link/rules.rs"]
mod rules;

use line_model::ids::{ChuteNo, EyeId, NodeId, ScannerId, Tag};
use line_model::signal::{ArmEnd, ChuteContact, Contact, DownReason, Input, Read};
use node_link::{Nature, Order, State, Why};
use registers::NodeKind;
use registers::points::{diverter, panel, scanner, zone};
use rig::{Fault, Rig, line};
use units::{Distance, Micros};

fn connected() -> Rig {
    let mut rig = Rig::new(line());
    rig.connect();
    rig.run(30);
    rig
}

fn edges(inputs: &[Input]) -> Vec<(EyeId, bool, i64)> {
    let edge = |input: &Input| match input {
        Input::Edge { eye, active, at, .. } => Some((*eye, *active, at.at)),
        _ => None,
    };
    inputs.iter().filter_map(edge).collect()
}

#[test]
fn nodes_come_up_in_the_belts_frame() {
    let mut rig = connected();
    let up = |node| Input::NodeUp { node: NodeId(node), restarted: true };
    let inputs = rig.drain();
    for node in 0..4 {
        assert!(inputs.contains(&up(node)), "{node}: {inputs:?}");
    }
    // The tripped contacts are told at once, the others as released.
    assert!(inputs.contains(&Input::Contact { contact: Contact::Estop(1), active: false }));
    for node in [1, 2, 3] {
        let spread = rig.view(node).spread.expect("mapped");
        assert!(spread <= Distance(2), "{node}: {spread:?}");
    }
    rig.plant.speed = 1_200;
    rig.run(200);
    for (node, input, eye) in [(0, zone::EYE_A, 0), (1, diverter::EYE_ARRIVAL, 2), (2, 5, 3)] {
        let at = rig.plant.position().at;
        rig.pulse(node, input, 60);
        rig.run(150);
        let found = edges(&rig.drain());
        assert_eq!((found[0].0, found[0].1), (EyeId(eye), true));
        assert!((found[0].2 - at).abs() <= 3, "{found:?} at {at}");
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn a_tripped_contact_is_known_at_connect() {
    let mut rig = Rig::new(line());
    rig.plant.level(2, panel::ESTOP_1, true);
    rig.connect();
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::Contact { contact: Contact::Estop(1), active: true }));
}

#[test]
fn a_chute_that_is_full_or_locked_is_known_at_connect_and_a_stale_press_is_none() {
    let mut rig = Rig::new(line());
    rig.plant.places[1].dead = true;
    rig.run(200);
    rig.pulse(1, diverter::BUTTON_LEFT, 60);
    rig.plant.level(1, diverter::FULL_LEFT, true);
    rig.plant.level(1, diverter::LOCK_RIGHT, true);
    rig.run(60);
    rig.plant.places[1].dead = false;
    rig.connect();
    rig.run(100);
    let inputs = rig.drain();
    let told = |chute, contact, active| Input::Chute { chute: ChuteNo(chute), contact, active };
    assert!(inputs.contains(&told(1, ChuteContact::Full, true)));
    assert!(inputs.contains(&told(2, ChuteContact::Lock, true)));
    assert!(!inputs.contains(&told(1, ChuteContact::Button, true)));
    rig.pulse(1, diverter::BUTTON_LEFT, 60);
    rig.run(100);
    assert!(rig.drain().contains(&told(1, ChuteContact::Button, true)));
}

#[test]
fn a_button_pressed_before_the_host_came_starts_nothing() {
    let mut rig = Rig::new(line());
    rig.plant.places[2].dead = true;
    rig.run(200);
    rig.pulse(2, panel::START, 60);
    rig.pulse(2, panel::STOP, 60);
    rig.run(60);
    rig.plant.places[2].dead = false;
    rig.connect();
    rig.run(100);
    let inputs = rig.drain();
    assert!(!inputs.contains(&Input::Contact { contact: Contact::Start, active: true }));
    assert!(inputs.contains(&Input::Contact { contact: Contact::Stop, active: true }));
    rig.pulse(2, panel::START, 60);
    rig.run(100);
    assert!(rig.drain().contains(&Input::Contact { contact: Contact::Start, active: true }));
}

#[test]
fn an_arm_waits_for_its_record_and_fires() {
    let mut rig = connected();
    rig.drain();
    rig.plant.speed = 1_000;
    rig.commit = None;
    let plan = rig.arm(7, 100, 400);
    rig.order(1, Order::Arm(plan));
    rig.run(100);
    assert!(!rig.inputs.contains(&Input::ArmAnswered { tag: Tag(7), taken: true }));
    assert_eq!(rig.view(1).orders, 1);

    let mut rig = connected();
    rig.drain();
    rig.plant.speed = 1_000;
    let plan = rig.arm(8, 100, 400);
    rig.order(1, Order::Arm(plan));
    rig.plant.level(1, diverter::HOME, true);
    rig.run(150);
    let edge = rig.plant.position();
    rig.pulse(1, diverter::EYE_ARRIVAL, 90);
    rig.run(200);
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::ArmAnswered { tag: Tag(8), taken: true }), "{inputs:?}");
    let end = inputs.iter().find_map(|input| match input {
        Input::ArmEnded { tag: Tag(8), end: ArmEnd::Fired { edge }, at, .. } => Some((*edge, *at)),
        _ => None,
    });
    let (found, at) = end.expect("fired");
    assert!(found.since(edge).abs() <= Distance(3));
    assert!(at.since(found.plus(Distance(100))).abs() <= Distance(5));
}

#[test]
fn an_arm_that_is_not_durable_in_time_is_withheld() {
    let mut rig = connected();
    rig.drain();
    rig.commit = None;
    let plan = rig.arm(7, 1_000, 1_400);
    rig.order(1, Order::Arm(plan));
    rig.run(299);
    assert_eq!(rig.drain(), []);
    rig.run(3);
    assert_eq!(rig.drain(), [Input::Withheld { tag: Tag(7) }]);
}

#[test]
fn cancelling_an_arm_that_was_never_sent_withholds_it() {
    let mut rig = connected();
    rig.drain();
    rig.commit = None;
    let plan = rig.arm(7, 1_000, 1_400);
    rig.order(1, Order::Arm(plan));
    rig.order(1, Order::Cancel(Tag(7)));
    rig.run(400);
    assert_eq!(rig.drain(), [Input::Withheld { tag: Tag(7) }]);
    assert_eq!(rig.view(1).orders, 0);
}

#[test]
fn stopping_does_not_wait_for_the_disk_and_replaces_an_unsent_start() {
    let mut rig = connected();
    let run = |value, nature| Order::Set { output: zone::RUN, value, nature };
    rig.order(0, run(1, Nature::Energising));
    rig.run(60);
    assert_eq!(rig.plant.places[0].outputs.get(&zone::RUN), Some(&1));
    rig.commit = None;
    rig.order(0, run(0, Nature::Stopping));
    rig.run(30);
    assert_eq!(rig.plant.places[0].outputs.get(&zone::RUN), Some(&0));
    rig.order(0, run(1, Nature::Energising));
    rig.order(0, run(0, Nature::Stopping));
    rig.run(30);
    rig.commit = Some(Micros::ZERO);
    rig.run(200);
    assert_eq!(rig.plant.places[0].outputs.get(&zone::RUN), Some(&0));
    assert_eq!(rig.view(0).orders, 0);
}

#[test]
fn a_full_queue_and_a_missing_map_refuse_an_arm() {
    let mut rig = connected();
    rig.drain();
    rig.commit = None;
    for tag in 0..9 {
        let plan = rig.arm(tag, 1_000, 1_400);
        rig.order(1, Order::Arm(plan));
    }
    assert_eq!(rig.drain(), [Input::ArmAnswered { tag: Tag(8), taken: false }]);
    let mut rig = Rig::new(line());
    let plan = rig.arm(1, 1_000, 1_400);
    rig.order(1, Order::Arm(plan));
    assert_eq!(rig.drain(), [Input::ArmAnswered { tag: Tag(1), taken: false }]);
}

#[test]
fn the_node_refusing_an_arm_is_said() {
    let mut rig = connected();
    rig.drain();
    let plan = rig.arm(1, 1_000, 200_000);
    rig.order(1, Order::Arm(plan));
    rig.run(100);
    assert_eq!(rig.drain(), [Input::ArmAnswered { tag: Tag(1), taken: false }]);
    assert_eq!(rig.view(1).counters.refused, 1);
}

#[test]
fn events_are_acknowledged_only_when_durable_and_survive_a_restart() {
    let mut rig = connected();
    rig.run(100);
    rig.drain();
    rig.commit = None;
    rig.pulse(0, zone::EYE_A, 40);
    rig.run(200);
    let before = edges(&rig.drain());
    assert_eq!(before.len(), 2);
    // The disk never wrote it: the restarted host hears it again, at the same place.
    rig.commit = Some(Micros::from_millis(2));
    rig.start();
    rig.connect();
    rig.run(100);
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::NodeUp { node: NodeId(0), restarted: false }), "{inputs:?}");
    assert_eq!(edges(&inputs), before);
    // Now it is durable: another restart does not hear it again.
    rig.start();
    rig.connect();
    rig.run(100);
    assert_eq!(edges(&rig.drain()), []);
    assert_eq!(rig.view(0).counters.lost, 0);
}

#[test]
fn a_restart_adopts_the_armed_list() {
    let mut rig = connected();
    rig.drain();
    for tag in [3, 4] {
        let plan = rig.arm(tag, 10_000 * i64::from(tag), 10_000 * i64::from(tag) + 300);
        rig.order(1, Order::Arm(plan));
    }
    rig.run(200);
    assert_eq!(rig.drain().len(), 2);
    rig.start();
    rig.connect();
    let tags = vec![Tag(3), Tag(4)];
    assert!(rig.drain().contains(&Input::Adopted { node: NodeId(1), tags }));
}

#[test]
fn a_rebooted_node_is_up_again_as_restarted_with_a_new_map() {
    let mut rig = connected();
    rig.drain();
    rig.plant.speed = 1_200;
    rig.plant.reboot(1, 4_242);
    rig.run(1_500);
    let inputs = rig.drain();
    let restarted = Input::NodeUp { node: NodeId(1), restarted: true };
    assert_eq!(inputs.iter().filter(|input| **input == restarted).count(), 1, "{inputs:?}");
    let at = rig.plant.position().at;
    rig.pulse(1, diverter::EYE_ARRIVAL, 60);
    rig.run(150);
    let found = edges(&rig.drain());
    assert!((found[0].2 - at).abs() <= 3, "{found:?} at {at}");
}

#[test]
fn a_rebooted_reference_goes_on_in_the_same_frame() {
    let mut rig = connected();
    rig.plant.speed = 1_200;
    rig.run(300);
    rig.drain();
    let (at, belt) = (rig.plant.position().at, rig.plant.belt());
    rig.plant.reboot(0, 4_242);
    rig.run(2_000);
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::NodeUp { node: NodeId(0), restarted: true }), "{inputs:?}");
    let truth = at + rig.plant.belt() - belt;
    rig.pulse(0, zone::EYE_A, 60);
    rig.run(150);
    let found = edges(&rig.drain());
    assert!((found[0].2 - truth).abs() <= 4, "{found:?} at {truth}");
}

#[test]
fn a_silent_node_is_down_after_five_time_outs_and_comes_back() {
    let mut rig = connected();
    rig.drain();
    rig.plant.places[1].dead = true;
    rig.run(600);
    let down = Input::NodeDown { node: NodeId(1), why: DownReason::Silent };
    assert_eq!(rig.drain(), [down]);
    assert_eq!(rig.view(1).counters.timeouts, 5);
    let before = (rig.view(0).counters.exchanges, rig.view(1).counters.timeouts);
    rig.run(10_000);
    let after = (rig.view(0).counters.exchanges, rig.view(1).counters.timeouts);
    // One time-out of 40 ms a second at most: the others keep more than nine tenths of the bus.
    assert!(after.1 - before.1 <= 10, "{after:?}");
    assert!(after.0 - before.0 >= 1_000, "{after:?}");
    assert_eq!(rig.drain(), []);
    rig.plant.places[1].dead = false;
    rig.run(1_200);
    let inputs = rig.drain();
    assert_eq!(inputs[0], Input::NodeUp { node: NodeId(1), restarted: false });
    assert_eq!(inputs[1], Input::Adopted { node: NodeId(1), tags: vec![] });
}

#[test]
fn another_kind_or_owner_is_down_with_its_reason() {
    let mut rig = Rig::new(line());
    rig.plant.replace(1, NodeKind::Panel);
    rig.run(1_000);
    let why = DownReason::WrongKind { found: NodeKind::Panel.word() };
    assert!(rig.inputs.contains(&Input::NodeDown { node: NodeId(1), why }));
    assert_eq!(rig.view(1).why, Why::WrongKind);
    rig.plant.replace(1, NodeKind::Diverter);
    rig.run(5_500);
    assert_eq!(rig.view(1).state, State::Online);

    let mut other = line();
    other[0].owner = 5;
    let mut rig = Rig::new(line());
    rig.connect();
    rig.drain();
    // Another master takes over while ours is away for longer than the lease.
    rig.plant.places.iter_mut().for_each(|place| place.dead = true);
    rig.run(3_500);
    rig.plant.places.iter_mut().for_each(|place| place.dead = false);
    steal(&mut rig, 1);
    rig.run(2_500);
    let why = DownReason::NotOwner;
    assert!(rig.inputs.contains(&Input::NodeDown { node: NodeId(1), why }), "{:?}", rig.inputs);
    rig.run(4_000);
    assert_eq!(rig.view(1).state, State::Online);
}

/// Claims a node for owner 5, as another master would.
fn steal(rig: &mut Rig, node: u8) {
    use registers::exchange::{Operation, WriteBlock};
    let unit = node + 1;
    let block = WriteBlock {
        token: 1,
        owner: 5,
        boot_id: rig.view(node).boot_id,
        ack: units::Serial(0),
        command: units::Serial(0),
        operation: Operation::Noop,
    };
    let (mut pdu, mut frame) = ([0; 253], [0; 256]);
    let words = block.encode(unit);
    let used = modbus::pdu::read_write(0x0200, 28, 0x0100, &words, &mut pdu).expect("fits");
    let used = modbus::rtu::encode(unit, &pdu[..used], &mut frame).expect("fits");
    assert!(!rig.plant.feed(usize::from(node), node::Input::Rtu(&frame[..used])).is_empty());
}

#[test]
fn another_map_version_is_named_and_asked_again_later() {
    let mut rig = Rig::new(line());
    rig.fault = Box::new(|_| Fault::Version(9));
    rig.run(200);
    let why = DownReason::WrongMap { found: 9 };
    let down = |node| Input::NodeDown { node: NodeId(node), why };
    let mut inputs = rig.drain();
    inputs.sort_by_key(|input| format!("{input:?}"));
    assert_eq!(inputs, [down(0), down(1), down(2), down(3)]);
    let asked = rig.view(0).counters.exchanges;
    assert!((1..=2).contains(&asked), "read once more at most: {asked}");
    rig.fault = Box::new(|_| Fault::None);
    rig.run(4_500);
    assert_eq!(rig.view(0).counters.exchanges, asked);
    rig.run(2_000);
    assert_eq!(rig.view(0).state, State::Online);
}

#[test]
fn the_late_answer_to_another_command_is_never_taken() {
    let mut rig = connected();
    rig.drain();
    // Arm 2 never reaches the node; what comes back each time is the answer to arm 1.
    rig.fault = Box::new(|pdu| match pdu.get(20..26) {
        Some([0, 1, 0, 0, 0, 2]) => Fault::Late,
        _ => Fault::None,
    });
    for tag in [1, 2] {
        let plan = rig.arm(tag, 1_000, 1_300);
        rig.order(1, Order::Arm(plan));
    }
    rig.run(60);
    let inputs = rig.drain();
    assert!(inputs.contains(&Input::ArmAnswered { tag: Tag(1), taken: true }));
    assert!(!inputs.contains(&Input::ArmAnswered { tag: Tag(2), taken: true }));
    let counters = rig.view(1).counters;
    assert_eq!((counters.bad, counters.late), (5, 5), "every one was known as another one's");
}

#[test]
fn nonsense_for_answers_is_counted_and_forgotten() {
    let mut rig = connected();
    rig.drain();
    let mut state = 5;
    rig.fault = Box::new(move |_| match random(&mut state) {
        n if n % 6 == 0 => Fault::Garbage(u8::try_from(n % 251).expect("small")),
        _ => Fault::None,
    });
    rig.run(20_000);
    rig.fault = Box::new(|_| Fault::None);
    rig.connect();
    assert!(rig.view(0).counters.bad > 50, "{:?}", rig.view(0).counters);
    let lost = |input: &Input| matches!(input, Input::EventsLost { .. } | Input::Edge { .. });
    assert!(!rig.drain().iter().any(lost));
}

#[test]
fn a_scanner_that_restarts_while_the_belt_runs_is_mapped_within_its_spread() {
    for offset in [0, 7, 13, 29, 61, 150] {
        let mut rig = connected();
        rig.plant.speed = 1_200;
        rig.run(500 + offset);
        rig.plant.reboot(3, 4_242);
        rig.drain();
        rig.run(2_500);
        let up = Input::NodeUp { node: NodeId(3), restarted: true };
        assert!(rig.drain().contains(&up));
        let spread = rig.view(3).spread.expect("mapped");
        assert!(spread <= Distance(40), "{spread:?}");
        let truth = rig.plant.position();
        rig.plant.level(3, scanner::TRIGGER, true);
        rig.run(60);
        rig.plant.feed(3, node::Input::Device(b"1:NOREAD\r"));
        rig.run(200);
        let at = rig.drain().into_iter().find_map(|input| match input {
            Input::Read { at, spread: told, .. } => Some((at, told)),
            _ => None,
        });
        let (at, told) = at.expect("read");
        assert!(at.since(truth).abs() <= told.plus(Distance(3)), "{at:?} {truth:?} {told:?}");
        assert!(told <= spread);
    }
}

#[test]
fn a_bus_that_goes_down_takes_its_nodes_down_once() {
    let mut rig = connected();
    rig.drain();
    let mut out = Vec::new();
    rig.masters[1].bus_down(rig.plant.now, &mut out);
    assert_eq!(out.len(), 1);
    out.clear();
    rig.masters[1].bus_down(rig.plant.now, &mut out);
    assert_eq!(out, []);
    rig.run(100);
    rig.masters[1].bus_up(rig.plant.now);
    rig.connect();
    assert_eq!(rig.drain()[0], Input::NodeUp { node: NodeId(3), restarted: false });
}

#[test]
fn settings_that_differ_are_written() {
    let mut setups = line();
    setups[0].stations[0].settings[1] = 10;
    let mut rig = Rig::new(setups);
    rig.connect();
    assert_eq!(rig.view(0).counters.exceptions, 0);
    rig.drain();
    rig.pulse(0, zone::EYE_A, 15);
    rig.run(60);
    assert_eq!(edges(&rig.drain()).len(), 2, "15 ms are long enough for a debouncing of 10 ms");
    // Settings out of range are another map.
    let mut setups = line();
    setups[0].stations[0].settings[1] = 999;
    let mut rig = Rig::new(setups);
    rig.run(500);
    assert_eq!(rig.view(0).why, Why::WrongMap);
}

#[test]
fn heard_follows_the_events_and_the_belt() {
    let mut rig = connected();
    rig.plant.speed = 1_000;
    rig.run(500);
    let truth = rig.plant.position();
    let (_, at) = *rig.heard.iter().rev().find(|(node, _)| *node == NodeId(0)).expect("heard");
    let behind = truth.since(at).0;
    assert!((60..200).contains(&behind), "{behind}");
}

#[test]
fn one_read_comes_from_each_trigger_whatever_the_number_of_codes() {
    let mut setups = line();
    setups[1].stations[0].scanner = ScannerId(2);
    let mut rig = Rig::new(setups);
    rig.connect();
    rig.run(30);
    rig.drain();
    let long = ["A".repeat(48), "B".repeat(48), "C".repeat(48), "D".repeat(40)];
    for codes in [vec!["YT1234567890123".to_string()], long.to_vec(), vec![]] {
        rig.plant.level(3, scanner::TRIGGER, true);
        rig.run(60);
        let trigger = String::from_utf8(rig.plant.places[3].device.split_off(0)).expect("ASCII");
        let number = trigger.trim_start_matches('T').trim_end();
        let joined = codes.join(";");
        let text = if codes.is_empty() { "NOREAD" } else { &joined };
        rig.plant.feed(3, node::Input::Device(format!("{number}:{text}\r").as_bytes()));
        rig.plant.level(3, scanner::TRIGGER, false);
        rig.run(1_500);
        let reads: Vec<Read> = rig
            .drain()
            .into_iter()
            .filter_map(|input| match input {
                Input::Read { scanner: ScannerId(2), read, .. } => Some(read),
                _ => None,
            })
            .collect();
        let expected = if codes.is_empty() { Read::NoRead } else { Read::Codes(codes) };
        assert_eq!(reads, [expected]);
    }
}

#[test]
fn codes_whose_first_part_a_restart_lost_never_become_a_read() {
    let mut rig = connected();
    rig.drain();
    rig.plant.level(3, scanner::TRIGGER, true);
    rig.run(60);
    let codes = format!("1:{};{};{}\r", "A".repeat(48), "B".repeat(48), "C".repeat(48));
    rig.plant.feed(3, node::Input::Device(codes.as_bytes()));
    // Restart as soon as the first entry is acknowledged and gone from the ring.
    let mark = rig.marks[&NodeId(3)].sequence;
    while rig.marks[&NodeId(3)].sequence.since(mark) < 2 {
        rig.run(1);
    }
    rig.run(25);
    rig.start();
    rig.drain();
    rig.connect();
    rig.run(1_000);
    let reads = rig.drain().into_iter().filter_map(|input| match input {
        Input::Read { read, .. } => Some(read),
        _ => None,
    });
    assert_eq!(reads.collect::<Vec<_>>(), [Read::TooLong]);
}

#[test]
fn an_overflowing_ring_is_named() {
    let mut rig = connected();
    rig.drain();
    rig.commit = None;
    rig.run(50);
    for _ in 0..400 {
        rig.pulse(0, zone::EYE_A, 30);
        rig.run(30);
    }
    rig.commit = Some(Micros::ZERO);
    rig.start();
    rig.connect();
    rig.run(3_000);
    let inputs = rig.drain();
    let lost: u32 = inputs
        .iter()
        .map(|input| match input {
            Input::EventsLost { node: NodeId(0), entries } => u32::from(*entries),
            _ => 0,
        })
        .sum();
    let heard = u32::try_from(edges(&inputs).len()).expect("few");
    assert!(lost > 0);
    // Two edges each were heard before the restart and are heard again.
    let settled = rig.view(0).counters.lost;
    assert_eq!(u64::from(lost), settled);
    assert!(heard + lost >= 800 - 8, "{heard} + {lost}");
}

/// xorshift64*
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
}
