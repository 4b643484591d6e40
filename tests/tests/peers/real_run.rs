//! A line in real time: the two product programs over a pseudo-terminal and loopback ports, a foreign
//! master beside the host, and tshark's view of what passed on the serial line.

use crate::cable::Cable;
use crate::recorded::{self, Journal};
use crate::{libmodbus, places, tshark};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::oracle::{self, Actual, Law};
use system_tests::process::{self, Binaries, Daemon, Scratch, Sim};
use system_tests::{summary, wires::Passed};

/// Parcels of the run.
const PARCELS: u64 = 25;
/// How often the foreign master tries on each node.
const ROUNDS: &str = "150";

fn ended(truth: &Path) -> Vec<Actual> {
    let text = std::fs::read_to_string(truth).unwrap_or_default();
    text.lines().filter_map(Actual::from_line).collect()
}

/// Lets a foreign master try to command and acknowledge; returns what it says.
fn foreign_master(program: &Path, address: &str, kind: &str) -> serde_json::Value {
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let said = places::output(Command::new(program).args([host, port, "1", kind, ROUNDS]));
    serde_json::from_str(said.trim()).expect("JSON")
}

#[test]
fn a_foreign_master_cannot_interfere_and_tshark_sees_what_we_see() {
    let place = Scratch::new("peer-real");
    let binaries = Binaries::build().expect("builds");
    let source = place.at("foreign_master.c");
    std::fs::copy(places::script("foreign_master.c"), &source).expect("a place for the source");
    let program = libmodbus::compile(&source, place.dir());
    let inputs = Inputs::fast(PARCELS, 9);
    let log = place.at("log");
    let mut sim = Sim::start(&binaries, &inputs, place.dir(), Some(&log)).expect("sim starts");
    let at = |sim: &Sim, bus: &str| {
        let found = sim.endpoints.iter().find(|(name, _)| name == bus);
        found.expect("a bus of the line file").1.clone()
    };
    let cable = Cable::to(Path::new(&at(&sim, "field")));
    for (name, place) in &mut sim.endpoints {
        if name == "field" {
            *place = cable.client().display().to_string();
        }
    }
    let hmi = process::free_address().expect("loopback");
    let data = place.at("data");
    let mut daemon =
        Daemon::start(&binaries, &inputs, &sim, &data, &hmi, Some(&log)).expect("daemon starts");
    daemon.start_line(Duration::from_secs(60)).expect("runs");
    let tries: Vec<_> = [("scanner", "3"), ("dws", "4")]
        .map(|(bus, kind)| foreign_master(&program, &at(&sim, bus), kind))
        .into();
    drained(&mut daemon, &sim.truth);
    let status = daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
    assert!(status.success(), "a clean end: {status}");

    let records = sortline::journal::records(&data).expect("the journal is readable");
    nothing_wrong(&inputs, &ended(&sim.truth), &records);
    println!(
        "proved: foreign master on libmodbus beside the host: {tries:?}, nothing lost or doubled"
    );
    decoded(&place, &cable.frames(), &records);
}

/// Waits until the plant has nothing left underway and the controller agrees that nothing is.
fn drained(daemon: &mut Daemon, truth: &Path) {
    let hmi = daemon.hmi.clone();
    let done = daemon.process.until(Duration::from_secs(600), || {
        let view: serde_json::Value =
            serde_json::from_str(&process::get(&hmi, "/api/view")?).ok()?;
        let on_line = view["tie"]["on_line"].as_u64()?;
        (ended(truth).len() >= usize::try_from(PARCELS).ok()? && on_line == 0).then_some(())
    });
    done.expect("drains");
}

/// The oracle's verdict: the foreign master changed nothing for any parcel.
fn nothing_wrong(inputs: &Inputs, truth: &[Actual], records: &[Vec<u8>]) {
    let file = |path: &Path| std::fs::read_to_string(path).expect("example");
    let law = Law::read(&file(&inputs.plan), &file(&inputs.manifest), &file(&inputs.line));
    let decisions = summary::decisions(records);
    let finding = oracle::judge(&law, truth, &oracle::beliefs(decisions.iter()));
    assert_eq!(finding.wrong_by_decision, Vec::<String>::new());
    assert_eq!(finding.wrong_unreported, Vec::<String>::new());
    assert_eq!(finding.lost, Vec::<String>::new());
    assert_eq!(finding.doubled, Vec::<String>::new());
}

/// What passed on the serial line, as tshark sees it, against the journal.
fn decoded(place: &Scratch, passed: &[Passed], records: &[Vec<u8>]) {
    let frames = recorded::serial_frames(passed);
    let file = place.at("real.pcap");
    let seen = tshark::decode(&file, frames.iter().copied());
    assert_eq!(tshark::complaints(&file), Vec::<String>::new());
    let story = recorded::compare(&frames, &seen);
    let journal = Journal::read(records);
    let taken: BTreeSet<u32> = story.arms.keys().copied().collect();
    assert_eq!(taken, journal.taken, "the arms taken");
    let fired =
        story.arms.iter().filter(|(tag, armed)| journal.agrees(**tag, armed, &story)).count();
    assert!(fired >= 10, "{fired} fired");
    println!(
        "proved: tshark {}: {} frames of a real run over a pseudo-terminal decoded alike, 0 \
         complaints; {} arms with their windows, {fired} fired, {} ring entries as in the journal",
        tshark::version(),
        story.compared,
        taken.len(),
        story.entries.len()
    );
}
