//! One journal record: an input of the line with everything that was decided on it.

pub use crate::codec::Fault;
use crate::codec::{Source, Wire};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use line_model::decision::Decision;
use line_model::signal::Input;
use units::Micros;

/// Version of the forms of records and snapshots, their first byte; what is written has it.
///
/// The rule: a form of a released version stays readable as it is. Until a version is released it is
/// extended freely; afterwards the next change raises it. To extend version 4:
/// - a new meaning (an input, a decision, a reason …) takes the next free tag of its table in
///   `codec`; no tag is renumbered or used again;
/// - a new field stands behind all others of its struct or variant, as `; since 4 { name = default; }`;
///   the default is what the line knew, did or allowed when there was no such field;
/// - its bytes go into `codec/golden/version_4.rs`. In the files of older versions a value may gain the new
///   field's default (and `check` become `check_old`); its bytes never change.
pub const FORMAT_VERSION: u8 = 4;

/// Oldest version that is still read.
pub const OLDEST_VERSION: u8 = 1;

/// A record as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its number.
    pub number: u64,
    /// When it was handled.
    pub at: Micros,
    /// What happened.
    pub input: Input,
    /// What was decided.
    pub decisions: Vec<Decision>,
}

/// Encodes a record: version, number, instant, input, decisions.
///
/// # Panics
/// With 2^32 decisions or more, which no input has.
pub fn encode(number: u64, at: Micros, input: &Input, decisions: &[Decision]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(FORMAT_VERSION);
    number.put(&mut out);
    at.put(&mut out);
    input.put(&mut out);
    put_decisions(decisions, &mut out);
    out
}

/// Encodes decisions alone, as they stand at the end of a record.
///
/// # Panics
/// With 2^32 decisions or more, which no input has.
pub fn encode_decisions(decisions: &[Decision]) -> Vec<u8> {
    let mut out = Vec::new();
    put_decisions(decisions, &mut out);
    out
}

fn put_decisions(decisions: &[Decision], out: &mut Vec<u8>) {
    let count = u32::try_from(decisions.len());
    assert!(count.is_ok(), "decisions of one input are few");
    count.unwrap_or_default().put(out);
    decisions.iter().for_each(|decision| decision.put(out));
}

/// Decodes a record of this format version or an older one; total on any bytes.
///
/// # Errors
/// What is wrong with the bytes, and where.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    split(bytes).map(|(decoded, _)| decoded)
}

/// Decodes a record and gives the bytes of its decisions, to be compared with
/// [`encode_decisions`]: of an older version they are written anew; total on any bytes.
///
/// # Errors
/// What is wrong with the bytes, and where.
pub fn split(bytes: &[u8]) -> Result<(Decoded, Cow<'_, [u8]>), Fault> {
    let mut from = Source::versioned(bytes)?;
    let number = Wire::get(&mut from)?;
    let at = Wire::get(&mut from)?;
    let input = Wire::get(&mut from)?;
    let decided = bytes.get(from.at()..).unwrap_or_default();
    let decisions: Vec<Decision> = Wire::get(&mut from)?;
    from.end()?;
    let decided = match from.version() {
        FORMAT_VERSION => Cow::Borrowed(decided),
        _ => Cow::Owned(encode_decisions(&decisions)),
    };
    Ok((Decoded { number, at, input, decisions }, decided))
}
