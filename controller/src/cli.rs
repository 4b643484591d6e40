//! The command line.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use line_model::layout::LineEnd;
use serde_json::json;

use crate::audit;
use crate::config::{self, Line};
use crate::exit::{Exit, TABLE};
use crate::incident;
use crate::inputs::{self, BusAt, InputFault, LeftOut};
use crate::journal::commands::{self, Journal};
use crate::journal::{JournalFault, reader};
use crate::logs;
use crate::replay;
use crate::start::{self, Daemon};
use crate::tools::{self, args::Bus};

/// The controller of a parcel sorting line.
#[derive(Debug, Parser)]
#[command(name = "sortline", version, about, after_help = TABLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the line until SIGINT or SIGTERM.
    #[command(after_help = TABLE)]
    Run(Run),
    /// Checks the files and prints the line as the controller understands it.
    #[command(after_help = TABLE)]
    Check(Check),
    /// Prints every parcel of the journal with its outcome.
    #[command(after_help = TABLE)]
    Parcels(Reading),
    /// Looks into buses and nodes.
    #[command(after_help = TABLE)]
    Bus {
        #[command(subcommand)]
        command: Box<Bus>,
    },
    /// Handles a journal's records again and compares every decision with the recorded one.
    #[command(after_help = TABLE)]
    Replay(replay::command::Arguments),
    /// Puts a slice of the journal into one masked file that replays elsewhere.
    #[command(after_help = TABLE)]
    Incident(incident::export::Arguments),
    /// Prints what people did: who, when, what, and what it changed or why it was refused.
    #[command(after_help = TABLE)]
    Audit(audit::Arguments),
    /// Looks after the journal.
    Journal {
        #[command(subcommand)]
        command: Journal,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Line file.
    #[arg(long, value_name = "FILE")]
    line: PathBuf,
    /// Sort plan.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Manifest (CSV).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Directory of the journal; made when missing.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where a bus really is, when not where the line file says.
    #[arg(long = "bus", value_name = "NAME=PATH|HOST:PORT")]
    buses: Vec<BusAt>,
    /// Address of the screens, when not that of the line file.
    #[arg(long, value_name = "ADDRESS:PORT")]
    hmi: Option<SocketAddr>,
    /// Leaves bad rows of the manifest out instead of refusing it.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Why it is started with these files; kept with every file that is another than before.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = audit::reason)]
    reason: String,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t)]
    log: logs::Form,
}

#[derive(Debug, Args)]
struct Check {
    /// Line file.
    #[arg(long, value_name = "FILE")]
    line: PathBuf,
    /// Sort plan.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Manifest (CSV).
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Leaves bad rows of the manifest out instead of refusing it.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Reading {
    /// Directory of the journal.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Prints JSON: one object a line for lists, else one object.
    #[arg(long)]
    json: bool,
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) => {
            let exit = if help.use_stderr() { Exit::Usage } else { Exit::Done };
            // Nothing is left to tell when not even the help can be written.
            help.print().ok();
            return exit.into();
        }
    };
    let exit = match cli.command {
        Command::Run(args) => run(args),
        Command::Check(args) => check(&args),
        Command::Parcels(args) => parcels(&args),
        Command::Bus { command } => tools::run(*command),
        Command::Replay(args) => replay::command::run(&args),
        Command::Incident(args) => incident::export::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Journal { command } => commands::run(&command),
    };
    exit.into()
}

fn run(args: Run) -> Exit {
    logs::begin(args.log);
    let read = || {
        let line = inputs::line(&args.line)?;
        let plan = inputs::plan(&args.plan, &line.value)?;
        let manifest = inputs::manifest(&args.manifest, args.skip_bad_rows)?;
        Ok((line, plan, manifest))
    };
    let (mut line, plan, manifest) = match read() {
        Ok(read) => read,
        Err(fault) => return faulty(&fault, false),
    };
    if let Some(rows) = LeftOut::of(&manifest) {
        eprintln!("{rows}");
    }
    if let Err(unknown) = inputs::relocate(&mut line.value, &args.buses) {
        eprintln!("error: failed to {unknown}");
        return Exit::Usage;
    }
    let hmi = args.hmi.unwrap_or(line.value.screens.bind);
    let daemon = Daemon { line, plan, manifest, data: args.data, hmi, reason: args.reason };
    // What even the guard cannot hold ends the daemon; the nodes' lease stops the line then.
    match std::panic::catch_unwind(|| start::daemon(daemon)) {
        Ok(Ok(())) => Exit::Done,
        Ok(Err(fault)) => {
            eprintln!("error: failed to {fault}");
            fault.exit()
        }
        Err(_) => {
            eprintln!("error: failed to go on after a panic; the log names its place");
            Exit::Internal
        }
    }
}

fn faulty(fault: &InputFault, as_json: bool) -> Exit {
    if as_json {
        println!("{}", json!({ "faults": fault.to_json() }));
    } else {
        eprintln!("{fault}");
    }
    Exit::Faults
}

fn damaged(fault: &JournalFault) -> Exit {
    eprintln!("error: failed to {fault}");
    fault.exit()
}

fn check(args: &Check) -> Exit {
    match check_all(args) {
        Ok(()) => Exit::Done,
        Err(fault) => faulty(&fault, args.json),
    }
}

fn check_all(args: &Check) -> Result<(), InputFault> {
    let line = inputs::line(&args.line)?.value;
    let plan = args.plan.as_ref().map(|path| inputs::plan(path, &line)).transpose()?;
    let manifest = args
        .manifest
        .as_ref()
        .map(|path| inputs::manifest(path, args.skip_bad_rows))
        .transpose()?;
    if let Some(rows) = manifest.as_ref().and_then(LeftOut::of) {
        eprintln!("{rows}");
    }
    let sequence = plan.as_ref().zip(manifest.as_ref()).map(|(plan, manifest)| {
        config::limit::destinations(&line.engine.layout, &plan.value, &manifest.value)
    });
    let before = sequence.map(|sequence| line.limit_before_gapping_per_hour(&sequence));
    let rules = plan.map(|plan| plan.value.rules.len());
    let items = manifest.map(|manifest| manifest.value.items.len());
    if args.json {
        println!("{}", described(&line, before, rules, items));
    } else {
        describe(&line, before, rules, items);
    }
    Ok(())
}

fn described(
    line: &Line,
    before: Option<u32>,
    rules: Option<usize>,
    items: Option<usize>,
) -> serde_json::Value {
    let layout = &line.engine.layout;
    let zones = layout.zones.iter().map(
        |zone| json!({ "name": zone.name, "speed_mm_s": zone.speed.0, "gapping": zone.gapping }),
    );
    let chutes = layout.chutes.iter().map(|chute| {
        json!({
            "number": chute.number.0,
            "diverter": layout.diverter(chute.diverter).name,
            "side": chute.side.name(),
            "role": chute.role.name(),
        })
    });
    let beds = line.bed_gaps().map(
        |(name, before, after)| json!({ "name": name, "gap_before": before.0, "gap_after": after.0 }),
    );
    let laps_max = match layout.end {
        LineEnd::Chute => None,
        LineEnd::Return { laps_max, .. } => Some(laps_max),
    };
    json!({
        "line": line.name,
        "zones": zones.collect::<Vec<_>>(),
        "chutes": chutes.collect::<Vec<_>>(),
        "gap_target": layout.limits.gap_target.0,
        "geometric_limit_per_hour": line.geometric_limit_per_hour(),
        "laps_max": laps_max,
        "limit_before_gapping_per_hour": before,
        "beds": beds.collect::<Vec<_>>(),
        "polls": line.polls.to_json(),
        "plan_rules": rules,
        "manifest_items": items,
    })
}

fn describe(line: &Line, before: Option<u32>, rules: Option<usize>, items: Option<usize>) {
    let layout = &line.engine.layout;
    println!("line       {} {}", line.name, line.name_zh);
    for zone in &layout.zones {
        let gapping = if zone.gapping { ", gapping" } else { "" };
        println!("zone       {}: {} mm/s{gapping}", zone.name, zone.speed.0);
    }
    for chute in &layout.chutes {
        let diverter = &layout.diverter(chute.diverter).name;
        let (side, role) = (chute.side.name(), chute.role.name());
        println!("chute {:>4} {diverter} {side}, {role}", chute.number.0);
    }
    println!("gap        {} counts between tail and head", layout.limits.gap_target.0);
    for (name, before, after) in line.bed_gaps() {
        println!(
            "bed        {name}: {} counts before a diverted parcel, {} behind",
            before.0, after.0
        );
    }
    let limit = line.geometric_limit_per_hour();
    println!("limit      {limit} parcels/h by geometry, codes read after gapping");
    if let LineEnd::Return { laps_max, transit } = layout.end {
        let ms = transit.millis();
        println!("return     {laps_max} laps, {ms} ms from the drop; the limit counts each pass");
    }
    if let Some(before) = before {
        println!(
            "           {before} parcels/h of this plan and manifest, codes read before gapping"
        );
    }
    print!("{}", line.polls);
    if let Some(rules) = rules {
        println!("plan       {rules} rules");
    }
    if let Some(items) = items {
        println!("manifest   {items} waybills");
    }
}

fn parcels(args: &Reading) -> Exit {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = reader::parcels(&args.data, |row| {
        if args.json {
            serde_json::to_writer(&mut out, &row)?;
            return writeln!(out);
        }
        let dash = || "-".to_owned();
        let chute = row.chute.map_or_else(dash, |chute| chute.to_string());
        let code = row.code.unwrap_or_else(dash);
        let reason = row.reason.unwrap_or_default();
        writeln!(out, "{:>8}  {code:<24} {chute:>4}  {} {reason}", row.id, row.outcome)
    });
    match written.map(|written| written.and_then(|()| out.flush())) {
        Ok(Ok(())) => Exit::Done,
        // The reader of a pipe may have had enough.
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Ok(Err(error)) => {
            eprintln!("error: failed to write: {error}");
            Exit::Internal
        }
        Err(fault) => damaged(&fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn buses_are_given_by_name() {
        let parse = |text: &str| text.parse::<BusAt>().ok().map(|bus| (bus.name, bus.at));
        assert_eq!(parse("b=/dev/x"), Some(("b".to_owned(), "/dev/x".to_owned())));
        assert_eq!(parse("b"), None);
        assert_eq!(parse("=x"), None);
    }
}
