//! A journal of format 1, made by the program of that time on a real simulated line.

use super::*;

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
