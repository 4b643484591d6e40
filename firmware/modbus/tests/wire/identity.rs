//! FC 43/14 and FC 17: who a device says it is.

use crate::device::Device;
use modbus::pdu::{self, Access, DeviceId, Mismatch, Response};
use modbus::server::serve;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use units::repeat::repeatable;

fn request(access: Access, object: u8) -> [u8; 4] {
    let mut out = [0; 4];
    pdu::device_id(access, object, &mut out).unwrap();
    out
}

fn answer(device: &mut Device, request: &[u8]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = serve(request, device, &mut out);
    out[..len].to_vec()
}

fn identified<'a>(request: &[u8], answer: &'a [u8]) -> DeviceId<'a> {
    match Response::parse(request, answer) {
        Ok(Response::DeviceId(id)) => id,
        other => panic!("{other:?} to {request:?}: {answer:?}"),
    }
}

/// Ids and values of all pages, as a master asks for them.
fn stream(device: &mut Device, access: Access, from: u8) -> (Vec<(u8, Vec<u8>)>, usize) {
    let (mut objects, mut pages, mut next) = (Vec::new(), 0, Some(from));
    while let Some(object) = next {
        let asked = request(access, object);
        let got = answer(device, &asked);
        let id = identified(&asked, &got);
        objects.extend(id.objects().map(|(id, value)| (id, value.to_vec())));
        next = id.next;
        pages += 1;
        assert!(pages <= 256, "every page brings something");
    }
    (objects, pages)
}

fn ids(device: &mut Device, access: Access, from: u8) -> Vec<u8> {
    stream(device, access, from).0.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_stream_gives_the_objects_of_its_level() {
    let mut device = Device::new();
    assert_eq!(ids(&mut device, Access::Basic, 0), [0, 1, 2]);
    assert_eq!(ids(&mut device, Access::Regular, 0), [0, 1, 2, 4]);
    assert_eq!(ids(&mut device, Access::Extended, 0), [0, 1, 2, 4, 0x80]);
    assert_eq!(ids(&mut device, Access::Basic, 1), [1, 2]);
    assert_eq!(ids(&mut device, Access::Extended, 0x80), [0x80]);
    // What is not there, or out of reach of the level, begins at the beginning.
    assert_eq!(ids(&mut device, Access::Regular, 3), [0, 1, 2, 4]);
    assert_eq!(ids(&mut device, Access::Extended, 0xFF), [0, 1, 2, 4, 0x80]);
    assert_eq!(ids(&mut device, Access::Basic, 4), [0, 1, 2]);
    assert_eq!(ids(&mut device, Access::Regular, 0x80), [0, 1, 2, 4]);
}

#[test]
fn the_answer_is_that_of_the_specification() {
    let mut device = Device::new();
    let got = answer(&mut device, &[43, 14, 1, 0]);
    let head = [43, 14, 1, 0x83, 0, 0, 3];
    let objects = [&[0, 8][..], b"sortline", &[1, 3], b"T-1", &[2, 3], b"1.0"].concat();
    assert_eq!(got, [&head[..], &objects].concat());
    let got = answer(&mut device, &[43, 14, 4, 0x80]);
    assert_eq!(got, [43, 14, 4, 0x83, 0, 0, 1, 0x80, 1, b'2']);
    for (objects, conformity) in [(3, 0x81), (4, 0x82), (5, 0x83)] {
        let mut device = Device::new();
        device.objects.truncate(objects);
        // A level above its own is answered with what there is.
        for code in 1..=3 {
            assert_eq!(answer(&mut device, &[43, 14, code, 0])[3], conformity);
        }
    }
}

#[test]
fn single_objects_are_there_or_not() {
    let mut device = Device::new();
    for object in 0..=255 {
        let asked = request(Access::Individual, object);
        let got = answer(&mut device, &asked);
        let there = device.objects.iter().find(|(id, _)| *id == object);
        match there {
            Some((id, value)) => {
                let found: Vec<_> = identified(&asked, &got).objects().collect();
                assert_eq!(found, [(*id, &value[..])]);
            }
            None => assert_eq!(got, [0xAB, 2], "{object}"),
        }
    }
}

#[test]
fn what_does_not_fit_comes_on_the_next_page() {
    let mut device = Device::new();
    device.objects = (0..6).map(|id| (id, vec![b'a' + id; 100])).collect();
    let asked = request(Access::Regular, 0);
    let got = answer(&mut device, &asked);
    assert_eq!((got.len(), got[4], got[5], got[6]), (7 + 2 * 102, 0xFF, 2, 2));
    let (objects, pages) = stream(&mut device, Access::Regular, 0);
    assert_eq!((objects, pages), (device.objects.clone(), 3));
    // The longest value fills a PDU; a longer one cannot be told.
    device.objects = vec![(0, vec![7; 244]), (1, vec![8; 245])];
    let got = answer(&mut device, &request(Access::Individual, 0));
    assert_eq!(got.len(), pdu::MAX_PDU);
    assert_eq!(answer(&mut device, &request(Access::Individual, 1)), [0xAB, 4]);
    assert_eq!(answer(&mut device, &request(Access::Basic, 1)), [0xAB, 4]);
    let got = answer(&mut device, &request(Access::Basic, 0));
    assert_eq!((got[4], got[5], got[6]), (0xFF, 1, 1));
    // Less room means shorter pages.
    let mut device = Device::new();
    let mut out = [0; 20];
    let len = serve(&request(Access::Basic, 0), &mut device, &mut out);
    assert_eq!((len, out[4], out[5], out[6]), (17, 0xFF, 1, 1));
}

#[test]
fn a_device_without_objects_says_so() {
    let mut device = Device::new();
    device.objects.clear();
    let asked = request(Access::Extended, 7);
    let got = answer(&mut device, &asked);
    assert_eq!(got, [43, 14, 3, 0x81, 0, 0, 0]);
    assert_eq!(identified(&asked, &got).objects().count(), 0);
}

#[test]
fn a_server_id_has_the_length_that_it_has() {
    let mut device = Device::new();
    for len in [0, 1, 2, 251] {
        device.server_id = vec![7; len];
        let got = answer(&mut device, &[17]);
        assert_eq!(Response::parse(&[17], &got), Ok(Response::ServerId(&device.server_id)));
    }
    device.server_id = vec![7; 252];
    assert_eq!(answer(&mut device, &[17]), [0x91, 4]);
    let beyond = [&[17, 252][..], &[7; 252]].concat();
    let length = Mismatch::Length { expected: 253, got: 254 };
    assert_eq!(Response::parse(&[17], &beyond), Err(length), "longer than a PDU");
}

#[test]
fn fields_that_were_not_asked_for_are_refused() {
    let asked = request(Access::Individual, 0x80);
    let good = [43, 14, 4, 0x83, 0, 0, 1, 0x80, 1, b'2'];
    assert!(Response::parse(&asked, &good).is_ok());
    for (at, byte) in [(1, 13), (2, 1), (3, 0x84), (3, 0), (4, 1), (6, 2), (7, 0x81)] {
        let mut other = good;
        other[at] = byte;
        assert_eq!(Response::parse(&asked, &other), Err(Mismatch::Field { at }), "{other:?}");
    }
    let long = [&good[..], &[0]].concat();
    let length = |expected, got| Err(Mismatch::Length { expected, got });
    assert_eq!(Response::parse(&asked, &long), length(10, 11));
    assert_eq!(Response::parse(&asked, &good[..9]), length(10, 9));
    assert_eq!(Response::parse(&asked, &good[..6]), length(7, 6));
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn every_object_is_told_once_and_in_order(
        objects in btree_map(any::<u8>(), vec(any::<u8>(), 0..=244), 0..20),
        from in any::<u8>(),
    ) {
        let mut device = Device::new();
        device.objects = objects.into_iter().collect();
        for access in [Access::Basic, Access::Regular, Access::Extended] {
            let reach: Vec<_> =
                device.objects.iter().filter(|(id, _)| *id <= access.last()).cloned().collect();
            let start = reach.iter().position(|(id, _)| *id == from).unwrap_or(0);
            let (told, _) = stream(&mut device, access, from);
            prop_assert_eq!(&told, &reach[start..]);
        }
    }
}
