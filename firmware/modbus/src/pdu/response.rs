//! Answers, accepted only when they fit the request.

use core::fmt;

use super::device_id::{self, DeviceId};
use super::function::{EXCEPTION, PduLength, counted};
use super::{Bits, Exception, MAX_PDU, Request, Words};

/// An answer that fits its request in function, length and every echoed field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// The registers that FC 03, FC 04 or FC 23 read, as many as were asked for.
    Words(Words<'a>),
    /// The coils or inputs that FC 01 or FC 02 read, as many as were asked for.
    Bits(Bits<'a>),
    /// FC 05, FC 06, FC 15, FC 16 or FC 22 was executed.
    Written,
    /// FC 08 returned the data that were sent (sub-function 0), or cleared its counters (0x0A).
    Echoed,
    /// The counter that FC 08 read.
    Count(u16),
    /// What FC 17 reported: server id, run indicator and whatever the device adds.
    ServerId(&'a [u8]),
    /// How the device identified itself by FC 43/14.
    DeviceId(DeviceId<'a>),
    /// The server refused.
    Exception(Exception),
}

/// Why an answer does not belong to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The answer has no bytes.
    Empty,
    /// The request is malformed, so only an exception could answer it.
    Request(Exception),
    /// Another function.
    Function {
        /// Function code of the request.
        expected: u8,
        /// Function code of the answer.
        got: u8,
    },
    /// Another length than the request or the answer's own bytes ask for.
    Length {
        /// Bytes of the PDU that are asked for.
        expected: usize,
        /// Bytes of the PDU that came.
        got: usize,
    },
    /// An exception code that the specification does not have.
    ExceptionCode(u8),
    /// The byte count contradicts the length.
    ByteCount {
        /// Bytes asked for.
        expected: usize,
        /// Bytes announced.
        got: u8,
    },
    /// The echoed address, quantity, value or data differ from the request.
    Echo {
        /// Offset in the PDU of the first byte that differs.
        at: usize,
    },
    /// A field holds what the specification does not have or the request did not ask for.
    Field {
        /// Its offset in the PDU.
        at: usize,
    },
}

impl<'a> Response<'a> {
    /// Accepts `answer` when it fits `request`; both are PDUs.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn parse(request: &[u8], answer: &'a [u8]) -> Result<Self, Mismatch> {
        let (Some(&asked), Some(&got)) = (request.first(), answer.first()) else {
            return Err(Mismatch::Empty);
        };
        if got == asked | EXCEPTION {
            return match *answer {
                [_, code] => Exception::from_code(code)
                    .map(Self::Exception)
                    .ok_or(Mismatch::ExceptionCode(code)),
                _ => Err(Mismatch::Length { expected: 2, got: answer.len() }),
            };
        }
        let parsed = Request::parse(request).map_err(Mismatch::Request)?;
        if got != asked {
            return Err(Mismatch::Function { expected: asked, got });
        }
        if let Some(expected) = parsed.answer_len().filter(|expected| *expected != answer.len()) {
            return Err(Mismatch::Length { expected, got: answer.len() });
        }
        match parsed {
            Request::ReadHolding { .. } | Request::ReadInput { .. } | Request::ReadWrite { .. } => {
                words(answer)
            }
            Request::ReadCoils { quantity, .. } | Request::ReadDiscrete { quantity, .. } => {
                bits(answer, usize::from(quantity))
            }
            Request::WriteCoil { .. }
            | Request::WriteSingle { .. }
            | Request::WriteCoils { .. }
            | Request::WriteMultiple { .. }
            | Request::MaskWrite { .. } => echoed(request, answer).map(|()| Self::Written),
            Request::Echo { .. } | Request::ClearCounters => {
                echoed(request, answer).map(|()| Self::Echoed)
            }
            Request::ReadCounter(_) => count(request, answer),
            Request::ServerId => server_id(answer),
            Request::DeviceId { access, object } => {
                DeviceId::parse(access, object, answer).map(Self::DeviceId)
            }
        }
    }
}

/// The data of an answer whose length is already known to be right, behind their byte count.
fn data(answer: &[u8]) -> Result<&[u8], Mismatch> {
    let [_, count, data @ ..] = answer else { return Err(Mismatch::Empty) };
    if data.len() == usize::from(*count) {
        Ok(data)
    } else {
        Err(Mismatch::ByteCount { expected: data.len(), got: *count })
    }
}

fn words(answer: &[u8]) -> Result<Response<'_>, Mismatch> {
    let data = data(answer)?;
    Words::from_bytes(data).map(Response::Words).ok_or(Mismatch::Field { at: 1 })
}

fn bits(answer: &[u8], quantity: usize) -> Result<Response<'_>, Mismatch> {
    let data = data(answer)?;
    Bits::from_bytes(data, quantity).map(Response::Bits).ok_or(Mismatch::Field { at: 1 })
}

fn count<'a>(request: &[u8], answer: &'a [u8]) -> Result<Response<'a>, Mismatch> {
    let &[function, s1, s0, high, low] = answer else { return Err(Mismatch::Empty) };
    echoed(request, &[function, s1, s0])?;
    Ok(Response::Count(u16::from_be_bytes([high, low])))
}

fn server_id(answer: &[u8]) -> Result<Response<'_>, Mismatch> {
    let &[_, count, ref data @ ..] = answer else {
        return Err(Mismatch::Length { expected: 2, got: answer.len() });
    };
    let expected = usize::from(count).saturating_add(2);
    if answer.len() == expected && expected <= MAX_PDU {
        Ok(Response::ServerId(data))
    } else {
        let expected = expected.min(MAX_PDU);
        Err(Mismatch::Length { expected, got: answer.len() })
    }
}

fn echoed(request: &[u8], answer: &[u8]) -> Result<(), Mismatch> {
    let differing = request.iter().zip(answer).position(|(sent, got)| sent != got);
    differing.map_or(Ok(()), |at| Err(Mismatch::Echo { at }))
}

/// How the answer to one request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) function: u8,
    body: Body,
}

/// How long an answer without exception is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// As the request asks for it.
    Exactly(usize),
    /// The byte behind the function counts the rest (FC 17).
    Counted,
    /// Told by walking its objects (FC 43/14).
    Objects,
    /// The request is malformed: only an exception can be told from its bytes.
    Unknown,
}

impl Expected {
    /// The answer to nothing.
    pub(crate) const NONE: Self = Self { function: 0, body: Body::Unknown };

    pub(crate) fn of(request: &[u8]) -> Self {
        let body = match Request::parse(request) {
            Err(_) => Body::Unknown,
            Ok(Request::ServerId) => Body::Counted,
            Ok(Request::DeviceId { .. }) => Body::Objects,
            Ok(request) => request.answer_len().map_or(Body::Unknown, Body::Exactly),
        };
        Self { function: request.first().copied().unwrap_or_default(), body }
    }

    /// The length of the answer PDU that begins with `pdu`, which is not empty.
    pub(crate) fn pdu_length(&self, pdu: &[u8]) -> PduLength {
        match pdu.first() {
            None => PduLength::Need(1),
            Some(function) if *function == self.function | EXCEPTION => PduLength::Exactly(2),
            Some(function) if *function == self.function => match self.body {
                Body::Exactly(len) => PduLength::Exactly(len),
                Body::Counted => counted(pdu, 1),
                Body::Objects => device_id::length(pdu),
                Body::Unknown => PduLength::Open,
            },
            Some(_) => PduLength::Open,
        }
    }

    /// The longest answer PDU that fits.
    pub(crate) const fn longest(&self) -> usize {
        match self.body {
            Body::Exactly(len) => len,
            Body::Counted | Body::Objects | Body::Unknown => MAX_PDU,
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("match the answer to the request: ")?;
        match self {
            Self::Empty => f.write_str("no bytes"),
            Self::Request(exception) => {
                write!(f, "malformed request, exception {:02X}", exception.code())
            }
            Self::Function { expected, got } => {
                write!(f, "function {got:#04x} instead of {expected:#04x}")
            }
            Self::Length { expected, got } => write!(f, "{got} bytes instead of {expected}"),
            Self::ExceptionCode(code) => write!(f, "unknown exception code {code:#04x}"),
            Self::ByteCount { expected, got } => {
                write!(f, "byte count {got} instead of {expected}")
            }
            Self::Echo { at } => write!(f, "echoed byte {at} differs"),
            Self::Field { at } => write!(f, "byte {at} holds what was not asked for"),
        }
    }
}

impl core::error::Error for Mismatch {}
