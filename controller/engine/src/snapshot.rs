//! The line's whole memory as bytes, so that a restart need not replay from the beginning.

pub use crate::codec::Fault;
use crate::codec::{Source, Wire};
use alloc::vec::Vec;
use line_model::Memory;

/// Version of the form; raised by every change of the memory. Another version is refused, and the
/// records before are replayed instead.
pub const FORMAT_VERSION: u8 = 1;

/// Encodes a memory.
pub fn encode(memory: &Memory) -> Vec<u8> {
    let mut out = Vec::new();
    out.push(FORMAT_VERSION);
    memory.put(&mut out);
    out
}

/// Decodes a memory; total on any bytes.
///
/// # Errors
/// What is wrong with the bytes, and where.
pub fn decode(bytes: &[u8]) -> Result<Memory, Fault> {
    let mut from = Source::new(bytes);
    let (found, _) = from.tag()?;
    if found != FORMAT_VERSION {
        return Err(Fault::Version { found });
    }
    let memory = Memory::get(&mut from)?;
    from.end()?;
    Ok(memory)
}
