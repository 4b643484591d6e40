//! Damage of every kind to closed files: named, never passed over, never a panic.

use super::days::{of_days, settle};
use super::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn bytes_of_records(dir: &Path) -> Vec<Vec<u8>> {
    reader::records(dir).expect("records")
}

#[test]
fn every_flip_in_a_closed_file_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, ends) = of_days(dir.path(), 2);
    settle(dir.path(), 1);
    assert_eq!(verify(dir.path()).expect("holds").seals, 1);
    let file = files::list(dir.path()).expect("files")[0].clone();
    let whole = std::fs::read(&file).expect("read");
    let records = bytes_of_records(dir.path());
    let first = usize::try_from(ends[0]).expect("few");
    let by_record = std::cell::Cell::new(0);
    let config = units::repeat::repeatable(200);
    let flip = (0..whole.len(), 0_u8..8, any::<bool>());
    TestRunner::new(config)
        .run(&flip, |(at, bit, in_record)| {
            // Half of them anywhere, half of them in some record of the file.
            let record = &records[at % first];
            let start = whole.windows(record.len()).position(|found| found == record.as_slice());
            let at = start.filter(|_| in_record).map_or(at, |start| start + at % record.len());
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            std::fs::write(&file, &bytes).expect("written");
            let fault = verify(dir.path()).expect_err("a flipped bit");
            prop_assert!(fault.to_string().contains(&files::name(&file)), "{}", fault);
            // The record whose bytes were hit, when exactly one was, is the one that is named.
            let hit = records.iter().position(|record| {
                whole
                    .windows(record.len())
                    .position(|found| found == record.as_slice())
                    .is_some_and(|start| (start..start + record.len()).contains(&at))
            });
            if let Some(hit) = hit {
                by_record.set(by_record.get() + 1);
                prop_assert_eq!(fault.record(), u64::try_from(hit).ok().map(|hit| hit + 1));
            }
            Ok(())
        })
        .expect("holds");
    std::fs::write(&file, &whole).expect("written");
    assert_eq!(verify(dir.path()).expect("holds").records, ends[1]);
    println!("{} of the flips were in a record, and it was named", by_record.get());
    assert!(by_record.get() > 0);
}

#[test]
fn every_truncation_of_a_closed_file_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    of_days(dir.path(), 2);
    settle(dir.path(), 1);
    let file = files::list(dir.path()).expect("files")[0].clone();
    let whole = std::fs::read(&file).expect("read");
    TestRunner::new(units::repeat::repeatable(60))
        .run(&(0..whole.len()), |len| {
            std::fs::write(&file, &whole[..len]).expect("written");
            let fault = verify(dir.path()).expect_err("a truncated file");
            prop_assert!(fault.to_string().contains(&files::name(&file)), "{}", fault);
            prop_assert_eq!(fault.exit(), crate::exit::Exit::JournalDamaged);
            Ok(())
        })
        .expect("holds");
}

#[test]
fn no_flip_in_the_newest_file_changes_a_record_unseen() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), true);
    let file = newest(dir.path());
    let whole = std::fs::read(&file).expect("read");
    let records = bytes_of_records(dir.path());
    TestRunner::new(units::repeat::repeatable(200))
        .run(&(0..whole.len(), 0_u8..8), |(at, bit)| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            std::fs::write(&file, &bytes).expect("written");
            if verify(dir.path()).is_ok() {
                prop_assert!(bytes_of_records(dir.path()) == records, "a record changed");
            }
            // A start either refuses in words or goes on with the same memory.
            std::fs::write(&file, &bytes).expect("written");
            drop(restore(dir.path()));
            for tail in ["-wal", "-shm"] {
                let path = file.with_file_name(format!("{}{tail}", files::name(&file)));
                drop(std::fs::remove_file(path));
            }
            Ok(())
        })
        .expect("holds");
}

#[test]
fn the_first_bad_record_is_named() {
    let spoil = [
        ("UPDATE records SET bytes = CAST(bytes || x'00' AS BLOB) WHERE number IN (9, 12)", 9),
        ("UPDATE records SET link = x'0011223344556677' WHERE number = 8", 8),
        ("UPDATE records SET at_us = at_us + 1 WHERE number = 11", 11),
        ("UPDATE heads SET head = zeroblob(32) WHERE number = (SELECT min(number) FROM heads)", 0),
        ("DELETE FROM records WHERE number = 14", 14),
    ];
    for (sql, number) in spoil {
        let dir = tempfile::tempdir().expect("a directory");
        closed(dir.path(), false);
        let head: u64 = files::open_to_read(&newest(dir.path()))
            .expect("a file")
            .query_row("SELECT min(number) FROM heads", [], |row| row.get(0))
            .expect("heads");
        change(dir.path(), sql);
        let fault = verify(dir.path()).expect_err("spoiled");
        let expected = if number == 0 { head } else { number };
        assert_eq!(fault.record(), Some(expected), "{sql}: {fault}");
        let fault = restore(dir.path()).expect_err("a start repeats the whole file here");
        assert_eq!(fault.record(), Some(expected), "{sql}: {fault}");
    }
}

#[test]
fn an_exported_head_proves_what_it_saw() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, ends) = of_days(dir.path(), 2);
    let exported = crate::journal::verify::head(dir.path(), 7).expect("read");
    assert_eq!((exported.number, exported.utc_us), (ends[1], 7));
    let with =
        |number, head: &str| crate::journal::verify::verify_with(dir.path(), Some((number, head)));
    with(ends[1], &exported.head).expect("it stands there");
    with(ends[1], &exported.head.to_uppercase()).expect("digits of either case");
    let mut head = line_engine::chain::Head::START;
    let records = bytes_of_records(dir.path());
    let first = usize::try_from(ends[0]).expect("few");
    records[..first].iter().for_each(|record| head.extend(record));
    with(ends[0], &head.hex()).expect("the head behind the last record of a closed file");
    let fault = with(ends[0], &exported.head).expect_err("another record's");
    assert!(matches!(fault, JournalFault::OtherHead { found: Some(_), .. }), "{fault}");
    let fault = with(ends[1] + 1, &exported.head).expect_err("no such record");
    assert!(matches!(fault, JournalFault::OtherHead { found: None, .. }), "{fault}");
}

#[test]
fn a_rewritten_past_does_not_fit_the_exported_head() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), false);
    let exported = crate::journal::verify::head(dir.path(), 7).expect("read");
    let other = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    let writer = start(other.path());
    engine.handle(Micros(1), Wake::WallClock { utc_us: 5 }, &mut Effects::default());
    let mut out = Effects::default();
    engine.handle(Micros(0), Wake::WallClock { utc_us: UTC + 1 }, &mut out);
    let mut records = work(&mut example::engine(), 0);
    records.truncate(1);
    offer(&writer, records);
    close(writer);
    let fault = crate::journal::verify::verify_with(other.path(), Some((1, &exported.head)));
    assert!(matches!(fault, Err(JournalFault::OtherHead { .. })), "{fault:?}");
}

#[test]
fn bad_snapshots_are_passed_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 3);
    let all = |dir: &Path| {
        let past = restore(dir).expect("restores");
        let Start::Resume { memory, .. } = past.start else { panic!("there is a past") };
        assert_eq!(memory, *engine.line().memory());
        past.repeated
    };
    assert_eq!(all(dir.path()), ends[2] - ends[1]);
    change(dir.path(), "UPDATE snapshots SET hash = zeroblob(32)");
    assert_eq!(all(dir.path()), ends[2] - ends[0], "back to the file before");
    let list = files::list(dir.path()).expect("files");
    Connection::open(&list[1])
        .and_then(|connection| connection.execute("UPDATE snapshots SET bytes = x'00'", []))
        .expect("changed");
    // The second file's beginning covers its snapshot: the joint does not hold any more.
    let fault = restore(dir.path()).expect_err("altered");
    assert!(matches!(fault, JournalFault::Joint { .. }), "{fault}");
}
