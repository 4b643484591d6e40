//! A node takes another slave address, by its serial number.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY, frame};
use node::{Identity, Input, Output, Stamp};
use registers::address::NewAddress;
use registers::map::{ADDRESS, IDENTITY as BLOCK, IDENTITY_WORDS};

fn write(slave: u8, new: NewAddress) -> Vec<u8> {
    let [a, b] = ADDRESS.to_be_bytes();
    let words = new.encode(slave).into_iter().flat_map(u16::to_be_bytes);
    [16, a, b, 0, 4, 8].into_iter().chain(words).collect()
}

fn new(unit: u8) -> NewAddress {
    NewAddress { serial_number: IDENTITY.serial_number, unit }
}

fn answers(bench: &mut Bench<Diverter>, unit: u8) -> bool {
    let ([a, b], [c, d]) = (BLOCK.to_be_bytes(), IDENTITY_WORDS.to_be_bytes());
    !bench.request(unit, &[3, a, b, c, d]).is_empty()
}

fn given(bench: &mut Bench<Diverter>, input: Input<'_>) -> Output {
    let mut out = Output::new();
    bench.node.handle(bench.at, input, &mut out);
    out
}

#[test]
fn the_answer_leaves_from_the_old_address_and_the_shell_is_told() {
    let mut bench = Bench::new(node(IDENTITY));
    let request = frame(IDENTITY.unit, &write(IDENTITY.unit, new(17)));
    let out = given(&mut bench, Input::Rtu(&request));
    let [a, b] = ADDRESS.to_be_bytes();
    assert_eq!(out.reply[..], frame(IDENTITY.unit, &[16, a, b, 0, 4]));
    assert_eq!(out.unit, Some(17));
    assert_eq!((answers(&mut bench, IDENTITY.unit), answers(&mut bench, 17)), (false, true));
    assert_eq!(given(&mut bench, Input::Tick).unit, None, "told once");
    assert_eq!(bench.view().address_changes, 1);
    // The same address again is taken, and is no change.
    let again = frame(17, &write(17, new(17)));
    let out = given(&mut bench, Input::Rtu(&again));
    assert_eq!((out.reply.len(), out.unit, bench.view().address_changes), (8, None, 1));
}

#[test]
fn at_the_uart_it_takes_effect_from_the_next_silence() {
    let mut bench = Bench::new(node(IDENTITY));
    bench.give(Input::Silence);
    let request = frame(0, &write(0, new(17)));
    assert_eq!(bench.give(Input::Bytes(&request)), [0; 0], "a broadcast");
    bench.give(Input::Silence);
    let echo = frame(17, &[8, 0, 0, 1, 2]);
    bench.give(Input::Bytes(&echo));
    assert_eq!(bench.give(Input::Silence), echo, "heard under the new address");
    let echo = frame(IDENTITY.unit, &[8, 0, 0, 1, 2]);
    bench.give(Input::Bytes(&echo));
    assert_eq!(bench.give(Input::Silence), [0; 0], "no longer under the old one");
}

#[test]
fn two_nodes_with_one_address_are_told_apart_by_broadcast() {
    let other = Identity { serial_number: IDENTITY.serial_number + 1, ..IDENTITY };
    let (mut first, mut second) = (Bench::new(node(IDENTITY)), Bench::new(node(other)));
    let request = frame(0, &write(0, new(17)));
    for bench in [&mut first, &mut second] {
        assert_eq!(bench.give(Input::Rtu(&request)), [0; 0]);
    }
    assert_eq!((answers(&mut first, 17), answers(&mut first, IDENTITY.unit)), (true, false));
    assert_eq!((answers(&mut second, 17), answers(&mut second, IDENTITY.unit)), (false, true));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let unit = IDENTITY.unit;
    let stranger = NewAddress { serial_number: 1, unit: 17 };
    let good = write(unit, new(17));
    let mut garbled = good.clone();
    garbled[7] ^= 1;
    let short = [&[16, 5, 0x10, 0, 3, 6][..], &good[6..12]].concat();
    let inside = [&[16, 5, 0x11, 0, 4, 8][..], &good[6..]].concat();
    for (name, request, exception) in [
        ("another serial number", write(unit, stranger), 3),
        ("sealed for another slave", write(8, new(17)), 3),
        ("sealed as a broadcast", write(0, new(17)), 3),
        ("check word", garbled, 3),
        ("unit 0", write(unit, new(0)), 3),
        ("unit 248", write(unit, new(248)), 3),
        ("a part of the block", short, 2),
        ("not from its start", inside, 2),
        ("read", vec![3, 5, 0x10, 0, 4], 2),
    ] {
        let mut bench = Bench::new(node(IDENTITY));
        let answer = bench.request(unit, &request);
        assert_eq!(answer[1..3], [request[0] | 0x80, exception], "{name}");
        assert!(answers(&mut bench, unit), "{name}");
        assert_eq!(bench.view().address_changes, 0, "{name}");
    }
    let mut bench = Bench::new(node(IDENTITY));
    for pdu in [write(0, stranger), write(unit, new(17)), write(0, new(0))] {
        assert_eq!(bench.request(0, &pdu), [0; 0], "no answer to a broadcast");
        assert!(answers(&mut bench, unit));
    }
}

#[test]
fn a_new_address_touches_neither_ring_nor_lease() {
    let mut bench = Bench::new(node(IDENTITY));
    bench.set(registers::points::diverter::LAMP_LEFT, 1);
    let before = bench.view();
    bench.request(IDENTITY.unit, &write(IDENTITY.unit, new(17)));
    let after = bench.view();
    assert_eq!(after.status, before.status);
    assert_eq!(after.outputs, before.outputs);
}

#[test]
fn a_new_address_serves_tcp_as_well() {
    let mut node = node(IDENTITY);
    let (mut out, pdu) = (Output::new(), write(IDENTITY.unit, new(17)));
    let request = [&[0, 7, 0, 0, 0, 15, IDENTITY.unit][..], &pdu].concat();
    node.handle(Stamp::default(), Input::Tcp(&request), &mut out);
    assert_eq!((out.reply[6], out.reply[7], out.unit), (IDENTITY.unit, 16, Some(17)));
    assert_eq!(node.identity().unit, 17);
}
