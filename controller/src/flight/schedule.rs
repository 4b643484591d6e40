//! When the frames in memory go to disk: some seconds behind an alarm, and not too often.

use units::Micros;

/// How long what an alarm leads to is waited for, so that the dump holds it too.
const AFTERMATH: Micros = Micros::from_secs(5);
/// Causes that one dump names; the others are told by the journal.
const CAUSES_MAX: usize = 16;
/// How long a dump that failed is not tried again.
const PAUSE: Micros = Micros::from_secs(30);

/// The times of dumps.
#[derive(Clone, Debug)]
pub struct Schedule {
    every: Micros,
    due: Option<Micros>,
    last: Option<Micros>,
    causes: Vec<&'static str>,
}

impl Schedule {
    /// Nothing is due; two dumps are at least `every` apart.
    pub const fn new(every: Micros) -> Self {
        Self { every, due: None, last: None, causes: Vec::new() }
    }

    /// An alarm was raised: the dump that is due anyway holds it too, else one becomes due.
    pub fn alarm(&mut self, now: Micros, cause: &'static str) {
        if !self.causes.contains(&cause) && self.causes.len() < CAUSES_MAX {
            self.causes.push(cause);
        }
        let free = self.last.map_or(now, |last| last.plus(self.every));
        self.due.get_or_insert(now.plus(AFTERMATH).max(free));
    }

    /// A person asks: at once, however long ago the last one was.
    pub fn asked(&mut self, now: Micros) {
        self.causes.truncate(CAUSES_MAX - 1);
        self.causes.push("request");
        self.due = Some(now);
    }

    /// When the next dump is to be made; `None` = not at all.
    pub const fn due(&self) -> Option<Micros> {
        self.due
    }

    /// A dump begins; gives what it is made for.
    pub fn begun(&mut self, now: Micros) -> Vec<&'static str> {
        self.due = None;
        self.last = Some(now);
        std::mem::take(&mut self.causes)
    }

    /// The dump failed: its causes wait for the next attempt.
    pub fn failed(&mut self, now: Micros, mut causes: Vec<&'static str>) {
        causes.retain(|cause| !self.causes.contains(cause));
        self.causes.extend(causes);
        self.causes.truncate(CAUSES_MAX);
        let again = now.plus(PAUSE);
        self.due = Some(self.due.map_or(again, |due| due.max(again)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Micros = Micros::from_secs;

    #[test]
    fn alarms_of_one_trouble_make_one_dump() {
        let mut schedule = Schedule::new(S(60));
        assert_eq!(schedule.due(), None);
        schedule.alarm(S(100), "estop");
        schedule.alarm(S(102), "node_down");
        schedule.alarm(S(103), "estop");
        assert_eq!(schedule.due(), Some(S(105)));
        assert_eq!(schedule.begun(S(105)), ["estop", "node_down"]);
        schedule.alarm(S(110), "lost");
        assert_eq!(schedule.due(), Some(S(165)), "not more often");
        schedule.asked(S(111));
        assert_eq!(schedule.due(), Some(S(111)), "a person does not wait");
        assert_eq!(schedule.begun(S(111)), ["lost", "request"]);
        schedule.alarm(S(1_000), "lost");
        assert_eq!(schedule.due(), Some(S(1_005)));
    }

    #[test]
    fn a_dump_that_failed_is_tried_again_later() {
        let mut schedule = Schedule::new(S(60));
        schedule.alarm(S(1), "estop");
        let causes = schedule.begun(S(6));
        schedule.alarm(S(7), "lost");
        schedule.failed(S(8), causes);
        assert_eq!(schedule.due(), Some(S(66)));
        assert_eq!(schedule.begun(S(66)), ["lost", "estop"]);
        schedule.failed(S(70), vec!["lost"]);
        assert_eq!(schedule.due(), Some(S(100)));
    }
}
