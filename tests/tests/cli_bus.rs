//! The integrator's tools against a simulated line on real sockets and pseudo-terminals, and against
//! a node of this test's own where an input must change at a known moment.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use modbus::mbap;
use modbus::pdu::{Exception, Words};
use modbus::server::{Bank, WordSink, serve_tcp};
use registers::NodeKind;
use registers::map::{IDENTITY, STATUS};
use registers::status::Status;
use serde_json::Value;
use system_tests::inputs::Inputs;
use system_tests::process::{self, Binaries, Daemon, Scratch, Sim};
use units::{Counts, Serial};

/// Answers on a busy test machine may come late; nothing here measures time.
const PATIENT: [&str; 2] = ["--timeout-ms", "1500"];

struct Stage {
    binaries: Binaries,
    inputs: Inputs,
    sim: Sim,
    scratch: Scratch,
}

impl Stage {
    fn new(name: &str) -> Self {
        let binaries = Binaries::build().expect("builds");
        let scratch = Scratch::new(name);
        let inputs = Inputs::demo(200, 5);
        let log = scratch.at("sim.log");
        let sim = Sim::start(&binaries, &inputs, scratch.dir(), Some(&log)).expect("serves");
        Self { binaries, inputs, sim, scratch }
    }

    fn at(&self, bus: &str) -> &str {
        let found = self.sim.endpoints.iter().find(|(name, _)| name == bus);
        found.map(|(_, at)| at.as_str()).expect("the line has this bus")
    }

    /// `sortline bus COMMAND --line … --bus …` for these buses.
    fn command(&self, command: &str, buses: &[&str], more: &[&str]) -> Command {
        let mut tool = Command::new(&self.binaries.daemon);
        tool.args(["bus", command]).arg("--line").arg(&self.inputs.line);
        for bus in buses {
            tool.args(["--bus", &format!("{bus}={}", self.at(bus))]);
        }
        tool.args(more);
        tool
    }

    fn run(&self, command: &str, buses: &[&str], more: &[&str]) -> Output {
        let out = self.command(command, buses, more).output().expect("runs");
        println!("bus {command} {buses:?} {more:?}: {}", text(&out));
        out
    }
}

fn text(out: &Output) -> String {
    let text = [&out.stdout[..], &out.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn json(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).expect("one JSON document")
}

#[test]
fn scan_finds_every_node_of_the_line_with_its_kind() {
    let stage = Stage::new("bus-scan");
    let more = [&["--units", "1-20", "--json"], &PATIENT[..]].concat();
    let out = stage.run("scan", &["field"], &more);
    assert_eq!(out.status.code(), Some(0));
    let scan = json(&out);
    let found = scan["buses"][0]["found"].as_array().expect("rows");
    let rows: Vec<(u64, &str, &str, &str)> = found
        .iter()
        .map(|row| {
            let text = |value: &'static str| row[value].as_str().unwrap_or_default();
            let kind = row["identity"]["kind"].as_str().unwrap_or_default();
            (row["unit"].as_u64().expect("unit"), text("node"), kind, text("verdict"))
        })
        .collect();
    let expected = [
        (1, "Z1", "zone", "expected"),
        (2, "Z2", "zone", "expected"),
        (3, "Z3", "zone", "expected"),
        (11, "D1", "diverter", "expected"),
        (12, "D2", "diverter", "expected"),
        (13, "D3", "diverter", "expected"),
        (14, "D4", "diverter", "expected"),
        (15, "D5", "diverter", "expected"),
        (16, "D6", "diverter", "expected"),
        (20, "panel", "panel", "expected"),
    ];
    assert_eq!(rows, expected);
    for row in found {
        assert!(row["identity"]["serial_number"].as_u64().is_some_and(|number| number > 0));
        assert_eq!(row["objects"]["vendor_name"], "sortline", "by FC 43/14: {row}");
    }
    let out = stage.run("scan", &["scanner", "dws"], &["--json", PATIENT[0], PATIENT[1]]);
    assert_eq!(out.status.code(), Some(0));
    let scan = json(&out);
    assert_eq!(scan["buses"][0]["found"][0]["identity"]["kind"], "scanner");
    assert_eq!(scan["buses"][1]["found"][0]["identity"]["kind"], "dws");
}

#[test]
fn scan_names_what_differs_from_the_line_file() {
    let mut stage = Stage::new("bus-scan-wrong");
    let wrong = stage.scratch.at("wrong.toml");
    let line = std::fs::read_to_string(&stage.inputs.line).expect("line file");
    // Z1 is moved to 7 where nobody is, D1's place is given to a zone's unit and back.
    let line = line.replacen("unit = 1 ", "unit = 7 ", 1);
    let line = line.replacen("unit = 2\n", "unit = 11\n", 1).replacen(
        "\nunit = 11\nencoder = \"sorter\"",
        "\nunit = 2\nencoder = \"sorter\"",
        1,
    );
    std::fs::write(&wrong, line).expect("written");
    stage.inputs.line = wrong;
    let more = [&["--units", "1-12", "--json"], &PATIENT[..]].concat();
    let out = stage.run("scan", &["field"], &more);
    assert_eq!(out.status.code(), Some(8), "findings");
    let scan = json(&out);
    let rows = scan["buses"][0]["found"].as_array().expect("rows");
    let verdict = |unit: u64| {
        let row = rows.iter().find(|row| row["unit"] == unit).expect("a row");
        row["verdict"].as_str().expect("a verdict").to_owned()
    };
    assert_eq!(verdict(1), "unexpected");
    assert_eq!(verdict(7), "missing");
    assert_eq!((verdict(2), verdict(11)), ("wrong_kind".to_owned(), "wrong_kind".to_owned()));
    let out = stage.run("scan", &["field"], &[&["--units", "1-12"], &PATIENT[..]].concat());
    assert!(text(&out).contains("MISSING") && text(&out).contains("WRONG KIND"));
}

/// A pseudo-terminal has no speed and no parity: every setting is as good as any other, so that the
/// first one tried must be the one found.
#[test]
fn the_sweep_finds_the_first_setting_on_a_terminal_without_speed() {
    let stage = Stage::new("bus-sweep");
    let serial = ["--serial", stage.at("field"), "--baud", "9600", "--parity", "none"];
    let more = ["--sweep", "--units", "3-4", "--json", PATIENT[0], PATIENT[1]];
    let out = Command::new(&stage.binaries.daemon)
        .args(["bus", "scan"])
        .args(serial)
        .args(more)
        .output()
        .expect("runs");
    println!("{}", text(&out));
    assert_eq!(out.status.code(), Some(0));
    let scan = json(&out);
    let bus = &scan["buses"][0];
    assert_eq!((&bus["sweep"]["found"], &bus["sweep"]["tried"]), (&true.into(), &1.into()));
    assert_eq!(
        (&bus["settings"]["baud"], &bus["settings"]["parity"]),
        (&9_600.into(), &"none".into())
    );
    assert_eq!(bus["found"][0]["identity"]["kind"], "zone");
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(told.contains("32 settings") && told.contains("at most"), "it says how long: {told}");
}

#[test]
fn registers_are_read_and_written_by_name() {
    let stage = Stage::new("bus-names");
    let value = |node: &str, name: &str| {
        let out = stage.run("read", &["field"], &[node, name, "--json", PATIENT[0], PATIENT[1]]);
        assert_eq!(out.status.code(), Some(0));
        json(&out)["values"][0]["value"].clone()
    };
    assert_eq!(value("D1", "kind"), 2);
    assert_eq!(value("11", "kind"), 2, "by unit too");
    assert!(value("Z3", "serial_number").as_u64().is_some_and(|number| number > 0));
    assert!(value("Z3", "eye_a").is_boolean());
    let before = value("D1", "debounce_ms");
    let write = |name: &str, new: &str| {
        stage.run("write", &["field"], &["D1", name, new, PATIENT[0], PATIENT[1]])
    };
    let out = write("debounce_ms", "31");
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out).contains(&format!("was {before}")));
    assert_eq!(value("D1", "debounce_ms"), 31);
    assert_eq!(write("latch", "77").status.code(), Some(0));
    assert_eq!(value("D1", "latch_number"), 77);
    let refusals = [
        ("debounce_ms", "900", "1 to 200 ms"),
        ("serial_number", "5", "read only"),
        ("owner", "5", "owner"),
        ("token", "5", "exchange"),
        ("address_unit", "5", "set-address"),
        ("lamp_left", "1", "owner word"),
        ("eye_left", "1", "senses"),
        ("status", "1", "block"),
        ("latch", "0", "1 to 65535"),
    ];
    for (name, new, why) in refusals {
        let out = write(name, new);
        assert_eq!(out.status.code(), Some(7), "{name}");
        assert!(text(&out).contains(why), "{name} is refused because of {why}: {}", text(&out));
    }
    let out = write("debounce", "9");
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out).contains("debounce_ms"), "the nearest name");
    let out = stage.run("read", &["field"], &["D9", "status"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out).contains("D1, D2"), "the names that there are");
    let out = stage.run("read", &["feild"; 0], &["D1", "token", "--bus", "feild"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out).contains("field"), "the buses that there are");
}

#[test]
fn a_node_moves_to_another_address_and_back() {
    let stage = Stage::new("bus-address");
    let out =
        stage.run("read", &["field"], &["D6", "serial_number", "--json", PATIENT[0], PATIENT[1]]);
    let serial = json(&out)["values"][0]["value"].as_u64().expect("a number").to_string();
    let to = |unit: &str| {
        let more = ["--serial-number", &serial, "--to", unit, PATIENT[0], PATIENT[1]];
        stage.run("set-address", &["field"], &more)
    };
    let kind_at = |unit: &str| {
        let out = stage.run("read", &["field"], &[unit, "kind", "--json", "--timeout-ms", "400"]);
        (out.status.code(), json(&out)["values"][0]["value"].as_u64())
    };
    let out = to("11");
    assert_eq!(out.status.code(), Some(7), "taken by D1");
    assert!(text(&out).contains("taken by the diverter"));
    assert_eq!(to("33").status.code(), Some(0));
    assert_eq!(kind_at("33"), (Some(0), Some(2)));
    assert_eq!(kind_at("16").0, Some(7), "nobody is left at its old address");
    assert_eq!(to("16").status.code(), Some(0));
    assert_eq!(kind_at("16"), (Some(0), Some(2)));
    let out = stage.run(
        "set-address",
        &["field"],
        &["--serial-number", "4294967295", "--to", "40", "--timeout-ms", "300"],
    );
    assert_eq!(out.status.code(), Some(7), "nobody has that number");
    let out = stage.run("set-address", &["dws"], &["--serial-number", "1", "--to", "2"]);
    assert!(text(&out).contains("--from"), "no broadcast over TCP");
}

#[test]
fn a_taken_port_names_the_other_way() {
    let stage = Stage::new("bus-taken");
    let mut holder = stage
        .command("watch", &["field"], &["--json", PATIENT[0], PATIENT[1]])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(holder.stdout.take().expect("piped")).read_line(&mut line).expect("figures");
    let out = stage.run("scan", &["field"], &["--units", "1-2"]);
    assert_eq!(out.status.code(), Some(6));
    assert!(text(&out).contains("in use by another program"));
    assert!(text(&out).contains("--daemon"), "and what works instead");
    end(&mut holder);
    let out = stage.run("scan", &["dws=127.0.0.1:1"; 0], &["--bus", "dws=127.0.0.1:1", "--json"]);
    assert_eq!(out.status.code(), Some(6));
    assert!(json(&out)["error"].as_str().expect("an error").contains("127.0.0.1:1"));
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    child.kill().ok();
    child.wait().expect("collected");
}

#[test]
fn watch_prints_the_figures_of_each_node_and_acknowledges_nothing() {
    let stage = Stage::new("bus-watch");
    let more = ["--json", "--seconds", "4", PATIENT[0], PATIENT[1]];
    let out = stage.run("watch", &["field", "dws"], &more);
    assert_eq!(out.status.code(), Some(0));
    let last = String::from_utf8_lossy(&out.stdout).lines().last().map(str::to_owned);
    let last: Value = serde_json::from_str(&last.expect("lines")).expect("JSON");
    let nodes = last["nodes"].as_array().expect("nodes");
    let names: Vec<&str> = nodes.iter().filter_map(|node| node["node"].as_str()).collect();
    assert_eq!(names, ["Z1", "Z2", "Z3", "D1", "D2", "D3", "D4", "D5", "D6", "panel", "dws"]);
    for node in nodes {
        assert!(node["answers"].as_u64().is_some_and(|answers| answers > 1), "{node}");
        assert_eq!(node["health"], "ok", "{node}");
        assert!(node["latency_us"]["p99"].as_u64() >= node["latency_us"]["p50"].as_u64());
    }
    assert!(last["buses"][0]["load_permille"].as_u64().is_some_and(|load| load > 0), "{last}");
    let out =
        stage.run("read", &["field"], &["Z1", "status_owner", "--json", PATIENT[0], PATIENT[1]]);
    assert_eq!(json(&out)["values"][0]["value"], 0, "nobody owns the node: no lease was taken");
}

/// A node of ours behind a socket whose inputs the test sets; everything but identity and status is
/// refused, so that a tool which writes or acknowledges would fail here.
struct Puppet {
    address: String,
    inputs: Arc<AtomicU16>,
    asked: Arc<AtomicU16>,
}

struct Registers {
    inputs: Arc<AtomicU16>,
    asked: Arc<AtomicU16>,
}

impl Bank for Registers {
    fn read(&mut self, address: u16, _: u16, out: &mut WordSink<'_>) -> Result<(), Exception> {
        match address {
            IDENTITY => {
                let kind = NodeKind::Panel;
                out.extend([kind.word(), registers::MAP_VERSION, 9, 0, 42, 0, 0]);
                out.extend([kind.event_words(), 0, 2]);
                Ok(())
            }
            STATUS => {
                out.extend(status(self.inputs.load(Ordering::SeqCst)).encode(1));
                self.asked.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            _ => Err(Exception::IllegalAddress),
        }
    }

    fn write(&mut self, address: u16, _: Words<'_>) -> Result<(), Exception> {
        panic!("a watching tool writes to {address:#06x}");
    }
}

fn status(inputs: u16) -> Status {
    Status {
        token: 0,
        boot_id: 9,
        uptime_ms: 1,
        encoder: Counts(0),
        second: Counts(0),
        inputs,
        outputs: 0,
        owner: 0,
        lease_ms: 0,
        settings_hash: 0,
        latch_number: 0,
        latch_count: Counts(0),
        ring_used: 0,
        ring_lost: 0,
        ack_ignored: 0,
        frames_bad: 0,
        last_command: Serial(0),
        reset_cause: 0,
    }
}

impl Puppet {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("address").to_string();
        let (inputs, asked) = (Arc::new(AtomicU16::new(0)), Arc::new(AtomicU16::new(0)));
        let (shared, count) = (Arc::clone(&inputs), Arc::clone(&asked));
        let serve = move || {
            while let Ok((stream, _)) = listener.accept() {
                let bank = Registers { inputs: Arc::clone(&shared), asked: Arc::clone(&count) };
                answer(stream, bank);
            }
        };
        // It ends with the test's process.
        let _thread = std::thread::Builder::new().name("puppet".to_owned()).spawn(serve);
        Self { address, inputs, asked }
    }

    /// Sets the inputs and waits until a poll has seen them.
    fn set(&self, inputs: u16) {
        self.inputs.store(inputs, Ordering::SeqCst);
        let before = self.asked.load(Ordering::SeqCst);
        let seen = || (self.asked.load(Ordering::SeqCst) >= before + 2).then_some(());
        process::wait_for(Duration::from_secs(20), seen).expect("polls go on");
    }
}

fn answer(mut stream: TcpStream, mut bank: Registers) {
    let mut decoder = mbap::Decoder::new();
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        let mut rest = &bytes[..count];
        while let Ok(Some(frame)) = decoder.push(&mut rest) {
            let mut out = [0; mbap::MAX_FRAME];
            if let Some(len) = serve_tcp(frame, &mut bank, &mut out)
                && stream.write_all(&out[..len]).is_err()
            {
                return;
            }
        }
    }
}

#[test]
fn the_point_check_tells_each_button_in_order() {
    let binaries = Binaries::build().expect("builds");
    let puppet = Puppet::start();
    let mut tool = Command::new(&binaries.daemon)
        .args(["bus", "watch", "--tcp", &puppet.address, "--io", "--json", "--seconds", "60"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(tool.stdout.take().expect("piped"));
    puppet.set(0);
    // Start, then stop with start still held, then start released.
    let (start, stop) = (1 << 2, 1 << 3);
    for inputs in [start, start | stop, stop] {
        puppet.set(inputs);
    }
    let mut changes = Vec::new();
    for line in lines.lines().take(3) {
        let change: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        println!("{change}");
        changes.push(change);
    }
    end(&mut tool);
    let told: Vec<(u64, &str, bool)> = changes
        .iter()
        .map(|c| {
            let number = c["change"].as_u64().expect("a number");
            let input = c["input"].as_str().expect("a name");
            (number, input, c["active"].as_bool().expect("a level"))
        })
        .collect();
    assert_eq!(told, [(1, "start", true), (2, "stop", true), (3, "start", false)]);
    assert!(
        changes[1]["after_ms"].is_u64()
            && changes[1]["t_ms"].as_u64() >= changes[0]["t_ms"].as_u64()
    );
}

#[test]
fn beside_a_controller_the_tools_see_its_frames() {
    let stage = Stage::new("bus-daemon");
    let hmi = process::free_address().expect("loopback");
    let data = stage.scratch.at("data");
    let log = stage.scratch.at("daemon.log");
    let mut daemon =
        Daemon::start(&stage.binaries, &stage.inputs, &stage.sim, &data, &hmi, Some(&log))
            .expect("runs");
    let taken = stage.run("scan", &["field"], &["--units", "1-2"]);
    assert_eq!(taken.status.code(), Some(6), "the controller has the port");
    daemon.start_line(Duration::from_secs(60)).expect("the line runs");
    let tool = |more: &[&str]| {
        let out = Command::new(&stage.binaries.daemon).arg("bus").args(more).output();
        let out = out.expect("runs");
        println!("{more:?}: {}", String::from_utf8_lossy(&out.stderr));
        out
    };
    let out = tool(&["watch", "--daemon", &hmi, "--json", "--seconds", "4"]);
    assert_eq!(out.status.code(), Some(0));
    let last = String::from_utf8_lossy(&out.stdout).lines().last().map(str::to_owned);
    let last: Value = serde_json::from_str(&last.expect("lines")).expect("JSON");
    let nodes = last["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 12, "all buses of the line: {last}");
    assert!(nodes.iter().all(|node| node["answers"].as_u64() > Some(0)), "{last}");
    let out = tool(&["watch", "--daemon", &hmi, "--io", "--json", "--seconds", "12"]);
    let lines = String::from_utf8_lossy(&out.stdout).into_owned();
    let changes: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let induction = changes.iter().find(|change| change["terminal"] == "CAB1-X2:1");
    let induction = induction.expect("parcels pass the induction eye");
    println!("{induction}");
    assert_eq!((&induction["node"], &induction["input"]), (&"Z3".into(), &"eye_a".into()));
    assert!(induction["count"].is_u64() && induction["node_ms"].is_u64(), "from its ring event");
    assert!(changes.last().expect("a summary")["untouched"].is_array());
    let raw = tool(&["record", path(&stage.scratch.at("no.pcap")), "--daemon", "127.0.0.1:1"]);
    assert_eq!(raw.status.code(), Some(6), "nobody serves there");
    let pcap = stage.scratch.at("wire.pcap");
    let recorded = tool(&["record", path(&pcap), "--daemon", &hmi, "--seconds", "5", "--json"]);
    assert_eq!(recorded.status.code(), Some(0));
    let recorded: Value = serde_json::from_slice(&recorded.stdout).expect("JSON");
    assert_eq!((&recorded["masked"], &recorded["dropped"]), (&true.into(), &0.into()));
    let frames = recorded["frames"].as_u64().expect("a number");
    check_pcap(&pcap, frames, &stage.inputs.manifest);
    let again = tool(&["record", path(&pcap), "--daemon", &hmi, "--seconds", "1"]);
    assert_eq!(again.status.code(), Some(1), "a file that is there is never overwritten");
    daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Every packet holds a whole frame of the line, no code of the manifest, both directions.
fn check_pcap(file: &PathBuf, frames: u64, manifest: &Path) {
    let manifest = std::fs::read_to_string(manifest).expect("a manifest");
    let codes: Vec<&str> =
        manifest.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    let mut masked = 0;
    let bytes = std::fs::read(file).expect("the file");
    let mut rest = bytes.get(24..).expect("a head");
    let (mut requests, mut answers) = (0, 0);
    while let Some((head, tail)) = rest.split_at_checked(16) {
        let len = u32::from_le_bytes(head[8..12].try_into().expect("four bytes"));
        let (packet, tail) = tail.split_at(usize::try_from(len).expect("short"));
        rest = tail;
        let port = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let payload = &packet[40..];
        let (from, to) = (port(20), port(22));
        assert!([from, to].iter().any(|port| [502, 5_020].contains(port)), "{from} {to}");
        if [502, 5_020].contains(&to) {
            requests += 1;
        } else {
            answers += 1;
        }
        let whole = if [from, to].contains(&5_020) {
            modbus::rtu::check(payload).is_ok()
        } else {
            mbap::decode(payload).is_ok()
        };
        assert!(whole, "{payload:02x?}");
        let run = payload.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).max();
        if run >= Some(8) {
            masked += 1;
            let text = String::from_utf8_lossy(payload);
            let left = codes.iter().find(|code| text.contains(**code));
            assert_eq!(left, None, "a code is left: {text}");
        }
    }
    println!("{requests} requests, {answers} answers, {masked} with codes in {}", file.display());
    assert!(codes.len() > 100 && masked > 0, "there was something to mask");
    assert_eq!(requests + answers, frames);
    assert!(answers > 50 && requests >= answers);
}
