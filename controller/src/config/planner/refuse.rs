//! What cannot work, named with its numbers and with what would fit.

use super::plan::{BusPlan, HOST, Path, Plan};
use super::wire::WireTimes;
use crate::config::build::kind;
use crate::config::fault::{Sink, draft};
use line_file::LineFile;
use units::Micros;

/// Share of a bus' time that may be spoken for, per mille: the rest is for repetitions.
const LOAD_MAX: u64 = 900;
/// Speeds that serial ports offer.
const BAUDS: [u32; 9] =
    [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 500_000, 921_600];

/// Enters every reason for which the plan cannot work.
pub(crate) fn refuse(file: &LineFile, plan: &Plan, sink: &mut Sink<'_>) {
    for (n, bus) in plan.buses.iter().enumerate() {
        if !paths(file, plan, (n, bus), sink) {
            load(file, (n, bus), sink);
        }
    }
    rings(file, plan, sink);
}

/// A number of milliseconds with its thousands apart.
pub(crate) fn ms(span: Micros) -> String {
    grouped(span.0.div_ceil(1_000))
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn key_of(n: usize, bus: &BusPlan) -> String {
    format!("bus[{n}].{}", if bus.baud.is_some() { "baud" } else { "name" })
}

/// Bus and speed in words.
fn where_at(bus: &BusPlan) -> String {
    let nodes = bus.nodes.len();
    let noun = if nodes == 1 { "node" } else { "nodes" };
    match bus.baud {
        Some(baud) => format!("bus {}: {nodes} {noun} at {baud} baud", bus.name),
        None => format!("bus {}: {nodes} {noun} over TCP", bus.name),
    }
}

/// Keys that the times of every bus follow from.
fn inputs(n: usize, keys: &mut Vec<String>) -> Vec<&str> {
    let own = ["kind", "baud", "parity", "stop_bits", "turnaround_ms", "answer_timeout_ms"];
    keys.extend(own.iter().map(|name| format!("bus[{n}].{name}")));
    let mut all: Vec<&str> = keys.iter().map(String::as_str).collect();
    all.extend([
        "node[].bus",
        "node[].kind",
        "bus[].name",
        "scanner.node",
        "scanner.at_mm",
        "scanner.read_wait_ms",
        "timing.route_ms",
        "tracking.length_max_mm",
        "diverter[].node",
        "diverter[].eye_at_mm",
        "diverter[].bed_length_mm",
        "diverter[].switch_ms",
        "gap.margin_mm",
        "gap.shortest_length_mm",
        "zone[].speed_mm_s",
    ]);
    all
}

/// The arm is in the node before its parcel is at the eye; true when it is not.
fn paths(file: &LineFile, plan: &Plan, (n, bus): (usize, &BusPlan), sink: &mut Sink<'_>) -> bool {
    // Where not even the arm's lead is left, the distance is at fault and has been told.
    let lead = Micros::from_millis(u64::from(file.timing.arm_lead_ms));
    let led = |path: &Path| path.have.plus(HOST) >= path.host.plus(lead);
    if !plan.paths.iter().all(led) {
        return false;
    }
    let late = |(_, path): &(usize, &Path)| path.bus == n && path.total() > path.have;
    let worst = plan.paths.iter().enumerate().filter(late).min_by_key(|(_, path)| path.cycle_max);
    let Some((diverter, path)) = worst else { return false };
    let message = format!(
        "{} need {} ms a cycle, {} allows {} ms",
        where_at(bus),
        ms(bus.cycle_worst),
        path.diverter,
        ms(path.cycle_max)
    );
    let fault = draft(key_of(n, bus), message).allowed(fitting(file, (n, bus), path)).related(
        format!("diverter[{diverter}].eye_at_mm"),
        format!(
            "{} mm behind the scanner and the longest parcel: {} ms, of which {} ms are waiting for the read, the route and the disk",
            path.way_mm,
            ms(path.have),
            ms(path.host)
        ),
    );
    let mut keys = vec![format!("zone[{}].speed_mm_s", file.zone.len().saturating_sub(1))];
    sink.enter_from(fault, &inputs(n, &mut keys));
    true
}

/// What would let the arm come in time.
fn fitting(file: &LineFile, (n, bus): (usize, &BusPlan), path: &Path) -> String {
    let Some(raw) = file.bus.get(n) else { return String::new() };
    let need = |times: WireTimes| {
        let nodes = bus.nodes.iter().map(|node| times.events(node.kind).plus(times.status()));
        nodes.fold(Micros::ZERO, Micros::plus)
    };
    let times = WireTimes::of(raw);
    let mut at_most = 0;
    let mut sum = Micros::ZERO;
    for node in &bus.nodes {
        sum = sum.plus(times.events(node.kind)).plus(times.status());
        at_most += usize::from(sum <= path.cycle_max);
    }
    let mut ways = Vec::new();
    if at_most > 0 && bus.baud.is_some() {
        ways.push(format!("at most {at_most} nodes"));
    }
    // The repetition is shorter on a faster wire, but the time-out stays: the allowed cycle is
    // taken as it is.
    let faster = |baud: &u32| {
        bus.baud.is_some_and(|now| *baud > now) && need(times.at(*baud)) <= path.cycle_max
    };
    if let Some(baud) = BAUDS.iter().find(|baud| faster(baud)) {
        ways.push(format!("{baud} baud"));
    }
    if at_most > 0 && bus.baud.is_some() {
        ways.push(format!("move {} nodes to another bus", bus.nodes.len() - at_most));
    }
    let lacks = path.total().since(path.have);
    let speed = u64::from(file.zone.last().map_or(0, |zone| zone.speed_mm_s));
    let farther = (lacks.0 * speed).div_ceil(1_000_000);
    ways.push(format!("{} mm more between scanner and {}", grouped(farther), path.diverter));
    ways.join(", or ")
}

/// A bus has time for the events of its nodes.
fn load(file: &LineFile, (n, bus): (usize, &BusPlan), sink: &mut Sink<'_>) {
    if bus.load_permille <= LOAD_MAX {
        return;
    }
    let Some(raw) = file.bus.get(n) else { return };
    let percent = |permille: u64| permille.div_ceil(10);
    let message = format!(
        "{} need {} % of the bus' time for the events of a line at full rate, {} % can be used",
        where_at(bus),
        percent(bus.load_permille),
        LOAD_MAX / 10
    );
    let nodes = u64::try_from(bus.nodes.len()).unwrap_or(u64::MAX);
    let mut ways = Vec::new();
    if bus.baud.is_some() {
        ways.push(format!("about {} nodes", (nodes * LOAD_MAX / bus.load_permille).max(1)));
    }
    let times = WireTimes::of(raw);
    let one = |times: WireTimes| {
        let longest = file.node.iter().filter(|node| node.bus == bus.name);
        longest.map(|node| times.events(kind(node.kind)).0).max().unwrap_or(0)
    };
    let scaled = |baud: u32| bus.load_permille * one(times.at(baud)) / one(times).max(1);
    let faster = |baud: &u32| bus.baud.is_some_and(|now| *baud > now) && scaled(*baud) <= LOAD_MAX;
    if let Some(baud) = BAUDS.iter().find(|baud| faster(baud)) {
        ways.push(format!("{baud} baud"));
    }
    ways.push("a slower line, or larger gaps".to_owned());
    let fault = draft(key_of(n, bus), message).allowed(ways.join(", or "));
    let mut keys = vec![format!("zone[{}].speed_mm_s", file.zone.len().saturating_sub(1))];
    sink.enter_from(fault, &inputs(n, &mut keys));
}

/// A ring holds the events of the full line that drains while nothing is acknowledged.
fn rings(file: &LineFile, plan: &Plan, sink: &mut Sink<'_>) {
    let all = plan.buses.iter().flat_map(|bus| bus.nodes.iter().map(move |node| (bus, node)));
    for (bus, node) in all.filter(|(_, node)| node.ring.need > node.ring.holds) {
        let ring = node.ring;
        let Some(n) = file.node.iter().position(|other| other.name == node.name) else { continue };
        let message = format!(
            "bus {}: the ring of {} needs {} words for {} parcels that drain without acknowledgement, it holds {}",
            bus.name,
            node.name,
            grouped(ring.need),
            ring.parcels,
            grouped(ring.holds)
        );
        let fits = ring.holds.saturating_sub(ring.words_besides) / ring.words_per_parcel.max(1);
        let fault = draft(format!("node[{n}].kind"), message)
            .allowed(format!("at most {fits} parcels: a shorter way to its eye, a shorter `stall_ms`, or larger gaps"))
            .related("timing.stall_ms", "parcels are inducted for this long after the disk stalls");
        let mut keys = vec![format!("node[{n}].bus"), "end.eye_at_mm".to_owned()];
        sink.enter_from(fault, &inputs(0, &mut keys));
    }
}
