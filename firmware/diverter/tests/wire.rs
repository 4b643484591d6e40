//! A node on a shared serial line, byte by byte as its UART gives them.

use diverter::{Diverter, node};
use node::bench::{Bench, IDENTITY, frame};
use node::{Input, LineError};
use registers::map::{LATCH, STATUS};
use registers::status::{STATUS_WORDS, Status};

fn bench() -> Bench<Diverter> {
    let mut bench = Bench::new(node(IDENTITY));
    assert_eq!(bench.give(Input::Silence), [0; 0]);
    bench
}

fn read_status(unit: u8) -> Vec<u8> {
    let ([a, b], [c, d]) = (STATUS.to_be_bytes(), STATUS_WORDS.to_be_bytes());
    frame(unit, &[3, a, b, c, d])
}

fn latch(unit: u8, number: u8) -> Vec<u8> {
    let [a, b] = LATCH.to_be_bytes();
    frame(unit, &[6, a, b, 0, number])
}

fn status(bench: &Bench<Diverter>) -> Status {
    bench.view().status
}

#[test]
fn a_request_is_answered_at_its_last_byte_however_it_is_split() {
    let request = read_status(IDENTITY.unit);
    let whole = bench().give(Input::Rtu(&request));
    assert_eq!(whole.len(), 5 + 2 * usize::from(STATUS_WORDS));
    for at in 0..request.len() {
        let mut bench = bench();
        assert_eq!(bench.give(Input::Bytes(&request[..at])), [0; 0], "split at {at}");
        assert_eq!(bench.give(Input::Bytes(&request[at..])), whole, "split at {at}");
        assert_eq!(bench.give(Input::Silence), [0; 0], "answered once");
    }
    let mut bench = bench();
    let replies: Vec<_> = request.iter().map(|byte| bench.give(Input::Bytes(&[*byte]))).collect();
    assert_eq!(replies.concat(), whole, "byte by byte");
}

#[test]
fn a_node_is_deaf_before_its_first_silence() {
    let mut bench = Bench::new(node(IDENTITY));
    assert_eq!(bench.give(Input::Bytes(&read_status(IDENTITY.unit))), [0; 0]);
    bench.give(Input::Silence);
    assert!(!bench.give(Input::Bytes(&read_status(IDENTITY.unit))).is_empty());
    assert_eq!(status(&bench).frames_bad, 0);
}

#[test]
fn an_error_of_the_uart_drops_its_frame_and_is_counted_once() {
    let request = latch(IDENTITY.unit, 5);
    for error in [LineError::Parity, LineError::Framing, LineError::Overrun, LineError::Break] {
        for at in 1..request.len() {
            let mut bench = bench();
            bench.give(Input::Bytes(&request[..at]));
            bench.give(Input::LineError(error));
            bench.give(Input::LineError(error));
            assert_eq!(bench.give(Input::Bytes(&request[at..])), [0; 0], "{error:?} at {at}");
            assert_eq!(bench.give(Input::Silence), [0; 0]);
            assert_eq!((status(&bench).latch_number, status(&bench).frames_bad), (0, 1));
            assert_eq!(bench.give(Input::Bytes(&request)), request, "the next one is whole");
            assert_eq!(status(&bench).latch_number, 5);
        }
    }
}

#[test]
fn a_garbled_frame_has_no_effect_and_is_counted() {
    let request = latch(IDENTITY.unit, 5);
    for bit in 0..request.len() * 8 {
        let mut garbled = request.clone();
        garbled[bit / 8] ^= 1 << (bit % 8);
        let mut bench = bench();
        let mut reply = bench.give(Input::Bytes(&garbled));
        reply.extend(bench.give(Input::Silence));
        assert_eq!((reply.len(), status(&bench).latch_number), (0, 0), "bit {bit}");
        assert_eq!(status(&bench).frames_bad, 1, "bit {bit}");
    }
}

#[test]
fn answers_of_other_nodes_are_never_requests() {
    // Node 10 answers a read with data that hold a latch for this node, whole frame and all.
    let inner = latch(IDENTITY.unit, 5);
    let read = frame(10, &[3, 0, 0, 0, 4]);
    let answer = frame(10, &[&[3, 8][..], &inner].concat());
    let mut bench = bench();
    for bytes in [&read, &answer] {
        for byte in bytes {
            assert_eq!(bench.give(Input::Bytes(&[*byte])), [0; 0]);
        }
        assert_eq!(bench.give(Input::Silence), [0; 0]);
    }
    assert_eq!(status(&bench).latch_number, 0);
    assert_eq!(bench.give(Input::Bytes(&inner)), inner, "a request of its own is heard");
}

#[test]
fn a_broadcast_latches_at_its_last_byte_and_is_not_answered() {
    let request = latch(0, 9);
    let mut bench = bench();
    for byte in &request {
        bench.run(1);
        assert_eq!(bench.give(Input::Bytes(&[*byte])), [0; 0]);
    }
    let captured = bench.at.count;
    bench.run(10);
    bench.give(Input::Silence);
    assert_eq!((status(&bench).latch_number, status(&bench).latch_count), (9, captured));
}

#[test]
fn of_several_requests_at_once_the_last_one_is_answered() {
    let (read, latch, other) = (read_status(9), latch(9, 5), read_status(10));
    let mut bench = bench();
    assert_eq!(bench.give(Input::Bytes(&[&read[..], &latch].concat())), latch);
    assert_eq!(bench.give(Input::Bytes(&[&latch[..], &other].concat())), [0; 0]);
    assert_eq!(status(&bench).latch_number, 5, "each is executed");
}
