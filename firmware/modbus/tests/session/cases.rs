//! One case after the other.

use crate::bench::{Bench, TIMEOUT, UNIT, VIEW, WIRE, answer, answered, read, sealed};
use modbus::session::{Echo, Event, Outcome, Outputs, Session, View, Wire};
use units::Micros;

#[test]
fn an_answer_in_every_two_pieces_is_accepted() {
    let frame = answer(7);
    for at in 0..=frame.len() {
        let mut bench = Bench::new(WIRE);
        let first = bench.exchange(&frame[..at]);
        bench.now = bench.now.plus(Micros(5_000));
        let done = first.or_else(|| bench.hear(&frame[at..]));
        assert_eq!(done, answered(&frame), "split at {at}, 5 ms between");
        assert_eq!((bench.view().answers, bench.view().crc), (1, 0));
    }
}

#[test]
fn what_is_not_the_answer_is_counted_and_waited_over() {
    let foreign = sealed(6, &[3, 4, 0, 7, 0, 7]);
    let twice = [answer(7), answer(7)].concat();
    let mut broken = answer(7);
    broken[4] ^= 1;
    let table: &[(&str, Vec<u8>, View)] = &[
        ("another unit", foreign, View { foreign: 1, ..VIEW }),
        (
            "four registers",
            sealed(UNIT, &[3, 8, 0, 1, 0, 2, 0, 3, 0, 4]),
            View { mismatch: 1, ..VIEW },
        ),
        ("another function", sealed(UNIT, &[4, 4, 0, 7, 0, 7]), View { mismatch: 1, ..VIEW }),
        ("unknown exception", sealed(UNIT, &[0x83, 99]), View { mismatch: 1, ..VIEW }),
        ("bit error", broken, View { crc: 1, ..VIEW }),
        ("noise", vec![0xFF, UNIT, 3], View { crc: 1, ..VIEW }),
    ];
    for (name, bytes, expected) in table {
        let mut bench = Bench::new(WIRE);
        assert_eq!(bench.exchange(bytes), None, "{name}");
        let done = bench.hear(&answer(7)).or_else(|| bench.wait().done);
        assert_eq!(done, answered(&answer(7)), "{name}, then the answer");
        let view = View { sent: 1, answers: 1, ..*expected };
        assert_eq!(bench.view(), view, "{name}");

        let mut bench = Bench::new(WIRE);
        assert_eq!(bench.exchange(bytes), None, "{name}");
        assert_eq!(bench.wait().done, Some(Outcome::Timeout), "{name} alone");
        assert_eq!(bench.view(), View { sent: 1, timeouts: 1, ..*expected }, "{name} alone");
    }
    let mut bench = Bench::new(WIRE);
    assert_eq!(bench.exchange(&twice), answered(&answer(7)));
    assert_eq!(bench.view(), View { sent: 1, answers: 1, duplicates: 1, ..VIEW });
    let exception = sealed(UNIT, &[0x83, 2]);
    bench.now = bench.now.plus(Micros(10_000));
    assert_eq!(bench.exchange(&exception), answered(&exception));
    assert_eq!((bench.view().answers, bench.view().exceptions), (2, 1));
}

#[test]
fn nothing_is_sent_before_silence_and_quarantine_are_over() {
    let (silence, len) = (WIRE.timing().silence(), read(0).len() + 3);
    let mut bench = Bench { session: Session::new(WIRE), now: Micros(0), out: Outputs::default() };
    bench.event(Event::Opened);
    assert_eq!(bench.submit(UNIT, &read(1)).send, None, "a predecessor may have asked");
    assert_eq!(bench.session.next_deadline(), Some(WIRE.turnaround_max.plus(silence)));
    assert!(bench.wait().send.is_some());

    bench.now = bench.now.plus(Micros(5_000));
    assert!(bench.hear(&answer(1)).is_some());
    let heard = bench.now;
    assert_eq!(bench.submit(UNIT, &read(2)).send, None);
    let sent = bench.wait();
    assert!(sent.drain && sent.send.is_some());
    assert_eq!(bench.now, heard.plus(silence), "gap after an answer");

    let end = bench.now.plus(WIRE.timing().wire_time(len));
    let answer_time = WIRE.timing().wire_time(answer(0).len());
    assert_eq!(bench.wait().done, Some(Outcome::Timeout));
    assert_eq!(bench.now, end.plus(TIMEOUT).plus(answer_time));
    assert!(bench.out.drain);
    assert_eq!(bench.submit(UNIT, &read(3)).send, None);
    let over = end.plus(WIRE.turnaround_max).plus(answer_time).plus(silence);
    assert_eq!(bench.session.next_deadline(), Some(over.min(bench.now.plus(TIMEOUT).max(over))));
    bench.now = over.minus(Micros(100));
    assert_eq!(bench.hear(&answer(2)), None, "late");
    assert!(bench.wait().send.is_some());
    assert_eq!(bench.now, over.minus(Micros(100)).plus(silence), "quarantine ends with silence");
    assert_eq!(bench.view().late, 1);
}

#[test]
fn a_broadcast_waits_and_expects_nothing() {
    let mut bench = Bench::new(WIRE);
    let (start, frame) = (bench.now, sealed(0, &[6, 0, 1, 0, 2]));
    let sent = bench.submit(0, &[6, 0, 1, 0, 2]).send.unwrap();
    assert_eq!(sent.as_bytes(), frame);
    assert_eq!(bench.hear(&frame), None, "nobody may answer");
    assert_eq!(bench.wait().done, Some(Outcome::BroadcastDone));
    let wait = WIRE.timing().wire_time(frame.len()).plus(WIRE.broadcast_wait);
    assert_eq!(bench.now, start.plus(wait));
    assert_eq!(bench.view(), View { sent: 1, late: 1, ..VIEW });
}

#[test]
fn submissions_are_refused_with_the_reason() {
    let mut bench = Bench { session: Session::new(WIRE), now: Micros(0), out: Outputs::default() };
    assert_eq!(bench.submit(UNIT, &read(1)).done, Some(Outcome::PortLost));
    let mut bench = Bench::new(WIRE);
    assert_eq!(bench.submit(UNIT, &[]).done, Some(Outcome::Unfit { len: 0 }));
    assert_eq!(bench.submit(UNIT, &[3; 254]).done, Some(Outcome::Unfit { len: 254 }));
    assert!(bench.submit(UNIT, &read(1)).send.is_some());
    assert_eq!(bench.submit(UNIT, &read(2)).done, Some(Outcome::Busy));
    assert_eq!(bench.hear(&answer(1)), answered(&answer(1)), "the first goes on");
    bench.now = bench.now.plus(Micros(9_000));
    assert!(bench.submit(UNIT, &read(2)).send.is_some());
    assert_eq!(bench.event(Event::Closed).done, Some(Outcome::PortLost));
    assert_eq!(bench.event(Event::Closed).done, None);
    assert_eq!(bench.session.next_deadline(), None);
    assert_eq!(bench.hear(&answer(2)), None);
}

#[test]
fn a_babbling_line_blocks_for_no_longer_than_the_timeout() {
    let mut bench = Bench::new(WIRE);
    bench.hear(&[0x55; 300]);
    let start = bench.now;
    assert_eq!(bench.submit(UNIT, &read(1)).send, None);
    let done = loop {
        bench.now = bench.now.plus(Micros(1_000));
        bench.hear(&[0x55; 11]);
        if let Some(done) = bench.event(Event::Timer).done.clone() {
            break done;
        }
        assert!(bench.now < start.plus(Micros::from_secs(1)));
    };
    assert_eq!(done, Outcome::Timeout);
    assert_eq!((bench.view().blocked, bench.view().sent), (1, 0));
}

#[test]
fn noise_on_an_idle_line_is_counted_once_it_is_quiet() {
    let mut bench = Bench::new(Wire { echo: Echo::Present, ..WIRE });
    bench.submit(UNIT, &read(1));
    bench.event(Event::Closed);
    bench.event(Event::Opened);
    assert_eq!(bench.session.next_deadline(), None, "nothing is due");
    bench.hear(&[0x55; 3]);
    let quiet = View { sent: 1, echoes: Some(true), ..VIEW };
    assert_eq!(bench.view(), quiet, "no echo is due either");
    assert_eq!(bench.wait(), Outputs::default());
    assert_eq!(bench.view(), View { crc: 1, ..quiet });
    assert_eq!(bench.session.next_deadline(), None);
}
