//! Shapes of what a site decides about records, frames and clocks; every key may be absent.

use serde::Deserialize;

/// `[journal]`: business day, retention and sizes of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalPolicy {
    /// When the business day begins, in minutes after local midnight.
    pub day_start_min: Option<u16>,
    /// Local time of the business day minus UTC, in minutes.
    pub utc_offset_min: Option<i16>,
    /// How long the next day's file waits for a line without parcels.
    pub postpone_max_min: Option<u16>,
    /// Days that a file is kept after its own.
    pub retention_days: Option<u32>,
    /// Records between two snapshots.
    pub snapshot_records: Option<u32>,
    /// Write-ahead log at which it is moved into the file.
    pub log_soft_mib: Option<u32>,
    /// Write-ahead log at which nothing more is committed.
    pub log_max_mib: Option<u32>,
}

/// `[flight]`: the raw frames of the last minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlightPolicy {
    /// Memory for frames.
    pub memory_mib: Option<u32>,
    /// Age at which frames are forgotten.
    pub minutes: Option<u16>,
    /// Least time between two dumps that alarms ask for.
    pub dump_every_s: Option<u16>,
    /// Dumps that are kept.
    pub dumps_max: Option<u16>,
    /// Disk for dumps.
    pub disk_mib: Option<u32>,
}

/// `[clock]`: what is believed of the wall clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockPolicy {
    /// A wall clock that jumps by more than this is told by an alarm.
    pub step_ms: Option<u32>,
}
