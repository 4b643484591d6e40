//! Requests as a master sends them.

use super::function::{
    DEVICE_ID, DIAGNOSTICS, ENCAPSULATED, MASK_WRITE, READ_COILS, READ_DISCRETE, READ_HOLDING,
    READ_INPUT, READ_WRITE, SERVER_ID, WRITE_COIL, WRITE_COILS, WRITE_MULTIPLE, WRITE_SINGLE,
};
use super::request::{
    CLEAR_COUNTERS, COIL_ON, READ_BITS_MAX, READ_MAX, READ_WRITE_MAX, WRITE_BITS_MAX, WRITE_MAX,
    within,
};
use super::{Access, Counter, Words};
use crate::buffer::{Full, Writer};

/// Encodes FC 01 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `quantity` is not 1..=2000.
pub fn read_coils(address: u16, quantity: u16, out: &mut [u8]) -> Result<usize, Full> {
    read(READ_COILS, address, quantity, READ_BITS_MAX, out)
}

/// Encodes FC 02 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `quantity` is not 1..=2000.
pub fn read_discrete(address: u16, quantity: u16, out: &mut [u8]) -> Result<usize, Full> {
    read(READ_DISCRETE, address, quantity, READ_BITS_MAX, out)
}

/// Encodes FC 03 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `quantity` is not 1..=125.
pub fn read_holding(address: u16, quantity: u16, out: &mut [u8]) -> Result<usize, Full> {
    read(READ_HOLDING, address, quantity, READ_MAX, out)
}

/// Encodes FC 04 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or `quantity` is not 1..=125.
pub fn read_input(address: u16, quantity: u16, out: &mut [u8]) -> Result<usize, Full> {
    read(READ_INPUT, address, quantity, READ_MAX, out)
}

fn read(
    function: u8,
    address: u16,
    quantity: u16,
    max: u16,
    out: &mut [u8],
) -> Result<usize, Full> {
    within(quantity, max)?;
    Writer::new(out).byte(function).word(address).word(quantity).finish()
}

/// Encodes FC 05 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn write_coil(address: u16, on: bool, out: &mut [u8]) -> Result<usize, Full> {
    let value = if on { COIL_ON } else { 0 };
    Writer::new(out).byte(WRITE_COIL).word(address).word(value).finish()
}

/// Encodes FC 06 into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn write_single(address: u16, value: u16, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(WRITE_SINGLE).word(address).word(value).finish()
}

/// Encodes FC 15 (0x0F) into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or there are not 1..=1968 bits.
pub fn write_coils(address: u16, bits: &[bool], out: &mut [u8]) -> Result<usize, Full> {
    let quantity = u16::try_from(bits.len()).map_err(|_| Full)?;
    within(quantity, WRITE_BITS_MAX)?;
    let count = u8::try_from(bits.len().div_ceil(8)).map_err(|_| Full)?;
    let head = Writer::new(out).byte(WRITE_COILS).word(address).word(quantity).byte(count);
    bits.chunks(8).map(packed).fold(head, Writer::byte).finish()
}

/// The byte that holds up to eight bits, the first one lowest.
fn packed(bits: &[bool]) -> u8 {
    bits.iter().rev().fold(0, |byte, &bit| (byte << 1) | u8::from(bit))
}

/// Encodes FC 16 (0x10) into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small or there are not 1..=123 words.
pub fn write_multiple(address: u16, words: &[u16], out: &mut [u8]) -> Result<usize, Full> {
    let (quantity, count) = counts(words, WRITE_MAX)?;
    let head = Writer::new(out).byte(WRITE_MULTIPLE).word(address).word(quantity).byte(count);
    words.iter().copied().fold(head, Writer::word).finish()
}

/// Encodes FC 17 (0x11) into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn server_id(out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(SERVER_ID).finish()
}

/// Encodes FC 22 (0x16) into `out` and returns its length: the register becomes
/// (its value and `and`) or (`or` and not `and`).
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn mask_write(address: u16, and: u16, or: u16, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(MASK_WRITE).word(address).word(and).word(or).finish()
}

/// Encodes FC 23 (0x17) into `out` and returns its length.
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

/// Encodes FC 08 for one of the counters into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn read_counter(counter: Counter, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(DIAGNOSTICS).word(counter.sub_function()).word(0).finish()
}

/// Encodes FC 08 sub-function 0x0A, which clears every counter, into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn clear_counters(out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(DIAGNOSTICS).word(CLEAR_COUNTERS).word(0).finish()
}

/// Encodes FC 43/14 (0x2B/0x0E) into `out` and returns its length.
///
/// # Errors
/// [`Full`] when `out` is too small.
pub fn device_id(access: Access, object: u8, out: &mut [u8]) -> Result<usize, Full> {
    Writer::new(out).byte(ENCAPSULATED).byte(DEVICE_ID).byte(access.code()).byte(object).finish()
}

/// The quantity and the byte count of `words`.
fn counts(words: &[u16], max: u16) -> Result<(u16, u8), Full> {
    let quantity = u16::try_from(words.len()).map_err(|_| Full)?;
    within(quantity, max)?;
    let count = u8::try_from(quantity.saturating_mul(2)).map_err(|_| Full)?;
    Ok((quantity, count))
}
