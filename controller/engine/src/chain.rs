//! The hash chain over records: independent of how commits group them.

use alloc::string::String;

/// Head of the chain after some record: `h(n) = blake3(h(n − 1) ‖ record n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head(pub [u8; 32]);

impl Head {
    /// Before the first record.
    pub const START: Self = Self([0; 32]);

    /// Moves the head over one record's bytes.
    pub fn extend(&mut self, record: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(record);
        self.0 = *hasher.finalize().as_bytes();
    }

    /// The head as 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_content_change_the_head_and_grouping_cannot() {
        let over = |records: &[&[u8]]| {
            let mut head = Head::START;
            records.iter().for_each(|record| head.extend(record));
            head
        };
        let head = over(&[b"a", b"bc"]);
        assert_eq!(head, over(&[b"a", b"bc"]));
        assert_ne!(head, over(&[b"bc", b"a"]));
        assert_ne!(head, over(&[b"ab", b"c"]));
        assert_eq!(head.hex().len(), 64);
    }

    #[test]
    fn the_chain_is_the_documented_one() {
        let mut head = Head::START;
        head.extend(b"record");
        let mut bytes = [0; 38];
        bytes[32..].copy_from_slice(b"record");
        assert_eq!(head.0, *blake3::hash(&bytes).as_bytes());
    }
}
