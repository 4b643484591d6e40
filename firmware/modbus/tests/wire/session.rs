//! Every answer that the server core forms is what the master accepts, however it is split.

use crate::asked::{Asked, asked};
use crate::device::Device;
use modbus::pdu::Pdu;
use modbus::rtu;
use modbus::server::serve_rtu;
use modbus::session::{Echo, Event, Outcome, Outputs, Session, Wire};
use proptest::prelude::*;
use units::Micros;
use units::repeat::repeatable;

const UNIT: u8 = 5;

/// Submits a request and hears its answer in these pieces, a millisecond between them.
fn exchange(request: &[u8], echo: Echo, pieces: &[&[u8]]) -> Option<Outcome> {
    let (turnaround_max, broadcast_wait) = (Micros(20_000), Micros(50_000));
    let wire = Wire { baud: 115_200, bits_per_char: 11, turnaround_max, broadcast_wait, echo };
    let (mut session, mut out) = (Session::new(wire), Outputs::default());
    session.handle(Micros(0), Event::Opened, &mut out);
    let mut now = Micros(1_000_000);
    let submit = Event::Submit { unit: UNIT, pdu: request, timeout: Micros(8_000) };
    session.handle(now, submit, &mut out);
    let sent = out.send.clone().expect("the line is free");
    if echo == Echo::Present {
        session.handle(now, Event::Received(sent.as_bytes()), &mut out);
        assert_eq!(out.done, None, "an echo alone is no answer");
    }
    for piece in pieces {
        now = now.plus(Micros(1_000));
        session.handle(now, Event::Received(piece), &mut out);
        if out.done.is_some() {
            break;
        }
    }
    out.done
}

/// The answer frame to a request, and the outcome that it must have.
fn answered(asked: &Asked) -> (Vec<u8>, Option<Outcome>) {
    let (mut request, mut out) = ([0; rtu::MAX_FRAME], [0; rtu::MAX_FRAME]);
    let len = rtu::encode(UNIT, &asked.encode(), &mut request).unwrap();
    let len = serve_rtu(UNIT, &request[..len], &mut Device::new(), &mut out).unwrap();
    let pdu = Pdu::copy_of(rtu::check(&out[..len]).unwrap().1).unwrap();
    (out[..len].to_vec(), Some(Outcome::Answer { unit: UNIT, pdu }))
}

proptest! {
    #![proptest_config(repeatable(128))]

    #[test]
    fn answers_in_every_two_pieces_are_accepted(asked in asked()) {
        let request = asked.encode();
        let (frame, expected) = answered(&asked);
        for at in 0..=frame.len() {
            let (head, tail) = frame.split_at(at);
            for echo in [Echo::Absent, Echo::Present] {
                let got = exchange(&request, echo, &[head, tail]);
                prop_assert_eq!(&got, &expected, "{:?} split at {}", asked, at);
            }
        }
        let bytewise: Vec<&[u8]> = frame.chunks(1).collect();
        prop_assert_eq!(exchange(&request, Echo::Absent, &bytewise), expected);
    }

    #[test]
    fn no_garbled_answer_is_accepted(asked in asked(), bit in any::<prop::sample::Index>()) {
        let (mut frame, _) = answered(&asked);
        let bit = bit.index(frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(exchange(&asked.encode(), Echo::Absent, &[&frame]), None);
    }
}
