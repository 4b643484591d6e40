//! Requests: parsed on a node, encoded on a master.

use super::function::{DIAGNOSTICS, READ_HOLDING, READ_WRITE, WRITE_MULTIPLE, WRITE_SINGLE};
use super::{Exception, MAX_PDU, Words};
use crate::buffer::{Full, Writer};

/// Most registers that one FC 03 or FC 23 reads.
const READ_MAX: u16 = 125;
/// Most registers that one FC 16 writes.
const WRITE_MAX: u16 = 123;
/// Most registers that one FC 23 writes.
const READ_WRITE_MAX: u16 = 121;

/// A well-formed request: quantities in their limits, ranges inside the 65,536 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// FC 03.
    ReadHolding {
        /// First register.
        address: u16,
        /// Registers to read, 1..=125.
        quantity: u16,
    },
    /// FC 06.
    WriteSingle {
        /// The register.
        address: u16,
        /// Its new value.
        value: u16,
    },
    /// FC 16 (0x10).
    WriteMultiple {
        /// First register.
        address: u16,
        /// New values, 1..=123.
        words: Words<'a>,
    },
    /// FC 23 (0x17); the write happens before the read.
    ReadWrite {
        /// First register to read.
        read_address: u16,
        /// Registers to read, 1..=125.
        read_quantity: u16,
        /// First register to write.
        write_address: u16,
        /// New values, 1..=121.
        words: Words<'a>,
    },
    /// FC 08 sub-function 0.
    Echo {
        /// Data to be returned: at least one word, whole words.
        data: &'a [u8],
    },
}

impl<'a> Request<'a> {
    /// Parses a request as the specification orders it: function, then quantities and lengths,
    /// then addresses.
    ///
    /// # Errors
    /// The exception that a server answers.
    pub fn parse(pdu: &'a [u8]) -> Result<Self, Exception> {
        let Some((&function, body)) = pdu.split_first() else {
            return Err(Exception::IllegalFunction);
        };
        match function {
            READ_HOLDING => {
                let &[a1, a0, q1, q0] = body else { return Err(Exception::IllegalValue) };
                let address = word(a1, a0);
                let quantity = quantity(word(q1, q0), READ_MAX)?;
                range(address, quantity)?;
                Ok(Self::ReadHolding { address, quantity })
            }
            WRITE_SINGLE => {
                let &[a1, a0, v1, v0] = body else { return Err(Exception::IllegalValue) };
                Ok(Self::WriteSingle { address: word(a1, a0), value: word(v1, v0) })
            }
            WRITE_MULTIPLE => {
                let [a1, a0, q1, q0, count, data @ ..] = body else {
                    return Err(Exception::IllegalValue);
                };
                let address = word(*a1, *a0);
                let quantity = quantity(word(*q1, *q0), WRITE_MAX)?;
                let words = counted(data, *count, quantity)?;
                range(address, quantity)?;
                Ok(Self::WriteMultiple { address, words })
            }
            READ_WRITE => Self::parse_read_write(body),
            DIAGNOSTICS => match body {
                [0, 0, data @ ..] => {
                    let whole = !data.is_empty() && Words::from_bytes(data).is_some();
                    let fits = pdu.len() <= MAX_PDU;
                    if whole && fits {
                        Ok(Self::Echo { data })
                    } else {
                        Err(Exception::IllegalValue)
                    }
                }
                [_, _, ..] => Err(Exception::IllegalFunction),
                _ => Err(Exception::IllegalValue),
            },
            _ => Err(Exception::IllegalFunction),
        }
    }

    fn parse_read_write(body: &'a [u8]) -> Result<Self, Exception> {
        let [r1, r0, n1, n0, w1, w0, q1, q0, count, data @ ..] = body else {
            return Err(Exception::IllegalValue);
        };
        let (read_address, write_address) = (word(*r1, *r0), word(*w1, *w0));
        let read_quantity = quantity(word(*n1, *n0), READ_MAX)?;
        let write_quantity = quantity(word(*q1, *q0), READ_WRITE_MAX)?;
        let words = counted(data, *count, write_quantity)?;
        range(read_address, read_quantity)?;
        range(write_address, write_quantity)?;
        Ok(Self::ReadWrite { read_address, read_quantity, write_address, words })
    }

    /// Whether the request only writes, so that it may be broadcast.
    pub const fn only_writes(&self) -> bool {
        match self {
            Self::WriteSingle { .. } | Self::WriteMultiple { .. } => true,
            Self::ReadHolding { .. } | Self::ReadWrite { .. } | Self::Echo { .. } => false,
        }
    }

    /// The length of the PDU that answers this request when it succeeds.
    pub fn answer_len(&self) -> usize {
        match self {
            Self::ReadHolding { quantity, .. }
            | Self::ReadWrite { read_quantity: quantity, .. } => {
                usize::from(*quantity).saturating_mul(2).saturating_add(2)
            }
            Self::WriteSingle { .. } | Self::WriteMultiple { .. } => 5,
            Self::Echo { data } => data.len().saturating_add(3),
        }
    }
}

/// Encodes FC 03 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `quantity` is not 1..=125.
pub fn read_holding(address: u16, quantity: u16, out: &mut [u8]) -> Result<usize, Full> {
    within(quantity, READ_MAX)?;
    Writer::new(out).byte(READ_HOLDING).word(address).word(quantity).finish()
}

/// Encodes FC 06 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn write_single(address: u16, value: u16, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(WRITE_SINGLE).word(address).word(value).finish()
}

/// Encodes FC 16 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or there are not 1..=123 words.
pub fn write_multiple(address: u16, words: &[u16], out: &mut [u8]) -> Result<usize, Full> {
    let (quantity, count) = counts(words, WRITE_MAX)?;
    let head = Writer::new(out).byte(WRITE_MULTIPLE).word(address).word(quantity).byte(count);
    words.iter().copied().fold(head, Writer::word).finish()
}

/// Encodes FC 23 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small, `read_quantity` is not 1..=125 or there are not 1..=121 words.
pub fn read_write(
    read_address: u16,
    read_quantity: u16,
    write_address: u16,
    words: &[u16],
    out: &mut [u8],
) -> Result<usize, Full> {
    within(read_quantity, READ_MAX)?;
    let (quantity, count) = counts(words, READ_WRITE_MAX)?;
    let head = Writer::new(out).byte(READ_WRITE).word(read_address).word(read_quantity);
    let head = head.word(write_address).word(quantity).byte(count);
    words.iter().copied().fold(head, Writer::word).finish()
}

/// Encodes FC 08 sub-function 0 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `data` is not 1..=125 whole words.
pub fn echo(data: &[u8], out: &mut [u8]) -> Result<usize, Full> {
    let words = Words::from_bytes(data).ok_or(Full)?;
    within(u16::try_from(words.len()).map_err(|_| Full)?, READ_MAX)?;
    Writer::new(out).byte(DIAGNOSTICS).word(0).bytes(data).finish()
}

/// The quantity and the byte count of `words`.
fn counts(words: &[u16], max: u16) -> Result<(u16, u8), Full> {
    let quantity = u16::try_from(words.len()).map_err(|_| Full)?;
    within(quantity, max)?;
    let count = u8::try_from(quantity.saturating_mul(2)).map_err(|_| Full)?;
    Ok((quantity, count))
}

fn within(quantity: u16, max: u16) -> Result<(), Full> {
    if (1..=max).contains(&quantity) { Ok(()) } else { Err(Full) }
}

const fn word(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

fn quantity(quantity: u16, max: u16) -> Result<u16, Exception> {
    within(quantity, max).map_or(Err(Exception::IllegalValue), |()| Ok(quantity))
}

/// The words of `data`, when `count` and `quantity` both say exactly its length.
fn counted(data: &[u8], count: u8, quantity: u16) -> Result<Words<'_>, Exception> {
    let words = Words::from_bytes(data).ok_or(Exception::IllegalValue)?;
    if data.len() == usize::from(count) && words.len() == usize::from(quantity) {
        Ok(words)
    } else {
        Err(Exception::IllegalValue)
    }
}

/// Whether `quantity` registers from `address` on end inside the 65,536 addresses.
fn range(address: u16, quantity: u16) -> Result<(), Exception> {
    let last = quantity.saturating_sub(1);
    address.checked_add(last).map_or(Err(Exception::IllegalAddress), |_| Ok(()))
}
