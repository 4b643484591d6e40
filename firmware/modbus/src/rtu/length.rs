//! How long a frame will be, told from its first bytes.

use super::MAX_FRAME;
use crate::pdu::Expected;
use crate::pdu::function::{EXCEPTION, Shape, request_shape};

/// What the first bytes of a frame say about its length, unit and CRC included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// At least this many bytes must be seen before the length is known.
    Need(usize),
    /// The frame has exactly this many bytes.
    Exactly(usize),
    /// The bytes do not say it, or say what cannot be: only silence ends the frame.
    Unknown,
}

/// Unit and CRC around a PDU of `pdu_len` bytes.
pub(crate) const fn framed(pdu_len: usize) -> usize {
    pdu_len.saturating_add(3)
}

/// The length of the request that begins with `prefix`.
pub fn request_length(prefix: &[u8]) -> Length {
    let [_, pdu @ ..] = prefix else { return Length::Need(2) };
    let Some(&function) = pdu.first() else { return Length::Need(2) };
    match request_shape(function) {
        Shape::Fixed(len) => Length::Exactly(framed(len)),
        Shape::Counted(at) => match pdu.get(at) {
            None => Length::Need(at.saturating_add(2)),
            Some(&count) => {
                possible(framed(at.saturating_add(1).saturating_add(usize::from(count))))
            }
        },
        Shape::Open => Length::Unknown,
    }
}

/// The length of the answer that begins with `prefix`, as `request_pdu` asks for it.
///
/// [`Length::Unknown`] also when another function begins: no answer to this request.
pub fn answer_length(request_pdu: &[u8], prefix: &[u8]) -> Length {
    Expected::of(request_pdu).length(prefix)
}

impl Expected {
    /// The length of the answer that begins with `prefix`.
    pub(crate) fn length(&self, prefix: &[u8]) -> Length {
        let [_, function, ..] = *prefix else { return Length::Need(2) };
        if function == self.function | EXCEPTION {
            Length::Exactly(framed(2))
        } else if function == self.function {
            self.len.map_or(Length::Unknown, |len| possible(framed(len)))
        } else {
            Length::Unknown
        }
    }
}

const fn possible(len: usize) -> Length {
    if len <= MAX_FRAME { Length::Exactly(len) } else { Length::Unknown }
}
