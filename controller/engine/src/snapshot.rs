//! The line's whole memory as bytes, so that a restart need not replay from the beginning.

pub use crate::codec::Fault;
use crate::codec::{Source, Wire};
use crate::record::FORMAT_VERSION;
use alloc::vec::Vec;
use line_model::Memory;

/// Encodes a memory.
pub fn encode(memory: &Memory) -> Vec<u8> {
    let mut out = Vec::new();
    out.push(FORMAT_VERSION);
    memory.put(&mut out);
    out
}

/// Decodes a memory of this format version or an older one; total on any bytes.
///
/// # Errors
/// What is wrong with the bytes, and where.
pub fn decode(bytes: &[u8]) -> Result<Memory, Fault> {
    let mut from = Source::versioned(bytes)?;
    let memory = Memory::get(&mut from)?;
    from.end()?;
    Ok(memory)
}

/// Says whether a snapshot has today's form, so that equal memories have equal bytes.
pub fn is_current(bytes: &[u8]) -> bool {
    bytes.first() == Some(&FORMAT_VERSION)
}
