//! What map version 2 adds, in literal words; check words computed by an independent
//! CRC-16/IBM-3740. What version 1 pins still holds.

use registers::address::{AddressFault, NewAddress};
use registers::map::ADDRESS;
use registers::objects::{Facts, ServerId};
use registers::{MAP_VERSION, NodeKind};

#[test]
fn a_new_address_for_one_serial_number() {
    assert_eq!(ADDRESS, 0x0510);
    let new = NewAddress { serial_number: 0x0102_0304, unit: 17 };
    let words = [0x0102, 0x0304, 0x0011, 0x5C5D];
    assert_eq!(new.encode(0), words, "as a broadcast");
    assert_eq!(NewAddress::parse(0, &words), Ok(new));
    assert_eq!(NewAddress::parse(9, &words), Err(AddressFault::Check));
    let new = NewAddress { serial_number: 0x0102_0304, unit: 247 };
    assert_eq!(new.encode(9), [0x0102, 0x0304, 0x00F7, 0x0369], "to slave 9");
}

#[test]
fn the_objects_of_a_node() {
    let facts = Facts {
        kind: NodeKind::Diverter,
        revision: "1.2.3",
        boot_id: 0x00B7,
        serial_number: 16_909_060,
        firmware_hash: 0x0506_0AFF,
    };
    let map = MAP_VERSION.to_string();
    let objects: [(u8, &[u8]); 10] = [
        (0x00, b"sortline"),
        (0x01, b"SL-diverter"),
        (0x02, b"1.2.3"),
        (0x04, b"sortline node"),
        (0x05, b"diverter"),
        (0x80, map.as_bytes()),
        (0x81, b"00B7"),
        (0x82, b"16909060"),
        (0x83, b"05060AFF"),
        (0x84, b"diverter"),
    ];
    for (id, value) in objects {
        let found = facts.object(id).expect("there");
        assert_eq!(found.as_bytes(), value, "object {id:#04x}");
    }
}

#[test]
fn a_server_id() {
    let id = ServerId {
        kind: 2,
        running: true,
        map_version: 2,
        boot_id: 0xB007,
        serial_number: 0x0102_0304,
        firmware_hash: 0x0506_0708,
    };
    let bytes = [2, 0xFF, 0, 2, 0xB0, 0x07, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(id.encode(), bytes);
}
