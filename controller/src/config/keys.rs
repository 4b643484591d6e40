//! Every key of the files with type, range and meaning: the one table behind the checks and
//! `CONFIG.md`.

mod plan;

pub use plan::PLAN;

use line_model::limits::RATE_MAX;
use registers::NodeKind;
use registers::descriptor::Setting;
use registers::points::diverter::FULL_MS;
use registers::points::{SETTING_DEBOUNCE, SETTING_LEASE, SETTING_OWN};

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Path with element numbers left out, such as `diverter[].switch_ms`.
    pub path: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// What happens without it; `None` = it is required.
    pub absent: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
}

/// Type and range of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One table.
    Table,
    /// Repeated tables, this many.
    Tables(usize, usize),
    /// An integer in this inclusive range.
    Integer(i64, i64),
    /// A string of 1 to this many characters.
    Text(usize),
    /// A string that may be empty, of at most this many characters.
    Prefix(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// true or false.
    Boolean,
    /// A list of strings, this many, each of at most 64 characters.
    Texts(usize, usize),
}

impl Kind {
    /// The type in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::Tables(..) => "repeated tables",
            Self::Integer(..) => "an integer",
            Self::Text(_) | Self::Prefix(_) => "a string",
            Self::Word(_) => "a word",
            Self::Boolean => "a boolean",
            Self::Texts(..) => "a list of strings",
        }
    }

    /// The range in words; empty for a table.
    pub fn range(self) -> String {
        match self {
            Self::Table => String::new(),
            Self::Tables(min, max) => format!("{min} to {max} of them"),
            Self::Integer(min, max) => format!("{min} to {max}"),
            Self::Text(max) => format!("1 to {max} characters"),
            Self::Prefix(max) => format!("0 to {max} characters"),
            Self::Word(words) => words.join(", "),
            Self::Boolean => "true, false".to_owned(),
            Self::Texts(min, max) => format!("{min} to {max} strings"),
        }
    }
}

const fn key(path: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { path, kind, absent: None, meaning }
}

const fn optional(
    path: &'static str,
    kind: Kind,
    absent: &'static str,
    meaning: &'static str,
) -> Key {
    Key { path, kind, absent: Some(absent), meaning }
}

const fn setting(kind: NodeKind, index: usize) -> Kind {
    let Setting { min, max, .. } = kind.settings()[index];
    Kind::Integer(min as i64, max as i64)
}

const NAME: Kind = Kind::Text(32);
const TAG: Kind = Kind::Text(64);
const PLACE_MM: Kind = Kind::Integer(-100_000, 200_000);
const LEASE: Kind = setting(NodeKind::Zone, SETTING_LEASE);
const DEBOUNCE: Kind = setting(NodeKind::Zone, SETTING_DEBOUNCE);
const READ_WAIT: Kind = setting(NodeKind::Scanner, SETTING_OWN);
const RESULT_WAIT: Kind = setting(NodeKind::Dws, SETTING_OWN);
const NODE_KINDS: &[&str] = &["zone", "diverter", "scanner", "dws", "panel"];
const CHUTE_KINDS: &[&str] = &["bag", "cage", "slide"];
const ENDS: &[&str] = &["chute", "return"];
const ROLES: &[&str] = &["sort", "general_exceptions", "quarantine"];

/// Keys of a line file.
pub const LINE: &[Key] = &[
    key("line", Kind::Table, "What the line is called and by whom its nodes are owned."),
    key("line.name", Kind::Text(64), "Name of the line on screens and in reports."),
    key("line.name_zh", Kind::Text(64), "The same for operators."),
    key("line.owner", Kind::Integer(1, 65_535), "Owner word: a node obeys one owner at a time."),
    key(
        "line.simulated",
        Kind::Boolean,
        "A simulator stands in for the line; shown on every screen.",
    ),
    key("encoder", Kind::Tables(1, 16), "An encoder on one belt."),
    key("encoder[].name", NAME, "Name, unique among encoders."),
    key(
        "encoder[].counts_per_metre",
        Kind::Integer(200, 5_000),
        "Counts a metre of belt, measured over 10 m of tape.",
    ),
    key(
        "bus",
        Kind::Tables(1, 128),
        "A serial segment or one TCP connection; the order gives the bus numbers.",
    ),
    key("bus[].name", NAME, "Name, unique among buses."),
    key("bus[].kind", Kind::Word(&["rtu", "tcp"]), "Modbus RTU over a serial port, or Modbus TCP."),
    optional("bus[].port", Kind::Text(128), "required for rtu, refused for tcp", "Serial port."),
    optional(
        "bus[].address",
        Kind::Text(128),
        "required for tcp, refused for rtu",
        "host:port of the connection.",
    ),
    optional(
        "bus[].baud",
        Kind::Integer(9_600, 921_600),
        "required for rtu, refused for tcp",
        "Bits a second.",
    ),
    optional(
        "bus[].parity",
        Kind::Word(&["even", "odd", "none"]),
        "required for rtu, refused for tcp",
        "Parity.",
    ),
    optional(
        "bus[].stop_bits",
        Kind::Integer(1, 2),
        "required for rtu, refused for tcp",
        "Stop bits.",
    ),
    optional(
        "bus[].echo",
        Kind::Word(&["absent", "present", "detect"]),
        "detect; refused for tcp",
        "Whether the adapter hears what it sends; detect finds out each time the port opens.",
    ),
    optional(
        "bus[].rs485",
        Kind::Word(&["auto", "kernel"]),
        "auto; refused for tcp",
        "Who switches the driver's direction: the adapter itself, or the kernel by RTS.",
    ),
    key(
        "bus[].answer_timeout_ms",
        Kind::Integer(5, 2_000),
        "An answer that takes longer counts as lost.",
    ),
    key(
        "bus[].turnaround_ms",
        Kind::Integer(0, 200),
        "Longest pause of a node between request and answer.",
    ),
    key("node", Kind::Tables(1, 200), "A node; the order gives the node numbers."),
    key("node[].name", NAME, "Name, unique among nodes."),
    key("node[].kind", Kind::Word(NODE_KINDS), "What the node is."),
    key("node[].bus", NAME, "Name of its bus."),
    key("node[].unit", Kind::Integer(1, 247), "Modbus unit number, unique on its bus."),
    key(
        "node[].encoder",
        NAME,
        "Name of the encoder that it counts: that of the belt its eyes look at.",
    ),
    key("node[].debounce_ms", DEBOUNCE, "An input counts once it was stable this long."),
    optional(
        "node[].lease_ms",
        LEASE,
        "timing.lease_ms",
        "Host silence after which this node falls to its safe state.",
    ),
    key(
        "zone",
        Kind::Tables(2, 16),
        "A belt with its own drive, from infeed to sorter belt; the last one is the sorter belt.",
    ),
    key("zone[].name", NAME, "Name, unique among zones."),
    key("zone[].node", NAME, "Its node, of kind zone."),
    key("zone[].from_mm", PLACE_MM, "Where it begins."),
    key("zone[].to_mm", PLACE_MM, "Where it ends: where the next one begins."),
    key("zone[].speed_mm_s", Kind::Integer(100, 3_000), "Nominal speed."),
    key("zone[].accel_mm_s2", Kind::Integer(100, 20_000), "Ramp of its drive, up and down."),
    key(
        "zone[].mode",
        Kind::Word(&["accumulate", "gapping", "transport"]),
        "How it moves. The zone ahead of the sorter belt is the gapping one, the sorter belt transports.",
    ),
    optional(
        "zone[].exit_eye_mm",
        PLACE_MM,
        "required unless the mode is transport",
        "Its eye near the downstream end (input eye_exit).",
    ),
    optional(
        "zone[].wired_ready_from",
        NAME,
        "required when the mode is accumulate",
        "Next zone, whose READY output is wired to this zone's DOWNSTREAM_READY input.",
    ),
    key(
        "eye",
        Kind::Tables(2, 2),
        "The two eyes on the sorter belt ahead of the diverters: induction, then tunnel exit.",
    ),
    key("eye[].name", NAME, "Name, unique among eyes."),
    key("eye[].node", NAME, "The node that watches it, of kind zone."),
    key("eye[].input", Kind::Word(&["eye_a", "eye_b"]), "The node's input."),
    key("eye[].at_mm", PLACE_MM, "Where it looks; the induction eye at 0."),
    optional("eye[].tag", TAG, "none", "Equipment tag that alarms print."),
    optional("eye[].terminal", TAG, "none", "Terminal that alarms print."),
    key("scanner", Kind::Table, "The barcode scanner of the tunnel."),
    key("scanner.node", NAME, "Its node, of kind scanner."),
    key("scanner.at_mm", PLACE_MM, "Its trigger eye."),
    key("scanner.read_wait_ms", READ_WAIT, "After the tail, how long a read is waited for."),
    optional(
        "rescanner",
        Kind::Tables(0, 8),
        "no re-scan",
        "A scanner that reads once more behind diverters.",
    ),
    key("rescanner[].node", NAME, "Its node, of kind scanner."),
    key("rescanner[].at_mm", PLACE_MM, "Its trigger eye."),
    key("rescanner[].read_wait_ms", READ_WAIT, "After the tail, how long a read is waited for."),
    optional("dws", Kind::Table, "a line without a scale", "The scale of the tunnel."),
    key("dws.node", NAME, "Its node, of kind dws."),
    key("dws.at_mm", PLACE_MM, "Its trigger eye."),
    key("dws.result_wait_ms", RESULT_WAIT, "After the head, how long a result is waited for."),
    key(
        "diverter",
        Kind::Tables(1, 32),
        "A wheel diverter, in the order that a parcel passes them.",
    ),
    key("diverter[].name", NAME, "Name, unique among diverters."),
    key("diverter[].node", NAME, "Its node, of kind diverter."),
    key("diverter[].eye_at_mm", PLACE_MM, "Its arrival eye (input eye_arrival)."),
    key("diverter[].bed_from_mm", PLACE_MM, "Where its wheel bed begins."),
    key("diverter[].bed_length_mm", Kind::Integer(50, 2_000), "Length of the bed."),
    key(
        "diverter[].wheel_ratio_permille",
        Kind::Integer(800, 1_500),
        "Speed of its wheels against the belt's.",
    ),
    key("diverter[].switch_ms", Kind::Integer(20, 1_000), "Time in which its wheels turn."),
    optional(
        "diverter[].left",
        Kind::Integer(1, 9_999),
        "no chute on this side",
        "Number of the chute on its left.",
    ),
    optional(
        "diverter[].right",
        Kind::Integer(1, 9_999),
        "no chute on this side",
        "Number of the chute on its right.",
    ),
    optional("diverter[].tag", TAG, "none", "Equipment tag of its arrival eye that alarms print."),
    optional("diverter[].terminal", TAG, "none", "Terminal of its arrival eye that alarms print."),
    key("chute", Kind::Tables(1, 64), "A chute."),
    key("chute[].number", Kind::Integer(1, 9_999), "Number, as painted on it."),
    key(
        "chute[].role",
        Kind::Word(ROLES),
        "What it is for; of three chutes and more, exactly one for general exceptions and one for quarantine; with a return, one for general exceptions in any case.",
    ),
    optional("chute[].name_zh", Kind::Text(64), "its number", "Name for operators."),
    optional("chute[].kind", Kind::Word(CHUTE_KINDS), "slide", "What catches its parcels."),
    optional(
        "chute[].full_delay_ms",
        Kind::Integer(FULL_MS as i64, 60_000),
        "no full eye",
        "It has a full eye (input full_left or full_right), and this long blocked means full; the node itself refuses from 2500 ms on.",
    ),
    optional(
        "chute[].pieces_max",
        Kind::Integer(1, 10_000),
        "no limit",
        "Pieces with which it is full.",
    ),
    optional(
        "chute[].weight_max_g",
        Kind::Integer(1_000, 2_000_000),
        "no limit",
        "Weight with which it is full.",
    ),
    optional(
        "chute[].buffer_pieces",
        Kind::Integer(1, 50),
        "it is locked meanwhile",
        "While its bag is changed the slide collects so many pieces.",
    ),
    optional(
        "chute[].rate_parcels",
        Kind::Integer(1, (RATE_MAX / 2) as i64),
        "no limit",
        "Most parcels that are sent to it within rate_span_ms; the next one goes to another chute of its key.",
    ),
    optional(
        "chute[].rate_span_ms",
        Kind::Integer(1_000, 3_600_000),
        "60000",
        "Span of its rate limit.",
    ),
    optional(
        "chute[].rate_length_mm",
        Kind::Integer(500, 1_000_000),
        "no limit",
        "Most length of parcels that is sent to it within rate_span_ms.",
    ),
    key("end", Kind::Table, "The end of the sorter belt."),
    optional(
        "end.kind",
        Kind::Word(ENDS),
        "chute",
        "What takes the parcels there: a chute, or a return conveyor that brings them to the beginning of the first zone, where fresh ones give way.",
    ),
    key("end.node", NAME, "The node that watches the end eye (input eye_end), of kind panel."),
    key("end.eye_at_mm", PLACE_MM, "The end eye."),
    key("end.drop_at_mm", PLACE_MM, "Where parcels drop: where the sorter belt ends."),
    optional(
        "end.laps_max",
        Kind::Integer(1, 20),
        "required for return, refused for chute",
        "Passes of one waybill; behind these it goes to the general exceptions.",
    ),
    optional(
        "end.return_ms",
        Kind::Integer(3_000, 600_000),
        "required for return, refused for chute",
        "From the drop round to the first zone, when nothing waits there.",
    ),
    key("panel", Kind::Table, "The operator panel."),
    key("panel.node", NAME, "Its node, of kind panel."),
    optional("estop", Kind::Tables(0, 2), "numbers alone", "Emergency stops by name, for people."),
    key("estop[].contact", Kind::Integer(1, 2), "Contact of the panel's node that tells of it."),
    key("estop[].name", NAME, "Its name on the line."),
    optional("estop[].name_zh", NAME, "its name", "The same for operators."),
    key("estop[].zones", Kind::Texts(1, 8), "Zones whose belts its safety circuit stops."),
    key("tracking", Kind::Table, "When a sighting fits a parcel."),
    key(
        "tracking.tolerance_mm",
        Kind::Integer(5, 500),
        "Position tolerance at the next eye, besides slip.",
    ),
    key(
        "tracking.early_permille",
        Kind::Integer(0, 300),
        "A parcel may arrive early by this share of the way.",
    ),
    key(
        "tracking.late_permille",
        Kind::Integer(0, 300),
        "A parcel may arrive late by this share of the way.",
    ),
    key(
        "tracking.length_percent",
        Kind::Integer(1, 50),
        "Length tolerance as a share of the length.",
    ),
    key("tracking.length_min_mm", Kind::Integer(5, 500), "Length tolerance at least."),
    key(
        "tracking.length_max_mm",
        Kind::Integer(200, 3_000),
        "Longest parcel; longer is treated as touching parcels.",
    ),
    key("tracking.in_flight_max", Kind::Integer(1, 200), "Most parcels on the sorter belt."),
    optional(
        "tracking.weight_max_g",
        Kind::Integer(100, 60_000),
        "no limit",
        "Heavier parcels go to the general exceptions.",
    ),
    optional(
        "tracking.side_max_mm",
        Kind::Integer(100, 3_000),
        "no limit",
        "Parcels with a longer side, as the scale's frame measured it, go to the general exceptions.",
    ),
    key("gap", Kind::Table, "What the gap between parcels is made of."),
    key(
        "gap.sigma_mm",
        Kind::Integer(0, 300),
        "Standard deviation of the gaps that the gapping zone makes.",
    ),
    key("gap.margin_mm", Kind::Integer(0, 500), "Margin between a turned bed and the next parcel."),
    key("gap.mean_length_mm", Kind::Integer(50, 2_000), "Mean parcel length."),
    key(
        "gap.shortest_length_mm",
        Kind::Integer(50, 1_000),
        "Shortest parcel: stopped by the gapping zone, it still covers the exit eye.",
    ),
    key(
        "gap.divert_settle_ms",
        Kind::Integer(0, 1_000),
        "A diverted parcel leaves the bed this much later than its length says.",
    ),
    key("timing", Kind::Table, "Times of the whole line."),
    key(
        "timing.prestart_ms",
        Kind::Integer(1_000, 60_000),
        "Pre-start warning before any belt moves.",
    ),
    key(
        "timing.ramp_ms",
        Kind::Integer(100, 20_000),
        "Longest ramp of the sorter belt, up or down.",
    ),
    key(
        "timing.arm_lead_ms",
        Kind::Integer(20, 5_000),
        "Least time between the sending of an arm and the parcel's arrival at the eye.",
    ),
    key(
        "timing.route_ms",
        Kind::Integer(1, 10_000),
        "Time that a route answer may take after the code was read.",
    ),
    key("timing.lease_ms", LEASE, "Host silence after which every node falls to its safe state."),
    key(
        "timing.stall_ms",
        Kind::Integer(50, 10_000),
        "A journal record may wait this long for the disk.",
    ),
    optional(
        "timing.jam_ms",
        Kind::Integer(1_000, 65_000),
        "5000",
        "An eye blocked for longer while the belt runs is a jam: the line is held.",
    ),
    optional(
        "timing.sleep_s",
        Kind::Integer(10, 86_400),
        "it never sleeps",
        "The sorter belt sleeps when nothing came for this long, and wakes with the pre-start warning.",
    ),
    key("hmi", Kind::Table, "Screens."),
    key("hmi.bind", Kind::Text(64), "IP address and port that the screens are served on."),
    key(
        "hmi.panel_addresses",
        Kind::Texts(0, 16),
        "IP addresses or networks whose screens may start and reset the line.",
    ),
    optional("journal", Kind::Table, "every default", "The journal; see JOURNAL.md."),
    optional(
        "journal.day_start_min",
        Kind::Integer(0, 1_439),
        "360, which is 06:00",
        "When the business day begins and with it the next file: minutes after local midnight.",
    ),
    optional(
        "journal.utc_offset_min",
        Kind::Integer(-720, 840),
        "480, which is Asia/Shanghai",
        "Local time of the business day minus UTC in minutes; screens and reports show Asia/Shanghai.",
    ),
    optional(
        "journal.postpone_max_min",
        Kind::Integer(0, 1_440),
        "240",
        "How many minutes the next file waits for a line without parcels.",
    ),
    optional(
        "journal.retention_days",
        Kind::Integer(1, 3_650),
        "180",
        "Days that a file is kept after its own; whole files are deleted, with a record of it.",
    ),
    optional(
        "journal.snapshot_records",
        Kind::Integer(1_000, 1_000_000),
        "10000",
        "Records between two snapshots: a restart repeats no more than these.",
    ),
    optional(
        "journal.log_soft_mib",
        Kind::Integer(1, 1_024),
        "16",
        "MiB of write-ahead log at which it is moved into the file.",
    ),
    optional(
        "journal.log_max_mib",
        Kind::Integer(2, 4_096),
        "256",
        "MiB of write-ahead log at which nothing more is committed until readers let go of it.",
    ),
    optional("flight", Kind::Table, "every default", "Flight recorder: raw frames of every bus."),
    optional(
        "flight.memory_mib",
        Kind::Integer(1, 1_024),
        "32",
        "MiB of frames in memory, twice as many while a dump is written; beyond it the oldest go.",
    ),
    optional(
        "flight.minutes",
        Kind::Integer(1, 120),
        "10",
        "Age in minutes at which frames in memory are forgotten.",
    ),
    optional(
        "flight.dump_every_s",
        Kind::Integer(10, 3_600),
        "60",
        "Least seconds between two dumps that alarms ask for; a dump comes 5 s behind the alarm.",
    ),
    optional(
        "flight.dumps_max",
        Kind::Integer(1, 1_000),
        "64",
        "Dumps that are kept; one more and the oldest is deleted.",
    ),
    optional(
        "flight.disk_mib",
        Kind::Integer(2, 65_536),
        "512",
        "MiB of dumps that are kept; before more, the oldest are deleted.",
    ),
    optional("clock", Kind::Table, "every default", "What is believed of the host's wall clock."),
    optional(
        "clock.step_ms",
        Kind::Integer(100, 3_600_000),
        "1000",
        "A wall clock that jumps by more, either way, is logged and journaled at once; slewing is none.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn paths_are_unique_and_have_parents() {
        for table in [LINE, PLAN] {
            let paths: BTreeSet<_> = table.iter().map(|key| key.path).collect();
            assert_eq!(paths.len(), table.len());
            for path in &paths {
                if let Some((parent, _)) = path.rsplit_once('.') {
                    assert!(paths.contains(parent.trim_end_matches("[]")), "{path}");
                }
            }
        }
    }
}
