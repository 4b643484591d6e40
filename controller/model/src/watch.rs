//! Which eyes may be believed, and when a belt that should move does not: jams, blind, stuck and
//! dirty eyes, a standing encoder.
//!
//! A jam stops the line and names its eye; nothing here starts anything.

use crate::alarm::Alarm;
use crate::decision::Decision;
use crate::ids::{ChuteNo, EyeId, NodeId, ParcelId};
use crate::limits;
use crate::line::Line;
use crate::memory::{Belts, EyeMemory, Pace};
use crate::packml::StateReason;
use crate::reason::Reason;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use units::{Distance, Micros, Position};

/// A bed that was turned for a parcel.
struct Turned {
    by: ParcelId,
    chute: ChuteNo,
    /// Its arrival eye.
    eye: EyeId,
    /// Where it begins, from the induction eye.
    bed: Distance,
    /// Where the belt is when it returns.
    back: Position,
}

impl Line {
    /// Takes an edge for the sake of the eye itself.
    pub(crate) fn watch_eye(&mut self, eye: EyeId, active: bool, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        let Some(memory) = self.memory.eyes.get_mut(usize::from(eye.0)) else { return };
        memory.passed = 0;
        if active {
            (memory.lost, memory.lost_from) = (0, None);
            memory.blocked = Some(now);
        } else {
            memory.blocked = None;
            self.clear_jam(eye, out);
        }
    }

    fn clear_jam(&mut self, eye: EyeId, out: &mut Vec<Decision>) {
        for alarm in [Alarm::Jam(eye), Alarm::QueueJam(eye), Alarm::EyeStuck(eye)] {
            self.clear(alarm, out);
        }
    }

    /// Events of this node may be missing: whether its eyes are blocked is not known.
    pub(crate) fn forget_eyes(&mut self, node: NodeId, out: &mut Vec<Decision>) {
        let eyes = (0u8..).map(EyeId).zip(&self.layout.eyes);
        let mine: Vec<EyeId> =
            eyes.filter(|(_, place)| place.node == node).map(|(eye, _)| eye).collect();
        for eye in mine {
            self.memory.eyes[usize::from(eye.0)].blocked = None;
            self.clear_jam(eye, out);
        }
        // A landing whose end was lost would leave its chute full for ever.
        let over = self.layout.chutes.iter();
        let over = over.filter(|chute| self.layout.diverter(chute.diverter).node == node);
        for number in over.map(|chute| chute.number) {
            if let Some(memory) = self.memory.at_chutes.get_mut(&number) {
                memory.landing_eye = None;
            }
            if let Some(eye) = self.memory.landings.get_mut(&number) {
                eye.blocked = false;
            }
        }
    }

    /// Takes word that a parcel came to `to` and was last seen at `from`: the eyes between missed it.
    pub(crate) fn watch_skipped(
        &mut self,
        from: EyeId,
        to: EyeId,
        at: Position,
        out: &mut Vec<Decision>,
    ) {
        for eye in (from.0 + 1..to.0).map(EyeId) {
            let node = self.layout.eye(eye).node;
            let way = self.layout.eye(to).at.0 - self.layout.eye(eye).at.0;
            if self.blind(node, at.minus(Distance(way))) {
                continue;
            }
            self.memory.counters.missed_edges += 1;
            let memory = &mut self.memory.eyes[usize::from(eye.0)];
            (memory.lost, memory.lost_from) = (0, None);
            memory.missed = memory.missed.saturating_add(1);
            if memory.blocked.is_some() {
                memory.passed = memory.passed.saturating_add(1);
            }
            let (missed, passed) = (memory.missed, memory.passed);
            if passed >= limits::PASSED_STUCK {
                self.clear(Alarm::EyeBlind(eye), out);
                self.raise(Alarm::EyeStuck(eye), out);
            } else if missed >= limits::MISSED_BLIND {
                self.raise(Alarm::EyeBlind(eye), out);
            }
        }
        self.memory.eyes[usize::from(to.0)].missed = 0;
        self.clear(Alarm::EyeBlind(to), out);
    }

    /// Takes word of whether a parcel of known length was as long at `eye`; dirty lenses shorten.
    pub(crate) fn watch_length(&mut self, eye: EyeId, short: bool, out: &mut Vec<Decision>) {
        let memory = &mut self.memory.eyes[usize::from(eye.0)];
        memory.short = if short { memory.short.saturating_add(1) } else { 0 };
        if memory.short >= limits::SHORT_DIRTY {
            self.raise(Alarm::EyeDirty(eye), out);
        } else if !short {
            self.clear(Alarm::EyeDirty(eye), out);
        }
    }

    /// Takes word that a parcel did not come to `eye`: when others do not come either, and the eye
    /// behind it does not see them, they lie between.
    pub(crate) fn watch_lost(&mut self, eye: EyeId, out: &mut Vec<Decision>) {
        let Some(now) = self.belt_now(self.memory.now) else { return };
        let next = self.layout.eye_id(usize::from(eye.0) + 1);
        let spacing = next.map_or(Distance(0), |next| {
            Distance(self.layout.eye(next).at.0 - self.layout.eye(eye).at.0)
        });
        let tolerance = self.layout.limits.tolerance;
        let running = self.running();
        let memory = &mut self.memory.eyes[usize::from(eye.0)];
        memory.lost = memory.lost.saturating_add(1);
        let first = *memory.lost_from.get_or_insert(now);
        let seen_by_now = spacing.plus(tolerance).plus(tolerance);
        let jammed = memory.lost >= limits::LOST_JAM && now.since(first) > seen_by_now;
        if jammed && running {
            (memory.lost, memory.lost_from) = (0, None);
            self.raise(Alarm::ArrivalJam(eye), out);
            self.hold(StateReason::ArrivalJam(eye), out);
        }
    }

    /// The sorter belt is told to run, and its ramp is over.
    pub(crate) fn running(&self) -> bool {
        match self.memory.machine.mode.belts() {
            Belts::All | Belts::Emptying => true,
            Belts::Standing | Belts::Sorter | Belts::Infeed => false,
        }
    }

    /// When this eye will have been blocked for too long; `None` while it may be.
    fn jam_at(&self, eye: usize, memory: &EyeMemory) -> Option<Micros> {
        let stuck = Alarm::EyeStuck(self.layout.eye_id(eye)?);
        let since = memory.blocked.filter(|_| !self.memory.alarms.contains(&stuck))?;
        Some(since.max(self.memory.machine.since).plus(self.layout.limits.jam))
    }

    /// When the belt's counts will have stood for too long while parcels are on it.
    fn stall_at(&self) -> Option<Micros> {
        let path = self.layout.eye(self.layout.last_eye()).at;
        // Nobody asks the reference while the belt is empty.
        let moved = self.memory.moved.max(self.memory.machine.since).max(self.memory.active_at);
        let by_path = moved.plus(self.time_for(path).plus(limits::STALL_SPARE));
        let by_pace = self.kept_pace().map(|pace| pace.heard.max(moved).plus(limits::PACE_SILENT));
        let some = !self.memory.live.is_empty() && !self.memory.stalled;
        some.then(|| by_pace.map_or(by_path, |at| at.min(by_path)))
    }

    /// The pace of the present run.
    fn kept_pace(&self) -> Option<Pace> {
        self.memory.pace.filter(|pace| pace.when >= self.memory.machine.since)
    }

    /// Nobody heard the belt for a while, and that was not its fault: its silence says nothing.
    pub(crate) fn nobody_listened(&mut self) {
        (self.memory.pace, self.memory.moved) = (None, self.memory.now);
    }

    /// The belt comes to its speed until `when`: its counts are to keep pace from then on.
    pub(crate) fn begin_pace(&mut self, when: Micros) {
        let heard = self.memory.nodes[usize::from(self.reference().0)].heard;
        self.memory.pace = heard.map(|at| Pace { at, when, heard: when });
    }

    /// Takes word of how far the sorter belt's own node was heard while the belt runs.
    ///
    /// These counts are as fresh as the exchange that brought them, however late events of a bad bus
    /// are. Counts that fell behind the time stood for a while: everybody is elsewhere by that much.
    pub(crate) fn watch_pace(&mut self, node: NodeId, at: Position, out: &mut Vec<Decision>) {
        if node != self.reference() || !self.running() || self.memory.stalled {
            return;
        }
        let now = self.memory.now;
        let Some(pace) = self.kept_pace() else {
            self.memory.pace = Some(Pace { at, when: now, heard: now });
            return;
        };
        if now < pace.when {
            self.memory.pace = Some(Pace { at, ..pace });
            return;
        }
        let counts = |run: Micros| self.layout.counts(self.layout.speed.travel(run)).0;
        let due = counts(now.since(pace.when)) * limits::PACE_PERCENT / 100;
        let behind = due - at.since(pace.at).0;
        if behind > counts(limits::PACE_BEHIND) {
            self.counts_stood(out);
        } else if behind > 0 {
            self.memory.pace = Some(Pace { heard: now, ..pace });
        } else {
            self.memory.pace = Some(Pace { at, when: now, heard: now });
        }
    }

    /// The belt's counts stood while it may have run: nobody is where they say. Whoever was fired may
    /// lie in a chute whatever was seen since, and so may whoever came to a bed that these counts
    /// should have returned; everybody else runs to the end.
    fn counts_stood(&mut self, out: &mut Vec<Decision>) {
        let followers = self.may_have_followed();
        self.memory.pace = None;
        let all: Vec<ParcelId> = self.memory.live.keys().copied().collect();
        for id in all {
            let fired = self.memory.live.get(&id).and_then(|parcel| parcel.fate.fired_to());
            match fired.or_else(|| followers.get(&id).copied()) {
                Some(chute) => {
                    self.cancel_arm_of(id, out);
                    self.unconfirm(id, chute, out);
                }
                None => self.doubt(id, Reason::Uncertain, out),
            }
        }
        let node = self.reference();
        // What was carried on by time alone is of no worth.
        self.memory.belt.at = self.belt_heard();
        self.memory.belt.when = self.memory.now;
        self.raise(Alarm::EncoderStall(node), out);
        self.hold(StateReason::EncoderStall(node), out);
    }

    /// Whoever may have followed another parcel into its chute since the counts kept pace for the last
    /// time: the belt brought it to a bed that stayed turned.
    fn may_have_followed(&self) -> BTreeMap<ParcelId, ChuteNo> {
        let mut followers = BTreeMap::new();
        let heard = self.memory.nodes[usize::from(self.reference().0)].heard;
        let Some(heard) = heard.or(self.memory.belt.at) else { return followers };
        let kept = self.kept_pace();
        let from = kept.map_or(heard, |pace| pace.at);
        let since = kept.map_or(self.memory.moved, |pace| pace.when);
        let went = self.layout.speed.travel(self.memory.now.since(since));
        let coast = self.layout.speed.travel(Micros(self.layout.limits.ramp.0 / 2));
        let unseen = Distance(self.layout.counts(went).0 - heard.since(from).0).max(Distance(0));
        let reach = unseen.plus(self.layout.counts(coast)).plus(self.layout.limits.tolerance);
        for turned in self.turned_since(from) {
            let still = turned.back.since(heard).max(Distance(0));
            let behind = self.memory.live.range(ParcelId(turned.by.0 + 1)..);
            for (id, parcel) in behind {
                // What was seen while the counts stood may have been anybody.
                let told = parcel.track.seen.iter().rfind(|seen| seen.head.since(from).0 <= 0);
                let last = told.unwrap_or(parcel.last());
                let head = Distance(self.layout.eye(last.eye).at.0 + heard.since(last.head).0);
                if last.eye <= turned.eye && head.plus(reach).plus(still) >= turned.bed {
                    followers.insert(*id, turned.chute);
                }
            }
        }
        followers
    }

    /// Every bed that by its counts had not returned at `from`.
    fn turned_since(&self, from: Position) -> impl Iterator<Item = Turned> {
        let open = self.memory.open.values().map(|open| &open.parcel);
        let fired = self.memory.live.values().chain(open).filter_map(|parcel| {
            let chute = parcel.fate.fired_to()?;
            let place = self.layout.diverter(self.layout.chute(chute)?.diverter);
            let eye = self.layout.eye(place.eye).at;
            let seen = parcel.track.seen.iter().rfind(|seen| seen.eye <= place.eye)?;
            let way = Distance(eye.0 - self.layout.eye(seen.eye).at.0).plus(place.eye_to_bed);
            let length = parcel.track.length.unwrap_or(self.layout.limits.length_max);
            let back = seen.head.plus(way).plus(length).plus(place.bed);
            let bed = eye.plus(place.eye_to_bed);
            Some(Turned { by: parcel.id, chute, eye: place.eye, bed, back })
        });
        fired.filter(move |turned| turned.back.since(from).0 >= 0)
    }

    /// When the next jam or stall is to be looked for.
    pub(crate) fn watch_deadline(&self) -> Option<Micros> {
        if !self.running() {
            return None;
        }
        let eyes = self.memory.eyes.iter().enumerate();
        eyes.filter_map(|(eye, memory)| self.jam_at(eye, memory)).chain(self.stall_at()).min()
    }

    /// Stops a line whose eye stays blocked or whose counts stand.
    pub(crate) fn run_watch_deadlines(&mut self, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        if self.watch_deadline().is_none_or(|at| at > now) {
            return;
        }
        let eyes = self.memory.eyes.iter().enumerate();
        let due =
            eyes.filter(|(eye, memory)| self.jam_at(*eye, memory).is_some_and(|at| at <= now));
        let foremost = due.map(|(eye, _)| eye).max();
        if let Some(eye) = foremost.and_then(|eye| self.layout.eye_id(eye)) {
            // The belt stops for all: whoever lies behind the foremost is its queue.
            let before = usize::from(eye.0).checked_sub(1);
            let queue = before.and_then(|before| self.memory.eyes[before].blocked).is_some();
            self.raise(if queue { Alarm::QueueJam(eye) } else { Alarm::Jam(eye) }, out);
            self.hold(StateReason::Jam(eye), out);
        } else {
            self.counts_stood(out);
        }
    }

    /// Whether arms may rely on this eye.
    pub(crate) fn believed(&self, eye: EyeId) -> bool {
        let alarms = &self.memory.alarms;
        !alarms.contains(&Alarm::EyeStuck(eye)) && !alarms.contains(&Alarm::EyeBlind(eye))
    }

    /// Eyes whose jam has not been cleared.
    pub(crate) fn jammed(&self) -> impl Iterator<Item = EyeId> {
        let eyes = (0u8..).map(EyeId).take(self.layout.eyes.len());
        eyes.filter(|eye| {
            let alarms = &self.memory.alarms;
            alarms.contains(&Alarm::Jam(*eye)) || alarms.contains(&Alarm::QueueJam(*eye))
        })
    }
}
