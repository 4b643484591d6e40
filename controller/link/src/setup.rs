//! What the daemon's checked configuration tells a link, and what a journal keeps of it.

use alloc::string::String;
use alloc::vec::Vec;
use line_model::ids::{ChuteNo, EyeId, NodeId, ScannerId, ZoneId};
use line_model::signal::{ChuteContact, Contact};
use registers::NodeKind;
use units::{Distance, Micros, Serial};

/// Index into the setup's list of buses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusId(pub u8);

/// One bus: a serial line or the way to TCP nodes; one request at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusSetup {
    /// Name in the line file.
    pub name: String,
    /// Serial (RTU) or TCP; only a serial bus can broadcast.
    pub serial: bool,
    /// Bits a second; 0 on TCP.
    pub baud: u32,
    /// This host's owner word, not 0.
    pub owner: u16,
    /// Least time between the beginnings of two exchanges; zero on a serial bus.
    pub poll_min: Micros,
    /// How long an answer may take.
    pub answer_timeout: Micros,
    /// The nodes on it.
    pub stations: Vec<StationSetup>,
}

/// One node on a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationSetup {
    /// Which node of the layout.
    pub node: NodeId,
    /// Its Modbus unit, 1..=247.
    pub unit: u8,
    /// What it must be.
    pub kind: NodeKind,
    /// Its main encoder counts the sorter belt, so that its events need a count map.
    pub main_encoder: bool,
    /// Its settings block, one word each setting of the kind.
    pub settings: Vec<u16>,
    /// What its inputs are, by input id; inputs past the end are ignored.
    pub inputs: Vec<InputRole>,
    /// Which scanner of the layout it is; means nothing for other kinds.
    pub scanner: ScannerId,
    /// Belt travel during its debouncing: an edge up to this far back may not have been told yet.
    pub horizon_lag: Distance,
}

/// What an input of a node is to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputRole {
    /// Nothing that the model follows.
    Ignored,
    /// A photo-eye on the sorter belt.
    Eye(EyeId),
    /// The landing eye of a chute.
    Landing(ChuteNo),
    /// A contact of a chute.
    Chute(ChuteNo, ChuteContact),
    /// A contact of the panel.
    Contact(Contact),
    /// The exit eye of a gapping zone, which wakes a sleeping line.
    ZoneExit(ZoneId),
}

/// How far one node's events have been handled, and how its counts fit the belt's frame.
///
/// Belongs to the transaction of the record that it comes with; on start the newest one of each
/// node is handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which node.
    pub node: NodeId,
    /// The boot that the rest holds for.
    pub boot_id: u16,
    /// The last event that is in a record.
    pub sequence: Serial,
    /// Belt position minus the node's count; means nothing unless `encoder_known`.
    pub base: i64,
    /// `base` is exact to a few counts.
    pub encoder_known: bool,
}

/// How one exchange ended; each [`Transmit`] is answered by exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A unit answered, perhaps with an exception.
    Answer {
        /// Who answered.
        unit: u8,
        /// The answer PDU.
        pdu: &'a [u8],
    },
    /// No fitting answer came in time.
    Timeout,
    /// The broadcast was sent and its waiting time is over.
    BroadcastDone,
    /// The port or the connection is gone; the shell reports the bus down and, later, up again.
    Lost,
}

/// One request to send; at most one is outstanding on a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// On which bus.
    pub bus: BusId,
    /// To whom; 0 = broadcast, which nobody answers.
    pub unit: u8,
    /// The request PDU.
    pub pdu: Vec<u8>,
    /// How long the answer may take.
    pub timeout: Micros,
}
