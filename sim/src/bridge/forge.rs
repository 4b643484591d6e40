//! Frames that nobody of this line has sent.

use crate::rng::Rng;
use modbus::pdu::{Request, read_holding, read_write};
use modbus::rtu;
use registers::exchange::{Operation, WriteBlock};
use registers::map::WRITE;

/// The frame of a PDU, with its CRC.
pub(super) fn framed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut frame).unwrap_or_default();
    frame[..len].to_vec()
}

/// Alters `content` as disturbances do: one to three bits, or a burst of up to sixteen.
pub(super) fn altered(content: &mut [u8], rng: &mut Rng) {
    let bits = content.len() * 8;
    let mut flip = |bit: usize| {
        if let Some(byte) = content.get_mut(bit / 8) {
            *byte ^= 0x80 >> (bit % 8);
        }
    };
    let first = rng.index(bits);
    flip(first);
    if rng.chance(500_000) {
        for _ in 0..rng.below(3) {
            // The same bit twice would alter nothing.
            flip((first + 1 + rng.index(bits - 1)) % bits);
        }
        return;
    }
    for next in 1..16 {
        if rng.chance(400_000) && first + next < bits {
            flip(first + next);
        }
    }
}

/// The frame with altered content (unit and PDU) under a right CRC.
pub(super) fn with_right_crc(frame: &[u8], rng: &mut Rng) -> Vec<u8> {
    let Some((unit, mut pdu)) = rtu::check(frame).ok().map(|(unit, pdu)| (unit, pdu.to_vec()))
    else {
        return frame.to_vec();
    };
    pdu.insert(0, unit);
    altered(&mut pdu, rng);
    framed(pdu[0], &pdu[1..])
}

/// What another node of the same address answers: the same form, its own data.
pub(super) fn other_data(frame: &[u8], rng: &mut Rng) -> Vec<u8> {
    match rtu::check(frame) {
        Ok((unit, [function, count, data @ ..])) => {
            let mut pdu = vec![*function, *count];
            pdu.extend(data.iter().map(|_| rng.half_word().to_be_bytes()[1]));
            framed(unit, &pdu)
        }
        Ok(_) | Err(_) => frame.to_vec(),
    }
}

/// A read of some unit that is not among `units`, and its answer.
pub(super) fn elsewhere(units: &[u8], rng: &mut Rng) -> [Vec<u8>; 2] {
    let start = 1 + rng.index(247);
    let others = (start..start + 247).map(|n| u8::try_from((n - 1) % 247 + 1).unwrap_or(1));
    let unit = others.into_iter().find(|unit| !units.contains(unit)).unwrap_or(247);
    let quantity = 1 + u16::try_from(rng.below(40)).unwrap_or_default();
    let mut pdu = [0; 253];
    let len = read_holding(rng.half_word() / 2, quantity, &mut pdu).unwrap_or_default();
    let request = framed(unit, &pdu[..len]);
    let count = u8::try_from(quantity * 2).unwrap_or_default();
    let mut answer = vec![0x03, count];
    answer.extend((0..count).map(|_| rng.half_word().to_be_bytes()[0]));
    [request, framed(unit, &answer)]
}

/// What a second master asks of the unit that this PDU was for: the same exchange under another
/// owner word, acknowledging events and giving the next command; `None` when the PDU is no sealed
/// exchange of a known boot.
pub(super) fn usurped(unit: u8, pdu: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let Ok(Request::ReadWrite { read_address, read_quantity, write_address: WRITE, words }) =
        Request::parse(pdu)
    else {
        return None;
    };
    let words: Vec<u16> = words.iter().collect();
    let block = WriteBlock::parse(unit, &words).ok().filter(|block| block.boot_id != 0)?;
    let operation = match rng.below(4) {
        0 => Operation::Noop,
        1 => Operation::CancelAll,
        2 => Operation::Latch { number: rng.half_word().max(1) },
        _ => Operation::SetOutput { output: u8::try_from(rng.below(4)).unwrap_or(0), value: 1 },
    };
    let forged = WriteBlock {
        token: rng.half_word(),
        owner: block.owner.wrapping_add(1 + rng.half_word() % 1_000).max(1),
        ack: block.ack.plus(rng.half_word() % 4),
        command: block.command.plus(rng.half_word() % 2),
        operation,
        ..block
    };
    if forged.owner == block.owner {
        return None;
    }
    let mut out = [0; 253];
    let len =
        read_write(read_address, read_quantity, WRITE, &forged.encode(unit), &mut out).ok()?;
    Some(out[..len].to_vec())
}
