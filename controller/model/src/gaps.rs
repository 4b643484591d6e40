//! Gaps: room for a bed to turn and return, seen before an arm is planned and watched until it fires.

use crate::decision::Decision;
use crate::ids::{DiverterId, EyeId, ParcelId};
use crate::line::Line;
use crate::memory::{Arm, Stranger, Under};
use crate::parcel::{Choice, Fate, Parcel, Sighting};
use crate::reason::Reason;
use alloc::vec::Vec;
use units::{Distance, Position};

/// Whether there is room around a parcel for the bed to turn and return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is.
    Enough,
    /// Whoever follows was not seen behind the induction eye, and could still be too close.
    NotYetKnown,
    /// There is not.
    TooSmall,
}

impl Line {
    /// Room ahead of and behind a parcel at a bed, from the latest eyes that saw both.
    pub(crate) fn room(&self, parcel: &Parcel, bed: DiverterId) -> Room {
        let place = self.layout.diverter(bed);
        let ahead = self.memory.live.range(..parcel.id).next_back().map(|(_, parcel)| parcel);
        let short_ahead = ahead.is_some_and(|ahead| {
            let diverted = ahead.fate.choice().and_then(|choice| self.diverter_of(choice));
            let need = if diverted == Some(bed) { place.gap_after } else { place.gap_before };
            self.gap(ahead, parcel).is_none_or(|gap| gap < need.max(place.gap_before))
        });
        if short_ahead { Room::TooSmall } else { self.room_behind(parcel, bed) }
    }

    /// Room behind a parcel, and around it among strangers.
    fn room_behind(&self, parcel: &Parcel, bed: DiverterId) -> Room {
        let place = self.layout.diverter(bed);
        let need = place.gap_after.max(place.gap_before);
        if self.memory.strangers.iter().any(|stranger| self.crowds(stranger, parcel, need)) {
            return Room::TooSmall;
        }
        let follower = self.memory.live.range(ParcelId(parcel.id.0 + 1)..).next();
        match follower {
            Some((_, follower)) => {
                let gap = self.gap(parcel, follower);
                if gap.is_some_and(|gap| gap >= place.gap_after) {
                    Room::Enough
                } else if !follower.uncertain() && follower.last().eye == EyeId(0) {
                    // Drawn from a slower belt there, it will fall back: the next eye tells.
                    Room::NotYetKnown
                } else {
                    Room::TooSmall
                }
            }
            None => {
                let clear = self.clear_at(parcel, bed);
                let known = clear
                    .zip(self.memory.belt.at)
                    .is_some_and(|(clear, at)| at.since(clear).0 >= 0);
                if known { Room::Enough } else { Room::NotYetKnown }
            }
        }
    }

    /// Whether a stranger at an eye is nearer to this parcel than `need`, where it was seen there or
    /// where it is expected next.
    fn crowds(&self, stranger: &Stranger, parcel: &Parcel, need: Distance) -> bool {
        let length_max = self.layout.limits.length_max;
        let length = parcel.track.length.unwrap_or(length_max);
        let mine = match parcel.at(stranger.eye) {
            Some(seen) => {
                Some((seen.head, parcel.tail(seen).unwrap_or(seen.head.plus(length_max))))
            }
            None if parcel.track.next == stranger.eye.0 => parcel
                .expected(&self.layout, &self.memory.nodes, stranger.eye)
                .map(|window| (window.from, window.to.plus(length))),
            None => None,
        };
        let their_tail = stranger.tail.unwrap_or(stranger.head.plus(length_max));
        mine.is_some_and(|(head, tail)| {
            stranger.head.since(tail) < need && head.since(their_tail) < need
        })
    }

    /// Belt position from which on no follower can be too close.
    fn clear_at(&self, parcel: &Parcel, bed: DiverterId) -> Option<Position> {
        let seen = parcel.at(EyeId(0))?;
        parcel.tail(seen).map(|tail| tail.plus(self.layout.diverter(bed).gap_after))
    }

    /// The position that a parcel without an arm waits for because of its follower.
    pub(crate) fn follower_wait(&self, parcel: &Parcel, choice: &Choice) -> Option<Position> {
        let bed = self.diverter_of(choice)?;
        let next = parcel.last().eye.0 + 1 == self.layout.diverter(bed).eye.0;
        if next { self.clear_at(parcel, bed) } else { None }
    }

    /// Tail-to-head gap of two parcels at the latest eye that saw both.
    fn gap(&self, ahead: &Parcel, behind: &Parcel) -> Option<Distance> {
        behind.track.seen.iter().rev().find_map(|mine| {
            let theirs: &Sighting = ahead.at(mine.eye)?;
            ahead.tail(theirs).map(|tail| mine.head.since(tail))
        })
    }

    /// Where whoever is ahead of a parcel must have cleared the eye of a bed, so that the bed does not
    /// turn under it; `None` once the parcel was seen there, or with nobody ahead.
    fn clear_by(&self, parcel: &Parcel, bed: DiverterId) -> Option<(&Parcel, Position)> {
        let place = self.layout.diverter(bed);
        let base = parcel.last();
        let (_, ahead) = self.memory.live.range(..parcel.id).next_back()?;
        if base.eye >= place.eye || ahead.last().eye < place.eye {
            return None;
        }
        let way = Distance(self.layout.eye(place.eye).at.0 - self.layout.eye(base.eye).at.0);
        let diverted = ahead.fate.choice().and_then(|choice| self.diverter_of(choice));
        let need = if diverted == Some(bed) { place.gap_after } else { place.gap_before };
        let need = Distance(need.max(place.gap_before).0 - self.layout.limits.tolerance.0);
        Some((ahead, base.head.plus(way).minus(need)))
    }

    /// Whether the parcel ahead clears the eye of a bed too late: it was held back under the eye
    /// after the gap between the two was measured.
    fn crowded_ahead(&self, parcel: &Parcel, bed: DiverterId) -> bool {
        let eye = self.layout.diverter(bed).eye;
        let Some((ahead, by)) = self.clear_by(parcel, bed) else { return false };
        match ahead.at(eye).and_then(|seen| seen.tail) {
            Some(tail) => tail.since(by).0 > 0,
            None => {
                let node = self.layout.eye(eye).node;
                let under = self.memory.under[usize::from(eye.0)] == Under::Parcel(ahead.id);
                under && self.heard(node, by.plus(Distance(1)))
            }
        }
    }

    /// The position up to which an armed parcel waits for the tail of whoever is under its eye.
    pub(crate) fn ahead_wait(&self, arm: &Arm) -> Option<Position> {
        let eye = self.layout.diverter(arm.plan.diverter).eye;
        let Under::Parcel(id) = self.memory.under[usize::from(eye.0)] else { return None };
        let parcel = self.memory.live.get(&arm.plan.parcel)?;
        let (ahead, by) = self.clear_by(parcel, arm.plan.diverter)?;
        (!arm.cancelled && ahead.id == id).then(|| by.plus(Distance(1)))
    }

    /// Withdraws arms whose neighbour, or a stranger, has turned out to be too close.
    pub(crate) fn recheck_gaps(&mut self, out: &mut Vec<Decision>) {
        let short: Vec<ParcelId> = self
            .memory
            .arms
            .values()
            .filter(|arm| !arm.cancelled)
            .filter_map(|arm| self.memory.live.get(&arm.plan.parcel).map(|parcel| (arm, parcel)))
            .filter(|(arm, parcel)| {
                let armed = match parcel.fate {
                    Fate::Armed { tag, .. } => tag == arm.plan.tag,
                    Fate::Open
                    | Fate::Assigned(_)
                    | Fate::Fired { .. }
                    | Fate::MayHaveFired { .. }
                    | Fate::ToEnd { .. } => false,
                };
                armed
                    && (self.room_behind(parcel, arm.plan.diverter) == Room::TooSmall
                        || self.crowded_ahead(parcel, arm.plan.diverter))
            })
            .map(|(_, parcel)| parcel.id)
            .collect();
        for id in short {
            self.send_to_end(id, Reason::GapTooSmall, out);
        }
    }
}
