//! Addresses, blocks and node kinds.

use crate::address::ADDRESS_WORDS;
use crate::descriptor::{Access, Block, Register};
use crate::exchange::WRITE_WORDS;
use crate::status::{ARMED_WORDS, STATUS_WORDS};

/// Version of the maps in this crate; raised by every change of an address or a meaning, in a
/// commit of its own with a new golden file. A host refuses a node with another version.
pub const MAP_VERSION: u16 = 3;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Conveyor zone.
    Zone,
    /// Wheel diverter.
    Diverter,
    /// Barcode scanner.
    Scanner,
    /// Dimension, weigh, scan: here the weighing and measuring part.
    Dws,
    /// Operator panel with emergency-stop contacts, stack light and end eye.
    Panel,
}

impl NodeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Zone, Self::Diverter, Self::Scanner, Self::Dws, Self::Panel];

    /// The register value.
    pub const fn word(self) -> u16 {
        match self {
            Self::Zone => 1,
            Self::Diverter => 2,
            Self::Scanner => 3,
            Self::Dws => 4,
            Self::Panel => 5,
        }
    }

    /// The kind behind a register value.
    pub fn from_word(word: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The name in line files and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Diverter => "diverter",
            Self::Scanner => "scanner",
            Self::Dws => "dws",
            Self::Panel => "panel",
        }
    }

    /// Words of the kind's events block (R): the head, the check word and room for entries; at
    /// least one 48-byte code for a scanner.
    pub const fn event_words(self) -> u16 {
        match self {
            Self::Zone | Self::Diverter | Self::Dws | Self::Panel => 28,
            Self::Scanner => 64,
        }
    }
}

/// First address of the identity block.
pub const IDENTITY: u16 = 0x0000;
/// Words of the identity block.
pub const IDENTITY_WORDS: u16 = 10;
/// First address of the exchange's write block.
pub const WRITE: u16 = 0x0100;
/// First address of the events block.
pub const EVENTS: u16 = 0x0200;
/// First address of the status block.
pub const STATUS: u16 = 0x0300;
/// First address of the armed-list block.
pub const ARMED: u16 = 0x0400;
/// Address of the latch register.
pub const LATCH: u16 = 0x0500;
/// First address of the address block.
pub const ADDRESS: u16 = 0x0510;
/// First address of the settings block.
pub const SETTINGS: u16 = 0x0600;

const fn read(
    address: u16,
    words: u16,
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
) -> Register {
    Register { address, words, name, access: Access::Read, unit, reset: None, meaning }
}

const fn write(
    address: u16,
    words: u16,
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
) -> Register {
    Register { address, words, name, access: Access::Exchange, unit, reset: None, meaning }
}

const fn place(address: u16, words: u16, name: &'static str, meaning: &'static str) -> Register {
    Register { address, words, name, access: Access::Place, unit: "", reset: None, meaning }
}

/// Every block of every node, in order of address.
pub const BLOCKS: &[Block] = &[
    Block {
        address: IDENTITY,
        words: IDENTITY_WORDS,
        name: "identity",
        meaning: "Who the node is. Read once at connect by FC 03.",
        registers: &[
            read(0x0000, 1, "kind", "", "1 zone, 2 diverter, 3 scanner, 4 dws, 5 panel."),
            read(0x0001, 1, "map_version", "", "Version of this document that the node speaks."),
            read(
                0x0002,
                1,
                "identity_boot_id",
                "",
                "This boot's id, never 0; another value after each boot.",
            ),
            read(0x0003, 2, "serial_number", "", "Serial number of the node."),
            read(0x0005, 2, "firmware_hash", "", "First 32 bits of the firmware image's hash."),
            read(
                0x0007,
                1,
                "identity_event_words",
                "words",
                "Length of this node's events block (R).",
            ),
            read(
                0x0008,
                1,
                "identity_settings_hash",
                "",
                "Check word over the settings block with slave 0 and token 0.",
            ),
            read(
                0x0009,
                1,
                "identity_settings_words",
                "words",
                "Length of this node's settings block.",
            ),
        ],
    },
    Block {
        address: WRITE,
        words: WRITE_WORDS,
        name: "exchange",
        meaning: "The write half of FC 23 (0x17); always written whole. A block whose check word does not fit is answered with exception 03 and has no effect.",
        registers: &[
            write(0x0100, 1, "token", "", "Echoed in the read half of the same request."),
            write(
                0x0101,
                1,
                "owner",
                "",
                "Owner word, not 0. The node takes the first one and frees it at lease expiry; another owner gets verdict 3, no acknowledgement, no execution, no lease.",
            ),
            write(
                0x0102,
                1,
                "boot_id_expected",
                "",
                "0 polls without acknowledgement or command; any other value than this boot's gets verdict 4.",
            ),
            write(
                0x0103,
                1,
                "ack",
                "",
                "Every event up to this sequence may be forgotten. Taken only within first-1 to last, else ignored and counted.",
            ),
            write(
                0x0104,
                1,
                "command_sequence",
                "",
                "Only the last accepted + 1 is taken; a repetition of the last accepted repeats its verdict; a rejected command consumes no number.",
            ),
            write(
                0x0105,
                1,
                "operation",
                "",
                "0 none, 1 arm, 2 cancel, 3 cancel all, 4 set output, 5 latch.",
            ),
            write(0x0106, 11, "arguments", "", "By operation, see below; unused words 0."),
            write(
                0x0111,
                1,
                "exchange_check",
                "",
                "Check word over the slave address, the token and the 17 words before.",
            ),
        ],
    },
    Block {
        address: EVENTS,
        words: 0,
        name: "events",
        meaning: "Ring entries not yet acknowledged, oldest first. Length R by node kind. Reading alone forgets nothing.",
        registers: &[
            read(0x0200, 1, "events_token", "", "Token of this request; 0 when read by FC 03."),
            read(0x0201, 1, "events_boot_id", "", "This boot's id."),
            read(
                0x0202,
                1,
                "first_sequence",
                "",
                "Sequence of the first entry below, or of the next one to come.",
            ),
            read(
                0x0203,
                1,
                "count_and_flags",
                "",
                "Low byte: entries below. Bit 8: more wait. Bit 9: the ring has overflowed since boot.",
            ),
            read(0x0204, 1, "last_command", "", "Sequence of the last accepted command."),
            read(
                0x0205,
                1,
                "verdict",
                "",
                "0 none, 1 accepted, 2 wrong sequence, 3 not owner, 4 wrong boot, 5 queue full, 6 bad argument, 7 not supported.",
            ),
            read(0x0206, 2, "encoder", "counts", "The main encoder when the answer was formed."),
            read(
                0x0208,
                0,
                "entries",
                "",
                "Entries, see below; then zeros; the last word of the block is the check word.",
            ),
        ],
    },
    Block {
        address: STATUS,
        words: STATUS_WORDS,
        name: "status",
        meaning: "What the node says of itself.",
        registers: &[
            read(0x0300, 1, "status_token", "", "Token of this request; 0 when read by FC 03."),
            read(0x0301, 1, "status_boot_id", "", "This boot's id."),
            read(0x0302, 2, "uptime", "ms", "Since boot."),
            read(0x0304, 2, "status_encoder", "counts", "The main encoder."),
            read(0x0306, 2, "second_encoder", "counts", "Take-away encoder of a gapping zone."),
            read(0x0308, 1, "inputs", "", "Debounced inputs, bit n = input n."),
            read(0x0309, 1, "outputs", "", "Outputs that are not 0, bit n = output n."),
            read(0x030A, 1, "status_owner", "", "Owner that holds the node; 0 = nobody."),
            read(0x030B, 1, "lease_left", "ms", "0 = expired: safe state."),
            read(0x030C, 1, "settings_hash", "", "As in the identity block."),
            read(0x030D, 1, "latch_number", "", "Number of the last latch; 0 = none since boot."),
            read(0x030E, 2, "latch_count", "counts", "The main encoder captured by it."),
            read(0x0310, 1, "ring_used", "", "Entries not yet acknowledged."),
            read(0x0311, 1, "ring_lost", "", "Entries lost to overflow since boot, saturating."),
            read(
                0x0312,
                1,
                "ack_ignored",
                "",
                "Acknowledgements out of range since boot, saturating.",
            ),
            read(0x0313, 1, "frames_bad", "", "Frames dropped since boot, saturating."),
            read(0x0314, 1, "status_last_command", "", "Sequence of the last accepted command."),
            read(0x0315, 1, "reset_cause", "", "0 power on, 1 watchdog, 2 software."),
            read(0x0316, 3, "reserved", "", "0."),
            read(0x0319, 1, "status_check", "", "Check word of the block."),
        ],
    },
    Block {
        address: ARMED,
        words: ARMED_WORDS,
        name: "armed",
        meaning: "The arms that wait, oldest first; a restarted host adopts them.",
        registers: &[
            read(0x0400, 1, "armed_token", "", "Token of this request; 0 when read by FC 03."),
            read(0x0401, 1, "armed_boot_id", "", "This boot's id."),
            read(0x0402, 1, "armed_count", "", "How many tags count."),
            read(0x0403, 16, "armed_tags", "", "Eight tags of two words."),
            read(0x0413, 1, "armed_check", "", "Check word of the block."),
        ],
    },
    Block {
        address: LATCH,
        words: 1,
        name: "latch",
        meaning: "Written by FC 06, usually to slave 0: the encoder is captured at the frame's last byte.",
        registers: &[Register {
            address: 0x0500,
            words: 1,
            name: "latch",
            access: Access::Write,
            unit: "",
            reset: Some(0),
            meaning: "Number of this latch, not 0; reported in the status block with the count.",
        }],
    },
    Block {
        address: ADDRESS,
        words: ADDRESS_WORDS,
        name: "address",
        meaning: "Gives one node another slave address, even where two nodes share one: written whole by FC 16, to the node or to slave 0 (broadcast). The node answers under the old address, then has the new one and keeps it over restarts; nothing else of it changes.",
        registers: &[
            place(
                0x0510,
                2,
                "address_serial_number",
                "The node that is meant. A broadcast with another number has no effect; another number to this node alone: exception 03.",
            ),
            place(
                0x0512,
                1,
                "address_unit",
                "Its new slave address, 1 to 247; anything else: exception 03.",
            ),
            place(
                0x0513,
                1,
                "address_check",
                "Check word over the slave address of the request (0 = broadcast), token 0 and the three words before; a wrong one: exception 03.",
            ),
        ],
    },
    Block {
        address: SETTINGS,
        words: 0,
        name: "settings",
        meaning: "Settings, by node kind below; written whole by FC 16, refused with exception 03 when one is out of range.",
        registers: &[],
    },
];
