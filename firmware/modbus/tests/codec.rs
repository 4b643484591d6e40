//! Requests, answers and the server core against the specification, and on any bytes.

use modbus::mbap;
use modbus::pdu::{self, Exception, Mismatch, Request, Response, Words};
use modbus::rtu;
use modbus::server::{Bank, WordSink, serve, serve_rtu, serve_tcp};
use proptest::collection::vec;
use proptest::prelude::*;
use units::repeat::repeatable;

/// 512 registers from 0 on, each holding its address at first; 500 cannot be read, 501 gives too
/// little, 502 too much.
struct Registers(Vec<u16>, u32);

impl Registers {
    fn new() -> Self {
        Self((0..512).collect(), 0)
    }
}

impl Bank for Registers {
    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let at = usize::from(address);
        let words = self.0.get(at..at + usize::from(quantity)).ok_or(Exception::IllegalAddress)?;
        match address {
            500 => return Err(Exception::Busy),
            501 => return Ok(()),
            502 => out.push(0),
            _ => {}
        }
        out.extend(words.iter().copied());
        Ok(())
    }

    fn write(&mut self, address: u16, words: Words<'_>) -> Result<(), Exception> {
        let at = usize::from(address);
        let room = self.0.get_mut(at..at + words.len()).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(words.iter()).for_each(|(register, word)| *register = word);
        self.1 += 1;
        Ok(())
    }
}

fn answer(request: &[u8]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = serve(request, &mut Registers::new(), &mut out);
    out[..len].to_vec()
}

#[test]
fn answers_are_those_of_the_specification() {
    let table: &[(&str, &[u8], &[u8])] = &[
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
        ("another function", &[0x42, 1, 2, 3], &[0xC2, 1]),
        ("function 0", &[0], &[0x80, 1]),
        ("an exception is nobody's request", &[0x83, 2], &[]),
        ("no function", &[], &[]),
    ];
    for (name, request, expected) in table {
        assert_eq!(answer(request), *expected, "{name}");
    }
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
}

#[test]
fn an_answer_that_does_not_fit_its_buffer_executes_nothing() {
    let (mut bank, mut out) = (Registers::new(), [0; 7]);
    let request = [23, 0, 1, 0, 3, 0, 2, 0, 1, 2, 0xBE, 0xEF];
    assert_eq!(serve(&request, &mut bank, &mut out), 2);
    assert_eq!((&out[..2], bank.1), (&[0x97, 4][..], 0));
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
    ];
    for (request, answer, expected) in table {
        assert_eq!(Response::parse(request, answer), Err(*expected), "{request:?} {answer:?}");
    }
    let gateway = Response::Exception(Exception::GatewayTarget);
    assert_eq!(Response::parse(&read, &[0x83, 0x0B]), Ok(gateway));
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
        let mut bank = Registers::new();
        let len = serve_rtu(9, &sealed(unit, pdu), &mut bank, &mut out);
        (len, bank.1)
    };
    assert_eq!(run(0, &[6, 0, 1, 0, 2]), (None, 1));
    assert_eq!(run(0, &[16, 0, 1, 0, 1, 2, 0, 2]), (None, 1));
    assert_eq!(run(0, &[23, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0, 2]), (None, 0), "it would read");
    assert_eq!(run(0, &[3, 0, 1, 0, 1]), (None, 0));
    assert_eq!(run(0, &[6, 9, 9, 0, 2]), (None, 0), "no exception either");
    assert_eq!(run(8, &[6, 0, 1, 0, 2]), (None, 0), "another unit");
    assert_eq!(run(9, &[6, 0, 1, 0, 2]), (Some(8), 1));
    let mut broken = sealed(9, &[6, 0, 1, 0, 2]);
    broken[3] ^= 1;
    let mut bank = Registers::new();
    assert_eq!((serve_rtu(9, &broken, &mut bank, &mut out), bank.1), (None, 0));
}

#[test]
fn unit_0_on_tcp_is_answered() {
    let (mut bank, mut out) = (Registers::new(), [0; mbap::MAX_FRAME]);
    let frame = mbap::Frame { transaction: 0x1234, unit: 0, pdu: &[6, 0, 1, 0, 2] };
    let len = serve_tcp(frame, &mut bank, &mut out).unwrap();
    assert_eq!((mbap::decode(&out[..len]), bank.1), (Ok(frame), 1));
}

/// One request as its encoder takes it.
#[derive(Clone, Debug)]
enum Asked {
    Read(u16, u16),
    Single(u16, u16),
    Multiple(u16, Vec<u16>),
    ReadWrite(u16, u16, u16, Vec<u16>),
    Echo(Vec<u16>),
}

impl Asked {
    fn encode(&self) -> Vec<u8> {
        let mut out = [0; pdu::MAX_PDU];
        let len = match self {
            Self::Read(address, quantity) => pdu::read_holding(*address, *quantity, &mut out),
            Self::Single(address, value) => pdu::write_single(*address, *value, &mut out),
            Self::Multiple(address, words) => pdu::write_multiple(*address, words, &mut out),
            Self::ReadWrite(read, quantity, write, words) => {
                pdu::read_write(*read, *quantity, *write, words, &mut out)
            }
            Self::Echo(words) => pdu::echo(&wire(words), &mut out),
        };
        out[..len.unwrap()].to_vec()
    }
}

fn wire(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        (0..400u16, 1..=125u16).prop_map(|(a, n)| Asked::Read(a, n)),
        (any::<u16>(), any::<u16>()).prop_map(|(a, v)| Asked::Single(a, v)),
        (0..400u16, vec(any::<u16>(), 1..=123)).prop_map(|(a, w)| Asked::Multiple(a, w)),
        (0..400u16, 1..=125u16, 0..400u16, vec(any::<u16>(), 1..=121))
            .prop_map(|(r, n, a, w)| Asked::ReadWrite(r, n, a, w)),
        vec(any::<u16>(), 1..=125).prop_map(Asked::Echo),
    ]
}

/// Bytes that often look like a request.
fn nearly_a_request() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![3u8, 6, 8, 16, 23, 0x83, 0x97, 1, 0]);
    prop_oneof![
        vec(any::<u8>(), 0..=253),
        (known, vec(any::<u8>(), 0..=30)).prop_map(|(f, tail)| [vec![f], tail].concat()),
        (asked(), any::<(prop::sample::Index, u8)>()).prop_map(|(asked, (at, value))| {
            let mut bytes = asked.encode();
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes
        }),
    ]
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn requests_come_back_as_they_were_asked(asked in asked()) {
        let bytes = asked.encode();
        let request = Request::parse(&bytes).unwrap();
        match (&asked, request) {
            (Asked::Read(a, n), Request::ReadHolding { address, quantity }) => {
                prop_assert_eq!((*a, *n), (address, quantity));
            }
            (Asked::Single(a, v), Request::WriteSingle { address, value }) => {
                prop_assert_eq!((*a, *v), (address, value));
            }
            (Asked::Multiple(a, w), Request::WriteMultiple { address, words }) => {
                prop_assert_eq!(*a, address);
                prop_assert!(words.iter().eq(w.iter().copied()));
                prop_assert_eq!(words.get(w.len() - 1), w.last().copied());
                prop_assert_eq!(words.get(w.len()), None);
            }
            (
                Asked::ReadWrite(r, n, a, w),
                Request::ReadWrite { read_address, read_quantity, write_address, words },
            ) => {
                prop_assert_eq!((*r, *n, *a), (read_address, read_quantity, write_address));
                prop_assert_eq!(words.as_bytes(), wire(w));
            }
            (Asked::Echo(w), Request::Echo { data }) => prop_assert_eq!(data, wire(w)),
            (_, other) => prop_assert!(false, "{:?}", other),
        }
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
                (Ok(request), _) => prop_assert_eq!(got.len(), request.answer_len()),
            }
        }
    }

    #[test]
    fn frames_with_a_valid_crc_never_panic(unit in 0..3u8, bytes in nearly_a_request()) {
        if !bytes.is_empty() {
            let (mut bank, mut out) = (Registers::new(), [0; rtu::MAX_FRAME]);
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
            if let Response::Words(words) = response {
                prop_assert_eq!(words.len() * 2 + 2, answer.len());
            }
        }
    }
}
