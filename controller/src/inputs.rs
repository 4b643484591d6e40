//! The files that people give on the command line, read and checked before anything starts.

use std::path::{Path, PathBuf};

use line_model::plan::Plan;

use crate::config::manifest::{Manifest, RowFaults};
use crate::config::{self, BusPort, Faults, Line};
use crate::journal::writer::{FileKind, KeptFile};

/// Why the files cannot be used.
#[derive(Debug)]
pub enum InputFault {
    /// A file cannot be read.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line file or plan has faults.
    Faults(Faults),
    /// A manifest has bad rows.
    Rows {
        /// Its name as given.
        file: String,
        /// The rows.
        faults: RowFaults,
    },
}

impl InputFault {
    /// The faults for programs.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Unreadable { path, source } => serde_json::json!([{
                "file": path.display().to_string(),
                "line": null,
                "column": null,
                "key": null,
                "message": source.to_string(),
                "allowed": null,
            }]),
            Self::Faults(faults) => faults.to_json(),
            Self::Rows { file, faults } => {
                let list = faults.list.iter().map(|fault| {
                    serde_json::json!({
                        "file": file,
                        "line": fault.line,
                        "column": null,
                        "key": fault.column,
                        "message": fault.reason,
                        "allowed": null,
                    })
                });
                serde_json::Value::Array(list.collect())
            }
        }
    }
}

impl std::fmt::Display for InputFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, source } => {
                write!(f, "error: failed to read {}: {source}", path.display())
            }
            Self::Faults(faults) => write!(f, "{faults}"),
            Self::Rows { file, faults } => {
                rows(f, "error", file, faults)?;
                write!(f, "{file}: {} bad rows; nothing was imported", faults.rows)
            }
        }
    }
}

impl std::error::Error for InputFault {}

/// Writes each bad row as `severity: file:line: column: reason`.
fn rows(
    f: &mut std::fmt::Formatter<'_>,
    severity: &str,
    file: &str,
    faults: &RowFaults,
) -> std::fmt::Result {
    for fault in &faults.list {
        write!(f, "{severity}: {file}:{}: ", fault.line)?;
        if !fault.column.is_empty() {
            write!(f, "{}: ", fault.column)?;
        }
        writeln!(f, "{}", fault.reason)?;
    }
    if faults.more > 0 {
        writeln!(f, "... and {} more", faults.more)?;
    }
    Ok(())
}

/// The rows of a manifest that were left out because the person said so.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut<'a>(&'a Input<Manifest>);

impl<'a> LeftOut<'a> {
    /// What was left out of `manifest`; `None` when every row was taken.
    pub fn of(manifest: &'a Input<Manifest>) -> Option<Self> {
        (manifest.value.skipped.rows > 0).then_some(Self(manifest))
    }
}

impl std::fmt::Display for LeftOut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Input { name, value, .. } = self.0;
        rows(f, "warning", name, &value.skipped)?;
        write!(f, "{name}: {} bad rows; they were left out", value.skipped.rows)
    }
}

/// A checked input with the bytes that it was read from.
#[derive(Clone, Debug)]
pub struct Input<T> {
    /// The checked value.
    pub value: T,
    /// Path as given.
    pub name: String,
    /// What was read.
    pub bytes: Vec<u8>,
}

impl<T> Input<T> {
    fn read(
        path: &Path,
        check: impl FnOnce(&str, &[u8]) -> Result<T, InputFault>,
    ) -> Result<Self, InputFault> {
        let bytes = std::fs::read(path)
            .map_err(|source| InputFault::Unreadable { path: path.to_owned(), source })?;
        let name = path.display().to_string();
        let value = check(&name, &bytes)?;
        Ok(Self { value, name, bytes })
    }

    /// The file as the journal keeps it.
    pub fn kept(&self, kind: FileKind, utc_us: u64) -> KeptFile {
        KeptFile { kind, name: self.name.clone(), bytes: self.bytes.clone(), utc_us }
    }
}

/// Reads and checks a line file.
///
/// # Errors
/// When it cannot be read or has faults.
pub fn line(path: &Path) -> Result<Input<Line>, InputFault> {
    Input::read(path, |name, bytes| config::check(name, bytes).map_err(InputFault::Faults))
}

/// Reads a plan and checks it against the line.
///
/// # Errors
/// When it cannot be read or has faults.
pub fn plan(path: &Path, line: &Line) -> Result<Input<Plan>, InputFault> {
    Input::read(path, |name, bytes| {
        config::plan::load(name, bytes, &line.engine.layout).map_err(InputFault::Faults)
    })
}

/// Reads a manifest.
///
/// # Errors
/// When it cannot be read, or has bad rows and these are not to be skipped.
pub fn manifest(path: &Path, skip_bad_rows: bool) -> Result<Input<Manifest>, InputFault> {
    Input::read(path, |name, bytes| {
        config::manifest::load(bytes, skip_bad_rows)
            .map_err(|faults| InputFault::Rows { file: name.to_owned(), faults })
    })
}

/// A bus that is to be found elsewhere than the line file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusAt {
    /// Name of the bus in the line file.
    pub name: String,
    /// Path of its port, or host:port.
    pub at: String,
}

impl std::str::FromStr for BusAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, at)) if !name.is_empty() && !at.is_empty() => {
                Ok(Self { name: name.to_owned(), at: at.to_owned() })
            }
            Some(_) | None => Err("expected NAME=PATH or NAME=HOST:PORT"),
        }
    }
}

/// The line has no bus of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBus {
    /// The name given.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}

impl std::fmt::Display for UnknownBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "find bus {:?}: the line has {}", self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownBus {}

/// Puts buses where the command line says that they are.
///
/// # Errors
/// When the line has no bus of a name.
pub fn relocate(line: &mut Line, elsewhere: &[BusAt]) -> Result<(), UnknownBus> {
    for BusAt { name, at } in elsewhere {
        let buses = &line.engine.buses;
        let Some(index) = buses.iter().position(|bus| bus.name == *name) else {
            let known = buses.iter().map(|bus| bus.name.clone()).collect();
            return Err(UnknownBus { name: name.clone(), known });
        };
        match &mut line.ports[index] {
            BusPort::Serial { path, .. } => path.clone_from(at),
            BusPort::Tcp { address } => address.clone_from(at),
        }
    }
    Ok(())
}
