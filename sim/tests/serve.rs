//! The real-time program as a process: both wires, several clients, faults and a clean end.

use modbus::{mbap, pdu, rtu};
use registers::{NodeKind, map};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A directory of this test that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("serve-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("scratch directory");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is in the target directory.
        let _gone = std::fs::remove_dir_all(&self.0).is_ok();
    }
}

fn command(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sortline-sim"));
    command
        .arg("serve")
        .arg("--line")
        .arg(format!("{ROOT}/../controller/examples/factory-line.toml"))
        .arg("--plant")
        .arg(format!("{ROOT}/plants/factory-line.plant.toml"))
        .arg("--manifest")
        .arg(format!("{ROOT}/../controller/examples/manifest.csv"))
        .arg("--dir")
        .arg(dir)
        .args(more);
    command
}

/// A running program; killed when the test fails before it has ended.
struct Program(Child);

impl Program {
    fn start(dir: &Path, more: &[&str]) -> (Self, BTreeMap<String, String>) {
        let mut child = command(dir, &[&["--seed", "5"], more].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("piped");
        let program = Self(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it prints its endpoints");
        (program, serde_json::from_str(&line).expect("a JSON object"))
    }

    fn end(mut self) -> Option<i32> {
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        let term = rustix::process::Signal::TERM;
        rustix::process::kill_process(pid.expect("a pid"), term).expect("it runs");
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // After a clean end there is nothing to kill.
        let _ended = self.0.kill().is_ok() && self.0.wait().is_ok();
    }
}

fn identity_request() -> Vec<u8> {
    let mut pdu = [0; 8];
    let len = pdu::read_holding(map::IDENTITY, map::IDENTITY_WORDS, &mut pdu).expect("fits");
    pdu[..len].to_vec()
}

/// The kind word in an identity answer.
fn kind(pdu: &[u8]) -> u16 {
    assert_eq!(&pdu[..2], &[0x03, 20], "{pdu:?}");
    u16::from_be_bytes([pdu[2], pdu[3]])
}

/// Opens a terminal as a host does.
fn open(tty: &Path) -> File {
    let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).expect("small");
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(noctty);
    options.open(tty).expect("the terminal opens")
}

fn ask_serial(port: &mut File, unit: u8) -> u16 {
    let mut frame = [0; 16];
    let len = rtu::encode(unit, &identity_request(), &mut frame).expect("fits");
    port.write_all(&frame[..len]).expect("written");
    let mut answer = [0; 25];
    port.read_exact(&mut answer).expect("an answer");
    let (from, pdu) = rtu::check(&answer).expect("a whole frame");
    assert_eq!(from, unit);
    kind(pdu)
}

fn ask_network(stream: &mut TcpStream, transaction: u16) -> u16 {
    let mut frame = [0; 32];
    let request = mbap::Frame { transaction, unit: 1, pdu: &identity_request() };
    let len = mbap::encode(request, &mut frame).expect("fits");
    stream.write_all(&frame[..len]).expect("written");
    let mut answer = [0; 29];
    stream.read_exact(&mut answer).expect("an answer");
    let answer = mbap::decode(&answer).expect("a whole frame");
    assert_eq!(answer.transaction, transaction);
    kind(answer.pdu)
}

#[test]
fn both_wires_answer_and_the_end_is_clean() {
    let scratch = Scratch::new("wires");
    let (program, endpoints) = Program::start(&scratch.0, &[]);
    let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
    assert_eq!(names, ["dws", "field", "scanner"]);
    let tty = scratch.0.join("field.tty");
    assert_eq!(Path::new(&endpoints["field"]), tty.canonicalize().map(|_| &*tty).expect("a link"));
    for _ in 0..2 {
        // A host that closes its port and opens it again.
        let mut port = open(&tty);
        for (unit, expected) in [
            (3, NodeKind::Zone),
            (3, NodeKind::Zone),
            (11, NodeKind::Diverter),
            (20, NodeKind::Panel),
        ] {
            assert_eq!(ask_serial(&mut port, unit), expected.word(), "unit {unit}");
        }
    }
    let connect = |bus: &str| {
        let stream = TcpStream::connect(&endpoints[bus]).expect("the port is open");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        stream
    };
    let (mut first, mut second) = (connect("scanner"), connect("scanner"));
    for transaction in [7, 8] {
        assert_eq!(ask_network(&mut first, transaction), NodeKind::Scanner.word());
        assert_eq!(ask_network(&mut second, transaction), NodeKind::Scanner.word());
    }
    assert_eq!(ask_network(&mut connect("dws"), 1), NodeKind::Dws.word());
    let mut broken = connect("dws");
    broken.write_all(&[0, 1, 9, 9, 0, 6, 1, 3, 0, 0, 0, 1]).expect("written");
    assert_eq!(broken.read(&mut [0; 8]).expect("closed"), 0, "no Modbus: the client is put off");
    assert_eq!(program.end(), Some(0));
    assert!(!tty.is_symlink() && !scratch.0.join("endpoints.json").exists());
}

/// Waits until `found` says so; gives up after ten seconds.
#[expect(clippy::disallowed_methods, reason = "patience with another process")]
fn wait_for(what: &str, found: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !found() {
        assert!(std::time::Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_port_is_unplugged_and_comes_back_at_its_path() {
    let scratch = Scratch::new("unplug");
    let faults = scratch.0.join("faults.toml");
    std::fs::write(&faults, "unplugs = 1_000_000\nunplug_ms = [300, 300]\n").expect("written");
    let more = ["--faults", faults.to_str().expect("UTF-8")];
    let (program, endpoints) = Program::start(&scratch.0, &more);
    let tty = PathBuf::from(&endpoints["field"]);
    for _ in 0..2 {
        let mut frame = [0; 16];
        let len = rtu::encode(3, &identity_request(), &mut frame).expect("fits");
        let mut port = open(&tty);
        port.write_all(&frame[..len]).expect("written");
        wait_for("the path goes", || !tty.is_symlink());
        wait_for("the path comes back", || tty.exists());
        // Whatever had come before: then the port hangs up.
        let mut bytes = [0; 64];
        while port.read(&mut bytes).is_ok_and(|count| count > 0) {}
        drop(port);
    }
    assert_eq!(program.end(), Some(0));
}

#[test]
fn answers_on_a_bad_network_carry_another_number() {
    let scratch = Scratch::new("number");
    let (program, endpoints) =
        Program::start(&scratch.0, &["--faults", "none,wrong_transactions=1000000"]);
    let mut stream = TcpStream::connect(&endpoints["dws"]).expect("the port is open");
    let mut frame = [0; 32];
    let request = mbap::Frame { transaction: 77, unit: 1, pdu: &identity_request() };
    let len = mbap::encode(request, &mut frame).expect("fits");
    stream.write_all(&frame[..len]).expect("written");
    let mut answer = [0; 29];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(mbap::decode(&answer).expect("a whole frame").transaction, 76);
    assert_eq!(program.end(), Some(0));
}

/// Runs the program until it ends by itself, and checks its code and message.
fn check_fault(mut command: Command, code: i32, message: &str) {
    let output = command.output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(message), "{text:?} lacks {message:?}");
}

#[test]
fn faults_have_their_codes_and_messages() {
    let scratch = Scratch::new("faults");
    let dir = &scratch.0;
    check_fault(command(dir, &["--profile", "sunny"]), 3, "no profile \"sunny\"");
    let nowhere = dir.join("none").join("truth.jsonl");
    let nowhere = nowhere.to_str().expect("UTF-8");
    check_fault(command(dir, &["--truth", nowhere]), 4, "failed to write");
    check_fault(command(dir, &["--feed", "sometimes"]), 2, "saturated");
    check_fault(command(dir, &["--faults", "lat=3"]), 3, "no \"lat\"");
    std::fs::write(dir.join("field.tty"), "mine").expect("written");
    check_fault(command(dir, &[]), 4, "field.tty: something stands there");
    assert_eq!(std::fs::read_to_string(dir.join("field.tty")).expect("kept"), "mine");
    let broken = dir.join("broken.csv");
    std::fs::write(&broken, "carrier\nyto\n").expect("written");
    let mut wrong = command(dir, &[]);
    wrong.arg("--manifest").arg(&broken);
    check_fault(wrong, 2, "--manifest");
}

#[test]
fn the_manifest_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_sortline-sim"))
        .args(["manifest", "--seed", "3", "--rows", "12"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text, line_sim::manifest::generate(3, 12));
    assert_eq!(line_sim::read_manifest(text.as_bytes()).expect("rows").len(), 12);
}
