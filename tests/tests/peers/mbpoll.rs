//! mbpoll against our server and against simulated nodes.

use crate::ours::Ours;
use crate::places;
use std::process::Command;
use system_tests::inputs::Inputs;
use system_tests::process::{Binaries, Scratch, Sim};

/// mbpoll's numbers of what it reads.
const COILS: &str = "0";
const DISCRETE: &str = "1";
const INPUT: &str = "3";
const HOLDING: &str = "4";

/// What mbpoll prints of one read: address and value, bits as 0 and 1.
fn poll(wire: &[&str], unit: u8, kind: &str, address: u16, count: u16, place: &str) -> Vec<u16> {
    let numbers = [unit.to_string(), address.to_string(), count.to_string()];
    let mut mbpoll = Command::new("mbpoll");
    mbpoll.args(wire).args(["-a", &numbers[0], "-0", "-r", &numbers[1], "-c", &numbers[2]]);
    let said = places::output(mbpoll.args(["-t", kind, "-1", place]));
    let values = said.lines().filter_map(|line| {
        let (at, value) = line.strip_prefix('[')?.split_once("]:")?;
        // A value above 32767 is followed by what it is with a sign.
        let value = value.split_whitespace().next()?.parse().ok()?;
        Some((at.parse::<u16>().ok()?, value))
    });
    let values: Vec<(u16, u16)> = values.collect();
    let places: Vec<u16> = values.iter().map(|(at, _)| *at).collect();
    assert_eq!(places, (address..address + count).collect::<Vec<_>>(), "{said}");
    values.into_iter().map(|(_, value)| value).collect()
}

/// Writes one holding register or coil.
fn write(wire: &[&str], unit: u8, kind: &str, address: u16, value: u16, place: &str) {
    let mut mbpoll = Command::new("mbpoll");
    mbpoll.args(wire).args(["-a", &unit.to_string(), "-0", "-r", &address.to_string()]);
    let said = places::output(mbpoll.args(["-t", kind, place, &value.to_string()]));
    assert!(said.contains("Written 1 reference"), "{said}");
}

fn version() -> String {
    let said = places::output(Command::new("mbpoll").arg("-V"));
    said.lines().next().unwrap_or_default().trim().to_owned()
}

#[test]
fn it_reads_and_writes_our_server() {
    let place = Scratch::new("peer-mbpoll");
    let binaries = Binaries::build().expect("builds");
    let mut requests = 0;
    let ours = Ours::tcp(&binaries, place.dir());
    let port = ours.port().to_string();
    let tcp: &[&str] = &["-m", "tcp", "-p", &port];
    requests += server(tcp, "127.0.0.1");
    ours.end();
    let serial = place.at("serial");
    std::fs::create_dir(&serial).expect("a place for the line");
    let ours = Ours::serial(&binaries, &serial);
    let rtu: &[&str] = &["-m", "rtu", "-b", "115200", "-P", "none"];
    requests += server(rtu, &ours.place);
    // The zone node that is on the same line, by its own map.
    let identity = poll(rtu, 1, HOLDING, 0, 10, &ours.place);
    assert_eq!((identity[0], identity[4]), (1, 1), "a zone with serial number 1: {identity:?}");
    ours.end();
    println!("proved: {}, our server: FC 01-06 over tcp and rtu, {requests} requests", version());
}

/// Reads and writes everything that mbpoll can; returns the number of requests.
fn server(wire: &[&str], at: &str) -> usize {
    write(wire, 17, HOLDING, 0x160, 513, at);
    write(wire, 17, HOLDING, 0x161, 65_000, at);
    write(wire, 17, COILS, 0x131, 1, at);
    assert_eq!(poll(wire, 17, HOLDING, 0x160, 3, at), [513, 65_000, 0]);
    assert_eq!(poll(wire, 17, COILS, 0x130, 3, at), [0, 1, 0]);
    assert_eq!(poll(wire, 17, DISCRETE, 0x1C4, 8, at), [0, 0, 1, 1, 0, 1, 0, 1]);
    assert_eq!(poll(wire, 17, INPUT, 0x108, 1, at), [10]);
    7
}

#[test]
fn it_reads_simulated_nodes_by_address() {
    let place = Scratch::new("peer-mbpoll-sim");
    let binaries = Binaries::build().expect("builds");
    let log = place.at("log");
    let sim = Sim::start(&binaries, &Inputs::demo(1, 3), place.dir(), Some(&log)).expect("starts");
    let at = |bus: &str| {
        let found = sim.endpoints.iter().find(|(name, _)| name == bus);
        found.expect("a bus of the line file").1.clone()
    };
    let field = at("field");
    let rtu: &[&str] = &["-m", "rtu", "-b", "115200", "-P", "even"];
    let mut read = 0;
    // Zones, diverters and the panel, by unit; kind and words of the events block by the map.
    for (unit, kind) in [(1, 1), (2, 1), (3, 1), (11, 2), (12, 2), (13, 2), (16, 2), (20, 5)] {
        let held = poll(rtu, unit, HOLDING, 0x0000, 10, &field);
        assert_eq!((held[0], held[7]), (kind, 28), "unit {unit}: {held:?}");
        assert_eq!(poll(rtu, unit, INPUT, 0x0000, 10, &field), held, "FC 04 reads the same");
        let status = poll(rtu, unit, HOLDING, 0x0300, 26, &field);
        assert_eq!((status[1], status[10]), (held[2], 0), "boot id, no owner: {status:?}");
        read += 3;
    }
    for (bus, kind) in [("scanner", 3), ("dws", 4)] {
        let address = at(bus);
        let (host, port) = address.rsplit_once(':').expect("host:port");
        let tcp: &[&str] = &["-m", "tcp", "-p", port];
        let held = poll(tcp, 1, HOLDING, 0x0000, 10, host);
        assert_eq!(held[0], kind, "{bus}: {held:?}");
        assert_eq!(poll(tcp, 1, INPUT, 0x0000, 10, host), held, "FC 04 reads the same");
        let status = poll(tcp, 1, HOLDING, 0x0300, 26, host);
        assert_eq!(status[1], held[2], "boot id: {status:?}");
        read += 3;
    }
    println!("proved: {}, simulated nodes: {read} blocks by FC 03 and 04, rtu and tcp", version());
}
