//! Fuzz bodies of the codec, the framing and the server core.

use crate::device::Device;
use modbus::mbap::{Decoder, Frame};
use modbus::pdu::{self, Request, Response};
use modbus::rtu::{self, Length, Receiver, answer_length, request_length};
use modbus::server::{serve, serve_rtu, serve_tcp};

/// Any PDU is served: every answer fits its request, and every length is told right.
pub(crate) fn request(data: &[u8]) {
    let request = &data[..data.len().min(pdu::MAX_PDU)];
    let (mut device, mut out) = (Device::new(), [0; pdu::MAX_PDU]);
    let len = serve(request, &mut device, &mut out);
    let parsed = Request::parse(request);
    assert_eq!(len == 0, request.first().is_none_or(|function| *function >= 0x80));
    if len > 0 {
        let response = Response::parse(request, &out[..len]);
        assert!(response.is_ok(), "{response:?} to {request:02x?}");
        if let (Err(refused), Ok(got)) = (parsed, response) {
            assert_eq!(got, Response::Exception(refused));
        }
        prefixes(&[&[1], &out[..len], &[0, 0]].concat(), |p| answer_length(request, p));
    }
    if parsed.is_ok() && !request.starts_with(&[8, 0, 0]) {
        prefixes(&[&[1], request, &[0, 0]].concat(), request_length);
    }
    let mut frame = [0; rtu::MAX_FRAME];
    for unit in [0, 1, 2] {
        let Ok(len) = rtu::encode(unit, request, &mut frame) else { continue };
        let mut out = [0; rtu::MAX_FRAME];
        let answered = serve_rtu(1, &frame[..len], &mut device, &mut out);
        assert!(answered.is_none() || unit == 1);
    }
    let mut out = [0; modbus::mbap::MAX_FRAME];
    serve_tcp(Frame { transaction: 7, unit: 0, pdu: request }, &mut device, &mut out);
}

/// Every prefix of a frame tells its length or how much more must be seen.
fn prefixes(frame: &[u8], length: impl Fn(&[u8]) -> Length) {
    for end in 0..=frame.len() {
        match length(&frame[..end]) {
            Length::Need(more) => assert!(end < more && more <= frame.len()),
            Length::Exactly(len) => assert_eq!(len, frame.len()),
            Length::Unknown => panic!("no length of {frame:02x?} at {end}"),
        }
    }
}

/// One request of every kind; the first byte of an input chooses among them.
const REQUESTS: [&[u8]; 20] = [
    &[1, 0, 0, 0, 9],
    &[2, 0, 0, 0, 16],
    &[3, 0, 0, 0, 2],
    &[4, 0, 0, 0, 125],
    &[5, 0, 1, 0xFF, 0],
    &[6, 0, 1, 0, 2],
    &[8, 0, 0, 1, 2, 3, 4],
    &[8, 0, 0x0A, 0, 0],
    &[8, 0, 0x0B, 0, 0],
    &[15, 0, 1, 0, 2, 1, 3],
    &[16, 0, 1, 0, 1, 2, 0, 7],
    &[17],
    &[22, 0, 1, 0, 2, 0, 3],
    &[23, 0, 0, 0, 2, 0, 1, 0, 1, 2, 0, 7],
    &[43, 14, 1, 0],
    &[43, 14, 3, 0x80],
    &[43, 14, 4, 2],
    &[0x42, 1, 2],
    &[3, 0, 0, 0, 0],
    &[],
];

/// Any answer to any request is judged, and what is accepted is as long as its bytes say.
pub(crate) fn answer(data: &[u8]) {
    let Some((which, answer)) = data.split_first() else { return };
    let request = REQUESTS[usize::from(*which) % REQUESTS.len()];
    let Ok(response) = Response::parse(request, answer) else { return };
    prefixes(&[&[1], answer, &[0, 0]].concat(), |p| answer_length(request, p));
    match response {
        Response::Words(words) => assert_eq!(words.len() * 2 + 2, answer.len()),
        Response::Bits(bits) => assert_eq!(bits.len().div_ceil(8) + 2, answer.len()),
        Response::ServerId(data) => assert_eq!(data.len() + 2, answer.len()),
        Response::DeviceId(id) => {
            let walked: usize = id.objects().map(|(_, value)| value.len() + 2).sum();
            assert_eq!(walked + 7, answer.len());
        }
        Response::Written | Response::Echoed => assert!(request.starts_with(&answer[..3])),
        Response::Count(_) => assert_eq!(answer.len(), 5),
        Response::Exception(exception) => assert_eq!(exception.code(), answer[1]),
    }
}

/// Takes a length byte and that many bytes off the front.
pub(crate) fn portion<'a>(data: &mut &'a [u8]) -> &'a [u8] {
    let Some((len, rest)) = data.split_first() else { return &[] };
    let (head, tail) = rest.split_at(rest.len().min(usize::from(*len)));
    *data = tail;
    head
}

/// A line of bytes, whole frames, silences and errors: only whole frames come out.
pub(crate) fn receiver(mut data: &[u8]) {
    let mut receiver = Receiver::new(1);
    while let Some((op, rest)) = data.split_first() {
        data = rest;
        let mut frame = [0; rtu::MAX_FRAME];
        let mut bytes: &[u8] = match op & 7 {
            0 => {
                if let Some(frame) = receiver.silence() {
                    assert!(rtu::check(frame).is_ok());
                }
                continue;
            }
            1 => {
                receiver.resync();
                continue;
            }
            2 | 3 => portion(&mut data),
            _ => {
                // A frame with a right CRC, of this node or another one.
                let pdu = portion(&mut data);
                let len = rtu::encode(op >> 5, &pdu[..pdu.len().min(253)], &mut frame);
                &frame[..len.unwrap_or(0)]
            }
        };
        while let Some(frame) = receiver.push(&mut bytes) {
            assert!(rtu::check(frame).is_ok());
        }
        assert!(bytes.is_empty());
    }
    receiver.take_tally();
}

/// A stream gives the same frames, or breaks, however it is cut.
pub(crate) fn mbap(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = frames(&[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*cut % 16) + 1).collect();
    assert_eq!(whole, frames(&pieces));
}

/// The frames of a stream, and whether it broke.
fn frames(pieces: &[&[u8]]) -> (Vec<(u16, u8, Vec<u8>)>, bool) {
    let (mut decoder, mut frames) = (Decoder::new(), Vec::new());
    for mut piece in pieces.iter().copied() {
        loop {
            match decoder.push(&mut piece) {
                Ok(Some(frame)) => {
                    assert!((1..=253).contains(&frame.pdu.len()));
                    frames.push((frame.transaction, frame.unit, frame.pdu.to_vec()));
                }
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}
