//! Bounded byte storage: the fixed buffer that owns bytes and the writer that fills borrowed ones.

use core::fmt;

/// Says that something does not fit: its buffer or its function's own limit is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fit the words into the buffer or into the limits of the function")
    }
}

impl core::error::Error for Full {}

/// Owns up to `N` bytes without a heap.
#[derive(Clone)]
pub struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    /// Builds an empty buffer.
    pub const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// Copies `bytes` into a new buffer.
    ///
    /// # Errors
    /// [`Full`] when there are more than `N`.
    pub fn copy_of(bytes: &[u8]) -> Result<Self, Full> {
        let mut buffer = Self::new();
        copy(bytes, buffer.bytes.get_mut(..bytes.len()).ok_or(Full)?);
        buffer.len = bytes.len();
        Ok(buffer)
    }

    /// The bytes held.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Forgets the bytes held.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Moves as many bytes as fit from the front of `input` into the buffer.
    pub(crate) fn take(&mut self, input: &mut &[u8]) {
        let n = copy(input, self.bytes.get_mut(self.len..).unwrap_or_default());
        *input = input.get(n..).unwrap_or_default();
        self.len = self.len.saturating_add(n);
    }

    /// Forgets the first `n` bytes held.
    pub(crate) fn drop_front(&mut self, n: usize) {
        let held = self.bytes.get_mut(..self.len).unwrap_or_default();
        let n = n.min(held.len());
        held.copy_within(n.., 0);
        self.len = self.len.saturating_sub(n);
    }
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> PartialEq for Buffer<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for Buffer<N> {}

impl<const N: usize> fmt::Debug for Buffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_bytes())
    }
}

/// Copies as many bytes as there are on both sides and returns their number; cannot panic.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..n), to.get_mut(..n)) {
        to.copy_from_slice(from);
    }
    n
}

/// Fills a borrowed buffer from the front and remembers whether anything did not fit.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    len: Option<usize>,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: Some(0) }
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.len = self.len.and_then(|at| {
            let end = at.checked_add(bytes.len())?;
            copy(bytes, self.out.get_mut(at..end)?);
            Some(end)
        });
        self
    }

    pub(crate) fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    pub(crate) fn word(self, word: u16) -> Self {
        self.bytes(&word.to_be_bytes())
    }

    pub(crate) fn finish(self) -> Result<usize, Full> {
        self.len.ok_or(Full)
    }
}
