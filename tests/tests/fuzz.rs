//! A short fuzz: mutations of valid bytes against everything that reads from outside.
//!
//! Longer: `cargo xtask fuzz CASES SEED`. A panic prints seed and case; both repeat it.

use line_sim::rng::Rng;
use std::path::Path;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Calls `read` with mutations of the samples; it must neither panic nor hang.
fn fuzz(name: &str, share: u64, samples: &[Vec<u8>], mut read: impl FnMut(&[u8])) {
    let seed = setting("FUZZ_SEED", 1);
    let cases = (setting("FUZZ_CASES", 200_000) / share).max(50);
    println!(
        "{name}: FUZZ_SEED={seed} FUZZ_CASES={cases}; repeat: cargo xtask fuzz {cases} {seed}"
    );
    let mut rng = Rng::stream(seed, name);
    for case in 0..cases {
        let mut bytes = samples[rng.index(samples.len())].clone();
        mutate(&mut bytes, &mut rng);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&bytes)));
        assert!(outcome.is_ok(), "{name}: case {case} of seed {seed} panicked on {bytes:02x?}");
    }
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(6) {
        let at = rng.index(bytes.len() + 1);
        let [value, _] = rng.half_word().to_be_bytes();
        match rng.below(6) {
            0 if at < bytes.len() => bytes[at] = value,
            1 if at < bytes.len() => bytes[at] ^= 1 << (value & 7),
            2 => bytes.insert(at, value),
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at),
            _ => bytes.extend_from_within(..at.min(64)),
        }
    }
}

#[test]
fn modbus_frames() {
    let mut pdu = [0; 253];
    let used = modbus::pdu::read_write(0x0200, 28, 0x0100, &[7; 18], &mut pdu).expect("fits");
    let mut rtu = [0; 256];
    let frame = modbus::rtu::encode(5, &pdu[..used], &mut rtu).expect("fits");
    let mut tcp = [0; 260];
    let adu = modbus::mbap::Frame { transaction: 3, unit: 5, pdu: &pdu[..used] };
    let adu = modbus::mbap::encode(adu, &mut tcp).expect("fits");
    let samples = [rtu[..frame].to_vec(), tcp[..adu].to_vec(), pdu[..used].to_vec()];
    fuzz("frames", 1, &samples, |bytes| {
        if let Ok((_, inner)) = modbus::rtu::check(bytes) {
            let _ = modbus::pdu::Request::parse(inner);
        }
        let _ = modbus::pdu::Request::parse(bytes);
        let _ = modbus::mbap::decode(bytes);
    });
}

#[test]
fn nodes_survive_any_frame() {
    let identity = node::Identity {
        unit: 5,
        boot_id: 9,
        serial_number: 1,
        firmware_hash: 2,
        reset_cause: 0,
        first_event: units::Serial(65_530),
        last_command: units::Serial(7),
    };
    let mut node = diverter::node(identity);
    let write = registers::exchange::WriteBlock {
        token: 1,
        owner: 7,
        boot_id: 9,
        ack: units::Serial(65_529),
        command: units::Serial(8),
        operation: registers::exchange::Operation::CancelAll,
    };
    let mut pdu = [0; 253];
    let used =
        modbus::pdu::read_write(0x0200, 28, 0x0100, &write.encode(5), &mut pdu).expect("fits");
    let mut now = 0;
    fuzz("node", 4, &[pdu[..used].to_vec()], |bytes| {
        // A valid CRC over garbage: what a frame check alone lets through.
        let mut frame = [0; 256];
        let inner = &bytes[..bytes.len().min(253)];
        let Ok(used) = modbus::rtu::encode(5, inner, &mut frame) else { return };
        now += 1_000;
        let at = node::Stamp {
            now: units::Micros(now),
            count: units::Counts(u32::try_from(now & 0xFFFF_FFFF).expect("masked")),
            second: units::Counts(0),
        };
        let mut out = node::Output::default();
        node.handle(at, node::Input::Rtu(&frame[..used]), &mut out);
        node.handle(at, node::Input::Device(bytes), &mut out);
    });
}

#[test]
fn files_that_people_bring() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../controller/examples");
    let read = |name: &str| std::fs::read(examples.join(name)).expect("example");
    fuzz("line file", 2_000, &[read("factory-line.toml")], |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            sortline::config::check("line.toml", text).ok();
        }
    });
    let start: Vec<u8> = read("manifest.csv").into_iter().take(4_000).collect();
    fuzz("manifest", 200, &[start], |bytes| {
        sortline::config::manifest::load(bytes, true).ok();
    });
}

#[test]
fn journal_records_and_snapshots() {
    let inputs = system_tests::inputs::Inputs::demo(5, 1);
    let mut harness = system_tests::harness::Harness::new(&inputs).expect("set up");
    harness.run_until(units::Micros::from_secs(40), |_| false);
    let records = harness.disk.records.clone();
    assert!(records.len() > 50, "a run leaves records");
    fuzz("records", 4, &records, |bytes| {
        line_engine::record::decode(bytes).ok();
    });
    let snapshot = harness.engine().expect("alive").snapshot();
    fuzz("snapshots", 40, &[snapshot], |bytes| {
        line_engine::snapshot::decode(bytes).ok();
    });
}
