//! Where a bank puts what is read: no more than was asked for, no less.

use crate::buffer::copy;

/// Takes the words of one read, no more than were asked for.
#[derive(Debug)]
pub struct WordSink<'a> {
    room: core::slice::IterMut<'a, [u8; 2]>,
    excess: bool,
}

impl<'a> WordSink<'a> {
    /// Builds a sink over `out`, two bytes a word.
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { room: out.as_chunks_mut().0.iter_mut(), excess: false }
    }

    /// Appends `word`; one too many fails the whole read with exception 04.
    pub fn push(&mut self, word: u16) {
        match self.room.next() {
            Some(slot) => *slot = word.to_be_bytes(),
            None => self.excess = true,
        }
    }

    /// Words that are still asked for.
    pub fn left(&self) -> usize {
        self.room.len()
    }

    /// Whether exactly the words asked for were pushed.
    pub(super) fn is_exact(&self) -> bool {
        self.left() == 0 && !self.excess
    }
}

impl Extend<u16> for WordSink<'_> {
    fn extend<T: IntoIterator<Item = u16>>(&mut self, words: T) {
        words.into_iter().for_each(|word| self.push(word));
    }
}

/// Takes the bits of one read, no more than were asked for.
#[derive(Debug)]
pub struct BitSink<'a> {
    out: &'a mut [u8],
    quantity: usize,
    pushed: usize,
}

impl<'a> BitSink<'a> {
    /// Builds a sink for `quantity` bits over `out`, eight bits a byte; bits without room count as
    /// too many.
    pub fn new(out: &'a mut [u8], quantity: usize) -> Self {
        out.fill(0);
        Self { out, quantity, pushed: 0 }
    }

    /// Appends `bit`; one too many fails the whole read with exception 04.
    pub fn push(&mut self, bit: bool) {
        if self.pushed < self.quantity
            && let Some(byte) = self.out.get_mut(self.pushed >> 3)
        {
            *byte |= u8::from(bit) << (self.pushed & 7);
        }
        self.pushed = self.pushed.saturating_add(1);
    }

    /// Bits that are still asked for.
    pub const fn left(&self) -> usize {
        self.quantity.saturating_sub(self.pushed)
    }

    /// Whether exactly the bits asked for were pushed.
    pub(super) const fn is_exact(&self) -> bool {
        self.pushed == self.quantity
    }
}

impl Extend<bool> for BitSink<'_> {
    fn extend<T: IntoIterator<Item = bool>>(&mut self, bits: T) {
        bits.into_iter().for_each(|bit| self.push(bit));
    }
}

/// Takes bytes of a length that only the bank knows.
#[derive(Debug)]
pub struct ByteSink<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> ByteSink<'a> {
    /// Builds a sink over `out`.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Appends bytes; what finds no room is counted only.
    pub fn extend(&mut self, bytes: &[u8]) {
        copy(bytes, self.out.get_mut(self.len..).unwrap_or_default());
        self.len = self.len.saturating_add(bytes.len());
    }

    /// How many bytes were given; more than there is room for when they do not fit.
    pub(super) const fn given(&self) -> usize {
        self.len
    }
}
