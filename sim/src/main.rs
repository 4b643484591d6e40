//! `sortline-sim`: the simulated line as a real-time program, and its manifests.

mod peer;
mod serve;

use clap::{Parser, Subcommand, ValueEnum};
use line_sim::Feed;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit codes, also in `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0  ended as asked (SIGTERM and SIGINT included)
  2  wrong arguments
  3  a file cannot be read, or the files do not fit each other
  4  a pseudo-terminal, port or output file cannot be opened or failed";

/// The simulated sorting line.
#[derive(Debug, Parser)]
#[command(name = "sortline-sim", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a line in real time: a pseudo-terminal for each RTU bus, a loopback port for each TCP
    /// bus.
    #[command(after_help = EXIT_CODES)]
    Serve(Serve),
    /// Serves the register map of another project's test server, for that project's clients.
    #[command(after_help = EXIT_CODES)]
    Peer(peer::Peer),
    /// Prints a generated manifest (CSV).
    #[command(after_help = EXIT_CODES)]
    Manifest {
        /// Seed; the same seed gives the same bytes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many rows.
        #[arg(long, default_value_t = 5_000)]
        rows: usize,
    },
}

/// What `serve` is told.
#[derive(Clone, Debug, clap::Args)]
struct Serve {
    /// Scenario file: names the files, seed, profile, feed and parcels itself, and what happens.
    /// Its paths are relative to the current directory.
    #[arg(long, conflicts_with_all = ["line", "plant", "manifest", "seed", "profile", "feed",
        "parcels", "faults"])]
    scenario: Option<PathBuf>,
    /// Line file, as the controller reads it.
    #[arg(long, required_unless_present = "scenario")]
    line: Option<PathBuf>,
    /// Plant file: what is physically true of the line.
    #[arg(long, required_unless_present = "scenario")]
    plant: Option<PathBuf>,
    /// Manifest (CSV) with the waybills that are on the parcels.
    #[arg(long, required_unless_present = "scenario")]
    manifest: Option<PathBuf>,
    /// Directory for `<bus>.tty` and `endpoints.json`; made when missing.
    #[arg(long)]
    dir: PathBuf,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Profile of the plant file.
    #[arg(long, default_value = "normal")]
    profile: String,
    /// How parcels arrive.
    #[arg(long, value_enum, default_value_t = FeedName::People)]
    feed: FeedName,
    /// Ends the feed after this many parcels.
    #[arg(long)]
    parcels: Option<u64>,
    /// Appends one JSON line for each parcel that has ended.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// What goes wrong on every bus: none, mixed20, bad-rs485, rates like late=20000,lost=50000 (ppm
    /// of the frames; bit_errors and bursts in ppb of the bits), a mixture followed by rates, or a
    /// TOML file of rates.
    #[arg(long)]
    faults: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FeedName {
    /// Always a parcel waiting.
    Saturated,
    /// People and bursts from a packing line.
    People,
}

impl From<FeedName> for Feed {
    fn from(name: FeedName) -> Self {
        match name {
            FeedName::Saturated => Self::Saturated,
            FeedName::People => Self::People,
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => match serve::run(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("sortline-sim: failed to {error}");
                ExitCode::from(error.exit_code())
            }
        },
        Command::Peer(arguments) => match peer::run(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("sortline-sim: failed to {error}");
                ExitCode::from(4)
            }
        },
        Command::Manifest { seed, rows } => {
            let csv = line_sim::manifest::generate(seed, rows);
            match std::io::stdout().write_all(csv.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("sortline-sim: failed to print the manifest: {error}");
                    ExitCode::from(4)
                }
            }
        }
    }
}
