//! Re-scans: what a scanner behind diverters tells of parcels that the tunnel named, or could not.
//!
//! A place and a code are two witnesses, and nothing is restored by one of them: a parcel in doubt
//! needs its own code where it is expected, a parcel without a code needs a place beyond doubt. Both
//! are sorted only once the eye behind the scanner has seen one body of their length where it was
//! triggered, as behind the tunnel. A code that does not fit makes everybody doubtful whom it
//! concerns.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent, Rescan};
use crate::identify::{Outcome, outcome};
use crate::ids::{EyeId, ParcelId, ScannerId};
use crate::layout::{Layout, StationPlace};
use crate::limits;
use crate::line::{Line, tell};
use crate::parcel::{Confidence, Fate, Identity, Parcel};
use crate::reason::Reason;
use crate::signal::Read;
use crate::tracking::window::Window;
use alloc::vec::Vec;
use units::{Distance, Position};

/// What one re-scanner has told so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RescanMemory {
    /// Codes that were those of the tunnel.
    pub confirmed: u64,
    /// Parcels in doubt or without a code that were sorted by its word.
    pub restored: u64,
    /// Codes that were another parcel's, or read where their parcel is not.
    pub differs: u64,
    /// Triggers without exactly one code.
    pub unread: u64,
    /// Parcels in a row that passed without a code.
    pub silent: u8,
}

/// Where a parcel was triggered at a re-scanner that may make it sure again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Which scanner.
    pub scanner: ScannerId,
    /// Belt position at its head.
    pub head: Position,
    /// ± of that.
    pub spread: Distance,
}

impl Layout {
    /// The re-scanner of this number; the tunnel's scanner is none.
    pub fn rescanner(&self, scanner: ScannerId) -> Option<&StationPlace> {
        self.rescanners.get(usize::from(scanner.0).checked_sub(1)?)
    }
}

impl Line {
    /// Takes the answer of a re-scanner for one trigger.
    pub(crate) fn rescan(&mut self, trigger: Trigger, read: Read, out: &mut Vec<Decision>) {
        let Some(place) = self.layout.rescanner(trigger.scanner) else { return };
        let node = place.node;
        match outcome(read) {
            Outcome::Unreadable(_) => self.count_rescan(trigger.scanner, |told| told.unread += 1),
            Outcome::Code(code) => {
                self.count_rescan(trigger.scanner, |told| told.silent = 0);
                self.clear(Alarm::RescannerSilent(node), out);
                self.compare(trigger, &code, out);
            }
        }
    }

    fn count_rescan(&mut self, scanner: ScannerId, count: impl FnOnce(&mut RescanMemory)) {
        let index = usize::from(scanner.0).checked_sub(1);
        if let Some(told) = index.and_then(|index| self.memory.rescanners.get_mut(index)) {
            count(told);
        }
    }

    /// Window of a parcel's head at a re-scanner, from its last sighting ahead of it.
    fn window_at_rescan(&self, parcel: &Parcel, trigger: &Trigger) -> Option<Window> {
        let place = self.layout.rescanner(trigger.scanner)?.at;
        let ahead = |eye: EyeId| self.layout.eye(eye).at < place;
        let base = parcel.track.seen.iter().rev().find(|seen| ahead(seen.eye))?;
        let way = Distance(place.0 - self.layout.eye(base.eye).at.0);
        let limits = &self.layout.limits;
        Some(parcel.base(limits, base).behind(limits, way, trigger.spread))
    }

    /// Weighs a code against whoever is expected where it was read, and whoever has it.
    fn compare(&mut self, trigger: Trigger, code: &str, out: &mut Vec<Decision>) {
        let fits = |parcel: &&Parcel| {
            let window = self.window_at_rescan(parcel, &trigger);
            window.is_some_and(|window| window.holds(trigger.head))
        };
        let here: Vec<ParcelId> = self.memory.live.values().filter(fits).map(|p| p.id).collect();
        let open = self.memory.open.values().map(|open| &open.parcel);
        let known = self.memory.live.values().chain(open);
        let holders: Vec<ParcelId> =
            known.filter(|parcel| parcel.has_code(code)).map(|parcel| parcel.id).collect();
        // Of two with the same code, it is the one that is expected here.
        let expected = holders.iter().find(|holder| here.contains(holder));
        let holder = expected.or(holders.first()).copied();
        match (here.as_slice(), holder) {
            ([one], Some(holder)) if *one == holder => self.same_code(holder, trigger, code, out),
            ([one], None) if self.nameless(*one) => self.name(*one, trigger, code, out),
            ([one], holder) => {
                self.contradict(*one, trigger, code, Rescan::Differs, out);
                if let Some(holder) = holder {
                    self.contradict(holder, trigger, code, Rescan::Elsewhere, out);
                }
                self.count_contradiction(trigger.scanner, out);
            }
            // Nobody or several are expected here; whoever has the code is one of them, or not.
            (_, Some(holder)) if self.may_be_here(holder, &trigger) => {}
            (_, Some(holder)) => {
                self.contradict(holder, trigger, code, Rescan::Elsewhere, out);
                self.count_contradiction(trigger.scanner, out);
            }
            (_, None) if self.memory.landed.contains(code) && self.is_fresh(&trigger) => {
                self.count_contradiction(trigger.scanner, out);
            }
            (_, None) => self.memory.counters.unowned_reads += 1,
        }
    }

    /// Whether a parcel has no code.
    fn nameless(&self, id: ParcelId) -> bool {
        self.memory.live.get(&id).is_some_and(|parcel| parcel.identity.code().is_none())
    }

    /// Whether any part of a parcel could be at a re-scanner: a strap or a hole triggers it again.
    fn may_be_here(&self, id: ParcelId, trigger: &Trigger) -> bool {
        let parcel = self.memory.live.get(&id);
        let window = parcel.and_then(|parcel| self.window_at_rescan(parcel, trigger));
        let length = self.layout.limits.length_max;
        window.is_some_and(|window| window.later(length).holds(trigger.head))
    }

    /// Whether a trigger is so young that nobody can have landed since.
    fn is_fresh(&self, trigger: &Trigger) -> bool {
        let old = self.layout.counts(limits::RESCAN_OLD);
        self.belt_now(self.memory.now).is_none_or(|belt| belt.since(trigger.head) <= old)
    }

    /// A parcel's own code was read where it is expected.
    fn same_code(&mut self, id: ParcelId, trigger: Trigger, code: &str, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        if !parcel.uncertain() {
            tell_rescan(out, id, trigger, code, Rescan::Confirmed);
            self.count_rescan(trigger.scanner, |told| told.confirmed += 1);
        } else if parcel.curable() {
            self.change(id, |parcel| parcel.rescan = Some(trigger));
            tell_rescan(out, id, trigger, code, Rescan::Found);
            self.decide_when_sure(id, out);
        } else {
            tell_rescan(out, id, trigger, code, Rescan::Unproven);
        }
    }

    /// A code that nobody has was read where a parcel without one is expected.
    fn name(&mut self, id: ParcelId, trigger: Trigger, code: &str, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        if !parcel.certain() || !parcel.curable() {
            tell_rescan(out, id, trigger, code, Rescan::Unproven);
            return;
        }
        self.change(id, |parcel| {
            parcel.identity = Identity::Asked { code: code.into() };
            parcel.rescan = Some(trigger);
        });
        tell_rescan(out, id, trigger, code, Rescan::Named);
        tell(out, id, ParcelEvent::Identified { code: code.into() });
        out.push(Decision::AskRoute { parcel: id, code: code.into() });
        self.decide_when_sure(id, out);
    }

    /// What was read does not fit a parcel: nobody knows any more who it is, or where.
    fn contradict(
        &mut self,
        id: ParcelId,
        trigger: Trigger,
        code: &str,
        result: Rescan,
        out: &mut Vec<Decision>,
    ) {
        tell_rescan(out, id, trigger, code, result);
        self.doubt(id, Reason::OtherCode, out);
    }

    fn count_contradiction(&mut self, scanner: ScannerId, out: &mut Vec<Decision>) {
        self.count_rescan(scanner, |told| told.differs += 1);
        if let Some(place) = self.layout.rescanner(scanner) {
            self.raise(Alarm::RescanDiffers(place.node), out);
        }
    }

    /// Takes a read of a re-scanner that belongs to no open trigger: whoever was to be made sure by
    /// it may have lost or taken a code.
    pub(crate) fn unassigned_rescan(&mut self, scanner: ScannerId, out: &mut Vec<Decision>) {
        let waits = |parcel: &&Parcel| parcel.rescan.is_some_and(|at| at.scanner == scanner);
        let doubtful: Vec<ParcelId> =
            self.memory.live.values().filter(waits).map(|parcel| parcel.id).collect();
        for id in doubtful {
            self.change(id, |parcel| parcel.rescan = None);
            self.doubt(id, Reason::UnassignedRead, out);
        }
    }

    /// Makes a parcel sure that was triggered at a re-scanner, once the first eye behind it has seen
    /// the whole of it; doubtful when it was not seen where it was triggered.
    pub(crate) fn settle_rescan(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let Some(trigger) = parcel.rescan else { return };
        let Some(place) = self.layout.rescanner(trigger.scanner) else { return };
        let behind = |eye: EyeId| self.layout.eye(eye).at > place.at;
        let Some(seen) = parcel.track.seen.iter().find(|seen| behind(seen.eye)).copied() else {
            return;
        };
        let open = match parcel.confidence {
            Confidence::Open { .. } => true,
            Confidence::Certain | Confidence::Uncertain => false,
        };
        if open || seen.tail.is_none() {
            return;
        }
        let way = Distance(self.layout.eye(seen.eye).at.0 - place.at.0);
        let spread = trigger.spread.plus(seen.spread);
        let window = Window::around(&self.layout.limits, trigger.head, way, spread);
        let sure = window.holds(seen.head)
            && parcel.curable()
            && parcel.track.length.is_some()
            && self.disorder(id, seen.eye, seen.head).is_empty();
        self.change(id, |parcel| parcel.rescan = None);
        if sure {
            self.restore(id, trigger.scanner, out);
        } else {
            self.doubt(id, Reason::Uncertain, out);
        }
    }

    /// A parcel is sure again: it is decided about as if nothing had been the matter.
    fn restore(&mut self, id: ParcelId, scanner: ScannerId, out: &mut Vec<Decision>) {
        self.count_rescan(scanner, |told| told.restored += 1);
        let now = Confidence::Certain;
        let was = self.change(id, |parcel| {
            parcel.fate = Fate::Open;
            core::mem::replace(&mut parcel.confidence, now)
        });
        if was == Some(Confidence::Uncertain) {
            tell(out, id, ParcelEvent::Believed { now });
        }
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let (code, last) = (parcel.identity.code().cloned(), parcel.last().eye);
        let Some(code) = code else { return };
        let over = self.layout.diverters.last().is_none_or(|diverter| last >= diverter.eye);
        let parcel = &self.memory.live[&id];
        let reason = match &parcel.identity {
            _ if self.known_waybill(id, &code) => Some(Reason::Duplicate),
            Identity::Unknown { .. } => Some(Reason::NoManifest),
            identity if over => Some(identity.late()),
            Identity::Asked { .. } => {
                out.push(Decision::AskRoute { parcel: id, code });
                None
            }
            Identity::Unread | Identity::Unreadable | Identity::Known { .. } => None,
        };
        if let Some(reason) = reason {
            self.send_to_end(id, reason, out);
        }
    }

    /// Takes word that a parcel went from `from` to `to`: the re-scanners between should read it.
    pub(crate) fn watch_rescanners(&mut self, from: EyeId, to: EyeId, out: &mut Vec<Decision>) {
        let (from, to) = (self.layout.eye(from).at, self.layout.eye(to).at);
        let mut silent = Vec::new();
        for (place, told) in self.layout.rescanners.iter().zip(&mut self.memory.rescanners) {
            let up = self.memory.nodes[usize::from(place.node.0)].up;
            if up && from < place.at && place.at < to {
                told.silent = told.silent.saturating_add(1);
                silent.extend((told.silent >= limits::RESCANS_SILENT).then_some(place.node));
            }
        }
        for node in silent {
            self.raise(Alarm::RescannerSilent(node), out);
        }
    }
}

/// Adds what a re-scanner told of a parcel to its story.
fn tell_rescan(
    out: &mut Vec<Decision>,
    id: ParcelId,
    trigger: Trigger,
    code: &str,
    result: Rescan,
) {
    let (scanner, code) = (trigger.scanner, code.into());
    tell(out, id, ParcelEvent::Rescanned { scanner, code, result });
}
