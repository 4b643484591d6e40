//! The shapes, one struct for each table of the file.
//!
//! Positions are millimetres from the induction eye along the belt, positive downstream, measured
//! for a parcel's head. Names are the integrator's and refer to each other.

use crate::policy::{ClockPolicy, FlightPolicy, JournalPolicy};
use core::ops::Range;
use serde::Deserialize;

/// A whole line file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFile {
    /// What the line is called and by whom it is owned.
    pub line: LineInfo,
    /// Encoders, one for each belt that is counted.
    #[serde(default)]
    pub encoder: Vec<Encoder>,
    /// Buses; their order is the bus number everywhere.
    #[serde(default)]
    pub bus: Vec<Bus>,
    /// Nodes; their order is the node number everywhere.
    #[serde(default)]
    pub node: Vec<Node>,
    /// Conveyor zones from infeed to sorter belt; the last one is the sorter belt.
    #[serde(default)]
    pub zone: Vec<Zone>,
    /// Eyes on the sorter belt ahead of the diverters: the induction eye, then the tunnel exit eye.
    #[serde(default)]
    pub eye: Vec<Eye>,
    /// The barcode scanner of the tunnel.
    pub scanner: Scanner,
    /// Scanners that read once more behind diverters, in the order that a parcel passes them.
    #[serde(default)]
    pub rescanner: Vec<Scanner>,
    /// The scale of the tunnel; absent on a line without one.
    pub dws: Option<Dws>,
    /// Wheel diverters in the order that a parcel passes them.
    #[serde(default)]
    pub diverter: Vec<Diverter>,
    /// Chutes that the diverters name.
    #[serde(default)]
    pub chute: Vec<Chute>,
    /// The end of the sorter belt.
    pub end: End,
    /// The operator panel.
    pub panel: Panel,
    /// Emergency-stop circuits by name; empty: their contacts have numbers only.
    #[serde(default)]
    pub estop: Vec<Estop>,
    /// Tolerances of tracking.
    pub tracking: Tracking,
    /// What the gap between parcels is made of.
    pub gap: Gap,
    /// Times of the whole line.
    pub timing: Timing,
    /// Screens.
    pub hmi: Hmi,
    /// What the site decides about its journal.
    #[serde(default)]
    pub journal: JournalPolicy,
    /// What the site decides about raw frames.
    #[serde(default)]
    pub flight: FlightPolicy,
    /// What the site believes of its wall clock.
    #[serde(default)]
    pub clock: ClockPolicy,
}

/// `[line]`: what the line is called and by whom it is owned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineInfo {
    /// Name of the line.
    pub name: String,
    /// Name for operators.
    pub name_zh: String,
    /// Owner word that the controller shows to every node, not 0.
    pub owner: u16,
    /// Whether a simulator stands in for the line; shown on every screen.
    pub simulated: bool,
}

/// `[[encoder]]`: an encoder on one belt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// Name, unique.
    pub name: String,
    /// Counts a metre of belt.
    pub counts_per_metre: u32,
}

/// `[[bus]]`: a serial segment or one TCP connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Name, unique.
    pub name: String,
    /// Which wire.
    pub kind: BusKind,
    /// Serial port of an RTU bus.
    pub port: Option<String>,
    /// Host and port of a TCP bus.
    pub address: Option<String>,
    /// Bits a second of an RTU bus.
    pub baud: Option<u32>,
    /// Parity of an RTU bus.
    pub parity: Option<Parity>,
    /// Stop bits of an RTU bus.
    pub stop_bits: Option<u8>,
    /// Whether the adapter of an RTU bus hears what it sends.
    pub echo: Option<EchoMode>,
    /// Who switches the direction of an RTU bus' RS-485 driver.
    pub rs485: Option<Rs485>,
    /// How long an answer is waited for.
    pub answer_timeout_ms: u16,
    /// Longest time that a node takes from the request's last byte to the answer's first one.
    pub turnaround_ms: u16,
}

/// Which wire a bus runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusKind {
    /// Modbus RTU over a serial port.
    Rtu,
    /// Modbus TCP.
    Tcp,
}

/// Parity of a serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// Even; the Modbus default.
    Even,
    /// Odd.
    Odd,
    /// None.
    None,
}

/// Whether an adapter hears its own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoMode {
    /// It does not.
    Absent,
    /// It does.
    Present,
    /// To be found out each time the port opens.
    Detect,
}

/// Who switches the direction of an RS-485 driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rs485 {
    /// The adapter itself, as USB adapters do.
    Auto,
    /// The kernel's driver of the port, by its RTS line.
    Kernel,
}

/// `[[node]]`: a node on a bus.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Name, unique.
    pub name: String,
    /// What the node is.
    pub kind: NodeKind,
    /// Name of its bus.
    pub bus: String,
    /// Modbus unit number.
    pub unit: u8,
    /// Name of the encoder that it counts: that of the belt which its eyes look at.
    pub encoder: String,
    /// How long an input is stable before it counts.
    pub debounce_ms: u16,
    /// Host silence after which it falls to its safe state; absent: the line's `lease_ms`.
    pub lease_ms: Option<u16>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Conveyor zone.
    Zone,
    /// Wheel diverter.
    Diverter,
    /// Barcode scanner.
    Scanner,
    /// Scale.
    Dws,
    /// Operator panel.
    Panel,
}

/// `[[zone]]`: one belt with its own drive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Name, unique among zones.
    pub name: String,
    /// Name of its node.
    pub node: String,
    /// Where it begins.
    pub from_mm: i32,
    /// Where it ends.
    pub to_mm: i32,
    /// Nominal speed.
    pub speed_mm_s: u32,
    /// Ramp of its drive, up and down.
    pub accel_mm_s2: u32,
    /// How it moves.
    pub mode: ZoneMode,
    /// Its eye near the downstream end, input `eye_exit`; needed unless it only transports.
    pub exit_eye_mm: Option<i32>,
    /// Zone whose READY output is wired to this zone's DOWNSTREAM_READY input.
    pub wired_ready_from: Option<String>,
}

/// How a zone moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneMode {
    /// Stops with a parcel at its exit eye until the next zone is ready.
    Accumulate,
    /// Releases one parcel for each distance of the take-away belt, which is the next zone.
    Gapping,
    /// Runs whenever the line runs.
    Transport,
}

/// `[[eye]]`: a photo-eye on the sorter belt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eye {
    /// Name, unique among eyes.
    pub name: String,
    /// Name of its node.
    pub node: String,
    /// Name of the node's input.
    pub input: String,
    /// Where it looks.
    pub at_mm: i32,
    /// Equipment tag that alarms print.
    pub tag: Option<String>,
    /// Terminal that alarms print.
    pub terminal: Option<String>,
}

/// `[scanner]` or `[[rescanner]]`: a barcode scanner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    /// Name of its node.
    pub node: String,
    /// Its trigger eye.
    pub at_mm: i32,
    /// After the tail, how long a read is waited for.
    pub read_wait_ms: u16,
}

/// `[dws]`: the scale.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dws {
    /// Name of its node.
    pub node: String,
    /// Its trigger eye.
    pub at_mm: i32,
    /// After the head, how long a result is waited for.
    pub result_wait_ms: u16,
}

/// `[[diverter]]`: a wheel diverter with its arrival eye and its two chutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diverter {
    /// Name, unique among diverters.
    pub name: String,
    /// Name of its node.
    pub node: String,
    /// Its arrival eye, input `eye_arrival`.
    pub eye_at_mm: i32,
    /// Where its bed begins.
    pub bed_from_mm: i32,
    /// How long its bed is.
    pub bed_length_mm: u32,
    /// Speed of its wheels in per mille of the belt's.
    pub wheel_ratio_permille: u32,
    /// How long its wheels take to turn.
    pub switch_ms: u32,
    /// Number of the chute on its left.
    pub left: Option<u16>,
    /// Number of the chute on its right.
    pub right: Option<u16>,
    /// Equipment tag of its arrival eye that alarms print.
    pub tag: Option<String>,
    /// Terminal of its arrival eye that alarms print.
    pub terminal: Option<String>,
}

/// `[[chute]]`: a chute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chute {
    /// Number, as painted on it.
    pub number: u16,
    /// What it is for.
    pub role: ChuteRole,
    /// Name for operators.
    pub name_zh: Option<String>,
    /// What catches its parcels.
    pub kind: Option<ChuteKind>,
    /// Its full eye (input `full_left` or `full_right`) blocked for so long means full.
    pub full_delay_ms: Option<u32>,
    /// Pieces with which it is full.
    pub pieces_max: Option<u16>,
    /// Weight with which it is full.
    pub weight_max_g: Option<u32>,
    /// Pieces that its slide collects while the bag is changed.
    pub buffer_pieces: Option<u16>,
    /// Most parcels that are sent to it within `rate_span_ms`.
    pub rate_parcels: Option<u16>,
    /// Span of its rate limit.
    pub rate_span_ms: Option<u32>,
    /// Most length of parcels that is sent to it within `rate_span_ms`.
    pub rate_length_mm: Option<u32>,
}

/// What catches a chute's parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChuteKind {
    /// A bag with a label.
    Bag,
    /// A cage.
    Cage,
    /// Nothing but its slide.
    Slide,
}

/// What a chute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChuteRole {
    /// Parcels by plan.
    Sort,
    /// 综合异常口: parcels that the plan does not know.
    GeneralExceptions,
    /// 拦截管控口: parcels whose gate failed.
    Quarantine,
}

/// `[end]`: the end of the sorter belt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// What takes the parcels there.
    pub kind: Option<EndKind>,
    /// Name of the node that watches the end eye.
    pub node: String,
    /// The end eye, input `eye_end`.
    pub eye_at_mm: i32,
    /// Where parcels drop into the end chute or onto the return.
    pub drop_at_mm: i32,
    /// Passes of one waybill before it goes to the general exceptions; with a return.
    pub laps_max: Option<u8>,
    /// From the drop to the beginning of the first zone; with a return.
    pub return_ms: Option<u32>,
}

/// What takes the parcels at the end of the sorter belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// A chute.
    Chute,
    /// A conveyor back to the first zone.
    Return,
}

/// `[panel]`: the operator panel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Name of its node.
    pub node: String,
}

/// `[[estop]]`: a button or pull-cord that the safety circuit stops zones by, for people to know.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estop {
    /// Contact of the panel's node that tells of it, 1 or 2.
    pub contact: u8,
    /// Its name on the line.
    pub name: String,
    /// The same for operators.
    pub name_zh: Option<String>,
    /// Zones whose belts it stops.
    pub zones: Vec<String>,
}

/// `[tracking]`: tolerances of tracking.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// Position tolerance at the next eye, besides slip.
    pub tolerance_mm: u32,
    /// A parcel may arrive early by this share of the way.
    pub early_permille: u16,
    /// A parcel may arrive late by this share of the way.
    pub late_permille: u16,
    /// Length tolerance as a share of the length.
    pub length_percent: u16,
    /// Length tolerance at least.
    pub length_min_mm: u32,
    /// Longest parcel; longer is treated as touching parcels.
    pub length_max_mm: u32,
    /// Most parcels on the sorter belt.
    pub in_flight_max: u16,
    /// Heavier parcels go to the general exceptions; absent: no limit.
    pub weight_max_g: Option<u32>,
    /// Parcels with a longer side go to the general exceptions; absent: no limit.
    pub side_max_mm: Option<u16>,
}

/// `[gap]`: what the gap between parcels is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Standard deviation of the gap that the gapping zone makes.
    pub sigma_mm: u32,
    /// Margin between a turned bed and the next parcel.
    pub margin_mm: u32,
    /// Mean length of parcels; for the geometric limit and the gapping zone's leads.
    pub mean_length_mm: u32,
    /// Shortest parcel.
    pub shortest_length_mm: u32,
    /// Time that a diverted parcel needs to leave the bed beyond its own length.
    pub divert_settle_ms: u32,
}

/// `[timing]`: times of the whole line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Pre-start warning before any belt moves.
    pub prestart_ms: u32,
    /// Longest ramp of the sorter belt, up or down.
    pub ramp_ms: u32,
    /// Least time between the sending of an arm and the parcel's arrival at the eye.
    pub arm_lead_ms: u32,
    /// Time that a route answer may take after the code was read.
    pub route_ms: u32,
    /// Host silence after which every node falls to its safe state.
    pub lease_ms: u16,
    /// Oldest undurable journal record that is still no stall.
    pub stall_ms: u32,
    /// An eye blocked for longer while the belt runs is a jam; absent: 5 s.
    pub jam_ms: Option<u32>,
    /// The sorter belt sleeps when nothing came for this long; absent: never.
    pub sleep_s: Option<u32>,
}

/// `[hmi]`: screens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hmi {
    /// Address and port that the screens are served on.
    pub bind: String,
    /// Addresses whose screens may start and reset the line.
    pub panel_addresses: Vec<String>,
}

/// Why a text is not a line file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, after "failed to read the line file:".
    pub message: String,
    /// Where, as bytes of the text; `None` when the whole file is meant.
    pub span: Option<Range<usize>>,
}

impl core::fmt::Display for ParseError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "read the line file: {}", self.message)
    }
}

impl std::error::Error for ParseError {}

impl From<toml::de::Error> for ParseError {
    fn from(error: toml::de::Error) -> Self {
        Self { message: error.message().to_owned(), span: error.span() }
    }
}

impl LineFile {
    /// Reads the shapes; nothing but the shape is checked, and the first fault ends it.
    ///
    /// # Errors
    /// When the text is not TOML or not of this shape.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        toml::from_str(text).map_err(ParseError::from)
    }
}
