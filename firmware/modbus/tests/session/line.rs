//! The master on a simulated line, and any events.

use crate::bench::{Bench, TIMEOUT, UNIT, WIRE, address_of, answer, answered, read, sealed};
use modbus::pdu::Response;
use modbus::session::{Echo, Event, Outcome, View, Wire};
use proptest::collection::vec;
use proptest::prelude::*;
use units::Micros;
use units::repeat::repeatable;

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
        echo in prop::sample::select(vec![Echo::Absent, Echo::Present, Echo::Detect]),
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
