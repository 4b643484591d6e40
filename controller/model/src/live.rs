//! The parcels on the belt, each with a brief: the few facts that tell whom an input may concern.
//!
//! Parcels are what the line remembers. Briefs follow from them alone, lie side by side in the order
//! of the belt, and are kept true here and nowhere else: whatever changes a parcel does so through
//! [`Live`]. A brief decides nothing: it says who need not be asked.

use crate::ids::{ChuteNo, DiverterId, EyeId, ParcelId};
use crate::layout::{Layout, Limits};
use crate::memory::NodeMemory;
use crate::parcel::{Parcel, Sighting, Stage};
use crate::tracking::window::{Base, Window};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Deref;
use units::{Distance, Position};

/// Parcels on the belt by number; the smallest number is furthest downstream.
///
/// Two are equal when their parcels are.
#[derive(Clone, Debug, Default)]
pub struct Live {
    parcels: BTreeMap<ParcelId, Parcel>,
    /// One of each parcel, in the same order; none before the line knows its layout.
    briefs: Vec<Brief>,
}

/// What one look at a parcel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brief {
    pub(crate) id: ParcelId,
    pub(crate) stage: Stage,
    /// The manifest was asked and has not answered.
    pub(crate) asked: bool,
    /// The chute that it is meant for.
    pub(crate) chute: Option<ChuteNo>,
    /// The diverter of that chute.
    pub(crate) diverter: Option<DiverterId>,
    /// That diverter's arrival eye is the one behind its last sighting.
    pub(crate) at_diverter: bool,
    /// Its last sighting, from which it is expected at every later eye.
    pub(crate) last: Base,
    /// The next eye that should see it; `None` behind the last one.
    pub(crate) next: Option<Ahead>,
    /// The eyes that saw it, a bit each.
    seen: u64,
    /// From its last sighting back to the induction eye: the furthest and the nearest that one of its
    /// sightings stands for, with its ± and all that it may come late.
    back: (Distance, Distance),
}

/// The next eye that should see a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) eye: EyeId,
    /// From the last sighting to where its head would be there without any slip.
    nominal: Distance,
    /// From the last sighting to behind its window there, without the ± of that eye's node.
    end: Distance,
}

impl Brief {
    fn of(layout: &Layout, parcel: &Parcel) -> Self {
        let late = parcel.drawn_late(&layout.limits);
        let last = parcel.base(&layout.limits, parcel.last());
        let back = |seen: &Sighting| {
            let (start, more) = (seen.head.minus(layout.eye(seen.eye).at), parcel.more(seen).abs());
            (start.minus(more).since(last.head), start.plus(more).plus(late).since(last.head))
        };
        let seen = &parcel.track.seen;
        let all = seen.iter().map(back);
        let widest = all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        let next = layout.eye_id(usize::from(parcel.track.next)).map(|eye| Ahead {
            eye,
            nominal: last.nominal(layout, eye).since(last.head),
            end: last.expected(layout, eye, Distance(0)).end().since(last.head),
        });
        let chute = parcel.fate.chute();
        let diverter = chute.and_then(|chute| layout.chute(chute)).map(|chute| chute.diverter);
        let eye = diverter.map(|diverter| layout.diverter(diverter).eye);
        Self {
            id: parcel.id,
            stage: parcel.fate.stage(),
            asked: parcel.identity.asked(),
            chute,
            diverter,
            at_diverter: eye.is_some_and(|eye| eye.0 == last.eye.0 + 1),
            last,
            next,
            seen: seen.iter().fold(0, |bits, seen| bits | bit(seen.eye)),
            back: widest.unwrap_or_else(|| back(parcel.last())),
        }
    }

    /// Where its head would be at the next eye without any slip.
    pub(crate) fn nominal(&self, next: &Ahead) -> Position {
        self.last.head.plus(next.nominal)
    }

    /// First position behind its window at the next eye.
    pub(crate) fn window_end(
        &self,
        layout: &Layout,
        nodes: &[NodeMemory],
        next: &Ahead,
    ) -> Position {
        let there = nodes[usize::from(layout.eye(next.eye).node.0)].spread;
        self.last.head.plus(next.end).plus(there)
    }

    /// The earliest that its head may have been `way` behind the induction eye.
    fn earliest(&self, way: Distance) -> Position {
        self.last.head.plus(self.back.0).plus(way)
    }

    /// The latest.
    fn latest(&self, way: Distance) -> Position {
        self.last.head.plus(self.back.1).plus(way)
    }

    /// Whether `eye` saw it.
    pub(crate) fn seen_at(&self, eye: EyeId) -> bool {
        self.seen & bit(eye) != 0
    }

    /// Whether `eye` may have seen it ahead of `at`.
    pub(crate) fn seen_ahead(&self, layout: &Layout, eye: EyeId, at: Position) -> bool {
        self.seen_at(eye) && self.earliest(layout.eye(eye).at).since(at).0 < 0
    }

    /// Whether `eye` may have seen it behind `at`.
    pub(crate) fn seen_behind(&self, layout: &Layout, eye: EyeId, at: Position) -> bool {
        self.seen_at(eye) && self.latest(layout.eye(eye).at).since(at).0 > 0
    }

    /// Whether `eye` may have seen it no further than `by` from `at`.
    pub(crate) fn seen_near(
        &self,
        layout: &Layout,
        eye: EyeId,
        at: Position,
        by: Distance,
    ) -> bool {
        let more = by.plus(Distance(1));
        self.seen_ahead(layout, eye, at.plus(more)) && self.seen_behind(layout, eye, at.minus(more))
    }

    /// Whether its head may have been at `at`, known to within `spread`, at a `place` of the tunnel.
    pub(crate) fn headed_at(
        &self,
        limits: &Limits,
        place: Distance,
        at: Position,
        spread: Distance,
    ) -> bool {
        let around =
            |nominal: Position| Window::around(limits, nominal.minus(place), place, spread);
        at.since(around(self.earliest(place)).from).0 >= 0
            && around(self.latest(place)).to.since(at).0 >= 0
    }

    /// Whether `fits` may hold of its window at an eye that did not see it: a parcel that was seen
    /// behind that eye has to be asked itself.
    pub(crate) fn expected_where(
        &self,
        layout: &Layout,
        nodes: &[NodeMemory],
        eye: EyeId,
        fits: impl FnOnce(Window) -> bool,
    ) -> bool {
        if self.last.eye >= eye {
            return !self.seen_at(eye);
        }
        let there = nodes[usize::from(layout.eye(eye).node.0)].spread;
        fits(self.last.expected(layout, eye, there))
    }
}

/// [`EYES_MAX`](crate::limits::EYES_MAX) eyes have a bit each.
fn bit(eye: EyeId) -> u64 {
    1u64.checked_shl(u32::from(eye.0)).unwrap_or(0)
}

impl Live {
    /// Writes every brief anew: the layout has become known.
    pub(crate) fn brief_all(&mut self, layout: &Layout) {
        self.briefs = self.parcels.values().map(|parcel| Brief::of(layout, parcel)).collect();
    }

    /// The briefs, in the order of the belt.
    pub(crate) fn briefs(&self) -> impl DoubleEndedIterator<Item = &Brief> {
        self.briefs.iter()
    }

    /// Parcels of which `is` holds, in the order of the belt. Only those are asked whose brief `may`
    /// be one's of which it holds.
    ///
    /// # Panics
    /// In debug builds, when a brief hides a parcel of which it holds: a defect of the model.
    pub(crate) fn pick(
        &self,
        may: impl Fn(&Brief) -> bool,
        is: impl Fn(&Parcel) -> bool,
    ) -> impl DoubleEndedIterator<Item = &Parcel> {
        if cfg!(debug_assertions) {
            let hidden = |(brief, parcel): (&Brief, &Parcel)| is(parcel) && !may(brief);
            let any = self.briefs.iter().zip(self.parcels.values()).any(hidden);
            assert!(!any, "a brief hides a parcel that an input concerns");
        }
        let near = self.briefs.iter().filter(move |brief| may(brief));
        near.filter_map(|brief| self.parcels.get(&brief.id)).filter(move |parcel| is(parcel))
    }

    fn place(&self, id: ParcelId) -> Result<usize, usize> {
        self.briefs.binary_search_by_key(&id, |brief| brief.id)
    }

    /// Puts a parcel on the belt.
    pub(crate) fn put(&mut self, layout: &Layout, parcel: Parcel) {
        let brief = Brief::of(layout, &parcel);
        match self.place(parcel.id) {
            Ok(place) => self.briefs[place] = brief,
            Err(place) => self.briefs.insert(place, brief),
        }
        self.parcels.insert(parcel.id, parcel);
    }

    /// Takes a parcel off the belt.
    pub(crate) fn take(&mut self, id: ParcelId) -> Option<Parcel> {
        if let Ok(place) = self.place(id) {
            self.briefs.remove(place);
        }
        self.parcels.remove(&id)
    }

    /// Changes a parcel; `None` when it is not on the belt.
    pub(crate) fn change<R>(
        &mut self,
        layout: &Layout,
        id: ParcelId,
        change: impl FnOnce(&mut Parcel) -> R,
    ) -> Option<R> {
        let parcel = self.parcels.get_mut(&id)?;
        let told = change(parcel);
        let brief = Brief::of(layout, parcel);
        if let Ok(place) = self.place(id) {
            self.briefs[place] = brief;
        }
        Some(told)
    }

    /// Changes every parcel.
    pub(crate) fn change_all(&mut self, layout: &Layout, change: impl FnMut(&mut Parcel)) {
        self.parcels.values_mut().for_each(change);
        self.brief_all(layout);
    }

    /// Panics when a brief is not what follows from its parcel, or tells another end of a window.
    pub(crate) fn check(&self, layout: &Layout, nodes: &[NodeMemory]) {
        let fresh = self.parcels.values().map(|parcel| Brief::of(layout, parcel));
        assert!(fresh.eq(self.briefs.iter().copied()), "briefs follow their parcels");
        for (brief, parcel) in self.briefs.iter().zip(self.parcels.values()) {
            let next = layout.eye_id(usize::from(parcel.track.next));
            let window = next.and_then(|eye| parcel.expected(layout, nodes, eye));
            let told = brief.next.as_ref().map(|next| brief.window_end(layout, nodes, next));
            assert!(told == window.map(Window::end), "a brief ends the window that is next");
        }
    }
}

impl PartialEq for Live {
    fn eq(&self, other: &Self) -> bool {
        self.parcels == other.parcels
    }
}

impl Eq for Live {}

impl Deref for Live {
    type Target = BTreeMap<ParcelId, Parcel>;

    fn deref(&self) -> &Self::Target {
        &self.parcels
    }
}

/// A layout gives them their briefs when a line resumes from them.
impl From<BTreeMap<ParcelId, Parcel>> for Live {
    fn from(parcels: BTreeMap<ParcelId, Parcel>) -> Self {
        Self { parcels, briefs: Vec::new() }
    }
}

/// The parcels without their briefs.
impl From<Live> for BTreeMap<ParcelId, Parcel> {
    fn from(live: Live) -> Self {
        live.parcels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::Bench;
    use crate::line::Line;
    use crate::memory::Memory;

    fn on_the_belt() -> Bench {
        let mut bench = Bench::running();
        bench.put(100, 300, "1");
        bench.put(1_500, 300, "3");
        bench.run(3_000);
        bench
    }

    #[test]
    fn a_brief_follows_each_change() {
        let Line { layout, memory } = on_the_belt().line;
        let mut live = memory.live;
        live.change(&layout, ParcelId(2), |parcel| parcel.track.next = 5);
        live.check(&layout, &memory.nodes);
        live.change_all(&layout, |parcel| parcel.track.slack = Distance(40));
        live.check(&layout, &memory.nodes);
        let first = live.take(ParcelId(1)).expect("on the belt");
        live.check(&layout, &memory.nodes);
        live.put(&layout, first);
        live.check(&layout, &memory.nodes);
        assert_eq!(live.briefs().map(|brief| brief.id.0).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn briefs_are_made_anew_and_are_no_part_of_what_is_equal() {
        let Line { layout, memory } = on_the_belt().line;
        let without = Live::from(BTreeMap::from(memory.live.clone()));
        assert!(without == memory.live && without.briefs().next().is_none());
        let again = Line::resume(layout, Memory { live: without, ..memory.clone() });
        assert!(again.memory.live.briefs().eq(memory.live.briefs()));
    }

    #[test]
    #[should_panic(expected = "a brief hides a parcel")]
    fn a_brief_that_hides_a_parcel_is_a_defect() {
        let live = on_the_belt().line.memory.live;
        let _none = live.pick(|brief| brief.id.0 == 1, |_| true).count();
    }
}
