//! What a line file may not say, and what follows from one that is right.

use super::check;
use crate::config::fault::Faults;
use line_model::ids::{ChuteNo, DiverterId, EyeId, Side};
use line_model::layout::{ChuteRole, Duty, LineEnd};
use line_model::signal::Contact;
use node_link::InputRole;
use proptest::prelude::*;
use units::repeat::repeatable;
use units::{Distance, Micros};

const DEMO: &str = include_str!("../../../examples/factory-line.toml");
const FAST: &str = include_str!("../../../examples/factory-line-fast.toml");
const RESCAN: &str = include_str!("../../../examples/rescan-line.toml");
const LOOP: &str = include_str!("../../../examples/loop-line.toml");

/// The demo line with the first occurrence of each text replaced.
fn with(changes: &[(&str, &str)]) -> String {
    let mut text = DEMO.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "the example lost {old:?}");
        text = text.replacen(old, new, 1);
    }
    text
}

fn faults(text: &str) -> Faults {
    check("line.toml", text).expect_err("the file has faults")
}

/// The keys of all faults, in order of the text.
fn keys(text: &str) -> Vec<String> {
    faults(text).list.into_iter().map(|fault| fault.key).collect()
}

/// The changes give exactly these faults, in order of the text.
fn just(changes: &[(&str, &str)], keys: &[&str]) {
    let found = faults(&with(changes));
    let told: Vec<&str> = found.list.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(told, keys, "{changes:?}\n{found}");
}

/// The changes give no fault.
fn none(changes: &[(&str, &str)]) {
    if let Err(found) = check("line.toml", with(changes)) {
        panic!("{changes:?}\n{found}");
    }
}

/// The changes give exactly one fault, at this key.
fn one(changes: &[(&str, &str)], key: &str) {
    just(changes, &[key]);
}

#[test]
fn emergency_stops_have_names_of_their_own_and_stop_every_zone() {
    just(&[("contact = 2\n", "contact = 1\n")], &["estop[1].contact"]);
    let all = "zones = [\"Z1\", \"Z2\", \"Z3\"]";
    one(&[(all, "zones = [\"Z1\", \"Z9\"]")], "estop[0].zones[1]");
    let infeed = "zones = [\"Z1\", \"Z2\"]";
    one(&[(all, infeed), (all, infeed)], "zone[2].name");
    none(&[(all, infeed)]);
}

#[test]
fn examples_are_clean() {
    for (name, text) in [
        ("factory-line.toml", DEMO),
        ("factory-line-fast.toml", FAST),
        ("rescan-line.toml", RESCAN),
        ("loop-line.toml", LOOP),
    ] {
        if let Err(faults) = check(name, text) {
            panic!("{faults}");
        }
    }
}

#[test]
fn a_return_has_its_laps_and_its_time_and_a_place_for_exceptions() {
    let line = check("loop.toml", LOOP).expect("clean");
    let transit = Micros::from_secs(25);
    assert_eq!(line.engine.layout.end, LineEnd::Return { laps_max: 3, transit });
    assert_eq!(line.geometric_limit_per_hour(), 3_486);
    let end = "drop_at_mm = 14600";
    one(&[(end, "drop_at_mm = 14600\nlaps_max = 3")], "end.laps_max");
    one(&[(end, "drop_at_mm = 14600\nkind = \"return\"\nlaps_max = 3")], "end.return_ms");
    one(&[(end, "drop_at_mm = 14600\nkind = \"loop\"")], "end.kind");
    let round = "drop_at_mm = 14600\nkind = \"return\"\nlaps_max = 21\nreturn_ms = 25000";
    let found = faults(&with(&[(end, round)]));
    assert_eq!(found.list[0].key, "end.laps_max");
    assert_eq!(found.list[0].allowed, "an integer, 1 to 20");
}

#[test]
fn a_small_line_with_a_return_needs_a_chute_for_exceptions_too() {
    let small = |roles: [&str; 2]| {
        let (head, rest) = LOOP.split_once("[[diverter]]").expect("diverters");
        let (first, _) = rest.split_once("[[diverter]]").expect("several");
        let (_, tail) = rest.split_once("[end]").expect("an end");
        let chute =
            |(n, role): (usize, &str)| format!("[[chute]]\nnumber = {n}\nrole = \"{role}\"\n\n");
        let chutes: String = (1..).zip(roles).map(chute).collect();
        let mut nodes = head.to_owned();
        for bed in 2..=6 {
            let node = format!("[[node]]\nname = \"D{bed}\"\n");
            let from = nodes.find(&node).expect("a node");
            let end = nodes[from + 2..].find("[[").expect("another one") + from + 2;
            nodes.replace_range(from..end, "");
        }
        let text = format!("{nodes}[[diverter]]{first}{chutes}[end]{tail}");
        text.replace("14300", "6300").replace("14600", "6600")
    };
    if let Err(found) = check("small.toml", small(["sort", "general_exceptions"])) {
        panic!("{found}");
    }
    assert_eq!(keys(&small(["sort", "sort"])), ["chute"]);
}

#[test]
fn geometry_of_the_demo_line() {
    let line = check("line.toml", DEMO).expect("clean");
    let layout = &line.engine.layout;
    assert_eq!(layout.speed.0, 1_200);
    assert_eq!((layout.eyes.len(), layout.diverters.len(), layout.chutes.len()), (9, 6, 12));
    let first = &layout.diverters[0];
    assert_eq!((first.eye, first.eye_to_bed, first.bed), (EyeId(2), Distance(450), Distance(350)));
    // 450 - 1.2 x 240 - 60; needs 350 + 240 + 60 and 120 more; lands 0.25 to 1.8 s after the bed.
    assert_eq!(first.delay, Distance(102));
    assert_eq!((first.gap_before, first.gap_after), (Distance(650), Distance(770)));
    assert_eq!((first.landing_from, first.landing_to), (Distance(648), Distance(2_508)));
    // 770 + 2.2 x 60.
    assert_eq!(layout.limits.gap_target, Distance(902));
    assert_eq!(layout.eyes[2].at, Distance(4_450));
    // One bed behind: 350 mm of bed pass in 319 counts (318.18 rounded against the saving).
    assert_eq!(layout.eyes[3].at, Distance(6_050 - 32));
    assert_eq!(layout.eyes[8].at, Distance(14_300 - 6 * 32));
    let chute = layout.chute(ChuteNo(12)).expect("chute 12");
    assert_eq!((chute.diverter, chute.side), (DiverterId(5), Side::Right));
    assert_eq!(chute.role, ChuteRole::Quarantine);
    assert_eq!(layout.nodes[3].duty, Duty::Diverter(DiverterId(0)));
    assert_eq!(layout.limits.lease, Micros::from_secs(3));
    assert_eq!(line.geometric_limit_per_hour(), 3_486);
    let fast = check("fast.toml", FAST).expect("clean");
    assert_eq!(fast.geometric_limit_per_hour(), 4_679);
}

#[test]
fn stations_of_the_demo_line() {
    let line = check("line.toml", DEMO).expect("clean");
    let [field, scanner, dws] = &line.engine.buses[..] else { panic!("three buses") };
    assert_eq!((field.serial, field.baud, field.poll_min), (true, 115_200, Micros::ZERO));
    assert_eq!((scanner.serial, scanner.baud), (false, 0));
    assert_eq!(scanner.poll_min, Micros::from_millis(20));
    assert_eq!((field.stations.len(), scanner.stations.len(), dws.stations.len()), (10, 1, 1));
    for bus in &line.engine.buses {
        for station in &bus.stations {
            let settings = station.kind.settings();
            assert_eq!(station.settings.len(), settings.len());
            for (value, setting) in station.settings.iter().zip(settings) {
                assert!((setting.min..=setting.max).contains(value), "{}", setting.name);
            }
            assert_eq!(station.inputs.len(), station.kind.inputs().len());
        }
    }
    let mains: Vec<bool> = field.stations.iter().map(|station| station.main_encoder).collect();
    assert_eq!(mains, [false, false, true, true, true, true, true, true, true, true]);
    // Z2: pass lead (130 + 161) / 3 - 1,200 x 0.025, start lead 27 less: 1.2 x 0.9 / 8 / 5 m.
    assert_eq!(field.stations[1].settings, [3_000, 25, 2, 69, 42]);
    assert_eq!(field.stations[2].inputs[1], InputRole::Eye(EyeId(0)));
    assert_eq!(field.stations[2].inputs[2], InputRole::Eye(EyeId(1)));
    assert_eq!(field.stations[3].inputs[0], InputRole::Eye(EyeId(2)));
    assert_eq!(field.stations[3].inputs[2], InputRole::Landing(ChuteNo(2)));
    assert_eq!(field.stations[9].inputs[0], InputRole::Contact(Contact::Estop(1)));
    assert_eq!(field.stations[9].inputs[5], InputRole::Eye(EyeId(8)));
    assert_eq!(field.stations[9].inputs[6], InputRole::Contact(Contact::EndFull));
    assert!(field.stations[3].horizon_lag >= Distance(30));
}

#[test]
fn five_different_faults_are_all_told() {
    let text = with(&[
        // A unit that exists twice, a node that does not exist, a value out of range, a misspelt
        // key, an eye behind its bed.
        ("unit = 12", "unit = 11"),
        ("node = \"D3\"", "node = \"D33\""),
        ("in_flight_max = 40 ", "in_flight_max = 4000"),
        ("margin_mm", "margin"),
        ("eye_at_mm = 12450", "eye_at_mm = 12950"),
    ]);
    let found = faults(&text);
    let expected = [
        // D3 is nobody's now, but that follows from the second fault.
        ("node[4].unit", "1 to 247, each once on a bus"),
        ("diverter[2].node", "D1, D2, D3, D4, D5, D6, Z1, Z2, Z3, dws, panel, scanner"),
        ("diverter[5].bed_from_mm", "more than 12950"),
        ("tracking.in_flight_max", "an integer, 1 to 200"),
        ("gap.margin", "sigma_mm, margin_mm, mean_length_mm, shortest_length_mm, divert_settle_ms"),
    ];
    for (key, allowed) in expected {
        let fault = found.list.iter().find(|fault| fault.key == key);
        let fault = fault.unwrap_or_else(|| panic!("no fault at {key}:\n{found}"));
        assert_eq!(fault.allowed, allowed, "{key}");
        let line = text.lines().nth(fault.place.line - 1).expect("a line of the file");
        let (_, leaf) = key.rsplit_once('.').expect("a path");
        assert!(line.contains(leaf), "{key} points at {line:?}");
    }
    assert_eq!(found.to_json().as_array().map(Vec::len), Some(found.list.len()));
    let first = &found.to_json()[0];
    assert_eq!(first["file"], "line.toml");
    assert!(first["line"].as_u64() > Some(1) && first["column"].as_u64() > Some(1));
}

#[test]
fn each_rule_of_names_is_kept() {
    one(
        &[
            ("name = \"gapping\"\n", "name = \"infeed\"\n"),
            ("encoder = \"gapping\"", "encoder = \"infeed\""),
        ],
        "encoder[1].name",
    );
    one(&[("bus = \"dws\"", "bus = \"dvs\"")], "node[11].bus");
    one(&[("encoder = \"gapping\"", "encoder = \"gap\"")], "node[1].encoder");
    one(&[("encoder = \"gapping\"", "encoder = \"sorter\"")], "node[1].encoder");
    one(&[("[scanner]\nnode = \"scanner\"", "[scanner]\nnode = \"dws\"")], "scanner.node");
    one(&[("node = \"panel\"  # its", "node = \"Z1\"  # its")], "panel.node");
    one(&[("input = \"eye_b\"", "input = \"eye_a\"")], "eye[1].input");
    one(&[("wired_ready_from = \"Z2\"", "wired_ready_from = \"Z3\"")], "zone[0].wired_ready_from");
}

#[test]
fn each_rule_of_chutes_is_kept() {
    one(&[("role = \"quarantine\"", "role = \"sort\"")], "chute");
    one(&[("number = 4\nrole = \"sort\"", "number = 4\nrole = \"quarantine\"")], "chute[11].role");
    just(
        &[("right = 4", "right = 3"), ("number = 4\n", "number = 3\n")],
        &["diverter[1].right", "chute[3].number"],
    );
    one(&[("right = 2 ", "# right")], "chute[1].number");
    just(&[("left = 3\n", "left = 13\n")], &["diverter[1].left", "chute[2].number"]);
}

#[test]
fn each_rule_of_buses_is_kept() {
    one(&[("port = \"/dev/ttyUSB0\"", "")], "bus[0].port");
    just(
        &[("baud = 115200", "baud = 9600")],
        &["bus[0].baud", "bus[0].answer_timeout_ms", "timing.arm_lead_ms", "timing.lease_ms"],
    );
    one(&[("address = \"127.0.0.1:5021\"", "address = \"127.0.0.1\"")], "bus[1].address");
    one(&[("127.0.0.1:5022", "127.0.0.1:5021")], "bus[2].address");
    one(&[("kind = \"tcp\"", "kind = \"tcp\"\nbaud = 9600")], "bus[1].baud");
    one(&[("answer_timeout_ms = 50", "answer_timeout_ms = 10")], "bus[0].answer_timeout_ms");
    one(&[("lease_ms = 3000", "lease_ms = 1000")], "timing.lease_ms");
    one(&[("debounce_ms = 25 ", "debounce_ms = 25\nlease_ms = 900")], "node[0].lease_ms");
    one(&[("unit = 13", "unit = 248")], "node[5].unit");
    one(&[("bind = \"127.0.0.1:8080\"", "bind = \"localhost\"")], "hmi.bind");
    one(&[("\"::1\"", "\"panel\"")], "hmi.panel_addresses[1]");
}

#[test]
fn each_rule_of_geometry_is_kept() {
    one(&[("to_mm = -1000", "to_mm = -900")], "zone[1].from_mm");
    one(&[("drop_at_mm = 14600", "drop_at_mm = 14500")], "end.drop_at_mm");
    one(&[("exit_eye_mm = -130", "exit_eye_mm = -100")], "zone[1].exit_eye_mm");
    one(&[("mode = \"transport\"", "mode = \"accumulate\"\nexit_eye_mm = 12000")], "zone[2].mode");
    one(&[("ramp_ms = 3000", "ramp_ms = 2000")], "timing.ramp_ms");
    one(&[("at_mm = 900 ", "at_mm = 1600 ")], "eye[1].at_mm");
    one(&[("eye_at_mm = 4450", "eye_at_mm = 4600")], "diverter[0].eye_at_mm");
    one(&[("switch_ms = 200 ", "switch_ms = 300 ")], "diverter[0].eye_at_mm");
    one(&[("route_ms = 800", "route_ms = 3000")], "diverter[0].eye_at_mm");
    one(&[("late_permille = 60", "late_permille = 300")], "tracking");
    one(&[("in_flight_max = 40", "in_flight_max = 10")], "tracking.in_flight_max");
    one(&[("mean_length_mm = 337", "mean_length_mm = 800")], "gap.mean_length_mm");
    one(
        &[("speed_mm_s = 600", "speed_mm_s = 950"), ("accel_mm_s2 = 2000", "accel_mm_s2 = 9000")],
        "zone[1].speed_mm_s",
    );
}

#[test]
fn a_stopped_parcel_covers_its_exit_eye_and_stays_on_its_zone() {
    // 0.9 m/s: 81 mm of ramp and 22 mm of debounce, then 20 mm of parcel over the eye.
    let shortest = |mm: u32| format!("shortest_length_mm = {mm} ");
    for (mm, right) in [(122, false), (123, true), (337, true), (338, false)] {
        let changes = [("shortest_length_mm = 150 ", shortest(mm))];
        let changes = changes.each_ref().map(|(old, new)| (*old, new.as_str()));
        if right {
            none(&changes);
        } else {
            one(&changes, "gap.shortest_length_mm");
        }
    }
    let zone = "speed_mm_s = 900\naccel_mm_s2 = 5000";
    // Slower to stop: 135 + 22 mm are more than the eye's 130 mm, and than the parcel.
    just(
        &[(zone, "speed_mm_s = 900\naccel_mm_s2 = 3000")],
        &["zone[1].exit_eye_mm", "gap.shortest_length_mm"],
    );
    // The eye moved up answers the first of them only.
    one(
        &[
            (zone, "speed_mm_s = 900\naccel_mm_s2 = 3000"),
            ("exit_eye_mm = -130", "exit_eye_mm = -200"),
        ],
        "gap.shortest_length_mm",
    );
    // Debouncing counts: 54 mm at 60 ms.
    let node = "encoder = \"gapping\"\ndebounce_ms = 25";
    one(
        &[
            (node, "encoder = \"gapping\"\ndebounce_ms = 60"),
            ("exit_eye_mm = -130", "exit_eye_mm = -200"),
        ],
        "gap.shortest_length_mm",
    );
    // An accumulating zone may let a parcel coast past its eye: 600 mm/s on a slow ramp: 165 mm.
    let slow = [("accel_mm_s2 = 2000", "accel_mm_s2 = 1200"), ("= -1130 ", "= -1200 ")];
    none(&slow);
}

#[test]
fn shapes_are_told_once_and_with_a_hint() {
    let found = faults(&with(&[("switch_ms = 200 ", "switch_msec = 200 ")]));
    assert_eq!(found.list.len(), 1, "{found}");
    assert!(found.list[0].message.contains("did you mean `switch_ms`"), "{found}");
    one(&[("simulated = true", "simulated = \"yes\"")], "line.simulated");
    one(
        &[("counts_per_metre = 1000 ", "counts_per_metre = 1000.5 ")],
        "encoder[0].counts_per_metre",
    );
    one(&[("owner = 1001", "owner = 0")], "line.owner");
    one(&[("mode = \"gapping\"", "mode = \"gaping\"")], "zone[1].mode");
    one(&[("margin_mm = 60 ", "")], "gap.margin_mm");
    one(&[("[gap]", "[gape]")], "gape");
}

#[test]
fn an_empty_file_names_every_table() {
    let found = keys("");
    for key in ["line", "encoder", "bus", "node", "zone", "scanner", "diverter", "chute", "hmi"] {
        assert!(found.iter().any(|fault| fault == key), "{key} in {found:?}");
    }
}

#[test]
fn a_syntax_error_has_its_place() {
    let found = faults(&with(&[("unit = 13", "unit = = 13")]));
    assert_eq!(found.list.len(), 1);
    let line = DEMO.lines().position(|line| line == "unit = 13").expect("there") + 1;
    assert_eq!(found.list[0].place.line, line);
    assert!(found.list[0].place.column > 5);
    let twice = faults(&with(&[("unit = 13", "unit = 13\nunit = 14")]));
    assert_eq!(twice.list[0].place.line, line + 1, "{twice}");
}

#[test]
fn faults_are_shown_with_their_lines() {
    let found = faults(&with(&[("unit = 12", "unit = 11")]));
    let shown = found.render(false);
    for part in [
        "error: unit 11 exists twice",
        "line.toml:",
        "unit = 11",
        "first here",
        "allowed: 1 to 247",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    assert!(found.render(true).contains('\u{1b}'));
}

#[test]
fn other_encodings_are_refused_by_line() {
    let found = check("line.toml", b"[line]\nname = \"\xB7\xD6\"\n").expect_err("not UTF-8");
    assert!(found.list[0].message.contains("line 2"), "{found}");
    let mark = [b"\xEF\xBB\xBF".as_slice(), DEMO.as_bytes()].concat();
    assert!(check("line.toml", mark).is_ok());
}

proptest! {
    #![proptest_config(repeatable(256))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(faults) = check("x", &bytes) {
            prop_assert!(!faults.render(true).is_empty());
        }
    }

    /// The example with a piece cut out or doubled anywhere, and any number in place of another.
    #[test]
    fn mangled_examples_are_survived(from in 0..DEMO.len(), length in 0..200usize, number in any::<i64>()) {
        let cut: String = DEMO.chars().enumerate()
            .filter(|(at, _)| !(from..from + length).contains(at)).map(|(_, c)| c).collect();
        if let Err(faults) = check("x", &cut) {
            prop_assert!(!faults.render(false).is_empty());
        }
        let lines: Vec<&str> = DEMO.lines().collect();
        let at = from % lines.len();
        let changed: Vec<String> = lines.iter().enumerate().map(|(n, line)| {
            match line.split_once(" = ") {
                Some((key, _)) if n == at => format!("{key} = {number}"),
                Some(_) | None => (*line).to_owned(),
            }
        }).collect();
        if let Err(faults) = check("x", changed.join("\n")) {
            prop_assert!(!faults.render(false).is_empty());
        }
    }
}

#[test]
fn a_re_scanner_stands_between_a_bed_and_an_eye_and_sorts_or_checks() {
    let line = check("rescan-line.toml", RESCAN).expect("right");
    let layout = &line.engine.layout;
    let [place] = layout.rescanners[..] else { panic!("one") };
    // Behind two beds that are 1.1 times as fast as the belt.
    assert_eq!(place.at, Distance(7_200 - 64));
    let node = &layout.nodes[usize::from(place.node.0)];
    assert_eq!((node.name.as_str(), node.duty), ("rescanner", Duty::Optional));
    let stations = line.engine.buses.iter().flat_map(|bus| &bus.stations);
    let scanners: Vec<u8> = stations.map(|station| station.scanner.0).collect();
    assert_eq!(scanners.iter().filter(|scanner| **scanner == 1).count(), 1);
    let of = |at_mm: &str| {
        let text = RESCAN.replacen("at_mm = 7200 ", &format!("at_mm = {at_mm} "), 1);
        check("rescan-line.toml", &text).map(|line| line.polls.rescans[0].first.clone())
    };
    for (at_mm, first) in [("7200", "D5"), ("1501", "D2"), ("8600", "D6")] {
        assert_eq!(of(at_mm).expect("right").as_deref(), Some(first), "{at_mm}");
    }
    for at_mm in ["11800", "13500"] {
        assert_eq!(of(at_mm).expect("right"), None, "{at_mm} only checks");
    }
    // On an eye, under a bed, between an eye and its bed, in the tunnel; too late for the last one.
    for at_mm in ["7650", "6700", "7700", "900", "10100"] {
        let found = of(at_mm).expect_err(at_mm);
        let told: Vec<&str> = found.list.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(told, ["rescanner[0].at_mm"], "{found}");
        let range = if at_mm == "10100" { "at most 10020" } else { "1501 to 4449, 5251 to 6049" };
        assert!(found.list[0].allowed.contains(range), "{found}");
    }
}
