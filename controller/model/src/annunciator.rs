//! Alarms as people meet them (ISA-18.2): delays, acknowledgement, shelving, first-out, flood.
//!
//! `Memory::alarms` holds what stands; the annunciator holds what people were told and answered.

use crate::alarm::{Alarm, Ends, Priority};
use crate::decision::Decision;
use crate::limits;
use crate::line::Line;
use crate::memory::{Attention, Entry, Shelf};
use crate::packml::UnitMode;
use crate::view::{AlarmView, Unmet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use units::Micros;

impl Line {
    /// The alarm's condition has come; it is raised after its on-delay unless it stands already.
    pub(crate) fn raise(&mut self, alarm: Alarm, out: &mut Vec<Decision>) {
        self.memory.annunciator.falling.remove(&alarm);
        if self.memory.alarms.contains(&alarm) {
            return;
        }
        let delay = alarm.row().on_delay;
        if delay == Micros::ZERO {
            self.annunciate(alarm, out);
        } else {
            let at = self.memory.now.plus(delay);
            self.memory.annunciator.rising.entry(alarm).or_insert(at);
        }
    }

    /// The alarm's condition is gone; it is cleared after its off-delay.
    pub(crate) fn clear(&mut self, alarm: Alarm, out: &mut Vec<Decision>) {
        self.memory.annunciator.rising.remove(&alarm);
        if !self.memory.alarms.contains(&alarm) {
            return;
        }
        let delay = alarm.row().off_delay;
        if delay == Micros::ZERO {
            self.retire(alarm, out);
        } else {
            let at = self.memory.now.plus(delay);
            self.memory.annunciator.falling.entry(alarm).or_insert(at);
        }
    }

    fn annunciate(&mut self, alarm: Alarm, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        if self.memory.alarms.len() < limits::ALARMS_MAX {
            self.memory.alarms.insert(alarm);
            let told = &mut self.memory.annunciator;
            let shelf = told.entries.get(&alarm).and_then(|entry| entry.shelf.clone());
            let attention = Attention::Unacknowledged;
            told.entries.insert(alarm, Entry { since: now, attention, shelf });
            self.bound_entries();
        }
        let told = &mut self.memory.annunciator;
        if alarm.row().priority == Priority::High && told.first_out.is_none() {
            told.first_out = Some(alarm);
        }
        out.push(Decision::Alarm { alarm, raised: true });
        if alarm != Alarm::Flood {
            while told.recent.len() >= limits::RECENT_ALARMS_MAX {
                told.recent.pop_front();
            }
            told.recent.push_back(now);
            self.watch_flood(out);
        }
    }

    fn retire(&mut self, alarm: Alarm, out: &mut Vec<Decision>) {
        self.memory.alarms.remove(&alarm);
        let entries = &mut self.memory.annunciator.entries;
        if let Some(entry) = entries.get_mut(&alarm) {
            match entry.attention {
                Attention::Unacknowledged => entry.attention = Attention::Returned,
                Attention::Acknowledged | Attention::Returned => {
                    entries.remove(&alarm);
                }
            }
        }
        out.push(Decision::Alarm { alarm, raised: false });
    }

    /// Forgets the oldest alarm that is gone when there are too many.
    fn bound_entries(&mut self) {
        let alarms = &self.memory.alarms;
        let entries = &mut self.memory.annunciator.entries;
        if entries.len() > limits::ALARMS_MAX {
            let gone = entries.iter().filter(|(alarm, _)| !alarms.contains(alarm));
            let oldest = gone.min_by_key(|(_, entry)| entry.since).map(|(alarm, _)| *alarm);
            if let Some(alarm) = oldest {
                entries.remove(&alarm);
            }
        }
    }

    /// How many alarms were raised within the span of the flood.
    pub(crate) fn alarms_lately(&self, now: Micros) -> usize {
        let recent = self.memory.annunciator.recent.iter();
        recent.filter(|at| now.since(**at) < limits::FLOOD_SPAN).count()
    }

    fn watch_flood(&mut self, out: &mut Vec<Decision>) {
        let flood = self.alarms_lately(self.memory.now) > limits::FLOOD_ALARMS;
        if flood {
            self.raise(Alarm::Flood, out);
        } else {
            self.clear(Alarm::Flood, out);
        }
    }

    /// A person acknowledges one alarm, or all; what only tells of the past ends with it.
    pub(crate) fn acknowledge(&mut self, alarm: Option<Alarm>, out: &mut Vec<Decision>) {
        let entries = &self.memory.annunciator.entries;
        let chosen = |known: &&Alarm| alarm.is_none_or(|alarm| **known == alarm);
        let seen: Vec<Alarm> = entries.keys().filter(chosen).copied().collect();
        if let (Some(alarm), true) = (alarm, seen.is_empty()) {
            out.push(Decision::Refused { why: vec![Unmet::NoSuchAlarm(alarm)] });
        }
        for alarm in seen {
            let Some(entry) = self.memory.annunciator.entries.get_mut(&alarm) else { continue };
            match entry.attention {
                Attention::Unacknowledged => entry.attention = Attention::Acknowledged,
                Attention::Acknowledged => {}
                Attention::Returned => {
                    self.memory.annunciator.entries.remove(&alarm);
                }
            }
            if alarm.row().ends == Ends::WhenSeen && self.memory.alarms.contains(&alarm) {
                self.retire(alarm, out);
            }
        }
    }

    /// A person reset or started the line and so has seen every alarm.
    pub(crate) fn all_seen(&mut self, out: &mut Vec<Decision>) {
        self.acknowledge(None, out);
        self.memory.annunciator.first_out = None;
    }

    /// A person puts an alarm aside for some minutes.
    pub(crate) fn shelve(
        &mut self,
        alarm: Alarm,
        minutes: u16,
        by: &str,
        reason: &str,
        out: &mut Vec<Decision>,
    ) {
        let told = &self.memory.annunciator;
        let shelved = told.entries.values().filter(|entry| entry.shelf.is_some()).count();
        let mut why = Vec::new();
        if !told.entries.contains_key(&alarm) {
            why.push(Unmet::NoSuchAlarm(alarm));
        }
        if alarm.row().priority == Priority::High {
            why.push(Unmet::TooUrgent(alarm));
        }
        if reason.is_empty() {
            why.push(Unmet::NoReason);
        }
        if !(1..=limits::SHELF_MINUTES_MAX).contains(&minutes) {
            why.push(Unmet::ShelfTooLong);
        }
        if shelved >= limits::SHELVES_MAX {
            why.push(Unmet::ShelvesFull);
        }
        if !why.is_empty() {
            out.push(Decision::Refused { why });
            return;
        }
        let until = self.memory.now.plus(Micros::from_secs(u64::from(minutes) * 60));
        let shelf = Shelf { until, by: String::from(by), reason: String::from(reason) };
        if let Some(entry) = self.memory.annunciator.entries.get_mut(&alarm) {
            entry.shelf = Some(shelf);
        }
    }

    /// A person takes an alarm back from the shelf.
    pub(crate) fn unshelve(&mut self, alarm: Alarm, out: &mut Vec<Decision>) {
        let entry = self.memory.annunciator.entries.get_mut(&alarm);
        match entry.and_then(|entry| entry.shelf.take()) {
            Some(_) => {}
            None => out.push(Decision::Refused { why: vec![Unmet::NoSuchAlarm(alarm)] }),
        }
    }

    /// When the next delay, shelf or flood ends.
    pub(crate) fn alarm_deadline(&self) -> Option<Micros> {
        let told = &self.memory.annunciator;
        let shelves = told.entries.values().filter_map(|entry| entry.shelf.as_ref());
        let flooded = self.memory.alarms.contains(&Alarm::Flood);
        // The flood is over when the alarm before the newest ten is old.
        let ebb = told.recent.iter().rev().nth(limits::FLOOD_ALARMS);
        let ebb = ebb.filter(|_| flooded).map(|at| at.plus(limits::FLOOD_SPAN));
        let delays = told.rising.values().chain(told.falling.values()).copied();
        delays.chain(shelves.map(|shelf| shelf.until)).chain(ebb).min()
    }

    /// Raises, clears and takes from the shelf what is due.
    pub(crate) fn run_alarm_deadlines(&mut self, out: &mut Vec<Decision>) {
        let now = self.memory.now;
        if self.alarm_deadline().is_none_or(|at| at > now) {
            return;
        }
        let told = &mut self.memory.annunciator;
        let due = |(alarm, at): (&Alarm, &Micros)| (*at <= now).then_some(*alarm);
        let rising: Vec<Alarm> = told.rising.iter().filter_map(due).collect();
        let falling: Vec<Alarm> = told.falling.iter().filter_map(due).collect();
        for entry in told.entries.values_mut() {
            if entry.shelf.as_ref().is_some_and(|shelf| shelf.until <= now) {
                entry.shelf = None;
            }
        }
        for alarm in rising {
            self.memory.annunciator.rising.remove(&alarm);
            self.annunciate(alarm, out);
        }
        for alarm in falling {
            self.memory.annunciator.falling.remove(&alarm);
            self.retire(alarm, out);
        }
        self.watch_flood(out);
    }

    /// Suppressed by design: another alarm or the mode says the same and more.
    fn suppressed(&self, alarm: Alarm) -> bool {
        let stands = |other: Alarm| self.memory.alarms.contains(&other);
        let flooded = stands(Alarm::Flood) && alarm.row().priority == Priority::Low;
        let serviced = self.memory.unit_mode == UnitMode::Maintenance;
        flooded
            || match alarm {
                Alarm::LeaseExpired(node) | Alarm::EventsLost(node) | Alarm::EncoderDrift(node) => {
                    stands(Alarm::NodeDown(node))
                }
                Alarm::Jam(_)
                | Alarm::QueueJam(_)
                | Alarm::ArrivalJam(_)
                | Alarm::EyeStuck(_)
                | Alarm::EyeBlind(_)
                | Alarm::EyeDirty(_)
                | Alarm::EncoderStall(_) => serviced,
                Alarm::Ghost(node) => serviced || stands(Alarm::NodeDown(node)),
                Alarm::UnexpectedLanding(_) => serviced,
                Alarm::Estop(_)
                | Alarm::NodeDown(_)
                | Alarm::Unconfirmed(_)
                | Alarm::Lost(_)
                | Alarm::CommitsStalled
                | Alarm::EndFull
                | Alarm::ReturnFull
                | Alarm::RoundInVain
                | Alarm::QuarantineAtEnd(_)
                | Alarm::InputQuarantined
                | Alarm::NotEmpty
                | Alarm::Flood
                | Alarm::WallClockStepped
                | Alarm::ChuteFaulted(_)
                | Alarm::ChuteWaits(_)
                | Alarm::RescanDiffers(_)
                | Alarm::RescannerSilent(_) => false,
            }
    }

    /// The alarm list: what asks for attention first, then the most urgent, then the latest.
    pub(crate) fn alarm_list(&self) -> Vec<AlarmView> {
        let told = &self.memory.annunciator;
        let mut list: Vec<AlarmView> = told
            .entries
            .iter()
            .map(|(alarm, entry)| AlarmView {
                alarm: *alarm,
                since: entry.since,
                attention: entry.attention,
                shelf: entry.shelf.clone(),
                suppressed: self.suppressed(*alarm),
                first_out: told.first_out == Some(*alarm),
            })
            .collect();
        list.sort_by_key(|view| {
            let aside = view.suppressed || view.shelf.is_some();
            let priority = core::cmp::Reverse(view.alarm.row().priority);
            (aside, !view.first_out, view.attention, priority, core::cmp::Reverse(view.since))
        });
        list
    }
}
