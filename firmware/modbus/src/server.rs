//! The server core: requests in, a node's registers behind, answers out.

use crate::buffer::{Writer, copy};
use crate::pdu::function::{EXCEPTION, READ_HOLDING, READ_WRITE};
use crate::pdu::{Exception, Request, Words};
use crate::{mbap, rtu};

/// A node's registers as the server sees them; addresses and quantities are already in range of
/// the protocol, not of the map.
pub trait Bank {
    /// Puts exactly `quantity` words from `address` on into `out`.
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception>;

    /// Takes new values for the registers from `address` on; whole or not at all.
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn write(&mut self, address: u16, words: Words<'_>) -> Result<(), Exception>;
}

/// Takes the words of one read, no more than were asked for.
#[derive(Debug)]
pub struct WordSink<'a> {
    room: core::slice::IterMut<'a, [u8; 2]>,
    excess: bool,
}

impl<'a> WordSink<'a> {
    /// Builds a sink over `out`, two bytes a word.
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { room: out.as_chunks_mut().0.iter_mut(), excess: false }
    }

    /// Appends `word`; one too many fails the whole read with exception 04.
    pub fn push(&mut self, word: u16) {
        match self.room.next() {
            Some(slot) => *slot = word.to_be_bytes(),
            None => self.excess = true,
        }
    }

    /// Words that are still asked for.
    pub fn left(&self) -> usize {
        self.room.len()
    }

    /// Whether exactly the words asked for were pushed.
    fn is_exact(&self) -> bool {
        self.left() == 0 && !self.excess
    }
}

impl Extend<u16> for WordSink<'_> {
    fn extend<T: IntoIterator<Item = u16>>(&mut self, words: T) {
        words.into_iter().for_each(|word| self.push(word));
    }
}

/// Serves one request PDU; returns the length of the answer PDU in `out`, exceptions included.
///
/// `out` should hold 253 bytes; an answer that it cannot hold becomes exception 04 before
/// anything is executed. 0 = no answer: the request is empty or is itself an exception.
pub fn serve(request: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> usize {
    let function = match request.first() {
        Some(&function) if function & EXCEPTION == 0 => function,
        _ => return 0,
    };
    answer(request, bank, out).unwrap_or_else(|exception| {
        let refusal = Writer::new(out).byte(function | EXCEPTION).byte(exception.code());
        refusal.finish().unwrap_or(0)
    })
}

fn answer(pdu: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> Result<usize, Exception> {
    let request = Request::parse(pdu)?;
    let out = out.get_mut(..request.answer_len()).ok_or(Exception::DeviceFailure)?;
    match request {
        Request::ReadHolding { address, quantity } => {
            read(READ_HOLDING, address, quantity, bank, out)?;
        }
        Request::WriteSingle { address, value } => {
            let word = value.to_be_bytes();
            bank.write(address, Words::from_bytes(&word).ok_or(Exception::DeviceFailure)?)?;
            copy(pdu, out);
        }
        Request::WriteMultiple { address, words } => {
            bank.write(address, words)?;
            copy(pdu, out);
        }
        Request::ReadWrite { read_address, read_quantity, write_address, words } => {
            bank.write(write_address, words)?;
            read(READ_WRITE, read_address, read_quantity, bank, out)?;
        }
        Request::Echo { .. } => {
            copy(pdu, out);
        }
    }
    Ok(out.len())
}

fn read(
    function: u8,
    address: u16,
    quantity: u16,
    bank: &mut impl Bank,
    out: &mut [u8],
) -> Result<(), Exception> {
    let [head, count, data @ ..] = out else { return Err(Exception::DeviceFailure) };
    *head = function;
    *count = u8::try_from(data.len()).map_err(|_| Exception::DeviceFailure)?;
    let mut sink = WordSink::new(data);
    bank.read(address, quantity, &mut sink)?;
    if sink.is_exact() { Ok(()) } else { Err(Exception::DeviceFailure) }
}

/// Serves one RTU frame on node `my_unit`; returns the length of the answer frame in `out`.
///
/// `None` = silence: the CRC is wrong, another unit is meant, or the frame is a broadcast. A
/// broadcast is executed when it only writes (FC 06, FC 16), and never answered. `out` should hold
/// 256 bytes.
pub fn serve_rtu(my_unit: u8, frame: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> Option<usize> {
    let (unit, request) = rtu::check(frame).ok()?;
    if unit == rtu::BROADCAST {
        if Request::parse(request).is_ok_and(|request| request.only_writes()) {
            serve(request, bank, out);
        }
        return None;
    }
    if unit != my_unit {
        return None;
    }
    let (head, room) = out.split_first_mut()?;
    *head = unit;
    let room = room.get_mut(..room.len().checked_sub(2)?)?;
    match serve(request, bank, room) {
        0 => None,
        len => rtu::seal(out, len.checked_add(1)?).ok(),
    }
}

/// Serves one frame of a TCP connection; returns the length of the answer frame in `out`.
///
/// The unit is returned as it came; a server that stands for one unit only checks it before. Unit
/// 0 is no broadcast: it is answered. `None` = nothing to answer. `out` should hold 260 bytes.
pub fn serve_tcp(frame: mbap::Frame<'_>, bank: &mut impl Bank, out: &mut [u8]) -> Option<usize> {
    let pdu_len = serve(frame.pdu, bank, out.get_mut(mbap::HEADER..)?);
    let header = mbap::Header { transaction: frame.transaction, unit: frame.unit, pdu_len };
    header.encode(out).ok()?.checked_add(pdu_len)
}
