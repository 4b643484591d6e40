//! Laps: how often a waybill has gone round a line whose end brings parcels back.
//!
//! Counted by the codes that were read, so that what is never sure where it is comes to an end too: a
//! code that was taken for another's costs that one a lap, never a wrong chute.

use crate::layout::LineEnd;
use crate::limits;
use crate::line::Line;
use crate::memory::Laps;
use alloc::string::String;

impl Line {
    /// Whether a waybill has gone round as often as it may.
    pub(crate) fn laps_over(&self, waybill: &str) -> bool {
        let LineEnd::Return { laps_max, .. } = self.layout.end else { return false };
        let laps = self.memory.laps.get(waybill).filter(|laps| !self.is_past(laps));
        laps.is_some_and(|laps| laps.passes >= laps_max)
    }

    /// Counts a lap of a parcel under each of its names; gives how many it has had.
    pub(crate) fn count_lap(&mut self, names: &[String]) -> u8 {
        let mut most = 0;
        for name in names {
            let before = self.memory.laps.remove(name).filter(|laps| !self.is_past(laps));
            let passes = before.map_or(0, |laps| laps.passes).saturating_add(1);
            self.make_room();
            self.memory.laps.insert(name.clone(), Laps { passes, last: self.memory.now });
            most = passes.max(most);
        }
        most
    }

    /// Forgets who has been away for long, and while there is no room, who has been for longest.
    fn make_room(&mut self) {
        let now = self.memory.now;
        self.memory.laps.retain(|_, laps| now.since(laps.last) < limits::LAP_MEMORY);
        while self.memory.laps.len() >= limits::LAPS_MAX {
            let oldest = self.memory.laps.iter().min_by_key(|(_, laps)| laps.last);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { return };
            self.memory.laps.remove(&oldest);
        }
    }

    fn is_past(&self, laps: &Laps) -> bool {
        self.memory.now.since(laps.last) >= limits::LAP_MEMORY
    }
}
