//! Requests as a node parses them.

use super::function::{
    DEVICE_ID, DIAGNOSTICS, ENCAPSULATED, MASK_WRITE, READ_COILS, READ_DISCRETE, READ_HOLDING,
    READ_INPUT, READ_WRITE, SERVER_ID, WRITE_COIL, WRITE_COILS, WRITE_MULTIPLE, WRITE_SINGLE,
};
use super::{Access, Bits, Counter, Exception, MAX_PDU, Words};
use crate::buffer::Full;

/// Most bits that one FC 01 or FC 02 reads.
pub(super) const READ_BITS_MAX: u16 = 2_000;
/// Most bits that one FC 15 writes.
pub(super) const WRITE_BITS_MAX: u16 = 1_968;
/// Most registers that one FC 03, FC 04 or FC 23 reads.
pub(super) const READ_MAX: u16 = 125;
/// Most registers that one FC 16 writes.
pub(super) const WRITE_MAX: u16 = 123;
/// Most registers that one FC 23 writes.
pub(super) const READ_WRITE_MAX: u16 = 121;
/// FC 05 switches on with this value and off with 0.
pub(super) const COIL_ON: u16 = 0xFF00;
/// Sub-function of FC 08 that clears every counter.
pub(super) const CLEAR_COUNTERS: u16 = 0x0A;

/// A well-formed request: quantities in their limits, ranges inside the 65,536 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// FC 01.
    ReadCoils {
        /// First coil.
        address: u16,
        /// Coils to read, 1..=2000.
        quantity: u16,
    },
    /// FC 02.
    ReadDiscrete {
        /// First input.
        address: u16,
        /// Inputs to read, 1..=2000.
        quantity: u16,
    },
    /// FC 03.
    ReadHolding {
        /// First register.
        address: u16,
        /// Registers to read, 1..=125.
        quantity: u16,
    },
    /// FC 04.
    ReadInput {
        /// First register.
        address: u16,
        /// Registers to read, 1..=125.
        quantity: u16,
    },
    /// FC 05.
    WriteCoil {
        /// The coil.
        address: u16,
        /// Its new value.
        on: bool,
    },
    /// FC 06.
    WriteSingle {
        /// The register.
        address: u16,
        /// Its new value.
        value: u16,
    },
    /// FC 08 sub-function 0.
    Echo {
        /// Data to be returned: at least one word, whole words.
        data: &'a [u8],
    },
    /// FC 08 sub-function 0x0A.
    ClearCounters,
    /// FC 08 sub-functions 0x0B to 0x0F and 0x12.
    ReadCounter(Counter),
    /// FC 15 (0x0F).
    WriteCoils {
        /// First coil.
        address: u16,
        /// New values, 1..=1968.
        bits: Bits<'a>,
    },
    /// FC 16 (0x10).
    WriteMultiple {
        /// First register.
        address: u16,
        /// New values, 1..=123.
        words: Words<'a>,
    },
    /// FC 17 (0x11).
    ServerId,
    /// FC 22 (0x16): the register becomes (its value and `and`) or (`or` and not `and`).
    MaskWrite {
        /// The register.
        address: u16,
        /// Bits that stay.
        and: u16,
        /// Bits that are set, where they do not stay.
        or: u16,
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
    /// FC 43/14 (0x2B/0x0E).
    DeviceId {
        /// Which objects.
        access: Access,
        /// The object, or the one to begin with.
        object: u8,
    },
}

impl<'a> Request<'a> {
    /// Parses a request as the specification orders it: function (and sub-function), then
    /// quantities, values and lengths, then addresses.
    ///
    /// # Errors
    /// The exception that a server answers.
    pub fn parse(pdu: &'a [u8]) -> Result<Self, Exception> {
        let (&function, body) = pdu.split_first().ok_or(Exception::IllegalFunction)?;
        match function {
            READ_COILS => {
                let (address, quantity) = span(body, READ_BITS_MAX)?;
                Ok(Self::ReadCoils { address, quantity })
            }
            READ_DISCRETE => {
                let (address, quantity) = span(body, READ_BITS_MAX)?;
                Ok(Self::ReadDiscrete { address, quantity })
            }
            READ_HOLDING => {
                let (address, quantity) = span(body, READ_MAX)?;
                Ok(Self::ReadHolding { address, quantity })
            }
            READ_INPUT => {
                let (address, quantity) = span(body, READ_MAX)?;
                Ok(Self::ReadInput { address, quantity })
            }
            WRITE_COIL => {
                let (address, value) = two(body)?;
                match value {
                    COIL_ON => Ok(Self::WriteCoil { address, on: true }),
                    0 => Ok(Self::WriteCoil { address, on: false }),
                    _ => Err(Exception::IllegalValue),
                }
            }
            WRITE_SINGLE => {
                let (address, value) = two(body)?;
                Ok(Self::WriteSingle { address, value })
            }
            DIAGNOSTICS => Self::parse_diagnostics(pdu, body),
            WRITE_COILS => Self::parse_write_coils(body),
            WRITE_MULTIPLE => Self::parse_write_multiple(body),
            SERVER_ID if body.is_empty() => Ok(Self::ServerId),
            SERVER_ID => Err(Exception::IllegalValue),
            MASK_WRITE => {
                let &[a1, a0, m1, m0, o1, o0] = body else { return Err(Exception::IllegalValue) };
                let (and, or) = (word(m1, m0), word(o1, o0));
                Ok(Self::MaskWrite { address: word(a1, a0), and, or })
            }
            READ_WRITE => Self::parse_read_write(body),
            ENCAPSULATED => match *body {
                [DEVICE_ID, code, object] => {
                    let access = Access::from_code(code).ok_or(Exception::IllegalValue)?;
                    Ok(Self::DeviceId { access, object })
                }
                [] | [DEVICE_ID, ..] => Err(Exception::IllegalValue),
                _ => Err(Exception::IllegalFunction),
            },
            _ => Err(Exception::IllegalFunction),
        }
    }

    fn parse_diagnostics(pdu: &[u8], body: &'a [u8]) -> Result<Self, Exception> {
        let [s1, s0, data @ ..] = body else { return Err(Exception::IllegalValue) };
        let sub_function = word(*s1, *s0);
        if sub_function == 0 {
            let whole = !data.is_empty() && Words::from_bytes(data).is_some();
            let fits = pdu.len() <= MAX_PDU;
            return if whole && fits {
                Ok(Self::Echo { data })
            } else {
                Err(Exception::IllegalValue)
            };
        }
        let request = match Counter::from_sub_function(sub_function) {
            Some(counter) => Self::ReadCounter(counter),
            None if sub_function == CLEAR_COUNTERS => Self::ClearCounters,
            None => return Err(Exception::IllegalFunction),
        };
        if data == [0, 0] { Ok(request) } else { Err(Exception::IllegalValue) }
    }

    fn parse_write_coils(body: &'a [u8]) -> Result<Self, Exception> {
        let [a1, a0, q1, q0, count, data @ ..] = body else {
            return Err(Exception::IllegalValue);
        };
        let address = word(*a1, *a0);
        let quantity = quantity(word(*q1, *q0), WRITE_BITS_MAX)?;
        let bits = Bits::from_bytes(data, usize::from(quantity));
        let bits = bits.filter(|_| data.len() == usize::from(*count));
        let bits = bits.ok_or(Exception::IllegalValue)?;
        range(address, quantity)?;
        Ok(Self::WriteCoils { address, bits })
    }

    fn parse_write_multiple(body: &'a [u8]) -> Result<Self, Exception> {
        let [a1, a0, q1, q0, count, data @ ..] = body else {
            return Err(Exception::IllegalValue);
        };
        let address = word(*a1, *a0);
        let quantity = quantity(word(*q1, *q0), WRITE_MAX)?;
        let words = counted(data, *count, quantity)?;
        range(address, quantity)?;
        Ok(Self::WriteMultiple { address, words })
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
            Self::WriteCoil { .. }
            | Self::WriteSingle { .. }
            | Self::WriteCoils { .. }
            | Self::WriteMultiple { .. }
            | Self::MaskWrite { .. } => true,
            Self::ReadCoils { .. }
            | Self::ReadDiscrete { .. }
            | Self::ReadHolding { .. }
            | Self::ReadInput { .. }
            | Self::Echo { .. }
            | Self::ClearCounters
            | Self::ReadCounter(_)
            | Self::ServerId
            | Self::ReadWrite { .. }
            | Self::DeviceId { .. } => false,
        }
    }

    /// The length of the PDU that answers this request when it succeeds; `None` where only the
    /// answer's own bytes tell it (FC 17, FC 43/14).
    pub fn answer_len(&self) -> Option<usize> {
        Some(match self {
            Self::ReadCoils { quantity, .. } | Self::ReadDiscrete { quantity, .. } => {
                usize::from(*quantity).div_ceil(8).saturating_add(2)
            }
            Self::ReadHolding { quantity, .. }
            | Self::ReadInput { quantity, .. }
            | Self::ReadWrite { read_quantity: quantity, .. } => {
                usize::from(*quantity).saturating_mul(2).saturating_add(2)
            }
            Self::WriteCoil { .. }
            | Self::WriteSingle { .. }
            | Self::ClearCounters
            | Self::ReadCounter(_)
            | Self::WriteCoils { .. }
            | Self::WriteMultiple { .. } => 5,
            Self::MaskWrite { .. } => 7,
            Self::Echo { data } => data.len().saturating_add(3),
            Self::ServerId | Self::DeviceId { .. } => return None,
        })
    }
}

pub(super) fn within(quantity: u16, max: u16) -> Result<(), Full> {
    if (1..=max).contains(&quantity) { Ok(()) } else { Err(Full) }
}

const fn word(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

/// The two words that are all of `body`.
fn two(body: &[u8]) -> Result<(u16, u16), Exception> {
    let &[a1, a0, b1, b0] = body else { return Err(Exception::IllegalValue) };
    Ok((word(a1, a0), word(b1, b0)))
}

/// The address and the quantity that are all of `body`.
fn span(body: &[u8], max: u16) -> Result<(u16, u16), Exception> {
    let (address, words) = two(body)?;
    let quantity = quantity(words, max)?;
    range(address, quantity)?;
    Ok((address, quantity))
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

/// Whether `quantity` registers or bits from `address` on end inside the 65,536 addresses.
fn range(address: u16, quantity: u16) -> Result<(), Exception> {
    let last = quantity.saturating_sub(1);
    address.checked_add(last).map_or(Err(Exception::IllegalAddress), |_| Ok(()))
}
