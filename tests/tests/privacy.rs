//! Labels that name people, on a real line: whatever the daemon writes is searched for them.

use line_engine::record;
use line_model::signal::{Input, Read};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use system_tests::inputs::Inputs;
use system_tests::process::{self, Binaries, Daemon, Scratch, Sim};

/// What QR codes of labels hold, at most 48 bytes each, and what in it is somebody's.
const LABELS: &[(&str, &[&str])] = &[
    (r#"{"n":"张三","t":"13812345678"}"#, &["张三", "13812345678"]),
    ("https://q.example/?no=YT1&p=13912345678", &["13912345678"]),
    ("收件人:王小明 手机号15012345678", &["王小明", "15012345678"]),
    ("王小明,138****5678", &["王小明", "138****5678"]),
    ("深圳市南山区科技园路18号3栋", &["深圳市", "科技园路18号"]),
    ("ZHANG SAN|+86 137 1234 5678", &["ZHANG SAN", "137 1234 5678"]),
    ("13612345678", &["13612345678"]),
    ("8613512345678", &["13512345678"]),
    ("11010519900307123X", &["11010519900307123X"]),
    ("\u{1d}李四\u{1e}17712345678", &["李四", "17712345678"]),
    ("YT9876543210123 赵六", &["赵六", "YT9876543210123"]),
];
/// A waybill number that must be found, else the search finds nothing for the wrong reason.
const KNOWN: &str = "YT8800000000017";

/// The labels of the plant, as its manifest.
fn labels(path: &Path) {
    let mut text = String::from("waybill\n");
    for (label, _) in LABELS {
        text.push_str(&format!("\"{}\"\n{KNOWN}\n", label.replace('"', "\"\"")));
    }
    std::fs::write(path, text).expect("written");
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Each text that stands in one of the files.
fn searched<'a>(paths: &[PathBuf], texts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let contents: Vec<Vec<u8>> =
        paths.iter().map(|path| std::fs::read(path).unwrap_or_default()).collect();
    let stands = |text: &str| {
        let place = contents
            .iter()
            .position(|bytes| bytes.windows(text.len()).any(|found| found == text.as_bytes()));
        place.map(|place| format!("{text} in {}", paths[place].display()))
    };
    texts.filter_map(stands).collect()
}

/// Closed codes in the journal.
fn closed(data: &Path) -> BTreeSet<String> {
    let records = sortline::journal::records(data).expect("the journal is readable");
    let inputs = records.iter().map(|bytes| record::decode(bytes).expect("ours").input);
    let reads = inputs.filter_map(|input| match input {
        Input::Read { read: Read::Codes(codes), .. } => Some(codes),
        _ => None,
    });
    reads.flatten().filter(|code| code.starts_with('?')).collect()
}

fn incident(binaries: &Binaries, data: &Path, out: &Path) -> serde_json::Value {
    let (from, to) = ("2026-01-01T00:00", "2099-01-01T00:00");
    let told = Command::new(&binaries.daemon)
        .args(["incident", "--from", from, "--to", to, "--json", "--data"])
        .args([data.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .output()
        .expect("runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).expect("one object")
}

#[test]
fn nothing_that_names_people_is_ever_written() {
    let place = Scratch::new("privacy");
    let binaries = Binaries::build().expect("builds");
    let parcels = 4 * u64::try_from(LABELS.len()).expect("few");
    let inputs = Inputs::fast(parcels, 8);
    let mut plant = inputs.clone();
    plant.manifest = place.at("labels.csv");
    plant.profile = "clean".to_owned();
    labels(&plant.manifest);
    let sim = Sim::start(&binaries, &plant, place.dir(), Some(&place.at("sim.log")));
    let sim = sim.expect("sim starts");
    let hmi = process::free_address().expect("loopback");
    let (data, log) = (place.at("data"), place.at("daemon.log"));
    let mut daemon = Daemon::start(&binaries, &inputs, &sim, &data, &hmi, Some(&log)).expect("up");
    daemon.start_line(Duration::from_secs(60)).expect("runs");
    let drained = daemon.process.until(Duration::from_secs(300), || {
        let text = process::get(&hmi, "/api/view")?;
        let view: serde_json::Value = serde_json::from_str(&text).ok()?;
        let landed = std::fs::read_to_string(&sim.truth).unwrap_or_default().lines().count();
        let all = u64::try_from(landed).ok()? >= parcels;
        (all && view["tie"]["on_line"].as_u64() == Some(0)).then_some(())
    });
    drained.expect("drains");

    // The write-ahead log of a running daemon, its dumps and its incident are searched as well.
    let told = incident(&binaries, &data, &place.at("running.sqlite"));
    assert!(told["frames"].as_u64().is_some_and(|frames| frames > 1_000), "{told}");
    let mut paths = vec![place.at("running.sqlite"), log.clone()];
    files(&data, &mut paths);
    let secrets = || LABELS.iter().flat_map(|(_, parts)| parts.iter().copied());
    assert_eq!(searched(&paths, secrets()), BTreeSet::new());

    daemon.process.terminate(Duration::from_secs(20)).expect("ends when asked");
    incident(&binaries, &data, &place.at("ended.sqlite"));
    let mut paths = vec![place.at("running.sqlite"), place.at("ended.sqlite"), log];
    files(&data, &mut paths);
    assert_eq!(searched(&paths, secrets()), BTreeSet::new());
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name.contains("flight-")), "{names:?}");
    let mut journal = Vec::new();
    files(&data.join("journal"), &mut journal);
    assert_eq!(searched(&journal, [KNOWN].into_iter()).len(), 1, "the search finds what is there");
    let closed = closed(&data).len();
    println!(
        "{} files searched for {} texts, {closed} labels closed",
        paths.len(),
        secrets().count()
    );
    assert!(closed >= LABELS.len() - 1, "the labels were read: {closed}");
}
