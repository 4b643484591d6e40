//! Random troubles of plant, nodes, disk and controller; every one begins at some parcel's place, so
//! that a run with fewer parcels still has those that are left.

use line_file::LineFile;
use line_sim::rng::Rng;
use line_sim::scenario::{Entry, Event, ReadFault};

/// Parcels between two troubles, about: far enough apart that most parcels are near none.
const APART: u64 = 30;

/// A class of trouble that can be drawn.
type Draw = fn(&mut Rng, &LineFile) -> Event;

/// Every observable class, by the name that the scenario file gives it.
pub const CLASSES: &[(&str, Draw)] = &[
    ("take_off", |_, _| Event::TakeOff),
    ("put_on", |rng, line| Event::PutOn {
        place_mm: place(rng, line),
        length_mm: u32::try_from(rng.between(150, 500)).unwrap_or(200),
        waybill: None,
    }),
    ("hold", |rng, _| Event::Hold { for_ms: rng.span([50, 1_500]) }),
    ("slip", |rng, _| Event::Slip { by_mm: i32::try_from(rng.between(-300, 200)).unwrap_or(0) }),
    ("touch", |_, _| Event::Touch),
    ("overlap", |rng, _| Event::Overlap {
        by_mm: u32::try_from(rng.between(20, 140)).unwrap_or(50),
    }),
    ("rotate", |_, _| Event::Rotate),
    ("eye_blocked", |rng, line| Event::EyeBlocked { eye: eye(rng, line), for_ms: some(rng) }),
    ("eye_clear", |rng, line| Event::EyeClear { eye: eye(rng, line), for_ms: some(rng) }),
    ("eye_dirty", |rng, line| Event::EyeDirty {
        eye: eye(rng, line),
        by_mm: u32::try_from(rng.between(10, 80)).unwrap_or(30),
        for_ms: some(rng),
    }),
    ("eye_miss", |rng, line| Event::EyeMiss { eye: eye(rng, line) }),
    ("eye_bounce", |rng, line| Event::EyeBounce {
        eye: eye(rng, line),
        pulses: u32::try_from(rng.between(1, 8)).unwrap_or(2),
        in_ms: rng.span([20, 800]),
    }),
    ("hand", |rng, line| Event::Hand {
        chute: chute(rng, line),
        times: u32::try_from(rng.between(2, 5)).unwrap_or(3),
        in_ms: rng.span([500, 5_000]),
    }),
    ("reader_dead", |rng, line| Event::ReaderDead {
        scanner: scanner(rng, line),
        for_ms: some(rng),
    }),
    ("read_none", |rng, line| read(rng, line, ReadFault::None)),
    ("read_silent", |rng, line| read(rng, line, ReadFault::Silent)),
    ("read_late", |rng, line| read(rng, line, ReadFault::Late)),
    ("read_several", |rng, line| read(rng, line, ReadFault::Several)),
    ("scale_dead", |rng, _| Event::ScaleDead { for_ms: some(rng) }),
    ("no_turn", |rng, line| Event::NoTurn { diverter: bed(rng, line), for_ms: maybe(rng) }),
    ("no_return", |rng, line| Event::NoReturn { diverter: bed(rng, line), for_ms: maybe(rng) }),
    ("wheels_stopped", |rng, line| Event::WheelsStopped {
        diverter: bed(rng, line),
        for_ms: some(rng),
    }),
    ("slow_switch", |rng, line| Event::SlowSwitch {
        diverter: bed(rng, line),
        switch_ms: u32::try_from(rng.between(250, 500)).unwrap_or(350),
        for_ms: some(rng),
    }),
    ("not_gripped", |_, _| Event::NotGripped),
    ("skew_jam", |_, _| Event::SkewJam),
    ("drag", |_, _| Event::Drag),
    ("feedback_lies", |rng, line| Event::FeedbackLies {
        diverter: bed(rng, line),
        for_ms: some(rng),
    }),
    ("encoder_stall", |rng, line| Event::EncoderStall {
        encoder: line.encoder[rng.index(line.encoder.len())].name.clone(),
        for_ms: rng.span([200, 3_000]),
    }),
    ("counter_stall", |rng, line| Event::CounterStall {
        node: bed_node(rng, line),
        for_ms: rng.span([100, 3_000]),
    }),
    ("drive_trip", |rng, line| Event::DriveTrip {
        zone: line.zone[rng.index(line.zone.len())].name.clone(),
        for_ms: Some(rng.span([1_000, 8_000])),
    }),
    ("node_reboot", |rng, line| Event::NodeReboot {
        node: line.node[rng.index(line.node.len())].name.clone(),
        off_ms: rng.span([20, 4_000]),
    }),
    ("bus_faults", |rng, line| Event::BusFaults {
        bus: line.bus[rng.index(line.bus.len())].name.clone(),
        faults: ["lost=200000", "corrupt=100000", "late=100000,very_late=20000"][rng.index(3)]
            .to_owned(),
        for_ms: rng.span([500, 6_000]),
    }),
    ("estop", |rng, _| Event::Estop { contact: 1 + rng.index(2) }),
    ("chute_full", |rng, line| Event::ChuteFull { chute: chute(rng, line), for_ms: some(rng) }),
    ("chute_button", |rng, line| Event::ChuteButton {
        chute: chute(rng, line),
        for_ms: rng.span([200, 600]),
    }),
    ("bag_change", |rng, line| Event::BagChange { chute: chute(rng, line) }),
    ("end_full", |rng, _| Event::EndFull { for_ms: some(rng) }),
    ("disk_stall", |rng, _| Event::DiskStall { for_ms: rng.span([100, 8_000]) }),
    ("controller_kill", |_, _| Event::ControllerKill),
];

/// A scanner of the line: the tunnel's where there is no other.
fn scanner(rng: &mut Rng, line: &LineFile) -> usize {
    if line.rescanner.is_empty() { 0 } else { rng.index(1 + line.rescanner.len()) }
}

/// What one of the readers makes of a parcel; a wrong code is seen at a re-scanner, where the
/// tunnel's is known.
fn read(rng: &mut Rng, line: &LineFile, result: ReadFault) -> Event {
    let scanner = scanner(rng, line);
    let wrong = scanner > 0 && rng.chance(600_000);
    Event::Read { scanner, result: if wrong { ReadFault::Wrong } else { result } }
}

fn some(rng: &mut Rng) -> Option<u64> {
    Some(rng.span([300, 6_000]))
}

fn maybe(rng: &mut Rng) -> Option<u64> {
    if rng.chance(500_000) { some(rng) } else { None }
}

fn bed(rng: &mut Rng, line: &LineFile) -> String {
    line.diverter[rng.index(line.diverter.len())].name.clone()
}

fn bed_node(rng: &mut Rng, line: &LineFile) -> String {
    line.diverter[rng.index(line.diverter.len())].node.clone()
}

fn chute(rng: &mut Rng, line: &LineFile) -> u16 {
    line.chute[rng.index(line.chute.len())].number
}

fn place(rng: &mut Rng, line: &LineFile) -> i32 {
    i32::try_from(rng.between(300, i64::from(line.end.drop_at_mm) - 100)).unwrap_or(1_000)
}

/// An eye on the sorter belt.
fn eye(rng: &mut Rng, line: &LineFile) -> String {
    let names = line.eye.iter().map(|eye| &eye.name);
    let arrivals = line.diverter.iter().map(|bed| &bed.name);
    let all: Vec<&String> = names.chain(arrivals).collect();
    let at = rng.index(all.len() + 1);
    all.get(at).map_or("end".to_owned(), |name| (*name).clone())
}

/// Draws troubles for a run with this many parcels: some of the classes, each equally often.
pub fn draw(rng: &mut Rng, line: &LineFile, parcels: u64) -> Vec<Entry> {
    let mut classes: Vec<&(&str, Draw)> = CLASSES.iter().collect();
    rng.shuffle(&mut classes);
    classes.truncate(3 + rng.index(8));
    let count = (parcels / APART).max(1);
    (0..count)
        .map(|number| {
            let (_, event) = classes[rng.index(classes.len())];
            let parcel = number * APART + 8 + rng.below(APART - 10);
            let event = event(rng, line);
            // What a reader makes of a parcel is settled before the parcel is read.
            let at_mm = match event {
                Event::Read { .. } => 50,
                _ => place(rng, line),
            };
            Entry::on(parcel.min(parcels - 1), at_mm, event)
        })
        .collect()
}

/// The name of an event's class; what a reader makes of a parcel is a class each.
pub fn class(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    let word = |key: &str| value[key].as_str().map(ToOwned::to_owned);
    let name = word("do").unwrap_or_default();
    match word("result") {
        Some(result) => format!("{name}_{result}"),
        None => name,
    }
}
