//! Random lines: geometry, speeds, zones, buses and plant truth from one stream.
//!
//! Draws near the limits on purpose, so that the product's own check refuses some; those are drawn
//! anew and counted. Keys that are not drawn are those of the demo line.

use line_file::LineFile;
use line_sim::rng::Rng;
use std::fmt::Write as _;

/// A drawn line, not checked yet.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Line file.
    pub line: String,
    /// Plant file.
    pub plant: String,
    /// Numbers of the chutes that a plan may use.
    pub sorting: Vec<u16>,
}

const LINE: &str = include_str!("../../../controller/examples/factory-line.toml");
const PLANT: &str = include_str!("../../../sim/plants/factory-line.plant.toml");

/// Longest parcel and longest answers of the demo line, which the decision point follows from.
const LENGTH_MAX_MM: i64 = 750;
/// Of every hundred lines, this many have up to 12, 24 and 64 chutes: big lines cost the most.
const SIZES: [(u64, i64, i64); 3] = [(75, 3, 12), (93, 13, 24), (100, 25, 64)];

struct Zone {
    from: i64,
    to: i64,
    speed: i64,
    accel: i64,
    mode: &'static str,
    exit_eye: Option<i64>,
}

struct Bed {
    eye: i64,
    from: i64,
    length: i64,
    switch_ms: i64,
    sides: [Option<u16>; 2],
}

/// Where everything is, in mm.
struct Geometry {
    zones: Vec<Zone>,
    beds: Vec<Bed>,
    scanner: i64,
    dws: Option<i64>,
    tunnel_exit: i64,
    end_eye: i64,
    drop: i64,
    debounce_ms: i64,
    counts_per_metre: i64,
    route_ms: i64,
    arm_lead_ms: i64,
    read_wait_ms: i64,
    speed: i64,
}

/// Draws a line.
///
/// # Panics
/// When the demo line's own files are no TOML.
pub fn draw(rng: &mut Rng) -> Drawn {
    let (chutes, roles) = chutes(rng);
    let geometry = geometry(rng, &chutes);
    let sorting: Vec<u16> =
        roles.iter().filter(|(_, role)| *role == "sort").map(|(number, _)| *number).collect();
    let (buses, placed) = buses(rng, &geometry);
    let mut text = buses;
    for (name, kind, bus, unit, encoder) in &placed {
        let debounce = geometry.debounce_ms;
        writeln!(
            text,
            "[[node]]\nname = \"{name}\"\nkind = \"{kind}\"\nbus = \"{bus}\"\nunit = {unit}\n\
             encoder = \"{encoder}\"\ndebounce_ms = {debounce}"
        )
        .expect("a string takes everything");
    }
    for (number, role) in &roles {
        writeln!(text, "[[chute]]\nnumber = {number}\nrole = \"{role}\"").expect("as above");
    }
    text.push_str(&places(&geometry));
    let zones: Vec<String> = (0..=geometry.zones.len()).map(|n| format!("Z{}", n + 1)).collect();
    writeln!(text, "[[estop]]\ncontact = 1\nname = \"panel button\"\nzones = {zones:?}")
        .expect("as above");
    let plant = plant(rng, &geometry);
    let base = match geometry.dws {
        Some(_) => LINE.to_owned(),
        None => without_scale(LINE),
    };
    Drawn { line: over(&base, &text), plant: observable(&over(PLANT, &plant)), sorting }
}

/// The demo line without its scale.
fn without_scale(line: &str) -> String {
    let mut line: toml::Table = line.parse().expect("shipped");
    line.remove("dws");
    toml::to_string(&line).expect("TOML again")
}

/// The plant without what no sensor can tell: reads that are well-formed and wrong.
fn observable(plant: &str) -> String {
    let mut plant: toml::Table = plant.parse().expect("drawn");
    let profiles = plant.get_mut("profile").and_then(toml::Value::as_table_mut).expect("shipped");
    for (_, profile) in profiles {
        let profile = profile.as_table_mut().expect("shipped");
        profile.insert("wrong_read_ppm".to_owned(), toml::Value::Integer(0));
    }
    toml::to_string(&plant).expect("TOML again")
}

/// Of a million lines with room for one, this many get a re-scanner.
const RESCANNERS_PPM: u32 = 300_000;

/// The same line with a re-scanner behind one of its beds, now and then; behind it are two more.
///
/// # Panics
/// When the line is no TOML.
pub fn with_rescanner(rng: &mut Rng, line: &LineFile, text: &str) -> Option<String> {
    let beds = line.diverter.len().checked_sub(2)?;
    if beds == 0 || !rng.chance(RESCANNERS_PPM) {
        return None;
    }
    let bed = rng.index(beds);
    let (here, next) = (&line.diverter[bed], &line.diverter[bed + 1]);
    let from = i64::from(here.bed_from_mm) + i64::from(here.bed_length_mm);
    let at = rng.between(from + 1, i64::from(next.eye_at_mm) - 1);
    let wait = line.scanner.read_wait_ms;
    let encoder = line.node.iter().find(|node| node.name == line.scanner.node)?;
    let (encoder, debounce) = (&encoder.encoder, encoder.debounce_ms);
    let own = format!(
        "[[bus]]\nname = \"net-rescanner\"\nkind = \"tcp\"\naddress = \"127.0.0.1:5099\"\n\
         answer_timeout_ms = 200\nturnaround_ms = 10\n\
         [[node]]\nname = \"rescanner\"\nkind = \"scanner\"\nbus = \"net-rescanner\"\nunit = 1\n\
         encoder = \"{encoder}\"\ndebounce_ms = {debounce}\n\
         [[rescanner]]\nnode = \"rescanner\"\nat_mm = {at}\nread_wait_ms = {wait}\n"
    );
    let mut table: toml::Table = text.parse().expect("drawn");
    let own: toml::Table = own.parse().expect("as drawn");
    for (key, value) in own {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Array(old)), toml::Value::Array(new)) => old.extend(new),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
    toml::to_string(&table).ok()
}

/// The tables of `base` with those of `own` in their stead.
fn over(base: &str, own: &str) -> String {
    let mut table: toml::Table = base.parse().expect("shipped");
    let own: toml::Table = own.parse().unwrap_or_else(|why| panic!("drawn: {why}\n{own}"));
    for (key, value) in own {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => old.extend(new),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
    toml::to_string(&table).expect("TOML again")
}

/// Chutes by diverter and side.
type Beds = Vec<[Option<u16>; 2]>;

/// Chutes by diverter and side, and the role of each.
fn chutes(rng: &mut Rng) -> (Beds, Vec<(u16, &'static str)>) {
    let of = rng.below(100);
    let size = SIZES.iter().find(|(up_to, ..)| of < *up_to).unwrap_or(&SIZES[0]);
    let count = rng.between(size.1, size.2);
    let (mut beds, mut numbers) = (Vec::new(), Vec::new());
    let mut next = 1u16;
    let mut left = count;
    while left > 0 {
        let both = left > 1 && rng.chance(850_000);
        let one = [Some(next), None];
        let sides = match (both, rng.chance(500_000)) {
            (true, _) => [Some(next), Some(next + 1)],
            (false, true) => one,
            (false, false) => [None, Some(next)],
        };
        // At most 32 diverters fit into a line file.
        let sides = if beds.len() >= 31 || count - i64::from(next) + 1 > 2 * (31 - count_of(&beds))
        {
            [Some(next), (left > 1).then_some(next + 1)]
        } else {
            sides
        };
        let used = sides.iter().flatten().count();
        numbers.extend(sides.iter().flatten());
        next += u16::try_from(used).expect("two");
        left -= i64::try_from(used).expect("two");
        beds.push(sides);
    }
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    rng.shuffle(&mut order);
    let role = |at: usize| match order.iter().position(|place| *place == at) {
        Some(0) => "general_exceptions",
        Some(1) => "quarantine",
        _ => "sort",
    };
    let roles = numbers.iter().enumerate().map(|(at, number)| (*number, role(at))).collect();
    (beds, roles)
}

fn count_of<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).expect("few")
}

fn geometry(rng: &mut Rng, chutes: &[[Option<u16>; 2]]) -> Geometry {
    let speed = rng.between(60, 200) * 10;
    let debounce_ms = rng.between(10, 30);
    let way = |ms: i64| speed * ms / 1_000;
    let zones = zones(rng, speed, debounce_ms);
    let scanner = rng.between(600, 1_300);
    let dws = rng.chance(700_000).then(|| rng.between(200, scanner - 200));
    let tunnel_exit = scanner + rng.between(300, 900);
    let (route_ms, arm_lead_ms) = (rng.between(200, 800), rng.between(250, 450));
    let read_wait_ms = rng.between(280, 330);
    let decided = scanner + LENGTH_MAX_MM + way(route_ms + arm_lead_ms + read_wait_ms);
    let mut eye = decided.max(tunnel_exit + 200) + rng.between(0, 900);
    let mut beds: Vec<Bed> = Vec::new();
    for sides in chutes {
        let (length, switch_ms) = (rng.between(200, 500), rng.between(100, 250));
        if let Some(last) = beds.last() {
            eye = last.from + last.length + rng.between(150, 700);
        }
        let from = eye + way(switch_ms) * 120 / 100 + 60 + way(debounce_ms) + rng.between(2, 150);
        beds.push(Bed { eye, from, length, switch_ms, sides: *sides });
    }
    let last = beds.last().map_or(0, |bed| bed.from + bed.length);
    let end_eye = last + rng.between(700, 1_600);
    let drop = end_eye + rng.between(200, 500);
    Geometry {
        zones,
        beds,
        scanner,
        dws,
        tunnel_exit,
        end_eye,
        drop,
        debounce_ms,
        counts_per_metre: [500, 1_000, 1_000, 1_000, 2_000, 1_250][rng.index(6)],
        route_ms,
        arm_lead_ms,
        read_wait_ms,
        speed,
    }
}

/// Zones ahead of the sorter belt: one to three, the last one a gapping belt that ends at 0.
fn zones(rng: &mut Rng, sorter: i64, debounce_ms: i64) -> Vec<Zone> {
    let mut zones = Vec::new();
    let (mut to, mut speed) = (0, sorter);
    let count = rng.between(1, 3);
    for place in 0..count {
        speed = speed * rng.between(60, 90) / 100;
        let from = to - rng.between(900, 1_600);
        let (mode, accel) = match place {
            0 => ("gapping", (speed * speed / rng.between(120, 180)).clamp(1_000, 20_000)),
            _ => ("accumulate", rng.between(15, 40) * 100),
        };
        let stopping = speed * speed / (2 * accel) + speed * debounce_ms / 1_000;
        // Where a gapping belt ends, a parcel must come to rest ahead of the induction eye.
        let spare = if place == 0 { rng.between(20, 55) } else { rng.between(5, 40) };
        let exit_eye = Some(to - stopping - spare);
        zones.push(Zone { from, to, speed, accel, mode, exit_eye });
        to = from;
    }
    zones.reverse();
    zones
}

type Placed = Vec<(String, &'static str, String, i64, String)>;

/// Buses and the nodes on them: name, kind, bus, unit and encoder.
fn buses(rng: &mut Rng, geometry: &Geometry) -> (String, Placed) {
    let zones = geometry.zones.len();
    let mut nodes: Vec<(String, &str, String)> =
        (0..=zones).map(|n| (format!("Z{}", n + 1), "zone", format!("belt{}", n + 1))).collect();
    let sorter = format!("belt{}", zones + 1);
    let diverters =
        (1..=geometry.beds.len()).map(|n| (format!("D{n}"), "diverter", sorter.clone()));
    nodes.extend(diverters);
    nodes.push(("panel".to_owned(), "panel", sorter.clone()));
    nodes.push(("scanner".to_owned(), "scanner", sorter.clone()));
    if geometry.dws.is_some() {
        nodes.push(("dws".to_owned(), "dws", sorter));
    }
    let mut text = String::new();
    for n in 1..=zones + 1 {
        let counts = geometry.counts_per_metre;
        writeln!(text, "[[encoder]]\nname = \"belt{n}\"\ncounts_per_metre = {counts}")
            .expect("a string takes everything");
    }
    // Share of nodes with a connection of their own; the rest in serial segments.
    let network = [0, 150_000, 500_000, 1_000_000][rng.index(4)];
    let (segment, baud) = (rng.between(4, 14), [115_200, 115_200, 230_400, 460_800][rng.index(4)]);
    let mut placed = Placed::new();
    let (mut serial, mut bus_of_serial) = (0, 0);
    for (at, (name, kind, encoder)) in nodes.into_iter().enumerate() {
        let tunnel = matches!(kind, "scanner" | "dws");
        if rng.chance(network) || (tunnel && rng.chance(700_000)) {
            let port = 5_100 + at;
            writeln!(
                text,
                "[[bus]]\nname = \"net-{name}\"\nkind = \"tcp\"\naddress = \"127.0.0.1:{port}\"\n\
                 answer_timeout_ms = 200\nturnaround_ms = 10"
            )
            .expect("a string takes everything");
            placed.push((name.clone(), kind, format!("net-{name}"), 1, encoder));
            continue;
        }
        if serial % segment == 0 {
            bus_of_serial += 1;
            writeln!(
                text,
                "[[bus]]\nname = \"field{bus_of_serial}\"\nkind = \"rtu\"\n\
                 port = \"/dev/ttyUSB{bus_of_serial}\"\nbaud = {baud}\nparity = \"even\"\n\
                 stop_bits = 1\necho = \"detect\"\nrs485 = \"auto\"\nanswer_timeout_ms = 50\n\
                 turnaround_ms = 3"
            )
            .expect("a string takes everything");
        }
        serial += 1;
        placed.push((name, kind, format!("field{bus_of_serial}"), serial, encoder));
    }
    (text, placed)
}

/// Zones, eyes, tunnel, diverters, end and times.
fn places(geometry: &Geometry) -> String {
    let mut text = String::new();
    let sorter = Zone {
        from: 0,
        to: geometry.drop,
        speed: geometry.speed,
        accel: 500,
        mode: "transport",
        exit_eye: None,
    };
    let zones: Vec<&Zone> = geometry.zones.iter().chain([&sorter]).collect();
    for (n, zone) in zones.iter().enumerate() {
        let Zone { from, to, speed, accel, mode, exit_eye } = zone;
        let name = n + 1;
        write!(
            text,
            "[[zone]]\nname = \"Z{name}\"\nnode = \"Z{name}\"\nfrom_mm = {from}\nto_mm = {to}\n\
             speed_mm_s = {speed}\naccel_mm_s2 = {accel}\nmode = \"{mode}\"\n"
        )
        .expect("a string takes everything");
        if let Some(eye) = exit_eye {
            writeln!(text, "exit_eye_mm = {eye}").expect("as above");
        }
        if *mode == "accumulate" {
            writeln!(text, "wired_ready_from = \"Z{}\"", name + 1).expect("as above");
        }
    }
    let sorter = zones.len();
    let (exit, scanner) = (geometry.tunnel_exit, geometry.scanner);
    let (end, drop) = (geometry.end_eye, geometry.drop);
    write!(
        text,
        "[[eye]]\nname = \"induction\"\nnode = \"Z{sorter}\"\ninput = \"eye_a\"\nat_mm = 0\n\
         [[eye]]\nname = \"tunnel-exit\"\nnode = \"Z{sorter}\"\ninput = \"eye_b\"\nat_mm = {exit}\n\
         [scanner]\nnode = \"scanner\"\nat_mm = {scanner}\nread_wait_ms = {}\n\
         [end]\nnode = \"panel\"\neye_at_mm = {end}\ndrop_at_mm = {drop}\n\
         [tracking]\nin_flight_max = {}\n\
         [timing]\nramp_ms = {}\nroute_ms = {}\narm_lead_ms = {}\nprestart_ms = 2000\n",
        geometry.read_wait_ms,
        // A little more than the belt holds: the nodes' rings must hold what drains unheard.
        (drop / 700 + 4).min(200),
        geometry.speed * 2 + 600,
        geometry.route_ms,
        geometry.arm_lead_ms,
    )
    .expect("a string takes everything");
    if let Some(at) = geometry.dws {
        writeln!(text, "[dws]\nnode = \"dws\"\nat_mm = {at}\nresult_wait_ms = 1500")
            .expect("as above");
    }
    for (n, bed) in geometry.beds.iter().enumerate() {
        let Bed { eye, from, length, switch_ms, sides } = bed;
        let name = n + 1;
        write!(
            text,
            "[[diverter]]\nname = \"D{name}\"\nnode = \"D{name}\"\neye_at_mm = {eye}\n\
             bed_from_mm = {from}\nbed_length_mm = {length}\nwheel_ratio_permille = 1100\n\
             switch_ms = {switch_ms}\n"
        )
        .expect("a string takes everything");
        for (side, number) in ["left", "right"].iter().zip(sides) {
            if let Some(number) = number {
                writeln!(text, "{side} = {number}").expect("as above");
            }
        }
    }
    text
}

/// What is physically true of it.
fn plant(rng: &mut Rng, geometry: &Geometry) -> String {
    let mut text = format!(
        "eye_offset_mm_max = {}\nscale_length_mm = {}\n",
        rng.between(1, 6),
        rng.between(600, 1_000)
    );
    for (n, zone) in geometry.zones.iter().enumerate() {
        let accel = zone.accel;
        write!(
            text,
            "[[belt]]\nzone = \"Z{}\"\naccel_mm_s2 = {accel}\ndecel_mm_s2 = {accel}\n\
             coast_mm = [60, 160]\nstop_slip_mm = [0, 15]\n",
            n + 1
        )
        .expect("a string takes everything");
    }
    write!(
        text,
        "[[belt]]\nzone = \"Z{}\"\naccel_mm_s2 = 500\ndecel_mm_s2 = {}\n\
         coast_mm = [300, 600]\nstop_slip_mm = [20, 60]\n",
        geometry.zones.len() + 1,
        rng.between(900, 1_600)
    )
    .expect("a string takes everything");
    for (n, bed) in geometry.beds.iter().enumerate() {
        write!(
            text,
            "[[bed]]\ndiverter = \"D{}\"\nratio_permille = {}\nswitch_ms = {}\n",
            n + 1,
            rng.between(1_050, 1_150),
            bed.switch_ms * rng.between(95, 105) / 100
        )
        .expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_of_what_is_drawn_passes_the_products_check() {
        let (mut passed, mut sizes) = (0, Vec::new());
        for seed in 0..60 {
            let drawn = draw(&mut Rng::stream(seed, "line"));
            match sortline::config::check("line.toml", &drawn.line) {
                Ok(_) => {
                    passed += 1;
                    sizes.push(drawn.sorting.len() + 2);
                }
                Err(why) => println!("seed {seed}: {why}"),
            }
        }
        sizes.sort_unstable();
        println!("{passed} of 60 pass, chutes {sizes:?}");
        assert!(passed >= 15, "{passed} of 60");
        assert!(sizes.first() < sizes.last(), "{sizes:?}");
    }
}
