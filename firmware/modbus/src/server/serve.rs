//! One request after the other: parsed, executed, answered, counted.

use super::{Bank, BitSink, ByteSink, WordSink};
use crate::buffer::{Writer, copy};
use crate::pdu::function::{
    DEVICE_ID, DIAGNOSTICS, ENCAPSULATED, EXCEPTION, READ_COILS, READ_DISCRETE, READ_HOLDING,
    READ_INPUT, READ_WRITE, SERVER_ID,
};
use crate::pdu::{
    Access, Bits, Counter, DEVICE_ID_HEAD, DEVICE_ID_MORE, Exception, Request, Words,
};
use crate::{mbap, rtu};

/// Serves one request PDU; returns the length of the answer PDU in `out`, exceptions included.
///
/// `out` should hold 253 bytes; an answer that it cannot hold becomes exception 04, where its
/// length is known before anything is executed. 0 = no answer: the request is empty or is itself an
/// exception.
pub fn serve(request: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> usize {
    let function = match request.first() {
        Some(&function) if function & EXCEPTION == 0 => function,
        _ => return 0,
    };
    answer(function, request, bank, out).unwrap_or_else(|exception| {
        count(bank, Counter::Exceptions);
        let refusal = Writer::new(out).byte(function | EXCEPTION).byte(exception.code());
        refusal.finish().unwrap_or(0)
    })
}

fn answer(
    function: u8,
    pdu: &[u8],
    bank: &mut impl Bank,
    out: &mut [u8],
) -> Result<usize, Exception> {
    if !bank.serves(function) {
        return Err(Exception::IllegalFunction);
    }
    let request = Request::parse(pdu)?;
    let out = match request.answer_len() {
        Some(len) => out.get_mut(..len).ok_or(Exception::DeviceFailure)?,
        None => out,
    };
    match request {
        Request::ReadCoils { address, quantity } => {
            bits(READ_COILS, quantity, out, |sink| bank.read_coils(address, quantity, sink))?
        }
        Request::ReadDiscrete { address, quantity } => {
            bits(READ_DISCRETE, quantity, out, |sink| bank.read_discrete(address, quantity, sink))?
        }
        Request::ReadHolding { address, quantity } => {
            words(READ_HOLDING, out, |sink| bank.read(address, quantity, sink))?;
        }
        Request::ReadInput { address, quantity } => {
            words(READ_INPUT, out, |sink| bank.read_input(address, quantity, sink))?;
        }
        Request::ReadWrite { read_address, read_quantity, write_address, words: new } => {
            bank.write(write_address, new)?;
            words(READ_WRITE, out, |sink| bank.read(read_address, read_quantity, sink))?;
        }
        Request::WriteCoil { .. }
        | Request::WriteSingle { .. }
        | Request::WriteCoils { .. }
        | Request::WriteMultiple { .. }
        | Request::MaskWrite { .. } => {
            write(&request, bank)?;
            copy(pdu, out);
        }
        Request::Echo { .. } => {
            copy(pdu, out);
        }
        Request::ClearCounters => {
            bank.counters().ok_or(Exception::IllegalFunction)?.clear();
            copy(pdu, out);
        }
        Request::ReadCounter(counter) => {
            let value = bank.counters().ok_or(Exception::IllegalFunction)?.get(counter);
            let head = Writer::new(out).byte(DIAGNOSTICS).word(counter.sub_function());
            head.word(value).finish().map_err(|_| Exception::DeviceFailure)?;
        }
        Request::ServerId => return server_id(bank, out),
        Request::DeviceId { access, object } => return device_id(access, object, bank, out),
    }
    Ok(out.len())
}

/// Executes a request that only writes.
fn write(request: &Request<'_>, bank: &mut impl Bank) -> Result<(), Exception> {
    match *request {
        Request::WriteCoil { address, on } => {
            let byte = [u8::from(on)];
            bank.write_coils(address, Bits::from_bytes(&byte, 1).ok_or(Exception::DeviceFailure)?)
        }
        Request::WriteSingle { address, value } => {
            let word = value.to_be_bytes();
            bank.write(address, Words::from_bytes(&word).ok_or(Exception::DeviceFailure)?)
        }
        Request::WriteCoils { address, bits } => bank.write_coils(address, bits),
        Request::WriteMultiple { address, words } => bank.write(address, words),
        Request::MaskWrite { address, and, or } => bank.mask_write(address, and, or),
        Request::ReadCoils { .. }
        | Request::ReadDiscrete { .. }
        | Request::ReadHolding { .. }
        | Request::ReadInput { .. }
        | Request::Echo { .. }
        | Request::ClearCounters
        | Request::ReadCounter(_)
        | Request::ServerId
        | Request::ReadWrite { .. }
        | Request::DeviceId { .. } => Err(Exception::IllegalFunction),
    }
}

/// Writes function and byte count and hands out the room for the data.
fn head(function: u8, out: &mut [u8]) -> Result<&mut [u8], Exception> {
    let [head, count, data @ ..] = out else { return Err(Exception::DeviceFailure) };
    *head = function;
    *count = u8::try_from(data.len()).map_err(|_| Exception::DeviceFailure)?;
    Ok(data)
}

fn words(
    function: u8,
    out: &mut [u8],
    read: impl FnOnce(&mut WordSink<'_>) -> Result<(), Exception>,
) -> Result<(), Exception> {
    let mut sink = WordSink::new(head(function, out)?);
    read(&mut sink)?;
    if sink.is_exact() { Ok(()) } else { Err(Exception::DeviceFailure) }
}

fn bits(
    function: u8,
    quantity: u16,
    out: &mut [u8],
    read: impl FnOnce(&mut BitSink<'_>) -> Result<(), Exception>,
) -> Result<(), Exception> {
    let mut sink = BitSink::new(head(function, out)?, usize::from(quantity));
    read(&mut sink)?;
    if sink.is_exact() { Ok(()) } else { Err(Exception::DeviceFailure) }
}

fn server_id(bank: &mut impl Bank, out: &mut [u8]) -> Result<usize, Exception> {
    let [head, count, room @ ..] = out else { return Err(Exception::DeviceFailure) };
    let room = first(room, 251);
    let fits = room.len();
    let mut sink = ByteSink::new(room);
    bank.server_id(&mut sink)?;
    let given = sink.given();
    *head = SERVER_ID;
    *count = u8::try_from(given).map_err(|_| Exception::DeviceFailure)?;
    if given <= fits { Ok(given.saturating_add(2)) } else { Err(Exception::DeviceFailure) }
}

/// The first `max` bytes, or all.
fn first(room: &mut [u8], max: usize) -> &mut [u8] {
    let len = room.len().min(max);
    room.get_mut(..len).unwrap_or_default()
}

/// Whether the bank has an object.
fn has(bank: &mut impl Bank, id: u8) -> bool {
    bank.object(id, &mut ByteSink::new(&mut []))
}

/// What the device can tell, single objects included.
fn conformity(bank: &mut impl Bank) -> u8 {
    if (0x80..=0xFF).any(|id| has(bank, id)) {
        0x83
    } else if (0x03..=0x7F).any(|id| has(bank, id)) {
        0x82
    } else {
        0x81
    }
}

/// Answers with as many objects as fit; a stream that begins with an object that is not there, or
/// not in reach of its access, begins with object 0.
fn device_id(
    access: Access,
    object: u8,
    bank: &mut impl Bank,
    out: &mut [u8],
) -> Result<usize, Exception> {
    let known = object <= access.last() && has(bank, object);
    let (start, last) = match access {
        Access::Individual if known => (object, object),
        Access::Individual => return Err(Exception::IllegalAddress),
        Access::Basic | Access::Regular | Access::Extended => {
            (if known { object } else { 0 }, access.last())
        }
    };
    let level = conformity(bank);
    let out = first(out, crate::pdu::MAX_PDU);
    let (head, mut room) =
        out.split_at_mut_checked(DEVICE_ID_HEAD).ok_or(Exception::DeviceFailure)?;
    let (mut len, mut count, mut next) = (DEVICE_ID_HEAD, 0u8, None);
    for id in start..=last {
        let mut size = ByteSink::new(&mut []);
        if !bank.object(id, &mut size) {
            continue;
        }
        let size = size.given();
        let whole = size.saturating_add(2);
        let Some((slot, rest)) = core::mem::take(&mut room).split_at_mut_checked(whole) else {
            next = Some(id);
            break;
        };
        let [slot_id, slot_len, value @ ..] = slot else { return Err(Exception::DeviceFailure) };
        *slot_id = id;
        *slot_len = u8::try_from(size).map_err(|_| Exception::DeviceFailure)?;
        let mut sink = ByteSink::new(value);
        bank.object(id, &mut sink);
        if sink.given() != size {
            return Err(Exception::DeviceFailure);
        }
        (room, count, len) = (rest, count.saturating_add(1), len.saturating_add(whole));
    }
    if count == 0 && next.is_some() {
        return Err(Exception::DeviceFailure);
    }
    let (more, next) = next.map_or((0, 0), |id| (DEVICE_ID_MORE, id));
    let fields = [ENCAPSULATED, DEVICE_ID, access.code(), level, more, next, count];
    copy(&fields, head);
    Ok(len)
}

fn count(bank: &mut impl Bank, counter: Counter) {
    if let Some(counters) = bank.counters() {
        counters.add(counter, 1);
    }
}

/// Serves one RTU frame on node `my_unit`; returns the length of the answer frame in `out`.
///
/// `None` = silence: the CRC is wrong, another unit is meant, or the frame is a broadcast. A
/// broadcast is executed when it only writes (FC 05, 06, 15, 16, 22), and never answered. `out`
/// should hold 256 bytes.
pub fn serve_rtu(my_unit: u8, frame: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> Option<usize> {
    let Ok((unit, request)) = rtu::check(frame) else {
        count(bank, Counter::CommunicationErrors);
        return None;
    };
    count(bank, Counter::BusMessages);
    if unit == rtu::BROADCAST {
        count(bank, Counter::ServerMessages);
        count(bank, Counter::NoResponses);
        broadcast(request, bank);
        return None;
    }
    if unit != my_unit {
        return None;
    }
    count(bank, Counter::ServerMessages);
    let answered = sealed(unit, request, bank, out);
    if answered.is_none() {
        count(bank, Counter::NoResponses);
    }
    answered
}

/// Executes a request that only writes; nobody hears whether it was refused.
fn broadcast(request: &[u8], bank: &mut impl Bank) {
    let served = request.first().is_some_and(|function| bank.serves(*function));
    if served && let Ok(request) = Request::parse(request) {
        // A request that also reads is refused here; a broadcast has no answer for either.
        let _refused = write(&request, bank).is_err();
    }
}

fn sealed(unit: u8, request: &[u8], bank: &mut impl Bank, out: &mut [u8]) -> Option<usize> {
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
    count(bank, Counter::BusMessages);
    count(bank, Counter::ServerMessages);
    let answered = enveloped(frame, bank, out);
    if answered.is_none() {
        count(bank, Counter::NoResponses);
    }
    answered
}

fn enveloped(frame: mbap::Frame<'_>, bank: &mut impl Bank, out: &mut [u8]) -> Option<usize> {
    let pdu_len = serve(frame.pdu, bank, out.get_mut(mbap::HEADER..)?);
    let header = mbap::Header { transaction: frame.transaction, unit: frame.unit, pdu_len };
    header.encode(out).ok()?.checked_add(pdu_len)
}
