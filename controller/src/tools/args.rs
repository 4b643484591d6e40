//! The command line of `sortline bus`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use line_file::Parity;

use crate::exit::TABLE;
use crate::replay::time::instant;

/// Looks into buses and nodes: scan, read, write, set-address, watch, record, frames.
#[derive(Debug, Subcommand)]
pub enum Bus {
    /// Finds every node, says who it is and whether the line file expects it there.
    #[command(after_help = format!("{SCAN_EXAMPLES}\n\n{TABLE}"))]
    Scan(Scan),
    /// Reads a register, a point or a whole block by name.
    #[command(after_help = format!("{READ_EXAMPLES}\n\n{TABLE}"))]
    Read(Read),
    /// Writes a setting or the latch register by name; ranges are checked first.
    #[command(after_help = format!("{WRITE_EXAMPLES}\n\n{TABLE}"))]
    Write(Write),
    /// Gives the node with a serial number another address and verifies it there.
    #[command(after_help = format!("{ADDRESS_EXAMPLES}\n\n{TABLE}"))]
    SetAddress(SetAddress),
    /// Shows load, latencies, errors and frames, or each change of an input (--io), live.
    #[command(after_help = format!("{WATCH_EXAMPLES}\n\n{TABLE}"))]
    Watch(Watch),
    /// Records every frame into a pcap file; codes are masked unless --raw.
    #[command(after_help = format!("{RECORD_EXAMPLES}\n\n{TABLE}"))]
    Record(Record),
    /// Shows the raw frames that the flight recorder kept, or makes a pcap file of them.
    #[command(after_help = format!("{FRAMES_EXAMPLES}\n\n{TABLE}"))]
    Frames(Frames),
}

const SCAN_EXAMPLES: &str = "\
Examples:
  sortline bus scan --line line.toml
  sortline bus scan --line line.toml --bus field --units 1-32
  sortline bus scan --serial /dev/ttyUSB0 --sweep
  sortline bus scan --tcp 10.0.5.21:502 --units 1-5 --json";
const READ_EXAMPLES: &str = "\
Examples:
  sortline bus read --line line.toml D1 status
  sortline bus read --line line.toml Z3 eye_a
  sortline bus read --serial /dev/ttyUSB0 11 serial_number --json";
const WRITE_EXAMPLES: &str = "\
Examples:
  sortline bus write --line line.toml D1 debounce_ms 30
  sortline bus write --line line.toml D1 latch 7";
const ADDRESS_EXAMPLES: &str = "\
Examples:
  sortline bus set-address --line line.toml --bus field --serial-number 70012 --to 16
  sortline bus set-address --serial /dev/ttyUSB0 --serial-number 70012 --to 16";
const WATCH_EXAMPLES: &str = "\
Examples:
  sortline bus watch --line line.toml             opens the buses itself; reads status only
  sortline bus watch --daemon 127.0.0.1:8080      beside a running controller
  sortline bus watch --line line.toml --io        the point check: each input with its tag
  sortline bus watch --daemon 127.0.0.1:8080 --json --seconds 10
Keys: q or Ctrl-C leaves.
Without --daemon a change shorter than one round of polls is not seen: nodes are asked by FC 03
for their status and nothing is acknowledged.";
const RECORD_EXAMPLES: &str = "\
Examples:
  sortline bus record wire.pcap --daemon 127.0.0.1:8080 --seconds 60
  sortline bus record wire.pcap --line line.toml --bus field
  tshark -r wire.pcap -o mbrtu.tcp.port:5020 -o mbrtu.crc_verification:TRUE
Each node is a connection of its own, 10.<bus>.<bus>.<unit>: port 5020 carries RTU, 502 Modbus TCP.";
const FRAMES_EXAMPLES: &str = "\
Examples:
  sortline bus frames data                                  every dump of a data directory
  sortline bus frames incident.sqlite --pcap incident.pcap
  sortline bus frames data --from 2026-11-22T14:03 --to 2026-11-22T14:04 --json
Codes are masked as in the incident's records. tshark reads the pcap file as one of `bus record`.";

impl Bus {
    /// Whether the answer is to be JSON.
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Scan(args) => args.place.json,
            Self::Read(args) => args.place.json,
            Self::Write(args) => args.place.json,
            Self::SetAddress(args) => args.place.json,
            Self::Watch(args) => args.place.json,
            Self::Record(args) => args.place.json,
            Self::Frames(args) => args.json,
        }
    }
}

/// Where the nodes are.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Line file: its buses and nodes.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["serial", "tcp"])]
    pub(super) line: Option<PathBuf>,
    /// Only this bus of the line file, perhaps elsewhere than the file says; may be repeated.
    #[arg(long = "bus", value_name = "NAME[=PATH|HOST:PORT]")]
    pub(super) buses: Vec<BusChoice>,
    /// A serial port without a line file.
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    pub(super) serial: Option<PathBuf>,
    /// Bits a second of --serial.
    #[arg(long, default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(1_200..=4_000_000))]
    pub(super) baud: u32,
    /// Parity of --serial.
    #[arg(long, value_enum, default_value_t = ParityName::Even)]
    pub(super) parity: ParityName,
    /// Stop bits of --serial.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(super) stop_bits: u8,
    /// A Modbus TCP server without a line file.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) tcp: Option<String>,
    /// How long an answer may take to begin; the line file's value, else 50 (serial), 500 (TCP).
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) timeout_ms: Option<u16>,
    /// Prints JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A bus of the line file, perhaps elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BusChoice {
    /// Name in the line file.
    pub(super) name: String,
    /// Where it really is.
    pub(super) at: Option<String>,
}

impl FromStr for BusChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, at) = match text.split_once('=') {
            Some((_, "")) => return Err("expected NAME, NAME=PATH or NAME=HOST:PORT"),
            Some((name, at)) => (name, Some(at.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("expected NAME, NAME=PATH or NAME=HOST:PORT");
        }
        Ok(Self { name: name.to_owned(), at })
    }
}

/// Parity on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ParityName {
    /// Even, the Modbus default.
    Even,
    /// Odd.
    Odd,
    /// None.
    None,
}

impl From<ParityName> for Parity {
    fn from(name: ParityName) -> Self {
        match name {
            ParityName::Even => Self::Even,
            ParityName::Odd => Self::Odd,
            ParityName::None => Self::None,
        }
    }
}

/// Unit addresses, `7` or `1-32`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Units(pub(super) RangeInclusive<u8>);

impl FromStr for Units {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a unit or a range of units from 1 to 247, such as 1-32";
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        match (from.parse(), to.parse()) {
            (Ok(from @ 1..=247), Ok(to @ 1..=247)) if from <= to => Ok(Self(from..=to)),
            _ => Err(EXPECTED),
        }
    }
}

/// `bus scan`
#[derive(Clone, Debug, Args)]
pub struct Scan {
    #[command(flatten)]
    pub(super) place: Place,
    /// Units to ask; all of 1-247 on serial, the line file's or 1 on TCP.
    #[arg(long, value_name = "FROM-TO")]
    pub(super) units: Option<Units>,
    /// Tries every usual speed and parity of a serial port until a node answers.
    #[arg(long)]
    pub(super) sweep: bool,
}

/// `bus read`
#[derive(Clone, Debug, Args)]
pub struct Read {
    #[command(flatten)]
    pub(super) place: Place,
    /// Name in the line file, or a unit number.
    pub(super) node: String,
    /// Register, setting, input, output or block.
    #[arg(value_name = "REGISTER|BLOCK")]
    pub(super) name: String,
}

/// `bus write`
#[derive(Clone, Debug, Args)]
pub struct Write {
    #[command(flatten)]
    pub(super) place: Place,
    /// Name in the line file, or a unit number.
    pub(super) node: String,
    /// Setting or register.
    #[arg(value_name = "REGISTER")]
    pub(super) name: String,
    /// The new value.
    pub(super) value: u16,
    /// Writes although a controller owns the node.
    #[arg(long)]
    pub(super) force: bool,
}

/// `bus set-address`
#[derive(Clone, Debug, Args)]
pub struct SetAddress {
    #[command(flatten)]
    pub(super) place: Place,
    /// Serial number of the node that is meant; `bus scan` shows it.
    #[arg(long, value_name = "N")]
    pub(super) serial_number: u32,
    /// Its new address.
    #[arg(long, value_name = "UNIT", value_parser = clap::value_parser!(u8).range(1..=247))]
    pub(super) to: u8,
    /// Its present address; needed on TCP, where nothing can be broadcast.
    #[arg(long, value_name = "UNIT", value_parser = clap::value_parser!(u8).range(1..=247))]
    pub(super) from: Option<u8>,
}

/// `bus watch`
#[derive(Clone, Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    pub(super) place: Place,
    /// Address of a running controller's screens; its frames are shown, no port is opened.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["line", "serial", "tcp", "buses"])]
    pub(super) daemon: Option<String>,
    /// Shows each change of an input with its name and terminal.
    #[arg(long)]
    pub(super) io: bool,
    /// Ends after this time.
    #[arg(long, value_name = "N")]
    pub(super) seconds: Option<u32>,
    /// Units to watch where no line file names them.
    #[arg(long, value_name = "FROM-TO", conflicts_with = "line")]
    pub(super) units: Option<Units>,
}

/// `bus record`
#[derive(Clone, Debug, Args)]
pub struct Record {
    #[command(flatten)]
    pub(super) place: Place,
    /// The pcap file; must not exist yet.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Address of a running controller's screens; its frames are recorded, no port is opened.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["line", "serial", "tcp", "buses"])]
    pub(super) daemon: Option<String>,
    /// Ends after this time; else at Ctrl-C.
    #[arg(long, value_name = "N")]
    pub(super) seconds: Option<u32>,
    /// Units to poll where no line file names them.
    #[arg(long, value_name = "FROM-TO", conflicts_with = "line")]
    pub(super) units: Option<Units>,
    /// Keeps the codes of parcels; beside a controller only from a panel's address.
    #[arg(long)]
    pub(super) raw: bool,
}

/// `bus frames`
#[derive(Clone, Debug, Args)]
pub struct Frames {
    /// A data directory, one dump of it, or an incident file.
    #[arg(value_name = "FILE|DATA")]
    pub(super) path: PathBuf,
    /// Makes this pcap file instead of printing; must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// Nothing before this instant, such as 2026-11-22T14:03 (Asia/Shanghai unless it says
    /// otherwise).
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) from: Option<u64>,
    /// Nothing behind this instant.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) to: Option<u64>,
    /// Prints one JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_buses_are_read_or_refused() {
        let units = |text: &str| text.parse::<Units>().ok().map(|units| units.0);
        assert_eq!(units("7"), Some(7..=7));
        assert_eq!(units("1-247"), Some(1..=247));
        for bad in ["0", "0-3", "5-4", "1-248", "", "-", "a-b", "1-2-3"] {
            assert_eq!(units(bad), None, "{bad}");
        }
        let bus = |text: &str| text.parse::<BusChoice>().ok().map(|bus| (bus.name, bus.at));
        assert_eq!(bus("field"), Some(("field".to_owned(), None)));
        assert_eq!(bus("f=/dev/x"), Some(("f".to_owned(), Some("/dev/x".to_owned()))));
        assert_eq!((bus("f="), bus("=x"), bus("")), (None, None, None));
    }
}
