//! Count maps: from a node's own counts to positions in the belt's frame and back.
//!
//! A map is an interval that the base (position minus count) lies in; every observation can only
//! narrow it. Nodes on the reference's serial bus are mapped by a latch that all capture at the
//! same instant, and compared by another latch now and then. Nodes elsewhere are bracketed: a
//! reading that was taken after one reading of the reference and before another one lies between the
//! two; parcels that pass a better known eye and then one of theirs narrow that. While the belt
//! stands latch and bracket are exact.

use crate::edges::{Edges, Sights};
use crate::limits::{
    BRACKET_PATIENCE, BRACKET_SPREAD, EXACT_SPREAD, LATCH_SPREAD, REFERENCE_READINGS,
};
use units::{Counts, Distance, EncoderId, Micros, Position};

/// One reading of the reference, and the instants that it lies between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    at: Position,
    sent: Micros,
    heard: Micros,
}

/// What all buses know together of the belt's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    encoder: EncoderId,
    near: Option<Position>,
    readings: [Option<Reading>; REFERENCE_READINGS],
    generation: u32,
    pub(crate) edges: Edges,
}

impl Frame {
    /// Builds the frame of one encoder; `near` is the last position known of an earlier run.
    pub const fn new(encoder: EncoderId, near: Option<Position>) -> Self {
        Self {
            encoder,
            near,
            readings: [None; REFERENCE_READINGS],
            generation: 0,
            edges: Edges::new(),
        }
    }

    /// The same frame with the eyes whose common edges fit nodes together.
    #[must_use]
    pub fn with_sights(mut self, sights: Sights) -> Self {
        self.edges.set(sights);
        self
    }

    /// The newest position known.
    pub const fn near(&self) -> Option<Position> {
        self.near
    }

    /// Starts the frame over at the reference's reading `count`: older maps mean nothing any more.
    ///
    /// The first time, the position is the count itself; later it goes on from the last one known.
    pub(crate) fn restart(&mut self, count: Counts) -> CountMap {
        let at = self.near.unwrap_or(Position::new(self.encoder, i64::from(count.0)));
        self.generation += 1;
        self.edges.clear();
        self.near = Some(at);
        self.readings = [None; REFERENCE_READINGS];
        CountMap::exact(self, at, count, 0)
    }

    /// Widens a reading that `map` belongs to.
    pub(crate) fn position(&self, map: &CountMap, count: Counts) -> Position {
        let low = map.belt(count);
        match self.near {
            Some(near) => near.widen(low),
            None => Position::new(self.encoder, map.middle() + i64::from(count.0)),
        }
    }

    /// Takes notice that the belt is at `at`.
    pub(crate) fn seen(&mut self, at: Position) {
        self.near = Some(at);
    }

    /// Takes a reading of the reference, taken between `sent` and `heard`.
    pub(crate) fn reference(&mut self, at: Position, sent: Micros, heard: Micros) {
        self.readings.rotate_left(1);
        if let Some(last) = self.readings.last_mut() {
            *last = Some(Reading { at, sent, heard });
        }
    }

    /// The newest reading of the reference that was over before `sent`.
    fn before(&self, sent: Micros) -> Option<Position> {
        let readings = self.readings.iter().rev().flatten();
        readings.into_iter().find(|reading| reading.heard <= sent).map(|reading| reading.at)
    }

    /// The oldest reading kept that began after `heard`.
    fn after(&self, heard: Micros) -> Option<Position> {
        self.readings.iter().flatten().find(|reading| reading.sent >= heard).map(|found| found.at)
    }
}

/// Where a node's base lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountMap {
    low: i64,
    high: i64,
    generation: u32,
}

impl CountMap {
    /// The map by which the reading `count` was at `at`, give or take `spread`.
    pub(crate) fn exact(frame: &Frame, at: Position, count: Counts, spread: i64) -> Self {
        let base = at.at - i64::from(count.0);
        Self { low: base - spread, high: base + spread, generation: frame.generation }
    }

    /// The map by which two readings of one latch fit together; `spread` is that of `at`.
    pub(crate) fn latched(frame: &Frame, at: Position, count: Counts, spread: Distance) -> Self {
        Self::exact(frame, at, count, LATCH_SPREAD + spread.0)
    }

    /// The map by which the belt stood between the two positions at the reading `count`.
    pub(crate) fn between(frame: &Frame, span: (Position, Position), count: Counts) -> Self {
        let base = |at: Position| at.at - i64::from(count.0);
        Self { low: base(span.0), high: base(span.1), generation: frame.generation }
    }

    /// The map that an earlier run of the host has left.
    pub(crate) const fn restored(base: i64, spread: i64) -> Self {
        Self { low: base - spread, high: base + spread, generation: 0 }
    }

    /// Whether the frame that this map belongs to is still in force.
    pub(crate) const fn holds(&self, frame: &Frame) -> bool {
        self.generation == frame.generation
    }

    const fn middle(&self) -> i64 {
        i64::midpoint(self.low, self.high)
    }

    /// ± of every position by this map.
    pub(crate) const fn spread(&self) -> Distance {
        Distance((self.high - self.low + 1) / 2)
    }

    /// Whether the map is good enough for going online after `waited`.
    pub(crate) fn serves(&self, waited: Micros) -> bool {
        self.spread().0 <= BRACKET_SPREAD || waited >= BRACKET_PATIENCE
    }

    /// How far `other` puts the node's positions ahead of this map, beyond the ± of both; zero when
    /// both can be true.
    pub(crate) fn apart(&self, other: &Self) -> i64 {
        let ahead = self.ahead(other);
        let slack = self.spread().plus(other.spread()).0;
        ahead.signum() * (ahead.abs() - slack).max(0)
    }

    /// Middle of `other` less the middle of this one.
    fn ahead(&self, other: &Self) -> i64 {
        let near = Position::new(EncoderId(0), self.middle());
        near.widen(other.offset()).since(near).0
    }

    /// What both maps allow; `other` where that is nothing.
    pub(crate) fn narrowed(&self, other: &Self) -> Self {
        let shift = self.middle() + self.ahead(other) - other.middle();
        let low = self.low.max(other.low + shift);
        let high = self.high.min(other.high + shift);
        if low <= high { Self { low, high, generation: other.generation } } else { *other }
    }

    /// Whether a restarted host may use the map.
    pub(crate) const fn is_exact(&self) -> bool {
        self.spread().0 <= EXACT_SPREAD
    }

    fn offset(&self) -> Counts {
        Position::new(EncoderId(0), self.middle()).low()
    }

    /// The low 32 bits of the position at `count`.
    fn belt(&self, count: Counts) -> Counts {
        Counts(count.0.wrapping_add(self.offset().0))
    }

    /// The node's reading at the belt position `at`.
    pub(crate) fn count(&self, at: Position) -> Counts {
        Counts(at.low().0.wrapping_sub(self.offset().0))
    }
}

/// One-sided knowledge of a base that is still being collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bracket {
    low: Option<i64>,
    high: Option<i64>,
    last: Option<(Counts, Micros)>,
    generation: u32,
}

/// Each side of a bracket is widened by this: a reading is truncated to whole counts.
const ROUNDING: i64 = 1;

impl Bracket {
    /// Takes the node's reading `count`, taken between `sent` and `heard`; returns the map as soon as
    /// both sides are known, and narrower ones later; and how far the node's encoder has come
    /// ahead of the reference's beyond the rounding of their readings, zero when it has not.
    pub(crate) fn observe(
        &mut self,
        frame: &Frame,
        count: Counts,
        (sent, heard): (Micros, Micros),
    ) -> (Option<CountMap>, i64) {
        if self.generation != frame.generation {
            *self = Self { generation: frame.generation, ..Self::default() };
        }
        let mut slipped = 0;
        if let Some((earlier, at)) = self.last
            && let Some(after) = frame.after(at)
        {
            slipped += self.limit(after, earlier, false);
            self.last = None;
        }
        if let Some(before) = frame.before(sent) {
            slipped += self.limit(before, count, true);
        }
        self.last = Some((count, heard));
        let map = self.low.zip(self.high).map(|(low, high)| CountMap {
            low,
            high,
            generation: self.generation,
        });
        (map, slipped)
    }

    /// Narrows one side by "the belt was at `at` before (or after) the reading `count`". Returns how
    /// far both sides contradict each other, by which they are started over.
    fn limit(&mut self, at: Position, count: Counts, lower: bool) -> i64 {
        let raw = at.at - i64::from(count.0) + if lower { -ROUNDING } else { ROUNDING };
        let near = self.low.or(self.high).unwrap_or(raw);
        let frame = EncoderId(0);
        let base = Position::new(frame, near).widen(Position::new(frame, raw).low()).at;
        if lower {
            self.low = Some(self.low.map_or(base, |low| low.max(base)));
        } else {
            self.high = Some(self.high.map_or(base, |high| high.min(base)));
        }
        match (self.low, self.high) {
            (Some(low), Some(high)) if low - high > 2 * ROUNDING => {
                (self.low, self.high) = if lower { (Some(base), None) } else { (None, Some(base)) };
                let by = low - high - 2 * ROUNDING;
                if lower { by } else { -by }
            }
            (Some(low), Some(high)) if low > high => {
                (self.low, self.high) = (Some(high), Some(low));
                0
            }
            (Some(_) | None, Some(_) | None) => 0,
        }
    }
}
