//! The exactly-once exchange, on the kind that has every operation.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY, frame};
use node::{Identity, Input};
use registers::check::{seal, sealed};
use registers::event::{ArmOutcome, Event};
use registers::exchange::{Arm, Operation, Side, Verdict, WRITE_WORDS};
use registers::map::{self, NodeKind};
use registers::points::diverter::{EYE_LEFT, HOME, LAMP_LEFT, LAMP_RIGHT};
use registers::status::{ARMED_WORDS, ArmedList, STATUS_WORDS, Status, settings_hash};
use units::{Micros, Serial};

fn bench() -> Bench<Diverter> {
    Bench::new(node(IDENTITY))
}

fn lamp(value: u32) -> Operation {
    Operation::SetOutput { output: LAMP_LEFT, value }
}

fn read(bench: &mut Bench<Diverter>, address: u16, quantity: u16) -> Result<Vec<u16>, u8> {
    let ([a, b], [c, d]) = (address.to_be_bytes(), quantity.to_be_bytes());
    let answer = bench.request(IDENTITY.unit, &[3, a, b, c, d]);
    if answer[1] != 3 {
        return Err(answer[2]);
    }
    let data = &answer[3..answer.len() - 2];
    Ok(data.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

#[test]
fn only_the_successor_is_taken_and_a_repetition_repeats() {
    let mut bench = bench();
    assert_eq!(bench.view().status.last_command, IDENTITY.last_command);
    let block = bench.block(lamp(1));
    for (sequence, verdict, value) in [
        // Nothing was accepted in this boot: the starting number is no repetition.
        (Serial(0xFFFF), Verdict::WrongSequence, 0),
        (Serial(1), Verdict::WrongSequence, 0),
        (Serial(0), Verdict::Accepted, 1),
        (Serial(0), Verdict::Accepted, 1),
        (Serial(0xFFFF), Verdict::WrongSequence, 1),
        (Serial(2), Verdict::WrongSequence, 1),
    ] {
        let mut block = block;
        block.command = sequence;
        let answer = bench.send(block);
        assert_eq!(answer.head.verdict, verdict, "{sequence:?}");
        assert_eq!(bench.outputs[usize::from(LAMP_LEFT)], value);
    }
    // A repetition is not executed again, whatever it says.
    let mut repeated = bench.block(lamp(0));
    repeated.command = Serial(0);
    assert_eq!(bench.send(repeated).head.verdict, Verdict::Accepted);
    assert_eq!(bench.outputs[usize::from(LAMP_LEFT)], 1);
}

#[test]
fn a_rejected_command_consumes_no_number() {
    let mut bench = bench();
    for (operation, verdict) in [
        (lamp(3), Verdict::BadArgument),
        (Operation::SetOutput { output: 0, value: 1 }, Verdict::BadArgument),
        (Operation::SetOutput { output: 200, value: 1 }, Verdict::BadArgument),
        (Operation::Latch { number: 0 }, Verdict::BadArgument),
        (lamp(1), Verdict::Accepted),
        (Operation::Cancel { tag: 77 }, Verdict::Accepted),
        (Operation::CancelAll, Verdict::Accepted),
        (Operation::Latch { number: 5 }, Verdict::Accepted),
    ] {
        let before = bench.view().status.last_command;
        assert_eq!(bench.command(operation), verdict, "{operation:?}");
        let taken = if verdict == Verdict::Accepted { before.next() } else { before };
        assert_eq!(bench.view().status.last_command, taken, "{operation:?}");
    }
    let status = bench.view().status;
    assert_eq!((status.latch_number, status.latch_count), (5, bench.at.count));
}

#[test]
fn boot_and_owner_decide_before_anything_acts() {
    let mut bench = bench();
    bench.level(EYE_LEFT, true);
    bench.run(30);
    for (boot_id, owner, operation, verdict) in [
        (0, 7, Operation::Noop, Verdict::None),
        (0, 7, lamp(1), Verdict::WrongBoot),
        (1, 7, Operation::Noop, Verdict::WrongBoot),
        (1, 7, lamp(1), Verdict::WrongBoot),
        (IDENTITY.boot_id, 0, lamp(1), Verdict::NotOwner),
    ] {
        let mut block = bench.block(operation);
        (block.boot_id, block.owner, block.ack) = (boot_id, owner, IDENTITY.first_event);
        let answer = bench.send(block);
        assert_eq!(answer.head.verdict, verdict, "{boot_id} {owner} {operation:?}");
        assert_eq!(answer.events.len(), 1, "nothing was acknowledged");
        let status = bench.view().status;
        assert_eq!((status.owner, status.lease_ms), (0, 0));
        assert_eq!(status.ack_ignored, 0);
    }
    assert_eq!(bench.command(lamp(1)), Verdict::Accepted);
    assert_eq!((bench.view().status.owner, bench.view().status.lease_ms), (7, 3_000));
    bench.run(1_000);
    let mut other = bench.block(Operation::Noop);
    (other.owner, other.ack) = (8, IDENTITY.first_event);
    let answer = bench.send(other);
    assert_eq!((answer.head.verdict, answer.events.len()), (Verdict::NotOwner, 1));
    assert_eq!(bench.view().status.lease_ms, 2_000, "another owner does not renew");
    // A rejected command of the owner renews.
    assert_eq!(bench.command(lamp(9)), Verdict::BadArgument);
    assert_eq!(bench.view().status.lease_ms, 3_000);
}

#[test]
fn silence_ends_the_lease_once_and_frees_the_node() {
    let mut bench = bench();
    bench.set(LAMP_LEFT, 1);
    let arm = Arm {
        tag: 4,
        side: Side::Left,
        window_from: bench.ahead(50_000),
        window_to: bench.ahead(50_100),
        length_min: 0,
        delay: 1,
        release: 1,
    };
    assert_eq!(bench.command(Operation::Arm(arm)), Verdict::Accepted);
    bench.run(2_999);
    assert_eq!(bench.view().status.owner, 7);
    assert_eq!(bench.outputs[usize::from(LAMP_LEFT)], 1);
    bench.run(1);
    assert_eq!((bench.view().status.owner, bench.view().status.lease_ms), (0, 0));
    assert_eq!(bench.outputs[usize::from(LAMP_LEFT)], 0);
    bench.run(5_000);
    let at = bench.drain();
    assert!(
        matches!(
            at[..],
            [
                Event::ArmEnded { tag: 4, outcome: ArmOutcome::LeaseExpired, .. },
                Event::LeaseExpired { .. },
            ]
        ),
        "{at:?}"
    );
    bench.run(3_000);
    bench.owner = 8;
    assert_eq!(bench.command(lamp(1)), Verdict::Accepted, "another owner may take it");
}

#[test]
fn acknowledgements_out_of_range_are_ignored_and_counted() {
    let mut bench = bench();
    bench.level(EYE_LEFT, true);
    bench.run(30);
    let first = IDENTITY.first_event;
    for (ack, ignored, left) in [
        (first.prev(), 0, 1),
        (first.prev().prev(), 1, 1),
        (first.next(), 2, 1),
        (first, 2, 0),
        (first.prev(), 3, 0),
        (first, 3, 0),
    ] {
        let mut block = bench.block(Operation::Noop);
        block.ack = ack;
        let answer = bench.send(block);
        assert_eq!(answer.head.verdict, Verdict::None);
        assert_eq!(answer.events.len(), left, "{ack:?}");
        assert_eq!(bench.view().status.ack_ignored, ignored, "{ack:?}");
    }
    assert_eq!(bench.view().status.ring_used, 0);
}

#[test]
fn an_exchange_writes_the_whole_block_and_reads_one_block_or_does_nothing() {
    let mut bench = bench();
    let block = bench.block(lamp(1));
    let words = block.encode(IDENTITY.unit);
    let events = NodeKind::Diverter.event_words();
    for (address, quantity) in [
        (map::EVENTS, events - 1),
        (map::EVENTS, 64),
        (map::STATUS, STATUS_WORDS - 1),
        (map::STATUS + 1, STATUS_WORDS - 1),
        (map::IDENTITY, map::IDENTITY_WORDS),
        (map::SETTINGS, 2),
        (map::ARMED, 1),
        (0x7000, 1),
    ] {
        assert_eq!(bench.exchange(&words, address, quantity), Err(2), "{address:#x} {quantity}");
    }
    assert_eq!(bench.exchange(&words[..17], map::EVENTS, events), Err(2));
    let mut torn = words;
    torn[7] ^= 1;
    assert_eq!(bench.exchange(&torn, map::EVENTS, events), Err(3));
    assert_eq!(bench.outputs[usize::from(LAMP_LEFT)], 0, "nothing of it had an effect");
    assert_eq!(bench.view().status.owner, 0);
    let status = bench.exchange(&words, map::STATUS, STATUS_WORDS).expect("status");
    let status = Status::parse(IDENTITY.unit, block.token, &status).expect("sealed");
    assert_eq!((status.outputs, status.owner, status.last_command), (4, 7, Serial(0)));
    let armed = bench.exchange(&words, map::ARMED, ARMED_WORDS).expect("armed");
    let armed = ArmedList::parse(IDENTITY.unit, block.token, &armed).expect("sealed");
    assert_eq!(armed.tags(), []);
}

#[test]
fn an_unknown_operation_or_argument_gets_its_verdict_and_no_effect() {
    let mut bench = bench();
    for (operation, argument, verdict) in
        [(6, 0, Verdict::NotSupported), (4, 300, Verdict::BadArgument)]
    {
        let block = bench.block(lamp(1));
        let mut words = block.encode(IDENTITY.unit);
        (words[5], words[6]) = (operation, argument);
        seal(IDENTITY.unit, block.token, &mut words);
        let read = bench.exchange(&words, map::EVENTS, 28).expect("an answer");
        assert!(sealed(IDENTITY.unit, block.token, &read));
        assert_eq!(Verdict::from_word(read[5]), Some(verdict));
        assert_eq!(bench.view().status.owner, 0);
    }
}

#[test]
fn diagnostics_read_every_block_and_write_none() {
    let mut bench = bench();
    bench.level(HOME, true);
    bench.run(40);
    let identity = read(&mut bench, map::IDENTITY, map::IDENTITY_WORDS).expect("identity");
    let hash = settings_hash(&[3_000, 25]);
    assert_eq!(identity, [2, 3, 0xB007, 0x0102, 0x0304, 0x0506, 0x0708, 28, hash, 2]);
    let events = read(&mut bench, map::EVENTS, 28).expect("events");
    assert!(sealed(IDENTITY.unit, 0, &events));
    assert_eq!((events[0], events[2], events[3]), (0, 0xFFFE, 1));
    let status = read(&mut bench, map::STATUS, STATUS_WORDS).expect("status");
    let status = Status::parse(IDENTITY.unit, 0, &status).expect("sealed for token 0");
    assert_eq!((status.inputs, status.uptime_ms, status.reset_cause), (1 << HOME, 40, 2));
    let armed = read(&mut bench, map::ARMED, ARMED_WORDS).expect("armed");
    assert!(ArmedList::parse(IDENTITY.unit, 0, &armed).is_some());
    assert_eq!(read(&mut bench, map::SETTINGS, 2), Ok(vec![3_000, 25]));
    for (address, quantity) in
        [(map::SETTINGS, 3), (map::LATCH, 1), (map::WRITE, WRITE_WORDS), (map::IDENTITY, 2)]
    {
        assert_eq!(read(&mut bench, address, quantity), Err(2), "{address:#x}");
    }
    // The exchange block is written by FC 23 alone.
    let block = bench.block(lamp(1)).encode(IDENTITY.unit);
    let mut pdu = vec![16, 1, 0, 0, 18, 36];
    pdu.extend(block.iter().flat_map(|word| word.to_be_bytes()));
    assert_eq!(bench.request(IDENTITY.unit, &pdu)[1..3], [0x90, 2]);
    assert_eq!(bench.request(IDENTITY.unit, &[6, 1, 0, 0, 1])[1..3], [0x86, 2]);
    assert_eq!(bench.request(IDENTITY.unit, &[8, 0, 0, 1, 2])[1..6], [8, 0, 0, 1, 2]);
    assert_eq!(bench.view().status.owner, 0);
    let status = bench.view().status;
    assert_eq!(status.ring_used, 1, "reading forgets nothing");
}

#[test]
fn settings_are_written_whole_and_in_range() {
    let mut bench = bench();
    let before = bench.view().status.settings_hash;
    assert!(!bench.settings(&[499, 25]));
    assert!(!bench.settings(&[3_000, 201]));
    assert!(!bench.settings(&[3_000]));
    assert_eq!(bench.view().status.settings_hash, before);
    assert!(bench.settings(&[500, 10]));
    assert_eq!(bench.view().status.settings_hash, settings_hash(&[500, 10]));
    assert!(bench.request(0, &[16, 6, 0, 0, 2, 4, 1, 0xF4, 0, 25]).is_empty());
    assert_eq!(bench.view().status.settings_hash, settings_hash(&[500, 10]), "no broadcast");
}

#[test]
fn a_broadcast_latches_the_count_of_its_last_byte_in_silence() {
    let mut bench = bench();
    bench.run(10);
    assert!(bench.request(0, &[6, 5, 0, 0x12, 0x34]).is_empty());
    let count = bench.at.count;
    bench.run(10);
    let status = bench.view().status;
    assert_eq!((status.latch_number, status.latch_count), (0x1234, count));
    assert!(bench.request(0, &[6, 5, 0, 0, 0]).is_empty());
    assert_eq!(bench.view().status.latch_number, 0x1234, "0 is no number");
    assert_eq!(bench.request(IDENTITY.unit, &[6, 5, 0, 0, 0])[1..3], [0x86, 3]);
    assert_eq!(bench.request(IDENTITY.unit, &[6, 5, 0, 0, 7])[1..6], [6, 5, 0, 0, 7]);
    assert_eq!(bench.view().status.latch_number, 7);
}

#[test]
fn foreign_and_broken_frames_are_met_with_silence() {
    let mut bench = bench();
    assert!(bench.request(8, &[8, 0, 0, 1, 2]).is_empty());
    assert_eq!(bench.view().status.frames_bad, 0, "another unit's frame is a good frame");
    let mut broken = frame(IDENTITY.unit, &[8, 0, 0, 1, 2]);
    broken[3] ^= 4;
    assert!(bench.give(Input::Rtu(&broken)).is_empty());
    assert!(bench.give(Input::Rtu(&[])).is_empty());
    assert!(bench.give(Input::Tcp(&[0; 5])).is_empty());
    assert_eq!(bench.view().status.frames_bad, 3);
    let tcp = [0, 5, 0, 0, 0, 6, IDENTITY.unit, 8, 0, 0, 1, 2];
    assert_eq!(bench.give(Input::Tcp(&tcp)), tcp);
    let other = [0, 5, 0, 0, 0, 6, IDENTITY.unit + 1, 8, 0, 0, 1, 2];
    assert!(bench.give(Input::Tcp(&other)).is_empty());
}

#[test]
fn a_full_ring_tells_its_loss_through_the_exchange() {
    let mut bench = bench();
    for n in 0..400 {
        bench.level(EYE_LEFT, n % 2 == 0);
        bench.run(30);
    }
    let status = bench.view().status;
    assert_eq!(status.ring_used, 255);
    assert_eq!(status.ring_lost, 145);
    let events = bench.drain();
    assert_eq!(events.last(), Some(&Event::Lost { entries: 145 }));
    bench.level(EYE_LEFT, true);
    bench.run(30);
    assert_eq!(bench.drain().len(), 1, "numbers go on behind the loss");
    bench.set(LAMP_RIGHT, 1);
    let block = bench.block(Operation::Noop);
    assert!(bench.send(block).head.overflowed);
}

#[test]
fn a_node_fits_in_five_kib_and_never_has_boot_id_0() {
    assert!(size_of::<diverter::DiverterNode>() <= 5_120);
    let node = node(Identity { boot_id: 0, ..IDENTITY });
    assert_eq!(node.identity().boot_id, 1);
    assert_eq!(node.next_deadline(), None::<Micros>);
}
