//! What people did to the line: every command, plan and button, from the records themselves.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use line_engine::record::{self, Decoded};
use line_model::decision::Decision;
use line_model::layout::Layout;
use line_model::signal::{ChuteContact, Contact, Input};
use serde::Serialize;

use crate::exit::Exit;
use crate::replay::{Recording, RecordingFault, UtcPair, time, words};

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

/// One deed of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// Number of its record in the chain.
    pub record: u64,
    /// When; `None` before the wall clock was first told.
    pub utc: Option<String>,
    /// Who: a screen's address, a signal, or the panel.
    pub who: String,
    /// What.
    pub what: String,
    /// What was before: the state, or the plan in force.
    pub old: Option<String>,
    /// What was from then on; `None` when nothing changed.
    pub new: Option<String>,
    /// Why it was refused; empty when it was not.
    pub refused: Vec<String>,
}

/// Finds deeds in records that come in order.
#[derive(Debug, Default)]
pub struct Auditor {
    plan: Option<String>,
    utc: Option<UtcPair>,
}

impl Auditor {
    /// Takes the next record; gives the deed in it, with its instant in microseconds since 1970.
    pub fn take(&mut self, layout: &Layout, found: &Decoded) -> Option<(Deed, Option<u64>)> {
        let (who, what) = match &found.input {
            Input::WallClock { utc_us } => {
                self.utc = Some(UtcPair { at: found.at, utc_us: *utc_us });
                return None;
            }
            Input::Command { command, by, reason } => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                (by.clone(), format!("{}{why}", words::command(*command)))
            }
            Input::Deed { deed, by, reason } => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                (by.clone(), format!("{}{why}", words::deed(deed)))
            }
            Input::Chute { chute, contact: ChuteContact::Button, active: true } => {
                ("chute".to_owned(), format!("lock button of chute {}", chute.0))
            }
            Input::Contact { contact, active: true } => ("panel".to_owned(), button(*contact)?),
            Input::PlanSelected { .. } => ("daemon".to_owned(), "plan".to_owned()),
            _ => return None,
        };
        let (mut old, mut new) = states(&found.decisions);
        if let Input::PlanSelected { plan } = &found.input {
            let name = format!("{} {}", plan.name, plan.version);
            old = self.plan.replace(name.clone());
            new = Some(name);
        }
        let refused = found.decisions.iter().filter_map(|decision| match decision {
            Decision::Refused { .. } => Some(words::decision(layout, decision)),
            _ => None,
        });
        let refused = refused.collect();
        let utc_us = self.utc.map(|pair| pair.utc_at(found.at));
        let utc = utc_us.map(time::utc);
        Some((Deed { record: found.number, utc, who, what, old, new, refused }, utc_us))
    }
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

/// The state before the first change and behind the last one.
fn states(decisions: &[Decision]) -> (Option<String>, Option<String>) {
    let changes = decisions.iter().filter_map(|decision| match decision {
        Decision::State { from, to, .. } => Some((from.name(), to.name())),
        _ => None,
    });
    let changes: Vec<_> = changes.collect();
    let old = changes.first().map(|(from, _)| (*from).to_owned());
    let new = changes.last().map(|(_, to)| (*to).to_owned());
    (old, new)
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
    let (mut auditor, mut written) = (Auditor::default(), Ok(()));
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
    let refused = deed.refused.join("; ");
    writeln!(out, "#{} {when}  {}  {}  {change}  {refused}", deed.record, deed.who, deed.what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use line_engine::{Effects, Wake};
    use line_model::signal::Command;
    use units::Micros;

    #[test]
    fn deeds_tell_who_when_old_and_new() {
        let mut engine = example::engine();
        let mut out = Effects::default();
        let by = || "screen 10.0.0.7".to_owned();
        let plan = example::plan();
        let other = line_model::plan::Plan { version: plan.version + 1, ..plan.clone() };
        for (at, wake) in [
            (1, Wake::WallClock { utc_us: 1_798_732_800_000_000 }),
            (2, Wake::SelectPlan { plan: plan.clone() }),
            (3, Wake::Command { command: Command::Abort, by: by(), reason: String::new() }),
            (4, Wake::Command { command: Command::Start, by: by(), reason: String::new() }),
            (1_000_005, Wake::SelectPlan { plan: other }),
        ] {
            engine.handle(Micros(at), wake, &mut out);
        }
        let layout = example::line().engine.layout;
        let mut auditor = Auditor::default();
        let deeds: Vec<Deed> = out
            .records
            .iter()
            .map(|found| record::decode(&found.bytes).expect("ours"))
            .filter_map(|found| auditor.take(&layout, &found).map(|(deed, _)| deed))
            .collect();
        let [first, abort, start, second] = deeds.as_slice() else { panic!("{deeds:?}") };
        let name = |version| Some(format!("{} {version}", plan.name));
        assert_eq!((&first.old, &first.new), (&None, &name(plan.version)));
        assert_eq!((&second.old, &second.new), (&name(plan.version), &name(plan.version + 1)));
        assert_eq!(second.utc.as_deref(), Some("2027-01-01T00:00:01.000+08:00"));
        assert_eq!((abort.who.as_str(), abort.what.as_str()), ("screen 10.0.0.7", "abort"));
        assert_eq!(abort.old.as_deref(), Some("Stopped"));
        assert_eq!(abort.new.as_deref(), Some("Aborting"));
        assert_eq!((&start.old, &start.new), (&None, &None));
        assert!(start.refused[0].contains("not in Aborting"), "{start:?}");
    }
}
