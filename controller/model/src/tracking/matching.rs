//! Edges at eyes: which parcel they belong to.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{EyeId, ParcelId};
use crate::limits;
use crate::line::{Line, tell};
use crate::live::Brief;
use crate::memory::{Stranger, Under};
use crate::parcel::{Confidence, Fate, Identity, OpenKind, Parcel, Sighting, Track};
use crate::reason::Reason;
use crate::tracking::window::{Window, drawn_length_fits, length_fits, length_tolerance};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use units::{Distance, Position};

impl Line {
    /// Takes an edge at an eye of the sorter belt.
    pub(crate) fn edge(
        &mut self,
        eye: EyeId,
        active: bool,
        at: Position,
        spread: Distance,
        out: &mut Vec<Decision>,
    ) {
        let Some(place) = self.layout.eyes.get(usize::from(eye.0)) else { return };
        self.memory.nodes[usize::from(place.node.0)].spread = spread;
        self.memory.spoke[usize::from(eye.0)] = Some(at);
        self.told(at);
        self.note_edge(at);
        self.watch_eye(eye, active, out);
        if !active {
            self.tail_edge(eye, at, out);
        } else if eye == EyeId(0) {
            if !self.joined(eye, at, out) {
                self.induct(at, spread, out);
            }
        } else if !self.repeated(eye, at, spread) && !self.joined(eye, at, out) {
            self.head_edge(eye, at, spread, out);
        }
        self.recheck_gaps(out);
    }

    /// Whether this head edge was taken already from the end of an arm.
    fn repeated(&self, eye: EyeId, at: Position, spread: Distance) -> bool {
        let same = self.layout.counts(limits::SAME_EDGE).plus(spread);
        self.seen_near(eye, at, same).is_some()
    }

    /// The most downstream parcel that an eye saw no further than `by` from `at`.
    pub(crate) fn seen_near(&self, eye: EyeId, at: Position, by: Distance) -> Option<ParcelId> {
        let may = |brief: &Brief| brief.seen_near(&self.layout, eye, at, by);
        let is =
            |parcel: &Parcel| parcel.at(eye).is_some_and(|seen| at.since(seen.head).abs() <= by);
        self.memory.live.pick(may, is).next().map(|parcel| parcel.id)
    }

    /// Makes a parcel.
    fn induct(&mut self, at: Position, spread: Distance, out: &mut Vec<Decision>) {
        let eye = EyeId(0);
        self.wake(out);
        self.tail_missing(eye, out);
        while self.memory.live.len() >= usize::from(self.layout.limits.in_flight_max.max(1)) {
            let Some(oldest) = self.memory.live.keys().next().copied() else { break };
            self.lose(oldest, self.layout.last_eye(), out);
        }
        let id = ParcelId(self.memory.next_parcel);
        self.memory.next_parcel += 1;
        let track = Track {
            seen: vec![Sighting { eye, head: at, tail: None, spread }],
            next: 1,
            slack: Distance(0),
            length: None,
        };
        let identity = Identity::Unread;
        let parcel = Parcel {
            id,
            track,
            identity,
            weight: None,
            fate: Fate::Open,
            confidence: Confidence::Certain,
            size_mm: [0; 3],
            rescan: None,
            mixed: false,
        };
        self.memory.live.put(&self.layout, parcel);
        self.memory.under[0] = Under::Parcel(id);
        self.count_induction();
        tell(out, id, ParcelEvent::Inducted { at });
    }

    /// Takes a head edge behind the induction eye.
    fn head_edge(&mut self, eye: EyeId, at: Position, spread: Distance, out: &mut Vec<Decision>) {
        self.tail_missing(eye, out);
        if self.stretch_at(eye).is_some() {
            self.open_stretch(eye, at, spread, out);
            return;
        }
        let fitting = self.fitting(eye, at);
        match fitting.as_slice() {
            [] if self.late_before(ParcelId(self.memory.next_parcel), eye, at) => {
                self.open_stretch(eye, at, spread, out);
            }
            [] => match self.lost_fitting(eye, at) {
                Some(id) => {
                    self.find_again(id, out);
                    self.see(id, eye, at, spread, out);
                }
                None => self.ghost(eye, at, out),
            },
            [one] if !self.late_before(*one, eye, at) => {
                let disorder = self.disorder(*one, eye, at);
                self.see(*one, eye, at, spread, out);
                for id in disorder {
                    self.doubt(*one, Reason::Uncertain, out);
                    self.doubt(id, Reason::Uncertain, out);
                }
            }
            [_, ..] => self.open_stretch(eye, at, spread, out),
        }
    }

    /// Parcels on the belt whose window at `eye` holds `at`, most downstream first.
    fn fitting(&self, eye: EyeId, at: Position) -> Vec<ParcelId> {
        let (layout, nodes) = (&self.layout, &self.memory.nodes);
        let holds = |window: Window| window.holds(at);
        let may = |brief: &Brief| brief.expected_where(layout, nodes, eye, holds);
        let is = |parcel: &Parcel| {
            parcel.at(eye).is_none() && parcel.expected(layout, nodes, eye).is_some_and(holds)
        };
        self.memory.live.pick(may, is).map(|parcel| parcel.id).collect()
    }

    /// The one lost parcel whose window, doubled, holds `at`, at the eye that missed it or the next;
    /// `None` when none or several do, or anybody else could be it.
    fn lost_fitting(&self, eye: EyeId, at: Position) -> Option<ParcelId> {
        let limits = &self.layout.limits;
        if self.memory.live.len() >= usize::from(limits.in_flight_max) {
            return None;
        }
        let mut fitting = self.memory.open.values().filter(|open| match open.kind {
            OpenKind::Unconfirmed { .. } => false,
            OpenKind::Lost { eye: missed } => {
                let window = open.parcel.expected(&self.layout, &self.memory.nodes, eye);
                open.parcel.at(eye).is_none()
                    && eye.0 <= missed.0 + 1
                    && window.is_some_and(|window| window.widened(limits.tolerance).holds(at))
            }
        });
        let first = fitting.next().map(|open| open.parcel.id);
        let one = first.filter(|_| fitting.next().is_none());
        one.filter(|id| !self.also_missing(*id, eye, at))
    }

    /// Parcels whose order with `id` a head of `id` at `at` would break.
    pub(crate) fn disorder(&self, id: ParcelId, eye: EyeId, at: Position) -> Vec<ParcelId> {
        let (layout, nodes) = (&self.layout, &self.memory.nodes);
        let later = |window: Window| window.from.since(at).0 > 0;
        let may = |brief: &Brief| match brief.id.cmp(&id) {
            Ordering::Less => {
                brief.seen_behind(layout, eye, at)
                    || brief.expected_where(layout, nodes, eye, later)
            }
            Ordering::Equal => false,
            Ordering::Greater => brief.seen_ahead(layout, eye, at),
        };
        let is = |parcel: &Parcel| match (parcel.id.cmp(&id), parcel.at(eye)) {
            (Ordering::Less, Some(seen)) => seen.head.since(at).0 > 0,
            (Ordering::Less, None) => parcel.expected(layout, nodes, eye).is_some_and(later),
            (Ordering::Greater, Some(seen)) => seen.head.since(at).0 < 0,
            (Ordering::Greater, None) | (Ordering::Equal, _) => false,
        };
        self.memory.live.pick(may, is).map(|parcel| parcel.id).collect()
    }

    /// Notes that `id` was seen at `eye` and what follows from it.
    pub(crate) fn see(
        &mut self,
        id: ParcelId,
        eye: EyeId,
        at: Position,
        spread: Distance,
        out: &mut Vec<Decision>,
    ) {
        self.memory.under[usize::from(eye.0)] = Under::Parcel(id);
        let known = self.change(id, |parcel| {
            let sighting = Sighting { eye, head: at, tail: None, spread };
            let place = parcel.track.seen.partition_point(|seen| seen.eye < eye);
            let newest = place == parcel.track.seen.len();
            let before = parcel.last().eye;
            parcel.track.seen.insert(place, sighting);
            if newest {
                parcel.track.next = eye.0 + 1;
                parcel.track.slack = Distance(0);
            }
            (newest, before)
        });
        let Some((newest, before)) = known else { return };
        tell(out, id, ParcelEvent::Seen { eye, at });
        if newest {
            self.watch_skipped(before, eye, at, out);
            self.watch_rescanners(before, eye, out);
        }
        self.seen_decides(id, eye, out);
    }

    /// A head edge came although the tail of whoever was under the eye did not.
    fn tail_missing(&mut self, eye: EyeId, out: &mut Vec<Decision>) {
        let under = core::mem::replace(&mut self.memory.under[usize::from(eye.0)], Under::Clear);
        match under {
            Under::Clear | Under::Stranger | Under::Open => {}
            Under::Parcel(id) => self.doubt(id, Reason::Uncertain, out),
            Under::Torn(id) => self.close_torn(id, eye, out),
        }
    }

    /// Whether this head edge only ends a hole in whoever is under the eye: its handle, or the gap
    /// beside a strap.
    fn joined(&mut self, eye: EyeId, at: Position, out: &mut Vec<Decision>) -> bool {
        let id = match self.memory.under[usize::from(eye.0)] {
            Under::Torn(id) => Some(id),
            Under::Clear => self.may_be_torn(eye, at),
            Under::Parcel(_) | Under::Stranger | Under::Open => None,
        };
        let hole = self.layout.counts(limits::HOLE);
        let Some(id) = id else { return false };
        let unmeasured = self.change(id, |parcel| {
            let newest = parcel.last().eye == eye;
            let seen = parcel.track.seen.iter_mut().find(|seen| seen.eye == eye)?;
            if seen.tail.is_none_or(|tail| at.since(tail) > hole) {
                return None;
            }
            seen.tail = None;
            let behind = parcel.track.seen.iter().filter(|seen| seen.eye != EyeId(0)).count();
            let unmeasured = newest && behind == 1;
            if unmeasured {
                // What was measured here was no length.
                parcel.track.length = None;
            }
            Some(unmeasured)
        });
        let Some(unmeasured) = unmeasured.flatten() else { return false };
        if unmeasured {
            self.withdraw(id, out);
        }
        self.memory.under[usize::from(eye.0)] = Under::Parcel(id);
        true
    }

    /// The parcel whose tail has just passed an eye that had no length of it before.
    fn may_be_torn(&self, eye: EyeId, at: Position) -> Option<ParcelId> {
        let bounds = &self.layout.limits;
        let whole = |parcel: &Parcel| {
            let drawn = parcel.at(EyeId(0)).and_then(Sighting::length);
            drawn
                .filter(|_| eye != EyeId(0))
                .map_or(bounds.length_max, |drawn| drawn.plus(length_tolerance(bounds, drawn)))
        };
        let is = |parcel: &Parcel| {
            parcel.last().eye == eye
                && (eye == EyeId(0) || parcel.track.seen.len() == 2)
                && at.since(parcel.last().head) <= whole(parcel)
        };
        let mut torn = self.memory.live.pick(|brief| brief.last.eye == eye, is);
        torn.next_back().map(|parcel| parcel.id)
    }

    /// Whether a tail at `at` comes too early for this parcel, so that it may be that of a hole.
    fn torn(&self, id: ParcelId, eye: EyeId, at: Position) -> bool {
        let bounds = &self.layout.limits;
        let Some(parcel) = self.memory.live.get(&id).filter(|_| eye != EyeId(0)) else {
            return false;
        };
        let Some(seen) = parcel.at(eye) else { return false };
        let measured = at.since(seen.head);
        let drawn = parcel.at(EyeId(0)).and_then(Sighting::length);
        match (parcel.track.length, drawn) {
            (Some(first), _) => measured < first && !length_fits(bounds, first, measured),
            (None, Some(drawn)) => measured < drawn && !drawn_length_fits(bounds, drawn, measured),
            (None, None) => false,
        }
    }

    /// Takes the tail of a torn parcel for its own.
    fn close_torn(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        self.memory.under[usize::from(eye.0)] = Under::Clear;
        let tail = self.torn_tail(id, eye);
        if let Some(tail) = tail {
            self.close(id, eye, tail, out);
        }
    }

    fn torn_tail(&self, id: ParcelId, eye: EyeId) -> Option<Position> {
        self.memory.live.get(&id)?.at(eye)?.tail
    }

    /// Where the word of an eye settles that a torn parcel has ended there.
    pub(crate) fn torn_end(&self, eye: EyeId) -> Option<Position> {
        match self.memory.under.get(usize::from(eye.0))? {
            Under::Torn(id) => {
                let hole = self.layout.counts(limits::HOLE);
                self.torn_tail(*id, eye).map(|tail| tail.plus(hole).plus(Distance(1)))
            }
            Under::Clear | Under::Parcel(_) | Under::Stranger | Under::Open => None,
        }
    }

    /// Closes every torn parcel behind which nothing more came.
    pub(crate) fn settle_torn(&mut self, out: &mut Vec<Decision>) {
        for index in 0..self.layout.eyes.len() {
            let Under::Torn(id) = self.memory.under[index] else { continue };
            let Some(eye) = self.layout.eye_id(index) else { continue };
            let node = self.layout.eye(eye).node;
            if self.torn_end(eye).is_none_or(|end| self.heard(node, end)) {
                self.close_torn(id, eye, out);
            }
        }
    }

    /// Takes a tail edge: it closes whoever is under the eye.
    pub(crate) fn tail_edge(&mut self, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
        let under = core::mem::replace(&mut self.memory.under[usize::from(eye.0)], Under::Clear);
        match under {
            Under::Clear => {}
            Under::Stranger => {
                let last = self.memory.strangers.iter_mut().rev().find(|s| s.eye == eye);
                if let Some(stranger) = last {
                    stranger.tail = Some(at);
                }
            }
            Under::Open => self.stretch_tail(eye, at),
            Under::Parcel(id) if self.torn(id, eye, at) => {
                self.memory.under[usize::from(eye.0)] = Under::Torn(id);
                self.change(id, |parcel| parcel.end_at(eye, at));
            }
            Under::Torn(id) | Under::Parcel(id) => self.close(id, eye, at, out),
        }
    }

    /// Notes a parcel's tail at an eye and checks its length.
    fn close(&mut self, id: ParcelId, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
        let head = self.change(id, |parcel| parcel.end_at(eye, at)).flatten();
        let (Some(head), Some(parcel)) = (head, self.memory.live.get(&id)) else { return };
        let measured = at.since(head);
        let known = parcel.track.length;
        let bounds = &self.layout.limits;
        let reason = match (parcel.track.length, parcel.at(EyeId(0)).and_then(Sighting::length)) {
            // Still half on the belt before: what it reads there is no length yet.
            _ if eye == EyeId(0) => (measured.0 <= 0).then_some(Reason::LengthMismatch),
            (Some(first), _) => {
                (!length_fits(bounds, first, measured)).then_some(Reason::LengthMismatch)
            }
            (None, drawn) => {
                self.change(id, |parcel| parcel.track.length = Some(measured));
                tell(out, id, ParcelEvent::Measured { length: measured });
                let bounds = &self.layout.limits;
                let fits = drawn.is_none_or(|drawn| drawn_length_fits(bounds, drawn, measured));
                if measured > bounds.length_max {
                    Some(Reason::Touching)
                } else {
                    (!fits || measured.0 <= 0).then_some(Reason::LengthMismatch)
                }
            }
        };
        if let Some(length) = known.filter(|_| eye != EyeId(0)) {
            self.watch_length(eye, reason.is_some() && measured < length, out);
        }
        match reason {
            Some(reason) => self.doubt(id, reason, out),
            None => self.decide_when_sure(id, out),
        }
        if eye == self.layout.last_eye() {
            if self.lifted(id, measured) {
                self.lose(id, eye, out);
            } else {
                self.end(id, out);
            }
        }
    }

    /// Whether a parcel was under the last eye for a shorter way than it is long at every eye before:
    /// a hand took it from there, and it did not drop.
    fn lifted(&self, id: ParcelId, measured: Distance) -> bool {
        let last = self.layout.last_eye();
        let Some(parcel) = self.memory.live.get(&id) else { return false };
        let whole =
            parcel.track.seen.iter().filter(|seen| seen.eye != EyeId(0) && seen.eye != last);
        whole.filter_map(Sighting::length).min().is_some_and(|least| {
            measured < least && !length_fits(&self.layout.limits, least, measured)
        })
    }

    /// An edge that nothing explains: counted and alarmed, and nobody's fate moves.
    pub(crate) fn ghost(&mut self, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
        self.memory.counters.ghosts += 1;
        self.memory.under[usize::from(eye.0)] = Under::Stranger;
        let horizon = self.layout.counts(limits::STRANGER_MEMORY);
        self.memory.strangers.retain(|stranger| at.since(stranger.head).0 <= horizon.0);
        if self.memory.strangers.len() >= limits::STRANGERS_MAX {
            self.memory.strangers.remove(0);
        }
        self.memory.strangers.push(Stranger { eye, head: at, tail: None });
        self.raise(Alarm::Ghost(self.layout.eye(eye).node), out);
    }
}
