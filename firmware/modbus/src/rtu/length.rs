//! How long a frame will be, told from its first bytes.

use super::MAX_FRAME;
use crate::pdu::Expected;
use crate::pdu::function::{self, PduLength};

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
    length(prefix, function::request_length)
}

/// The length of the answer that begins with `prefix`, as `request_pdu` asks for it.
///
/// [`Length::Unknown`] also when another function begins: no answer to this request.
pub fn answer_length(request_pdu: &[u8], prefix: &[u8]) -> Length {
    Expected::of(request_pdu).length(prefix)
}

impl Expected {
    /// The length of the answer frame that begins with `prefix`.
    pub(crate) fn length(&self, prefix: &[u8]) -> Length {
        length(prefix, |pdu| self.pdu_length(pdu))
    }
}

fn length(prefix: &[u8], of: impl FnOnce(&[u8]) -> PduLength) -> Length {
    let pdu = match prefix {
        [_, pdu @ ..] if !pdu.is_empty() => pdu,
        _ => return Length::Need(2),
    };
    match of(pdu) {
        PduLength::Need(len) => Length::Need(len.saturating_add(1)),
        PduLength::Exactly(len) if framed(len) <= MAX_FRAME => Length::Exactly(framed(len)),
        PduLength::Exactly(_) | PduLength::Open => Length::Unknown,
    }
}
