//! Files of business days: the joint, parcels carried over, cuts within a roll, retention.

use super::*;
use crate::journal::begin::{self, Roll};
use crate::journal::{project, retention};
use line_model::decision::ParcelEvent;
use line_model::ids::{ChuteNo, EyeId, ParcelId};
use units::{EncoderId, Position};

/// The wish for the file of the `n`th day.
pub(super) fn roll(engine: &Engine, number: u64, n: u64) -> Roll {
    let utc_us = UTC + n * DAY;
    let day = Policy::default().day(utc_us);
    let snapshot = engine.snapshot();
    Roll { day, number, at: Micros(n * 1_000_000 + 500), utc_us, snapshot }
}

/// A closed journal of `days` files; the engine behind it and the last record of each file.
pub(super) fn of_days(dir: &Path, days: u64) -> (Engine, Vec<u64>) {
    let mut engine = example::engine();
    let writer = start(dir);
    let file = KeptFile {
        kind: FileKind::Line,
        name: "line.toml".to_owned(),
        bytes: b"line".to_vec(),
        utc_us: UTC,
    };
    writer.offer(Entry::File(file)).expect("room");
    let mut ends = Vec::new();
    for n in 0..days {
        if n > 0 {
            let last = ends.last().copied().expect("a day before");
            writer.offer(Entry::Roll(roll(&engine, last, n))).expect("room");
        }
        ends.push(offer(&writer, work(&mut engine, n)));
        wait(&writer, |progress| progress.durable >= ends[ends.len() - 1]);
    }
    close(writer);
    (engine, ends)
}

/// Opens and closes, so that every closed file gets its seal.
pub(super) fn settle(dir: &Path, sealed: u64) {
    let writer = start(dir);
    for n in 0.. {
        let entry = Entry::Alive { at: Micros(n), utc_us: UTC };
        if writer.offer(entry).is_err() {
            continue;
        }
        let connection = files::open_to_read(&newest(dir)).expect("a file");
        let seals: u64 = connection
            .query_row("SELECT count(*) FROM seals", [], |row| row.get(0))
            .expect("seals");
        if seals == sealed {
            break;
        }
        std::thread::yield_now();
    }
    close(writer);
}

fn memory(past: Past) -> line_model::Memory {
    let Start::Resume { memory, .. } = past.start else { panic!("there is a past") };
    memory
}

#[test]
fn the_chain_goes_on_over_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 3);
    let names: Vec<String> =
        files::list(dir.path()).expect("files").iter().map(|path| files::name(path)).collect();
    assert_eq!(names, ["2027-01-15.sqlite", "2027-01-16.sqlite", "2027-01-17.sqlite"]);
    let verified = verify(dir.path()).expect("holds");
    assert_eq!((verified.files, verified.first, verified.records), (3, 1, ends[2]));
    let records = reader::records(dir.path()).expect("records");
    assert_eq!(u64::try_from(records.len()).expect("few"), ends[2]);
    let past = restore(dir.path()).expect("restores");
    assert_eq!(past.repeated, ends[2] - ends[1], "only the newest file is repeated");
    assert_eq!(memory(past), *engine.line().memory());
    let store = open(dir.path()).expect("opens");
    let kept = restart::kept_file(&store, FileKind::Line).expect("read");
    assert_eq!(kept, Some(("line.toml".to_owned(), b"line".to_vec())), "kept in every file");
}

#[test]
fn a_roll_right_before_the_end_comes_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 1);
    for n in 1..3 {
        let writer = start(dir.path());
        writer.offer(Entry::Roll(roll(&engine, ends[0], n))).expect("room");
        close(writer);
        let Start::Resume { memory, next_record, .. } =
            restore(dir.path()).expect("restores").start
        else {
            panic!("there is a past");
        };
        assert_eq!((memory, next_record), (engine.line().memory().clone(), ends[0] + 1));
        assert_eq!(verify(dir.path()).expect("holds").records, ends[0]);
    }
    assert_eq!(files::list(dir.path()).expect("files").len(), 3, "two of them empty");
}

#[test]
fn a_file_for_another_record_is_not_begun() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 1);
    let writer = start(dir.path());
    writer.offer(Entry::Roll(roll(&engine, ends[0] - 1, 1))).expect("room");
    close(writer);
    assert_eq!(files::list(dir.path()).expect("files").len(), 1);
}

/// Copies a data directory as a power cut would leave it.
fn image(of: &Path) -> tempfile::TempDir {
    let image = tempfile::tempdir().expect("a directory");
    let target = files::directory(image.path());
    std::fs::create_dir(&target).expect("made");
    for entry in std::fs::read_dir(files::directory(of)).expect("a directory") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, target.join(files::name(&path))).expect("copied");
    }
    image
}

#[test]
fn a_cut_at_every_step_of_a_roll_leaves_one_whole_journal() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 1);
    let store = open(dir.path()).expect("opens");
    let beginning = begin::read(&store.connection, store.path()).expect("read");
    let (last, head) = restart::last_of(&store.connection, &beginning, store.path()).expect("read");
    let mut images = Vec::new();
    let mut step = |name: &'static str| images.push((name, image(dir.path())));
    let roll = roll(&engine, last, 1);
    begin::next(dir.path(), &Policy::default(), store.path(), head, &roll, &mut step)
        .expect("made");
    drop(store);
    let names: Vec<_> = images.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["begin", "created", "filled", "synced", "renamed"]);
    for (name, image) in images {
        let past = restore(image.path()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(memory(past), *engine.line().memory(), "{name}");
        let verified = verify(image.path()).expect("holds");
        assert_eq!(verified.records, ends[0], "{name}");
        assert_eq!(verified.files, if name == "renamed" { 2 } else { 1 }, "{name}");
        // It goes on, and the next attempt at a file succeeds.
        let mut engine = engine.clone();
        let writer = start(image.path());
        let more = offer(&writer, work(&mut engine, 5));
        writer.offer(Entry::Roll(self::roll(&engine, more, 6))).expect("room");
        close(writer);
        let verified = verify(image.path()).expect("holds");
        assert_eq!((verified.records, verified.first), (more, 1), "{name}");
    }
}

#[test]
fn a_started_day_that_was_left_in_the_disks_cache_is_not_lost() {
    // Torn content under the unfinished name counts for nothing.
    let dir = tempfile::tempdir().expect("a directory");
    let (_, ends) = of_days(dir.path(), 1);
    for name in ["2027-01-16.sqlite.new", "2027-01-16.sqlite.new-journal"] {
        std::fs::write(files::directory(dir.path()).join(name), [7; 5_000]).expect("written");
    }
    drop(open(dir.path()).expect("opens"));
    assert_eq!(verify(dir.path()).expect("holds").records, ends[0]);
    let left = std::fs::read_dir(files::directory(dir.path())).expect("a directory");
    let unfinished = left.filter(|entry| {
        entry.as_ref().is_ok_and(|entry| files::name(&entry.path()).contains(".new"))
    });
    assert_eq!(unfinished.count(), 0, "what was unfinished is gone");
}

/// Projects decisions as the next record of the newest file, past the chain.
fn project(dir: &Path, number: u64, decisions: &[Decision]) {
    let mut connection = Connection::open(newest(dir)).expect("opens");
    let tx = connection.transaction().expect("begins");
    let at = Micros::from_millis(number);
    project::record(&tx, number, at, &Input::Timer, decisions).expect("projects");
    tx.commit().expect("commits");
}

#[test]
fn open_parcels_go_over_and_each_day_ties() {
    let parcel = |id, event| Decision::Parcel { parcel: ParcelId(id), event };
    let at = |at| Position::new(EncoderId(0), at);
    let chute = ChuteNo(5);
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 1);
    let inducted = (1..=6).map(|id| parcel(id, ParcelEvent::Inducted { at: at(10) })).collect();
    let first: [Vec<Decision>; 2] = [
        inducted,
        vec![
            parcel(1, ParcelEvent::Landed { chute, alternate: false }),
            parcel(2, ParcelEvent::Lost { eye: EyeId(1) }),
            parcel(3, ParcelEvent::Lost { eye: EyeId(1) }),
            parcel(4, ParcelEvent::Unconfirmed { chute }),
        ],
    ];
    for (number, decisions) in (1_001..).zip(&first) {
        project(dir.path(), number, decisions);
    }
    let writer = start(dir.path());
    writer.offer(Entry::Roll(roll(&engine, ends[0], 1))).expect("room");
    close(writer);
    let second = [
        parcel(2, ParcelEvent::Seen { eye: EyeId(2), at: at(20) }),
        parcel(5, ParcelEvent::Landed { chute, alternate: true }),
        parcel(4, ParcelEvent::Removed { by: "test".to_owned() }),
        parcel(7, ParcelEvent::Inducted { at: at(30) }),
    ];
    project(dir.path(), 2_001, &second);
    let days = reader::days(dir.path()).expect("read");
    assert!(days.iter().all(reader::DayTally::ties), "{days:?}");
    let of = |day: &reader::DayTally| (day.carried_in, day.inducted, day.carried_out);
    assert_eq!((of(&days[0]), of(&days[1])), ((0, 6, 5), (5, 1, 0)));
    let outcomes: Vec<_> = days[1].outcomes.iter().map(|(key, count)| (&**key, *count)).collect();
    let expected = [("landed_alternate", 1), ("lost", 1), ("on_line", 3), ("removed", 1)];
    assert_eq!(outcomes, expected);
    let mut parcels = Vec::new();
    reader::parcels(dir.path(), |row| {
        parcels.push((row.id, row.outcome));
        Ok(())
    })
    .expect("read")
    .expect("written");
    let expected = [
        (1, "landed_planned"),
        (2, "on_line"),
        (3, "lost"),
        (4, "removed"),
        (5, "landed_alternate"),
        (6, "on_line"),
        (7, "on_line"),
    ];
    assert_eq!(parcels, expected.map(|(id, outcome)| (id, outcome.to_owned())));
}

fn short() -> Policy {
    Policy { retention_days: 2, ..Policy::default() }
}

#[test]
fn what_is_past_its_time_is_told_then_deleted() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, ends) = of_days(dir.path(), 3);
    settle(dir.path(), 2);
    let before = verify(dir.path()).expect("holds");
    assert_eq!(before.seals, 2);
    let first = files::list(dir.path()).expect("files")[0].clone();
    let store = Store::open(dir.path(), short(), UTC).expect("opens");
    let writer = Writer::start(store).expect("starts");
    writer.offer(Entry::Roll(roll(&engine, ends[2], 3))).expect("room");
    close(writer);
    // The keeper may have been asked to leave before: then a start finishes it.
    drop(open(dir.path()).expect("opens"));
    assert!(!first.exists(), "older than two days");
    let verified = verify(dir.path()).expect("the joint to what was deleted is told");
    assert_eq!((verified.files, verified.first), (3, ends[0] + 1));
    let told: (String, u64, u64) = files::open_to_read(&newest(dir.path()))
        .expect("a file")
        .query_row("SELECT file, first_record, last_record FROM deletions", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("one row");
    assert_eq!(told, (files::name(&first), 1, ends[0]));
    change(dir.path(), "UPDATE deletions SET first_record = 2");
    let fault = verify(dir.path()).expect_err("the telling is in the chain");
    assert!(matches!(fault, JournalFault::Joint { .. }), "{fault}");
}

#[test]
fn a_file_that_is_gone_untold_is_missed() {
    let dir = tempfile::tempdir().expect("a directory");
    of_days(dir.path(), 4);
    let list = files::list(dir.path()).expect("files");
    std::fs::remove_file(&list[1]).expect("removed");
    let fault = verify(dir.path()).expect_err("a hole");
    let JournalFault::Absent { path, file } = &fault else { panic!("{fault}") };
    assert_eq!((path, file), (&list[2], &files::name(&list[1])));
    std::fs::remove_file(&list[0]).expect("removed");
    let fault = verify(dir.path()).expect_err("no beginning");
    assert!(matches!(fault, JournalFault::Absent { .. }), "{fault}");
}

#[test]
fn open_parcels_and_the_newest_two_files_stay() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, _) = of_days(dir.path(), 3);
    let list = files::list(dir.path()).expect("files");
    let far = crate::journal::Day(Policy::default().day(UTC).0 + 1_000);
    let due = |current| {
        let due = retention::due(dir.path(), &Policy::default(), far, current).expect("read");
        due.into_iter().map(|deletion| deletion.name).collect::<Vec<_>>()
    };
    assert_eq!(due(&list[2]), [files::name(&list[0]), files::name(&list[1])]);
    let induct = |path: &Path, outcome: &str| {
        Connection::open(path)
            .and_then(|connection| {
                connection.execute(
                    "INSERT INTO parcels (id, inducted_us, position, outcome, outcome_us)
                     VALUES (9, 1, 1, ?1, 1)",
                    [outcome],
                )
            })
            .expect("written");
    };
    induct(&list[1], "lost");
    induct(&list[2], "lost");
    assert_eq!(due(&list[2]), [files::name(&list[0])], "a part of its story is in the second");
}
