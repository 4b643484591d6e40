//! Reading and writing runs of 16-bit words; u32 goes high word first.

/// Reads words in order; every read past the end is `None`.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    words: &'a [u16],
}

impl<'a> Reader<'a> {
    /// Starts at the first word.
    pub const fn new(words: &'a [u16]) -> Self {
        Self { words }
    }

    /// The next word.
    pub fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(*first)
    }

    /// The next two words, high word first.
    pub fn u32(&mut self) -> Option<u32> {
        let high = self.u16()?;
        let low = self.u16()?;
        Some((u32::from(high) << 16) | u32::from(low))
    }

    /// The next word as high and low byte.
    pub fn bytes(&mut self) -> Option<(u8, u8)> {
        let [high, low] = self.u16()?.to_be_bytes();
        Some((high, low))
    }

    /// The next `n` words as a slice.
    pub fn take(&mut self, n: usize) -> Option<&'a [u16]> {
        let (head, rest) = self.words.split_at_checked(n)?;
        self.words = rest;
        Some(head)
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u16] {
        self.words
    }
}

/// Writes words in order into a caller's buffer; a write past the end is refused and remembered.
#[derive(Debug)]
pub struct Writer<'a> {
    words: &'a mut [u16],
    used: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    /// Starts at the first word of `words`.
    pub const fn new(words: &'a mut [u16]) -> Self {
        Self { words, used: 0, full: false }
    }

    /// Appends one word.
    pub fn u16(&mut self, value: u16) {
        match self.words.get_mut(self.used) {
            Some(slot) => {
                *slot = value;
                self.used = self.used.saturating_add(1);
            }
            None => self.full = true,
        }
    }

    /// Appends two words, high word first.
    pub fn u32(&mut self, value: u32) {
        let [a, b, c, d] = value.to_be_bytes();
        self.u16(u16::from_be_bytes([a, b]));
        self.u16(u16::from_be_bytes([c, d]));
    }

    /// Appends one word from its high and low byte.
    pub fn bytes(&mut self, high: u8, low: u8) {
        self.u16(u16::from_be_bytes([high, low]));
    }

    /// Words written so far, or `None` when one did not fit.
    pub const fn done(self) -> Option<usize> {
        if self.full { None } else { Some(self.used) }
    }

    /// Words written so far.
    pub const fn used(&self) -> usize {
        self.used
    }
}
