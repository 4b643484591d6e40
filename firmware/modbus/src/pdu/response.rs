//! Answers, accepted only when they fit the request.

use core::fmt;

use super::function::EXCEPTION;
use super::{Exception, Request, Words};

/// An answer that fits its request in function, length and every echoed field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// The registers that FC 03 or FC 23 read, as many as were asked for.
    Words(Words<'a>),
    /// FC 06 or FC 16 was executed.
    Written,
    /// FC 08 returned the data that were sent.
    Echoed,
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
    /// Another length than the request asks for.
    Length {
        /// Bytes of the PDU that the request asks for.
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
        let expected = parsed.answer_len();
        if answer.len() != expected {
            return Err(Mismatch::Length { expected, got: answer.len() });
        }
        match parsed {
            Request::ReadHolding { .. } | Request::ReadWrite { .. } => read(answer),
            Request::WriteSingle { .. } | Request::WriteMultiple { .. } => {
                echoed(request, answer).map(|()| Self::Written)
            }
            Request::Echo { .. } => echoed(request, answer).map(|()| Self::Echoed),
        }
    }
}

/// Takes the words of an answer whose length is already known to be right.
fn read(answer: &[u8]) -> Result<Response<'_>, Mismatch> {
    let [_, count, data @ ..] = answer else { return Err(Mismatch::Empty) };
    let words = Words::from_bytes(data).filter(|_| data.len() == usize::from(*count));
    words.map(Response::Words).ok_or(Mismatch::ByteCount { expected: data.len(), got: *count })
}

fn echoed(request: &[u8], answer: &[u8]) -> Result<(), Mismatch> {
    let differing = request.iter().zip(answer).position(|(sent, got)| sent != got);
    differing.map_or(Ok(()), |at| Err(Mismatch::Echo { at }))
}

/// How the answer to one request is framed: its function and the length of its PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) function: u8,
    /// `None` when the request is malformed: only an exception can be told from its bytes.
    pub(crate) len: Option<usize>,
}

impl Expected {
    pub(crate) fn of(request: &[u8]) -> Self {
        let len = Request::parse(request).ok().map(|request| request.answer_len());
        Self { function: request.first().copied().unwrap_or_default(), len }
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
        }
    }
}

impl core::error::Error for Mismatch {}
