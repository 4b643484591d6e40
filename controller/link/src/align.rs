//! Keeping every node's counts in the belt's frame: latch rounds, brackets, and the frame's start.

use crate::limits::DRIFT_MAX;
use crate::map::{CountMap, Frame};
use crate::master::{Master, Report, input};
use crate::setup::InputRole;
use crate::station::{State, Station, Why};
use alloc::vec::Vec;
use line_model::ids::NodeId;
use line_model::signal::Input;
use registers::event::Event;
use registers::status::Status;
use units::{Counts, Distance, Micros};

impl Master {
    /// The nodes of this bus are mapped by a latch: it can broadcast, and the reference hears it.
    fn latches(&self) -> bool {
        self.setup.serial && self.has(self.reference)
    }

    /// Takes the encoder reading of an answer, taken between the two instants of `span`.
    pub(crate) fn reading(
        &mut self,
        index: usize,
        span: (Micros, Micros),
        count: Counts,
        frame: &mut Frame,
        out: &mut Vec<Report>,
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
                frame.reference(at, span.0, span.1);
            }
        } else if !latches {
            station.bracketed(frame, count, span, out);
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

    /// Whether a node waits for a latch that another one can translate, or it is time to compare
    /// the nodes' encoders again.
    pub(crate) fn latch_due(&self, now: Micros, frame: &Frame) -> bool {
        let busy =
            self.round.as_ref().is_some_and(|round| now.since(round.started) < self.limits.latch);
        let waits = |station: &Station| {
            station.state == State::Mapping && station.current_map(frame).is_none()
        };
        let shared = self.stations.iter().filter(|station| station.compares(frame)).count();
        let due = shared > 1 && now >= self.next_latch;
        let wanted = due || self.stations.iter().any(waits);
        !busy && self.latches() && wanted && self.anchor(frame).is_some()
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

    /// Takes a reading of the latch under way, maps whom it can and compares the others when all of
    /// them have been read.
    pub(crate) fn latched(
        &mut self,
        index: usize,
        status: &Status,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) {
        let anchor = self.anchor(frame);
        let Some(round) = &mut self.round else { return };
        if status.latch_number != round.number {
            return;
        }
        round.counts.retain(|(other, _)| *other != index);
        round.counts.push((index, status.latch_count));
        let given = |(index, count): &(usize, Counts)| {
            let station = self.stations.get(*index).filter(|_| Some(*index) == anchor)?;
            station.position(frame, *count).zip(station.spread())
        };
        let Some((at, spread)) = round.counts.iter().find_map(given) else { return };
        for (index, count) in &round.counts {
            if let Some(station) = self.stations.get_mut(*index)
                && station.state == State::Mapping
                && station.setup.main_encoder
                && station.current_map(frame).is_none()
            {
                station.map = Some(CountMap::latched(frame, at, *count, spread));
            }
        }
        let counts = &round.counts;
        let read = |index: usize| counts.iter().any(|(other, _)| *other == index);
        let open = |(index, station): (usize, &Station)| {
            let waits = station.state == State::Mapping && station.current_map(frame).is_none();
            waits || (station.compares(frame) && !read(index))
        };
        if !self.stations.iter().enumerate().any(open)
            && let Some(round) = self.round.take()
            && let Some(anchor) = anchor
        {
            let maps = round
                .counts
                .iter()
                .map(|(index, count)| (*index, CountMap::latched(frame, at, *count, spread)));
            self.compare(anchor, &maps.collect::<Vec<_>>(), frame, out);
        }
    }

    /// Compares the maps of a whole round with those in use. When all the others have drifted, it
    /// is the anchor that has.
    fn compare(
        &mut self,
        anchor: usize,
        found: &[(usize, CountMap)],
        frame: &Frame,
        out: &mut Vec<Report>,
    ) {
        let mut drifts = Vec::new();
        let mut compared = 0;
        for (index, map) in found.iter().filter(|(index, _)| *index != anchor) {
            let Some(station) = self.stations.get_mut(*index) else { continue };
            let Some(old) = station.current_map(frame).copied() else { continue };
            compared += 1;
            let by = old.apart(map);
            if by.abs() > DRIFT_MAX {
                station.counters.slips += 1;
                station.map = Some(*map);
                drifts.push((station.setup.node, by));
            }
            station.tell_spread(frame, out);
        }
        let by = drifts.first().map_or(0, |(_, by)| *by);
        if drifts.len() > 1 && drifts.len() == compared {
            drifts = self
                .stations
                .get(anchor)
                .map(|found| (found.setup.node, -by))
                .into_iter()
                .collect();
        }
        out.extend(drifts.into_iter().map(|(node, by)| drifted(node, by)));
    }
}

fn drifted(node: NodeId, by: i64) -> Report {
    input(node, Input::EncoderDrift { node, by: Distance(by) })
}

impl Station {
    /// Whether its encoder is compared with the others of its bus.
    fn compares(&self, frame: &Frame) -> bool {
        self.is_online() && self.setup.main_encoder && self.current_map(frame).is_some()
    }

    /// Tells the line how exactly its counts are known, unless that is as before or only slightly
    /// better.
    pub(crate) fn tell_spread(&mut self, frame: &Frame, out: &mut Vec<Report>) {
        let found = self.current_map(frame).map(CountMap::spread);
        let Some(spread) = found.filter(|_| self.is_online() && self.setup.main_encoder) else {
            return;
        };
        if self
            .told_spread
            .is_none_or(|told| spread > told || spread.0 * 2 <= told.0 && spread < told)
        {
            self.told_spread = Some(spread);
            let node = self.setup.node;
            out.push(input(node, Input::MapSpread { node, spread }));
        }
    }

    /// Narrows the map by a head that a better known eye has seen, too.
    pub(crate) fn common_edge(&mut self, event: &Event<'_>, frame: &mut Frame) {
        let Event::Edge { input, active: true, at } = *event else { return };
        let role = self.setup.inputs.get(usize::from(input)).copied();
        let (Some(InputRole::Eye(eye)), true) = (role, self.setup.main_encoder) else { return };
        let Some((position, spread)) = self.position(frame, at.count).zip(self.spread()) else {
            return;
        };
        let Some(span) = frame.edges.head(self.setup.node, eye, position, spread) else { return };
        let found = CountMap::between(frame, span, at.count);
        if let Some(old) = self.current_map(frame) {
            self.map = Some(old.narrowed(&found));
        }
    }

    /// Narrows the map by a reading between two readings of the reference.
    fn bracketed(
        &mut self,
        frame: &Frame,
        count: Counts,
        span: (Micros, Micros),
        out: &mut Vec<Report>,
    ) {
        let (found, slipped) = self.bracket.observe(frame, count, span);
        if slipped != 0 {
            self.counters.slips += 1;
        }
        self.slipped += slipped;
        if let Some(found) = found {
            match self.current_map(frame) {
                Some(old) if old.apart(&found) == 0 && old.spread() <= found.spread() => {}
                Some(_) | None => self.map = Some(found),
            }
        }
        if self.slipped.abs() > DRIFT_MAX && self.is_online() {
            out.push(drifted(self.setup.node, self.slipped));
            self.slipped = 0;
        }
        self.tell_spread(frame, out);
    }
}
