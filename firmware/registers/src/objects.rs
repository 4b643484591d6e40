//! Who a node is, for anybody who asks: device identification (FC 43/14) and server id (FC 17).

use crate::map::{MAP_VERSION, NodeKind};

/// Vendor name; always there.
pub const VENDOR_NAME: u8 = 0x00;
/// Product code; always there.
pub const PRODUCT_CODE: u8 = 0x01;
/// Revision of the firmware; always there.
pub const REVISION: u8 = 0x02;
/// Product name.
pub const PRODUCT_NAME: u8 = 0x04;
/// Model name.
pub const MODEL_NAME: u8 = 0x05;
/// Version of the register map.
pub const MAP: u8 = 0x80;
/// This boot's id.
pub const BOOT_ID: u8 = 0x81;
/// Serial number.
pub const SERIAL_NUMBER: u8 = 0x82;
/// First 32 bits of the firmware image's hash.
pub const FIRMWARE_HASH: u8 = 0x83;
/// Node kind.
pub const KIND: u8 = 0x84;

/// One object of the device identification.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its id.
    pub id: u8,
    /// Name, unique in the table.
    pub name: &'static str,
    /// How its value is written.
    pub form: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn object(id: u8, name: &'static str, form: &'static str, meaning: &'static str) -> Object {
    Object { id, name, form, meaning }
}

/// Every object of a node, in order of id; all values are ASCII text.
pub const OBJECTS: &[Object] = &[
    object(VENDOR_NAME, "vendor_name", "`sortline`", "Vendor name."),
    object(PRODUCT_CODE, "product_code", "`SL-` and the kind", "Product code."),
    object(REVISION, "revision", "text", "Revision of the firmware."),
    object(PRODUCT_NAME, "product_name", "`sortline node`", "Product name."),
    object(MODEL_NAME, "model_name", "name of the kind", "Model name."),
    object(MAP, "object_map_version", "decimal", "As `map_version`."),
    object(BOOT_ID, "object_boot_id", "4 hex digits", "As `identity_boot_id`."),
    object(SERIAL_NUMBER, "object_serial_number", "decimal", "As `serial_number`."),
    object(FIRMWARE_HASH, "object_firmware_hash", "8 hex digits", "As `firmware_hash`."),
    object(KIND, "object_kind", "name of the kind", "As `kind`."),
];

/// What a node's objects and its server id are formed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the node is.
    pub kind: NodeKind,
    /// Revision of the firmware.
    pub revision: &'static str,
    /// This boot's id.
    pub boot_id: u16,
    /// Serial number.
    pub serial_number: u32,
    /// First 32 bits of the firmware image's hash.
    pub firmware_hash: u32,
}

/// Longest value in bytes; longer text is cut.
pub const VALUE_MAX: usize = 24;

/// The value of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    bytes: [u8; VALUE_MAX],
    len: usize,
}

impl Value {
    const fn new() -> Self {
        Self { bytes: [0; VALUE_MAX], len: 0 }
    }

    fn text(mut self, text: &str) -> Self {
        text.bytes().for_each(|byte| self.push(byte));
        self
    }

    /// Appends `number` in `base` (10 or 16) with at least `digits` digits.
    fn number(mut self, number: u32, base: u32, digits: u32) -> Self {
        let mut place = 1u64;
        let mut shown = 1u32;
        while shown < digits || place.saturating_mul(u64::from(base)) <= u64::from(number) {
            place = place.saturating_mul(u64::from(base));
            shown = shown.saturating_add(1);
        }
        for _ in 0..shown {
            let digit = u64::from(number).checked_div(place).unwrap_or_default();
            let digit = digit.checked_rem(u64::from(base)).unwrap_or_default();
            let digit = u32::try_from(digit).ok().and_then(|d| char::from_digit(d, base));
            let digit = digit.unwrap_or('0').to_ascii_uppercase();
            self.push(u8::try_from(digit).unwrap_or(b'0'));
            place = place.checked_div(u64::from(base)).unwrap_or(1).max(1);
        }
        self
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Facts {
    /// The value of object `id`; `None` when a node has no such object.
    pub fn object(&self, id: u8) -> Option<Value> {
        let value = Value::new();
        Some(match id {
            VENDOR_NAME => value.text("sortline"),
            PRODUCT_CODE => value.text("SL-").text(self.kind.name()),
            REVISION => value.text(self.revision),
            PRODUCT_NAME => value.text("sortline node"),
            MODEL_NAME | KIND => value.text(self.kind.name()),
            MAP => value.number(u32::from(MAP_VERSION), 10, 1),
            BOOT_ID => value.number(u32::from(self.boot_id), 16, 4),
            SERIAL_NUMBER => value.number(self.serial_number, 10, 1),
            FIRMWARE_HASH => value.number(self.firmware_hash, 16, 8),
            _ => return None,
        })
    }
}

/// Reads a value that is written in `base` (10 or 16), digits only.
pub fn number(value: &[u8], base: u32) -> Option<u32> {
    let text = core::str::from_utf8(value).ok()?;
    let digits = !text.is_empty() && text.chars().all(|digit| digit.is_digit(base));
    digits.then(|| u32::from_str_radix(text, base).ok()).flatten()
}

/// Bytes of a node's server id.
pub const SERVER_ID_BYTES: usize = 14;

/// What a node says of itself by FC 17 (0x11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerId {
    /// Register value of the node kind; the server id proper.
    pub kind: u8,
    /// Whether an owner holds the node, so that it does what it is told.
    pub running: bool,
    /// Version of the register map.
    pub map_version: u16,
    /// This boot's id.
    pub boot_id: u16,
    /// Serial number.
    pub serial_number: u32,
    /// First 32 bits of the firmware image's hash.
    pub firmware_hash: u32,
}

impl ServerId {
    /// Encodes the data behind the byte count.
    pub fn encode(&self) -> [u8; SERVER_ID_BYTES] {
        let run = if self.running { 0xFF } else { 0x00 };
        let [m1, m0] = self.map_version.to_be_bytes();
        let [b1, b0] = self.boot_id.to_be_bytes();
        let [s3, s2, s1, s0] = self.serial_number.to_be_bytes();
        let [h3, h2, h1, h0] = self.firmware_hash.to_be_bytes();
        [self.kind, run, m1, m0, b1, b0, s3, s2, s1, s0, h3, h2, h1, h0]
    }

    /// Decodes the data behind the byte count; `None` when they are not a node's.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let &[kind, run, m1, m0, b1, b0, s3, s2, s1, s0, h3, h2, h1, h0] = data else {
            return None;
        };
        Some(Self {
            kind,
            running: match run {
                0x00 => false,
                0xFF => true,
                _ => return None,
            },
            map_version: u16::from_be_bytes([m1, m0]),
            boot_id: u16::from_be_bytes([b1, b0]),
            serial_number: u32::from_be_bytes([s3, s2, s1, s0]),
            firmware_hash: u32::from_be_bytes([h3, h2, h1, h0]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        kind: NodeKind::Diverter,
        revision: "1.2.3",
        boot_id: 0x00B7,
        serial_number: 0,
        firmware_hash: 0x0506_0AFF,
    };

    #[test]
    fn numbers_survive_the_wire() {
        for serial_number in [0, 1, 9, 10, 99, 100, 16_909_060, u32::MAX - 1, u32::MAX] {
            let facts = Facts { serial_number, firmware_hash: serial_number, ..FACTS };
            let decimal = facts.object(SERIAL_NUMBER).unwrap();
            assert_eq!(decimal.as_bytes(), std::format!("{serial_number}").as_bytes());
            assert_eq!(number(decimal.as_bytes(), 10), Some(serial_number));
            let hex = facts.object(FIRMWARE_HASH).unwrap();
            assert_eq!(hex.as_bytes(), std::format!("{serial_number:08X}").as_bytes());
            assert_eq!(number(hex.as_bytes(), 16), Some(serial_number));
        }
        for bad in [&b""[..], b"+1", b"-1", b" 1", b"12x", b"4294967296", b"\xFF"] {
            assert_eq!(number(bad, 10), None);
        }
    }

    #[test]
    fn a_node_has_the_objects_of_the_table_and_no_others() {
        for id in 0..=u8::MAX {
            let listed = OBJECTS.iter().any(|object| object.id == id);
            assert_eq!(FACTS.object(id).is_some(), listed, "{id:#04x}");
        }
        let longest = Facts { revision: "a revision that is much too long", ..FACTS };
        assert_eq!(longest.object(REVISION).unwrap().as_bytes().len(), VALUE_MAX);
    }

    #[test]
    fn a_server_id_survives_the_wire() {
        let id = ServerId {
            kind: 2,
            running: true,
            map_version: 2,
            boot_id: 0xB007,
            serial_number: 0x0102_0304,
            firmware_hash: 0x0506_0708,
        };
        assert_eq!(ServerId::parse(&id.encode()), Some(id));
        let idle = ServerId { running: false, ..id };
        assert_eq!(ServerId::parse(&idle.encode()), Some(idle));
        let mut other = id.encode();
        other[1] = 1;
        assert_eq!(ServerId::parse(&other), None);
        assert_eq!(ServerId::parse(&id.encode()[..13]), None);
    }
}
