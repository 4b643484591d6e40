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
    fn start(dir: &Path) -> (Self, BTreeMap<String, String>) {
        let mut child = command(dir, &["--seed", "5"])
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
    let (program, endpoints) = Program::start(&scratch.0);
    let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
    assert_eq!(names, ["dws", "field", "scanner"]);
    let tty = scratch.0.join("field.tty");
    assert_eq!(Path::new(&endpoints["field"]), tty.canonicalize().map(|_| &*tty).expect("a link"));
    for _ in 0..2 {
        // A host that closes its port and opens it again.
        let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).expect("small");
        let mut port = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(noctty)
            .open(&tty)
            .expect("the terminal opens");
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
