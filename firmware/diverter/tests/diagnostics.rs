//! Whoever asks is told who the node is and what its line is like; nothing else follows from it.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY, frame};
use node::{Input, LineError};
use registers::MAP_VERSION;
use registers::map::{ARMED, EVENTS, IDENTITY as BLOCK, IDENTITY_WORDS, SETTINGS, STATUS};
use registers::objects::{OBJECTS, ServerId, number};
use registers::points::diverter::{EYE_LEFT, LAMP_LEFT};
use registers::status::{ARMED_WORDS, STATUS_WORDS};

const UNIT: u8 = IDENTITY.unit;

fn bench() -> Bench<Diverter> {
    Bench::new(node(IDENTITY))
}

/// Sends a PDU and gives the answer's.
fn asked(bench: &mut Bench<Diverter>, pdu: &[u8]) -> Vec<u8> {
    let answer = bench.request(UNIT, pdu);
    answer[1..answer.len() - 2].to_vec()
}

fn counter(bench: &mut Bench<Diverter>, sub_function: u8) -> u16 {
    let answer = asked(bench, &[8, 0, sub_function, 0, 0]);
    assert_eq!(answer[..3], [8, 0, sub_function]);
    u16::from_be_bytes([answer[3], answer[4]])
}

#[test]
fn input_registers_are_the_same_blocks() {
    let mut bench = bench();
    let blocks = [
        (BLOCK, IDENTITY_WORDS),
        (EVENTS, 28),
        (STATUS, STATUS_WORDS),
        (ARMED, ARMED_WORDS),
        (SETTINGS, 2),
    ];
    for (address, words) in blocks {
        let ([a, b], [c, d]) = (address.to_be_bytes(), words.to_be_bytes());
        let holding = asked(&mut bench, &[3, a, b, c, d]);
        let input = asked(&mut bench, &[4, a, b, c, d]);
        assert_eq!((holding[0], input[0]), (3, 4));
        assert_eq!(holding[1..], input[1..], "block {address:#06x}");
        assert_eq!(asked(&mut bench, &[4, a, b, c, d - 1]), [0x84, 2], "a part of it");
    }
}

#[test]
fn a_node_identifies_itself_object_by_object() {
    let mut bench = bench();
    let answer = asked(&mut bench, &[43, 14, 3, 0]);
    assert_eq!(answer[..7], [43, 14, 3, 0x83, 0, 0, 10]);
    let (mut rest, mut objects) = (&answer[7..], Vec::new());
    while let [id, len, tail @ ..] = rest {
        let (value, tail) = tail.split_at(usize::from(*len));
        objects.push((*id, value.to_vec()));
        rest = tail;
    }
    let ids: Vec<u8> = objects.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, OBJECTS.iter().map(|object| object.id).collect::<Vec<_>>());
    let value = |id: u8| &objects.iter().find(|(object, _)| *object == id).expect("there").1[..];
    assert_eq!(value(0x01), b"SL-diverter");
    assert_eq!(value(0x02), env!("CARGO_PKG_VERSION").as_bytes());
    assert_eq!(number(value(0x80), 10), Some(u32::from(MAP_VERSION)));
    assert_eq!(number(value(0x81), 16), Some(u32::from(IDENTITY.boot_id)));
    assert_eq!(number(value(0x82), 10), Some(IDENTITY.serial_number));
    assert_eq!(number(value(0x83), 16), Some(IDENTITY.firmware_hash));
    assert_eq!(value(0x84), b"diverter");
    for (id, value) in &objects {
        let answer = asked(&mut bench, &[43, 14, 4, *id]);
        assert_eq!(answer[9..], value[..], "alone");
    }
    assert_eq!(asked(&mut bench, &[43, 14, 4, 3]), [0xAB, 2]);
}

#[test]
fn the_server_id_says_whether_an_owner_holds_the_node() {
    let mut bench = bench();
    let expected = |running| ServerId {
        kind: 2,
        running,
        map_version: MAP_VERSION,
        boot_id: IDENTITY.boot_id,
        serial_number: IDENTITY.serial_number,
        firmware_hash: IDENTITY.firmware_hash,
    };
    let answer = asked(&mut bench, &[17]);
    assert_eq!((answer[0], answer[1]), (17, 14));
    assert_eq!(ServerId::parse(&answer[2..]), Some(expected(false)));
    bench.set(LAMP_LEFT, 1);
    assert_eq!(ServerId::parse(&asked(&mut bench, &[17])[2..]), Some(expected(true)));
    bench.run(3_001);
    assert_eq!(ServerId::parse(&asked(&mut bench, &[17])[2..]), Some(expected(false)), "expired");
}

#[test]
fn the_line_is_counted_at_the_uart() {
    let mut bench = bench();
    bench.give(Input::Silence);
    let mine = frame(UNIT, &[3, 0, 0, 0, 10]);
    let refused = frame(UNIT, &[3, 0, 1, 0, 10]);
    let broadcast = frame(0, &[6, 5, 0, 0, 1]);
    let other = frame(10, &[3, 0, 0, 0, 1]);
    let answer = frame(10, &[3, 2, 0, 0]);
    for bytes in [&mine, &refused, &broadcast, &other, &answer] {
        bench.give(Input::Bytes(bytes));
        bench.give(Input::Silence);
    }
    for error in [LineError::Parity, LineError::Overrun, LineError::Overrun] {
        bench.give(Input::Bytes(&mine[..3]));
        bench.give(Input::LineError(error));
        bench.give(Input::Silence);
    }
    bench.give(Input::Bytes(&mine[..5]));
    bench.give(Input::Silence);
    // Each reading is a message, too.
    let read = [0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x12].map(|sub| counter(&mut bench, sub));
    assert_eq!(read, [6, 4, 1, 7, 1, 2]);
    assert_eq!(bench.view().status.frames_bad, 4);
    assert_eq!(asked(&mut bench, &[8, 0, 0x0A, 0, 0]), [8, 0, 0x0A, 0, 0]);
    let read = [0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x12].map(|sub| counter(&mut bench, sub));
    assert_eq!(read, [1, 0, 0, 4, 0, 0]);
    assert_eq!(bench.view().status.frames_bad, 4, "since boot, whoever clears the counters");
}

#[test]
fn whole_frames_are_counted_alike() {
    let mut bench = bench();
    let mut garbled = frame(UNIT, &[3, 0, 0, 0, 10]);
    garbled[2] ^= 1;
    bench.give(Input::Rtu(&garbled));
    bench.request(10, &[3, 0, 0, 0, 1]);
    bench.request(0, &[6, 5, 0, 0, 1]);
    bench.request(UNIT, &[3, 0, 1, 0, 10]);
    let read = [0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x12].map(|sub| counter(&mut bench, sub));
    assert_eq!(read, [4, 1, 1, 6, 1, 0]);
}

#[test]
fn nothing_follows_from_being_asked() {
    let mut bench = bench();
    bench.level(EYE_LEFT, true);
    bench.run(40);
    bench.set(LAMP_LEFT, 1);
    bench.run(100);
    bench.give(Input::Tick);
    let before = bench.view();
    for pdu in [
        &[4, 2, 0, 0, 28][..],
        &[8, 0, 0, 1, 2],
        &[8, 0, 0x0A, 0, 0],
        &[8, 0, 0x0B, 0, 0],
        &[17],
        &[43, 14, 1, 0],
        &[43, 14, 4, 0x80],
        &[1, 0, 0, 0, 1],
        &[5, 5, 0, 0xFF, 0],
        &[15, 5, 0, 0, 1, 1, 1],
        &[22, 5, 0, 0, 0, 0, 7],
    ] {
        bench.request(UNIT, pdu);
        bench.request(0, pdu);
        let after = bench.view();
        assert_eq!((after.status, after.armed), (before.status, before.armed), "{pdu:?}");
        assert_eq!(after.outputs, before.outputs, "{pdu:?}");
    }
    for function in [1, 2, 5, 7, 11, 15, 20, 22, 24] {
        assert_eq!(asked(&mut bench, &[function]), [function | 0x80, 1], "not served");
    }
}
