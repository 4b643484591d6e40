//! The check word: a second CRC-16 of another polynomial than the frame's.
//!
//! Modbus' CRC-16 (0x8005) alone lets about one in 65,536 garbled frames through. Every block that
//! may influence a decision therefore ends in CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF, not
//! reflected) over the slave address, the token and the block's other words.

const POLYNOMIAL: u16 = 0x1021;

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler only: an overrun would be a compile error"
)]
const fn table() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut i = 0u16;
    while i < 256 {
        let mut crc = i << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL };
            bit += 1;
        }
        table[i as usize] = crc;
        i += 1;
    }
    table
}

static TABLE: [u16; 256] = table();

fn step(crc: u16, byte: u8) -> u16 {
    let [high, _] = crc.to_be_bytes();
    let row = TABLE.get(usize::from(high ^ byte)).copied().unwrap_or_default();
    (crc << 8) ^ row
}

fn word(crc: u16, value: u16) -> u16 {
    let [high, low] = value.to_be_bytes();
    step(step(crc, high), low)
}

/// Computes the check word of a block from `slave` and `token` over `payload` (all its words but
/// the check word itself).
pub fn check_word(slave: u8, token: u16, payload: &[u16]) -> u16 {
    payload.iter().fold(word(step(0xFFFF, slave), token), |crc, value| word(crc, *value))
}

/// Writes the check word into the last word of `block`; does nothing on an empty block.
pub fn seal(slave: u8, token: u16, block: &mut [u16]) {
    if let Some((last, payload)) = block.split_last_mut() {
        *last = check_word(slave, token, payload);
    }
}

/// Whether the last word of `block` is the check word of the others.
pub fn sealed(slave: u8, token: u16, block: &[u16]) -> bool {
    block.split_last().is_some_and(|(last, payload)| *last == check_word(slave, token, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_published_check_value() {
        // CRC-16/IBM-3740 of "123456789" is 0x29B1 (catalogue of parametrised CRC algorithms).
        let crc = b"123456789".iter().fold(0xFFFF, |crc, b| step(crc, *b));
        assert_eq!(crc, 0x29B1);
    }

    #[test]
    fn another_slave_or_token_breaks_the_seal() {
        let mut block = [7, 8, 9, 0];
        seal(3, 100, &mut block);
        assert!(sealed(3, 100, &block));
        assert!(!sealed(4, 100, &block));
        assert!(!sealed(3, 101, &block));
        block[1] ^= 0x0100;
        assert!(!sealed(3, 100, &block));
        assert!(!sealed(3, 100, &[]));
    }
}
