//! Over a whole run: every turn of a bed has its edge, and behind the last trouble the line flows.

use line_file::LineFile;
use line_sim::truth::Truth;
use units::Micros;

/// After the last trouble a parcel is inducted within this time, as long as parcels come at all.
///
/// Somebody notices that a running line stands (120 s) or clears a jam (20 s), then presses stop,
/// clear, reset and start (up to 8 s each, 32 s), the warning sounds (2 s) and the belts ramp up
/// (5 s); people at the infeed leave it empty for up to 90 s between two bursts.
pub const FLOWS_AGAIN: Micros = Micros::from_secs(120 + 20 + 32 + 2 + 5 + 90);

/// Widest window of an arm, in mm: slip, shares of the way and the maps leave a third of it.
const WINDOW_MM: i64 = 2_000;

/// Where an eye really is and when its edge is taken, in mm of the belt.
const SPARE_MM: i64 = 60;

/// Turns of a bed that no edge at its arrival eye explains, in words.
pub fn unfounded(line: &LineFile, truth: &Truth) -> Vec<String> {
    let mut found = Vec::new();
    for firing in &truth.firings {
        let Some(bed) = line.diverter.get(firing.bed) else { continue };
        let way = i64::from(bed.bed_from_mm) - i64::from(bed.eye_at_mm) + SPARE_MM;
        if !firing.edges_ago_mm.iter().any(|ago| (0..=way).contains(ago)) {
            let (name, edges) = (&bed.name, &firing.edges_ago_mm);
            found.push(format!("{name} at {} us: edges {edges:?} mm ago", firing.at.0));
        }
    }
    found
}

/// Says so when an arm waited over more of the belt than one parcel can be late or early by.
pub fn too_wide(line: &LineFile, widest: i64) -> Option<String> {
    let counts = line.encoder.iter().map(|encoder| i64::from(encoder.counts_per_metre)).max();
    let most = counts.unwrap_or(0) * WINDOW_MM / 1_000;
    (widest > most).then(|| format!("an arm's window is {widest} counts wide, {most} at most"))
}

/// How long after the last trouble the next parcel was inducted; `None` without a trouble that was
/// over, or when no parcel came behind it.
pub fn again(truth: &Truth) -> Option<Micros> {
    let over = truth.happened.iter().filter(|happened| happened.done);
    let last = over.map(|happened| happened.until.unwrap_or(happened.at)).max()?;
    let next = truth.parcels.iter().filter_map(|parcel| parcel.inducted_at);
    next.filter(|at| *at >= last).min().map(|at| at.since(last))
}
