//! Stretches of edges whose owners are open: opened by the first edge that several parcels could
//! have cut, closed by what comes behind it, at the latest when every window there is over.
//!
//! A stretch keeps pulses only; who could have cut them is weighed anew with each word of its eye
//! (see [`hypothesis`](super::hypothesis)), so that nothing in it can grow stale.

use crate::decision::{Decision, ParcelEvent};
use crate::ids::{EyeId, ParcelId};
use crate::limits;
use crate::line::{Line, tell};
use crate::live::Brief;
use crate::memory::{Pulse, Stretch, Under};
use crate::parcel::{Confidence, OpenKind, Parcel, Sighting};
use crate::reason::Reason;
use crate::tracking::hypothesis::{Candidate, EDGE, Fit, MARGIN, Verdict, weigh};
use crate::tracking::window::{Window, drawn_length_fits, length_fits, length_tolerance};
use alloc::vec::Vec;
use units::{Distance, Position};

/// A parcel that may be in a stretch.
struct Suspect {
    id: ParcelId,
    /// It was given up as lost at this eye.
    lost: bool,
}

impl Line {
    /// Whether a head at `at` that fits nobody or `id` could be an earlier parcel that comes late:
    /// one that is missing at this eye, with nobody behind it seen there.
    pub(crate) fn late_before(&self, id: ParcelId, eye: EyeId, at: Position) -> bool {
        let missing = |parcel: &Parcel| {
            parcel.id < id
                && !self.maybe_gone(&parcel.fate)
                && self.comes_late(parcel, eye, at)
                && self.late_possible(parcel.id, id, eye)
        };
        let may = |brief: &Brief| brief.id < id && self.may_come_late(brief, eye, at);
        self.lost_before(id, eye, at) || self.memory.live.pick(may, missing).next().is_some()
    }

    /// The same of those that were given up as lost there.
    fn lost_before(&self, id: ParcelId, eye: EyeId, at: Position) -> bool {
        self.memory.open.range(..id).any(|(_, open)| {
            open.kind == OpenKind::Lost { eye }
                && self.comes_late(&open.parcel, eye, at)
                && self.late_possible(open.parcel.id, id, eye)
        })
    }

    /// Whether a head at `at` would be this parcel's behind its window, near enough to be it.
    fn comes_late(&self, parcel: &Parcel, eye: EyeId, at: Position) -> bool {
        let behind = |window: Window| self.near_behind(window, at);
        let nodes = &self.memory.nodes;
        parcel.last().eye < eye && parcel.expected(&self.layout, nodes, eye).is_some_and(behind)
    }

    /// The same as its brief tells.
    fn may_come_late(&self, brief: &Brief, eye: EyeId, at: Position) -> bool {
        brief.expected_where(&self.layout, &self.memory.nodes, eye, |window| {
            self.near_behind(window, at)
        })
    }

    fn near_behind(&self, window: Window, at: Position) -> bool {
        let behind = at.since(window.to);
        behind.0 > 0 && behind <= self.layout.counts(limits::STRANGER_MEMORY)
    }

    /// Whether somebody else who is missing could have cut this eye at `at` in place of `id`: in a pile
    /// nobody's place is known, and whoever comes out of it may be any of them.
    pub(crate) fn also_missing(&self, id: ParcelId, eye: EyeId, at: Position) -> bool {
        let (tolerance, path) =
            (self.layout.limits.tolerance, self.layout.eye(self.layout.last_eye()).at);
        let newest = ParcelId(self.memory.next_parcel);
        self.memory.open.values().map(|open| &open.parcel).any(|other| {
            let window = other.expected(&self.layout, &self.memory.nodes, eye);
            let due = window.map(|window| window.widened(tolerance).later(path));
            other.id != id
                && other.last().eye < eye
                && due.is_some_and(|due| due.holds(at))
                && self.late_possible(other.id, newest, eye)
        })
    }

    /// The stretch that is open at an eye.
    pub(crate) fn stretch_at(&self, eye: EyeId) -> Option<usize> {
        self.memory.stretches.iter().position(|stretch| stretch.eye == eye)
    }

    /// Takes a head edge into the eye's stretch, opening one if there is none.
    pub(crate) fn open_stretch(
        &mut self,
        eye: EyeId,
        at: Position,
        spread: Distance,
        out: &mut Vec<Decision>,
    ) {
        self.memory.under[usize::from(eye.0)] = Under::Open;
        let place = self.stretch_at(eye).unwrap_or_else(|| {
            self.memory.stretches.push(Stretch { eye, pulses: Vec::new() });
            self.memory.stretches.len() - 1
        });
        let pulses = &mut self.memory.stretches[place].pulses;
        pulses.push(Pulse { head: at, tail: None, spread });
        let full = pulses.len() >= limits::PULSES_MAX;
        for id in self.suspects(place).iter().map(|suspect| suspect.id).collect::<Vec<_>>() {
            self.withdraw_at(id, eye, out);
            self.believe(id, Confidence::Open { eye }, out);
        }
        if full {
            self.close_stretch(eye, out);
        }
    }

    /// Notes a tail in the eye's stretch.
    pub(crate) fn stretch_tail(&mut self, eye: EyeId, at: Position) {
        let Some(place) = self.stretch_at(eye) else { return };
        if let Some(pulse) = self.memory.stretches[place].pulses.last_mut() {
            pulse.tail = Some(at);
        }
    }

    /// Says how sure a parcel is; doubt once cast stays.
    fn believe(&mut self, id: ParcelId, now: Confidence, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        if parcel.confidence != Confidence::Uncertain && parcel.confidence != now {
            self.change(id, |parcel| parcel.confidence = now);
            tell(out, id, ParcelEvent::Believed { now });
        }
    }

    /// Takes the arm at this eye back from a parcel that may not be the first to come there; it is
    /// decided again once it was seen.
    fn withdraw_at(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let bed = parcel.fate.choice().and_then(|choice| self.diverter_of(choice));
        let here = bed.is_some_and(|bed| self.layout.diverter(bed).eye == eye);
        if here && parcel.at(eye).is_none() {
            self.withdraw(id, out);
        }
    }

    /// A parcel is missing at `eye`: whoever comes next there could be it, so no arm waits for the
    /// next one until it was seen.
    pub(crate) fn suspect_follower(&mut self, id: ParcelId, eye: EyeId, out: &mut Vec<Decision>) {
        let next = self
            .memory
            .live
            .range(ParcelId(id.0 + 1)..)
            .map(|(_, parcel)| parcel)
            .find(|parcel| !self.maybe_gone(&parcel.fate) && parcel.at(eye).is_none())
            .map(|parcel| parcel.id);
        let Some(next) = next.filter(|next| self.late_possible(id, *next, eye)) else { return };
        self.withdraw_at(next, eye, out);
    }

    /// Whether the missing parcel `id` could still come to `eye` ahead of `next`: nobody between the
    /// two was seen there.
    fn late_possible(&self, id: ParcelId, next: ParcelId, eye: EyeId) -> bool {
        let may = |brief: &Brief| (id..next).contains(&brief.id) && brief.seen_at(eye);
        let is = |parcel: &Parcel| (id..next).contains(&parcel.id) && parcel.at(eye).is_some();
        self.memory.live.pick(may, is).next().is_none()
    }

    /// Whether somebody else could cut the eye in this parcel's window: a missing one that comes
    /// late, or one whose own window reaches into it. No arm may wait there then.
    pub(crate) fn contested(&self, parcel: &Parcel, eye: EyeId) -> bool {
        let nodes = &self.memory.nodes;
        let Some(mine) = parcel.expected(&self.layout, nodes, eye) else { return true };
        let meets =
            |window: Window| window.to.since(mine.from).0 >= 0 && mine.to.since(window.from).0 >= 0;
        let is = |other: &Parcel| {
            other.id != parcel.id
                && other.last().eye < eye
                && other.expected(&self.layout, nodes, eye).is_some_and(meets)
        };
        let may = |brief: &Brief| brief.expected_where(&self.layout, nodes, eye, meets);
        self.memory.live.pick(may, is).next().is_some() || self.lost_before(parcel.id, eye, mine.to)
    }

    /// Everybody who may be in a stretch, in the order of the belt.
    fn suspects(&self, place: usize) -> Vec<Suspect> {
        let Some(stretch) = self.memory.stretches.get(place) else { return Vec::new() };
        let Some(first) = stretch.pulses.first() else { return Vec::new() };
        let (eye, nodes) = (stretch.eye, &self.memory.nodes);
        let fits = |parcel: &Parcel| {
            let window = parcel.expected(&self.layout, nodes, eye);
            let near = |pulse: &Pulse| window.is_some_and(|window| window.holds(pulse.head));
            parcel.at(eye).is_none()
                && (stretch.pulses.iter().any(near) || self.comes_late(parcel, eye, first.head))
        };
        let may = |brief: &Brief| {
            brief.expected_where(&self.layout, nodes, eye, |window| {
                let holds = |pulse: &Pulse| window.holds(pulse.head);
                stretch.pulses.iter().any(holds) || self.near_behind(window, first.head)
            })
        };
        let live = self.memory.live.pick(may, |parcel| parcel.last().eye < eye && fits(parcel));
        let live = live.map(|parcel| Suspect { id: parcel.id, lost: false });
        let lost = self.memory.open.values().filter(|open| open.kind == OpenKind::Lost { eye });
        let lost = lost
            .filter(|open| fits(&open.parcel))
            .map(|open| Suspect { id: open.parcel.id, lost: true });
        let mut all: Vec<Suspect> = live.chain(lost).collect();
        all.sort_by_key(|suspect| suspect.id);
        // The nearest ones count: those far ahead are the ones that cannot come any more.
        let more = all.len().saturating_sub(limits::SUSPECTS_MAX);
        all.split_off(more)
    }

    fn suspect(&self, suspect: &Suspect) -> Option<&Parcel> {
        if suspect.lost {
            self.memory.open.get(&suspect.id).map(|open| &open.parcel)
        } else {
            self.memory.live.get(&suspect.id)
        }
    }

    /// How far a head at `at` is off this parcel's nominal place at `eye`, against what its window
    /// leaves it; late is positive.
    fn residual(&self, parcel: &Parcel, eye: EyeId, at: Position) -> i64 {
        let Some(base) = parcel.track.seen.iter().rev().find(|seen| seen.eye < eye) else {
            return 0;
        };
        let way = self.layout.eye(eye).at.0 - self.layout.eye(base.eye).at.0;
        let off = at.since(base.head).0 - way;
        // Drawn from a slower belt it may be late by any part of that.
        let drawn = if base.eye == EyeId(0) { parcel.drawn_late(&self.layout.limits).0 } else { 0 };
        let window = parcel.expected(&self.layout, &self.memory.nodes, eye);
        let half = window.map_or(1, |window| window.to.since(window.from).0 / 2).max(1);
        (off - off.clamp(0, drawn)) * EDGE / half
    }

    fn fit(&self, parcel: &Parcel, eye: EyeId, pulse: &Pulse) -> Fit {
        let limits = &self.layout.limits;
        let length = match pulse.tail.map(|tail| tail.since(pulse.head)) {
            None => 0,
            Some(measured) => match parcel.track.length {
                Some(first) if length_fits(limits, first, measured) => {
                    let tolerance = length_tolerance(limits, first).0.max(1);
                    (first.0 - measured.0).abs() * MARGIN / tolerance
                }
                Some(_) => return Fit::Never,
                None => {
                    let drawn = parcel.at(EyeId(0)).and_then(Sighting::length);
                    if drawn.is_some_and(|drawn| !drawn_length_fits(limits, drawn, measured)) {
                        return Fit::Never;
                    }
                    0
                }
            },
        };
        let window = parcel.expected(&self.layout, &self.memory.nodes, eye);
        match window {
            Some(window) if window.holds(pulse.head) => {
                Fit::Window { residual: self.residual(parcel, eye, pulse.head), length }
            }
            Some(_) if self.comes_late(parcel, eye, pulse.head) => Fit::Late { length },
            Some(_) | None => Fit::Never,
        }
    }

    /// How far the nearest parcel ahead was off its place at this eye: what the belt did to it, it
    /// did to those behind. Of one that was held back this says nothing.
    fn offset(&self, before: ParcelId, eye: EyeId) -> i64 {
        let ahead = self.memory.live.range(..before).rev().map(|(_, parcel)| parcel);
        let seen = ahead.filter_map(|parcel| parcel.at(eye).map(|seen| (parcel, seen.head))).next();
        let off = seen
            .filter(|(parcel, _)| !parcel.uncertain())
            .map_or(0, |(parcel, head)| self.residual(parcel, eye, head));
        if off.abs() <= EDGE { off } else { 0 }
    }

    fn verdict(&self, place: usize, suspects: &[Suspect]) -> Option<Verdict> {
        let stretch = self.memory.stretches.get(place)?;
        let node = self.layout.eye(stretch.eye).node;
        let nodes = &self.memory.nodes;
        let candidates: Vec<Candidate> = suspects
            .iter()
            .filter_map(|suspect| self.suspect(suspect).map(|parcel| (suspect, parcel)))
            .map(|(suspect, parcel)| Candidate {
                fits: stretch.pulses.iter().map(|p| self.fit(parcel, stretch.eye, p)).collect(),
                gone: !suspect.lost && self.maybe_gone(&parcel.fate),
                over: suspect.lost
                    || parcel
                        .expected(&self.layout, nodes, stretch.eye)
                        .is_some_and(|window| self.heard(node, window.end())),
            })
            .collect();
        let offset = suspects.first().map_or(0, |first| self.offset(first.id, stretch.eye));
        Some(weigh(stretch.pulses.len(), &candidates, offset))
    }

    /// Where the last word of a stretch is in: every pulse would have ended and every window is over.
    pub(crate) fn stretch_end(&self, stretch: &Stretch) -> Option<Position> {
        let limits = &self.layout.limits;
        let last = stretch.pulses.last()?.head;
        let place = self.stretch_at(stretch.eye)?;
        let mut end = last.plus(limits.length_max).plus(limits.tolerance);
        for suspect in self.suspects(place).iter().filter(|suspect| !suspect.lost) {
            let window = self
                .suspect(suspect)
                .and_then(|parcel| parcel.expected(&self.layout, &self.memory.nodes, stretch.eye));
            if let Some(window) = window.filter(|window| window.end().since(end).0 > 0) {
                end = window.end();
            }
        }
        Some(end)
    }

    /// Closes every stretch whose edges have become one parcel's each, or about which nothing more
    /// can be told.
    pub(crate) fn settle_stretches(&mut self, out: &mut Vec<Decision>) {
        let open: Vec<EyeId> = self.memory.stretches.iter().map(|stretch| stretch.eye).collect();
        for eye in open {
            let Some(place) = self.stretch_at(eye) else { continue };
            let stretch = &self.memory.stretches[place];
            let node = self.layout.eye(eye).node;
            let told = stretch.pulses.iter().all(|pulse| pulse.tail.is_some());
            let over = self.stretch_end(stretch).is_none_or(|end| self.heard(node, end));
            let settled = told
                && self
                    .verdict(place, &self.suspects(place))
                    .is_none_or(|verdict| verdict.settled());
            if settled || over {
                self.close_stretch(eye, out);
            }
        }
    }

    /// Gives the pulses of a stretch to the parcels of the best hypothesis; whoever another one
    /// within the margin places elsewhere is uncertain from now on.
    pub(crate) fn close_stretch(&mut self, eye: EyeId, out: &mut Vec<Decision>) {
        let Some(place) = self.stretch_at(eye) else { return };
        let suspects = self.suspects(place);
        let Some(verdict) = self.verdict(place, &suspects) else { return };
        let stretch = self.memory.stretches.remove(place);
        for (suspect, sure) in suspects.iter().zip(&verdict.candidates) {
            if !sure {
                self.doubt(suspect.id, Reason::Uncertain, out);
            }
        }
        for (number, pulse) in stretch.pulses.iter().enumerate() {
            let owner = verdict.best.owners.get(number).copied().flatten();
            self.under_clear(eye);
            let owner = owner.and_then(|owner| suspects.get(owner));
            match owner.filter(|suspect| self.is_told(suspect, eye, pulse.head)) {
                None => {
                    self.ghost(eye, pulse.head, out);
                    self.not_dark(eye, pulse.head, &suspects, out);
                }
                Some(suspect) => {
                    let late = self.is_late(suspect, eye, pulse.head);
                    if suspect.lost {
                        self.find_again(suspect.id, out);
                    } else if late || !verdict.pulses.get(number).is_some_and(|sure| *sure) {
                        self.doubt(suspect.id, Reason::Uncertain, out);
                    }
                    self.see(suspect.id, eye, pulse.head, pulse.spread, out);
                }
            }
            if let Some(tail) = pulse.tail {
                self.tail_edge(eye, tail, out);
            }
        }
        for suspect in suspects {
            self.believe(suspect.id, Confidence::Certain, out);
            self.decide_when_sure(suspect.id, out);
        }
    }

    fn is_late(&self, suspect: &Suspect, eye: EyeId, at: Position) -> bool {
        self.suspect(suspect).is_some_and(|parcel| self.comes_late(parcel, eye, at))
    }

    /// Whether a head at `at` can be told to be this suspect's: of one who was lost or comes late
    /// only while nobody else is missing.
    fn is_told(&self, suspect: &Suspect, eye: EyeId, at: Position) -> bool {
        let astray = suspect.lost || self.is_late(suspect, eye, at);
        !astray || !self.also_missing(suspect.id, eye, at)
    }

    /// Something came where one that was fired would come if it had not left: its landing is not
    /// proven by a dark eye, whoever that was.
    fn not_dark(
        &mut self,
        eye: EyeId,
        at: Position,
        suspects: &[Suspect],
        out: &mut Vec<Decision>,
    ) {
        let nodes = &self.memory.nodes;
        let fired = suspects.iter().filter_map(|suspect| self.memory.live.get(&suspect.id));
        let fired = fired.filter(|parcel| self.maybe_gone(&parcel.fate)).filter(|parcel| {
            parcel.expected(&self.layout, nodes, eye).is_some_and(|window| window.holds(at))
        });
        for id in fired.map(|parcel| parcel.id).collect::<Vec<_>>() {
            self.doubt(id, Reason::Uncertain, out);
        }
    }

    fn under_clear(&mut self, eye: EyeId) {
        self.memory.under[usize::from(eye.0)] = Under::Clear;
    }

    /// A bed was fired for an edge of an open stretch: what it is about is decided now, and whoever
    /// could have been under it is uncertain.
    pub(crate) fn force_stretch(&mut self, eye: EyeId, edge: Position, out: &mut Vec<Decision>) {
        let Some(place) = self.stretch_at(eye) else { return };
        let same = self.layout.counts(limits::SAME_EDGE);
        let stretch = &self.memory.stretches[place];
        if !stretch.pulses.iter().any(|pulse| edge.since(pulse.head).abs() <= same) {
            return;
        }
        for suspect in self.suspects(place) {
            self.doubt(suspect.id, Reason::Uncertain, out);
        }
        self.close_stretch(eye, out);
    }
}
