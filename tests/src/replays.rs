//! Every journal that a test produces must replay to the bit, from nothing and from snapshots.
//!
//! Nobody has to ask for it: [`crate::disk::Disk`] replays what a run on virtual time writes, and
//! [`crate::process::Daemon`] what a real one has left. `cargo test --release -p system-tests --test
//! replay` shows besides that a changed decision is found and named.

use crate::harness::Harness;
use line_engine::{record, snapshot};
use line_model::layout::Layout;
use sortline::journal::JournalFault;
use sortline::replay::{self, Beginning, Recording, Replay};
use std::ops::ControlFlow;
use std::path::Path;

/// Replays a run's whole journal from nothing, and its tail from a snapshot behind every
/// `every`-th record; the states at the end must be the same.
///
/// # Panics
/// With the first difference.
pub fn run(harness: &Harness, every: usize) {
    let layout = &harness.fixed.line.engine.layout;
    records(layout, &harness.disk.records, every);
}

/// As [`run`], for records alone.
///
/// # Panics
/// With the first difference.
pub fn records(layout: &Layout, records: &[Vec<u8>], every: usize) {
    let whole = replay::verify(layout, Beginning::NOTHING, records);
    let whole = whole.unwrap_or_else(|fault| panic!("failed to {fault}"));
    assert_eq!(whole.records, count(records.len()));
    let mut line = Replay::new(layout, Beginning::NOTHING).expect("nothing fits every layout");
    for (index, bytes) in records.iter().enumerate() {
        if index > 0 && index % every.max(1) == 0 {
            let kept = snapshot::encode(line.line().memory());
            let memory = snapshot::decode(&kept).expect("our own snapshot");
            let behind = count(index);
            let from = Beginning { behind, memory: Some(memory), utc: None };
            let tail = replay::verify(layout, from, &records[index..]);
            let tail = tail.unwrap_or_else(|fault| panic!("behind {behind}: failed to {fault}"));
            assert_eq!(tail.memory, whole.memory, "snapshot {behind} + tail = full replay");
        }
        line.step(bytes).expect("replayed above");
    }
}

/// Replays everything that a data directory or file holds, and compares the state with every
/// snapshot in it; returns the records replayed.
///
/// # Panics
/// With the first difference, or when there is nothing to read.
pub fn path(path: &Path) -> u64 {
    let recording = Recording::open(path).unwrap_or_else(|fault| panic!("failed to {fault}"));
    let layout = recording.line().expect("a line file is kept inside").engine.layout;
    let beginning = recording.beginning().expect("it has a beginning");
    let snapshots = recording.snapshots().expect("readable");
    let behind = beginning.behind;
    let mut replay = Replay::new(&layout, beginning).expect("its own layout");
    recording
        .each(behind, |bytes| {
            let step = replay.step(bytes).unwrap_or_else(|fault| panic!("failed to {fault}"));
            if let Some(difference) = step.difference() {
                panic!("failed to {difference}");
            }
            if let Some(snapshot) = snapshots.get(&replay.last()) {
                replay.compare(snapshot).unwrap_or_else(|fault| panic!("failed to {fault}"));
            }
            ControlFlow::Continue(())
        })
        .expect("readable");
    replay.done()
}

/// As [`path`], where a daemon may have died before it wrote anything.
///
/// # Panics
/// With the first difference.
pub fn whatever_is_in(data: &Path) -> u64 {
    match sortline::journal::records(data) {
        Ok(records) if !records.is_empty() => path(data),
        Ok(_) | Err(JournalFault::Missing { .. }) => 0,
        Err(fault) => panic!("failed to {fault}"),
    }
}

/// The number that a record carries.
///
/// # Panics
/// When it is no record.
pub fn number(bytes: &[u8]) -> u64 {
    record::decode(bytes).expect("our own record").number
}

fn count(count: usize) -> u64 {
    u64::try_from(count).expect("few")
}
