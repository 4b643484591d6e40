//! Backup while the daemon writes, and restore.

use super::days::{of_days, settle};
use super::*;
use crate::journal::backup;

#[test]
fn a_backup_under_load_is_a_whole_journal() {
    let (dir, place) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (mut engine, _) = of_days(dir.path(), 3);
    settle(dir.path(), 2);
    let writer = start(dir.path());
    let mut last = offer(&writer, work(&mut engine, 4));
    let mut lists = Vec::new();
    for round in 0..4 {
        last = last.max(offer(&writer, work(&mut engine, 5 + round)));
        let to = place.path().join(round.to_string());
        lists.push((backup::backup(dir.path(), &to, UTC).expect("copied"), to));
    }
    close(writer);
    for (list, to) in &lists {
        let verified = verify(to).expect("the copy holds");
        assert_eq!((verified.files, verified.seals, verified.records), (3, 2, list.number));
        assert_eq!(verified.head, list.head);
        assert!(list.number <= last);
    }
    let (list, to) = lists.last().expect("copies");
    let back = place.path().join("back");
    assert_eq!(backup::restore(to, &back).expect("restored"), *list);
    assert_eq!(verify(&back).expect("holds").records, list.number);
    let past = restore(&back).expect("starts");
    assert!(
        matches!(past.start, Start::Resume { next_record, .. } if next_record == list.number + 1)
    );
}

#[test]
fn neither_goes_into_a_directory_that_has_something() {
    let (dir, place) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    closed(dir.path(), false);
    let fault = backup::backup(dir.path(), dir.path(), UTC).expect_err("its own directory");
    assert!(matches!(fault, JournalFault::NotEmpty { .. }), "{fault}");
    let to = place.path().join("to");
    backup::backup(dir.path(), &to, UTC).expect("copied");
    let fault = backup::restore(&to, dir.path()).expect_err("there is a journal");
    assert!(matches!(fault, JournalFault::NotEmpty { .. }), "{fault}");
}

#[test]
fn a_backup_that_was_altered_is_not_restored() {
    let (dir, place) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    of_days(dir.path(), 2);
    let to = place.path().join("to");
    let list = backup::backup(dir.path(), &to, UTC).expect("copied");
    let back = place.path().join("back");
    let file = files::directory(&to).join(&list.files[0].name);
    let whole = std::fs::read(&file).expect("read");
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 4;
    std::fs::write(&file, bytes).expect("written");
    assert!(backup::restore(&to, &back).is_err());
    std::fs::remove_file(&file).expect("removed");
    assert!(backup::restore(&to, &back).is_err());
    assert!(!back.exists(), "nothing was begun");
    std::fs::write(&file, whole).expect("written");
    backup::restore(&to, &back).expect("whole again");
}
