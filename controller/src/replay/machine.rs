//! The line handles every record again, and each decision is compared with the recorded one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use line_engine::record::{self, Decoded};
use line_engine::snapshot;
use line_model::decision::Decision;
use line_model::layout::Layout;
use line_model::signal::Input;
use line_model::{Line, Memory};
use units::Micros;

/// Where a replay begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The last record that the memory holds; 0 for a line that has never run.
    pub behind: u64,
    /// The line's memory behind that record; `None` for a line that has never run.
    pub memory: Option<Memory>,
    /// An instant on both clocks, when one before the first record is known.
    pub utc: Option<UtcPair>,
}

impl Beginning {
    /// A line that has never run.
    pub const NOTHING: Self = Self { behind: 0, memory: None, utc: None };
}

/// One instant on the engine's clock and on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcPair {
    /// Engine's clock.
    pub at: Micros,
    /// Microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
}

impl UtcPair {
    /// UTC at another instant of the engine's clock, as far as the two run alike.
    pub fn utc_at(self, at: Micros) -> u64 {
        let ahead = at.since(self.at).0;
        let behind = self.at.since(at).0;
        self.utc_us.saturating_add(ahead).saturating_sub(behind)
    }
}

/// One record, handled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The record.
    pub recorded: Decoded,
    /// Wall-clock time of the record, when known.
    pub utc_us: Option<u64>,
    /// What this program decides.
    pub now: Vec<Decision>,
    /// Offset of the first byte of the decisions that differs; `None` when all are the same.
    pub differs_at: Option<usize>,
}

impl Step {
    /// What differs, as a finding; `None` when nothing does.
    pub fn difference(&self) -> Option<Difference> {
        self.differs_at.map(|byte| Difference {
            number: self.recorded.number,
            at: self.recorded.at,
            utc_us: self.utc_us,
            input: self.recorded.input.clone(),
            recorded: self.recorded.decisions.clone(),
            now: self.now.clone(),
            byte,
        })
    }
}

/// A record whose decisions this program does not repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of the record.
    pub number: u64,
    /// When it was handled, on the engine's clock.
    pub at: Micros,
    /// The same in microseconds since 1970-01-01 UTC, when known.
    pub utc_us: Option<u64>,
    /// What happened.
    pub input: Input,
    /// What was decided then.
    pub recorded: Vec<Decision>,
    /// What is decided now.
    pub now: Vec<Decision>,
    /// Offset of the first different byte of the encoded decisions.
    pub byte: usize,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, at, byte, input, recorded, now, .. } = self;
        write!(
            f,
            "repeat record {number} at {} us: the decisions differ from byte {byte} on; on {input:?} \
             it was decided {recorded:?}, now {now:?}",
            at.0
        )
    }
}

impl std::error::Error for Difference {}

/// Why a replay cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayFault {
    /// A record cannot be decoded.
    Record {
        /// The number that it should have.
        number: u64,
        /// Why.
        why: record::Fault,
    },
    /// A record is missing or out of order.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The memory to begin with is of another layout.
    OtherLayout,
    /// The line panicked; its state is not known any more.
    Panicked {
        /// At which record.
        number: u64,
    },
    /// The state behind a record is not the one that the journal holds there.
    State {
        /// Behind which record.
        number: u64,
    },
    /// The decisions differ.
    Different(Box<Difference>),
}

impl std::fmt::Display for ReplayFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record { number, why } => write!(f, "decode record {number}: {why}"),
            Self::Gap { expected, found } => {
                write!(f, "find record {expected}: the next one is {found}")
            }
            Self::OtherLayout => f.write_str("begin: the snapshot is of another layout"),
            Self::Panicked { number } => write!(f, "repeat record {number}: the line panicked"),
            Self::State { number } => write!(
                f,
                "repeat the state behind record {number}: the snapshot there is another one"
            ),
            Self::Different(difference) => difference.fmt(f),
        }
    }
}

impl std::error::Error for ReplayFault {}

/// A line that handles records again.
#[derive(Clone, Debug)]
pub struct Replay {
    line: Line,
    next: u64,
    utc: Option<UtcPair>,
    done: u64,
}

impl Replay {
    /// Begins.
    ///
    /// # Errors
    /// When the memory is not of this layout.
    pub fn new(layout: &Layout, from: Beginning) -> Result<Self, ReplayFault> {
        let line = match from.memory {
            None => Line::new(layout.clone()),
            Some(memory) => {
                let fits = memory.nodes.len() == layout.nodes.len()
                    && memory.under.len() == layout.eyes.len();
                if !fits {
                    return Err(ReplayFault::OtherLayout);
                }
                Line::resume(layout.clone(), memory)
            }
        };
        Ok(Self { line, next: from.behind + 1, utc: from.utc, done: 0 })
    }

    /// Handles the next record; a difference is a finding of the step, not an error, and the line
    /// goes on with what it decides now.
    ///
    /// # Errors
    /// When the bytes are not the next record, or the line panics on it.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, ReplayFault> {
        let expected = self.next;
        let (recorded, decided) =
            record::split(bytes).map_err(|why| ReplayFault::Record { number: expected, why })?;
        if recorded.number != expected {
            return Err(ReplayFault::Gap { expected, found: recorded.number });
        }
        if let Input::WallClock { utc_us } | Input::WallClockStepped { utc_us, .. } = recorded.input
        {
            self.utc = Some(UtcPair { at: recorded.at, utc_us });
        }
        let (line, mut now) = (&mut self.line, Vec::new());
        // After an unwind neither the line nor the decisions are used again.
        let handled = catch_unwind(AssertUnwindSafe(|| {
            line.handle(recorded.at, recorded.input.clone(), &mut now);
        }));
        if handled.is_err() {
            return Err(ReplayFault::Panicked { number: expected });
        }
        self.next += 1;
        self.done += 1;
        let differs_at = first_difference(&decided, &record::encode_decisions(&now));
        let utc_us = self.utc.map(|pair| pair.utc_at(recorded.at));
        Ok(Step { recorded, utc_us, now, differs_at })
    }

    /// Compares the state with a snapshot that was taken behind the last record handled.
    ///
    /// # Errors
    /// When it is another state. A snapshot of an older version is passed over: it does not say
    /// what stands in today's memory. So is one of a newer version.
    pub fn compare(&self, snapshot: &[u8]) -> Result<(), ReplayFault> {
        let same = match snapshot::decode(snapshot) {
            Ok(_) if !snapshot::is_current(snapshot) => true,
            Ok(_) => snapshot::encode(self.line.memory()) == snapshot,
            Err(snapshot::Fault::Version { .. }) => true,
            Err(_) => false,
        };
        if same { Ok(()) } else { Err(ReplayFault::State { number: self.last() }) }
    }

    /// The last record handled, or the one that it began behind.
    pub const fn last(&self) -> u64 {
        self.next - 1
    }

    /// Records handled.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// The line as it is now.
    pub const fn line(&self) -> &Line {
        &self.line
    }

    /// The last known instant on both clocks.
    pub const fn utc(&self) -> Option<UtcPair> {
        self.utc
    }
}

fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    if one == other {
        return None;
    }
    let common = one.iter().zip(other).position(|(a, b)| a != b);
    Some(common.unwrap_or_else(|| one.len().min(other.len())))
}

/// What was replayed without a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Records handled.
    pub records: u64,
    /// Number of the last one.
    pub last: u64,
    /// The line's memory behind it.
    pub memory: Memory,
}

/// Lets the line handle `records` again, from `from` on.
///
/// # Errors
/// The first difference, or what keeps the replay from going on.
pub fn verify<B: AsRef<[u8]>>(
    layout: &Layout,
    from: Beginning,
    records: impl IntoIterator<Item = B>,
) -> Result<Replayed, ReplayFault> {
    let mut replay = Replay::new(layout, from)?;
    for bytes in records {
        if let Some(difference) = replay.step(bytes.as_ref())?.difference() {
            return Err(ReplayFault::Different(Box::new(difference)));
        }
    }
    let memory = replay.line.memory().clone();
    Ok(Replayed { records: replay.done, last: replay.last(), memory })
}
