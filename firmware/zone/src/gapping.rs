//! Gapping: one parcel is released per distance of the take-away belt.

use crate::limits::FORGET_COUNTS;
use units::Counts;

/// What a gapping zone is told: the distance and the leads, in take-away counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// From tail to next head; 0 = release closed.
    pub(crate) gap: u32,
    /// What still passes until a head at the exit eye is on the take-away belt, zone running.
    pub(crate) pass_lead: u16,
    /// The same from standstill.
    pub(crate) start_lead: u16,
}

/// Where the next parcel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The exit eye is clear: the belt runs to bring a parcel. Ends with a head at the eye.
    #[default]
    Filling,
    /// A parcel stands at the exit eye, not due yet. Ends when it is due, or with its tail when
    /// the belt coasted on or a person took it.
    Holding,
    /// A parcel leaves over the exit eye. Ends with its tail.
    Releasing,
}

/// The release of a gapping zone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gapping {
    state: State,
    /// Take-away counts at the tail of the last parcel; `None` = none since boot, or long gone.
    last_tail: Option<Counts>,
}

impl Gapping {
    /// Takes a debounced edge of the exit eye: `second` is the latched take-away count.
    pub(crate) fn edge(&mut self, active: bool, second: Counts, now: Counts, rule: Rule) {
        self.state = match (active, self.state) {
            (true, _) if self.is_due(now, rule.gap, rule.pass_lead) => State::Releasing,
            (true, _) => State::Holding,
            (false, State::Filling) => State::Filling,
            (false, State::Holding | State::Releasing) => {
                self.last_tail = Some(second);
                State::Filling
            }
        };
    }

    /// Lets a parcel go that has become due.
    pub(crate) fn tick(&mut self, now: Counts, rule: Rule) {
        if self.last_tail.is_some_and(|tail| now.since(tail) > FORGET_COUNTS) {
            self.last_tail = None;
        }
        if self.state == State::Holding && self.is_due(now, rule.gap, rule.start_lead) {
            self.state = State::Releasing;
        }
    }

    fn is_due(&self, now: Counts, gap: u32, lead: u16) -> bool {
        gap != 0 && self.due_at(gap, lead).is_none_or(|due| now.reached(due))
    }

    /// The take-away count at which a parcel is due; `None` = at once.
    fn due_at(&self, gap: u32, lead: u16) -> Option<Counts> {
        let wait = i32::try_from(gap).unwrap_or(i32::MAX).saturating_sub(i32::from(lead));
        self.last_tail.map(|tail| tail.plus(wait))
    }

    /// Whether the belt stands for the gap's sake.
    pub(crate) fn holds(&self) -> bool {
        self.state == State::Holding
    }

    /// The take-away count at which the parcel that is held becomes due.
    pub(crate) fn next_second(&self, rule: Rule) -> Option<Counts> {
        if self.holds() && rule.gap != 0 { self.due_at(rule.gap, rule.start_lead) } else { None }
    }
}
