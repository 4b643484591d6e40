//! Power cuts inside commits: the log ends at any byte, or its unsynced end is garbage.

use super::*;
use line_engine::record;
use line_model::{Line, Memory};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Bytes of the log's own head.
const HEAD: usize = 32;
/// Bytes of one frame of the log: a page and its header.
const FRAME: usize = 4_096 + 24;
/// What a disk writes as one.
const SECTOR: usize = 512;

/// A journal that was cut off: its file and log, and what was called durable at which length.
struct Torn {
    file: String,
    main: Vec<u8>,
    log: Vec<u8>,
    /// Length of the log and last record, whenever everything offered had become durable.
    durable: Vec<(usize, u64)>,
    records: Vec<Vec<u8>>,
    /// State behind as many records.
    states: Vec<Memory>,
}

impl Torn {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut engine, writer) = (example::engine(), start(dir.path()));
        let path = newest(dir.path());
        let file = files::name(&path);
        let log = path.with_file_name(format!("{file}-wal"));
        let durable = (0..5).map(|round| {
            let last = offer(&writer, work(&mut engine, round));
            wait(&writer, |progress| progress.durable >= last);
            (std::fs::read(&log).expect("a log").len(), last)
        });
        let durable: Vec<(usize, u64)> = durable.collect();
        let (main, log) =
            (std::fs::read(&path).expect("a file"), std::fs::read(&log).expect("a log"));
        let records = reader::records(dir.path()).expect("records");
        close(writer);
        let mut line = Line::new(example::line().engine.layout);
        let mut states = vec![line.memory().clone()];
        for bytes in &records {
            let decoded = record::decode(bytes).expect("our own record");
            line.handle(decoded.at, decoded.input, &mut Vec::new());
            states.push(line.memory().clone());
        }
        Self { file, main, log, durable, records, states }
    }

    /// Starts on this log: it must hold everything that was durable when the log was `synced` bytes
    /// long, and a whole beginning of the journal.
    fn check(&self, log: &[u8], synced: usize) {
        let dir = tempfile::tempdir().expect("a directory");
        let target = files::directory(dir.path());
        std::fs::create_dir(&target).expect("made");
        std::fs::write(target.join(&self.file), &self.main).expect("written");
        std::fs::write(target.join(format!("{}-wal", self.file)), log).expect("written");
        let verified = verify(dir.path()).expect("what is there holds").records;
        let found = reader::records(dir.path()).expect("records");
        let count = found.len();
        assert_eq!(u64::try_from(count).expect("few"), verified);
        assert!(found == self.records[..count], "a beginning of the journal");
        let kept = self.durable.iter().rev().find(|(length, _)| *length <= synced);
        let kept = kept.map_or(0, |(_, last)| *last);
        assert!(verified >= kept, "{verified} of {kept} durable records, {} bytes", log.len());
        match restore(dir.path()).expect("starts").start {
            Start::Resume { memory, next_record, .. } => {
                assert_eq!(next_record, verified + 1);
                assert!(memory == self.states[count], "the state behind record {verified}");
            }
            Start::Fresh => assert_eq!(verified, 0),
        }
    }
}

#[test]
fn a_log_that_ends_at_any_byte_keeps_what_was_durable() {
    let torn = Torn::new();
    let frames = torn.log.len().saturating_sub(HEAD) / FRAME;
    assert!(frames > 10, "{frames} frames");
    for frame in 0..=frames {
        let end = HEAD + frame * FRAME;
        for end in [end.saturating_sub(1), end, (end + 1).min(torn.log.len())] {
            torn.check(&torn.log[..end], end);
        }
    }
    TestRunner::new(units::repeat::repeatable(60))
        .run(&(0..=torn.log.len()), |end| {
            torn.check(&torn.log[..end], end);
            Ok(())
        })
        .expect("holds");
}

#[test]
fn sectors_that_never_reached_the_disk_cost_nothing_durable() {
    let torn = Torn::new();
    let some = (0..torn.durable.len(), any::<u64>(), any::<bool>());
    TestRunner::new(units::repeat::repeatable(60))
        .run(&some, |(commit, which, garbage)| {
            let (synced, _) = torn.durable[commit];
            let mut log = torn.log.clone();
            for (index, sector) in log[synced..].chunks_mut(SECTOR).enumerate() {
                if which >> (index % 64) & 1 == 1 {
                    sector.fill(if garbage { 0xA5 } else { 0 });
                }
            }
            torn.check(&log, synced);
            Ok(())
        })
        .expect("holds");
}

#[test]
fn a_start_reads_only_what_stands_behind_the_snapshot() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = closed(dir.path(), true);
    change(dir.path(), "UPDATE records SET bytes = zeroblob(9) WHERE number = 3");
    let Start::Resume { memory, .. } = restore(dir.path()).expect("starts").start else {
        panic!("there is a past");
    };
    assert_eq!(memory, *engine.line().memory());
    // Whoever verifies reads everything.
    assert!(matches!(verify(dir.path()), Err(JournalFault::Altered { number: 3, .. })));
}
