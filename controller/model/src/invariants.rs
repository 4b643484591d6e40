//! What must hold after every input, whatever came.

use crate::limits;
use crate::line::Line;
use crate::memory::{Mode, Under};
use crate::parcel::{Fate, OpenKind, Parcel};
use alloc::collections::BTreeSet;

/// Checks everything that must hold between two inputs.
///
/// # Panics
/// When something does not: a defect of the model.
pub fn check(line: &Line) {
    outcomes(line);
    bounds(line);
    let mut arms = BTreeSet::new();
    line.memory.live.check(&line.layout, &line.memory.nodes);
    for (id, parcel) in line.memory.live.iter() {
        assert!(*id == parcel.id, "a parcel is kept under its own number");
        sightings(line, parcel);
        fate(line, parcel);
        if let Fate::Armed { tag, .. } = parcel.fate {
            assert!(arms.insert(tag), "an arm serves one parcel");
        }
    }
    for (tag, arm) in &line.memory.arms {
        assert!(*tag == arm.plan.tag, "an arm is kept under its own tag");
        assert!(arm.plan.from.at <= arm.plan.to.at, "an arm has a window");
    }
    if line.memory.release_open {
        let mode = line.memory.machine.mode;
        let open = mode == Mode::Execute || matches!(mode, Mode::Completing { .. });
        assert!(open, "parcels come in only while it runs");
        let full = line.memory.end_full && !line.layout.end.returns();
        assert!(!line.memory.stalled && !full, "a paused induction is closed");
    }
    let running = line.memory.machine.mode == Mode::Execute;
    assert!(running == line.memory.running.since.is_some(), "running time runs with Execute");
}

fn outcomes(line: &Line) {
    let tally = &line.memory.tally;
    assert!(tally.ties(), "the outcome equation ties: {tally:?}");
    let live = u64::try_from(line.memory.live.len()).unwrap_or(u64::MAX);
    assert!(tally.on_line == live, "on_line counts the parcels on the belt");
    assert!(tally.inducted + 1 == line.memory.next_parcel, "each parcel was counted once");
    let landed: u64 = line.memory.chutes.values().sum();
    assert!(landed == tally.landed_planned + tally.landed_alternate, "landings tie by chute");
    let (mut lost, mut unconfirmed) = (0, 0);
    for (id, open) in &line.memory.open {
        assert!(!line.memory.live.contains_key(id), "an open parcel is not on the belt");
        match open.kind {
            OpenKind::Lost { .. } => lost += 1,
            OpenKind::Unconfirmed { .. } => unconfirmed += 1,
        }
    }
    assert!(lost <= tally.lost && unconfirmed <= tally.unconfirmed, "open parcels are counted");
}

fn bounds(line: &Line) {
    let memory = &line.memory;
    let in_flight = usize::from(line.layout.limits.in_flight_max.max(1));
    assert!(memory.live.len() <= in_flight, "parcels on the belt are bounded");
    assert!(memory.open.len() <= limits::OPEN_MAX, "open parcels are bounded");
    assert!(memory.arms.len() <= limits::ARMS_MAX, "arms are bounded");
    assert!(memory.alarms.len() <= limits::ALARMS_MAX, "alarms are bounded");
    assert!(memory.annunciator.entries.len() <= limits::ALARMS_MAX, "the alarm list is bounded");
    let listed = |alarm| memory.annunciator.entries.contains_key(alarm);
    assert!(memory.alarms.iter().all(listed), "what stands is in the alarm list");
    assert!(memory.plans.len() <= limits::PLANS_MAX, "plans are bounded");
    assert!(memory.strangers.len() <= limits::STRANGERS_MAX, "strangers are bounded");
    assert!(memory.landed.len() <= limits::LANDED_MAX, "waybills are bounded");
    assert!(memory.laps.len() <= limits::LAPS_MAX, "waybills that went round are bounded");
    assert!(memory.landings.len() <= line.layout.chutes.len(), "landing eyes are of the layout");
    assert!(memory.at_chutes.len() == line.layout.chutes.len(), "chutes are of the layout");
    let rated = memory.at_chutes.values().all(|chute| chute.recent.len() <= limits::RATE_MAX);
    assert!(rated, "decisions that a rate limit remembers are bounded");
    assert!(memory.running.inductions.len() <= limits::INDUCTIONS_MAX, "the rate is bounded");
    assert!(memory.stretches.len() <= line.layout.eyes.len(), "one stretch an eye");
    let rescanners = line.layout.rescanners.len();
    assert!(memory.rescanners.len() == rescanners, "re-scanners are of the layout");
    for stretch in &memory.stretches {
        let pulses = stretch.pulses.len();
        assert!((1..limits::PULSES_MAX).contains(&pulses), "an open stretch is bounded");
    }
    for under in &memory.under {
        if let Under::Parcel(id) | Under::Torn(id) = under {
            assert!(id.0 < memory.next_parcel, "only parcels that were made are under an eye");
        }
    }
}

fn sightings(line: &Line, parcel: &Parcel) {
    let seen = &parcel.track.seen;
    assert!(!seen.is_empty(), "a parcel was seen when it was made");
    assert!(seen.len() <= line.layout.eyes.len(), "one sighting an eye");
    assert!(seen.windows(2).all(|two| two[0].eye < two[1].eye), "sightings ascend");
    assert!(parcel.track.next > parcel.last().eye.0, "what comes next was not seen yet");
}

fn fate(line: &Line, parcel: &Parcel) {
    match &parcel.fate {
        Fate::Open => assert!(!parcel.uncertain(), "an uncertain parcel has no open decision"),
        Fate::Assigned(choice) => {
            assert!(!parcel.uncertain(), "an uncertain parcel has no chute");
            assert!(parcel.rescan.is_none(), "no eye has confirmed its re-scan");
            assert!(choice.allowed.contains(&choice.chute), "the chute is one of the allowed");
            let chute = line.memory.at_chutes.get(&choice.chute);
            assert!(chute.is_some_and(|chute| chute.state.takes()), "the chute takes parcels");
        }
        Fate::Armed { choice, tag } => {
            assert!(!parcel.uncertain(), "an uncertain parcel has no arm");
            assert!(parcel.rescan.is_none(), "no eye has confirmed its re-scan");
            let arm = line.memory.arms.get(tag);
            assert!(arm.is_some(), "the arm of an armed parcel is remembered");
            if let Some(arm) = arm {
                assert!(arm.plan.parcel == parcel.id && !arm.cancelled, "the arm is its own");
                let chute = line.layout.chute_at(arm.plan.diverter, arm.plan.side);
                let fits = chute.is_some_and(|chute| chute.number == choice.chute);
                assert!(fits, "the arm leads to the chute that was decided");
            }
        }
        Fate::Fired { choice, .. } | Fate::MayHaveFired { choice, .. } => {
            assert!(line.layout.chute(choice.chute).is_some(), "a fired chute exists");
        }
        Fate::ToEnd { .. } => {}
    }
}
