//! Position windows: where a head is expected, with slip and the ± of the maps.

use crate::ids::EyeId;
use crate::layout::{Layout, Limits};
use crate::limits;
use crate::memory::NodeMemory;
use crate::parcel::{Parcel, Sighting};
use units::{Distance, Millimeters, Position};

/// An inclusive range of belt positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// First position that fits.
    pub(crate) from: Position,
    /// Last one.
    pub(crate) to: Position,
}

impl Window {
    /// The window `way` behind `base`: early and late shares of the way plus a fixed ±.
    pub(crate) fn around(limits: &Limits, base: Position, way: Distance, more: Distance) -> Self {
        let nominal = base.plus(way);
        let share = |permille: u16| Distance(way.0 * i64::from(permille) / 1_000);
        let fixed = limits.tolerance.plus(more);
        Self {
            from: nominal.minus(fixed.plus(share(limits.early_permille))),
            to: nominal.plus(fixed.plus(share(limits.late_permille))),
        }
    }

    /// Whether a head at `at` fits.
    pub(crate) fn holds(self, at: Position) -> bool {
        at.since(self.from).0 >= 0 && self.to.since(at).0 >= 0
    }

    /// The same window, wider by `by` on both sides.
    pub(crate) fn widened(self, by: Distance) -> Self {
        Self { from: self.from.minus(by), to: self.to.plus(by) }
    }

    /// The same window, open for `by` longer.
    pub(crate) fn later(self, by: Distance) -> Self {
        Self { from: self.from, to: self.to.plus(by) }
    }

    /// First position behind the window.
    pub(crate) fn end(self) -> Position {
        self.to.plus(Distance(1))
    }
}

/// A sighting from which its parcel is expected at later eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// Which eye.
    pub(crate) eye: EyeId,
    /// Belt position at the head edge.
    pub(crate) head: Position,
    /// ± of that, with what the parcel may have slipped since.
    more: Distance,
    /// How much later it may come because it was still drawn there.
    late: Distance,
}

impl Base {
    /// Where the head would be at `eye` without any slip.
    pub(crate) fn nominal(&self, layout: &Layout, eye: EyeId) -> Position {
        self.head.plus(Distance(layout.eye(eye).at.0 - layout.eye(self.eye).at.0))
    }

    /// Where the head is expected at a later `eye`, whose positions are known to within `there`.
    pub(crate) fn expected(&self, layout: &Layout, eye: EyeId, there: Distance) -> Window {
        let way = Distance(layout.eye(eye).at.0 - layout.eye(self.eye).at.0);
        self.behind(&layout.limits, way, there)
    }

    /// The same at a place `way` behind the sighting.
    pub(crate) fn behind(&self, limits: &Limits, way: Distance, there: Distance) -> Window {
        Window::around(limits, self.head, way, self.more.plus(there)).later(self.late)
    }
}

impl Parcel {
    /// Where it was seen last.
    ///
    /// # Panics
    /// Never: a parcel is made at a sighting and sightings do not go.
    pub(crate) fn last(&self) -> &Sighting {
        let last = self.track.seen.last();
        assert!(last.is_some(), "a parcel has a sighting");
        last.unwrap_or(&self.track.seen[0])
    }

    /// Its sighting at one eye.
    pub(crate) fn at(&self, eye: EyeId) -> Option<&Sighting> {
        // At most one sighting an eye, ascending: none lies behind the place of its number.
        let seen = self.track.seen.get(..=usize::from(eye.0)).unwrap_or(&self.track.seen);
        seen.iter().rev().take_while(|seen| seen.eye >= eye).find(|seen| seen.eye == eye)
    }

    /// Notes where its tail was at one eye, and tells where its head was; `None` when it was not seen
    /// there.
    pub(crate) fn end_at(&mut self, eye: EyeId, tail: Position) -> Option<Position> {
        let seen = self.track.seen.iter_mut().find(|seen| seen.eye == eye)?;
        seen.tail = Some(tail);
        Some(seen.head)
    }

    /// Whether its head has come to `eye` and its tail has not.
    pub(crate) fn is_under(&self, eye: EyeId) -> bool {
        self.at(eye).is_some_and(|seen| seen.tail.is_none())
    }

    /// Where its head is expected at `eye`, from its last sighting before that eye.
    pub(crate) fn expected(
        &self,
        layout: &Layout,
        nodes: &[NodeMemory],
        eye: EyeId,
    ) -> Option<Window> {
        let base = self.track.seen.iter().rev().find(|seen| seen.eye < eye)?;
        let there = nodes[usize::from(layout.eye(eye).node.0)].spread;
        Some(self.base(&layout.limits, base).expected(layout, eye, there))
    }

    /// How much one of its sightings is off at most, with what it may have slipped since the last.
    pub(crate) fn more(&self, seen: &Sighting) -> Distance {
        seen.spread.plus(self.track.slack)
    }

    /// What one of its sightings says about later ones.
    pub(crate) fn base(&self, limits: &Limits, seen: &Sighting) -> Base {
        let drawn = seen.eye == EyeId(0);
        let late = if drawn { self.drawn_late(limits) } else { Distance(0) };
        Base { eye: seen.eye, head: seen.head, more: self.more(seen), late }
    }

    /// How much later than by its head at the induction eye it may come anywhere.
    ///
    /// At that eye it is still drawn from a slower belt until its centre is across: the sorter belt
    /// runs on under its front half, and it reads too long by the same amount.
    pub(crate) fn drawn_late(&self, limits: &Limits) -> Distance {
        let length = self.at(EyeId(0)).and_then(Sighting::length).unwrap_or(limits.length_max);
        let shortest = length.0 * 100 / (100 + limits::DRAWN_PERCENT);
        Distance((length.0 - shortest).max(0))
    }

    /// Where its tail was at one of its sightings; measured, else by its length.
    pub(crate) fn tail(&self, seen: &Sighting) -> Option<Position> {
        seen.tail.or_else(|| self.track.length.map(|length| seen.head.plus(length)))
    }
}

/// Whether a first length on the sorter belt alone fits what the induction eye read of a parcel
/// that was still being drawn from a slower belt.
pub(crate) fn drawn_length_fits(limits: &Limits, drawn: Distance, measured: Distance) -> bool {
    let tolerance = length_tolerance(limits, drawn);
    let shortest = drawn.0 * 100 / (100 + limits::DRAWN_PERCENT);
    measured <= drawn.plus(tolerance) && measured.0 >= shortest - tolerance.0
}

/// Whether a measured length can be the same parcel's as the first one.
pub(crate) fn length_fits(limits: &Limits, first: Distance, measured: Distance) -> bool {
    Distance(measured.0 - first.0).abs() <= length_tolerance(limits, first)
}

/// The ± of a length.
pub(crate) fn length_tolerance(limits: &Limits, length: Distance) -> Distance {
    limits.length_min.max(Distance(length.0 * i64::from(limits.length_percent) / 100))
}

impl Layout {
    /// `mm` in counts of the sorter belt's encoder.
    pub(crate) const fn counts(&self, mm: Millimeters) -> Distance {
        mm.to_counts(self.counts_per_metre)
    }

    /// The eye with this index, when the layout has it.
    pub(crate) fn eye_id(&self, index: usize) -> Option<EyeId> {
        (index < self.eyes.len()).then(|| u8::try_from(index).ok().map(EyeId)).flatten()
    }

    /// The eye behind the last one is `None`.
    pub(crate) fn last_eye(&self) -> EyeId {
        let last = self.eye_id(self.eyes.len().saturating_sub(1));
        assert!(last.is_some(), "a layout has eyes");
        last.unwrap_or(EyeId(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::demo_layout;
    use units::EncoderId;

    #[test]
    fn a_window_is_wider_on_the_late_side() {
        let limits = demo_layout().limits;
        let base = Position::new(EncoderId(0), 1_000);
        let window = Window::around(&limits, base, Distance(2_000), Distance(5));
        assert_eq!(window.from.at, 3_000 - 60 - 5 - 40);
        assert_eq!(window.to.at, 3_000 + 60 + 5 + 120);
        assert!(window.holds(window.from) && window.holds(window.to));
        assert!(!window.holds(window.end()));
    }

    #[test]
    fn a_length_fits_by_share_or_by_least_tolerance() {
        let limits = demo_layout().limits;
        assert!(length_fits(&limits, Distance(200), Distance(260)));
        assert!(!length_fits(&limits, Distance(200), Distance(261)));
        assert!(length_fits(&limits, Distance(500), Distance(400)));
        assert!(!length_fits(&limits, Distance(500), Distance(399)));
    }
}
