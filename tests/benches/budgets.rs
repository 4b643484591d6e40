//! Budgets of this machine: simulation speed, `Line::handle`, bus cycle against the computed
//! minimum, host share from read to arm. Prints figures and ratios; asserts nothing about time.

use line_model::decision::{Decision, ParcelEvent};
use modbus::rtu::Timing;
use registers::exchange::WRITE_WORDS;
use std::time::{Duration, Instant};
use system_tests::harness::Harness;
use system_tests::inputs::Inputs;
use units::Micros;

#[expect(clippy::disallowed_methods, reason = "a benchmark is a stopwatch")]
fn clock() -> Instant {
    Instant::now()
}

fn percentile(sorted: &[u128], permille: usize) -> u128 {
    sorted.get(sorted.len().saturating_sub(1) * permille / 1_000).copied().unwrap_or_default()
}

/// Microseconds of one FC 23 exchange on the wire: both frames, two silences, no turn-around.
fn exchange_us(baud: u32, read_words: usize) -> u64 {
    let timing = Timing { baud, bits_per_char: 11 };
    let characters = (13 + 2 * usize::from(WRITE_WORDS)) + (5 + 2 * read_words);
    timing.wire_time(characters).plus(timing.silence()).plus(timing.silence()).0
}

/// Time that this thread has had a core for: what others do on the machine is not in it.
fn on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanos.expect("Linux tells it"))
}

fn run(inputs: &Inputs) -> Harness {
    let (started, before) = (clock(), on_core());
    let mut harness = Harness::new(inputs).expect("example files");
    harness.run_until(Micros::from_secs(3_600), Harness::drained);
    let (wall, core) = (started.elapsed(), on_core() - before);
    let virtual_time = Duration::from_micros(harness.now().0);
    let ratio = virtual_time.as_millis() / core.as_millis().max(1);
    println!(
        "simulation: {} virtual s in {:.2} s on one core ({:.2} s wall) = {ratio} x real time, {} % \
         of the goal of 1,000 x",
        virtual_time.as_secs(),
        core.as_secs_f64(),
        wall.as_secs_f64(),
        ratio / 10,
    );
    let parcels = harness.view().line.tally.inducted;
    let per_hour = u128::from(parcels) * 3_600_000 / virtual_time.as_millis().max(1);
    let ppm = core.as_micros() * 1_000_000 / virtual_time.as_micros().max(1);
    println!(
        "host load: {per_hour} parcels/h a line; engines for 12,000 parcels/h take at most {} ppm of a \
         core (nodes, wires and plant of the simulation are in it; the daemon's disk and ports are not)",
        ppm * 12_000 / per_hour.max(1),
    );
    harness
}

fn handle(harness: &Harness) {
    let mut line = line_model::Line::new(harness.fixed.line.engine.layout.clone());
    let mut times = Vec::with_capacity(harness.disk.records.len());
    let mut decided = Vec::new();
    for bytes in &harness.disk.records {
        let record = line_engine::record::decode(bytes).expect("our own record");
        let mut out = Vec::new();
        let started = clock();
        line.handle(record.at, record.input, &mut out);
        let spent = started.elapsed().as_nanos();
        times.push(spent);
        let assigned = out
            .iter()
            .any(|d| matches!(d, Decision::Parcel { event: ParcelEvent::Assigned { .. }, .. }));
        if assigned {
            decided.push(spent);
        }
    }
    times.sort_unstable();
    decided.sort_unstable();
    for (name, list) in [("every input", &times), ("what decides a chute", &decided)] {
        println!(
            "Line::handle, {name}: {} calls, p50 {} ns, p99 {} ns, p99.9 {} ns (budget p99 10,000 ns)",
            list.len(),
            percentile(list, 500),
            percentile(list, 990),
            percentile(list, 999),
        );
    }
}

fn bus(harness: &Harness) {
    let view = harness.view();
    let buses = &harness.fixed.line.engine.buses;
    for (bus, setup) in view.buses.iter().zip(buses).filter(|(_, setup)| setup.serial) {
        let exchanges: u64 = bus.stations.iter().map(|s| s.counters.exchanges).sum();
        let actual = harness.now().0 / exchanges.max(1);
        let [low, high] = line_sim::bridge::TURN_AROUND_US;
        let least = exchange_us(setup.baud, 28) + u64::midpoint(low, high);
        println!(
            "bus {}: {} nodes at {} baud, W = {WRITE_WORDS}, R = 28, nodes turn around in {low} to {high} \
             us: {} us an exchange, computed minimum {least} us: ratio {:.3} (budget 1.03); cycle {} ms",
            bus.name,
            bus.stations.len(),
            setup.baud,
            actual,
            actual as f64 / least as f64,
            actual * bus.stations.len() as u64 / 1_000,
        );
    }
}

fn main() {
    println!("reference: demo line, profile normal, saturated, 1,000 parcels, seed 7");
    let harness = run(&Inputs::demo(1_000, 7));
    handle(&harness);
    bus(&harness);
}
