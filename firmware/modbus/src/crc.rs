//! The CRC-16 of Modbus serial line (polynomial 0xA001 reflected, start value 0xFFFF).

/// Computes the CRC of `bytes`; on the wire its low byte goes first.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc: u16, &byte| {
        let [low, high] = crc.to_le_bytes();
        let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        u16::from(high) ^ entry
    })
}

/// What each value of the low byte contributes.
static TABLE: [u16; 256] = table();

#[cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "run by the compiler only"
    )
)]
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let (mut at, mut value) = (0, 0u16);
    while at < table.len() {
        let (mut entry, mut bit) = (value, 0);
        while bit < 8 {
            entry = if entry & 1 == 1 { (entry >> 1) ^ 0xA001 } else { entry >> 1 };
            bit += 1;
        }
        table[at] = entry;
        at += 1;
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::crc16;

    #[test]
    fn known_values() {
        assert_eq!(crc16(b""), 0xFFFF);
        assert_eq!(crc16(b"123456789"), 0x4B37, "check value of CRC-16/MODBUS");
        let frame = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03];
        assert_eq!(crc16(&frame).to_le_bytes(), [0x76, 0x87], "example of the specification");
    }
}
