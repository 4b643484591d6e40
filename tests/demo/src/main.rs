//! `cargo demo`: a simulated line and the controller, live over real buses or in virtual time.

mod live;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use system_tests::inputs::Inputs;
use system_tests::summary;

/// Sorts a shift on the simulated line.
///
/// Without --headless it starts the simulator and the controller as two programs over Modbus on
/// loopback and PTYs, prints the address of the screens and sorts until Ctrl-C. With --headless it
/// runs to the end in virtual time and prints one JSON object as its last line.
///
/// Exit codes: 0 done; 1 the run shows a wrong, lost or doubled parcel, or did not drain; 2 usage;
/// 3 an input file is faulty; 4 the programs could not be started.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", version)]
struct Arguments {
    /// Virtual time, to the end, as fast as this machine allows.
    #[arg(long)]
    headless: bool,
    /// Run until this many parcels were inducted, then drain; live runs have no end by default.
    #[arg(long)]
    parcels: Option<u64>,
    /// The one seed.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Line file.
    #[arg(long)]
    line: Option<PathBuf>,
    /// Plant truth; by default the one with the line file's name.
    #[arg(long)]
    plant: Option<PathBuf>,
    /// Manifest CSV.
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// Sort plan.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Plant profile: clean, normal, full or bad.
    #[arg(long, default_value = "normal")]
    profile: String,
    /// How parcels come: saturated (always one waiting) or people; by default saturated when
    /// headless, people when live.
    #[arg(long)]
    feed: Option<String>,
    /// Where the live screens listen; by default 127.0.0.1:8420, or a free port when it is taken.
    #[arg(long)]
    hmi: Option<String>,
}

/// Parcels of a headless run without --parcels.
const PARCELS: u64 = 1_000;

impl Arguments {
    fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::demo(0, self.seed);
        if let Some(line) = &self.line {
            if let Some(stem) = line.file_stem() {
                let mut name = stem.to_os_string();
                name.push(".plant.toml");
                inputs.plant.set_file_name(name);
            }
            inputs.line.clone_from(line);
        }
        let choices = [
            (&self.plant, &mut inputs.plant),
            (&self.manifest, &mut inputs.manifest),
            (&self.plan, &mut inputs.plan),
        ];
        for (chosen, place) in choices {
            if let Some(path) = chosen {
                place.clone_from(path);
            }
        }
        inputs.profile.clone_from(&self.profile);
        let feed = if self.headless { "saturated" } else { "people" };
        inputs.feed = self.feed.clone().unwrap_or_else(|| feed.to_owned());
        inputs.parcels =
            if self.headless { Some(self.parcels.unwrap_or(PARCELS)) } else { self.parcels };
        inputs
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let inputs = arguments.inputs();
    if arguments.headless {
        headless(&inputs)
    } else {
        live::run(&inputs, arguments.hmi.as_deref())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "wall_seconds is what a stopwatch beside the run shows"
)]
fn headless(inputs: &Inputs) -> ExitCode {
    let started = std::time::Instant::now();
    let mut report = match summary::run(inputs) {
        Ok(report) => report,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(3);
        }
    };
    report.summary.wall_seconds = started.elapsed().as_secs_f64();
    let finding = &report.finding;
    let lists = [
        ("wrong by decision", &finding.wrong_by_decision),
        ("wrong, unreported", &finding.wrong_unreported),
        ("wrong by mechanics", &finding.wrong_mechanical),
        ("lost", &finding.lost),
        ("doubled", &finding.doubled),
    ];
    for (title, list) in lists {
        for words in list.iter().take(20) {
            eprintln!("{title}: {words}");
        }
    }
    let figures = &report.summary;
    let bad = figures.wrong_by_decision
        + figures.wrong_unreported
        + figures.oracle_lost
        + figures.oracle_doubled;
    let whole = figures.ties && figures.on_line == 0 && Some(figures.inducted) == inputs.parcels;
    match serde_json::to_string(figures) {
        Ok(line) => println!("{line}"),
        Err(why) => {
            eprintln!("failed to write the summary: {why}");
            return ExitCode::FAILURE;
        }
    }
    if bad == 0 && whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
