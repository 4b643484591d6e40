//! Task runner: `cargo xtask test | setup | fuzz | soak | bench | help`.
//!
//! Owns the order of the checks and what they need on the machine; holds no check itself.

mod fuzz;
mod setup;
mod soak;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask test                     sets up what the checks need and runs all of them
cargo xtask setup                    only sets up (targets, Debian packages)
cargo xtask fuzz wire [SECONDS] [keep]
                                     coverage-guided, everything that reads the wire, SECONDS a
                                     target; keep: the corpus found becomes the kept one
cargo xtask fuzz [CASES] [SEED]      mutates frames, files and records for longer
cargo xtask soak [NAME] [SEED]       long runs, all of them without a name; see below
cargo xtask bench                    prints the budgets of this machine
cargo xtask help                     this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test(),
        ["setup"] => setup::all(),
        ["fuzz", "wire", rest @ ..] => fuzz_wire(rest),
        ["fuzz", rest @ ..] => mutate(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["bench"] => bench(),
        ["help"] => {
            println!("{HELP}\n\nsoak, NAME is one of\n{}", soak::help());
            Ok(())
        }
        _ => Err(format!("unknown task\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("workspace root").to_path_buf()
}

fn cargo(title: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    println!("\n== {title}: cargo {}", arguments.join(" "));
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|why| format!("cargo did not start: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("{title} failed ({status})")) }
}

/// The crates that must not be able to spell a clock, a socket or a file.
const SANS_IO: &[&str] = &[
    "units",
    "modbus",
    "registers",
    "node",
    "zone",
    "diverter",
    "scanner",
    "dws",
    "panel",
    "line-model",
    "node-link",
    "line-engine",
];

fn test() -> Result<(), String> {
    setup::all()?;
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    cargo("lint", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    let mut build = vec!["build", "--target", "thumbv6m-none-eabi"];
    for name in SANS_IO {
        build.extend(["--package", name]);
    }
    cargo("no_std", &build, &[])?;
    let units = ["test", "--workspace", "--exclude", "system-tests", "--exclude", "xtask"];
    cargo("unit and property tests", &units, &[("INSTA_UPDATE", "no")])?;
    fuzz::short()?;
    // The system tests run the two product binaries and hours of virtual time, hence release.
    cargo("binaries", &["build", "--release", "--workspace", "--bins"], &[])?;
    let system = ["test", "--release", "--package", "system-tests"];
    cargo("system tests", &system, &[])
}

fn fuzz_wire(rest: &[&str]) -> Result<(), String> {
    let keep = rest.contains(&"keep");
    let seconds = rest.first().filter(|word| **word != "keep").map_or(Ok(60), |word| word.parse());
    fuzz::run(seconds.map_err(|_| format!("seconds are a number\n{HELP}"))?, keep)
}

fn mutate(rest: &[&str]) -> Result<(), String> {
    let cases = rest.first().copied().unwrap_or("20000000");
    let seed = rest.get(1).copied().unwrap_or("1");
    let command =
        ["test", "--release", "--package", "system-tests", "--test", "fuzz", "--", "--nocapture"];
    cargo("fuzz", &command, &[("FUZZ_CASES", cases), ("FUZZ_SEED", seed)])
}

fn bench() -> Result<(), String> {
    cargo("bench of the whole", &["bench", "--package", "system-tests"], &[])?;
    cargo(
        "bench of line and journal",
        &["bench", "--package", "sortline", "--bench", "handle", "--bench", "journal"],
        &[],
    )
}
