//! pymodbus and tmodbus: their clients against our server, our master against their servers.

use crate::cable::Cable;
use crate::libmodbus::Link;
use crate::master::Master;
use crate::ours::Ours;
use crate::places;
use modbus::pdu::{self, Exception, Response};
use sortline::bus::Event;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use system_tests::process::{self, Binaries, Running, Scratch};

/// The unit of the Python servers, and the first of their 64 registers.
const UNIT: u8 = 5;
const REGISTERS: u16 = 0x100;

/// Runs a client script to its end; returns the JSON that it prints.
fn client(script: &str, kind: &str, place: &str) -> serde_json::Value {
    let mut command = Command::new(places::python());
    let said = places::output(command.arg(places::script(script)).args([kind, place]));
    let line = said.lines().rfind(|line| line.starts_with('{')).expect("a line of JSON");
    serde_json::from_str(line).expect("JSON")
}

/// Lets a client judge our server over TCP and over RTU.
fn judge(name: &str, script: &str) {
    let place = Scratch::new(&format!("peer-{name}-client"));
    let binaries = Binaries::build().expect("builds");
    let ours = Ours::tcp(&binaries, place.dir());
    let tcp = client(script, "tcp", &ours.place);
    ours.end();
    let serial = place.at("serial");
    std::fs::create_dir(&serial).expect("a place for the line");
    let ours = Ours::serial(&binaries, &serial);
    let rtu = client(script, "rtu", &ours.place);
    ours.end();
    println!(
        "proved: {name} client, our server: tcp {tcp}, rtu with a zone node on the line {rtu}"
    );
}

/// A server script with our master on it.
struct Rig {
    master: Master,
    asked: usize,
}

/// Starts a server script and waits until it says that it is there.
fn server(script: &str, link: Link<'_>, dir: &Path) -> (Running, serde_json::Value) {
    let log = dir.join(format!("{script}-{}.log", link.argument()));
    let mut command = Command::new(places::python());
    command.arg(places::script(script)).arg(link.argument());
    match link {
        Link::Tcp(port) => command.arg(port.to_string()),
        Link::Rtu(path) => command.arg(path),
    };
    let mut running = Running::start("python", &mut command, Some(&log)).expect("starts");
    let said = running.until(Duration::from_secs(60), || {
        let text = std::fs::read_to_string(&log).ok()?;
        serde_json::from_str(text.lines().find(|line| line.starts_with('{'))?).ok()
    });
    (running, said.expect("says its version"))
}

impl Rig {
    fn ask(&mut self, encode: impl FnOnce(&mut [u8]) -> Result<usize, modbus::Full>) -> Told {
        let mut request = [0; pdu::MAX_PDU];
        let len = encode(&mut request).expect("fits");
        let request = request[..len].to_vec();
        // A server says that it starts before its port is open; a request that is too early is lost
        // or not heard, and all of these may be repeated.
        for _ in 0..100 {
            self.asked += 1;
            match self.master.ask(UNIT, &request, 1_000) {
                Event::Answer { pdu, .. } => return Told { request, pdu },
                Event::Lost | Event::Timeout => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("the server never answered");
    }

    /// FC 03, 06, 16 and 23 with their values, and an exception.
    fn exercise(&mut self) {
        let values: Vec<u16> = (0..40).map(|n: u16| n.wrapping_mul(0x0A37)).collect();
        let told = self.ask(|out| pdu::write_multiple(REGISTERS, &values, out));
        assert_eq!(told.parsed(), Ok(Response::Written));
        let told = self.ask(|out| pdu::read_holding(REGISTERS, 40, out));
        assert_eq!(told.words(), values);
        for n in 0..100u16 {
            let told = self.ask(|out| pdu::write_single(REGISTERS + 50, n, out));
            assert_eq!(told.parsed(), Ok(Response::Written));
            let new = [n, !n, n << 1];
            let told =
                self.ask(|out| pdu::read_write(REGISTERS + 48, 4, REGISTERS + 47, &new, out));
            assert_eq!(told.words(), [new[1], new[2], n, 0], "written before it is read");
        }
        let told = self.ask(|out| pdu::read_holding(0, 1, out));
        assert_eq!(told.parsed(), Ok(Response::Exception(Exception::IllegalAddress)));
    }
}

/// A request with its answer.
struct Told {
    request: Vec<u8>,
    pdu: Vec<u8>,
}

impl Told {
    fn parsed(&self) -> Result<Response<'_>, pdu::Mismatch> {
        Response::parse(&self.request, &self.pdu)
    }

    fn words(&self) -> Vec<u16> {
        match self.parsed() {
            Ok(Response::Words(words)) => words.iter().collect(),
            other => panic!("{other:?}"),
        }
    }
}

/// Lets our master use a server over TCP and over RTU.
fn use_server(name: &str, script: &str) {
    let place = Scratch::new(&format!("peer-{name}-server"));
    let address = process::free_address().expect("loopback").parse().expect("an address");
    let std::net::SocketAddr::V4(v4) = address else { panic!("{address}") };
    let (running, said) = server(script, Link::Tcp(v4.port()), place.dir());
    let mut tcp = Rig { master: Master::tcp(address), asked: 0 };
    tcp.exercise();
    drop(running);
    let cable = Cable::new();
    let (running, _) = server(script, Link::Rtu(cable.server()), place.dir());
    let mut rtu = Rig { master: Master::serial(cable.client()), asked: 0 };
    rtu.exercise();
    drop(running);
    println!(
        "proved: our master, {name} server {said}: FC 03, 06, 16, 23 and an exception; {} requests \
         over tcp, {} over rtu",
        tcp.asked, rtu.asked
    );
}

#[test]
fn pymodbus_client_against_our_server() {
    judge("pymodbus", "pymodbus_client.py");
}

#[test]
fn our_master_against_pymodbus_server() {
    use_server("pymodbus", "pymodbus_server.py");
}

/// Whether tmodbus could be installed; says loudly when not.
fn tmodbus_is_there(tests: usize) -> bool {
    let mut probe = Command::new(places::python());
    let there = probe.args(["-c", "import tmodbus"]).output().is_ok_and(|out| out.status.success());
    if !there {
        let mut version = Command::new(places::python());
        let said =
            places::output(version.args(["-c", "import sys; print(sys.version.split()[0])"]));
        // Straight to the terminal: what a passing test prints is not shown otherwise.
        let words = format!(
            "\nSKIPPED {tests} peer: tmodbus needs Python >= 3.12, found {}\n",
            said.trim()
        );
        std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes()).expect("a terminal");
    }
    there
}

#[test]
fn tmodbus_client_against_our_server() {
    if tmodbus_is_there(1) {
        judge("tmodbus", "tmodbus_client.py");
    }
}

#[test]
fn our_master_against_tmodbus_server() {
    if tmodbus_is_there(1) {
        use_server("tmodbus", "tmodbus_server.py");
    }
}
