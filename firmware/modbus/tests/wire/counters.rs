//! The counters of FC 08, kept by the server core.

use crate::device::Device;
use modbus::mbap;
use modbus::pdu::{self, Counter, Response};
use modbus::rtu;
use modbus::server::{Bank, serve_rtu, serve_tcp};

const UNIT: u8 = 9;

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).unwrap();
    out[..len].to_vec()
}

/// Serves a frame; gives the answer PDU.
fn served(device: &mut Device, frame: &[u8]) -> Option<Vec<u8>> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = serve_rtu(UNIT, frame, device, &mut out)?;
    Some(rtu::check(&out[..len]).unwrap().1.to_vec())
}

/// Reads a counter over the wire.
fn read(device: &mut Device, counter: Counter) -> u16 {
    let mut request = [0; 5];
    pdu::read_counter(counter, &mut request).unwrap();
    let answer = served(device, &sealed(UNIT, &request)).unwrap();
    match Response::parse(&request, &answer) {
        Ok(Response::Count(count)) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_happens_on_the_line_is_counted() {
    let read_one = [3, 0, 0, 0, 1];
    let mut garbled = sealed(UNIT, &read_one);
    garbled[3] ^= 1;
    let mut device = Device::new();
    for frame in [
        sealed(UNIT, &read_one),
        sealed(UNIT, &[3, 2, 0, 0, 1]),
        sealed(0, &[6, 0, 1, 0, 2]),
        sealed(0, &read_one),
        sealed(10, &read_one),
        garbled,
        sealed(UNIT, &[0x83, 2]),
    ] {
        served(&mut device, &frame);
    }
    device.counters.add(Counter::Overruns, 4);
    let counts = Counter::ALL.map(|counter| device.counters.get(counter));
    assert_eq!(counts, [6, 1, 1, 5, 3, 4]);
    // Each reading is a message of its own.
    let counts = Counter::ALL.map(|counter| read(&mut device, counter));
    assert_eq!(counts, [7, 1, 1, 9, 3, 4]);
}

#[test]
fn clearing_answers_and_begins_anew() {
    let mut device = Device::new();
    for counter in Counter::ALL {
        device.counters.add(counter, 7);
    }
    let mut request = [0; 5];
    pdu::clear_counters(&mut request).unwrap();
    let answer = served(&mut device, &sealed(UNIT, &request));
    assert_eq!(answer.as_deref(), Some(&request[..]));
    assert!(Counter::ALL.iter().all(|counter| device.counters.get(*counter) == 0));
    assert_eq!(read(&mut device, Counter::BusMessages), 1, "the reading itself");
}

#[test]
fn counters_saturate() {
    let mut device = Device::new();
    for counter in Counter::ALL {
        device.counters.add(counter, u16::MAX);
        device.counters.add(counter, 1);
        assert_eq!(device.counters.get(counter), u16::MAX);
        let sub_function = counter.sub_function();
        assert_eq!(Counter::from_sub_function(sub_function), Some(counter));
    }
}

#[test]
fn frames_on_tcp_are_messages_too() {
    let (mut device, mut out) = (Device::new(), [0; mbap::MAX_FRAME]);
    for pdu in [&[3, 0, 0, 0, 1][..], &[3, 2, 0, 0, 1], &[0x83, 2]] {
        let frame = mbap::Frame { transaction: 1, unit: 0, pdu };
        serve_tcp(frame, &mut device, &mut out);
    }
    let counters = *device.counters().unwrap();
    let counts = Counter::ALL.map(|counter| counters.get(counter));
    assert_eq!(counts, [3, 0, 1, 3, 1, 0]);
}
