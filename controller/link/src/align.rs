//! Keeping every node's counts in the belt's frame: latch rounds, brackets, and the frame's start.

use crate::map::{CountMap, Frame};
use crate::master::{Master, Report};
use crate::station::{State, Station, Why};
use alloc::vec::Vec;
use registers::status::Status;
use units::{Counts, Micros};

impl Master {
    /// The nodes of this bus are mapped by a latch: it can broadcast, and the reference hears it.
    fn latches(&self) -> bool {
        self.setup.serial && self.has(self.reference)
    }

    /// Takes the encoder reading of an answer, taken between `sent` and `heard`.
    pub(crate) fn reading(
        &mut self,
        index: usize,
        sent: Micros,
        heard: Micros,
        count: Counts,
        frame: &mut Frame,
    ) {
        let (latches, reference) = (self.latches(), self.reference);
        let Some(station) = self.stations.get_mut(index) else { return };
        if !station.setup.main_encoder {
            return;
        }
        station.count = Some(count);
        if station.setup.node == reference {
            if let Some(at) = station.position(frame, count) {
                frame.seen(at);
                frame.reference(at, sent, heard);
            }
        } else if !latches {
            station.bracketed(frame, count, (sent, heard));
        }
    }

    /// Before each exchange: starts the frame where there is none, and takes the nodes back that
    /// have lost theirs.
    pub(crate) fn check_frame(&mut self, now: Micros, frame: &mut Frame, out: &mut Vec<Report>) {
        if let Some(index) = self.index(self.reference)
            && let Some(count) = self.frame_missing(index, frame)
        {
            let map = frame.restart(count);
            if let Some(station) = self.stations.get_mut(index) {
                station.map = Some(map);
            }
            self.check_map(index, now, frame, out);
        }
        for station in &mut self.stations {
            let mapped = !station.setup.main_encoder || station.current_map(frame).is_some();
            if station.is_online() && !mapped {
                station.enter(now, State::Mapping, Why::FrameRestarted);
            }
        }
    }

    /// The reference's count, when it waits for a map and no node of its bus has one to give.
    fn frame_missing(&self, index: usize, frame: &Frame) -> Option<Counts> {
        let station = self.stations.get(index)?;
        let waits = station.state == State::Mapping && station.current_map(frame).is_none();
        let may_give = |other: &Station| {
            other.current_map(frame).is_some() && !matches!(other.state, State::Down { .. })
        };
        let alone = !self.latches() || !self.stations.iter().any(may_give);
        station.count.filter(|_| waits && alone)
    }

    /// Whether a node waits for a latch that another one can translate.
    pub(crate) fn latch_due(&self, now: Micros, frame: &Frame) -> bool {
        let busy =
            self.round.as_ref().is_some_and(|round| now.since(round.started) < self.limits.latch);
        let waits = |station: &Station| {
            station.state == State::Mapping && station.current_map(frame).is_none()
        };
        !busy && self.latches() && self.stations.iter().any(waits) && self.anchor(frame).is_some()
    }

    /// The node whose readings the others are compared with: the reference when it has a map.
    fn anchor(&self, frame: &Frame) -> Option<usize> {
        let gives = |index: &usize| {
            self.stations
                .get(*index)
                .is_some_and(|station| station.is_online() && station.current_map(frame).is_some())
        };
        let reference = self.index(self.reference).filter(gives);
        reference.or_else(|| (0..self.stations.len()).find(gives))
    }

    /// The broadcast is out: the anchor's status is wanted at once.
    pub(crate) fn latch_sent(&mut self, now: Micros, frame: &Frame) {
        if let Some(round) = &mut self.round {
            round.started = now;
        }
        if let Some(anchor) = self.anchor(frame)
            && let Some(station) = self.stations.get_mut(anchor)
        {
            station.status_due = now;
        }
    }

    /// Takes a reading of the latch under way, and maps whom it can.
    pub(crate) fn latched(&mut self, index: usize, status: &Status, frame: &Frame) {
        let anchor = self.anchor(frame);
        let Some(round) = &mut self.round else { return };
        if status.latch_number != round.number {
            return;
        }
        round.counts.retain(|(other, _)| *other != index);
        round.counts.push((index, status.latch_count));
        let given = |(index, count): &(usize, Counts)| {
            let station = self.stations.get(*index).filter(|_| Some(*index) == anchor)?;
            station.position(frame, *count)
        };
        let Some(at) = round.counts.iter().find_map(given) else { return };
        for (index, count) in &round.counts {
            if let Some(station) = self.stations.get_mut(*index)
                && station.state == State::Mapping
                && station.setup.main_encoder
                && station.current_map(frame).is_none()
            {
                station.map = Some(CountMap::latched(frame, at, *count));
            }
        }
        let waits = |station: &Station| {
            station.state == State::Mapping && station.current_map(frame).is_none()
        };
        if !self.stations.iter().any(waits) {
            self.round = None;
        }
    }
}

impl Station {
    /// Narrows the map by a reading between two readings of the reference.
    fn bracketed(&mut self, frame: &Frame, count: Counts, span: (Micros, Micros)) {
        let (found, slipped) = self.bracket.observe(frame, count, span);
        if slipped {
            self.counters.slips += 1;
        }
        let Some(found) = found else { return };
        match self.current_map(frame) {
            Some(old) if old.agrees(&found) && old.spread() <= found.spread() => {}
            Some(old) => {
                if !old.agrees(&found) {
                    self.counters.slips += 1;
                }
                self.map = Some(found);
            }
            None => self.map = Some(found),
        }
    }
}
