//! `sortline replay`: what it prints and how it ends.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;
use line_model::layout::Layout;
use line_model::reason::{Outcome, Reason};
use line_model::{Line, decision::Decision};
use serde_json::{Value, json};
use units::Micros;

use super::machine::{Difference, Replay, ReplayFault, Step, UtcPair};
use super::recording::{Recording, RecordingFault, instant};
use super::{time, words};
use crate::clock::Clock;
use crate::exit::Exit;

/// Handles a journal's records again and compares every decision.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Data directory, file of a journal, or incident file.
    #[arg(value_name = "FILE|DATA")]
    path: PathBuf,
    /// Stops there and prints the state: the number of a record, or an instant such as
    /// 2026-11-22T14:03:07 (Asia/Shanghai unless it says otherwise).
    #[arg(long, value_name = "RECORD|TIME")]
    until: Option<String>,
    /// Shows one record after another: on Enter, or all when there is no terminal.
    #[arg(long)]
    step: bool,
    /// Names every difference; without it the first one ends the replay.
    #[arg(long)]
    diff: bool,
    /// Prints JSON: one object a line, the last one sums up.
    #[arg(long)]
    json: bool,
}

/// Where to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Record(u64),
    Utc(u64),
}

/// Why there is nothing to tell.
enum Failure {
    Recording(RecordingFault),
    Replay(ReplayFault),
    Output(io::Error),
    Until(String),
}

impl From<RecordingFault> for Failure {
    fn from(fault: RecordingFault) -> Self {
        Self::Recording(fault)
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Exit {
    match Teller::new(arguments).and_then(|mut teller| teller.run()) {
        Ok(exit) => exit,
        // The reader of a pipe may have had enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Exit {
    let (text, exit) = match failure {
        Failure::Recording(
            fault @ (RecordingFault::Missing { .. } | RecordingFault::Frames { .. }),
        ) => (fault.to_string(), Exit::CannotStart),
        Failure::Recording(fault @ (RecordingFault::Line(_) | RecordingFault::NoLine { .. })) => {
            (fault.to_string(), Exit::Faults)
        }
        Failure::Recording(fault) => (fault.to_string(), Exit::JournalDamaged),
        Failure::Replay(fault) => (fault.to_string(), Exit::JournalDamaged),
        Failure::Output(error) => (format!("write: {error}"), Exit::Internal),
        Failure::Until(text) => {
            (format!("stop at {text:?}: neither a record nor an instant"), Exit::Usage)
        }
    };
    eprintln!("error: failed to {text}");
    exit
}

/// A replay under way and what is to be told of it.
struct Teller<'a> {
    arguments: &'a Arguments,
    recording: Rc<Recording>,
    until: Option<Until>,
    out: io::BufWriter<io::Stdout>,
    differences: u64,
}

impl<'a> Teller<'a> {
    fn new(arguments: &'a Arguments) -> Result<Self, Failure> {
        let until = match arguments.until.as_deref() {
            None => None,
            Some(text) => Some(until(text).ok_or_else(|| Failure::Until(text.to_owned()))?),
        };
        let recording = Rc::new(Recording::open(&arguments.path)?);
        let out = io::BufWriter::new(io::stdout());
        Ok(Self { arguments, recording, until, out, differences: 0 })
    }

    fn run(&mut self) -> Result<Exit, Failure> {
        let layout = self.recording.line()?.engine.layout;
        let beginning = self.recording.beginning()?;
        let snapshots = self.recording.snapshots()?;
        let behind = beginning.behind;
        if self.arguments.step && io::stdin().is_terminal() {
            eprintln!("Enter shows the next record, q and Enter ends");
        }
        let begun = Clock::starting_at(Micros::ZERO);
        let mut replay = Replay::new(&layout, beginning).map_err(Failure::Replay)?;
        let mut failure = None;
        let recording = Rc::clone(&self.recording);
        recording.each(behind, |bytes| {
            if self.is_behind(&replay, bytes) {
                return ControlFlow::Break(());
            }
            let told = self.record(&layout, &mut replay, bytes).and_then(|flow| {
                let snapshot = snapshots.get(&replay.last()).filter(|_| flow.is_continue());
                match snapshot.map(|snapshot| replay.compare(snapshot)) {
                    // Behind a difference the state is another one for that very reason.
                    Some(Err(fault)) if self.differences == 0 => Err(Failure::Replay(fault)),
                    Some(_) | None => Ok(flow),
                }
            });
            told.unwrap_or_else(|found| {
                failure = Some(found);
                ControlFlow::Break(())
            })
        })?;
        match failure {
            Some(Failure::Replay(
                fault @ (ReplayFault::State { .. } | ReplayFault::Panicked { .. }),
            )) => {
                self.out.flush().map_err(Failure::Output)?;
                eprintln!("error: failed to {fault}");
                Ok(Exit::ReplayDiffers)
            }
            Some(failure) => {
                self.out.flush().map_err(Failure::Output)?;
                Err(failure)
            }
            None => self.end(&replay, begun.now()).map_err(Failure::Output),
        }
    }

    /// Whether the record lies behind the place to stop at.
    fn is_behind(&self, replay: &Replay, bytes: &[u8]) -> bool {
        match self.until {
            None => false,
            Some(Until::Record(number)) => replay.last() >= number,
            Some(Until::Utc(utc_us)) => {
                replay.utc().zip(instant(bytes)).is_some_and(|(pair, at)| pair.utc_at(at) > utc_us)
            }
        }
    }

    /// Handles one record and tells what is to be told of it.
    fn record(
        &mut self,
        layout: &Layout,
        replay: &mut Replay,
        bytes: &[u8],
    ) -> Result<ControlFlow<()>, Failure> {
        let step = replay.step(bytes).map_err(Failure::Replay)?;
        if self.arguments.step {
            self.show(layout, &step).map_err(Failure::Output)?;
        }
        if let Some(difference) = step.difference() {
            self.differences += 1;
            self.differs(layout, &difference).map_err(Failure::Output)?;
            if !self.arguments.diff {
                return Ok(ControlFlow::Break(()));
            }
        }
        let wait = self.arguments.step && io::stdin().is_terminal();
        Ok(if wait && !self.enter().map_err(Failure::Output)? {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Waits for Enter; false at the end of the input or on `q`.
    fn enter(&mut self) -> io::Result<bool> {
        self.out.flush()?;
        let mut line = String::new();
        Ok(io::stdin().lock().read_line(&mut line)? > 0 && line.trim() != "q")
    }

    fn show(&mut self, layout: &Layout, step: &Step) -> io::Result<()> {
        let recorded = &step.recorded;
        let input = words::input(layout, &recorded.input);
        let decisions = in_words(layout, &step.now);
        if self.arguments.json {
            let shown = json!({
                "record": recorded.number, "at_us": recorded.at.0,
                "utc": step.utc_us.map(time::utc), "input": input, "decisions": decisions,
                "parcels": parcels(&step.now),
            });
            return writeln!(self.out, "{shown}");
        }
        let when = step.utc_us.map_or_else(|| format!("{} us", recorded.at.0), time::utc);
        writeln!(self.out, "#{} {when}  {input}", recorded.number)?;
        for decision in decisions {
            writeln!(self.out, "    {decision}")?;
        }
        Ok(())
    }

    fn differs(&mut self, layout: &Layout, found: &Difference) -> io::Result<()> {
        let input = words::input(layout, &found.input);
        let (recorded, now) = (in_words(layout, &found.recorded), in_words(layout, &found.now));
        if self.arguments.json {
            let shown = json!({ "difference": {
                "record": found.number, "at_us": found.at.0, "utc": found.utc_us.map(time::utc),
                "input": input, "recorded": recorded, "now": now, "byte": found.byte,
            }});
            return writeln!(self.out, "{shown}");
        }
        let when = found.utc_us.map(|at| format!(", {}", time::utc(at))).unwrap_or_default();
        writeln!(self.out, "difference at record {}, {} us{when}", found.number, found.at.0)?;
        writeln!(self.out, "  input     {input}")?;
        for (name, list) in [("recorded", recorded), ("now", now)] {
            let list = if list.is_empty() { vec!["nothing".to_owned()] } else { list };
            for decision in list {
                writeln!(self.out, "  {name:<9} {decision}")?;
            }
        }
        Ok(())
    }

    /// Sums up.
    fn end(&mut self, replay: &Replay, took: Micros) -> io::Result<Exit> {
        let per_second = replay.done().saturating_mul(1_000_000) / took.0.max(1);
        let state = self.until.is_some().then(|| state(replay.line(), replay.utc()));
        if self.arguments.json {
            let sum = json!({
                "records": replay.done(), "last": replay.last(), "state": state,
                "differences": self.differences, "records_per_second": per_second,
            });
            writeln!(self.out, "{sum}")?;
        } else {
            if let Some(state) = state {
                writeln!(self.out, "{state:#}")?;
            }
            let found = match self.differences {
                0 => "every decision is the same".to_owned(),
                1 if !self.arguments.diff => "stopped at the first difference".to_owned(),
                many => format!("{many} differences"),
            };
            writeln!(
                self.out,
                "{} records up to {}, {found}; {per_second} records/s",
                replay.done(),
                replay.last()
            )?;
        }
        self.out.flush()?;
        Ok(if self.differences == 0 { Exit::Done } else { Exit::ReplayDiffers })
    }
}

fn until(text: &str) -> Option<Until> {
    let record = text.parse().ok().map(Until::Record);
    record.or_else(|| time::parse(text).map(Until::Utc))
}

fn in_words(layout: &Layout, decisions: &[Decision]) -> Vec<String> {
    decisions.iter().map(|decision| words::decision(layout, decision)).collect()
}

/// The parcels whose story moves.
fn parcels(decisions: &[Decision]) -> Vec<u64> {
    let mut moved: Vec<u64> = decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Parcel { parcel, .. } => Some(parcel.0),
            _ => None,
        })
        .collect();
    moved.sort_unstable();
    moved.dedup();
    moved
}

/// The line's state for people and programs.
fn state(line: &Line, utc: Option<UtcPair>) -> Value {
    let memory = line.memory();
    let view = line.view(memory.now);
    let parcels = view.parcels.iter().map(|parcel| {
        json!({
            "id": parcel.id.0, "code": parcel.code, "seen_at": parcel.at.0,
            "chute": parcel.chute.map(|chute| chute.0),
            "end_reason": parcel.end_reason.map(Reason::code),
        })
    });
    let counted = Reason::ALL.iter().filter(|reason| view.tally.count_for(**reason) > 0);
    let reasons: BTreeMap<&str, u64> =
        counted.map(|reason| (reason.code(), view.tally.count_for(*reason))).collect();
    json!({
        "at_us": memory.now.0,
        "utc": utc.map(|pair| time::utc(pair.utc_at(memory.now))),
        "state": view.state.name(),
        "plan": view.plan.as_ref().map(|(name, version)| format!("{name} {version}")),
        "alarms": view.alarms.iter().map(|alarm| alarm.code()).collect::<Vec<_>>(),
        "tally": {
            "inducted": view.tally.inducted, "landed_planned": view.tally.landed_planned,
            "landed_alternate": view.tally.landed_alternate,
            "end_landed": view.tally.count(Outcome::EndLanded),
            "recirculated": view.tally.count(Outcome::Recirculated),
            "distinct": view.tally.distinct(),
            "removed": view.tally.removed, "lost": view.tally.lost,
            "unconfirmed": view.tally.unconfirmed, "on_line": view.tally.on_line,
            "reasons": reasons,
        },
        "arms": memory.arms.len(),
        "parcels": parcels.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use line_engine::{BusId, Effects, Wake, record};
    use rusqlite::{Connection, params};
    use std::path::Path;

    /// Records of a line that is told the time and loses a bus.
    fn records() -> Vec<Vec<u8>> {
        let (mut engine, mut out) = (example::engine(), Effects::default());
        engine.handle(Micros(1), Wake::WallClock { utc_us: 1_798_732_800_000_000 }, &mut out);
        engine.handle(Micros(2), Wake::BusDown { bus: BusId(0) }, &mut out);
        for n in 3..9 {
            engine.handle(
                Micros(n),
                Wake::WallClock { utc_us: 1_798_732_800_000_000 + n },
                &mut out,
            );
        }
        out.records.into_iter().map(|found| found.bytes).collect()
    }

    /// A recording of these records, with a line file or without.
    fn written(path: &Path, records: &[Vec<u8>], line: bool) {
        let connection = Connection::open(path).expect("opens");
        connection
            .execute_batch(
                "CREATE TABLE records (number INTEGER PRIMARY KEY, at_us INTEGER, bytes BLOB);
                 CREATE TABLE snapshots (number INTEGER PRIMARY KEY, at_us INTEGER, bytes BLOB);
                 CREATE TABLE files (id INTEGER PRIMARY KEY, utc_us INTEGER, kind TEXT, name TEXT,
                    hash BLOB, bytes BLOB);
                 CREATE TABLE wall_clock (at_us INTEGER PRIMARY KEY, utc_us INTEGER);",
            )
            .expect("made");
        let mut insert =
            connection.prepare("INSERT INTO records VALUES (?1, 0, ?2)").expect("fits");
        for (number, bytes) in (1..).zip(records) {
            insert.execute(params![number, bytes]).expect("written");
        }
        if line {
            let text = include_bytes!("../../examples/factory-line.toml");
            let sql = "INSERT INTO files (utc_us, kind, name, bytes) VALUES (0, 'line', 'l', ?1)";
            connection.execute(sql, [&text[..]]).expect("written");
        }
    }

    fn ends(path: &Path, until: Option<&str>, diff: bool) -> Exit {
        let until = until.map(ToOwned::to_owned);
        run(&Arguments { path: path.to_owned(), until, step: false, diff, json: true })
    }

    #[test]
    fn every_way_to_end_has_its_code() {
        let dir = tempfile::tempdir().expect("a directory");
        let good = records();
        let mut differs = good.clone();
        let found = record::decode(&differs[2]).expect("ours");
        assert!(!found.decisions.is_empty(), "there is something to differ from");
        differs[2] = record::encode(found.number, found.at, &found.input, &[]);
        let mut damaged = good.clone();
        damaged[3].truncate(10);
        let mut gap = good.clone();
        gap.remove(4);
        let cases = [
            ("good", &good, true, Exit::Done),
            ("differs", &differs, true, Exit::ReplayDiffers),
            ("damaged", &damaged, true, Exit::JournalDamaged),
            ("gap", &gap, true, Exit::JournalDamaged),
            ("no line", &good, false, Exit::Faults),
        ];
        for (name, records, line, expected) in cases {
            let path = dir.path().join(name);
            written(&path, records, line);
            for diff in [false, true] {
                assert_eq!(ends(&path, None, diff), expected, "{name}");
            }
        }
        let path = dir.path().join("differs");
        assert_eq!(ends(&path, Some("2"), false), Exit::Done, "before the difference");
        assert_eq!(ends(&path, Some("3"), false), Exit::ReplayDiffers);
        assert_eq!(ends(&path, Some("2020-01-01T00:00"), false), Exit::Done);
        assert_eq!(ends(&path, Some("yesterday"), false), Exit::Usage);
        assert_eq!(ends(&dir.path().join("nothing"), None, false), Exit::CannotStart);
        std::fs::write(dir.path().join("text"), "no database, but long enough for a look at it")
            .expect("written");
        assert_eq!(ends(&dir.path().join("text"), None, false), Exit::JournalDamaged);
        let dump = dir.path().join("dump");
        let made = Connection::open(&dump).expect("opens");
        made.pragma_update(None, "application_id", crate::flight::dump::APPLICATION).expect("set");
        assert_eq!(ends(&dump, None, false), Exit::CannotStart, "a dump of frames");
    }
}
