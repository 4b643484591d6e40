//! A line file from bytes to a checked line, or all its faults.

use super::build::{self, Line};
use super::fault::{Faults, Sink};
use super::{end, geometry, keys, names, policies, repair};
use line_file::{Document, LineFile};
use toml::Table;

/// Longest file that is read; a hand-written file is a hundredth of it.
const BYTES_MAX: usize = 1 << 20;

/// Checks the bytes of a line file; `file` is its name for messages.
///
/// # Errors
/// When anything is wrong: every fault with its place, what was found and what is allowed. A text
/// that is not TOML has one fault, because nothing behind it can be trusted.
pub fn check(file: &str, bytes: impl AsRef<[u8]>) -> Result<Line, Faults> {
    let text = text(file, bytes.as_ref())?;
    let document = Document::parse(text).map_err(|e| Faults::syntax(file, text, &e))?;
    let mut sink = Sink::new(file, &document);
    let root = root(file, text)?;
    let shape = repair::repair(root, keys::LINE, &mut sink);
    let line = shaped::<LineFile>(file, shape)?;
    names::check(&line, &mut sink);
    end::check(&line, &mut sink);
    let derived = geometry::check(&line, &mut sink);
    let screens = build::screens(&line, &mut sink);
    let ports = build::ports(&line, &mut sink);
    let policies = policies::policies(&line, &mut sink);
    sink.finish()?;
    Ok(build::line(line, &derived, ports, screens, policies))
}

/// The bytes as text.
pub(crate) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Faults> {
    if bytes.len() > BYTES_MAX {
        let message = format!("the file has {} bytes", bytes.len());
        return Err(Faults::whole(file, message, &format!("at most {BYTES_MAX} bytes")));
    }
    // Editors on Windows begin UTF-8 files with a byte-order mark.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    core::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Faults::whole(file, format!("line {line} is not UTF-8"), "UTF-8 text")
    })
}

/// The text as a tree of values.
pub(crate) fn root(file: &str, text: &str) -> Result<Table, Faults> {
    text.parse::<Table>().map_err(|e| Faults::syntax(file, text, &e.into()))
}

/// The repaired tree as its shape.
pub(crate) fn shaped<T: serde::de::DeserializeOwned>(
    file: &str,
    table: Table,
) -> Result<T, Faults> {
    T::deserialize(table).map_err(|e| Faults::whole(file, e.message().to_owned(), ""))
}

#[cfg(test)]
mod tests;
