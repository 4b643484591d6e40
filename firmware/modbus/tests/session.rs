//! The serial master on a simulated line.

use modbus::pdu::{self, Response};
use modbus::rtu;
use modbus::session::{Event, Outcome, Outputs, Session, View, Wire};
use proptest::collection::vec;
use proptest::prelude::*;
use units::Micros;
use units::repeat::repeatable;

const WIRE: Wire = Wire {
    baud: 115_200,
    bits_per_char: 11,
    turnaround_max: Micros(20_000),
    broadcast_wait: Micros(50_000),
    echo: false,
};
const TIMEOUT: Micros = Micros(8_000);
const UNIT: u8 = 5;

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).unwrap();
    out[..len].to_vec()
}

fn read(address: u16) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = pdu::read_holding(address, 2, &mut out).unwrap();
    out[..len].to_vec()
}

/// The answer to [`read`]: its words hold the address, so that a stale one shows.
fn answer(address: u16) -> Vec<u8> {
    let [high, low] = address.to_be_bytes();
    sealed(UNIT, &[3, 4, high, low, high, low])
}

fn address_of(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[2], frame[3]])
}

/// A session, its clock, and what it did last.
struct Bench {
    session: Session,
    now: Micros,
    out: Outputs,
}

impl Bench {
    /// An open port, its first quarantine over.
    fn new(wire: Wire) -> Self {
        let mut bench =
            Self { session: Session::new(wire), now: Micros(1_000), out: Outputs::default() };
        assert!(bench.event(Event::Opened).drain);
        bench.now = Micros(1_000_000);
        bench
    }

    fn event(&mut self, event: Event<'_>) -> &Outputs {
        self.session.handle(self.now, event, &mut self.out);
        &self.out
    }

    fn submit(&mut self, unit: u8, pdu: &[u8]) -> Outputs {
        self.event(Event::Submit { unit, pdu, timeout: TIMEOUT }).clone()
    }

    fn hear(&mut self, bytes: &[u8]) -> Option<Outcome> {
        self.event(Event::Received(bytes)).done.clone()
    }

    /// Lets time pass to the next deadline.
    fn wait(&mut self) -> Outputs {
        self.now = self.now.max(self.session.next_deadline().expect("something is due"));
        self.event(Event::Timer).clone()
    }

    /// Submits a read and hears `bytes` in one piece a millisecond after its end.
    fn exchange(&mut self, bytes: &[u8]) -> Option<Outcome> {
        assert!(self.submit(UNIT, &read(7)).send.is_some());
        self.now = self.now.plus(Micros(3_000));
        self.hear(bytes)
    }

    fn view(&self) -> View {
        self.session.view()
    }
}

fn answered(frame: &[u8]) -> Option<Outcome> {
    let (unit, pdu) = rtu::check(frame).unwrap();
    Some(Outcome::Answer { unit, pdu: pdu::Pdu::copy_of(pdu).unwrap() })
}

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
        ("another unit", foreign, View { foreign: 1, ..View::default() }),
        (
            "four registers",
            sealed(UNIT, &[3, 8, 0, 1, 0, 2, 0, 3, 0, 4]),
            View { mismatch: 1, ..View::default() },
        ),
        (
            "another function",
            sealed(UNIT, &[4, 4, 0, 7, 0, 7]),
            View { mismatch: 1, ..View::default() },
        ),
        ("unknown exception", sealed(UNIT, &[0x83, 99]), View { mismatch: 1, ..View::default() }),
        ("bit error", broken, View { crc: 1, ..View::default() }),
        ("noise", vec![0xFF, UNIT, 3], View { crc: 1, ..View::default() }),
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
    assert_eq!(bench.view(), View { sent: 1, answers: 1, late: 1, ..View::default() });
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
    assert_eq!(bench.view(), View { sent: 1, late: 1, ..View::default() });
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
fn an_echo_is_stripped_and_never_an_answer() {
    let write = [6, 0, 1, 0, 2];
    let frame = sealed(UNIT, &write);
    let both = [frame.clone(), frame.clone()].concat();
    for at in 0..=both.len() {
        let mut bench = Bench::new(Wire { echo: true, ..WIRE });
        bench.submit(UNIT, &write);
        let first = bench.hear(&both[..at]);
        assert_eq!(first.is_some(), at == both.len(), "the echo alone is no success");
        let done = first.or_else(|| bench.hear(&both[at..]));
        assert_eq!(done, answered(&frame), "split at {at}");
        assert_eq!(bench.view().echo, 1);
    }
    let mut garbled = both;
    garbled[3] ^= 0x10;
    let mut bench = Bench::new(Wire { echo: true, ..WIRE });
    bench.submit(UNIT, &write);
    assert_eq!(bench.hear(&garbled), None, "nothing after a collision is trusted");
    assert_eq!(bench.wait().done, Some(Outcome::Timeout));
    assert_eq!((bench.view().echo, bench.view().echo_garbled), (0, 1));
}

#[test]
fn noise_on_an_idle_line_is_counted_once_it_is_quiet() {
    let mut bench = Bench::new(Wire { echo: true, ..WIRE });
    bench.submit(UNIT, &read(1));
    bench.event(Event::Closed);
    bench.event(Event::Opened);
    assert_eq!(bench.session.next_deadline(), None, "nothing is due");
    bench.hear(&[0x55; 3]);
    assert_eq!(bench.view(), View { sent: 1, ..View::default() }, "no echo is due either");
    assert_eq!(bench.wait(), Outputs::default());
    assert_eq!(bench.view(), View { sent: 1, crc: 1, ..View::default() });
    assert_eq!(bench.session.next_deadline(), None);
}

/// What the node does with one request on the simulated line.
#[derive(Clone, Debug)]
struct Fate {
    /// From the end of the request to the start of the answer.
    turnaround: u64,
    answers: bool,
    /// Bytes of the answer per delivery to the master.
    piece: usize,
    /// A bit of the answer that is flipped.
    flip: Option<usize>,
    /// Noise right before the answer, within the turn-around.
    noise: Vec<u8>,
}

fn fate() -> impl Strategy<Value = Fate> {
    let flip = prop_oneof![4 => Just(None), 1 => (0..72usize).prop_map(Some)];
    let noise = prop_oneof![4 => Just(vec![]), 1 => vec(any::<u8>(), 1..20)];
    (0..=WIRE.turnaround_max.0, prop::bool::weighted(0.9), 1..=40usize, flip, noise).prop_map(
        |(turnaround, answers, piece, flip, noise)| Fate {
            turnaround,
            answers,
            piece,
            flip,
            noise,
        },
    )
}

/// Runs one exchange per fate, each submitted as soon as the one before is done, and returns the
/// outcomes. Panics when the master sends while the line is or was just in use.
fn run_line(fates: &[Fate]) -> (Vec<Outcome>, View) {
    let mut bench = Bench::new(WIRE);
    let (timing, mut outcomes) = (WIRE.timing(), Vec::new());
    let mut deliveries: Vec<(Micros, Vec<u8>)> = Vec::new();
    let mut busy_until = Micros::ZERO;
    for (index, fate) in (0u16..).zip(fates) {
        let mut out = bench.submit(UNIT, &read(index));
        loop {
            if let Some(frame) = &out.send {
                assert!(bench.now >= busy_until.plus(timing.silence()), "sent into an answer");
                assert!(out.drain && deliveries.iter().all(|(at, _)| *at <= bench.now));
                deliveries.clear();
                busy_until = bench.now.plus(timing.wire_time(frame.as_bytes().len()));
                if fate.answers {
                    let mut answer = answer(address_of(frame.as_bytes()));
                    if let Some(bit) = fate.flip {
                        answer[bit / 8] ^= 1 << (bit % 8);
                    }
                    let bytes = [fate.noise.clone(), answer].concat();
                    let lead = timing.wire_time(fate.noise.len());
                    let start = busy_until.plus(lead.max(Micros(fate.turnaround))).minus(lead);
                    busy_until = start.plus(timing.wire_time(bytes.len()));
                    let mut end = 0;
                    for piece in bytes.chunks(fate.piece) {
                        end += piece.len();
                        deliveries.push((start.plus(timing.wire_time(end)), piece.to_vec()));
                    }
                }
            }
            if let Some(done) = out.done {
                outcomes.push(done);
                break;
            }
            let due = bench.session.next_deadline().expect("something is outstanding");
            out = if deliveries.first().is_some_and(|(at, _)| *at <= due) {
                let (at, piece) = deliveries.remove(0);
                bench.now = bench.now.max(at);
                bench.event(Event::Received(&piece)).clone()
            } else {
                bench.wait()
            };
        }
    }
    (outcomes, bench.view())
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn a_late_answer_never_reaches_the_next_request(fates in vec(fate(), 1..12)) {
        let (outcomes, view) = run_line(&fates);
        prop_assert_eq!(outcomes.len(), fates.len());
        for ((index, outcome), fate) in (0u16..).zip(&outcomes).zip(&fates) {
            let in_time = fate.turnaround <= TIMEOUT.0;
            match outcome {
                Outcome::Answer { pdu, .. } => {
                    prop_assert_eq!(Response::parse(&read(index), pdu.as_bytes()).is_ok(), true);
                    prop_assert_eq!(address_of(pdu.as_bytes()), index, "stale data");
                    prop_assert!(fate.answers && fate.flip.is_none());
                }
                Outcome::Timeout => {
                    let clean = fate.answers && fate.flip.is_none() && in_time;
                    prop_assert!(!clean, "an answer in time was not accepted");
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(view.sent, view.answers + view.timeouts);
    }

    #[test]
    fn an_answer_behind_noise_is_found(
        noise in vec(prop_oneof![any::<u8>(), Just(UNIT), Just(3u8)], 0..600),
    ) {
        let mut bench = Bench::new(WIRE);
        let done = bench.exchange(&[noise, answer(7)].concat()).or_else(|| bench.wait().done);
        prop_assert_eq!(done, answered(&answer(7)));
    }

    #[test]
    fn any_events_end_every_submission_once(
        echo in any::<bool>(),
        events in vec((0..8u8, 0..30_000u64, vec(any::<u8>(), 1..=253)), 0..80),
    ) {
        let mut bench = Bench::new(Wire { echo, ..WIRE });
        let (mut submitted, mut ended) = (0, 0);
        for (kind, pause, bytes) in &events {
            bench.now = bench.now.plus(Micros(*pause));
            let crafted = sealed(UNIT, bytes);
            let event = match kind {
                0 => Event::Opened,
                1 => Event::Closed,
                2 | 3 => Event::Submit { unit: *kind, pdu: bytes, timeout: TIMEOUT },
                4 => Event::Submit { unit: 0, pdu: &[6, 0, 1, 0, 2], timeout: TIMEOUT },
                5 => Event::Received(bytes),
                6 => Event::Received(&crafted),
                _ => Event::Timer,
            };
            submitted += u32::from(matches!(event, Event::Submit { .. }));
            ended += u32::from(bench.event(event).done.is_some());
        }
        if bench.event(Event::Closed).done.is_some() {
            ended += 1;
        }
        prop_assert_eq!(submitted, ended);
    }
}
