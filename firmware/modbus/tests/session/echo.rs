//! Own bytes heard back.

use crate::bench::{Bench, UNIT, VIEW, WIRE, answer, answered, read, sealed};
use modbus::rtu;
use modbus::session::{Echo, Event, Outcome, Outputs, Session, View, Wire};
use units::Micros;

const WRITE: [u8; 5] = [6, 0, 1, 0, 2];

/// A port that was just opened and finds out whether it echoes.
fn opened() -> Bench {
    let wire = Wire { echo: Echo::Detect, ..WIRE };
    let mut bench =
        Bench { session: Session::new(wire), now: Micros(1_000), out: Outputs::default() };
    assert!(bench.event(Event::Opened).drain);
    bench
}

/// Waits for the probe and gives it.
fn probe(bench: &mut Bench) -> Vec<u8> {
    let sent = bench.wait().send.expect("a probe");
    assert!(bench.out.drain);
    sent.as_bytes().to_vec()
}

#[test]
fn the_probe_asks_nobody_and_changes_nothing() {
    let frame = probe(&mut opened());
    let (unit, pdu) = rtu::check(&frame).unwrap();
    assert!(unit > 247, "reserved");
    assert_eq!(pdu, [3, 0, 0, 0, 1], "a read");
    let waited = Micros(1_000).plus(WIRE.turnaround_max).plus(WIRE.timing().silence());
    let mut bench = opened();
    probe(&mut bench);
    assert_eq!(bench.now, waited, "the first quarantine comes before it");
}

#[test]
fn a_silent_line_does_not_echo() {
    let mut bench = opened();
    assert_eq!(bench.view(), View { echoes: None, ..VIEW });
    let len = probe(&mut bench).len();
    let sent = bench.now;
    assert_eq!(bench.view().echoes, None, "nothing came yet");
    assert_eq!(bench.wait(), Outputs::default());
    let until = WIRE.timing().wire_time(len).plus(WIRE.turnaround_max);
    assert_eq!(bench.now, sent.plus(until).plus(WIRE.timing().silence()));
    assert_eq!((bench.view(), bench.session.next_deadline()), (VIEW, None));
    assert!(bench.submit(UNIT, &WRITE).send.is_some());
    bench.now = bench.now.plus(Micros(4_000));
    assert_eq!(bench.hear(&sealed(UNIT, &WRITE)), answered(&sealed(UNIT, &WRITE)));
}

#[test]
fn an_echo_is_found_in_any_two_pieces_and_no_write_succeeds_by_it() {
    let write = sealed(UNIT, &WRITE);
    for at in 0..=8 {
        let mut bench = opened();
        let frame = probe(&mut bench);
        bench.hear(&frame[..at]);
        bench.now = bench.now.plus(Micros(900));
        bench.hear(&frame[at..]);
        bench.wait();
        assert_eq!(bench.view(), View { echoes: Some(true), ..VIEW }, "split at {at}");
        assert!(bench.submit(UNIT, &WRITE).send.is_some());
        assert_eq!(bench.hear(&write), None, "the echo alone is no success");
        assert_eq!(bench.hear(&write), answered(&write));
        bench.now = bench.now.plus(Micros(9_000));
        assert!(bench.submit(UNIT, &WRITE).send.is_some());
        assert_eq!(bench.hear(&write), None);
        assert_eq!(bench.wait().done, Some(Outcome::Timeout), "nobody executed it");
        assert_eq!((bench.view().echo, bench.view().echo_suspected), (2, 0));
    }
}

#[test]
fn an_unclear_probe_is_repeated() {
    let mut bench = opened();
    let frame = probe(&mut bench);
    let mut garbled = frame.clone();
    garbled[3] ^= 0x10;
    for (heard, crc) in [(&garbled[..], 1), (&frame[..5], 2), (&[0x55; 400], 3)] {
        bench.hear(heard);
        assert_eq!(probe(&mut bench), frame, "again");
        assert_eq!(bench.view(), View { echoes: None, crc, ..VIEW });
    }
    bench.hear(&[&frame[..], &[0x55]].concat());
    bench.wait();
    assert_eq!(bench.view(), View { echoes: Some(true), crc: 4, ..VIEW }, "noise behind it");
}

#[test]
fn somebody_who_answers_for_nobody_is_no_echo() {
    let mut bench = opened();
    let unit = probe(&mut bench)[0];
    bench.hear(&sealed(unit, &[0x83, 0x0B]));
    bench.wait();
    assert_eq!(bench.view(), View { foreign: 1, ..VIEW });
    let mut bench = opened();
    let frame = probe(&mut bench);
    bench.hear(&[frame, sealed(unit, &[3, 2, 0, 0])].concat());
    bench.wait();
    assert_eq!(bench.view(), View { late: 1, echoes: Some(true), ..VIEW });
}

#[test]
fn a_request_waits_for_the_probe_without_loss_of_its_own_time() {
    let mut bench = opened();
    assert_eq!(bench.submit(UNIT, &read(7)).send, None);
    assert_eq!(probe(&mut bench).len(), 8);
    let sent = bench.wait().send.expect("the request");
    assert_eq!(sent.as_bytes(), sealed(UNIT, &read(7)));
    bench.now = bench.now.plus(Micros(3_000));
    assert_eq!(bench.hear(&answer(7)), answered(&answer(7)));
    assert_eq!(bench.view(), View { sent: 1, answers: 1, ..VIEW });

    // A line that is never quiet blocks it no longer than its time.
    let mut bench = opened();
    bench.submit(UNIT, &read(7));
    let start = bench.now;
    let done = loop {
        bench.now = bench.now.plus(Micros(1_000));
        bench.hear(&[0x55; 11]);
        if let Some(done) = bench.event(Event::Timer).done.clone() {
            break done;
        }
        assert!(bench.now < start.plus(Micros::from_secs(1)));
    };
    assert_eq!((done, bench.view().blocked, bench.view().sent), (Outcome::Timeout, 1, 0));
}

#[test]
fn each_port_that_opens_is_asked_anew() {
    let mut bench = opened();
    let frame = probe(&mut bench);
    bench.hear(&frame);
    bench.wait();
    assert_eq!(bench.view().echoes, Some(true));
    bench.event(Event::Closed);
    bench.event(Event::Opened);
    assert_eq!(bench.view().echoes, None);
    assert_eq!(probe(&mut bench), frame);
    bench.event(Event::Closed);
    assert_eq!(bench.session.next_deadline(), None, "gone while probing");
    bench.event(Event::Opened);
    probe(&mut bench);
    bench.wait();
    assert_eq!(bench.view().echoes, Some(false), "another adapter");
}

#[test]
fn an_echo_on_a_line_that_should_have_none_is_suspected() {
    let write = sealed(UNIT, &WRITE);
    let mut bench = Bench::new(WIRE);
    bench.submit(UNIT, &WRITE);
    bench.now = bench.now.plus(WIRE.timing().wire_time(write.len()));
    assert_eq!(bench.hear(&write), answered(&write), "nothing else can be told here");
    assert_eq!(bench.view().echo_suspected, 1);
    bench.now = bench.now.plus(Micros(9_000));
    bench.submit(UNIT, &WRITE);
    let honest = WIRE.timing().wire_time(2 * write.len()).plus(WIRE.timing().silence());
    bench.now = bench.now.plus(honest);
    assert_eq!(bench.hear(&write), answered(&write));
    assert_eq!(bench.view().echo_suspected, 1, "a node had the time");
    // A read is never answered by itself.
    bench.now = bench.now.plus(Micros(9_000));
    bench.submit(UNIT, &read(1));
    assert_eq!(bench.hear(&sealed(UNIT, &read(1))), None);
    assert_eq!(bench.wait().done, Some(Outcome::Timeout));
}

#[test]
fn an_echo_is_stripped_and_never_an_answer() {
    let write = [6, 0, 1, 0, 2];
    let frame = sealed(UNIT, &write);
    let both = [frame.clone(), frame.clone()].concat();
    for at in 0..=both.len() {
        let mut bench = Bench::new(Wire { echo: Echo::Present, ..WIRE });
        bench.submit(UNIT, &write);
        let first = bench.hear(&both[..at]);
        assert_eq!(first.is_some(), at == both.len(), "the echo alone is no success");
        let done = first.or_else(|| bench.hear(&both[at..]));
        assert_eq!(done, answered(&frame), "split at {at}");
        assert_eq!(bench.view().echo, 1);
    }
    let mut garbled = both;
    garbled[3] ^= 0x10;
    let mut bench = Bench::new(Wire { echo: Echo::Present, ..WIRE });
    bench.submit(UNIT, &write);
    assert_eq!(bench.hear(&garbled), None, "nothing after a collision is trusted");
    assert_eq!(bench.wait().done, Some(Outcome::Timeout));
    assert_eq!((bench.view().echo, bench.view().echo_garbled), (0, 1));
}

#[test]
fn duplicates_are_told_from_late_answers() {
    let mut bench = Bench::new(WIRE);
    assert_eq!(bench.exchange(&answer(7)), answered(&answer(7)));
    assert_eq!(bench.hear(&answer(7)), None);
    assert_eq!(bench.view(), View { sent: 1, answers: 1, duplicates: 1, ..VIEW });
    assert_eq!(bench.hear(&answer(6)), None);
    assert_eq!(bench.view(), View { sent: 1, answers: 1, duplicates: 1, late: 1, ..VIEW });
    // It comes while another kind of answer is awaited.
    bench.now = bench.now.plus(Micros(9_000));
    assert!(bench.submit(UNIT, &WRITE).send.is_some());
    bench.now = bench.now.plus(Micros(3_000));
    assert_eq!(bench.hear(&answer(7)), None);
    assert_eq!(bench.view().duplicates, 2);
    assert_eq!(bench.hear(&sealed(UNIT, &WRITE)), answered(&sealed(UNIT, &WRITE)));
    assert_eq!(bench.view().mismatch, 0);
}
