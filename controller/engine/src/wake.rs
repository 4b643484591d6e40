//! The two closed lists that are the map of the whole program: what may wake the engine and what
//! it asks of the world.

use crate::door::Door;
use alloc::string::String;
use alloc::vec::Vec;
use line_model::Memory;
use line_model::ids::ParcelId;
use line_model::layout::Layout;
use line_model::plan::{Facts, Plan};
use line_model::signal::{Command, Deed, File};
use line_model::view::LineView;
use node_link::{BusId, BusSetup, BusView, LinkLimits, Mark, Outcome, Transmit};
use units::Micros;

/// Everything that an engine is built from besides its past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSetup {
    /// The line.
    pub layout: Layout,
    /// Its buses; [`BusId`] is the index.
    pub buses: Vec<BusSetup>,
    /// Times.
    pub limits: EngineLimits,
    /// What of a reader's codes passes.
    pub door: Door,
}

/// Times of the engine and its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Age of the oldest record that is not durable at which the journal counts as stalled.
    pub stall: Micros,
    /// Times of the links.
    pub link: LinkLimits,
}

impl Default for EngineLimits {
    fn default() -> Self {
        Self { stall: Micros::from_millis(500), link: LinkLimits::default() }
    }
}

/// One thing that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake<'a> {
    /// The bus can be used.
    BusUp {
        /// Which one.
        bus: BusId,
    },
    /// The bus cannot be opened or was unplugged.
    BusDown {
        /// Which one.
        bus: BusId,
    },
    /// The outstanding exchange of a bus has ended.
    Exchange {
        /// Which bus.
        bus: BusId,
        /// How.
        outcome: Outcome<'a>,
    },
    /// Every record up to this number is on disk.
    Durable {
        /// The number.
        record: u64,
    },
    /// The answer to a [`Question`].
    Route {
        /// Whose question.
        parcel: ParcelId,
        /// What is known; `None` = not in the manifest.
        facts: Option<Facts>,
    },
    /// A person's command from a screen.
    Command {
        /// What.
        command: Command,
        /// Who.
        by: String,
        /// Why, in the person's words; empty when nobody said.
        reason: String,
    },
    /// What a person did at a chute or with a parcel, or wants done.
    Deed {
        /// What.
        deed: Deed,
        /// Who.
        by: String,
        /// Why; may be empty.
        reason: String,
    },
    /// A person selected a plan.
    SelectPlan {
        /// The plan.
        plan: Plan,
    },
    /// Wall-clock time, for people.
    WallClock {
        /// Microseconds since 1970-01-01 UTC.
        utc_us: u64,
    },
    /// The wall clock jumped.
    WallClockStepped {
        /// What it reads now, microseconds since 1970-01-01 UTC.
        utc_us: u64,
        /// How far that is ahead of what it should read; negative = back.
        by_us: i64,
    },
    /// The controller works by another file than before.
    FileTaken {
        /// Which kind of file.
        file: File,
        /// Its name, without the directory.
        name: String,
        /// Hash of its content (blake3).
        hash: [u8; 32],
        /// Who.
        by: String,
        /// Why, in the person's words; empty when nobody said.
        reason: String,
    },
    /// A deadline may have come.
    Timer,
}

/// What the world must do; the caller clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Requests, at most one a bus.
    pub transmit: Vec<Transmit>,
    /// Records for the journal, in order.
    pub records: Vec<Record>,
    /// Questions to the manifest.
    pub questions: Vec<Question>,
}

impl Effects {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.transmit.clear();
        self.records.clear();
        self.questions.clear();
    }
}

/// One journal record: one input with its decisions, and the marks of its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number; consecutive.
    pub number: u64,
    /// When it was handled.
    pub at: Micros,
    /// Its bytes, see [`record`](crate::record).
    pub bytes: Vec<u8>,
    /// Marks that have changed; same transaction.
    pub marks: Vec<Mark>,
}

/// A question to the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// For whom.
    pub parcel: ParcelId,
    /// The code read.
    pub code: String,
}

/// Where an engine begins.
#[expect(clippy::large_enum_variant, reason = "built once and taken apart at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A line that has never run.
    Fresh,
    /// A line with a journal behind it.
    Resume {
        /// Its memory: the last snapshot with the records after it.
        memory: Memory,
        /// The newest mark of each node.
        marks: Vec<Mark>,
        /// Number of the next record; everything before it is durable.
        next_record: u64,
        /// From the last record to now.
        away: Micros,
    },
}

/// What an engine shows of itself: plain data, never journaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineView {
    /// The line.
    pub line: LineView,
    /// Its buses, in the order of the setup.
    pub buses: Vec<BusView>,
    /// The last durable record.
    pub durable: u64,
    /// Records that are not durable yet.
    pub pending: usize,
}
