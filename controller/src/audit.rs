//! What people did to the line: every command, plan and button, from the records themselves.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use line_engine::record::{self, Decoded};
use line_model::decision::{Decision, ParcelEvent};
use line_model::ids::ParcelId;
use line_model::layout::Layout;
use line_model::packml::State;
use line_model::plan::Plan;
use line_model::signal::{ChuteContact, Command, Contact, File, Input};
use serde::Serialize;

use crate::exit::Exit;
use crate::replay::{Beginning, Recording, RecordingFault, UtcPair, time, words};

/// Prints what people did: who, when, what, and what it changed or why it was refused.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Data directory, file of a journal, or incident file.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Nothing before this instant, such as 2026-11-22T14:03 (Asia/Shanghai unless it says
    /// otherwise).
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    from: Option<u64>,
    /// Nothing behind this instant.
    #[arg(long, value_name = "TIME", value_parser = time::instant)]
    to: Option<u64>,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Longest reason in characters; longer ones are reports and belong elsewhere.
pub const REASON_MAX: usize = 200;

/// A reason as a person gives it on the command line.
///
/// # Errors
/// When it is too long or cannot be shown.
pub fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.chars().count() > REASON_MAX {
        return Err("expected at most 200 characters");
    }
    if text.chars().any(char::is_control) {
        return Err("expected one line without control characters");
    }
    Ok(text.to_owned())
}

/// One deed of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// Number of its record in the chain.
    pub record: u64,
    /// When; `None` before the wall clock was first told.
    pub utc: Option<String>,
    /// Who: a screen's address, a signal, the user that started the daemon, or the panel, where
    /// nobody knows who pressed.
    pub who: String,
    /// What.
    pub what: String,
    /// What was before: the state, the plan in force, the file's hash, what is known of a parcel.
    pub old: Option<String>,
    /// What was from then on; `None` when nothing changed.
    pub new: Option<String>,
    /// Why, in the person's words behind the door; empty when nobody said.
    pub reason: String,
    /// Why it was refused; empty when it was not.
    pub refused: Vec<String>,
}

/// Finds deeds in records that come in order.
#[derive(Debug, Default)]
pub struct Auditor {
    state: Option<String>,
    plan: Option<String>,
    files: BTreeMap<File, String>,
    /// What is known of parcels that wait for a person.
    open: BTreeMap<ParcelId, String>,
    utc: Option<UtcPair>,
}

impl Auditor {
    /// Begins where a recording does.
    pub fn behind(beginning: &Beginning) -> Self {
        let memory = beginning.memory.as_ref();
        let mode = memory.map_or(State::Stopped, |memory| memory.machine.mode.state());
        let plan = memory.and_then(|memory| memory.plans.last());
        Self {
            state: Some(mode.name().to_owned()),
            plan: plan.map(|follows| plan_name(&follows.plan)),
            utc: beginning.utc,
            ..Self::default()
        }
    }

    /// Takes the next record; gives the deed in it, with its instant in microseconds since 1970.
    pub fn take(&mut self, layout: &Layout, found: &Decoded) -> Option<(Deed, Option<u64>)> {
        let told = self.deed(layout, found);
        for decision in &found.decisions {
            self.note(layout, decision);
        }
        let (who, what, reason, old, new) = told?;
        let refused = found.decisions.iter().filter_map(|decision| match decision {
            Decision::Refused { .. } => Some(words::decision(layout, decision)),
            _ => None,
        });
        let refused: Vec<String> = refused.collect();
        let new = new.filter(|_| refused.is_empty());
        let utc_us = self.utc.map(|pair| pair.utc_at(found.at));
        let (record, utc) = (found.number, utc_us.map(time::utc));
        Some((Deed { record, utc, who, what, old, new, reason, refused }, utc_us))
    }

    /// Who, what, why, old and new.
    fn deed(&mut self, layout: &Layout, found: &Decoded) -> Option<Told> {
        match &found.input {
            Input::WallClock { utc_us } | Input::WallClockStepped { utc_us, .. } => {
                self.utc = Some(UtcPair { at: found.at, utc_us: *utc_us });
                None
            }
            Input::Command { command, by, reason } => {
                let (old, new) = match command {
                    Command::Resolve { parcel, .. } => {
                        (self.open.get(parcel).cloned(), consequences(layout, &found.decisions))
                    }
                    _ => self.change(layout, &found.decisions),
                };
                Some((by.clone(), words::command(*command), reason.clone(), old, new))
            }
            Input::Contact { contact, active: true } => {
                let (old, new) = self.change(layout, &found.decisions);
                let who = "panel, person unknown".to_owned();
                Some((who, button(*contact)?, String::new(), old, new))
            }
            Input::Deed { deed, by, reason } => {
                let (old, new) = self.change(layout, &found.decisions);
                Some((by.clone(), words::deed(deed), reason.clone(), old, new))
            }
            Input::Chute { chute, contact: ChuteContact::Button, active: true } => {
                let (old, new) = self.change(layout, &found.decisions);
                let what = format!("lock button of chute {}", chute.0);
                Some(("chute, person unknown".to_owned(), what, String::new(), old, new))
            }
            Input::PlanSelected { plan } => {
                let name = plan_name(plan);
                let old = self.plan.replace(name.clone());
                Some(("daemon".to_owned(), "plan".to_owned(), String::new(), old, Some(name)))
            }
            Input::FileTaken { file, name, hash, by, reason } => {
                let hash = words::short(hash);
                let old = self.files.insert(*file, hash.clone());
                let what = format!("{} {name}", words::file_name(*file));
                Some((by.clone(), what, reason.clone(), old, Some(hash)))
            }
            _ => None,
        }
    }

    /// The state before the first change and behind the last one, or what else was decided.
    fn change(&self, layout: &Layout, decisions: &[Decision]) -> (Option<String>, Option<String>) {
        let changes = decisions.iter().rev().find_map(|decision| match decision {
            Decision::State { to, .. } => Some(to.name().to_owned()),
            _ => None,
        });
        (self.state.clone(), changes.or_else(|| consequences(layout, decisions)))
    }

    /// Keeps what the next deed may change.
    fn note(&mut self, layout: &Layout, decision: &Decision) {
        match decision {
            Decision::State { to, .. } => self.state = Some(to.name().to_owned()),
            Decision::Parcel { parcel, event } => match event {
                ParcelEvent::Unconfirmed { .. } | ParcelEvent::Lost { .. } => {
                    self.open.insert(*parcel, words::decision(layout, decision));
                }
                ParcelEvent::Removed { .. }
                | ParcelEvent::Landed { .. }
                | ParcelEvent::EndLanded { .. }
                | ParcelEvent::Recirculated { .. } => {
                    self.open.remove(parcel);
                }
                _ => {}
            },
            _ => {}
        }
    }
}

type Told = (String, String, String, Option<String>, Option<String>);

fn plan_name(plan: &Plan) -> String {
    format!("{} {}", plan.name, plan.version)
}

/// What a deed led to besides the state: parcels and alarms.
fn consequences(layout: &Layout, decisions: &[Decision]) -> Option<String> {
    let told = decisions.iter().filter(|decision| {
        matches!(decision, Decision::Parcel { .. } | Decision::Alarm { raised: false, .. })
    });
    let told: Vec<String> = told.map(|decision| words::decision(layout, decision)).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Buttons that people press; a full chute and an emergency stop may have other causes, but the stop
/// is what people look for first.
fn button(contact: Contact) -> Option<String> {
    match contact {
        Contact::Start => Some("start button".to_owned()),
        Contact::Stop => Some("stop button".to_owned()),
        Contact::Reset => Some("reset button".to_owned()),
        Contact::Estop(number) => Some(format!("emergency stop {number}")),
        Contact::EndFull => None,
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Exit {
    match print(arguments) {
        Ok(Ok(())) => Exit::Done,
        // The reader of a pipe may have had enough.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Ok(Err(error)) => {
            eprintln!("error: failed to write: {error}");
            Exit::Internal
        }
        Err(fault) => {
            eprintln!("error: failed to {fault}");
            match fault {
                RecordingFault::Missing { .. } | RecordingFault::Frames { .. } => Exit::CannotStart,
                RecordingFault::Line(_) | RecordingFault::NoLine { .. } => Exit::Faults,
                RecordingFault::Unreadable { .. } | RecordingFault::NoBeginning { .. } => {
                    Exit::JournalDamaged
                }
            }
        }
    }
}

fn print(arguments: &Arguments) -> Result<io::Result<()>, RecordingFault> {
    let recording = Recording::open(&arguments.data)?;
    let layout = recording.line()?.engine.layout;
    let mut out = io::BufWriter::new(io::stdout().lock());
    // Deeds are told also where the state before them is not known.
    let known = recording.beginning().ok();
    let mut auditor = known.as_ref().map(Auditor::behind).unwrap_or_default();
    let mut written = Ok(());
    recording.each(0, |bytes| {
        let decoded = match record::decode(bytes) {
            Ok(decoded) => decoded,
            Err(fault) => {
                written = Err(io::Error::other(format!("decode a record: {fault}")));
                return ControlFlow::Break(());
            }
        };
        let Some((deed, utc_us)) = auditor.take(&layout, &decoded) else {
            return ControlFlow::Continue(());
        };
        let wanted = utc_us.is_none_or(|at| {
            arguments.from.is_none_or(|from| at >= from) && arguments.to.is_none_or(|to| at <= to)
        });
        written = if wanted { tell(&mut out, &deed, arguments.json) } else { Ok(()) };
        if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(written.and_then(|()| out.flush()))
}

fn tell(out: &mut impl Write, deed: &Deed, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, deed)?;
        return writeln!(out);
    }
    let when = deed.utc.as_deref().unwrap_or("-");
    let change = match (&deed.old, &deed.new) {
        (Some(old), Some(new)) => format!("{old} → {new}"),
        (None, Some(new)) => format!("→ {new}"),
        (Some(_) | None, None) => "-".to_owned(),
    };
    write!(out, "#{} {when}  {}  {}  {change}", deed.record, deed.who, deed.what)?;
    // A button has no words; a screen could have given some.
    if !deed.reason.is_empty() {
        write!(out, "  why: {}", deed.reason)?;
    } else if deed.who.starts_with("screen") {
        write!(out, "  no reason given")?;
    }
    for refused in &deed.refused {
        write!(out, "  {refused}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use line_engine::{Effects, Wake};
    use units::Micros;

    #[test]
    fn deeds_tell_who_when_old_and_new() {
        let mut engine = example::engine();
        let mut out = Effects::default();
        let by = || "screen 10.0.0.7".to_owned();
        let why = "卡件，客户 13812345678 来电";
        let file = |hash| {
            let (name, reason) = ("line.toml".to_owned(), "新格口".to_owned());
            Wake::FileTaken { file: File::Line, name, hash, by: by(), reason }
        };
        let plan = example::plan();
        let other = line_model::plan::Plan { version: plan.version + 1, ..plan.clone() };
        for (at, wake) in [
            (1, Wake::WallClock { utc_us: 1_798_732_800_000_000 }),
            (2, Wake::SelectPlan { plan: plan.clone() }),
            (3, Wake::Command { command: Command::Abort, by: by(), reason: why.to_owned() }),
            (4, Wake::Command { command: Command::Start, by: by(), reason: String::new() }),
            (1_000_005, Wake::SelectPlan { plan: other }),
            (1_000_006, file([7; 32])),
            (1_000_007, file([8; 32])),
        ] {
            engine.handle(Micros(at), wake, &mut out);
        }
        let layout = example::line().engine.layout;
        let mut auditor = Auditor::behind(&Beginning::NOTHING);
        let deeds: Vec<Deed> = out
            .records
            .iter()
            .map(|found| record::decode(&found.bytes).expect("ours"))
            .filter_map(|found| auditor.take(&layout, &found).map(|(deed, _)| deed))
            .collect();
        let [first, abort, start, second, line, other] = deeds.as_slice() else {
            panic!("{deeds:?}")
        };
        let name = |version| Some(format!("{} {version}", plan.name));
        assert_eq!((&first.old, &first.new), (&None, &name(plan.version)));
        assert_eq!((&second.old, &second.new), (&name(plan.version), &name(plan.version + 1)));
        assert_eq!(second.utc.as_deref(), Some("2027-01-01T00:00:01.000+08:00"));
        assert_eq!((abort.who.as_str(), abort.what.as_str()), ("screen 10.0.0.7", "abort"));
        assert_eq!(abort.old.as_deref(), Some("Stopped"));
        assert_eq!(abort.new.as_deref(), Some("Aborting"));
        assert!(abort.reason.starts_with("卡件，客户 ?11-"), "nobody's number: {}", abort.reason);
        assert_eq!((start.old.as_deref(), &start.new), (Some("Aborting"), &None));
        assert_eq!((line.what.as_str(), &line.old), ("line file line.toml", &None));
        assert_eq!(line.reason, "新格口");
        assert_eq!(other.old, line.new, "the file before");
        assert_eq!(other.new.as_deref(), Some("080808080808"));
        assert!(start.refused[0].contains("not in Aborting"), "{start:?}");
    }
}
