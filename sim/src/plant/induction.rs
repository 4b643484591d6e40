//! How parcels come onto the line: from the feed, stuck together, again from the bench, and from the
//! return.

use super::parcel::{self, Body, Hold, Parcel};
use super::round::Round;
use super::{Happening, MM, Nm, Plant, feed};
use crate::scenario::Event;
use crate::truth::{Place, ReadTruth, Truth, TruthParcel};
use units::Micros;

impl Plant {
    /// Lets parcels onto the infeed while there is room: what comes round first, then what the bench
    /// gives back, and fresh ones last.
    pub(super) fn step_infeed(&mut self, now: u64, out: &mut Vec<Happening>) {
        loop {
            if let Some(body) = self.round.as_ref().and_then(|round| round.waiting(now)) {
                if !self.infeed.has_room(self.free_ahead_of(body)) {
                    return;
                }
                self.come_round(now, out);
                continue;
            }
            let next = self.again.front().map_or(&self.next_body, |(_, body)| body);
            let free = self.free_ahead_of(next);
            let again = !self.again.is_empty() && self.infeed.has_room(free);
            if !again && !self.infeed.ready(now, free) {
                return;
            }
            self.put_on(now);
        }
    }

    /// Free belt that would be left ahead of this parcel.
    pub(super) fn free_ahead_of(&self, body: &Body) -> Nm {
        let start = self.plans[0].from;
        match self.parcels.last() {
            Some(last) => last.tail() - start - body.apparent,
            None => self.plans[0].to - start,
        }
    }

    /// The next parcel on the return comes onto the infeed.
    fn come_round(&mut self, now: u64, out: &mut Vec<Happening>) {
        let Some((before, body)) = self.round.as_mut().and_then(Round::give) else { return };
        let index = self.put_once_more(before, body, now);
        self.truth.parcels[index].lap_of = u64::try_from(before).ok();
        self.show_round(now, out);
    }

    /// Lays a parcel on that was on the line before.
    fn put_once_more(&mut self, before: usize, body: Body, now: u64) -> usize {
        let Truth { parcels, .. } = &self.truth;
        let (waybill, row) = (parcels[before].waybill.clone(), parcels[before].row);
        self.put_first(&feed::Label { waybill, row }, body, now)
    }

    fn put_on(&mut self, now: u64) {
        if let Some((before, body)) = self.again.pop_front() {
            let index = self.put_once_more(before, body, now);
            self.truth.parcels[index].again_of = u64::try_from(before).ok();
            return;
        }
        let (label, body) = self.next_parcel(now);
        let first = self.put_first(&label, body, now);
        if let Some(over) = self.draw_pair()
            && self.infeed.next_at().is_some()
        {
            let (label, body) = self.next_parcel(now);
            let second = self.put_first(&label, body, now);
            self.join(first, second, over, now);
        }
    }

    /// The next label and body that come to the infeed.
    fn next_parcel(&mut self, now: u64) -> (feed::Label, Body) {
        let label = self.infeed.next(now, &self.items, &self.profile);
        let next = parcel::make(&mut self.streams.parcels, &self.profile);
        (label, core::mem::replace(&mut self.next_body, next))
    }

    /// Lays a parcel at the beginning of the infeed; gives its place in the truth.
    fn put_first(&mut self, label: &feed::Label, body: Body, now: u64) -> usize {
        let index = self.enter(label, &body, now);
        let head = self.plans[0].from + body.apparent;
        let mut parcel = Parcel::new(index, head, body);
        parcel.head_eye = self.eyes.partition_point(|eye| eye.at <= head);
        parcel.tail_eye = parcel.head_eye;
        parcel.hole = self.draw_hole(&parcel);
        let [low, high] = self.profile.heavy_late_mm.map(i64::from);
        if high > 0 && parcel.body.mass_g > 25_000 {
            parcel.late = self.streams.pairs.between(low, high) * MM;
        }
        self.parcels.push(parcel);
        index
    }

    /// The second of two parcels sticks to the first, or lies over its tail.
    fn join(&mut self, first: usize, second: usize, over: Option<Nm>, now: u64) {
        let [.., carrier, rider] = &mut self.parcels[..] else { return };
        rider.head = carrier.tail() + over.unwrap_or(-MM);
        rider.hold = if over.is_some() { Hold::On(first) } else { Hold::Beside(first) };
        let rider = rider.clone();
        self.truth.parcels[second].joined = u64::try_from(first).ok();
        self.pairs.push((first, second));
        let event = match over {
            Some(over) => Event::Overlap { by_mm: u32::try_from(over / MM).unwrap_or_default() },
            None => Event::Touch,
        };
        let number = self.drawn(event, &rider, now);
        self.truth.touch(number, first);
    }

    /// Enters a parcel into the truth; gives its place there.
    pub(super) fn enter(&mut self, label: &feed::Label, body: &Body, now: u64) -> usize {
        let index = self.truth.parcels.len();
        self.truth.parcels.push(TruthParcel {
            index: u64::try_from(index).unwrap_or(u64::MAX),
            joined: None,
            again_of: None,
            lap_of: None,
            waybill: label.waybill.clone(),
            row: label.row,
            size_mm: body.size_mm,
            apparent_mm: body.apparent / MM,
            mass_g: body.mass_g,
            packaging: body.packaging,
            fed_at: Micros(now),
            inducted_at: None,
            induct_count: None,
            gap_mm: None,
            read: ReadTruth::Pending,
            rescans: vec![ReadTruth::Pending; self.readers.len().saturating_sub(1)],
            place: Place::Waiting,
            landed_at: None,
            fault: None,
            contacts: Vec::new(),
        });
        index
    }
}
