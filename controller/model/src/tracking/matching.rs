//! Edges at eyes: which parcel they belong to.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{EyeId, ParcelId};
use crate::limits;
use crate::line::{Line, tell};
use crate::memory::{Stranger, Under};
use crate::parcel::{Fate, Identity, OpenKind, Parcel, Sighting, Track};
use crate::reason::Reason;
use crate::tracking::window::{drawn_length_fits, length_fits};
use alloc::vec;
use alloc::vec::Vec;
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
        if !active {
            self.tail_edge(eye, at, out);
        } else if eye == EyeId(0) {
            self.induct(at, spread, out);
        } else if !self.repeated(eye, at, spread) {
            self.head_edge(eye, at, spread, out);
        }
        self.recheck_gaps(out);
    }

    /// Whether this head edge was taken already from the end of an arm.
    fn repeated(&self, eye: EyeId, at: Position, spread: Distance) -> bool {
        let same = self.layout.counts(limits::SAME_EDGE).plus(spread);
        self.memory
            .live
            .values()
            .filter_map(|parcel| parcel.at(eye))
            .any(|seen| at.since(seen.head).abs() <= same)
    }

    /// Makes a parcel.
    fn induct(&mut self, at: Position, spread: Distance, out: &mut Vec<Decision>) {
        let eye = EyeId(0);
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
        let parcel = Parcel { id, track, identity, weight: None, fate: Fate::Open, certain: true };
        self.memory.live.insert(id, parcel);
        self.memory.under[0] = Under::Parcel(id);
        self.count_induction();
        tell(out, id, ParcelEvent::Inducted { at });
    }

    /// Takes a head edge behind the induction eye.
    fn head_edge(&mut self, eye: EyeId, at: Position, spread: Distance, out: &mut Vec<Decision>) {
        self.tail_missing(eye, out);
        let fitting = self.fitting(eye, at);
        match fitting.as_slice() {
            [] => match self.lost_fitting(eye, at) {
                Some(id) => {
                    self.find_again(id, out);
                    self.see(id, eye, at, spread, out);
                }
                None => self.ghost(eye, at, out),
            },
            [one] => {
                let disorder = self.disorder(*one, eye, at);
                self.see(*one, eye, at, spread, out);
                for id in disorder {
                    self.doubt(*one, Reason::Uncertain, out);
                    self.doubt(id, Reason::Uncertain, out);
                }
            }
            several => {
                for id in several {
                    self.doubt(*id, Reason::Uncertain, out);
                }
                // One of them stands there; the first that is not thought to be diverted carries the
                // position on, and nobody of them is certain any more.
                let first = several.iter().find(|id| !self.maybe_diverted(**id));
                if let Some(id) = first.or(several.first()).copied() {
                    self.see(id, eye, at, spread, out);
                }
            }
        }
    }

    fn maybe_diverted(&self, id: ParcelId) -> bool {
        self.memory.live.get(&id).is_some_and(|parcel| match parcel.fate {
            Fate::Fired { .. } | Fate::MayHaveFired { .. } => true,
            Fate::Open | Fate::Assigned(_) | Fate::Armed { .. } | Fate::ToEnd { .. } => false,
        })
    }

    /// Parcels on the belt whose window at `eye` holds `at`, most downstream first.
    fn fitting(&self, eye: EyeId, at: Position) -> Vec<ParcelId> {
        let nodes = &self.memory.nodes;
        self.memory
            .live
            .values()
            .filter(|parcel| parcel.at(eye).is_none())
            .filter(|parcel| {
                parcel.expected(&self.layout, nodes, eye).is_some_and(|window| window.holds(at))
            })
            .map(|parcel| parcel.id)
            .collect()
    }

    /// The one lost parcel whose window, doubled, holds `at`; `None` when none or several do.
    fn lost_fitting(&self, eye: EyeId, at: Position) -> Option<ParcelId> {
        let limits = &self.layout.limits;
        if self.memory.live.len() >= usize::from(limits.in_flight_max) {
            return None;
        }
        let mut fitting = self.memory.open.values().filter(|open| match open.kind {
            OpenKind::Unconfirmed { .. } => false,
            OpenKind::Lost { .. } => {
                let window = open.parcel.expected(&self.layout, &self.memory.nodes, eye);
                open.parcel.at(eye).is_none()
                    && window.is_some_and(|window| window.widened(limits.tolerance).holds(at))
            }
        });
        let first = fitting.next().map(|open| open.parcel.id);
        if fitting.next().is_some() { None } else { first }
    }

    /// Parcels whose order with `id` a head of `id` at `at` would break.
    fn disorder(&self, id: ParcelId, eye: EyeId, at: Position) -> Vec<ParcelId> {
        let nodes = &self.memory.nodes;
        let ahead = self.memory.live.range(..id).filter(|(_, parcel)| match parcel.at(eye) {
            Some(seen) => seen.head.since(at).0 > 0,
            None => parcel
                .expected(&self.layout, nodes, eye)
                .is_some_and(|window| window.from.since(at).0 > 0),
        });
        let behind = self
            .memory
            .live
            .range(ParcelId(id.0 + 1)..)
            .filter(|(_, parcel)| parcel.at(eye).is_some_and(|seen| seen.head.since(at).0 < 0));
        ahead.chain(behind).map(|(id, _)| *id).collect()
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
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        let sighting = Sighting { eye, head: at, tail: None, spread };
        let place = parcel.track.seen.partition_point(|seen| seen.eye < eye);
        let newest = place == parcel.track.seen.len();
        parcel.track.seen.insert(place, sighting);
        if newest {
            parcel.track.next = eye.0 + 1;
            parcel.track.slack = Distance(0);
        }
        tell(out, id, ParcelEvent::Seen { eye, at });
        self.seen_decides(id, eye, out);
    }

    /// A head edge came although the tail of whoever was under the eye did not.
    fn tail_missing(&mut self, eye: EyeId, out: &mut Vec<Decision>) {
        let under = core::mem::replace(&mut self.memory.under[usize::from(eye.0)], Under::Clear);
        match under {
            Under::Clear | Under::Stranger => {}
            Under::Parcel(id) => self.doubt(id, Reason::Uncertain, out),
        }
    }

    /// Takes a tail edge: it closes whoever is under the eye.
    fn tail_edge(&mut self, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
        let under = core::mem::replace(&mut self.memory.under[usize::from(eye.0)], Under::Clear);
        match under {
            Under::Clear => {}
            Under::Stranger => {
                let last = self.memory.strangers.iter_mut().rev().find(|s| s.eye == eye);
                if let Some(stranger) = last {
                    stranger.tail = Some(at);
                }
            }
            Under::Parcel(id) => self.close(id, eye, at, out),
        }
    }

    /// Notes a parcel's tail at an eye and checks its length.
    fn close(&mut self, id: ParcelId, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        let Some(seen) = parcel.track.seen.iter_mut().find(|seen| seen.eye == eye) else { return };
        seen.tail = Some(at);
        let measured = at.since(seen.head);
        let bounds = &self.layout.limits;
        let reason = match (parcel.track.length, parcel.at(EyeId(0)).and_then(Sighting::length)) {
            // Still half on the belt before: what it reads there is no length yet.
            _ if eye == EyeId(0) => (measured.0 <= 0).then_some(Reason::LengthMismatch),
            (Some(first), _) => {
                (!length_fits(bounds, first, measured)).then_some(Reason::LengthMismatch)
            }
            (None, drawn) => {
                parcel.track.length = Some(measured);
                tell(out, id, ParcelEvent::Measured { length: measured });
                let fits = drawn.is_none_or(|drawn| drawn_length_fits(bounds, drawn, measured));
                if measured > bounds.length_max {
                    Some(Reason::Touching)
                } else {
                    (!fits || measured.0 <= 0).then_some(Reason::LengthMismatch)
                }
            }
        };
        if let Some(reason) = reason {
            self.doubt(id, reason, out);
        }
        if eye == self.layout.last_eye() {
            self.end(id, out);
        }
    }

    /// An edge that nothing explains: counted and alarmed, and nobody's fate moves.
    fn ghost(&mut self, eye: EyeId, at: Position, out: &mut Vec<Decision>) {
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
