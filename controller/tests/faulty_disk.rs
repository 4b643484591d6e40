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

/// The daemon on the disk of `dir`, and the address of its screens.
fn command(dir: &Path) -> (Command, String) {
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        listener.local_addr().expect("an address").to_string()
    };
    let (hmi, examples) = (free(), root().join("examples"));
    let line = examples.join("factory-line.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sortline"));
    command.arg("run").arg("--line").arg(&line);
    command.arg("--plan").arg(examples.join("plan.toml"));
    command.arg("--manifest").arg(examples.join("manifest.csv"));
    command.arg("--data").arg(dir.join("data")).args(["--hmi", &hmi]);
    let text = std::fs::read_to_string(&line).expect("the example");
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
        let (mut command, hmi) = command(dir);
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
    let status = command(dir.path()).0.status().expect("starts");
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
