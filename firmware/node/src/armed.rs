//! The queue of arms: windows, edges and the instants that follow from them.
//!
//! Pure bookkeeping in the node's own counts; the bed itself belongs to the diverter. Every arm
//! that was accepted leaves through exactly one [`Ended`] or [`Due`].

use crate::limits::{AHEAD_COUNTS_MAX, LATE_COUNTS_MAX, WINDOW_COUNTS_MAX};
use heapless::Vec;
use registers::event::ArmOutcome;
use registers::exchange::{Arm, Verdict};
use registers::status::ARMS_MAX;
use units::Counts;

/// An arm on the node.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    arm: Arm,
    /// The head edge that it took; at most one arm of the queue has one.
    edge: Option<Counts>,
}

impl Waiting {
    fn fits(&self, edge: Counts) -> bool {
        self.edge.is_none()
            && edge.reached(self.arm.window_from)
            && self.arm.window_to.reached(edge)
    }

    fn fire_at(&self) -> Option<Counts> {
        self.edge.map(|edge| edge.plus(i32::from(self.arm.delay)))
    }

    fn end(&self, outcome: ArmOutcome, length: u16) -> Ended {
        Ended { tag: self.arm.tag, outcome, edge: self.edge.unwrap_or_default(), length }
    }
}

/// An arm that ended without reaching the bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its tag.
    pub tag: u32,
    /// How.
    pub outcome: ArmOutcome,
    /// The head edge that it took (or that made it ambiguous); zero when none did.
    pub edge: Counts,
    /// Measured length; 0 = tail not seen.
    pub length: u16,
}

/// An arm that has left the queue because its firing instant has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The arm.
    pub arm: Arm,
    /// Its head edge.
    pub edge: Counts,
    /// Measured length; 0 = tail not seen.
    pub length: u16,
    /// The instant has passed by more than `LATE_COUNTS_MAX`: it must not be fired any more.
    pub late: bool,
}

/// What ended in one step.
pub type Endings = Vec<Ended, ARMS_MAX>;

/// Arms in the order of their acceptance.
#[derive(Clone, Debug, Default)]
pub struct ArmedQueue {
    arms: Vec<Waiting, ARMS_MAX>,
    /// Length of the parcel whose head edge was taken; 0 = tail not seen.
    length: u16,
}

impl ArmedQueue {
    /// Builds an empty queue.
    pub const fn new() -> Self {
        Self { arms: Vec::new(), length: 0 }
    }

    /// Queues an arm when it makes sense at `now`.
    ///
    /// A window that has passed already is accepted: the arm expires at the next step. A tag that
    /// waits already, a window that ends before it begins or lies out of the limits, and a release
    /// of 0 are bad arguments.
    pub fn accept(&mut self, arm: Arm, now: Counts) -> Verdict {
        let window = arm.window_to.since(arm.window_from);
        let known = self.arms.iter().any(|waiting| waiting.arm.tag == arm.tag);
        if known
            || !(0..=WINDOW_COUNTS_MAX).contains(&window)
            || arm.window_to.since(now) > AHEAD_COUNTS_MAX
            || arm.release == 0
        {
            return Verdict::BadArgument;
        }
        match self.arms.push(Waiting { arm, edge: None }) {
            Ok(()) => Verdict::Accepted,
            Err(_) => Verdict::QueueFull,
        }
    }

    /// Takes a head edge: it belongs to the one arm whose window it fits.
    ///
    /// When an arm already waits for its firing instant, or when several windows fit, nobody can
    /// say whose head this is: all of them end as ambiguous.
    pub fn head(&mut self, edge: Counts) -> Endings {
        let taken = self.arms.iter().any(|waiting| waiting.edge.is_some());
        let fitting = self.arms.iter().filter(|waiting| waiting.fits(edge)).count();
        if !taken && fitting <= 1 {
            if let Some(waiting) = self.arms.iter_mut().find(|waiting| waiting.fits(edge)) {
                waiting.edge = Some(edge);
                self.length = 0;
            }
            return Endings::new();
        }
        let length = self.length;
        self.end_where(|waiting| {
            if waiting.edge.is_some() {
                Some(waiting.end(ArmOutcome::Ambiguous, length))
            } else if waiting.fits(edge) {
                Some(Ended { edge, ..waiting.end(ArmOutcome::Ambiguous, 0) })
            } else {
                None
            }
        })
    }

    /// Takes a tail edge: it measures the parcel whose head was taken, which may be too short.
    pub fn tail(&mut self, tail: Counts) -> Endings {
        let Some(waiting) = self.arms.iter().find(|waiting| waiting.edge.is_some()) else {
            return Endings::new();
        };
        let measured = tail.since(waiting.edge.unwrap_or_default()).max(1);
        self.length = u16::try_from(measured).unwrap_or(u16::MAX);
        let length = self.length;
        self.end_where(|waiting| {
            (waiting.edge.is_some() && length < waiting.arm.length_min)
                .then(|| waiting.end(ArmOutcome::RefusedShort, length))
        })
    }

    /// Takes out the arm whose firing instant is at or before `until`, seen at `now`.
    pub fn due(&mut self, until: Counts, now: Counts) -> Option<Due> {
        let index = self
            .arms
            .iter()
            .position(|waiting| waiting.fire_at().is_some_and(|at| until.reached(at)))?;
        let waiting = self.arms.get(index).copied()?;
        let (edge, fire_at) = (waiting.edge?, waiting.fire_at()?);
        self.arms.remove(index);
        let late = now.since(fire_at) > LATE_COUNTS_MAX;
        Some(Due { arm: waiting.arm, edge, length: self.length, late })
    }

    /// Ends the arms whose window has passed without an edge.
    ///
    /// `opening` is where the arrival eye has been latched without having settled yet: an arm that
    /// it would fit is left until the eye has settled.
    pub fn expire(&mut self, now: Counts, opening: Option<Counts>) -> Endings {
        self.end_where(|waiting| {
            let passed = waiting.edge.is_none() && now.since(waiting.arm.window_to) > 0;
            let open = opening.is_some_and(|edge| waiting.fits(edge));
            (passed && !open).then(|| waiting.end(ArmOutcome::Expired, 0))
        })
    }

    /// Withdraws the arm with this tag, if it still waits.
    pub fn cancel(&mut self, tag: u32) -> Endings {
        let length = self.length;
        self.end_where(|waiting| {
            (waiting.arm.tag == tag).then(|| waiting.end_early(ArmOutcome::Cancelled, length))
        })
    }

    /// Withdraws every arm with the same outcome.
    pub fn cancel_all(&mut self, outcome: ArmOutcome) -> Endings {
        let length = self.length;
        self.end_where(|waiting| Some(waiting.end_early(outcome, length)))
    }

    fn end_where(&mut self, ending: impl Fn(&Waiting) -> Option<Ended>) -> Endings {
        let mut ended = Endings::new();
        self.arms.retain(|waiting| match ending(waiting) {
            // As many places as arms: the push cannot fail; if it did, the arm would stay.
            Some(end) => ended.push(end).is_err(),
            None => true,
        });
        ended
    }

    /// The next count after `now` at which [`Self::due`] or [`Self::expire`] has something to do.
    pub fn next_count(&self, now: Counts) -> Option<Counts> {
        self.arms
            .iter()
            .map(|waiting| waiting.fire_at().unwrap_or_else(|| waiting.arm.window_to.plus(1)))
            .filter(|count| !now.reached(*count))
            .min_by_key(|count| count.since(now))
    }

    /// The tags that wait, oldest first.
    pub fn tags(&self) -> Vec<u32, ARMS_MAX> {
        self.arms.iter().map(|waiting| waiting.arm.tag).collect()
    }
}

impl Waiting {
    /// The end of an arm by a withdrawal, with what was measured if it had its edge.
    fn end_early(&self, outcome: ArmOutcome, length: u16) -> Ended {
        self.end(outcome, if self.edge.is_some() { length } else { 0 })
    }
}
