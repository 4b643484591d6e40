//! A view of registers: big-endian words over bytes.

use core::fmt;

/// Views bytes as big-endian 16-bit words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words<'a>(&'a [[u8; 2]]);

impl<'a> Words<'a> {
    /// Views `bytes`; `None` when their number is odd.
    pub const fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        match bytes.as_chunks() {
            (words, []) => Some(Self(words)),
            _ => None,
        }
    }

    /// The number of words.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is no word.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The word at `index`.
    pub fn get(self, index: usize) -> Option<u16> {
        self.0.get(index).copied().map(u16::from_be_bytes)
    }

    /// All words in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = u16> + DoubleEndedIterator + Clone + 'a {
        self.0.iter().copied().map(u16::from_be_bytes)
    }

    /// The bytes as they are on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0.as_flattened()
    }
}

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
