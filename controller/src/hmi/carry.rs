//! Where parcels are drawn between two eyes.
//!
//! The line tells the eye at which it saw a parcel last; on the screen the parcel goes on from there
//! at belt speed while the line runs. It is drawn no further than the next eye, which has not seen
//! it, and no further than the bed of its own chute. For people only: nothing decides by it.

use super::dto::millimetres;
use super::setup::HmiView;
use super::words;
use line_model::ids::ParcelId;
use line_model::layout::Layout;
use line_model::packml::State;
use line_model::view::ParcelView;
use std::collections::BTreeMap;
use units::Micros;

/// Drawn positions in millimetres from the induction eye.
pub(super) type Positions = BTreeMap<ParcelId, i64>;

/// Carries parcels on from sample to sample.
#[derive(Debug, Default)]
pub(super) struct Carry {
    /// Belt travel since the start, in millimetres.
    travel: i64,
    /// The last sample's time and state.
    last: Option<(Micros, State)>,
    /// For each parcel: where it was seen last, and the travel when that was first told.
    seen: BTreeMap<ParcelId, (i64, i64)>,
}

impl Carry {
    /// Takes the next sample and gives the positions to draw.
    pub(super) fn step(&mut self, view: &HmiView) -> Positions {
        if let Some((before, state)) = self.last
            && words::moving(state)
        {
            let ran = view.layout.speed.travel(view.taken.since(before));
            self.travel += i64::from(ran.0);
        }
        self.last = Some((view.taken, view.line.state));
        let mut seen = BTreeMap::new();
        let mut positions = Positions::new();
        for parcel in &view.line.parcels {
            let at = millimetres(&view.layout, parcel.at);
            let kept = self.seen.get(&parcel.id).copied().filter(|(before, _)| *before == at);
            let (_, since) = kept.unwrap_or((at, self.travel));
            let _ = seen.insert(parcel.id, (at, since));
            let carried = (at + self.travel - since).min(limit(&view.layout, parcel, at));
            let _ = positions.insert(parcel.id, carried);
        }
        self.seen = seen;
        positions
    }
}

/// The furthest place where the parcel may be drawn.
fn limit(layout: &Layout, parcel: &ParcelView, at: i64) -> i64 {
    let eyes = layout.eyes.iter().map(|eye| millimetres(layout, eye.at));
    let next_eye = eyes.filter(|eye| *eye > at).min().unwrap_or(at);
    let bed = parcel.chute.and_then(|number| {
        let place = layout.chute(number)?;
        let diverter = layout.diverters.get(usize::from(place.diverter.0))?;
        let eye = layout.eyes.get(usize::from(diverter.eye.0))?;
        Some(millimetres(layout, eye.at.plus(diverter.eye_to_bed).plus(diverter.bed)))
    });
    match bed {
        Some(bed) if bed >= at => bed.min(next_eye),
        Some(_) | None => next_eye,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmi::tests::view;
    use line_model::ids::ChuteNo;
    use units::Distance;

    fn at(carry: &mut Carry, view: &HmiView) -> i64 {
        carry.step(view)[&ParcelId(108)]
    }

    #[test]
    fn a_parcel_goes_on_to_the_next_eye_and_waits_there() {
        let mut carry = Carry::default();
        let mut sample = view(State::Execute, vec![]);
        sample.line.parcels[0].at = Distance(1_500);
        assert_eq!(at(&mut carry, &sample), 1_500);
        sample.taken = sample.taken.plus(Micros::from_secs(1));
        assert_eq!(at(&mut carry, &sample), 2_700);
        sample.taken = sample.taken.plus(Micros::from_secs(9));
        assert_eq!(at(&mut carry, &sample), 4_450, "the next eye has not seen it");
        sample.line.parcels[0].at = Distance(4_450);
        sample.line.parcels[0].chute = Some(ChuteNo(1));
        sample.taken = sample.taken.plus(Micros::from_secs(1));
        assert_eq!(at(&mut carry, &sample), 4_450);
        sample.taken = sample.taken.plus(Micros::from_secs(9));
        assert_eq!(at(&mut carry, &sample), 5_250, "not beyond its own bed");
    }

    #[test]
    fn a_standing_line_carries_nothing() {
        let mut carry = Carry::default();
        let mut sample = view(State::Held, vec![]);
        let first = at(&mut carry, &sample);
        sample.taken = sample.taken.plus(Micros::from_secs(5));
        sample.line.state = State::Execute;
        assert_eq!(at(&mut carry, &sample), first);
    }
}
