//! Fuzz body of the serial master.

use crate::codec::portion;
use modbus::pdu::Response;
use modbus::rtu;
use modbus::session::{Echo, Event, Outcome, Outputs, Session, Wire};
use units::Micros;

/// Any events: every submission ends once, and an accepted answer fits its request.
pub(crate) fn session(data: &[u8]) {
    let Some((mode, mut data)) = data.split_first() else { return };
    let echo = [Echo::Absent, Echo::Present, Echo::Detect][usize::from(*mode % 3)];
    let (turnaround_max, broadcast_wait) = (Micros(20_000), Micros(50_000));
    let wire = Wire { baud: 115_200, bits_per_char: 11, turnaround_max, broadcast_wait, echo };
    let (mut session, mut out) = (Session::new(wire), Outputs::default());
    let (mut now, mut request, mut sent, mut open) = (Micros(0), Vec::new(), Vec::new(), 0);
    while let Some((op, rest)) = data.split_first() {
        data = rest;
        now = now.plus(Micros(u64::from(op >> 3) * 700));
        let mut frame = [0; rtu::MAX_FRAME];
        let mut pdu = Vec::new();
        let event = match op & 7 {
            0 => Event::Opened,
            1 => Event::Closed,
            2 => {
                now = session.next_deadline().map_or(now, |at| now.max(at));
                Event::Timer
            }
            3 => Event::Received(portion(&mut data)),
            // What was sent comes back.
            4 => Event::Received(&sent),
            5 => {
                let answer = portion(&mut data);
                let len = rtu::encode(5, &answer[..answer.len().min(253)], &mut frame);
                Event::Received(&frame[..len.unwrap_or(0)])
            }
            unit => {
                pdu = portion(&mut data).to_vec();
                Event::Submit {
                    unit: if unit == 6 { 5 } else { 0 },
                    pdu: &pdu,
                    timeout: Micros(8_000),
                }
            }
        };
        let submitted = matches!(event, Event::Submit { .. });
        session.handle(now, event, &mut out);
        if submitted {
            open += 1;
            if !matches!(out.done, Some(Outcome::Busy)) {
                request = pdu;
            }
        }
        if let Some(frame) = &out.send {
            assert!(rtu::check(frame.as_bytes()).is_ok());
            sent = frame.as_bytes().to_vec();
        }
        match &out.done {
            Some(Outcome::Answer { unit, pdu }) => {
                assert_eq!(*unit, 5);
                assert!(Response::parse(&request, pdu.as_bytes()).is_ok());
                open -= 1;
            }
            Some(_) => open -= 1,
            None => {}
        }
        assert!((0..=1).contains(&open), "every submission ends once");
    }
    session.handle(now, Event::Closed, &mut out);
    assert_eq!(open, i32::from(out.done.is_some()));
}
