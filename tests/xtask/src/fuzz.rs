//! Coverage-guided fuzzing of everything that reads the wire; see `firmware/modbus/fuzz`.
//!
//! libFuzzer on the stable compiler: instrumented by flags, without a sanitizer, because the code
//! under test forbids unsafe. The kept corpus is one text file a target, an input a line.

use crate::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGETS: [&str; 6] = ["request", "answer", "receiver", "mbap", "session", "node"];
const HOST: &str = "x86_64-unknown-linux-gnu";
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Seconds a target in the test run: with the build about a minute in all.
const SHORT_SECONDS: u32 = 5;
/// Longest input that is tried; the longest frame and some operations.
const INPUT_BYTES_MAX: u32 = 300;

/// Fuzzes every target for a short time, from the kept corpus on.
pub(crate) fn short() -> Result<(), String> {
    run(SHORT_SECONDS, false)
}

/// Fuzzes every target for `seconds`; with `keep` the merged corpus replaces the kept one.
pub(crate) fn run(seconds: u32, keep: bool) -> Result<(), String> {
    let home = root().join("firmware/modbus/fuzz");
    let work = target_dir().join("fuzz");
    build(&home, &work)?;
    for target in TARGETS {
        let kept = home.join(format!("corpus/{target}.hex"));
        let (corpus, merged) = (work.join(target), work.join(format!("{target}-merged")));
        let inputs = unpack(&kept, &corpus).map_err(|why| format!("{}: {why}", kept.display()))?;
        let program = work.join(HOST).join("release").join(target);
        let executed = fuzz(target, &program, &work, &corpus, seconds)?;
        println!("fuzz {target}: {executed} executions from {inputs} kept inputs, no failure");
        if keep {
            empty(&merged).map_err(|why| format!("{}: {why}", merged.display()))?;
            let merge = Command::new(&program).arg("-merge=1").args([&merged, &corpus]).output();
            merge.map_err(|why| format!("{target} did not start: {why}"))?;
            let count = pack(&merged, &kept).map_err(|why| format!("{}: {why}", kept.display()))?;
            println!("fuzz {target}: {count} inputs kept now");
        }
    }
    Ok(())
}

fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn build(home: &Path, work: &Path) -> Result<(), String> {
    println!("\n== coverage-guided fuzzing: building {}", home.display());
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--target", HOST])
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", work)
        .current_dir(home)
        .status()
        .map_err(|why| format!("cargo did not start: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("the fuzzers do not build ({status})")) }
}

/// Runs one target; gives the number of executions.
fn fuzz(
    target: &str,
    program: &Path,
    work: &Path,
    corpus: &Path,
    seconds: u32,
) -> Result<u64, String> {
    let found = work.join(format!("{target}-failed-"));
    let output = Command::new(program)
        .arg(corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}", found.display()))
        .arg("-print_final_stats=1")
        .output()
        .map_err(|why| format!("{target} did not start: {why}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let said = log.lines().filter(|line| line.contains("panicked") || line.contains("ERROR"));
        let said: Vec<&str> = said.collect();
        return Err(format!(
            "{target} failed: {}; the input is {}*, repeat: {} FILE; then add it as a line of \
             firmware/modbus/fuzz/corpus/{target}.hex (xxd -p -c 0 FILE)",
            said.join(" "),
            found.display(),
            program.display()
        ));
    }
    let executed =
        log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let executed = executed.and_then(|count| count.trim().parse::<u64>().ok());
    match executed {
        Some(count) if count > 1_000 => Ok(count),
        other => Err(format!("{target} executed {other:?} inputs: the fuzzer does not work")),
    }
}

fn empty(directory: &Path) -> std::io::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)
}

/// Writes every line of `kept` as a file of its own; gives their number.
fn unpack(kept: &Path, directory: &Path) -> std::io::Result<usize> {
    empty(directory)?;
    let text = fs::read_to_string(kept)?;
    for (number, line) in text.lines().enumerate() {
        let byte =
            |at: usize| line.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let bytes: Option<Vec<u8>> = (0..line.len()).step_by(2).map(byte).collect();
        let wrong = || std::io::Error::other(format!("line {} is no hexadecimal", number + 1));
        fs::write(directory.join(format!("{number:05}")), bytes.ok_or_else(wrong)?)?;
    }
    Ok(text.lines().count())
}

/// Writes every file of `directory` as a line of `kept`, sorted; gives their number.
fn pack(directory: &Path, kept: &Path) -> std::io::Result<usize> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(directory)? {
        let bytes = fs::read(entry?.path())?;
        lines.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    lines.retain(|line| !line.is_empty());
    lines.sort();
    fs::write(kept, lines.join("\n") + "\n")?;
    Ok(lines.len())
}
