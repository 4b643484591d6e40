//! Cutting the reader's bytes into lines.

use crate::limits::LINE_BYTES_MAX;
use heapless::Vec;

/// A line that is being received; ended by CR or LF.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    bytes: Vec<u8, LINE_BYTES_MAX>,
    /// Bytes were dropped because the line is too long.
    cut: bool,
}

/// One whole line.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8, LINE_BYTES_MAX>,
    pub(crate) cut: bool,
}

impl Line {
    /// Takes one byte; gives the line that it ends. Empty lines are none.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Whole> {
        if byte != b'\r' && byte != b'\n' {
            self.cut |= self.bytes.push(byte).is_err();
            return None;
        }
        if self.bytes.is_empty() {
            return None;
        }
        let Self { bytes, cut } = core::mem::take(self);
        Some(Whole { bytes, cut })
    }
}
