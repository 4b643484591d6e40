//! Plans of lines that work, and what lines that cannot work are told.

use super::wire::WireTimes;
use super::{Plan, refuse::grouped};
use crate::config::check::{root, shaped};
use crate::config::fault::Faults;
use crate::config::{self, Line};
use modbus::rtu::Timing;
use registers::NodeKind;
use units::Micros;

const DEMO: &str = include_str!("../../../examples/factory-line.toml");
const FAST: &str = include_str!("../../../examples/factory-line-fast.toml");

fn with(changes: &[(&str, &str)]) -> String {
    let mut text = DEMO.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "the example lost {old:?}");
        text = text.replace(old, new);
    }
    text
}

fn line(text: &str) -> Line {
    config::check("line.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn faults(text: &str) -> Faults {
    config::check("line.toml", text).expect_err("cannot work")
}

fn timing(baud: u32) -> WireTimes {
    let timing = Timing { baud, bits_per_char: 11 };
    WireTimes { timing: Some(timing), turnaround: Micros::ZERO }
}

#[test]
fn exchanges_are_wire_time_silence_and_turn_around() {
    // Bytes both ways x 11 bits + two silences, each part rounded up to a microsecond.
    for (baud, kind, us) in [
        (9_600, NodeKind::Zone, 49 * 11_000_000 / 9_600 + 61 * 11_000_000 / 9_600 + 2 * 4_011 + 2),
        (19_200, NodeKind::Panel, 110 * 11_000_000 / 19_200 + 2 * 2_006 + 2),
        (115_200, NodeKind::Diverter, 110 * 11_000_000 / 115_200 + 2 * 1_750 + 2),
        (115_200, NodeKind::Scanner, 182 * 11_000_000 / 115_200 + 2 * 1_750 + 1),
    ] {
        let found = timing(baud).events(kind);
        assert!(found.0.abs_diff(us) <= 2, "{baud} {kind:?}: {found:?} {us}");
    }
    let tcp = WireTimes { timing: None, turnaround: Micros::from_millis(10) };
    assert_eq!(tcp.events(NodeKind::Scanner), Micros::from_millis(10));
}

#[test]
fn the_examples_have_a_plan_that_works() {
    for (name, text) in [("demo", DEMO), ("fast", FAST)] {
        let line = line(text);
        let field = &line.polls.buses[0];
        println!("{name}: {}", line.polls);
        assert_eq!(field.nodes.len(), 10);
        let sum: u64 = field.nodes.iter().map(|node| node.blocks[0].exchange.0).sum();
        assert_eq!(field.cycle, Micros(sum));
        assert!(field.cycle < field.cycle_worst && field.load_permille < 900, "{field:?}");
        assert_eq!(line.polls.paths.len(), 6);
        for path in &line.polls.paths {
            assert!(path.total() <= path.have && field.cycle_worst <= path.cycle_max, "{path:?}");
        }
        for node in line.polls.buses.iter().flat_map(|bus| &bus.nodes) {
            assert!(node.ring.need <= node.ring.holds, "{node:?}");
            assert!(node.ring.need >= node.ring.words_per_parcel + node.ring.words_besides);
        }
    }
}

#[test]
fn the_engine_polls_as_the_plan_says() {
    let line = line(DEMO);
    for (setup, plan) in line.engine.buses.iter().zip(&line.polls.buses) {
        assert_eq!(setup.poll_min, plan.period, "{}", plan.name);
        assert_eq!(setup.serial, plan.baud.is_some());
        assert_eq!(setup.stations.len(), plan.nodes.len());
    }
    let scanner = &line.polls.buses[1];
    assert_eq!((scanner.cycle, scanner.period), (Micros(20_000), Micros(20_000)));
}

#[test]
fn a_bus_that_is_too_slow_for_its_first_diverter_says_what_would_fit() {
    // Slow enough for the cycle, with time-outs and leads that fit it.
    let text = with(&[
        ("baud = 115200", "baud = 9600"),
        ("answer_timeout_ms = 50 ", "answer_timeout_ms = 180 "),
        ("arm_lead_ms = 300", "arm_lead_ms = 700"),
        ("lease_ms = 3000", "lease_ms = 16000"),
        ("in_flight_max = 40", "in_flight_max = 60"),
    ]);
    let found = faults(&text);
    let fault = found.list.iter().find(|fault| fault.key == "bus[0].baud");
    let fault = fault.unwrap_or_else(|| panic!("no fault at the bus:\n{found}"));
    println!("{}; allowed: {}", fault.message, fault.allowed);
    assert!(fault.message.starts_with("bus field: 10 nodes at 9600 baud need "), "{found}");
    assert!(fault.message.contains(" ms a cycle, D1 allows "), "{found}");
    for part in ["at most ", "38400 baud", "move ", "mm more between scanner and D1"] {
        assert!(fault.allowed.contains(part), "{part}: {}", fault.allowed);
    }
    // What is said to fit does fit.
    line(&text.replace("baud = 9600", "baud = 38400"));
}

#[test]
fn a_diverter_too_near_to_its_scanner_is_refused_with_the_way_that_it_lacks() {
    // The host's own times leave D1 next to nothing for the wires.
    let text =
        with(&[("route_ms = 800", "route_ms = 1700"), ("arm_lead_ms = 300", "arm_lead_ms = 120")]);
    let found = faults(&text);
    let fault = found.list.iter().find(|fault| fault.key == "bus[0].baud");
    let fault = fault.unwrap_or_else(|| panic!("no fault at the bus:\n{found}"));
    println!("{}; allowed: {}", fault.message, fault.allowed);
    assert!(fault.allowed.contains("mm more between scanner and D1"), "{found}");
}

/// The last bed and the end 80 m farther down the belt.
fn far(in_flight_max: u32) -> String {
    with(&[
        ("eye_at_mm = 12450", "eye_at_mm = 92450"),
        ("bed_from_mm = 12900", "bed_from_mm = 92900"),
        ("eye_at_mm = 14300", "eye_at_mm = 94300"),
        ("drop_at_mm = 14600", "drop_at_mm = 94600"),
        ("to_mm = 14600", "to_mm = 94600"),
        ("in_flight_max = 40", &format!("in_flight_max = {in_flight_max}")),
    ])
}

#[test]
fn a_ring_that_a_draining_line_overflows_is_refused() {
    let found = faults(&far(200));
    let fault = found.list.iter().find(|fault| fault.message.contains("the ring of"));
    let fault = fault.unwrap_or_else(|| panic!("no fault of a ring:\n{found}"));
    println!("{}; allowed: {}", fault.message, fault.allowed);
    assert!(fault.message.contains("it holds 1,536"), "{found}");
    assert!(fault.allowed.starts_with("at most 86 parcels"), "{found}");
}

#[test]
fn a_diverters_ring_is_planned_for_the_arms_that_can_wait_on_it() {
    // As many parcels as `firmware/diverter/tests/drain.rs` lets pass a node.
    let root = root("line.toml", &far(85)).expect("TOML");
    let file: line_file::LineFile = shaped("line.toml", root).expect("a line file");
    let plan = Plan::of(&file, 900);
    let nodes = plan.buses.iter().flat_map(|bus| &bus.nodes);
    let ring = nodes.filter(|node| node.name == "D6").map(|node| node.ring).next().expect("D6");
    assert_eq!((ring.parcels, ring.words_per_parcel, ring.words_besides), (86, 12, 503));
    assert!(ring.need <= ring.holds && ring.need + ring.words_per_parcel > ring.holds);
}

#[test]
fn a_plan_is_shown_as_table_and_as_json() {
    let plan = line(DEMO).polls;
    let text = plan.to_string();
    for part in
        ["bus        field: 115200 baud, 10 nodes", "events", "status", "path       scanner to D1"]
    {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let json = plan.to_json();
    assert_eq!(json["buses"][0]["nodes"].as_array().map(Vec::len), Some(10));
    assert_eq!(json["buses"][0]["nodes"][0]["blocks"][0]["write_words"], 18);
    assert_eq!(json["paths"][0]["diverter"], "D1");
    assert_eq!(json["buses"][1]["baud"], serde_json::Value::Null);
}

#[test]
fn a_plan_of_nothing_is_empty() {
    assert_eq!(Plan::default().to_string(), "");
    assert_eq!(
        [0, 12, 999, 1_000, 1_349, 1_234_567].map(grouped),
        ["0", "12", "999", "1,000", "1,349", "1,234,567"]
    );
}
