//! Scanners behind diverters: where they may stand, and which one a node is.

use super::fault::{Sink, draft};
use super::geometry::{rising, speed_key, way};
use line_file::{Diverter, LineFile, Scanner};
use line_model::ids::ScannerId;

/// The scanner that a node is; the tunnel's for every other node.
pub(super) fn number(file: &LineFile, node: &str) -> ScannerId {
    let found = file.rescanner.iter().position(|place| place.node == node);
    let number = found.and_then(|index| u8::try_from(index + 1).ok());
    ScannerId(number.unwrap_or(0))
}

/// Its table in the file.
pub(super) fn of<'a>(file: &'a LineFile, node: &str) -> &'a Scanner {
    file.rescanner.iter().find(|place| place.node == node).unwrap_or(&file.scanner)
}

/// Stretches of the belt on which a re-scanner may stand: behind the tunnel or a bed, ahead of the
/// next eye.
fn stretches(file: &LineFile) -> Vec<(i64, i64)> {
    let exit = file.eye.get(1).map_or(0, |eye| i64::from(eye.at_mm));
    let beds = file.diverter.iter().map(|d| i64::from(d.bed_from_mm) + i64::from(d.bed_length_mm));
    let eyes = file.diverter.iter().map(|diverter| i64::from(diverter.eye_at_mm));
    let ends = eyes.chain([i64::from(file.end.eye_at_mm)]);
    [exit].into_iter().chain(beds).zip(ends).filter(|(from, to)| to - from > 1).collect()
}

/// What a re-scanner is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescan {
    /// Name of its node.
    pub node: String,
    /// Its trigger eye.
    pub at_mm: i32,
    /// The first diverter that sorts by it, whatever the parcel; `None` = it only checks.
    pub first: Option<String>,
}

/// What each re-scanner is good for, in the order of the file.
pub(super) fn reach(file: &LineFile) -> Vec<Rescan> {
    let v = file.zone.last().map_or(1, |zone| i64::from(zone.speed_mm_s));
    let rescan = |place: &Scanner| {
        let earliest = sorts_from(file, v, place);
        let first = sorting(file, place).find(|(_, d)| i64::from(d.eye_at_mm) >= earliest);
        Rescan {
            node: place.node.clone(),
            at_mm: place.at_mm,
            first: first.map(|(_, diverter)| diverter.name.clone()),
        }
    };
    file.rescanner.iter().map(rescan).collect()
}

/// Diverters that can sort by a re-scanner: the eye of the first one behind it makes sure.
fn sorting<'a>(
    file: &'a LineFile,
    place: &Scanner,
) -> impl Iterator<Item = (usize, &'a Diverter)> + use<'a> {
    let at = place.at_mm;
    file.diverter.iter().enumerate().filter(move |(_, bed)| bed.eye_at_mm > at).skip(1)
}

/// Where the longest parcel that it triggers at has been read, routed and armed.
fn sorts_from(file: &LineFile, v: i64, place: &Scanner) -> i64 {
    let times = i64::from(place.read_wait_ms)
        + i64::from(file.timing.route_ms)
        + i64::from(file.timing.arm_lead_ms);
    i64::from(place.at_mm) + i64::from(file.tracking.length_max_mm) + way(v, times)
}

/// Checks where the re-scanners stand, and that somebody can be sorted by them.
pub(super) fn check(file: &LineFile, v: i64, sink: &mut Sink<'_>) {
    let key = |n: usize| format!("rescanner[{n}].at_mm");
    let places = file.rescanner.iter().enumerate();
    let chain: Vec<(String, i64)> =
        places.clone().map(|(n, place)| (key(n), i64::from(place.at_mm))).collect();
    rising(&chain, sink);
    let free = stretches(file);
    for (n, place) in places {
        let at = i64::from(place.at_mm);
        if free.iter().any(|(from, to)| *from < at && at < *to) {
            in_time(file, v, (n, place), sink);
            continue;
        }
        let message =
            format!("re-scanner {:?} looks at {at} mm, not between a bed and an eye", place.node);
        let allowed = free.iter().map(|(from, to)| format!("{} to {}", from + 1, to - 1));
        let fault = draft(key(n), message).allowed(allowed.collect::<Vec<_>>().join(", "));
        let inputs = [
            "eye[].at_mm",
            "diverter[].eye_at_mm",
            "diverter[].bed_from_mm",
            "diverter[].bed_length_mm",
            "end.eye_at_mm",
        ];
        sink.enter_from(fault, &inputs);
    }
}

/// The last diverter at least sorts by it; with fewer than two behind it, it only checks.
fn in_time(file: &LineFile, v: i64, (n, place): (usize, &Scanner), sink: &mut Sink<'_>) {
    let Some((bed, last)) = sorting(file, place).last() else { return };
    let spare = i64::from(last.eye_at_mm) - sorts_from(file, v, place);
    if spare >= 0 {
        return;
    }
    let key = |name: &str| format!("rescanner[{n}].{name}");
    let message = format!(
        "re-scanner {:?} looks at {} mm, too near to {:?}, the last diverter: \
         length + (read + route + arm lead) at {v} mm/s",
        place.node, place.at_mm, last.name
    );
    let fault = draft(key("at_mm"), message)
        .allowed(format!("at most {}", i64::from(place.at_mm) + spare))
        .related(format!("diverter[{bed}].eye_at_mm"), "its eye");
    let (wait, speed) = (key("read_wait_ms"), speed_key(file));
    let inputs =
        [&*wait, "timing.route_ms", "timing.arm_lead_ms", "tracking.length_max_mm", &*speed];
    sink.enter_from(fault, &inputs);
}
