//! Why a tool could not do what was asked.

use std::path::PathBuf;

use serde_json::json;

use crate::exit::Exit;
use crate::inputs::InputFault;

/// Why a tool could not do what was asked; the text fits after "failed to".
#[derive(Debug)]
pub(super) enum ToolFault {
    /// Neither a line file nor a port nor a controller was named.
    NoPlace,
    /// The line file has faults.
    Line(InputFault),
    /// The line file has no bus of this name.
    UnknownBus {
        /// The name given.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// More than one bus could be meant.
    WhichBus {
        /// The names that there are.
        known: Vec<String>,
    },
    /// No node of this name.
    UnknownNode {
        /// The name given.
        name: String,
        /// What there is instead.
        hint: String,
    },
    /// A node kind has no register, setting or point of this name.
    UnknownName {
        /// The name given.
        name: String,
        /// Name of the node.
        node: String,
        /// Its kind.
        kind: &'static str,
        /// Names that are close.
        nearest: Vec<&'static str>,
    },
    /// A port or connection cannot be used.
    Port {
        /// The bus.
        bus: String,
        /// Why, as the bus says it.
        why: String,
    },
    /// A bus went away.
    Gone {
        /// The bus.
        bus: String,
    },
    /// A node did not answer.
    Silent {
        /// The node.
        node: String,
        /// What it was asked for.
        what: &'static str,
    },
    /// A node answered with an exception.
    Exception {
        /// The node.
        node: String,
        /// What it was asked for.
        what: String,
        /// The exception code.
        code: u8,
    },
    /// A node answered what does not fit itself.
    Nonsense {
        /// The node.
        node: String,
        /// What does not fit.
        what: &'static str,
    },
    /// A node is of another kind than the line file says.
    WrongKind {
        /// The node.
        node: String,
        /// Kind in the line file.
        expected: &'static str,
        /// Kind that it says it is.
        got: String,
    },
    /// A node speaks another version of the register map.
    WrongMap {
        /// The node.
        node: String,
        /// Version that it speaks.
        got: u16,
    },
    /// What was asked for is not allowed, for this reason.
    Refused {
        /// What was to be done.
        what: String,
        /// Why not.
        why: String,
    },
    /// A written value did not come back.
    NotTaken {
        /// What was written.
        what: String,
        /// What was read back.
        got: String,
    },
    /// A file cannot be written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Kept frames cannot be read.
    Frames {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The terminal or standard output cannot be used.
    Terminal(std::io::Error),
    /// The operating system gave no thread or signal.
    System(std::io::Error),
    /// A controller could not be attached to, or left.
    Daemon {
        /// Its address.
        address: String,
        /// Why.
        why: String,
    },
}

impl ToolFault {
    /// The exit code that it leads to.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::NoPlace
            | Self::UnknownBus { .. }
            | Self::WhichBus { .. }
            | Self::UnknownNode { .. }
            | Self::UnknownName { .. } => Exit::Usage,
            Self::Line(_) => Exit::Faults,
            Self::Port { .. } | Self::Gone { .. } | Self::Daemon { .. } => Exit::BusUnusable,
            Self::Silent { .. }
            | Self::Exception { .. }
            | Self::Nonsense { .. }
            | Self::WrongKind { .. }
            | Self::WrongMap { .. }
            | Self::Refused { .. }
            | Self::NotTaken { .. } => Exit::Refused,
            Self::Frames { .. } => Exit::CannotStart,
            Self::File { .. } | Self::Terminal(_) | Self::System(_) => Exit::Internal,
        }
    }

    /// Tells people on standard error, programs on standard output.
    pub(super) fn print(&self, json: bool) {
        match self {
            Self::Line(fault) if json => println!("{}", json!({ "faults": fault.to_json() })),
            Self::Line(fault) => eprintln!("{fault}"),
            _ if json => println!("{}", json!({ "error": format!("failed to {self}") })),
            _ => eprintln!("error: failed to {self}"),
        }
    }
}

impl std::fmt::Display for ToolFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPlace => f.write_str(
                "know where the nodes are: give --line FILE, --serial PATH or --tcp HOST:PORT",
            ),
            Self::Line(fault) => write!(f, "use the line file: {fault}"),
            Self::UnknownBus { name, known } => {
                write!(f, "find bus {name:?}: the line has {}", known.join(", "))
            }
            Self::WhichBus { known } => {
                write!(f, "choose a bus: give --bus with one of {}", known.join(", "))
            }
            Self::UnknownNode { name, hint } => write!(f, "find node {name:?}: {hint}"),
            Self::UnknownName { name, node, kind, nearest } => {
                write!(f, "find {name:?} in {node}, a {kind} node")?;
                if nearest.is_empty() {
                    f.write_str(": see REGISTERS.md for every name")
                } else {
                    write!(f, ": nearest are {}", nearest.join(", "))
                }
            }
            Self::Port { bus, why } => write!(f, "use bus {bus}: failed to {why}"),
            Self::Gone { bus } => write!(f, "go on: bus {bus} has ended"),
            Self::Silent { node, what } => write!(f, "read {what} of {node}: no answer"),
            Self::Exception { node, what, code } => {
                write!(f, "{what} of {node}: it answered with exception {code:02X}")?;
                match modbus::pdu::Exception::from_code(*code) {
                    Some(exception) => write!(f, " (failed to {exception})"),
                    None => Ok(()),
                }
            }
            Self::Nonsense { node, what } => {
                write!(f, "believe {node}: its {what} does not fit itself")
            }
            Self::WrongKind { node, expected, got } => {
                write!(f, "use {node}: the line file says {expected}, the node says {got}")
            }
            Self::WrongMap { node, got } => write!(
                f,
                "use {node}: it speaks register map {got}, this program {}",
                registers::MAP_VERSION
            ),
            Self::Refused { what, why } => write!(f, "{what}: {why}"),
            Self::NotTaken { what, got } => write!(f, "write {what}: it reads back as {got}"),
            Self::File { path, source } => write!(f, "write {}: {source}", path.display()),
            Self::Frames { path, why } => {
                write!(f, "read frames of {}: failed to {why}", path.display())
            }
            Self::Terminal(source) => write!(f, "write to the terminal: {source}"),
            Self::System(source) => write!(f, "start: {source}"),
            Self::Daemon { address, why } => write!(f, "attach to {address}: {why}"),
        }
    }
}

impl std::error::Error for ToolFault {}
