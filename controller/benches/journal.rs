//! The journal's speed on this machine's disk: durable records beside plain inserts, time from offer
//! to disk at a line's pace, bytes a parcel, restart against length. Prints figures; asserts nothing
//! about time. `SORTLINE_BENCH_RECORDS=10000000` adds a day of that many records to the last part.

use std::path::Path;
use std::time::{Duration, Instant};

use line_engine::{BusId, Effects, Engine, Record, Start, Wake};
use line_model::Memory;
use line_model::signal::Command;
use rusqlite::{Connection, params};
use sortline::config::{self, Line};
use sortline::journal::writer::{Entry, Writer};
use sortline::journal::{Policy, Store, restart, verify};
use units::Micros;

const UTC: u64 = 1_800_000_000_000_000;
/// Records of one parcel that the paces below stand for.
const RECORDS_PER_PARCEL: u64 = 18;
/// Waybills that the line of the restarts remembers: the most that it ever does.
const WAYBILLS: usize = line_model::limits::LANDED_MAX;
/// From opening the journal to the first request on a bus.
const RESTART_BUDGET: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "a benchmark is a stopwatch")]
fn clock() -> Instant {
    Instant::now()
}

fn percentile(sorted: &[Duration], per_100_000: usize) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) * per_100_000 / 100_000).copied().unwrap_or_default()
}

/// Twelve parcels of a simulated line, over and over: numbers, instants and parcels move on.
struct Template {
    records: Vec<Vec<u8>>,
    next: u64,
}

impl Template {
    const PARCELS: u64 = 12;

    fn new() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/journal/tests/fixtures/format-1.journal");
        let connection = Connection::open(file).expect("the fixture");
        let mut rows =
            connection.prepare("SELECT bytes FROM records ORDER BY number").expect("rows");
        let rows = rows.query_map([], |row| row.get(0)).expect("rows");
        Self { records: rows.collect::<Result<_, _>>().expect("rows"), next: 1 }
    }

    fn per_parcel(&self) -> u64 {
        u64::try_from(self.records.len()).expect("few") / Self::PARCELS
    }

    fn record(&mut self) -> Record {
        let number = self.next;
        self.next += 1;
        let count = u64::try_from(self.records.len()).expect("few");
        let index = usize::try_from((number - 1) % count).expect("few");
        let shift = (number - 1) / count * Self::PARCELS;
        let at = Micros(number * 1_000);
        let mut bytes = self.records[index].clone();
        bytes[1..9].copy_from_slice(&number.to_be_bytes());
        bytes[9..17].copy_from_slice(&at.0.to_be_bytes());
        for place in 17..bytes.len().saturating_sub(8) {
            // A decision about a parcel: its tag, then the parcel's number.
            let id = bytes[place + 1..place + 9].try_into().map_or(0, u64::from_be_bytes);
            if bytes[place] == 8 && (1..=Self::PARCELS).contains(&id) {
                bytes[place + 1..place + 9].copy_from_slice(&(id + shift).to_be_bytes());
            }
        }
        Record { number, at, bytes, marks: Vec::new() }
    }
}

fn start(dir: &Path) -> Writer {
    Writer::start(Store::open(dir, Policy::default(), UTC).expect("opens")).expect("starts")
}

fn offer(writer: &Writer, mut entry: Entry) {
    while let Err(back) = writer.offer(entry) {
        entry = back;
        std::thread::yield_now();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn close(writer: Writer) {
    let mut progress = writer.close();
    runtime()
        .block_on(async { progress.wait_for(|p| p.closed).await.map(|_| ()) })
        .expect("closes");
}

fn throughput(records: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let writer = start(dir.path());
    let mut template = Template::new();
    let (began, mut commits, mut last) = (clock(), 0_u64, 0);
    for _ in 0..records {
        offer(&writer, Entry::Record(template.record()));
        let durable = writer.progress().borrow().durable;
        commits += u64::from(durable != last);
        last = durable;
    }
    let mut progress = writer.progress();
    runtime()
        .block_on(async { progress.wait_for(|p| p.durable >= records).await.map(|_| ()) })
        .expect("written");
    let ours = rate(records, began.elapsed());
    let batch = (records / commits.max(1)).clamp(1, 1_024);
    close(writer);
    let bytes = std::fs::metadata(verify_path(dir.path())).expect("a file").len();
    let parcels = records / template.per_parcel();
    println!("bytes a parcel: {} ({} records each)", bytes / parcels, template.per_parcel());
    let single = plain(500, 1);
    let batched = plain(records, batch);
    let largest = plain(records, 1_024);
    println!(
        "durable records/s: ours with links, marks and projections {ours} (batches of {batch})"
    );
    println!(
        "  plain inserts, one transaction a record {single}: ours is {} x",
        ours / single.max(1)
    );
    println!(
        "  plain inserts, batches of {batch}: {batched}; ours is {} %",
        ours * 100 / batched.max(1)
    );
    println!(
        "  plain inserts, batches of 1,024: {largest}; ours is {} %",
        ours * 100 / largest.max(1)
    );
}

fn verify_path(dir: &Path) -> std::path::PathBuf {
    sortline::journal::files::newest(dir).expect("a file")
}

fn rate(records: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    records.saturating_mul(1_000_000) / micros
}

/// Bare rusqlite with the same durability.
fn plain(records: u64, batch: u64) -> u64 {
    let dir = tempfile::tempdir().expect("a directory");
    let mut connection = Connection::open(dir.path().join("plain.sqlite")).expect("opens");
    connection.pragma_update(None, "journal_mode", "WAL").expect("set");
    connection.pragma_update(None, "synchronous", "FULL").expect("set");
    connection
        .execute("CREATE TABLE records (number INTEGER PRIMARY KEY, at INTEGER, bytes BLOB)", [])
        .expect("made");
    let mut template = Template::new();
    let began = clock();
    let mut left = records;
    while left > 0 {
        let tx = connection.transaction().expect("begins");
        for _ in 0..batch.min(left) {
            let record = template.record();
            tx.prepare_cached("INSERT INTO records VALUES (?1, ?2, ?3)")
                .and_then(|mut insert| {
                    insert.execute(params![record.number, record.at.0, record.bytes])
                })
                .expect("written");
        }
        tx.commit().expect("committed");
        left -= batch.min(left);
    }
    rate(records, began.elapsed())
}

/// Offers records at a line's pace and looks when each is durable.
fn latency(parcels_per_hour: u64, seconds: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let writer = start(dir.path());
    let mut template = Template::new();
    let every = Duration::from_micros(3_600_000_000 / (parcels_per_hour * RECORDS_PER_PARCEL));
    let records = seconds * parcels_per_hour * RECORDS_PER_PARCEL / 3_600;
    let mut progress = writer.progress();
    let mut times = runtime().block_on(async {
        let (mut offered, mut times) = (std::collections::VecDeque::new(), Vec::new());
        let mut tick = tokio::time::interval(every);
        let mut given = 0;
        while u64::try_from(times.len()).expect("few") < records {
            tokio::select! {
                _ = tick.tick(), if given < records => {
                    offer(&writer, Entry::Record(template.record()));
                    given += 1;
                    offered.push_back((given, clock()));
                }
                changed = progress.changed() => {
                    changed.expect("the writer lives");
                    let durable = progress.borrow_and_update().durable;
                    while offered.front().is_some_and(|(number, _)| *number <= durable) {
                        times.extend(offered.pop_front().map(|(_, at): (u64, Instant)| at.elapsed()));
                    }
                }
            }
        }
        times
    });
    close(writer);
    times.sort_unstable();
    println!(
        "offer to disk at {parcels_per_hour} parcels/h ({} records): p50 {:?}, p99 {:?}, p99.9 {:?}",
        times.len(),
        percentile(&times, 50_000),
        percentile(&times, 99_000),
        percentile(&times, 99_900)
    );
}

fn line() -> Line {
    let text = include_str!("../examples/factory-line.toml");
    config::check("factory-line.toml", text).expect("the example is right")
}

/// A line that remembers as many waybills as it ever does: its snapshots are as long as can be.
fn full(line: &Line) -> Memory {
    let mut memory = Memory::new(&line.engine.layout);
    memory.landed = (0..WAYBILLS).map(|number| format!("SF{number:013}")).collect();
    memory
}

/// A day of `records` records with snapshots where the daemon makes them, cut without a last one.
fn day(dir: &Path, line: &Line, records: u64) {
    let writer = start(dir);
    let (memory, marks, away) = (full(line), Vec::new(), Micros::from_secs(60));
    let past = Start::Resume { memory, marks, next_record: 1, away };
    let mut engine = Engine::new(line.engine.clone(), 7, past);
    let (mut out, mut last, mut snapshot) = (Effects::default(), 0, 0);
    while last < records {
        let command = if last % 2 == 0 { Command::Reset } else { Command::Hold };
        let wake = Wake::Command { command, by: "bench".to_owned(), reason: String::new() };
        engine.handle(Micros(last * 100), wake, &mut out);
        for record in out.records.drain(..) {
            last = record.number;
            offer(&writer, Entry::Record(record));
        }
        out.clear();
        engine.handle(Micros(last * 100), Wake::Durable { record: last }, &mut out);
        if last >= snapshot + Policy::default().snapshot_every && last + 5_000 < records {
            snapshot = last;
            let (at, bytes) = (Micros(last * 100), engine.snapshot());
            offer(&writer, Entry::Snapshot { number: last, at, bytes });
        }
    }
    close(writer);
}

fn restarts() {
    let line = line();
    let asked = std::env::var("SORTLINE_BENCH_RECORDS").ok().and_then(|text| text.parse().ok());
    for records in [10_000, 100_000, 1_000_000].into_iter().chain(asked) {
        let dir = tempfile::tempdir().expect("a directory");
        day(dir.path(), &line, records);
        let began = clock();
        let mut store = Store::open(dir.path(), Policy::default(), UTC).expect("opens");
        let past = restart::restore(&mut store, &line.engine.layout, UTC).expect("restores");
        let writer = Writer::start(store).expect("starts");
        let repeated = past.repeated;
        let mut out = Effects::default();
        let mut engine = Engine::new(line.engine.clone(), past.token, past.start);
        engine.handle(past.now, Wake::BusUp { bus: BusId(0) }, &mut out);
        let took = began.elapsed();
        assert!(!out.transmit.is_empty(), "the first request is on its way");
        close(writer);
        let share = took.as_millis() * 100 / RESTART_BUDGET.as_millis();
        let length = std::fs::metadata(verify_path(dir.path())).expect("a file").len();
        let began = clock();
        let verified = verify::verify(dir.path()).expect("holds");
        println!(
            "restart at {records} records ({} MB), {WAYBILLS} waybills remembered, to the first \
             request: {took:?} = {share} % of the budget of {RESTART_BUDGET:?}, {repeated} repeated; \
             whole verify {:?} for {}",
            length / 1_000_000,
            began.elapsed(),
            verified.records
        );
    }
}

fn main() {
    throughput(50_000);
    latency(20_000, 10);
    latency(200_000, 10);
    restarts();
}
