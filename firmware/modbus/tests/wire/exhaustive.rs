//! All 65,536 values of every word that decides something, and every byte that does.

use crate::device::Device;
use modbus::pdu::{self, Exception, Request, Response};
use modbus::rtu::{self, Length, answer_length, request_length};
use modbus::server::{serve, serve_rtu};

fn words() -> impl Iterator<Item = (u16, [u8; 2])> {
    (0..=u16::MAX).map(|word| (word, word.to_be_bytes()))
}

/// Serves on a new device; gives the answer after checking it against its request, its frame and
/// the length that its bytes tell.
fn served(device: &mut Device, request: &[u8]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = serve(request, device, &mut out);
    let answer = &out[..len];
    assert!(Response::parse(request, answer).is_ok(), "{request:?} {answer:?}");
    let prefix = [&[1][..], answer].concat();
    assert_eq!(answer_length(request, &prefix), Length::Exactly(len + 3), "{request:?}");
    answer.to_vec()
}

/// Serves and expects success or an exception.
fn check(device: &mut Device, request: &[u8], expected: Result<(), u8>) -> Vec<u8> {
    let answer = served(device, request);
    match expected {
        Ok(()) => assert_eq!(answer[0], request[0], "{request:?}"),
        Err(code) => assert_eq!(answer, [request[0] | 0x80, code], "{request:?}"),
    }
    answer
}

#[test]
fn quantities_of_reads() {
    let mut device = Device::new();
    for (quantity, [high, low]) in words() {
        for function in [1, 2] {
            let expected = match quantity {
                1..=512 => Ok(()),
                513..=2_000 => Err(2),
                _ => Err(3),
            };
            check(&mut device, &[function, 0, 0, high, low], expected);
        }
        for function in [3, 4] {
            let expected = if (1..=125).contains(&quantity) { Ok(()) } else { Err(3) };
            check(&mut device, &[function, 0, 0, high, low], expected);
        }
    }
}

#[test]
fn addresses() {
    let mut device = Device::new();
    for (address, [high, low]) in words() {
        let inside = if address < 512 { Ok(()) } else { Err(2) };
        let holding = match address {
            500 => Err(6),
            501 | 502 => Err(4),
            _ => inside,
        };
        let coils = if address == 501 { Err(4) } else { inside };
        check(&mut device, &[1, high, low, 0, 1], coils);
        check(&mut device, &[2, high, low, 0, 1], inside);
        check(&mut device, &[3, high, low, 0, 1], holding);
        check(&mut device, &[4, high, low, 0, 1], inside);
        check(&mut device, &[5, high, low, 0, 0], inside);
        check(&mut device, &[6, high, low, 0, 0], inside);
        check(&mut device, &[15, high, low, 0, 1, 1, 1], inside);
        check(&mut device, &[16, high, low, 0, 1, 2, 0, 1], inside);
        check(&mut device, &[22, high, low, 0, 0, 0, 0], holding);
        check(&mut device, &[23, high, low, 0, 1, 0, 0, 0, 1, 2, 0, 1], holding);
        check(&mut device, &[23, 0, 0, 0, 1, high, low, 0, 1, 2, 0, 1], inside);
    }
}

#[test]
fn the_value_of_fc_05() {
    let mut device = Device::new();
    for (value, [high, low]) in words() {
        let expected = if matches!(value, 0 | 0xFF00) { Ok(()) } else { Err(3) };
        let before = device.coils[7];
        let answer = check(&mut device, &[5, 0, 7, high, low], expected);
        let after = match expected {
            Ok(()) => {
                assert_eq!(answer, [5, 0, 7, high, low]);
                value == 0xFF00
            }
            Err(_) => before,
        };
        assert_eq!(device.coils[7], after);
    }
}

#[test]
fn the_value_of_fc_06_and_of_one_word_in_fc_16_and_fc_23() {
    let mut device = Device::new();
    for (value, [high, low]) in words() {
        let answer = check(&mut device, &[6, 0, 7, high, low], Ok(()));
        assert_eq!((answer, device.registers[7]), (vec![6, 0, 7, high, low], value));
        let answer = check(&mut device, &[16, 0, 8, 0, 1, 2, high, low], Ok(()));
        assert_eq!((answer, device.registers[8]), (vec![16, 0, 8, 0, 1], value));
        let answer = check(&mut device, &[23, 0, 9, 0, 1, 0, 9, 0, 1, 2, high, low], Ok(()));
        assert_eq!((answer, device.registers[9]), (vec![23, 2, high, low], value));
    }
}

#[test]
fn both_masks_of_fc_22() {
    let mut device = Device::new();
    for other in [0x0000, 0xFFFF, 0x00F2, 0xA55A] {
        let [o1, o0] = u16::to_be_bytes(other);
        for (mask, [high, low]) in words() {
            device.registers[4] = 0x1234;
            check(&mut device, &[22, 0, 4, high, low, o1, o0], Ok(()));
            assert_eq!(device.registers[4], (0x1234 & mask) | (other & !mask));
            device.registers[4] = 0x1234;
            check(&mut device, &[22, 0, 4, o1, o0, high, low], Ok(()));
            assert_eq!(device.registers[4], (0x1234 & other) | (mask & !other));
        }
    }
}

#[test]
fn quantities_of_writes_against_their_byte_count() {
    let mut device = Device::new();
    for (quantity, [high, low]) in words() {
        // Data as the quantity says, as far as they fit a byte count; then one byte less or more.
        let bits = usize::from(quantity).div_ceil(8);
        for (function, bytes, most) in [
            (15, bits, 1_968),
            (16, usize::from(quantity) * 2, 123),
            (23, usize::from(quantity) * 2, 121),
        ] {
            let lead = if function == 23 { vec![0, 0, 0, 1] } else { vec![] };
            for bytes in [bytes, bytes.saturating_sub(1), bytes + 1] {
                let Ok(count) = u8::try_from(bytes) else { continue };
                let head = [&[function][..], &lead, &[0, 0, high, low, count]].concat();
                let request = [head, vec![0xFF; bytes]].concat();
                let right = match function {
                    15 => bytes == bits,
                    _ => bytes == usize::from(quantity) * 2,
                };
                let expected = match quantity {
                    0 => Err(3),
                    _ if quantity > most || !right => Err(3),
                    513.. => Err(2),
                    _ => Ok(()),
                };
                check(&mut device, &request, expected);
            }
            // A byte count that lies, whatever the quantity says.
            let head = [&[function][..], &lead, &[0, 0, high, low, 4, 0, 0]].concat();
            check(&mut device, &head, Err(3));
        }
    }
}

#[test]
fn sub_functions_of_fc_08_and_their_data() {
    let mut device = Device::new();
    for (sub_function, [high, low]) in words() {
        let (zero, other) = match sub_function {
            0 => (Ok(()), Ok(())),
            0x0A..=0x0F | 0x12 => (Ok(()), Err(3)),
            _ => (Err(1), Err(1)),
        };
        check(&mut device, &[8, high, low, 0, 0], zero);
        check(&mut device, &[8, high, low, 0xA5, 0x37], other);
        check(&mut device, &[8, high, low], if other == Err(1) { other } else { Err(3) });
    }
    for (data, [high, low]) in words() {
        let answer = check(&mut device, &[8, 0, 0, high, low], Ok(()));
        assert_eq!(answer, [8, 0, 0, high, low]);
        for sub_function in [0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x12] {
            let expected = if data == 0 { Ok(()) } else { Err(3) };
            check(&mut device, &[8, 0, sub_function, high, low], expected);
        }
    }
}

#[test]
fn transport_access_and_object_of_fc_43() {
    let mut device = Device::new();
    for transport in 0..=255u8 {
        for access in 0..=255u8 {
            let expected = match (transport, access) {
                (14, 1..=4) => Ok(()),
                (14, _) => Err(3),
                _ => Err(1),
            };
            check(&mut device, &[43, transport, access, 0], expected);
        }
    }
    for access in 1..=4 {
        for object in 0..=255 {
            let there = [0, 1, 2, 4, 0x80].contains(&object);
            let expected = if access < 4 || there { Ok(()) } else { Err(2) };
            check(&mut device, &[43, 14, access, object], expected);
        }
    }
}

#[test]
fn every_function_with_every_second_byte() {
    let (mut device, mut out) = (Device::new(), [0; pdu::MAX_PDU]);
    for function in 0..=255u8 {
        for second in 0..=255u8 {
            let request = [function, second];
            let len = serve(&request, &mut device, &mut out);
            let expected = match function {
                0x80.. => 0,
                _ => 2,
            };
            assert_eq!(len, expected);
            if len == 2 {
                let known = matches!(function, 1..=6 | 8 | 15..=17 | 22 | 23 | 43);
                let transport = function != 43 || second == 14;
                assert_eq!(out[1], if known && transport { 3 } else { 1 }, "{request:?}");
            }
            // No length is told that cannot be, whatever begins so.
            match request_length(&[&[1][..], &request].concat()) {
                Length::Need(more) => assert!((4..=11).contains(&more)),
                Length::Exactly(len) => assert!((4..=256).contains(&len)),
                Length::Unknown => {}
            }
        }
    }
}

#[test]
fn every_exception_code() {
    for code in 0..=255 {
        let answer = [0x83, code];
        let parsed = Response::parse(&[3, 0, 0, 0, 1], &answer);
        let known = matches!(code, 1..=6 | 8 | 0x0A | 0x0B);
        assert_eq!(parsed.is_ok(), known, "{code}");
        if let Ok(Response::Exception(exception)) = parsed {
            assert_eq!(exception.code(), code);
        }
    }
}

#[test]
fn every_unit_is_answered_or_left_alone() {
    let request = [3, 0, 0, 0, 1];
    for unit in 0..=255 {
        let mut frame = [0; rtu::MAX_FRAME];
        let len = rtu::encode(unit, &request, &mut frame).unwrap();
        let mut out = [0; rtu::MAX_FRAME];
        let answered = serve_rtu(7, &frame[..len], &mut Device::new(), &mut out);
        assert_eq!(answered.is_some(), unit == 7, "{unit}");
    }
    assert_eq!(Request::parse(&[3, 0, 0, 0, 0]), Err(Exception::IllegalValue));
}
