//! Modbus TCP framing: the MBAP header over any split of the stream.

use core::fmt;

use crate::Buffer;
use crate::buffer::{Full, Writer};
use crate::pdu::MAX_PDU;

/// Bytes of the header, unit included.
pub const HEADER: usize = 7;
/// The longest frame, in bytes.
pub const MAX_FRAME: usize = 260;

/// One frame of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Pairs an answer with its request.
    pub transaction: u16,
    /// The unit behind the address; 0 is no broadcast here.
    pub unit: u8,
    /// The PDU, 1..=253 bytes.
    pub pdu: &'a [u8],
}

/// Why a stream cannot be followed any further: the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The protocol identifier is not 0.
    Protocol(u16),
    /// The length field is not 2..=254.
    Length(u16),
}

/// What the header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Pairs an answer with its request.
    pub transaction: u16,
    /// The unit behind the address.
    pub unit: u8,
    /// Bytes of the PDU that follows, 1..=253.
    pub pdu_len: usize,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// The field that no Modbus peer sends.
    pub fn decode(bytes: [u8; HEADER]) -> Result<Self, Broken> {
        let [t1, t0, p1, p0, l1, l0, unit] = bytes;
        match u16::from_be_bytes([p1, p0]) {
            0 => {}
            other => return Err(Broken::Protocol(other)),
        }
        let length = u16::from_be_bytes([l1, l0]);
        let pdu_len = usize::from(length).saturating_sub(1);
        if !(1..=MAX_PDU).contains(&pdu_len) {
            return Err(Broken::Length(length));
        }
        Ok(Self { transaction: u16::from_be_bytes([t1, t0]), unit, pdu_len })
    }

    /// Writes the header into `out` and returns its length.
    ///
    /// # Errors
    /// [`Full`] when `out` is too small or the length is not 1..=253.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Full> {
        let length = u16::try_from(self.pdu_len.saturating_add(1)).map_err(|_| Full)?;
        if !(1..=MAX_PDU).contains(&self.pdu_len) {
            return Err(Full);
        }
        Writer::new(out).word(self.transaction).word(0).word(length).byte(self.unit).finish()
    }
}

/// Encodes a frame into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or the PDU has not 1..=253 bytes.
pub fn encode(frame: Frame<'_>, out: &mut [u8]) -> Result<usize, Full> {
    let Frame { transaction, unit, pdu } = frame;
    let head = Header { transaction, unit, pdu_len: pdu.len() }.encode(out)?;
    let rest = out.get_mut(head..).ok_or(Full)?;
    Ok(head.saturating_add(Writer::new(rest).bytes(pdu).finish()?))
}

/// Decodes one whole frame, as a datagram or a record holds it.
///
/// # Errors
/// The field that is wrong; [`Broken::Length`] also when bytes are missing or left over.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, Broken> {
    let announced = bytes.get(4..6).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    let length = Broken::Length(u16::from_be_bytes(announced));
    let (head, pdu) = bytes.split_first_chunk().ok_or(length)?;
    let Header { transaction, unit, pdu_len } = Header::decode(*head)?;
    if pdu.len() == pdu_len { Ok(Frame { transaction, unit, pdu }) } else { Err(length) }
}

/// Cuts a byte stream into frames, however it was split on the way.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    held: Buffer<MAX_FRAME>,
    /// The frame held was handed out.
    delivered: bool,
}

impl Decoder {
    /// Builds a decoder at the beginning of a stream.
    pub const fn new() -> Self {
        Self { held: Buffer::new(), delivered: false }
    }

    /// Takes bytes from the front of `input` up to the end of a frame and returns it.
    ///
    /// Call it until it returns `None`; then `input` is used up.
    ///
    /// # Errors
    /// The first header that cannot be; the same again on every later call.
    pub fn push(&mut self, input: &mut &[u8]) -> Result<Option<Frame<'_>>, Broken> {
        if core::mem::take(&mut self.delivered) {
            self.held.clear();
        }
        self.fill(HEADER, input);
        let Some(head) = self.held.as_bytes().first_chunk() else { return Ok(None) };
        let whole = Header::decode(*head)?.pdu_len.saturating_add(HEADER);
        self.fill(whole, input);
        if self.held.as_bytes().len() < whole {
            return Ok(None);
        }
        self.delivered = true;
        decode(self.held.as_bytes()).map(Some)
    }

    /// Moves bytes from `input` until `len` are held.
    fn fill(&mut self, len: usize, input: &mut &[u8]) {
        let missing = len.saturating_sub(self.held.as_bytes().len()).min(input.len());
        if let Some((mut head, tail)) = input.split_at_checked(missing) {
            self.held.take(&mut head);
            *input = tail;
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(id) => write!(f, "follow the stream: protocol identifier {id}, not 0"),
            Self::Length(len) => write!(f, "follow the stream: length {len}, not 2 to 254"),
        }
    }
}

impl core::error::Error for Broken {}
