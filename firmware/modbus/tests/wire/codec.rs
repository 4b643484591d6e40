//! Requests, answers and the server core against the specification, and on any bytes.

use crate::asked::{asked, nearly_a_request};
use crate::device::Device;
use modbus::mbap;
use modbus::pdu::{self, Exception, Mismatch, Request, Response, Words};
use modbus::rtu;
use modbus::server::{Bank, WordSink, serve, serve_rtu, serve_tcp};
use proptest::collection::vec;
use proptest::prelude::*;
use units::repeat::repeatable;

fn answer(request: &[u8]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = serve(request, &mut Device::new(), &mut out);
    out[..len].to_vec()
}

fn check(table: &[(&str, &[u8], &[u8])]) {
    for (name, request, expected) in table {
        assert_eq!(answer(request), *expected, "{name}");
    }
}

#[test]
fn answers_about_bits_and_identity_are_those_of_the_specification() {
    check(&[
        ("coils 2 to 12", &[1, 0, 2, 0, 11], &[1, 2, 0b1001_0010, 0b100]),
        ("no coils", &[1, 0, 0, 0, 0], &[0x81, 3]),
        ("2001 coils", &[1, 0, 0, 0x07, 0xD1], &[0x81, 3]),
        ("2000 coils, not in the map", &[1, 0, 0, 0x07, 0xD0], &[0x81, 2]),
        ("bank gives too many bits", &[1, 0x01, 0xF5, 0, 3], &[0x81, 4]),
        ("inputs 0 to 8", &[2, 0, 0, 0, 9], &[2, 2, 0b0101_0101, 1]),
        ("2001 inputs", &[2, 0, 0, 0x07, 0xD1], &[0x82, 3]),
        ("inputs past 65,535", &[2, 0xFF, 0xFF, 0, 2], &[0x82, 2]),
        ("input registers", &[4, 0, 1, 0, 2], &[4, 4, 0x80, 1, 0x80, 2]),
        ("126 input registers", &[4, 0, 0, 0, 126], &[0x84, 3]),
        ("coil on", &[5, 0, 1, 0xFF, 0], &[5, 0, 1, 0xFF, 0]),
        ("coil off", &[5, 0, 1, 0, 0], &[5, 0, 1, 0, 0]),
        ("coil neither", &[5, 0xFF, 0xFF, 0xFF, 1], &[0x85, 3]),
        ("coil outside", &[5, 0xFF, 0xFF, 0xFF, 0], &[0x85, 2]),
        ("ten coils", &[15, 0, 1, 0, 10, 2, 0xCD, 1], &[15, 0, 1, 0, 10]),
        ("ten coils in one byte", &[15, 0, 1, 0, 10, 1, 0xCD], &[0x8F, 3]),
        ("ten coils, three bytes said", &[15, 0, 1, 0, 10, 3, 0xCD, 1], &[0x8F, 3]),
        ("ten coils in three bytes", &[15, 0, 1, 0, 10, 3, 0xCD, 1, 0], &[0x8F, 3]),
        ("coils past 65,535", &[15, 0xFF, 0xFF, 0, 2, 1, 3], &[0x8F, 2]),
        ("write no coils", &[15, 0, 1, 0, 0, 0], &[0x8F, 3]),
        ("mask", &[22, 0, 4, 0, 0xF2, 0, 0x25], &[22, 0, 4, 0, 0xF2, 0, 0x25]),
        ("mask outside", &[22, 2, 0, 0, 0xF2, 0, 0x25], &[0x96, 2]),
        ("short mask", &[22, 0, 4, 0, 0xF2, 0], &[0x96, 3]),
        ("mask where reading fails", &[22, 1, 0xF5, 0, 0, 0, 0], &[0x96, 4]),
        ("server id", &[17], &[17, 3, 0xB4, 0xFF, b'T']),
        ("server id and more", &[17, 0], &[0x91, 3]),
        ("another transport", &[43, 13, 1, 0], &[0xAB, 1]),
        ("no transport", &[43], &[0xAB, 3]),
        ("access 0", &[43, 14, 0, 0], &[0xAB, 3]),
        ("access 5", &[43, 14, 5, 0], &[0xAB, 3]),
        ("short identification", &[43, 14, 1], &[0xAB, 3]),
        ("no such object", &[43, 14, 4, 0x05], &[0xAB, 2]),
    ]);
}

#[test]
fn answers_are_those_of_the_specification() {
    check(&[
        ("read", &[3, 0, 0x10, 0, 2], &[3, 4, 0, 0x10, 0, 0x11]),
        ("read nothing", &[3, 0, 0, 0, 0], &[0x83, 3]),
        ("read 126", &[3, 0, 0, 0, 126], &[0x83, 3]),
        ("read past 65,535", &[3, 0xFF, 0xFF, 0, 2], &[0x83, 2]),
        ("read the last, not in the map", &[3, 0xFF, 0xFF, 0, 1], &[0x83, 2]),
        ("quantity is judged before address", &[3, 0xFF, 0xFF, 0, 0], &[0x83, 3]),
        ("short read", &[3, 0, 0, 0], &[0x83, 3]),
        ("long read", &[3, 0, 0, 0, 1, 0], &[0x83, 3]),
        ("bank refuses", &[3, 1, 0xF4, 0, 1], &[0x83, 6]),
        ("bank gives too little", &[3, 1, 0xF5, 0, 1], &[0x83, 4]),
        ("bank gives too much", &[3, 1, 0xF6, 0, 1], &[0x83, 4]),
        ("write one", &[6, 0, 1, 0xAB, 0xCD], &[6, 0, 1, 0xAB, 0xCD]),
        ("write one outside", &[6, 2, 0, 0, 0], &[0x86, 2]),
        ("write one, no value", &[6, 0, 1], &[0x86, 3]),
        ("write two", &[16, 0, 1, 0, 2, 4, 1, 2, 3, 4], &[16, 0, 1, 0, 2]),
        ("byte count lies", &[16, 0, 1, 0, 1, 200, 1, 2], &[0x90, 3]),
        ("quantity lies", &[16, 0, 1, 0, 1, 4, 1, 2, 3, 4], &[0x90, 3]),
        ("bytes are missing", &[16, 0, 1, 0, 2, 4, 1, 2, 3], &[0x90, 3]),
        ("write nothing", &[16, 0, 1, 0, 0, 0], &[0x90, 3]),
        ("write past 65,535", &[16, 0xFF, 0xFF, 0, 2, 4, 1, 2, 3, 4], &[0x90, 2]),
        (
            "the write comes before the read",
            &[23, 0, 1, 0, 2, 0, 2, 0, 1, 2, 0xBE, 0xEF],
            &[23, 4, 0, 1, 0xBE, 0xEF],
        ),
        ("read 126, write 1", &[23, 0, 1, 0, 126, 0, 2, 0, 1, 2, 0, 0], &[0x97, 3]),
        ("echo", &[8, 0, 0, 0xA5, 0x37], &[8, 0, 0, 0xA5, 0x37]),
        ("echo of half a word", &[8, 0, 0, 0xA5], &[0x88, 3]),
        ("no sub-function", &[8, 0], &[0x88, 3]),
        ("another sub-function", &[8, 0, 1, 0, 0], &[0x88, 1]),
        ("another sub-function, any data", &[8, 0, 0x10, 1], &[0x88, 1]),
        ("a counter", &[8, 0, 0x0B, 0, 0], &[8, 0, 0x0B, 0, 0]),
        ("a counter, data not 0", &[8, 0, 0x0B, 0, 1], &[0x88, 3]),
        ("a counter, two words", &[8, 0, 0x0B, 0, 0, 0, 0], &[0x88, 3]),
        ("clear, data not 0", &[8, 0, 0x0A, 0xFF, 0], &[0x88, 3]),
        ("another function", &[0x42, 1, 2, 3], &[0xC2, 1]),
        ("function 0", &[0], &[0x80, 1]),
        ("an exception is nobody's request", &[0x83, 2], &[]),
        ("no function", &[], &[]),
    ]);
}

#[test]
fn ranges_end_with_address_65_535() {
    let outside = Err(Exception::IllegalAddress);
    let parse = |request: &[u8]| Request::parse(request).map(|_| ());
    assert_eq!(parse(&[3, 0xFF, 0xFF, 0, 1]), Ok(()));
    assert_eq!(parse(&[3, 0xFF, 0xFF, 0, 2]), outside);
    assert_eq!(parse(&[16, 0xFF, 0xFE, 0, 2, 4, 0, 0, 0, 0]), Ok(()));
    assert_eq!(parse(&[16, 0xFF, 0xFF, 0, 2, 4, 0, 0, 0, 0]), outside);
    assert_eq!(parse(&[23, 0xFF, 0xFF, 0, 1, 0xFF, 0xFF, 0, 1, 2, 0, 0]), Ok(()));
    assert_eq!(parse(&[23, 0xFF, 0xFF, 0, 2, 0xFF, 0xFF, 0, 1, 2, 0, 0]), outside, "read");
    assert_eq!(parse(&[23, 0, 0, 0, 1, 0xFF, 0xFF, 0, 2, 4, 0, 0, 0, 0]), outside, "write");
}

#[test]
fn the_largest_requests_fit_and_the_next_larger_do_not() {
    let (mut out, words) = ([0; pdu::MAX_PDU], [7; 125]);
    assert_eq!(pdu::read_holding(0, 125, &mut out), Ok(5));
    assert!(pdu::read_holding(0, 126, &mut out).is_err());
    assert_eq!(pdu::write_multiple(0, &words[..123], &mut out), Ok(252));
    assert!(pdu::write_multiple(0, &words[..124], &mut out).is_err());
    assert_eq!(pdu::read_write(0, 125, 0, &words[..121], &mut out), Ok(252));
    assert!(pdu::read_write(0, 125, 0, &words[..122], &mut out).is_err());
    assert_eq!(pdu::echo(&[7; 250], &mut out), Ok(253));
    assert!(pdu::echo(&[7; 252], &mut out).is_err());
    assert!(pdu::write_single(0, 0, &mut out[..4]).is_err());
    assert_eq!(pdu::read_coils(0, 2_000, &mut out), Ok(5));
    assert!(pdu::read_coils(0, 2_001, &mut out).is_err());
    assert!(pdu::read_discrete(0, 0, &mut out).is_err());
    assert!(pdu::read_input(0, 126, &mut out).is_err());
    assert_eq!(pdu::write_coils(0, &[true; 1_968], &mut out), Ok(252));
    assert!(pdu::write_coils(0, &[true; 1_969], &mut out).is_err());
    assert!(pdu::write_coils(0, &[], &mut out).is_err());
}

#[test]
fn an_answer_that_does_not_fit_its_buffer_executes_nothing() {
    let (mut bank, mut out) = (Device::new(), [0; 7]);
    let request = [23, 0, 1, 0, 3, 0, 2, 0, 1, 2, 0xBE, 0xEF];
    assert_eq!(serve(&request, &mut bank, &mut out), 2);
    assert_eq!((&out[..2], bank.writes), (&[0x97, 4][..], 0));
}

#[test]
fn answers_that_do_not_fit_are_refused_with_the_reason() {
    let (read, write) = ([3, 0, 0, 0, 2], [6, 0, 1, 0, 2]);
    let table: &[(&[u8], &[u8], Mismatch)] = &[
        (&read, &[], Mismatch::Empty),
        (&read, &[4, 4, 0, 1, 0, 2], Mismatch::Function { expected: 3, got: 4 }),
        (&read, &[3, 2, 0, 1], Mismatch::Length { expected: 6, got: 4 }),
        (&read, &[3, 8, 0, 1, 0, 2, 0, 3, 0, 4], Mismatch::Length { expected: 6, got: 10 }),
        (&read, &[3, 2, 0, 1, 0, 2], Mismatch::ByteCount { expected: 4, got: 2 }),
        (&read, &[0x83, 99], Mismatch::ExceptionCode(99)),
        (&read, &[0x83], Mismatch::Length { expected: 2, got: 1 }),
        (&write, &[6, 0, 1, 0, 3], Mismatch::Echo { at: 4 }),
        (&write, &[6, 0, 2, 0, 2], Mismatch::Echo { at: 2 }),
        (&[8, 0, 0, 1, 2], &[8, 0, 0, 1, 3], Mismatch::Echo { at: 4 }),
        (&[3], &[3, 0], Mismatch::Request(Exception::IllegalValue)),
        (&[1, 0, 0, 0, 9], &[1, 1, 7], Mismatch::Length { expected: 4, got: 3 }),
        (&[1, 0, 0, 0, 9], &[1, 1, 7, 0], Mismatch::ByteCount { expected: 2, got: 1 }),
        (&[5, 0, 1, 0xFF, 0], &[5, 0, 1, 0, 0], Mismatch::Echo { at: 3 }),
        (&[22, 0, 1, 0, 2, 0, 3], &[22, 0, 1, 0, 2, 0, 4], Mismatch::Echo { at: 6 }),
        (&[8, 0, 0x0B, 0, 0], &[8, 0, 0x0C, 0, 0], Mismatch::Echo { at: 2 }),
        (&[17], &[17], Mismatch::Length { expected: 2, got: 1 }),
        (&[17], &[17, 3, 0, 0xFF], Mismatch::Length { expected: 5, got: 4 }),
    ];
    for (request, answer, expected) in table {
        assert_eq!(Response::parse(request, answer), Err(*expected), "{request:?} {answer:?}");
    }
    let gateway = Response::Exception(Exception::GatewayTarget);
    assert_eq!(Response::parse(&read, &[0x83, 0x0B]), Ok(gateway));
}

/// Holding registers and nothing else.
struct Plain([u16; 8]);

impl Bank for Plain {
    fn read(&mut self, at: u16, n: u16, out: &mut WordSink<'_>) -> Result<(), Exception> {
        let range = usize::from(at)..usize::from(at) + usize::from(n);
        out.extend(self.0.get(range).ok_or(Exception::IllegalAddress)?.iter().copied());
        Ok(())
    }

    fn write(&mut self, at: u16, words: Words<'_>) -> Result<(), Exception> {
        let range = usize::from(at)..usize::from(at) + words.len();
        let room = self.0.get_mut(range).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(words.iter()).for_each(|(register, word)| *register = word);
        Ok(())
    }
}

#[test]
fn a_bank_of_holding_registers_answers_01_to_everything_else() {
    let (mut bank, mut out) = (Plain([0x12; 8]), [0; pdu::MAX_PDU]);
    for function in 0..0x80u8 {
        let len = serve(&[function], &mut bank, &mut out);
        let exception = if matches!(function, 3 | 6 | 8 | 16 | 22 | 23) { 3 } else { 1 };
        assert_eq!(out[..len], [function | 0x80, exception], "before quantities");
    }
    let len = serve(&[22, 0, 4, 0, 0xF2, 0, 0x25], &mut bank, &mut out);
    assert_eq!((len, bank.0[4]), (7, 0x17), "example of the specification");
    let len = serve(&[8, 0, 0x0B, 0, 0], &mut bank, &mut out);
    assert_eq!(out[..len], [0x88, 1], "no counters");
    let len = serve(&[8, 0, 0, 1, 2], &mut bank, &mut out);
    assert_eq!(out[..len], [8, 0, 0, 1, 2]);
}

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn a_broadcast_is_executed_once_and_never_answered_on_serial() {
    let mut out = [0; rtu::MAX_FRAME];
    let mut run = |unit, pdu: &[u8]| {
        let mut bank = Device::new();
        let len = serve_rtu(9, &sealed(unit, pdu), &mut bank, &mut out);
        (len, bank.writes)
    };
    assert_eq!(run(0, &[6, 0, 1, 0, 2]), (None, 1));
    assert_eq!(run(0, &[16, 0, 1, 0, 1, 2, 0, 2]), (None, 1));
    assert_eq!(run(0, &[23, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0, 2]), (None, 0), "it would read");
    assert_eq!(run(0, &[3, 0, 1, 0, 1]), (None, 0));
    assert_eq!(run(0, &[5, 0, 1, 0xFF, 0]), (None, 1));
    assert_eq!(run(0, &[15, 0, 1, 0, 2, 1, 3]), (None, 1));
    assert_eq!(run(0, &[22, 0, 1, 0, 0, 0, 7]), (None, 1));
    for reading in [&[8, 0, 0, 1, 2][..], &[8, 0, 0x0A, 0, 0], &[17], &[43, 14, 1, 0]] {
        assert_eq!(run(0, reading), (None, 0), "{reading:?}");
    }
    assert_eq!(run(0, &[6, 9, 9, 0, 2]), (None, 0), "no exception either");
    assert_eq!(run(8, &[6, 0, 1, 0, 2]), (None, 0), "another unit");
    assert_eq!(run(9, &[6, 0, 1, 0, 2]), (Some(8), 1));
    let mut broken = sealed(9, &[6, 0, 1, 0, 2]);
    broken[3] ^= 1;
    let mut bank = Device::new();
    assert_eq!((serve_rtu(9, &broken, &mut bank, &mut out), bank.writes), (None, 0));
}

#[test]
fn unit_0_on_tcp_is_answered() {
    let (mut bank, mut out) = (Device::new(), [0; mbap::MAX_FRAME]);
    let frame = mbap::Frame { transaction: 0x1234, unit: 0, pdu: &[6, 0, 1, 0, 2] };
    let len = serve_tcp(frame, &mut bank, &mut out).unwrap();
    assert_eq!((mbap::decode(&out[..len]), bank.writes), (Ok(frame), 1));
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn requests_come_back_as_they_were_asked(asked in asked()) {
        let bytes = asked.encode();
        let request = Request::parse(&bytes).unwrap();
        prop_assert!(asked.is(&request), "{request:?}");
    }

    #[test]
    fn every_answer_fits_its_own_request(bytes in nearly_a_request()) {
        let got = answer(&bytes);
        let served = bytes.first().is_some_and(|function| *function < 0x80);
        prop_assert_eq!(!got.is_empty(), served);
        if let (true, parsed) = (served, Request::parse(&bytes)) {
            let response = Response::parse(&bytes, &got);
            prop_assert!(response.is_ok(), "{:?} {:?}", response, got);
            match (parsed, response.unwrap()) {
                (Err(refusal), response) => {
                    prop_assert_eq!(response, Response::Exception(refusal));
                }
                (Ok(_), Response::Exception(exception)) => {
                    prop_assert_ne!(exception, Exception::IllegalFunction);
                    prop_assert_ne!(bytes[0], pdu::function::DIAGNOSTICS);
                }
                (Ok(request), _) => {
                    prop_assert_eq!(got.len(), request.answer_len().unwrap_or(got.len()));
                }
            }
        }
    }

    #[test]
    fn frames_with_a_valid_crc_never_panic(unit in 0..3u8, bytes in nearly_a_request()) {
        if !bytes.is_empty() {
            let (mut bank, mut out) = (Device::new(), [0; rtu::MAX_FRAME]);
            let frame = sealed(unit, &bytes);
            prop_assert_eq!(rtu::check(&frame), Ok((unit, &bytes[..])));
            if let Some(len) = serve_rtu(1, &frame, &mut bank, &mut out) {
                let (from, answer) = rtu::check(&out[..len]).unwrap();
                prop_assert_eq!((unit, from), (1, 1));
                prop_assert!(Response::parse(&bytes, answer).is_ok());
            }
        }
    }

    #[test]
    fn any_answer_to_any_request_is_judged(
        request in nearly_a_request(),
        answer in vec(any::<u8>(), 0..=260),
    ) {
        if let Ok(response) = Response::parse(&request, &answer) {
            prop_assert_eq!(answer[0] & 0x7F, request[0] & 0x7F);
            match response {
                Response::Words(words) => prop_assert_eq!(words.len() * 2 + 2, answer.len()),
                Response::Bits(bits) => {
                    prop_assert_eq!(bits.len().div_ceil(8) + 2, answer.len());
                }
                Response::ServerId(data) => prop_assert_eq!(data.len() + 2, answer.len()),
                Response::DeviceId(id) => {
                    let walked: usize = id.objects().map(|(_, value)| value.len() + 2).sum();
                    prop_assert_eq!(walked + 7, answer.len());
                }
                _ => {}
            }
        }
    }
}
