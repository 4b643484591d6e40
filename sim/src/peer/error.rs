//! Why the program cannot serve a peer.

use std::io;
use std::path::PathBuf;

/// Why the program cannot serve a peer; the text fits after "failed to".
#[derive(Debug)]
pub(crate) enum PeerError {
    /// A loopback port cannot be opened.
    Listen { port: u16, source: io::Error },
    /// A serial port or pseudo-terminal cannot be opened.
    Open { path: PathBuf, source: io::Error },
    /// Something that is no serial port stands where the link belongs.
    Occupied { path: PathBuf },
    /// The serial port failed.
    Port { path: PathBuf, source: io::Error },
    /// The place cannot be printed.
    Announce(io::Error),
    /// The operating system refuses signals or timers.
    Runtime(io::Error),
}

impl std::fmt::Display for PeerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen { port, source } => {
                write!(f, "listen on loopback port {port}: {source}")
            }
            Self::Open { path, source } => write!(f, "open {}: {source}", path.display()),
            Self::Occupied { path } => {
                write!(f, "link {}: something else stands there", path.display())
            }
            Self::Port { path, source } => write!(f, "serve {}: {source}", path.display()),
            Self::Announce(source) => write!(f, "print where the server is: {source}"),
            Self::Runtime(source) => write!(f, "set up signals and timers: {source}"),
        }
    }
}

impl std::error::Error for PeerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. }
            | Self::Open { source, .. }
            | Self::Port { source, .. }
            | Self::Announce(source)
            | Self::Runtime(source) => Some(source),
            Self::Occupied { .. } => None,
        }
    }
}
