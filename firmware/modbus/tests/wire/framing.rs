//! RTU and MBAP framing: any split, any noise, and answers of other nodes on a shared line.

use crate::asked::asked;
use crate::device::Device;
use modbus::mbap::{self, Broken, Decoder};
use modbus::pdu;
use modbus::rtu::{self, FrameError, Length, Receiver, Tally, answer_length, request_length};
use modbus::server::serve;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use units::repeat::repeatable;

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).unwrap();
    out[..len].to_vec()
}

/// A request PDU whose length its bytes tell.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let open = |pdu: &[u8]| matches!(pdu, [8, 0, 0, ..]);
    asked().prop_map(|asked| asked.encode()).prop_filter("open", move |pdu| !open(pdu))
}

/// Cuts `bytes` at every index of `cuts`.
fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.extend([0, bytes.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

/// Feeds `bytes` in pieces without a silence and collects the requests.
fn received(receiver: &mut Receiver, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for mut piece in pieces.iter().copied() {
        while let Some(frame) = receiver.push(&mut piece) {
            frames.push(frame.to_vec());
        }
        assert!(piece.is_empty(), "everything is taken");
    }
    frames
}

fn listening(unit: u8) -> Receiver {
    let mut receiver = Receiver::new(unit);
    assert_eq!(receiver.silence(), None);
    receiver
}

#[test]
fn frames_are_checked_for_length_and_crc() {
    assert_eq!(rtu::check(&[1, 2, 3]), Err(FrameError::Length { got: 3 }));
    assert_eq!(rtu::check(&[0; 257]), Err(FrameError::Length { got: 257 }));
    assert!(matches!(rtu::check(&[0; 256]), Err(FrameError::Crc { received: 0, .. })));
    let mut out = [0; 257];
    assert!(rtu::encode(1, &[], &mut out).is_err());
    assert!(rtu::encode(1, &[0; 254], &mut out).is_err());
    assert_eq!(rtu::encode(1, &[0; 253], &mut out), Ok(256));
    assert!(rtu::encode(1, &[0; 253], &mut out[..255]).is_err());
}

#[test]
fn a_receiver_tells_what_it_heard() {
    let frame = sealed(1, &[6, 0, 0, 0, 0]);
    let mut receiver = Receiver::new(1);
    received(&mut receiver, &[&[0x55; 3]]);
    receiver.resync();
    receiver.silence();
    assert_eq!(receiver.take_tally(), Tally::default(), "before the first silence");
    received(&mut receiver, &[&frame, &sealed(2, &[3, 0, 0, 0, 1]), &sealed(2, &[3, 2, 0, 0])]);
    receiver.silence();
    receiver.silence();
    assert_eq!(receiver.take_tally(), Tally { swallowed: 1, garbled: 0 }, "an answer of another");
    received(&mut receiver, &[&[0x55; 3]]);
    receiver.silence();
    received(&mut receiver, &[&[0x55; 600]]);
    receiver.silence();
    received(&mut receiver, &[&frame[..4]]);
    receiver.resync();
    received(&mut receiver, &[&frame[4..]]);
    receiver.resync();
    receiver.silence();
    receiver.resync();
    assert_eq!(receiver.take_tally(), Tally { swallowed: 0, garbled: 4 }, "one a stretch");
    assert_eq!(receiver.take_tally(), Tally::default());
}

#[test]
fn impossible_lengths_are_unknown() {
    assert_eq!(request_length(&[1]), Length::Need(2));
    assert_eq!(request_length(&[1, 16, 0, 0, 0, 1]), Length::Need(7));
    assert_eq!(request_length(&[1, 16, 0, 0, 0, 1, 247]), Length::Exactly(256));
    assert_eq!(request_length(&[1, 16, 0, 0, 0, 1, 248]), Length::Unknown);
    assert_eq!(request_length(&[1, 8, 0, 0]), Length::Unknown, "data of any length");
    assert_eq!(request_length(&[1, 8, 0]), Length::Need(4));
    assert_eq!(request_length(&[1, 8, 0, 10]), Length::Exactly(8));
    assert_eq!(request_length(&[1, 43, 13]), Length::Unknown);
    assert_eq!(request_length(&[1, 0x42]), Length::Unknown);
    assert_eq!(answer_length(&[17], &[1, 17]), Length::Need(3));
    assert_eq!(answer_length(&[17], &[1, 17, 251]), Length::Exactly(256));
    assert_eq!(answer_length(&[17], &[1, 17, 252]), Length::Unknown);
    let stream = [43, 14, 1, 0];
    assert_eq!(answer_length(&stream, &[1, 43, 13]), Length::Unknown, "another transport");
    assert_eq!(answer_length(&stream, &[1, 43, 14]), Length::Need(8));
    assert_eq!(answer_length(&stream, &[1, 43, 14, 1, 1, 0, 0, 0]), Length::Exactly(10));
    let one = [1, 43, 14, 1, 1, 0, 0, 1];
    assert_eq!(answer_length(&stream, &one), Length::Need(10));
    for (len, expected) in [(244, Length::Exactly(256)), (245, Length::Unknown)] {
        assert_eq!(answer_length(&stream, &[&one[..], &[0, len]].concat()), expected);
    }
    let many = [&[1, 43, 14, 1, 1, 0, 0, 255][..], &[0; 300]].concat();
    assert_eq!(answer_length(&stream, &many), Length::Unknown, "objects beyond a PDU");
    assert_eq!(answer_length(&[3, 0, 0, 0, 2], &[1, 0x83]), Length::Exactly(5));
    assert_eq!(answer_length(&[3, 0, 0, 0, 2], &[1, 4]), Length::Unknown);
    assert_eq!(answer_length(&[3, 0, 0, 0, 0], &[1, 3]), Length::Unknown, "malformed request");
}

#[test]
fn an_impossible_header_breaks_the_stream_for_good() {
    for (header, broken) in [
        ([0, 1, 0, 1, 0, 6, 1], Broken::Protocol(1)),
        ([0, 1, 0, 0, 0, 1, 1], Broken::Length(1)),
        ([0, 1, 0, 0, 0, 255, 1], Broken::Length(255)),
    ] {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.push(&mut &header[..]), Err(broken));
        assert_eq!(decoder.push(&mut &[0; 99][..]), Err(broken), "again");
        assert_eq!(mbap::decode(&header), Err(broken));
    }
    let long = [0, 1, 0, 0, 0, 2, 1, 3, 3];
    assert_eq!(mbap::decode(&long), Err(Broken::Length(2)), "a byte is left over");
}

#[test]
fn a_request_inside_an_identification_of_another_node_is_never_taken() {
    let inner = sealed(1, &[6, 0, 9, 0, 7]);
    let objects = [&[43, 14, 1, 0x81, 0, 0, 2, 0, 8][..], &inner, &[1, 8], &inner].concat();
    let id = [&[17, 18][..], &inner, &[0xAA, 0xAA], &inner].concat();
    for (request, answer) in [(&[43, 14, 1, 0][..], objects), (&[17], id)] {
        let (request, answer) = (sealed(2, request), sealed(2, &answer));
        for at in 1..=answer.len() {
            let mut receiver = listening(1);
            let mut units = Vec::new();
            for piece in [&request[..], &answer[..at], &answer[at..]] {
                units.extend(received(&mut receiver, &[piece]).iter().map(|frame| frame[0]));
                units.extend(receiver.silence().map(|frame| frame[0]));
            }
            assert_eq!(units, [2], "torn at {at}");
            // Torn before its length was told, it costs the next request; never one more.
            let next = sealed(1, &[6, 0, 0, 0, 0]);
            let first = received(&mut receiver, &[&next]).len();
            assert!(first == 1 || at < answer.len(), "whole answers cost nothing");
            receiver.silence();
            assert_eq!(received(&mut receiver, &[&next]), [next], "torn at {at}");
        }
    }
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn lengths_are_told_from_every_prefix(request in request()) {
        let frame = sealed(1, &request);
        let mut out = [0; pdu::MAX_PDU];
        let len = serve(&request, &mut Device::new(), &mut out);
        let answer = sealed(1, &out[..len]);
        for (whole, length) in [
            (&frame, &(|prefix: &[u8]| request_length(prefix)) as &dyn Fn(&[u8]) -> Length),
            (&answer, &|prefix: &[u8]| answer_length(&request, prefix)),
        ] {
            for end in 0..=whole.len() {
                match length(&whole[..end]) {
                    Length::Need(more) => prop_assert!(more > end && more <= whole.len()),
                    Length::Exactly(len) => prop_assert_eq!(len, whole.len()),
                    Length::Unknown => prop_assert!(false),
                }
            }
        }
    }

    #[test]
    fn requests_are_received_however_split(
        requests in vec((0..2u8, request()), 1..4),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let frames: Vec<_> = requests.iter().map(|(unit, pdu)| sealed(*unit, pdu)).collect();
        let stream = frames.concat();
        prop_assert_eq!(received(&mut listening(1), &pieces(&stream, &cuts)), frames);
    }

    #[test]
    fn every_split_of_one_frame(request in request()) {
        let frame = sealed(1, &request);
        for at in 0..=frame.len() {
            let (head, tail) = frame.split_at(at);
            prop_assert_eq!(received(&mut listening(1), &[head, tail]), [frame.clone()]);
        }
    }

    #[test]
    fn noise_or_a_cut_frame_costs_nothing_after_the_next_silence(
        noise in vec(any::<u8>(), 0..300),
        cut in request(),
        at in any::<Index>(),
        request in request(),
    ) {
        let (cut, frame) = (sealed(1, &cut), sealed(1, &request));
        for burst in [&noise[..], &cut[..at.index(cut.len())]] {
            // One cut frame in 65,536 is a frame again, of a length that is answered by exception.
            prop_assume!(rtu::check(burst).is_err());
            let mut receiver = listening(1);
            prop_assert_eq!(received(&mut receiver, &[burst]).len(), 0);
            prop_assert_eq!(receiver.silence(), None);
            prop_assert_eq!(received(&mut receiver, &[&frame]), [frame.clone()]);
            prop_assert_eq!(receiver.silence(), None);
        }
    }

    #[test]
    fn a_request_inside_an_answer_of_another_node_is_never_taken(
        inner in request(),
        target in 0..2u8,
        lead in 0..9usize,
        tail in 1..9usize,
        cuts in vec(any::<Index>(), 0..3),
        at_inner in any::<bool>(),
    ) {
        // Node 1 hears a read of node 2 and its answer, whose data hold a frame for node 1.
        let inner = sealed(target, &inner);
        let data = (lead + inner.len() + tail).next_multiple_of(2).min(250);
        prop_assume!(lead + inner.len() < data);
        let mut answer = vec![3, u8::try_from(data).unwrap()];
        answer.resize(2 + lead, 0xAA);
        answer.extend(&inner);
        answer.resize(2 + data, 0xAA);
        let words = u16::try_from(data / 2).unwrap();
        let [high, low] = words.to_be_bytes();
        let read = sealed(2, &[3, 0, 0, high, low]);
        let answer = sealed(2, &answer);

        // Torn at one place: the worst one, right before the inner frame, or any.
        let anywhere = cuts.first().map_or(1, |cut| cut.index(answer.len()));
        let worst = if at_inner { 3 + lead } else { anywhere };
        // One piece in 65,536 is a frame again; it comes from node 2, so nobody obeys it.
        prop_assume!(rtu::check(&answer[..worst]).is_err());
        let mut receiver = listening(1);
        let mut units = Vec::new();
        for piece in [&read[..], &answer[..worst], &answer[worst..]] {
            units.extend(received(&mut receiver, &pieces(piece, &cuts)).iter().map(|f| f[0]));
            units.extend(receiver.silence().map(|frame| frame[0]));
        }
        prop_assert_eq!(&units, &[2]);

        // The next request is heard.
        let next = sealed(1, &[6, 0, 0, 0, 0]);
        prop_assert_eq!(received(&mut receiver, &[&next]), [next.clone()]);
    }

    #[test]
    fn any_bytes_and_silences_give_whole_frames_only(
        bursts in vec((vec(any::<u8>(), 0..20), any::<bool>()), 0..60),
    ) {
        let mut receiver = listening(1);
        for (burst, silent) in &bursts {
            for frame in received(&mut receiver, &[burst]) {
                prop_assert!(rtu::check(&frame).is_ok());
            }
            if *silent && let Some(frame) = receiver.silence() {
                prop_assert!(rtu::check(frame).is_ok());
            }
        }
    }

    #[test]
    fn mbap_frames_come_back_however_split(
        frames in vec((any::<u16>(), any::<u8>(), vec(any::<u8>(), 1..=253)), 1..5),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let mut stream = Vec::new();
        for (transaction, unit, pdu) in &frames {
            let mut out = [0; mbap::MAX_FRAME];
            let frame = mbap::Frame { transaction: *transaction, unit: *unit, pdu };
            let len = mbap::encode(frame, &mut out).unwrap();
            prop_assert_eq!(mbap::decode(&out[..len]), Ok(frame));
            stream.extend(&out[..len]);
        }
        let bytewise: Vec<_> = stream.chunks(1).collect();
        for pieces in [pieces(&stream, &cuts), bytewise] {
            let mut decoder = Decoder::new();
            let mut got = Vec::new();
            for mut piece in pieces {
                while let Some(frame) = decoder.push(&mut piece).unwrap() {
                    got.push((frame.transaction, frame.unit, frame.pdu.to_vec()));
                }
            }
            prop_assert_eq!(&got, &frames);
        }
    }

    #[test]
    fn any_bytes_on_tcp_give_frames_or_an_end(bytes in vec(prop_oneof![Just(0u8), 0..9u8], 0..600)) {
        let (mut decoder, mut rest) = (Decoder::new(), &bytes[..]);
        loop {
            let before = rest.len();
            match decoder.push(&mut rest) {
                Ok(Some(frame)) => {
                    prop_assert!((1..=253).contains(&frame.pdu.len()));
                    prop_assert!(rest.len() < before);
                }
                Ok(None) => break prop_assert!(rest.is_empty()),
                Err(_) => break,
            }
        }
    }
}
