//! The daemon's command line as integrators meet it: faulty files, taken ports, missing devices.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::process::{self, Binaries, Running, Scratch};
use system_tests::replays;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../controller/examples")
}

fn sortline(arguments: &[&str]) -> Output {
    let binaries = Binaries::build().expect("builds");
    Command::new(binaries.daemon).args(arguments).output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn example(name: &str) -> String {
    std::fs::read_to_string(examples().join(name)).expect("example")
}

/// Replaces the first occurrence and demands that there is one.
fn spoil(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the example contains {from}");
    text.replacen(from, to, 1)
}

#[test]
fn the_example_files_check_clean() {
    for line in ["factory-line.toml", "factory-line-fast.toml"] {
        let (line, plan, manifest) =
            (examples().join(line), examples().join("plan.toml"), examples().join("manifest.csv"));
        let out = sortline(&[
            "check",
            "--line",
            path(&line),
            "--plan",
            path(&plan),
            "--manifest",
            path(&manifest),
        ]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    }
}

#[test]
fn five_faults_in_a_line_file_are_named_at_once() {
    let dir = Scratch::new("faults");
    let file = dir.at("line.toml");
    let mut line = example("factory-line.toml");
    line = spoil(&line, "baud = 115200", "baud = 12");
    line = spoil(&line, "prestart_ms = 5000", "prestart_ms = 9999999");
    line = spoil(&line, "owner = ", "colour = 3\nowner = ");
    line = spoil(&line, "switch_ms = 200", "switch_ms = 0");
    line = spoil(&line, "role = \"quarantine\"", "role = \"attic\"");
    std::fs::write(&file, line).expect("written");
    let out = sortline(&["check", "--line", path(&file)]);
    let words = text(&out.stderr);
    println!("{words}");
    assert_eq!(out.status.code(), Some(3));
    for key in ["baud", "prestart_ms", "colour", "switch_ms", "role"] {
        assert!(words.contains(key), "{key} is named");
    }
    assert!(words.matches("line.toml:").count() >= 5, "each with file and line");
    let out = sortline(&["check", "--line", path(&file), "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let faults = json["faults"].as_array().expect("faults");
    assert_eq!(faults.len(), 5, "{json}");
    for fault in faults {
        assert!(fault["line"].as_u64().is_some_and(|line| line > 0), "{fault}");
        assert!(fault["key"].is_string() && fault["file"].is_string(), "{fault}");
        assert!(fault["allowed"].is_string(), "{fault}");
    }
}

#[test]
fn a_manifest_with_bad_rows_imports_nothing_unless_told_to_skip_them() {
    let dir = Scratch::new("manifest");
    let file = dir.at("manifest.csv");
    let whole = example("manifest.csv");
    let mut rows: Vec<String> = whole.lines().take(20).map(ToOwned::to_owned).collect();
    rows[4] = rows[4].replacen(',', "?,", 1);
    let cells: Vec<&str> = rows[9].split(',').collect();
    let (inspected, others) = (cells.len() - 2, cells.len());
    rows[9] = (0..others)
        .map(|n| if n == inspected { "maybe" } else { cells[n] })
        .collect::<Vec<_>>()
        .join(",");
    std::fs::write(&file, rows.join("\n")).expect("written");
    let line = examples().join("factory-line.toml");
    let out = sortline(&["check", "--line", path(&line), "--manifest", path(&file)]);
    let words = text(&out.stderr);
    println!("{words}");
    assert_eq!(out.status.code(), Some(3));
    assert!(words.contains("waybill") && words.contains("inspected"), "columns are named");
    assert!(words.contains(":5") && words.contains(":10"), "rows are named by line");
    let skipping = ["check", "--line", path(&line), "--manifest", path(&file), "--skip-bad-rows"];
    let out = sortline(&skipping);
    assert_eq!(out.status.code(), Some(0));
    let words = text(&out.stderr);
    assert!(words.contains(":5") && words.contains("left out"), "they are still named: {words}");
}

#[test]
fn a_plan_with_an_unknown_chute_is_refused() {
    let dir = Scratch::new("plan");
    let file = dir.at("plan.toml");
    let plan = spoil(&example("plan.toml"), "physical = 1", "physical = 99");
    std::fs::write(&file, plan).expect("written");
    let line = examples().join("factory-line.toml");
    let out = sortline(&["check", "--line", path(&line), "--plan", path(&file)]);
    let words = text(&out.stderr);
    println!("{words}");
    assert_eq!(out.status.code(), Some(3));
    assert!(words.contains("99") && words.contains("plan.toml:"));
}

fn run(dir: &Path, hmi: &str, serial: &str) -> Command {
    let binaries = Binaries::build().expect("builds");
    let inputs = Inputs::demo(10, 1);
    let mut command = Command::new(binaries.daemon);
    command.arg("run").arg("--line").arg(&inputs.line).arg("--plan").arg(&inputs.plan);
    command.arg("--manifest").arg(&inputs.manifest).arg("--data").arg(dir.join("data"));
    command.args(["--hmi", hmi]);
    let line = line_file::LineFile::parse(&example("factory-line.toml")).expect("example");
    let mut serials = 0;
    for bus in &line.bus {
        let free = process::free_address().expect("loopback");
        let rtu = matches!(bus.kind, line_file::BusKind::Rtu);
        serials += usize::from(rtu);
        let at = if rtu { serial.to_owned() } else { free };
        command.args(["--bus", &format!("{}={at}", bus.name)]);
    }
    assert!(serials > 0, "the example has a serial bus");
    command
}

#[test]
fn a_taken_port_is_named() {
    let dir = Scratch::new("port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = taken.local_addr().expect("address").to_string();
    let out = run(dir.dir(), &address, "/dev/null").output().expect("runs");
    let words = text(&out.stderr);
    assert_eq!(out.status.code(), Some(4), "{words}");
    assert!(words.contains(&address), "{words}");
}

#[test]
fn a_missing_serial_port_is_a_state_not_an_end() {
    let dir = Scratch::new("serial");
    let hmi = process::free_address().expect("loopback");
    let mut command = run(dir.dir(), &hmi, "/dev/serial/by-path/there-is-none");
    let log = dir.at("log");
    let mut process = Running::start("sortline", &mut command, Some(&log)).expect("starts");
    let view = process.until(Duration::from_secs(20), || {
        let view: serde_json::Value =
            serde_json::from_str(&process::get(&hmi, "/api/view")?).ok()?;
        (view["state"]["name"] == "Stopped" && !view["state"]["unmet"].as_array()?.is_empty())
            .then_some(view)
    });
    println!("{}", view.expect("it runs and says what it waits for"));
    let status = process.terminate(Duration::from_secs(20)).expect("ends when asked");
    assert!(status.success());
    replays::path(&dir.at("data"));
    let words = std::fs::read_to_string(&log).expect("log");
    assert!(words.contains("there-is-none"), "the log names the port: {words}");
}

#[test]
fn two_daemons_never_share_a_journal() {
    let dir = Scratch::new("lock");
    let hmi = process::free_address().expect("loopback");
    let mut first =
        Running::start("sortline", &mut run(dir.dir(), &hmi, "/dev/null"), Some(&dir.at("log")))
            .expect("starts");
    first.until(Duration::from_secs(20), || process::get(&hmi, "/api/view")).expect("comes up");
    let other = process::free_address().expect("loopback");
    let out = run(dir.dir(), &other, "/dev/null").output().expect("runs");
    assert_eq!(out.status.code(), Some(4), "{}", text(&out.stderr));
    first.terminate(Duration::from_secs(20)).expect("ends when asked");
    replays::path(&dir.at("data"));
}

#[test]
fn a_damaged_journal_has_its_own_exit_code() {
    let dir = Scratch::new("damaged");
    let data = dir.at("data");
    std::fs::create_dir_all(&data).expect("directory");
    std::fs::write(data.join(sortline::journal::FILE), vec![0x55; 8_192]).expect("written");
    let hmi = process::free_address().expect("loopback");
    let out = run(dir.dir(), &hmi, "/dev/null").output().expect("runs");
    assert_eq!(out.status.code(), Some(5), "{}", text(&out.stderr));
}
