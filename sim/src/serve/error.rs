//! Why the program cannot serve.

use line_sim::{FaultsError, ManifestError, PlantFileError, ScenarioError, SetupError};
use std::io;
use std::path::PathBuf;

/// Why the program cannot serve; the text fits after "failed to".
#[derive(Debug)]
pub(crate) enum ServeError {
    /// A file cannot be read.
    Read { path: PathBuf, source: io::Error },
    /// The line file has not the shape.
    LineFile { path: PathBuf, line: usize, message: String },
    /// The plant file has not the shape.
    PlantFile { path: PathBuf, source: PlantFileError },
    /// The manifest has not the shape.
    Manifest { path: PathBuf, source: ManifestError },
    /// The scenario cannot be used.
    Scenario { path: PathBuf, source: ScenarioError },
    /// The faults are not understood.
    Faults(FaultsError),
    /// The files do not fit each other.
    Setup(SetupError),
    /// The directory cannot be made or used.
    Directory { path: PathBuf, source: io::Error },
    /// A pseudo-terminal cannot be opened.
    Terminal { bus: String, source: io::Error },
    /// Something that is no link stands where a bus's link belongs.
    Occupied { path: PathBuf },
    /// A loopback port cannot be opened.
    Listen { bus: String, source: io::Error },
    /// The list of endpoints or the truth cannot be written.
    Write { path: PathBuf, source: io::Error },
    /// The operating system refuses signals or timers.
    Runtime(io::Error),
}

impl ServeError {
    /// The program's exit code, as documented in `--help`.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. }
            | Self::LineFile { .. }
            | Self::PlantFile { .. }
            | Self::Manifest { .. }
            | Self::Scenario { .. }
            | Self::Faults(_)
            | Self::Setup(_) => 3,
            Self::Directory { .. }
            | Self::Terminal { .. }
            | Self::Occupied { .. }
            | Self::Listen { .. }
            | Self::Write { .. }
            | Self::Runtime(_) => 4,
        }
    }
}

impl core::fmt::Display for ServeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "read {}: {source}", path.display()),
            Self::LineFile { path, line, message } => {
                write!(f, "read the line file {}:{line}: {}", path.display(), message.trim_end())
            }
            Self::PlantFile { path, source } => write!(f, "use {}: {source}", path.display()),
            Self::Manifest { path, source } => write!(f, "use {}: {source}", path.display()),
            Self::Scenario { path, source } => {
                write!(f, "use the scenario {}: {source}", path.display())
            }
            Self::Setup(source) => write!(f, "{source}"),
            Self::Faults(source) => write!(f, "{source}"),
            Self::Directory { path, source } => {
                write!(f, "use the directory {}: {source}", path.display())
            }
            Self::Terminal { bus, source } => {
                write!(f, "open a pseudo-terminal for bus \"{bus}\": {source}")
            }
            Self::Occupied { path } => write!(
                f,
                "link {}: something stands there that this program did not make",
                path.display()
            ),
            Self::Listen { bus, source } => {
                write!(f, "listen on a loopback port for bus \"{bus}\": {source}")
            }
            Self::Write { path, source } => write!(f, "write {}: {source}", path.display()),
            Self::Runtime(source) => write!(f, "set up signals and timers: {source}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. }
            | Self::Directory { source, .. }
            | Self::Terminal { source, .. }
            | Self::Listen { source, .. }
            | Self::Write { source, .. }
            | Self::Runtime(source) => Some(source),
            Self::PlantFile { source, .. } => Some(source),
            Self::Manifest { source, .. } => Some(source),
            Self::Scenario { source, .. } => Some(source),
            Self::Setup(source) => Some(source),
            Self::Faults(source) => Some(source),
            Self::LineFile { .. } | Self::Occupied { .. } => None,
        }
    }
}
