//! Whole frames: encoded and checked.

use core::fmt;

use super::{MAX_FRAME, MIN_FRAME};
use crate::buffer::{Full, Writer};
use crate::crc::crc16;
use crate::pdu::MAX_PDU;

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Fewer than 4 or more than 256 bytes.
    Length {
        /// Bytes that came.
        got: usize,
    },
    /// The CRC does not fit the bytes.
    Crc {
        /// CRC of the bytes that came.
        computed: u16,
        /// CRC that came.
        received: u16,
    },
}

/// Encodes a frame into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `pdu` has not 1..=253 bytes.
pub fn encode(unit: u8, pdu: &[u8], out: &mut [u8]) -> Result<usize, Full> {
    if !(1..=MAX_PDU).contains(&pdu.len()) {
        return Err(Full);
    }
    let len = Writer::new(out).byte(unit).bytes(pdu).finish()?;
    seal(out, len)
}

/// Appends the CRC of the first `len` bytes of `out` and returns the length with it.
pub(crate) fn seal(out: &mut [u8], len: usize) -> Result<usize, Full> {
    let (body, rest) = out.split_at_mut_checked(len).ok_or(Full)?;
    let crc = crc16(body).to_le_bytes();
    let tail = Writer::new(rest).bytes(&crc).finish()?;
    Ok(len.saturating_add(tail))
}

/// Splits a whole frame into unit and PDU.
///
/// # Errors
/// The length or the CRC that is wrong.
pub fn check(frame: &[u8]) -> Result<(u8, &[u8]), FrameError> {
    let got = frame.len();
    if !(MIN_FRAME..=MAX_FRAME).contains(&got) {
        return Err(FrameError::Length { got });
    }
    let Some((body, &crc)) = frame.split_last_chunk() else {
        return Err(FrameError::Length { got });
    };
    let (computed, received) = (crc16(body), u16::from_le_bytes(crc));
    match body.split_first() {
        Some((&unit, pdu)) if computed == received => Ok((unit, pdu)),
        _ => Err(FrameError::Crc { computed, received }),
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { got } => write!(f, "frame {got} bytes: 4 to 256 are possible"),
            Self::Crc { computed, received } => {
                write!(f, "check the CRC: {received:#06x} came, {computed:#06x} computed")
            }
        }
    }
}

impl core::error::Error for FrameError {}
