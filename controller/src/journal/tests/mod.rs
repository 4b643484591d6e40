//! The journal with real records: truth order, restart, damage, a disk that does not write.

use std::path::Path;
use std::time::Duration;

use line_engine::{Effects, Engine, Record, Start, Wake};
use line_model::decision::Decision;
use line_model::signal::{Command, Input};
use rusqlite::Connection;
use units::Micros;

use super::restart::{self, Past};
use super::writer::{Entry, FileKind, KeptFile, Progress, Writer};
use super::{FILE, JournalFault, Policy, Store, files, reader, verify::verify};
use crate::example;

mod copies;
mod damage;
mod days;
mod disk;
mod format_1;
mod torn;

/// 2027-01-15 16:00 in Shanghai.
const UTC: u64 = 1_800_000_000_000_000;
/// One business day.
const DAY: u64 = 86_400_000_000;

/// Lets an engine make records by commands and times; `round` moves the clock.
fn work(engine: &mut Engine, round: u64) -> Vec<Record> {
    let mut out = Effects::default();
    let base = round * 1_000_000;
    engine.handle(Micros(base), Wake::WallClock { utc_us: UTC + base }, &mut out);
    if round == 0 {
        engine.handle(Micros(1), Wake::SelectPlan { plan: example::plan() }, &mut out);
    }
    for n in 0..20 {
        let command = if n % 2 == 0 { Command::Reset } else { Command::Hold };
        let wake = Wake::Command { command, by: "test".to_owned(), reason: String::new() };
        engine.handle(Micros(base + 100 + n), wake, &mut out);
    }
    out.records
}

fn offer(writer: &Writer, records: Vec<Record>) -> u64 {
    let last = records.last().expect("records").number;
    for record in records {
        writer.offer(Entry::Record(record)).expect("the queue has room");
    }
    last
}

fn wait(writer: &Writer, until: impl FnMut(&Progress) -> bool) -> Progress {
    let mut progress = writer.progress();
    block(async { progress.wait_for(until).await.expect("the writer lives").clone() })
}

fn close(writer: Writer) {
    let mut progress = writer.close();
    block(async { progress.wait_for(|progress| progress.closed).await.expect("closes").clone() });
}

fn block<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::time::timeout(Duration::from_secs(60), future).await.expect("in time")
    })
}

fn open(dir: &Path) -> Result<Store, JournalFault> {
    Store::open(dir, Policy::default(), UTC)
}

fn start(dir: &Path) -> Writer {
    Writer::start(open(dir).expect("opens")).expect("starts")
}

fn newest(dir: &Path) -> std::path::PathBuf {
    files::newest(dir).expect("a file")
}

/// A closed journal of two rounds with a snapshot between; returns the engine behind it.
fn closed(dir: &Path, snapshot: bool) -> Engine {
    let mut engine = example::engine();
    let writer = start(dir);
    let number = offer(&writer, work(&mut engine, 0));
    if snapshot {
        let bytes = engine.snapshot();
        writer.offer(Entry::Snapshot { number, at: Micros(5), bytes }).expect("room");
    }
    offer(&writer, work(&mut engine, 1));
    close(writer);
    engine
}

fn restore(dir: &Path) -> Result<Past, JournalFault> {
    let mut store = open(dir)?;
    restart::restore(&mut store, &example::line().engine.layout, UTC + 3_000_000)
}

fn change(dir: &Path, sql: &str) {
    let connection = Connection::open(newest(dir)).expect("opens");
    assert!(connection.execute(sql, []).expect("changes") > 0, "{sql} changes something");
}

#[test]
fn what_is_called_durable_is_on_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    let writer = start(dir.path());
    for round in 0..5 {
        let last = offer(&writer, work(&mut engine, round));
        let seen = wait(&writer, |progress| progress.durable >= last);
        let reader = files::open_to_read(&newest(dir.path())).expect("a journal");
        let found: u64 = reader
            .query_row("SELECT max(number) FROM records", [], |row| row.get(0))
            .expect("rows");
        assert!(found >= seen.durable, "{found} records on disk, {} called durable", seen.durable);
    }
    close(writer);
}

#[test]
fn a_restart_continues_with_the_same_memory() {
    for snapshot in [false, true] {
        let dir = tempfile::tempdir().expect("a directory");
        let engine = closed(dir.path(), snapshot);
        let past = restore(dir.path()).expect("restores");
        let Start::Resume { memory, next_record, away, .. } = past.start else {
            panic!("there is a past");
        };
        assert_eq!(memory, *engine.line().memory());
        let records = reader::records(dir.path()).expect("records");
        assert_eq!(u64::try_from(records.len()).expect("few"), next_record - 1);
        assert_eq!(past.repeated < next_record - 1, snapshot, "a snapshot saves work");
        // The last record was made 1,000,119 µs after the origin; now is 3 s after it.
        assert_eq!(away, Micros(3_000_000 - 1_000_119));
        assert_eq!(past.now, Micros(3_000_000));
    }
}

#[test]
fn absence_counts_from_the_last_sign_of_life() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), true);
    let writer = start(dir.path());
    let (at, utc_us) = (Micros(2_500_000), UTC + 2_600_000);
    writer.offer(Entry::Alive { at, utc_us }).expect("room");
    close(writer);
    let past = restore(dir.path()).expect("restores");
    assert!(matches!(past.start, Start::Resume { away: Micros(400_000), .. }), "{past:?}");
    assert_eq!(past.now, Micros(2_900_000));
}

#[test]
fn tokens_and_the_clock_never_go_back() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), true);
    let (mut token, mut now) = (0_u16, Micros::ZERO);
    for _ in 0..3 {
        let past = restore(dir.path()).expect("restores");
        assert!(past.token >= token + 4_096 && past.now >= now, "{past:?}");
        (token, now) = (past.token, past.now);
    }
}

#[test]
fn an_empty_directory_is_a_fresh_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let past = restore(&dir.path().join("new")).expect("restores");
    assert_eq!(past.start, Start::Fresh);
    assert!(matches!(verify(dir.path()), Err(JournalFault::Missing { .. })));
}

#[test]
fn the_chain_shows_every_alteration() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), true);
    let verified = verify(dir.path()).expect("holds");
    assert!(verified.records > 20 && verified.heads > 0);
    let mut head = line_engine::chain::Head::START;
    for record in reader::records(dir.path()).expect("records") {
        head.extend(&record);
    }
    assert_eq!(verified.head, head.hex());
    change(dir.path(), "UPDATE records SET bytes = zeroblob(9) WHERE number = 7");
    assert!(matches!(verify(dir.path()), Err(JournalFault::Altered { number: 7, .. })));
    change(dir.path(), "DELETE FROM records WHERE number = 5");
    let Err(JournalFault::Gap { expected: 5, found: 6, .. }) = verify(dir.path()) else {
        panic!("the missing record is named");
    };
}

#[test]
fn a_record_cut_off_with_its_head_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    closed(dir.path(), false);
    change(dir.path(), "DELETE FROM records WHERE number = (SELECT max(number) FROM records)");
    assert!(matches!(restore(dir.path()), Err(JournalFault::Chain { .. })));
}

#[test]
fn garbage_and_torn_files_are_damage_not_panic() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in [FILE, "journal/2027-01-15.sqlite"] {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(files::directory(dir.path())).expect("made");
        std::fs::write(dir.path().join(name), vec![0x55; 8_192]).expect("written");
        let fault = restore(dir.path()).expect_err("no journal");
        assert_eq!(fault.exit(), crate::exit::Exit::JournalDamaged, "{fault}");
        assert!(fault.to_string().contains(name), "{fault}");
    }

    closed(dir.path(), false);
    let file = newest(dir.path());
    let whole = std::fs::read(&file).expect("read");
    assert!(whole.len() > 3 * 4_096, "closing moved the records into the main file");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("written");
    let fault = verify(dir.path()).expect_err("torn");
    assert_eq!(fault.exit(), crate::exit::Exit::JournalDamaged, "{fault}");

    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(files::directory(dir.path())).expect("made");
    Connection::open(files::directory(dir.path()).join("2027-01-15.sqlite"))
        .expect("opens")
        .execute("CREATE TABLE t (a)", [])
        .expect("made");
    assert!(matches!(restore(dir.path()), Err(JournalFault::Format { found: 0, .. })));
}

#[test]
fn a_torn_log_loses_only_what_was_never_committed() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    let writer = start(dir.path());
    let first = offer(&writer, work(&mut engine, 0));
    wait(&writer, |progress| progress.durable >= first);
    let file = newest(dir.path());
    let name = files::name(&file);
    let wal = file.with_file_name(format!("{name}-wal"));
    let committed = std::fs::read(&wal).expect("a log");
    // What a power cut may leave: the committed log and the torn beginning of a next commit.
    let torn = tempfile::tempdir().expect("a directory");
    let target = files::directory(torn.path());
    std::fs::create_dir(&target).expect("made");
    std::fs::copy(&file, target.join(&name)).expect("copied");
    let tail = &committed[32..32 + 2_000];
    std::fs::write(target.join(format!("{name}-wal")), [&committed, tail].concat())
        .expect("written");
    assert_eq!(verify(torn.path()).expect("holds").records, first);
    let past = restore(torn.path()).expect("restores");
    assert!(matches!(past.start, Start::Resume { next_record, .. } if next_record == first + 1));
    close(writer);
}

#[test]
fn other_decisions_than_recorded_are_refused() {
    fn tamper(input: &Input, decisions: &mut Vec<Decision>) {
        if matches!(input, Input::PlanSelected { .. }) {
            decisions.push(Decision::Refused { why: Vec::new() });
        }
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    engine.tamper(tamper);
    let writer = start(dir.path());
    offer(&writer, work(&mut engine, 0));
    close(writer);
    let fault = restore(dir.path()).expect_err("the decisions differ");
    assert!(matches!(fault, JournalFault::Decisions { .. }), "{fault}");
}

#[test]
fn one_daemon_works_on_a_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(dir.path()).expect("opens");
    let fault = open(dir.path()).expect_err("taken");
    assert!(matches!(fault, JournalFault::InUse { .. }), "{fault}");
    assert_eq!(fault.exit(), crate::exit::Exit::CannotStart);
    drop(first);
    open(dir.path()).expect("free again");
}

#[test]
fn a_disk_that_does_not_write_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut engine = example::engine();
    let writer = start(dir.path());
    let first = offer(&writer, work(&mut engine, 0));
    wait(&writer, |progress| progress.durable >= first);
    // A foreign lock on the file stands for a disk that refuses.
    let mut foreign = Connection::open(newest(dir.path())).expect("opens");
    let lock = foreign.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
    let lock = lock.expect("locked");
    let last = (1..4).map(|round| offer(&writer, work(&mut engine, round))).max().expect("rounds");
    let failing = wait(&writer, |progress| progress.failing.is_some());
    assert_eq!(failing.durable, first, "nothing is called durable that is not");
    drop(lock);
    let healed = wait(&writer, |progress| progress.durable >= last);
    assert_eq!((healed.durable, healed.failing), (last, None));
    close(writer);
    assert_eq!(verify(dir.path()).expect("holds").records, last);
    let Start::Resume { memory, .. } = restore(dir.path()).expect("restores").start else {
        panic!("there is a past");
    };
    assert_eq!(memory, *engine.line().memory());
}

#[test]
fn only_new_contents_of_a_file_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let writer = start(dir.path());
    for bytes in ["a", "a", "b", "a"] {
        let (name, bytes) = ("line.toml".to_owned(), bytes.as_bytes().to_vec());
        let file = KeptFile { kind: FileKind::Line, name, bytes, utc_us: UTC };
        writer.offer(Entry::File(file)).expect("room");
    }
    close(writer);
    let store = open(dir.path()).expect("opens");
    let rows: u64 = store
        .connection
        .query_row("SELECT count(*) FROM files", [], |row| row.get(0))
        .expect("rows");
    assert_eq!(rows, 3);
    let kept = restart::kept_file(&store, FileKind::Line).expect("read");
    assert_eq!(kept, Some(("line.toml".to_owned(), b"a".to_vec())));
    assert_eq!(restart::kept_file(&store, FileKind::Plan).expect("read"), None);
}

mod projections {
    use super::*;
    use crate::journal::project;
    use line_model::alarm::Alarm;
    use line_model::decision::ParcelEvent;
    use line_model::ids::{ChuteNo, EyeId, NodeId, ParcelId};
    use line_model::reason::Reason;
    use units::{EncoderId, Position};

    fn parcel(id: u64, event: ParcelEvent) -> Decision {
        Decision::Parcel { parcel: ParcelId(id), event }
    }

    fn at(at: i64) -> Position {
        Position::new(EncoderId(0), at)
    }

    /// Projects each list of decisions as one record, 1 ms apart.
    fn projected(records: &[Vec<Decision>]) -> Connection {
        let mut connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch(crate::journal::schema::CREATE).expect("tables");
        let tx = connection.transaction().expect("begins");
        for (number, decisions) in (1_u64..).zip(records) {
            let now = Micros::from_millis(number);
            project::record(&tx, number, now, &Input::Timer, decisions).expect("projects");
        }
        tx.commit().expect("commits");
        connection
    }

    fn tally(connection: &Connection) -> Vec<(String, i64)> {
        let mut rows = connection
            .prepare("SELECT key, count FROM tally WHERE count <> 0 ORDER BY key")
            .expect("rows");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<rusqlite::Result<_>>().expect("rows")
    }

    #[test]
    fn every_parcel_counts_under_one_outcome() {
        let chute = ChuteNo(5);
        let connection = projected(&[
            (1..=5).map(|id| parcel(id, ParcelEvent::Inducted { at: at(10) })).collect(),
            vec![
                parcel(1, ParcelEvent::Identified { code: "SF1234567890123".to_owned() }),
                parcel(1, ParcelEvent::Assigned { chute, alternate: false, reason: None }),
                parcel(1, ParcelEvent::LandedProvisional { chute }),
                parcel(1, ParcelEvent::Landed { chute, alternate: false }),
            ],
            vec![parcel(2, ParcelEvent::EndLanded { reason: Reason::NoRead })],
            vec![parcel(3, ParcelEvent::Unconfirmed { chute })],
            vec![parcel(3, ParcelEvent::Removed { by: "test".to_owned() })],
            vec![parcel(4, ParcelEvent::Lost { eye: EyeId(3) })],
            vec![parcel(4, ParcelEvent::Seen { eye: EyeId(4), at: at(20) })],
        ]);
        let counts = [
            ("chute.5", 1),
            ("end_landed", 1),
            ("end_landed.no_read", 1),
            ("inducted", 5),
            ("landed_planned", 1),
            ("on_line", 2),
            ("removed", 1),
        ];
        assert_eq!(tally(&connection), counts.map(|(key, count)| (key.to_owned(), count)));
        let row: (String, String, u16, u64) = connection
            .query_row(
                "SELECT code, outcome, chute, outcome_us FROM parcels WHERE id = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .expect("the parcel");
        assert_eq!(row, ("SF1234567890123".to_owned(), "landed_planned".to_owned(), 5, 2_000));
        let steps: u64 = connection
            .query_row("SELECT count(*) FROM story WHERE parcel = 1", [], |row| row.get(0))
            .expect("its story");
        assert_eq!(steps, 5);
    }

    #[test]
    fn an_alarm_stands_until_it_is_cleared() {
        let alarm = |node, raised| Decision::Alarm { alarm: Alarm::NodeDown(NodeId(node)), raised };
        let connection = projected(&[
            vec![alarm(1, true), alarm(2, true)],
            vec![alarm(1, false)],
            vec![alarm(1, true)],
        ]);
        let standing: Vec<(u64, u64)> = connection
            .prepare("SELECT subject, raised_us FROM alarms WHERE cleared_us IS NULL ORDER BY id")
            .and_then(|mut rows| {
                rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .expect("alarms");
        assert_eq!(standing, [(2, 1_000), (1, 3_000)]);
    }
}
