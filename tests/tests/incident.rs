//! An incident file: masked, complete, and replayed where nothing else is.

use line_engine::{Record, Wake, record, snapshot};
use line_model::decision::{Decision, ParcelEvent};
use line_model::signal::Input;
use sortline::bus::tap::{Tapped, What, Wire};
use sortline::flight::dump::{self, Load};
use sortline::flight::{self, ring::Ring};
use sortline::incident::{export, key};
use sortline::journal::writer::{Entry, FileKind, KeptFile, Writer};
use sortline::journal::{Policy, Store};
use sortline::mask::Mask;
use sortline::replay::{self, Beginning};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use system_tests::process;
use system_tests::replays;
use units::Micros;

/// 2026-11-22T14:00 in Shanghai.
const BEGUN: u64 = 1_795_327_200_000_000;
const SECOND: u64 = 1_000_000;

/// Writes a run into a data directory as the daemon does, with a snapshot behind the `middle`-th.
fn keep(harness: &Harness, inputs: &Inputs, data: &Path, middle: usize) {
    let store = Store::open(data, Policy::default(), BEGUN).expect("opens");
    let writer = Writer::start(store).expect("starts");
    let offer = |entry: Entry| {
        let mut entry = Some(entry);
        let taken = process::wait_for(Duration::from_secs(60), || {
            match writer.offer(entry.take().expect("given back")) {
                Ok(()) => Some(()),
                Err(back) => {
                    entry = Some(back);
                    None
                }
            }
        });
        taken.expect("the writer goes on");
    };
    let bytes = std::fs::read(&inputs.line).expect("the example");
    let name = inputs.line.display().to_string();
    offer(Entry::File(KeptFile { kind: FileKind::Line, name, bytes, utc_us: BEGUN }));
    let layout = &harness.fixed.line.engine.layout;
    for (index, bytes) in harness.disk.records.iter().enumerate() {
        let decoded = record::decode(bytes).expect("ours");
        let (number, at) = (decoded.number, decoded.at);
        offer(Entry::Record(Record { number, at, bytes: bytes.clone(), marks: Vec::new() }));
        if index + 1 == middle {
            let so_far = &harness.disk.records[..middle];
            let memory = replay::verify(layout, Beginning::NOTHING, so_far).expect("same").memory;
            offer(Entry::Snapshot { number, at, bytes: snapshot::encode(&memory) });
        }
    }
    let progress = writer.close();
    let closed =
        process::wait_for(Duration::from_secs(60), || progress.borrow().closed.then_some(()));
    closed.expect("everything is on disk");
}

/// Every code that the reader or the manifest gave.
fn codes(records: &[Vec<u8>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for bytes in records {
        let decoded = record::decode(bytes).expect("ours");
        if let Input::Route { facts: Some(facts), .. } = decoded.input {
            found.insert(facts.waybill);
        }
        found.extend(decoded.decisions.into_iter().filter_map(|decision| match decision {
            Decision::Parcel { event: ParcelEvent::Identified { code }, .. } => Some(code),
            _ => None,
        }));
    }
    found
}

/// A dump of one frame that is not understood and holds a code, as the flight recorder makes it.
fn dump_frame(data: &Path, at: Micros, code: &str) -> Mask {
    let mut ring = Ring::new(flight::Policy::default());
    let bytes = [&[1, 0x17, 2], code.as_bytes(), &[0]].concat();
    let (what, wire) = (What::Crc, Wire::Serial);
    ring.push(&Tapped { at, utc_us: BEGUN + at.0, bus: 0, wire, unit: 1, what, bytes });
    let causes = vec!["lost"];
    let load = Load { segments: ring.kept(), causes, missing: 0, utc_us: BEGUN + at.0 };
    let mask = Mask::new(&key::read(data).expect("readable").expect("made"));
    dump::write(&flight::directory(data), &flight::Policy::default(), &mask, &load)
        .expect("dumped");
    mask
}

#[test]
fn an_incident_replays_alone_and_shows_no_code() {
    let inputs = Inputs::demo(60, 51);
    let mut harness = Harness::new(&inputs).expect("set up");
    harness.wake(Wake::WallClock { utc_us: BEGUN });
    assert!(harness.run_until(Micros::from_secs(900), Harness::drained), "drains");
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let middle = harness.disk.records.len() / 2;
    keep(&harness, &inputs, &data, middle);
    key::read_or_make(&data).expect("a key");
    assert_eq!(replays::path(&data), u64::try_from(harness.disk.records.len()).expect("few"));

    let middle_at = record::decode(&harness.disk.records[middle]).expect("ours").at;
    let since = BEGUN + middle_at.0 + SECOND;
    let code = codes(&harness.disk.records).pop_last().expect("some were read");
    let dumped = dump_frame(&data, middle_at, &code);

    let alone = tempfile::tempdir().expect("a directory");
    for (name, from, first) in [("whole", BEGUN, 1), ("half", since, middle + 1)] {
        let made = dir.path().join(format!("{name}.sqlite"));
        let told = export::export(&data, from, BEGUN + 3_600 * SECOND, &made).expect("exports");
        assert_eq!(told.first, u64::try_from(first).expect("few"), "{name}");
        assert_eq!(told.frames, u64::from(name == "whole"), "{name}");
        let there = alone.path().join("incident.sqlite");
        std::fs::rename(&made, &there).expect("moves");
        assert_eq!(replays::path(&there), told.last - told.first + 1, "{name}");
        let bytes = std::fs::read(&there).expect("readable");
        let shown = codes(&harness.disk.records).into_iter().filter(|code| {
            code.len() > 6 && bytes.windows(code.len()).any(|found| found == code.as_bytes())
        });
        assert_eq!(shown.collect::<Vec<_>>(), Vec::<String>::new(), "{name}");
        let mut frames = Vec::new();
        dump::each(&there, Micros::ZERO, Micros(u64::MAX), |frame| frames.push(frame.bytes))
            .expect("readable");
        if name == "whole" {
            // One mask: who sees the masked code in a record finds it in the frames.
            let masked = dumped.code(&code);
            let holds =
                |bytes: &[u8]| bytes.windows(masked.len()).any(|found| found == masked.as_bytes());
            assert!(holds(&bytes) && holds(&frames[0]), "{masked}");
        }
    }
    let site = std::fs::read(data.join(key::FILE)).expect("the key");
    let bytes = std::fs::read(alone.path().join("incident.sqlite")).expect("readable");
    assert!(!bytes.windows(8).any(|found| found == &site[..8]), "the key stays at home");
}

#[test]
fn an_empty_slice_and_a_taken_name_are_refused() {
    let inputs = Inputs::demo(3, 52);
    let mut harness = Harness::new(&inputs).expect("set up");
    harness.wake(Wake::WallClock { utc_us: BEGUN });
    assert!(harness.run_until(Micros::from_secs(300), Harness::drained), "drains");
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    keep(&harness, &inputs, &data, 10);
    let out = dir.path().join("out.sqlite");
    let export = |from, to| export::export(&data, from, to, &out);
    let no_key = export(BEGUN, BEGUN + SECOND);
    assert!(matches!(no_key, Err(export::ExportFault::NoKey { .. })), "{no_key:?}");
    key::read_or_make(&data).expect("a key");
    let before = export(BEGUN - 9 * SECOND, BEGUN - 8 * SECOND);
    assert!(matches!(before, Err(export::ExportFault::Empty)), "{before:?}");
    assert!(!out.exists(), "nothing half made");
    std::fs::write(&out, b"mine").expect("writable");
    let taken = export(BEGUN, BEGUN + 3_600 * SECOND);
    assert!(matches!(taken, Err(export::ExportFault::Exists { .. })), "{taken:?}");
    assert_eq!(std::fs::read(&out).expect("still there"), b"mine");
}
