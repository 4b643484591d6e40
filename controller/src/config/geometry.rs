//! Geometry and times: what fits, and the distances and leads that follow from it.
//!
//! Works in millimetres of the belt; `build` converts to counts. Every number has passed its range
//! by now, so nothing here can overflow or divide by zero.

use super::fault::{Sink, draft};
use super::planner::{Plan, refuse::refuse, wire::WireTimes};
use super::rescanners;
use line_file::{Bus, Diverter, LineFile, Node, Zone, ZoneMode};
use line_model::layout::Largest;
use registers::points::{SETTING_PASS_LEAD, SETTING_START_LEAD};
use units::Grams;

/// Distances that follow from the file, in millimetres.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Derived {
    /// One for each diverter.
    pub(crate) beds: Vec<Bed>,
    /// Gap that the gapping zone is told.
    pub(crate) gap_target: i64,
    /// Take-away travel between a head at the exit eye and its arrival, without a stop.
    pub(crate) pass_lead: i64,
    /// The same from a start at standstill.
    pub(crate) start_lead: i64,
    /// What the buses have to carry.
    pub(crate) polls: Plan,
}

/// Distances at one diverter, in millimetres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bed {
    /// From the arrival eye to the bed.
    pub(crate) eye_to_bed: i64,
    /// From the arrival edge to firing.
    pub(crate) delay: i64,
    /// Gap ahead of a parcel that changes the bed's state.
    pub(crate) gap_before: i64,
    /// Gap behind a diverted parcel.
    pub(crate) gap_after: i64,
    /// Landing after firing, earliest.
    pub(crate) landing_from: i64,
    /// Landing after firing, latest.
    pub(crate) landing_to: i64,
}

/// Distance that the fire instant keeps to the last moment, for slip between eye and bed.
const FIRE_MARGIN_MM: i64 = 60;
/// Of the shortest parcel, this much still covers the exit eye that stopped it.
const COVER_MARGIN_MM: i64 = 20;
/// From an edge to its news at the host, and from an arm's record to its sending.
const NEWS_MS: i64 = 120;
/// A gapping zone's exit eye and the induction eye are fitted to within some millimetres, and a parcel
/// slides on a little when its belt stops: one that came to rest with its head under the induction eye
/// would be inducted and then stand.
const REST_MM: i64 = 25;
/// A worn bed takes this much longer to turn, in per cent.
const SWITCH_WORN_PERCENT: i64 = 120;
/// First landing edge after the head reaches the bed, earliest and latest (line practice).
const LANDING_MS: (i64, i64) = (250, 1_800);
/// Gaps are made this many tenths of their standard deviation larger, so that 1 % are too small.
pub(super) const SIGMA_TENTHS: i64 = 22;
/// A lease spans at least this many bus cycles.
const LEASE_CYCLES: u64 = 10;

/// Checks the geometry and derives what the layout needs.
pub(crate) fn check(file: &LineFile, sink: &mut Sink<'_>) -> Derived {
    let Some(sorter) = file.zone.last() else { return Derived::default() };
    zones(file, sink);
    points(file, sink);
    let v = i64::from(sorter.speed_mm_s);
    let beds: Vec<Bed> = file.diverter.iter().map(|diverter| bed(file, diverter, v)).collect();
    delays(file, &beds, v, sink);
    pitch(file, v, sink);
    let need = beds.iter().map(|bed| bed.gap_after).max().unwrap_or(0);
    let gap_target = need + i64::from(file.gap.sigma_mm) * SIGMA_TENTHS / 10;
    let (pass_lead, start_lead) = leads(file, v, sink);
    decision(file, v, sink);
    rescanners::check(file, v, sink);
    windows(file, gap_target, sink);
    in_flight(file, &beds, sink);
    let polls = Plan::of(file, gap_target);
    buses(file, &polls, sink);
    refuse(file, &polls, sink);
    Derived { beds, gap_target, pass_lead, start_lead, polls }
}

/// Way at a speed in mm/s within milliseconds.
pub(super) const fn way(v: i64, ms: i64) -> i64 {
    v * ms / 1_000
}

fn bed(file: &LineFile, diverter: &Diverter, v: i64) -> Bed {
    let switch = way(v, i64::from(diverter.switch_ms));
    let eye_to_bed = i64::from(diverter.bed_from_mm) - i64::from(diverter.eye_at_mm);
    let delay = eye_to_bed - switch * SWITCH_WORN_PERCENT / 100 - FIRE_MARGIN_MM;
    let gap_before = i64::from(diverter.bed_length_mm) + switch + i64::from(file.gap.margin_mm);
    Bed {
        eye_to_bed,
        delay,
        gap_before,
        gap_after: gap_before + way(v, i64::from(file.gap.divert_settle_ms)),
        landing_from: eye_to_bed - delay + way(v, LANDING_MS.0),
        landing_to: eye_to_bed - delay + way(v, LANDING_MS.1),
    }
}

/// Zones: adjacent, each no slower than the one before, modes in order, stops within their end.
fn zones(file: &LineFile, sink: &mut Sink<'_>) {
    let last = file.zone.len() - 1;
    for (n, zone) in file.zone.iter().enumerate() {
        let at = |name: &str| format!("zone[{n}].{name}");
        if zone.to_mm <= zone.from_mm {
            let message =
                format!("zone {:?} ends at {} mm, not behind its beginning", zone.name, zone.to_mm);
            let fault = draft(at("to_mm"), message).allowed(format!("more than {}", zone.from_mm));
            sink.enter(fault.related(at("from_mm"), "its beginning"));
        }
        if let Some(next) = file.zone.get(n + 1) {
            let next_at = |name: &str| format!("zone[{}].{name}", n + 1);
            if next.from_mm != zone.to_mm {
                let message = format!("zone {:?} begins at {} mm", next.name, next.from_mm);
                let fault = draft(next_at("from_mm"), message)
                    .allowed(format!("{}, where the zone before ends", zone.to_mm));
                sink.enter(fault.related(at("to_mm"), "the zone before ends here"));
            }
            if next.speed_mm_s < zone.speed_mm_s {
                let message = format!("zone {:?} is slower than the one before", next.name);
                let fault = draft(next_at("speed_mm_s"), message)
                    .allowed(format!("at least {}", zone.speed_mm_s));
                sink.enter(fault.related(at("speed_mm_s"), "the zone before"));
            }
        }
        let (right, why) = if n == last {
            (zone.mode == ZoneMode::Transport, "transport: the last zone is the sorter belt")
        } else if n + 1 == last {
            (zone.mode == ZoneMode::Gapping, "gapping: it feeds the sorter belt")
        } else {
            (
                zone.mode != ZoneMode::Gapping,
                "accumulate, transport: only the zone ahead of the sorter belt makes gaps",
            )
        };
        if !right {
            let message = format!("zone {:?} has a mode that is wrong at its place", zone.name);
            sink.enter(draft(at("mode"), message).allowed(why));
        }
        exit_eye(file, n, zone, sink);
    }
    ends(file, last, sink);
    covering(file, sink);
}

/// The sorter belt begins at 0, ends at the drop and reaches its speed within the ramp.
fn ends(file: &LineFile, last: usize, sink: &mut Sink<'_>) {
    let Some(sorter) = file.zone.get(last) else { return };
    let at = |name: &str| format!("zone[{last}].{name}");
    if sorter.from_mm != 0 {
        let message = format!("the sorter belt begins at {} mm", sorter.from_mm);
        sink.enter(draft(at("from_mm"), message).allowed("0: positions count from there"));
    }
    if sorter.to_mm != file.end.drop_at_mm {
        let message = format!("parcels drop at {} mm", file.end.drop_at_mm);
        let fault = draft("end.drop_at_mm", message)
            .allowed(format!("{}, where the sorter belt ends", sorter.to_mm));
        sink.enter(fault.related(at("to_mm"), "the sorter belt ends here"));
    }
    let ramp = u64::from(sorter.speed_mm_s) * 1_000 / u64::from(sorter.accel_mm_s2);
    if ramp > u64::from(file.timing.ramp_ms) {
        let message =
            format!("`ramp_ms` is {}, but the sorter belt needs {ramp}", file.timing.ramp_ms);
        let fault = draft("timing.ramp_ms", message).allowed(format!("at least {ramp}"));
        let accel = at("accel_mm_s2");
        sink.enter_from(fault.related(at("speed_mm_s"), "speed of the sorter belt"), &[&accel]);
    }
}

/// The node of a zone with its index.
fn node_of<'a>(file: &'a LineFile, name: &str) -> Option<(usize, &'a Node)> {
    file.node.iter().enumerate().find(|(_, node)| node.name == name)
}

/// How far a zone still moves after its eye was cut: debounce, then its ramp.
fn stopping(file: &LineFile, zone: &Zone) -> i64 {
    let v = i64::from(zone.speed_mm_s);
    v * v / (2 * i64::from(zone.accel_mm_s2)) + way(v, debounce_ms(file, zone))
}

/// How long the zone's node waits before it believes an edge.
fn debounce_ms(file: &LineFile, zone: &Zone) -> i64 {
    node_of(file, &zone.node).map_or(0, |(_, node)| i64::from(node.debounce_ms))
}

/// A parcel that the gapping zone stopped at its exit eye still covers it: one that coasted past is
/// let go, and its gap is lost.
fn covering(file: &LineFile, sink: &mut Sink<'_>) {
    for (n, zone) in file.zone.iter().enumerate().filter(|(_, z)| z.mode == ZoneMode::Gapping) {
        let at = |name: &str| format!("zone[{n}].{name}");
        let need = stopping(file, zone) + COVER_MARGIN_MM;
        if i64::from(file.gap.shortest_length_mm) < need {
            let message = format!(
                "a parcel of {} mm that zone {:?} stops leaves its exit eye: the zone needs {} mm to stop",
                file.gap.shortest_length_mm,
                zone.name,
                need - COVER_MARGIN_MM
            );
            let fault = draft("gap.shortest_length_mm", message)
                .allowed(format!("at least {need}, or a zone that stops sooner"))
                .related(at("speed_mm_s"), "speed of the zone");
            let debounce = node_of(file, &zone.node).map(|(i, _)| format!("node[{i}].debounce_ms"));
            let inputs = [at("accel_mm_s2"), at("mode"), at("node")];
            let all: Vec<&str> = inputs.iter().chain(&debounce).map(String::as_str).collect();
            sink.enter_from(fault, &all);
        }
    }
    if file.gap.shortest_length_mm > file.gap.mean_length_mm {
        let message = format!("the shortest length is {} mm", file.gap.shortest_length_mm);
        let fault = draft("gap.shortest_length_mm", message)
            .allowed(format!("at most {}", file.gap.mean_length_mm))
            .related("gap.mean_length_mm", "the mean length");
        sink.enter(fault);
    }
}

/// The exit eye lies in its zone, far enough from the end to stop a parcel ahead of it.
fn exit_eye(file: &LineFile, n: usize, zone: &Zone, sink: &mut Sink<'_>) {
    let at = |name: &str| format!("zone[{n}].{name}");
    let key = at("exit_eye_mm");
    let Some(eye) = zone.exit_eye_mm else {
        if zone.mode != ZoneMode::Transport {
            let message = format!("zone {:?} stops parcels and has no `exit_eye_mm`", zone.name);
            let fault = draft(key, message).allowed("a place near its end");
            sink.enter_from(fault, &[&at("mode")]);
        }
        return;
    };
    let room = match zone.mode {
        ZoneMode::Transport => 0,
        ZoneMode::Accumulate => stopping(file, zone),
        ZoneMode::Gapping => stopping(file, zone) + REST_MM,
    };
    let (from, to) = (i64::from(zone.from_mm), i64::from(zone.to_mm) - room);
    if i64::from(eye) < from || i64::from(eye) > to {
        let message = format!(
            "the exit eye of zone {:?} is at {eye} mm; a parcel moves up to {room} mm until it rests",
            zone.name
        );
        let fault = draft(key, message).allowed(format!("{from} to {to}"));
        let inputs = [
            at("from_mm"),
            at("to_mm"),
            at("speed_mm_s"),
            at("accel_mm_s2"),
            at("mode"),
            at("node"),
        ];
        let debounce = node_of(file, &zone.node).map(|(i, _)| format!("node[{i}].debounce_ms"));
        let all: Vec<&str> = inputs.iter().chain(&debounce).map(String::as_str).collect();
        sink.enter_from(fault, &all);
    }
}

/// Places along the belt rise in the order that a parcel passes them.
fn points(file: &LineFile, sink: &mut Sink<'_>) {
    let (Some(induction), Some(exit)) = (file.eye.first(), file.eye.get(1)) else { return };
    if induction.at_mm != 0 {
        let message = format!("the induction eye is at {} mm", induction.at_mm);
        sink.enter(draft("eye[0].at_mm", message).allowed("0: positions count from there"));
    }
    let first = ("eye[0].at_mm".to_owned(), i64::from(induction.at_mm));
    let last = ("eye[1].at_mm".to_owned(), i64::from(exit.at_mm));
    let scanner = ("scanner.at_mm".to_owned(), i64::from(file.scanner.at_mm));
    rising(&[first.clone(), scanner, last.clone()], sink);
    if let Some(dws) = &file.dws {
        rising(&[first, ("dws.at_mm".to_owned(), i64::from(dws.at_mm)), last.clone()], sink);
    }
    let mut chain = vec![last];
    for (n, diverter) in file.diverter.iter().enumerate() {
        let bed = i64::from(diverter.bed_from_mm);
        chain.push((format!("diverter[{n}].eye_at_mm"), i64::from(diverter.eye_at_mm)));
        chain.push((format!("diverter[{n}].bed_from_mm"), bed));
        let end = bed + i64::from(diverter.bed_length_mm);
        chain.push((format!("diverter[{n}].bed_length_mm"), end));
    }
    chain.push(("end.eye_at_mm".to_owned(), i64::from(file.end.eye_at_mm)));
    chain.push(("end.drop_at_mm".to_owned(), i64::from(file.end.drop_at_mm)));
    rising(&chain, sink);
}

pub(super) fn rising(chain: &[(String, i64)], sink: &mut Sink<'_>) {
    for pair in chain.windows(2) {
        let [(before_key, before), (key, at)] = pair else { continue };
        if at <= before {
            let message = format!("{at} mm is not behind {before} mm, which a parcel passes first");
            let fault = draft(key.clone(), message)
                .allowed(format!("more than {before}"))
                .related(before_key.clone(), format!("passed first, up to {before} mm"));
            sink.enter(fault);
        }
    }
}

/// Each arrival eye leaves time for its edge to be debounced before the bed has to be fired.
fn delays(file: &LineFile, beds: &[Bed], v: i64, sink: &mut Sink<'_>) {
    for (n, (diverter, bed)) in file.diverter.iter().zip(beds).enumerate() {
        let Some((i, node)) = node_of(file, &diverter.node) else { continue };
        let least = way(v, i64::from(node.debounce_ms)) + 1;
        if bed.delay >= least {
            continue;
        }
        let at = |name: &str| format!("diverter[{n}].{name}");
        let latest = i64::from(diverter.bed_from_mm) - (bed.eye_to_bed - bed.delay) - least;
        let message = format!(
            "the eye of diverter {:?} is {} mm ahead of its bed, too near at {v} mm/s to turn the wheels in time",
            diverter.name, bed.eye_to_bed
        );
        let fault = draft(at("eye_at_mm"), message)
            .allowed(format!("at most {latest}"))
            .related(at("bed_from_mm"), "the bed");
        let inputs = [at("switch_ms"), at("node"), format!("node[{i}].debounce_ms")];
        let speed = speed_key(file);
        sink.enter_from(fault, &[&inputs[0], &inputs[1], &inputs[2], &speed]);
    }
}

/// From the eye before it a parcel needs long enough to each diverter's eye for that edge's news to
/// come, and for the arm to leave ahead of its window.
fn pitch(file: &LineFile, v: i64, sink: &mut Sink<'_>) {
    for (n, pair) in file.diverter.windows(2).enumerate() {
        let [before, diverter] = pair else { continue };
        let debounce =
            node_of(file, &before.node).map_or(0, |(_, node)| i64::from(node.debounce_ms));
        let times = i64::from(file.timing.arm_lead_ms) + debounce + NEWS_MS;
        let spacing = i64::from(diverter.eye_at_mm) - i64::from(before.eye_at_mm);
        let early = spacing * i64::from(file.tracking.early_permille) / 1_000;
        let need = way(v, times) + i64::from(file.tracking.tolerance_mm) + early;
        if spacing >= need {
            continue;
        }
        let message = format!(
            "the eye of diverter {:?} is {spacing} mm behind the one of {:?}: at {v} mm/s an arm would \
             always leave too late",
            diverter.name, before.name
        );
        let fault = draft(format!("diverter[{}].eye_at_mm", n + 1), message)
            .allowed(format!("at least {}", i64::from(before.eye_at_mm) + need))
            .related(format!("diverter[{n}].eye_at_mm"), "the eye before it");
        let inputs = ["timing.arm_lead_ms", "tracking.tolerance_mm", "tracking.early_permille"];
        let speed = speed_key(file);
        sink.enter_from(fault, &[inputs[0], inputs[1], inputs[2], &speed]);
    }
}

pub(super) fn speed_key(file: &LineFile) -> String {
    format!("zone[{}].speed_mm_s", file.zone.len() - 1)
}

/// Leads of the gapping zone, in millimetres of the sorter belt.
///
/// A head at the exit eye, `e` ahead of the end, gains `(e + L/2)·k` on the way over, `k` being how
/// much faster the sorter belt is; a short parcel ahead loses `(e − L/2)·k` before its own centre is
/// across; the edge is believed a debounce later. A stop costs nothing when the belt comes to rest:
/// what it loses standing is part of the wait. Released while it still slows down, a parcel gains
/// up to `v2·v3/4a`; half of that is held back.
fn leads(file: &LineFile, v: i64, sink: &mut Sink<'_>) -> (i64, i64) {
    let Some(n) = file.zone.len().checked_sub(2) else { return (0, 0) };
    let Some(zone) = file.zone.get(n) else { return (0, 0) };
    let own = i64::from(zone.speed_mm_s);
    let to_end = zone.exit_eye_mm.map_or(0, |eye| i64::from(zone.to_mm) - i64::from(eye));
    let half = i64::from(file.gap.mean_length_mm) / 2;
    let faster = (v - own).max(0);
    let gained = (to_end + half - (to_end - half).max(0)) * faster / own;
    let pass = (gained - way(v, debounce_ms(file, zone))).max(0);
    let start = (pass - v * own / (8 * i64::from(zone.accel_mm_s2))).max(0);
    let settings = registers::NodeKind::Zone.settings();
    let limits = [(pass, SETTING_PASS_LEAD), (start, SETTING_START_LEAD)];
    for (lead, index) in limits {
        let Some(setting) = settings.get(index) else { continue };
        if lead < 0 || lead > i64::from(setting.max) {
            let message = format!(
                "zone {:?} needs a {} of {lead} mm: it is too slow for its sorter belt",
                zone.name, setting.name
            );
            let at = |name: &str| format!("zone[{n}].{name}");
            let fault = draft(at("speed_mm_s"), message)
                .allowed(format!("a speed and a ramp with at most {} mm", setting.max))
                .related(speed_key(file), "the sorter belt");
            let inputs = [at("accel_mm_s2"), at("exit_eye_mm"), at("to_mm")];
            sink.enter_from(fault, &[&inputs[0], &inputs[1], &inputs[2], "gap.mean_length_mm"]);
        }
    }
    (pass, start)
}

/// The shortest lease of any node.
pub(crate) fn lease(file: &LineFile) -> u32 {
    let leases = file.node.iter().map(|node| node.lease_ms.unwrap_or(file.timing.lease_ms));
    u32::from(leases.min().unwrap_or(file.timing.lease_ms))
}

/// The heaviest and largest that the line takes.
pub(crate) fn largest(file: &LineFile) -> Largest {
    let tracking = &file.tracking;
    let weight = tracking.weight_max_g.map(Grams);
    Largest { weight, side_mm: tracking.side_max_mm }
}

/// The longest parcel's code is read, routed and armed before it reaches the first diverter's eye.
fn decision(file: &LineFile, v: i64, sink: &mut Sink<'_>) {
    let Some(first) = file.diverter.first() else { return };
    let times = i64::from(file.scanner.read_wait_ms)
        + i64::from(file.timing.route_ms)
        + i64::from(file.timing.arm_lead_ms);
    let length = i64::from(file.tracking.length_max_mm);
    let need = i64::from(file.scanner.at_mm) + length + way(v, times);
    if i64::from(first.eye_at_mm) < need {
        let message = format!(
            "diverter {:?} looks at {} mm, before the longest parcel is decided: \
             scanner + length + (read + route + arm lead) at {v} mm/s",
            first.name, first.eye_at_mm
        );
        let fault = draft("diverter[0].eye_at_mm", message)
            .allowed(format!("at least {need}"))
            .related("scanner.at_mm", "the scanner");
        let inputs = [
            "scanner.read_wait_ms",
            "timing.route_ms",
            "timing.arm_lead_ms",
            "tracking.length_max_mm",
            &speed_key(file),
        ];
        sink.enter_from(fault, &inputs);
    }
    if file.gap.mean_length_mm >= file.tracking.length_max_mm {
        let message = format!("the mean length is {} mm", file.gap.mean_length_mm);
        let fault = draft("gap.mean_length_mm", message)
            .allowed(format!("less than {length}"))
            .related("tracking.length_max_mm", "the longest parcel");
        sink.enter(fault);
    }
}

/// The windows of two neighbours do not overlap on the longest stretch between two eyes.
fn windows(file: &LineFile, gap_target: i64, sink: &mut Sink<'_>) {
    let eyes = file.eye.iter().map(|eye| i64::from(eye.at_mm));
    let arrivals = file.diverter.iter().map(|diverter| i64::from(diverter.eye_at_mm));
    let all: Vec<i64> = eyes.chain(arrivals).chain([i64::from(file.end.eye_at_mm)]).collect();
    let longest = all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0).max(0);
    let tracking = &file.tracking;
    let shares = i64::from(tracking.early_permille) + i64::from(tracking.late_permille);
    let window = 2 * i64::from(tracking.tolerance_mm) + longest * shares / 1_000;
    if window >= gap_target {
        let message = format!(
            "the arrival window grows to {window} mm over {longest} mm, as large as the gap"
        );
        let fault = draft("tracking", message).allowed(format!(
            "less than {gap_target} mm = 2 x tolerance_mm + way x (early + late)"
        ));
        let inputs = [
            "tracking.tolerance_mm",
            "tracking.early_permille",
            "tracking.late_permille",
            "gap.sigma_mm",
            "gap.margin_mm",
            "gap.divert_settle_ms",
            "eye[].at_mm",
            "diverter[].eye_at_mm",
            "diverter[].bed_length_mm",
            "diverter[].switch_ms",
            "end.eye_at_mm",
            &speed_key(file),
        ];
        sink.enter_from(fault, &inputs);
    }
}

/// The limit of parcels in flight is above what the belt holds in normal work.
fn in_flight(file: &LineFile, beds: &[Bed], sink: &mut Sink<'_>) {
    let gap = beds.iter().map(|bed| bed.gap_before).max().unwrap_or(0);
    let pitch = (gap + i64::from(file.gap.mean_length_mm)).max(1);
    let holds = i64::from(file.end.drop_at_mm).max(0) / pitch + 2;
    if i64::from(file.tracking.in_flight_max) < holds {
        let message = format!(
            "`in_flight_max` is {}, but the belt holds up to {holds} parcels",
            file.tracking.in_flight_max
        );
        let fault = draft("tracking.in_flight_max", message).allowed(format!("at least {holds}"));
        let inputs = [
            "end.drop_at_mm",
            "gap.mean_length_mm",
            "gap.margin_mm",
            "diverter[].bed_length_mm",
            "diverter[].switch_ms",
            &speed_key(file),
        ];
        sink.enter_from(fault, &inputs);
    }
}

/// Bus times against answer time-out, arm lead and leases.
fn buses(file: &LineFile, polls: &Plan, sink: &mut Sink<'_>) {
    for (n, (bus, plan)) in file.bus.iter().zip(&polls.buses).enumerate() {
        let key = |name: &str| format!("bus[{n}].{name}");
        let wire_keys =
            [key("kind"), key("baud"), key("parity"), key("stop_bits"), key("turnaround_ms")];
        let mut inputs: Vec<&str> = wire_keys.iter().map(String::as_str).collect();
        inputs.extend(["node[].bus", "node[].kind", "bus[].name"]);
        let stations: Vec<(usize, &Node)> =
            file.node.iter().enumerate().filter(|(_, node)| node.bus == bus.name).collect();
        let times = WireTimes::of(bus);
        let exchanges =
            stations.iter().map(|(_, node)| times.events(super::build::kind(node.kind)));
        let longest = exchanges.max().map_or(0, |longest| longest.0);
        let cycle = plan.cycle.0;
        let answer = u64::from(bus.answer_timeout_ms) * 1_000;
        if answer <= longest {
            let message = format!(
                "`answer_timeout_ms` is {}, but an exchange may take {} us",
                bus.answer_timeout_ms, longest
            );
            let fault = draft(key("answer_timeout_ms"), message)
                .allowed(format!("at least {}", longest / 1_000 + 1));
            sink.enter_from(fault, &inputs);
        }
        // One exchange under way, one lost, one that carries the arm.
        let lead = (answer + 3 * longest).div_ceil(1_000);
        let arms = stations.iter().any(|(_, node)| node.kind == line_file::NodeKind::Diverter);
        if arms && u64::from(file.timing.arm_lead_ms) < lead {
            let message = format!(
                "`arm_lead_ms` is {}, but bus {:?} may need {lead} to hand over an arm",
                file.timing.arm_lead_ms, bus.name
            );
            let fault = draft("timing.arm_lead_ms", message).allowed(format!("at least {lead}"));
            sink.enter_from(fault.related(key("answer_timeout_ms"), "its time-out"), &inputs);
        }
        leases(file, bus, &stations, cycle, &inputs, sink);
    }
}

/// A lease spans ten cycles of its bus, so that a few lost polls stop nothing.
fn leases(
    file: &LineFile,
    bus: &Bus,
    stations: &[(usize, &Node)],
    cycle: u64,
    inputs: &[&str],
    sink: &mut Sink<'_>,
) {
    let least = (LEASE_CYCLES * cycle).div_ceil(1_000);
    let message = |lease: u16| {
        format!(
            "a lease of {lease} ms is too short for bus {:?}, whose cycle is {cycle} us",
            bus.name
        )
    };
    let allowed = format!("at least {least}");
    if u64::from(file.timing.lease_ms) < least
        && stations.iter().any(|(_, node)| node.lease_ms.is_none())
    {
        let fault = draft("timing.lease_ms", message(file.timing.lease_ms));
        sink.enter_from(fault.allowed(allowed.clone()), inputs);
    }
    for (n, node) in stations {
        if let Some(lease) = node.lease_ms.filter(|lease| u64::from(*lease) < least) {
            let fault = draft(format!("node[{n}].lease_ms"), message(lease));
            sink.enter_from(fault.allowed(allowed.clone()), inputs);
        }
    }
}

/// Blocked for longer, an eye is jammed, unless the file says otherwise.
pub(super) const JAM_MS: u32 = 5_000;

/// The gapping zone of this node, by index.
pub(super) fn gapping_zone(file: &LineFile, node: &str) -> Option<usize> {
    file.zone.iter().position(|zone| zone.node == node && zone.mode == ZoneMode::Gapping)
}

/// How long a parcel is on a zone at nominal speed.
pub(super) fn transit(zone: &line_file::Zone) -> units::Micros {
    let way = i64::from(zone.to_mm) - i64::from(zone.from_mm);
    let way = units::Millimeters(i32::try_from(way).unwrap_or(i32::MAX));
    units::MmPerSecond(zone.speed_mm_s).time_for(way)
}
