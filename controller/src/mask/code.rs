//! The mask itself: codes at equal length, persons as pseudonyms.
//!
//! Under one key equal codes become equal codes and different codes different ones, so that whatever
//! depends on equality (a double read, a duplicate waybill, the manifest's answer) is the same behind
//! the mask. Digits stay digits, capitals capitals, small letters small letters, bytes above ASCII
//! above ASCII, everything else stays: the shape is kept, the content is not.

/// Rounds of the cipher; each half passes five times.
const ROUNDS: u8 = 10;
/// What the mask's key is derived for; never used for anything else.
const PURPOSE: &str = "sortline 2026 mask of exported codes";

/// A mask under one key.
#[derive(Clone)]
pub struct Mask {
    key: [u8; 32],
}

impl std::fmt::Debug for Mask {
    /// Never tells the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

/// First byte and size of the class that a byte stays in; `None` when it stays itself.
const fn class(byte: u8) -> Option<(u8, u16)> {
    match byte {
        b'0'..=b'9' => Some((b'0', 10)),
        b'A'..=b'Z' => Some((b'A', 26)),
        b'a'..=b'z' => Some((b'a', 26)),
        0x80.. => Some((0x80, 128)),
        _ => None,
    }
}

impl Mask {
    /// Derives the mask from a site's key.
    pub fn new(site: &[u8; 32]) -> Self {
        Self { key: blake3::derive_key(PURPOSE, site) }
    }

    /// Masks bytes in place: a Feistel cipher over two halves, whose rounds shift each byte inside
    /// its class, so that it can be turned round and no two contents become one.
    pub fn bytes(&self, code: &mut [u8]) {
        let middle = code.len() / 2;
        for round in 0..ROUNDS {
            let (left, right) = code.split_at_mut(middle);
            let (moved, fixed) = if round % 2 == 0 { (right, left) } else { (left, right) };
            let mut hasher = blake3::Hasher::new_keyed(&self.key);
            hasher.update(&[round]);
            // The classes of the moved half do not change, so that they may have a say.
            let shape: Vec<u8> =
                moved.iter().map(|byte| class(*byte).map_or(*byte, |c| c.0)).collect();
            hasher.update(&shape.len().to_be_bytes());
            hasher.update(&shape);
            hasher.update(fixed);
            let mut stream = hasher.finalize_xof();
            for byte in moved {
                let mut drawn = [0; 8];
                stream.fill(&mut drawn);
                if let Some((first, size)) = class(*byte) {
                    let size = u64::from(size);
                    let shift = u64::from_be_bytes(drawn) % size;
                    let place = (u64::from(*byte - first) + shift) % size;
                    *byte = first + u8::try_from(place).unwrap_or_default();
                }
            }
        }
    }

    /// Masks a code of a record. A closed form has no content; its length must stay readable.
    pub fn code(&self, code: &str) -> String {
        if code.starts_with(line_engine::door::CLOSED) {
            return code.to_owned();
        }
        let mut bytes = code.as_bytes().to_vec();
        self.bytes(&mut bytes);
        // Only what is plain ASCII passes the door, and it stays so.
        String::from_utf8(bytes).unwrap_or_else(|_| "X".repeat(code.len()))
    }

    /// A pseudonym for a person or an address: equal ones stay equal.
    pub fn person(&self, by: &str) -> String {
        if by.is_empty() {
            return String::new();
        }
        let hash = blake3::keyed_hash(&self.key, by.as_bytes()).to_hex();
        format!("person {}", hash.as_str().get(..8).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn shape_and_length_stay_and_nothing_else() {
        let mask = Mask::new(&[1; 32]);
        let masked = mask.code("SF7551234567890");
        assert_eq!(masked.len(), 15);
        assert!(masked[..2].bytes().all(|byte| byte.is_ascii_uppercase()), "{masked}");
        assert!(masked[2..].bytes().all(|byte| byte.is_ascii_digit()), "{masked}");
        assert_ne!(masked, "SF7551234567890");
        assert_eq!(masked, mask.code("SF7551234567890"));
        assert_ne!(masked, Mask::new(&[2; 32]).code("SF7551234567890"));
        assert_eq!(mask.code("?57-0123456789abcdef0123"), "?57-0123456789abcdef0123");
        assert_eq!(mask.code(""), "");
        let mut name = "张三, 13812345678".as_bytes().to_vec();
        let before = name.clone();
        mask.bytes(&mut name);
        assert_eq!(name.len(), before.len());
        assert!(!name.windows(3).any(|bytes| bytes == "张".as_bytes()));
    }

    /// No two codes become one: the whole of a small space is hit.
    #[test]
    fn the_mask_can_be_turned_round() {
        let mask = Mask::new(&[3; 32]);
        let all: BTreeSet<String> = (0..1_000).map(|n| mask.code(&format!("A{n:03}"))).collect();
        assert_eq!(all.len(), 1_000);
        let one: BTreeSet<String> = (0..10).map(|n| mask.code(&n.to_string())).collect();
        assert_eq!(one.len(), 10);
    }

    #[test]
    fn persons_become_pseudonyms() {
        let mask = Mask::new(&[1; 32]);
        assert_eq!(mask.person("screen 10.1.2.3"), mask.person("screen 10.1.2.3"));
        assert!(!mask.person("screen 10.1.2.3").contains("10.1"));
        assert_eq!(mask.person(""), "");
    }
}
