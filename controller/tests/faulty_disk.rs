//! The real daemon on a disk that is full, broken or slow: it says so, loses nothing, and goes on by
//! itself. The faults are injected below SQLite, by a library that is preloaded.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Looks at the daemon until it shows what is waited for; ten a second, five minutes at most.
const LOOKS: u32 = 3_000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the library that fails on demand.
fn library(dir: &Path) -> PathBuf {
    let library = dir.join("faulty_disk.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"])
        .arg(&library)
        .arg(root().join("tests/faulty_disk.c"))
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(built.success());
    library
}

/// The daemon with its own disk switch; killed by its id when dropped.
struct Daemon {
    child: Child,
    hmi: String,
    dir: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The daemon on the disk of `dir`, and the address of its screens; `keys` are lines of its line
/// file's `[journal]`.
fn command(dir: &Path, keys: &str) -> (Command, String) {
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        listener.local_addr().expect("an address").to_string()
    };
    let (hmi, examples) = (free(), root().join("examples"));
    let text = std::fs::read_to_string(examples.join("factory-line.toml")).expect("the example");
    let (before, _) = text.split_once("[journal]").expect("the example shows it");
    let text = format!("{before}[journal]\n{keys}\n");
    let line = dir.join("line.toml");
    std::fs::write(&line, &text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sortline"));
    command.arg("run").arg("--line").arg(&line);
    command.arg("--plan").arg(examples.join("plan.toml"));
    command.arg("--manifest").arg(examples.join("manifest.csv"));
    command.arg("--data").arg(dir.join("data")).args(["--hmi", &hmi]);
    for bus in line_file::LineFile::parse(&text).expect("the example").bus {
        let rtu = matches!(bus.kind, line_file::BusKind::Rtu);
        let at = if rtu { "/dev/null".to_owned() } else { free() };
        command.args(["--bus", &format!("{}={at}", bus.name)]);
    }
    let log = std::fs::File::create(dir.join("log")).expect("a log");
    command.stdout(log.try_clone().expect("a log")).stderr(log).stdin(Stdio::null());
    command.env("LD_PRELOAD", library(dir)).env("SORTLINE_DISK", dir.join("disk"));
    (command, hmi)
}

/// Switches the disk of `dir`.
fn disk(dir: &Path, word: &str) {
    let fresh = dir.join("disk.new");
    std::fs::write(&fresh, word).expect("written");
    std::fs::rename(fresh, dir.join("disk")).expect("renamed");
}

/// Demands that everything in the journal replays to the bit.
fn replays(data: &Path) {
    let out = Command::new(env!("CARGO_BIN_EXE_sortline")).arg("replay").arg(data).output();
    let out = out.expect("starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

impl Daemon {
    fn start(dir: &Path) -> Self {
        Self::start_with(dir, "")
    }

    fn start_with(dir: &Path, keys: &str) -> Self {
        let (mut command, hmi) = command(dir, keys);
        let child = command.spawn().expect("starts");
        let daemon = Self { child, hmi, dir: dir.to_owned() };
        daemon.until("it is up", |_| true);
        daemon
    }

    fn disk(&self, word: &str) {
        disk(&self.dir, word);
    }

    /// Asks it to end; what it has left must replay.
    fn end(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.expect("asks").success());
        assert!(self.child.wait().expect("ends").success(), "{}", self.log());
        replays(&self.dir.join("data"));
    }

    fn ask(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.hmi).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn view(&self) -> Option<Value> {
        let request =
            format!("GET /api/view HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.hmi);
        let answer = self.ask(&request)?;
        let body = answer.split_once("\r\n\r\n")?.1;
        serde_json::from_str(&body[body.find('{')?..=body.rfind('}')?]).ok()
    }

    /// Presses a button; the status that came back.
    fn press(&self, command: &str) -> String {
        let body = format!("{{\"command\":\"{command}\"}}");
        let hmi = &self.hmi;
        let request = format!(
            "POST /api/command HTTP/1.1\r\nhost: {hmi}\r\norigin: http://{hmi}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = self.ask(&request).unwrap_or_default();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn until(&self, what: &str, shows: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..LOOKS {
            if let Some(view) = self.view().filter(|view| shows(view)) {
                return view;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        panic!("{what}: {:?}\n{log}", self.view());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).expect("a log")
    }
}

fn pending(view: &Value) -> u64 {
    view["records_pending"].as_u64().unwrap_or_default()
}

fn stalled(view: &Value) -> bool {
    let alarms = view["alarms"].as_array().into_iter().flatten();
    let mut standing = alarms.filter(|alarm| alarm["stands"] == true);
    standing.any(|alarm| alarm["code"] == "commits_stalled")
}

fn goes_through(word: &str, why: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    daemon.until("everything is written", |view| pending(view) == 0);
    let data = dir.path().join("data");
    let before = sortline::journal::verify(&data).expect("holds").records;
    daemon.disk(word);
    let mut pressed = 0;
    daemon.until("the disk refuses and the alarm stands", |view| {
        stalled(view) || {
            assert_eq!(daemon.press("stop"), "200", "a stop never waits for the disk");
            false
        }
    });
    for _ in 0..20 {
        assert_eq!(daemon.press("stop"), "200", "a stop never waits for the disk");
        pressed += 1;
    }
    assert!(daemon.child.try_wait().expect("a process").is_none(), "it lives");
    if !why.is_empty() {
        assert!(daemon.log().contains(why), "{}", daemon.log());
        daemon.until("the stops wait for the disk", |view| pending(view) >= pressed);
    }
    daemon.disk("works");
    daemon.until("everything is written", |view| pending(view) == 0 && !stalled(view));
    let after = sortline::journal::verify(&data).expect("holds over the fault").records;
    assert!(after >= before + pressed, "{before} records before, {after} after, {pressed} stops");
    daemon.end();
    assert!(sortline::journal::verify(&data).expect("holds").records >= after);
}

#[test]
fn a_full_disk() {
    goes_through("full", "full");
}

#[test]
fn a_broken_disk() {
    goes_through("broken", "disk I/O error");
}

#[test]
fn a_disk_that_takes_no_writes() {
    goes_through("eio", "disk I/O error");
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_write() {
    goes_through("halved", "full");
}

/// Starts on a disk that is like this: refused in words that do not blame the file, nothing is
/// changed, and when the disk works again everything is there.
fn does_not_start(word: &str, first: bool) {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut records = 0;
    if !first {
        let mut daemon = Daemon::start(dir.path());
        daemon.until("everything is written", |view| pending(view) == 0);
        daemon.end();
        records = sortline::journal::verify(&data).expect("holds").records;
    }
    disk(dir.path(), word);
    let status = command(dir.path(), "").0.status().expect("starts");
    let log = std::fs::read_to_string(dir.path().join("log")).expect("a log");
    assert_eq!(status.code(), Some(4), "{log}");
    assert!(log.contains("the disk is full or refuses"), "{log}");
    disk(dir.path(), "works");
    if !first {
        assert_eq!(sortline::journal::verify(&data).expect("holds").records, records);
    }
    let mut daemon = Daemon::start(dir.path());
    daemon.until("everything is written", |view| pending(view) == 0);
    daemon.end();
    assert!(sortline::journal::verify(&data).expect("holds").records > records);
}

#[test]
fn a_start_on_a_disk_that_cannot_be_read() {
    does_not_start("unreadable", false);
}

#[test]
fn a_start_on_a_full_disk() {
    does_not_start("full", false);
}

#[test]
fn a_first_start_on_a_full_disk() {
    does_not_start("full", true);
}

#[test]
fn a_slow_disk() {
    goes_through("slow", "");
}

/// Presses stop this often; each is one record at least.
fn press_stop(daemon: &Daemon, times: u64) {
    for _ in 0..times {
        assert_eq!(daemon.press("stop"), "200", "a stop never waits for the disk");
    }
}

#[test]
fn a_disk_that_cannot_be_read_while_the_line_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    daemon.until("everything is written", |view| pending(view) == 0);
    let data = dir.path().join("data");
    let before = sortline::journal::verify(&data).expect("holds").records;
    daemon.disk("unreadable");
    press_stop(&daemon, 100);
    daemon.until("it writes on or says that it cannot", |view| pending(view) == 0 || stalled(view));
    let asked =
        "GET /api/parcels?code=780000000001 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(daemon.ask(asked).is_some_and(|answer| answer.starts_with("HTTP/1.1 ")));
    assert!(daemon.child.try_wait().expect("a process").is_none(), "it lives");
    daemon.disk("works");
    press_stop(&daemon, 1);
    // A view may be older than the last presses: their records are what is waited for.
    daemon.until("every press is written", |view| {
        let written = || sortline::journal::verify(&data).expect("holds over the fault").records;
        pending(view) == 0 && !stalled(view) && written() >= before + 101
    });
    daemon.end();
}

/// Files of the flight recorder by what they are: dumps, and half made ones.
fn dumps(data: &Path) -> (usize, usize) {
    let directory = std::fs::read_dir(data.join("flight")).expect("a recorder");
    let names: Vec<PathBuf> = directory.map(|entry| entry.expect("readable").path()).collect();
    let count = |ending: &str| {
        names.iter().filter(|path| path.extension().is_some_and(|found| found == ending)).count()
    };
    (count("sqlite"), count("new"))
}

#[test]
fn a_full_disk_costs_a_dump_and_no_frame() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(dir.path());
    daemon.until("everything is written", |view| pending(view) == 0);
    let data = dir.path().join("data");
    let ask = || sortline::flight::recorder::ask(&data, Duration::from_secs(60)).expect("asks");
    assert!(ask(), "a recorder lives");
    let (made, _) = dumps(&data);
    daemon.disk("full");
    assert!(ask(), "it answers, whatever the disk does");
    assert_eq!(dumps(&data), (made, 0), "nothing half made stays");
    assert!(daemon.log().contains("frames stay in memory"), "{}", daemon.log());
    daemon.disk("works");
    assert!(ask());
    let (now, half) = dumps(&data);
    assert!(now > made && half == 0, "{now} dumps, {half} half made");
    daemon.until("everything is written", |view| pending(view) == 0 && !stalled(view));
    daemon.end();
}

#[test]
fn a_checkpoint_that_hangs_holds_up_no_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    // Longer than the rest that the writer copies itself: only the keeper touches the file.
    let mut daemon = Daemon::start_with(dir.path(), "log_soft_mib = 2");
    daemon.until("everything is written", |view| pending(view) == 0);
    daemon.disk("pinned");
    let held = dir.path().join("disk.held");
    let mut pressed = 0;
    while !held.exists() {
        press_stop(&daemon, 10);
        daemon.until("everything is written", |view| pending(view) == 0);
        pressed += 10;
        assert!(pressed < 5_000, "the log was never moved");
    }
    // The keeper hangs in the file; the log still takes every record.
    for _ in 0..5 {
        press_stop(&daemon, 10);
        daemon.until("everything is written", |view| pending(view) == 0 && !stalled(view));
    }
    daemon.disk("works");
    daemon.end();
}

#[test]
fn the_daemon_takes_a_snapshot_every_so_many_records() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start_with(dir.path(), "snapshot_records = 1000");
    press_stop(&daemon, 3_300);
    daemon.until("everything is written", |view| pending(view) == 0);
    let data = dir.path().join("data");
    let records = sortline::journal::verify(&data).expect("holds").records;
    let file = std::fs::read_dir(data.join("journal")).expect("a journal");
    let mut files = file.map(|entry| entry.expect("readable").path());
    let file = files.find(|path| path.extension().is_some_and(|found| found == "sqlite"));
    let journal = rusqlite::Connection::open(file.expect("a file")).expect("opens");
    let mut rows =
        journal.prepare("SELECT number FROM snapshots ORDER BY number").expect("a table");
    let numbers: Vec<u64> =
        rows.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("one")).collect();
    // A file keeps its first and its two newest.
    let [.., before, newest] = numbers.as_slice() else { panic!("{numbers:?}") };
    println!("{records} records, snapshots at {numbers:?}");
    assert!((1_000..1_100).contains(&(newest - before)), "{numbers:?}");
    assert!(records - newest < 1_100, "{records} records, {numbers:?}");
    daemon.end();
}
