//! Disks that are full or slow, and readers that hold the log.

use super::*;

/// A journal that may grow by few pages only; a big kept file is the room that can be freed.
fn narrow(dir: &Path) -> Writer {
    let writer = start(dir);
    let bytes = vec![7; 400_000];
    let name = "manifest.csv".to_owned();
    let file = KeptFile { kind: FileKind::Manifest, name, bytes, utc_us: UTC };
    writer.offer(Entry::File(file)).expect("room");
    close(writer);
    let store = open(dir).expect("opens");
    let pages: i64 =
        store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("pages");
    store.connection.pragma_update(None, "max_page_count", pages + 8).expect("set");
    Writer::start(store).expect("starts")
}

#[test]
fn a_full_disk_drops_nothing_and_heals_by_itself() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    let writer = narrow(dir.path());
    let last = (0..80).map(|round| offer(&writer, work(&mut engine, round))).max().expect("rounds");
    let failing = wait(&writer, |progress| progress.failing.is_some());
    assert!(failing.durable < last);
    assert!(failing.failing.as_deref().is_some_and(|why| why.contains("full")), "{failing:?}");
    change(dir.path(), "DELETE FROM files");
    let healed = wait(&writer, |progress| progress.durable >= last);
    assert_eq!(healed.failing, None);
    close(writer);
    assert_eq!(verify(dir.path()).expect("holds").records, last);
}

#[test]
fn a_roll_on_a_full_disk_leaves_the_present_file_in_use() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = days::of_days(dir.path(), 1);
    let mut engine = engine;
    let writer = start(dir.path());
    // A directory in the way of the new file stands for a disk that cannot make it.
    let in_the_way = files::directory(dir.path()).join("2027-01-16.sqlite.new");
    std::fs::create_dir(&in_the_way).expect("made");
    writer.offer(Entry::Roll(days::roll(&engine, ends[0], 1))).expect("room");
    let last = offer(&writer, work(&mut engine, 2));
    let progress = wait(&writer, |progress| progress.durable >= last);
    assert_eq!((progress.file.as_str(), progress.failing), ("2027-01-15.sqlite", None));
    std::fs::remove_dir(&in_the_way).expect("removed");
    writer.offer(Entry::Roll(days::roll(&engine, last, 3))).expect("room");
    wait(&writer, |progress| progress.file == "2027-01-18.sqlite");
    close(writer);
    assert_eq!(verify(dir.path()).expect("holds").records, last);
}

fn log_bytes(dir: &Path) -> u64 {
    let file = newest(dir);
    let log = file.with_file_name(format!("{}-wal", files::name(&file)));
    std::fs::metadata(log).map_or(0, |log| log.len())
}

#[test]
fn the_log_stays_short_without_readers() {
    let dir = tempfile::tempdir().expect("a directory");
    let policy = Policy { log_bytes_soft: 200_000, ..Policy::default() };
    let mut engine = example::engine();
    let writer = Writer::start(Store::open(dir.path(), policy, UTC).expect("opens"));
    let writer = writer.expect("starts");
    let mut longest = 0;
    for round in 0..150 {
        let last = offer(&writer, work(&mut engine, round));
        wait(&writer, |progress| progress.durable >= last);
        longest = longest.max(log_bytes(dir.path()));
    }
    println!("the log was {longest} bytes long at most");
    let file = std::fs::metadata(newest(dir.path())).expect("a file").len();
    assert!(file > 200_000, "the log was moved while the file was written: {file}");
    assert!(longest < 5 * 200_000 + 500_000, "{longest}");
    close(writer);
}

#[test]
fn a_reader_that_stays_ends_in_a_stall_not_in_an_endless_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let policy = Policy { log_bytes_soft: 100_000, log_bytes_max: 400_000, ..Policy::default() };
    let mut engine = example::engine();
    let writer = Writer::start(Store::open(dir.path(), policy, UTC).expect("opens"));
    let writer = writer.expect("starts");
    let first = offer(&writer, work(&mut engine, 0));
    wait(&writer, |progress| progress.durable >= first);
    let reader = files::open_to_read(&newest(dir.path())).expect("opens");
    let pinned = reader.unchecked_transaction().expect("begins");
    let seen: u64 = pinned
        .query_row("SELECT count(*) FROM records", [], |row| row.get(0))
        .expect("a snapshot of the file is held");
    let mut round = 1;
    let (last, stalled) = loop {
        let last = offer(&writer, work(&mut engine, round));
        round += 1;
        let progress =
            wait(&writer, |progress| progress.durable >= last || progress.failing.is_some());
        if progress.failing.is_some() {
            break (last, progress);
        }
        assert!(round < 1_000, "the log grows without end");
    };
    assert!(stalled.failing.as_deref().is_some_and(|why| why.contains("a reader")), "{stalled:?}");
    assert!(log_bytes(dir.path()) < 2 * 400_000, "{}", log_bytes(dir.path()));
    let again: u64 =
        pinned.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).expect("rows");
    assert_eq!(seen, again, "the reader was not disturbed");
    drop(pinned);
    drop(reader);
    let healed = wait(&writer, |progress| progress.durable >= last);
    assert_eq!(healed.failing, None);
    close(writer);
    assert_eq!(verify(dir.path()).expect("holds").records, last);
}
