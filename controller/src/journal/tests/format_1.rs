//! A journal of format 1, made by the program of that time on a real simulated line.

use super::*;
use crate::replay::{Beginning, Replay};
use line_engine::record;
use line_model::layout::Layout;

/// Twelve parcels of the fast line, stopped by SIGTERM.
const ONE: &[u8] = include_bytes!("fixtures/format-1.journal");

fn old() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join(FILE), ONE).expect("written");
    dir
}

#[test]
fn it_becomes_the_first_daily_file() {
    let dir = old();
    let before = Connection::open(dir.path().join(FILE)).expect("opens");
    let count = |connection: &Connection, table: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).expect("rows")
    };
    let last: Vec<u8> = before
        .query_row("SELECT head FROM heads ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .expect("a head");
    let tables = ["records", "heads", "marks", "files", "parcels", "story", "tally", "alarms"];
    let counts = tables.map(|table| count(&before, table));
    before.close().expect("closed");
    drop(open(dir.path()).expect("migrates"));
    let list = files::list(dir.path()).expect("files");
    assert_eq!(list.len(), 1);
    let after = files::open_to_read(&list[0]).expect("opens");
    assert_eq!(tables.map(|table| count(&after, table)), counts);
    let verified = verify(dir.path()).expect("holds");
    let last: [u8; 32] = last.try_into().expect("32 bytes");
    assert_eq!(verified.head, line_engine::chain::Head(last).hex(), "the chain is the same");
    assert_eq!(count(&after, "parcels"), 12);
    let days = reader::days(dir.path()).expect("read");
    assert!(days[0].ties() && days[0].inducted == 12, "{days:?}");
    assert_eq!(format!("{}.sqlite", days[0].day), days[0].file, "named by its own day");
    assert!(!dir.path().join(FILE).exists());
    let kept = std::fs::read(dir.path().join("journal.sqlite.format-1")).expect("kept");
    assert!(kept.len() == ONE.len(), "the original stays whole");
}

#[test]
fn a_snapshot_of_it_still_starts_a_line() {
    let dir = old();
    let store = open(dir.path()).expect("migrates");
    let found = crate::journal::snapshots::newest(&store.connection, u64::MAX >> 1);
    let found = found.expect("read").expect("its hash was made");
    assert!(found.number > 0);
    assert_eq!(found.memory.tally.inducted, 12);
    assert_eq!(restart::last(&store).expect("read").0, found.number);
}

/// The line file that the old journal keeps.
fn its_line(store: &Store) -> crate::config::Line {
    let (name, bytes) = restart::kept_file(store, FileKind::Line).expect("read").expect("kept");
    crate::config::check(&name, &bytes).expect("still a right line file")
}

/// Stands for a program that decides otherwise: it drives faster.
fn faster(mut layout: Layout) -> Layout {
    layout.zones.iter_mut().for_each(|zone| zone.speed.0 += 1);
    layout
}

#[test]
fn its_line_goes_on_with_records_of_today() {
    let dir = old();
    let mut store = open(dir.path()).expect("migrates");
    let line = its_line(&store);
    let past = restart::restore(&mut store, &line.engine.layout, UTC).expect("restores");
    assert_eq!(past.repeated, 0, "the snapshot of the orderly stop is enough");
    let Start::Resume { memory, next_record, .. } = &past.start else { panic!("there is a past") };
    assert_eq!(memory.tally.inducted, 12);
    let first = *next_record;
    let mut engine = Engine::new(line.engine.clone(), past.token, past.start);
    let writer = Writer::start(store).expect("starts");
    let mut out = Effects::default();
    engine.handle(past.now, Wake::WallClock { utc_us: UTC }, &mut out);
    let last = offer(&writer, out.records);
    close(writer);
    assert_eq!(verify(dir.path()).expect("one chain over both").records, last);
    let records = reader::records(dir.path()).expect("records");
    let versions: Vec<u8> = records.iter().map(|bytes| bytes[0]).collect();
    let older = usize::try_from(first - 1).expect("few");
    assert!(versions[..older].iter().all(|version| *version == 1));
    assert!(versions[older..].iter().all(|version| *version == record::FORMAT_VERSION));
    let mut store = open(dir.path()).expect("opens");
    let again = restart::restore(&mut store, &line.engine.layout, UTC).expect("restores");
    let Start::Resume { memory, .. } = again.start else { panic!("there is a past") };
    assert_eq!(memory, *engine.line().memory());
}

#[test]
fn what_it_decided_otherwise_is_a_difference_and_no_failure() {
    let dir = old();
    let store = open(dir.path()).expect("migrates");
    let layout = its_line(&store).engine.layout;
    drop(store);
    let records = reader::records(dir.path()).expect("records");
    let mut replay = Replay::new(&faster(layout), Beginning::NOTHING).expect("begins");
    let mut differences = 0;
    for bytes in &records {
        let step = replay.step(bytes).expect("goes on behind a difference");
        differences += u64::from(step.difference().is_some());
    }
    assert!(differences > 0);
    assert_eq!(replay.done(), records.len() as u64);
}

#[test]
fn a_tail_that_would_be_decided_otherwise_asks_for_the_older_program() {
    let dir = old();
    let store = open(dir.path()).expect("migrates");
    let layout = its_line(&store).engine.layout;
    drop(store);
    change(dir.path(), "DELETE FROM snapshots");
    let mut store = open(dir.path()).expect("opens");
    let fault = restart::restore(&mut store, &faster(layout), UTC).expect_err("decides otherwise");
    assert!(matches!(fault, JournalFault::Decisions { older: true, .. }), "{fault}");
    let words = fault.to_string();
    assert!(words.contains("an older program wrote it"), "{words}");
}

#[test]
fn a_cut_before_the_original_is_put_away_is_finished_by_the_next_start() {
    let dir = old();
    drop(open(dir.path()).expect("migrates"));
    std::fs::rename(dir.path().join("journal.sqlite.format-1"), dir.path().join(FILE))
        .expect("renamed");
    drop(open(dir.path()).expect("goes on"));
    assert!(!dir.path().join(FILE).exists());
    assert_eq!(files::list(dir.path()).expect("files").len(), 1);
}

#[test]
fn a_damaged_one_is_refused_and_stays() {
    let dir = old();
    Connection::open(dir.path().join(FILE))
        .and_then(|connection| {
            connection.execute("UPDATE records SET bytes = zeroblob(30) WHERE number = 20", [])
        })
        .expect("changed");
    let fault = open(dir.path()).expect_err("altered");
    assert!(matches!(fault, JournalFault::Chain { number: 20.., .. }), "{fault}");
    assert!(dir.path().join(FILE).exists());
    assert_eq!(files::list(dir.path()).expect("files").len(), 0);
}

#[test]
fn one_beside_files_that_do_not_come_from_it_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), false);
    std::fs::write(dir.path().join(FILE), ONE).expect("written");
    let fault = open(dir.path()).expect_err("two journals");
    assert!(matches!(fault, JournalFault::Joint { .. }), "{fault}");
}

#[test]
fn a_newer_format_is_refused_in_clear_words() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), false);
    Connection::open(newest(dir.path()))
        .and_then(|connection| connection.pragma_update(None, "user_version", 3))
        .expect("changed");
    for fault in [open(dir.path()).expect_err("newer"), verify(dir.path()).expect_err("newer")] {
        let words = fault.to_string();
        assert!(words.contains("format 3, from a newer program"), "{words}");
    }
}
