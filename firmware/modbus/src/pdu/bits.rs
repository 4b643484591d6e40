//! A view of coils and discrete inputs: bits over bytes, lowest bit first.

use core::fmt;

/// Views bytes as a run of bits, the lowest bit of the first byte first.
#[derive(Clone, Copy)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl<'a> Bits<'a> {
    /// Views the first `len` bits of `bytes`; `None` when they do not take exactly these bytes.
    /// What pads the last byte is ignored.
    pub const fn from_bytes(bytes: &'a [u8], len: usize) -> Option<Self> {
        if bytes.len() == len.div_ceil(8) { Some(Self { bytes, len }) } else { None }
    }

    /// The number of bits.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether there is no bit.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The bit at `index`.
    pub fn get(self, index: usize) -> Option<bool> {
        if index >= self.len {
            return None;
        }
        let byte = self.bytes.get(index >> 3)?;
        Some((byte >> (index & 7)) & 1 == 1)
    }

    /// All bits in order.
    pub fn iter(self) -> impl Iterator<Item = bool> + Clone + 'a {
        let all = self.bytes.iter().flat_map(|byte| (0..8).map(move |bit| (byte >> bit) & 1 == 1));
        all.take(self.len)
    }
}

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Bits<'_> {}

impl fmt::Debug for Bits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(u8::from)).finish()
    }
}
