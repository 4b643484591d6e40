//! A run as a person reads it: what the line did, and every parcel that did not simply land.

use super::run::Outcome;
use crate::harness::Harness;
use line_engine::record;
use line_model::decision::{Decision, ParcelEvent};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The decision log of a run with the oracle's verdict.
///
/// Times and positions are left out on purpose: they move with every bus cycle.
///
/// # Panics
/// When a record of our own journal is not readable.
pub fn of(harness: &Harness, outcome: &Outcome) -> String {
    let (mut line, mut stories) = (Vec::new(), BTreeMap::<u64, Vec<String>>::new());
    for bytes in &harness.disk.records {
        for decision in record::decode(bytes).expect("our own record").decisions {
            match decision {
                Decision::State { from, to, reason } => {
                    line.push(format!("{} -> {} ({reason:?})", from.name(), to.name()));
                }
                Decision::Alarm { alarm, raised } => {
                    line.push(format!(
                        "alarm {alarm:?} {}",
                        if raised { "raised" } else { "over" }
                    ));
                }
                Decision::Refused { why } => line.push(format!("refused: {why:?}")),
                Decision::Parcel { parcel, event } => {
                    let story = stories.entry(parcel.0).or_default();
                    story.extend(step(&event));
                }
                _ => {}
            }
        }
    }
    let mut log = String::from("line\n");
    for entry in line {
        writeln!(log, "  {entry}").expect("a string takes everything");
    }
    log.push_str("parcels\n");
    let (mut simple, mut told) = (0, String::new());
    for (parcel, story) in stories {
        if is_simple(&story) {
            simple += 1;
        } else {
            writeln!(told, "  {parcel}: {}", story.join(", ")).expect("a string takes everything");
        }
    }
    writeln!(log, "  {simple} decided, fired and landed in one chute").expect("as above");
    log.push_str(&told);
    log.push_str(&verdict(harness, outcome));
    log
}

/// One step of a story; what every parcel has is left out.
fn step(event: &ParcelEvent) -> Option<String> {
    match event {
        ParcelEvent::Assigned { chute, alternate, reason } => {
            let alternate = if *alternate { " instead" } else { "" };
            let reason = reason.map_or(String::new(), |reason| format!(" ({})", reason.code()));
            Some(format!("chute {}{alternate}{reason}", chute.0))
        }
        ParcelEvent::SentToEnd { reason } => Some(format!("to the end ({})", reason.code())),
        ParcelEvent::Fired { chute, .. } => Some(format!("fired {}", chute.0)),
        ParcelEvent::Landed { chute, .. } => Some(format!("landed {}", chute.0)),
        ParcelEvent::EndLanded { reason } => Some(format!("at the end ({})", reason.code())),
        ParcelEvent::Recirculated { reason } => Some(format!("went round ({})", reason.code())),
        ParcelEvent::Unconfirmed { chute } => Some(format!("unconfirmed {}", chute.0)),
        ParcelEvent::Lost { eye } => Some(format!("lost before eye {}", eye.0)),
        ParcelEvent::Removed { by } => Some(format!("removed by {by}")),
        _ => None,
    }
}

/// Whether a story is that of a parcel that was decided once, fired and landed there.
fn is_simple(story: &[String]) -> bool {
    let [assigned, fired, landed] = story else { return false };
    let chute = assigned.strip_prefix("chute ");
    chute.is_some()
        && chute == fired.strip_prefix("fired ")
        && chute == landed.strip_prefix("landed ")
}

fn verdict(harness: &Harness, outcome: &Outcome) -> String {
    let truth = harness.world.truth();
    let mut text = String::from("truth\n");
    for happened in &truth.happened {
        let done = if happened.done { "" } else { ", not possible" };
        let touched = match happened.parcels.as_slice() {
            [] => String::new(),
            parcels => format!(", plant parcels {parcels:?}"),
        };
        let class = super::trouble::class(&happened.event);
        writeln!(text, "  {class}{touched}{done}").expect("a string takes everything");
    }
    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    for parcel in &truth.parcels {
        *places.entry(format!("{:?}", parcel.place)).or_insert(0) += 1;
    }
    writeln!(text, "  {places:?}").expect("as above");
    let verdict = &outcome.verdict;
    let (sorted, sortable) = (verdict.sorted, verdict.sortable);
    writeln!(text, "oracle\n  {sorted} of {sortable} sortable parcels lie where they belong")
        .expect("as above");
    if verdict.wrong_mechanical > 0 {
        let wrong = verdict.wrong_mechanical;
        writeln!(text, "  {wrong} in a wrong chute by mechanics, alarmed").expect("as above");
    }
    let tally = &outcome.tally;
    let end: u64 = tally.end_landed.values().sum();
    let landed = tally.landed_planned + tally.landed_alternate;
    writeln!(
        text,
        "  {} inducted = {landed} landed + {end} at the end + {} removed + {} lost + {} unconfirmed",
        tally.inducted, tally.removed, tally.lost, tally.unconfirmed
    )
    .expect("as above");
    let round: u64 = tally.recirculated.values().sum();
    if round > 0 {
        let distinct = tally.distinct();
        writeln!(text, "  + {round} gone round; {distinct} distinct parcels").expect("as above");
    }
    for fault in outcome.faults() {
        writeln!(text, "  FAULT {fault}").expect("as above");
    }
    text
}
