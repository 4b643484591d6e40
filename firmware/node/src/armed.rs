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

    /// Takes out the arm whose firing instant is at or before `now`.
    pub fn due(&mut self, now: Counts) -> Option<Due> {
        let index = self
            .arms
            .iter()
            .position(|waiting| waiting.fire_at().is_some_and(|at| now.reached(at)))?;
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
        let mut tags = Vec::new();
        for waiting in &self.arms {
            // As many fit as there are arms; collecting would keep a panic that never comes.
            let _fits: Result<(), _> = tags.push(waiting.arm.tag);
        }
        tags
    }
}

impl Waiting {
    /// The end of an arm by a withdrawal, with what was measured if it had its edge.
    fn end_early(&self, outcome: ArmOutcome, length: u16) -> Ended {
        self.end(outcome, if self.edge.is_some() { length } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use registers::exchange::Side;

    const NOW: Counts = Counts(u32::MAX - 50);

    fn arm(tag: u32, from: i32, to: i32) -> Arm {
        Arm {
            tag,
            side: Side::Left,
            window_from: NOW.plus(from),
            window_to: NOW.plus(to),
            length_min: 100,
            delay: 150,
            release: 400,
        }
    }

    fn queue(arms: &[Arm]) -> ArmedQueue {
        let mut queue = ArmedQueue::new();
        for arm in arms {
            assert_eq!(queue.accept(*arm, NOW), Verdict::Accepted);
        }
        queue
    }

    fn outcomes(endings: &Endings) -> std::vec::Vec<(u32, ArmOutcome)> {
        endings.iter().map(|end| (end.tag, end.outcome)).collect()
    }

    #[test]
    fn senseless_arms_are_refused() {
        let mut queue = queue(&[arm(1, 0, 100)]);
        for bad in [
            arm(1, 200, 300),
            arm(2, 100, 99),
            arm(2, 0, WINDOW_COUNTS_MAX + 1),
            arm(2, AHEAD_COUNTS_MAX, AHEAD_COUNTS_MAX + 1),
            Arm { release: 0, ..arm(2, 0, 100) },
        ] {
            assert_eq!(queue.accept(bad, NOW), Verdict::BadArgument, "{bad:?}");
        }
        for tag in 2..=8 {
            assert_eq!(queue.accept(arm(tag, 0, 0), NOW), Verdict::Accepted);
        }
        assert_eq!(queue.accept(arm(9, 0, 0), NOW), Verdict::QueueFull);
        assert_eq!(queue.tags(), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn both_ends_of_a_window_fit_and_nothing_beyond() {
        for (edge, fits) in [(99, false), (100, true), (140, true), (141, false)] {
            let mut queue = queue(&[arm(1, 100, 140)]);
            assert!(queue.head(NOW.plus(edge)).is_empty());
            let due = queue.due(NOW.plus(edge + 150));
            assert_eq!(due.map(|due| due.edge), fits.then(|| NOW.plus(edge)), "edge {edge}");
        }
    }

    #[test]
    fn an_edge_in_two_windows_takes_neither() {
        let mut queue = queue(&[arm(1, 0, 100), arm(2, 90, 200), arm(3, 300, 400)]);
        let endings = queue.head(NOW.plus(95));
        assert_eq!(outcomes(&endings), [(1, ArmOutcome::Ambiguous), (2, ArmOutcome::Ambiguous)]);
        assert_eq!(endings[0].edge, NOW.plus(95));
        assert_eq!(queue.tags(), [3]);
    }

    #[test]
    fn a_second_head_ends_the_taken_arm_and_what_it_would_fit() {
        let mut queue = queue(&[arm(1, 0, 100), arm(2, 150, 200)]);
        assert!(queue.head(NOW.plus(50)).is_empty());
        let endings = queue.head(NOW.plus(160));
        assert_eq!(outcomes(&endings), [(1, ArmOutcome::Ambiguous), (2, ArmOutcome::Ambiguous)]);
        assert_eq!((endings[0].edge, endings[1].edge), (NOW.plus(50), NOW.plus(160)));
    }

    #[test]
    fn a_short_parcel_is_refused_as_soon_as_its_tail_is_seen() {
        let mut first = queue(&[arm(1, 0, 100)]);
        assert!(first.head(NOW).is_empty());
        let endings = first.tail(NOW.plus(99));
        assert_eq!(outcomes(&endings), [(1, ArmOutcome::RefusedShort)]);
        assert_eq!(endings[0].length, 99);
        let mut second = queue(&[arm(1, 0, 100)]);
        assert!(second.head(NOW).is_empty());
        assert!(second.tail(NOW.plus(100)).is_empty());
        let due = second.due(NOW.plus(150)).expect("due");
        assert_eq!((due.length, due.late), (100, false));
    }

    #[test]
    fn firing_is_due_at_its_count_and_late_beyond_the_limit() {
        for (now, late) in [(149, None), (150, Some(false)), (210, Some(false)), (211, Some(true))]
        {
            let mut queue = queue(&[arm(1, 0, 100)]);
            assert!(queue.head(NOW).is_empty());
            assert_eq!(queue.next_count(NOW), Some(NOW.plus(150)));
            let due = queue.due(NOW.plus(now));
            assert_eq!(due.map(|due| due.late), late, "{now}");
        }
    }

    #[test]
    fn an_arm_expires_behind_its_window_unless_a_latched_edge_still_settles() {
        let mut queue = queue(&[arm(1, 0, 100), arm(2, 300, 400)]);
        assert_eq!(queue.next_count(NOW), Some(NOW.plus(101)));
        assert!(queue.expire(NOW.plus(100), None).is_empty());
        assert!(queue.expire(NOW.plus(101), Some(NOW.plus(100))).is_empty());
        assert_eq!(queue.next_count(NOW.plus(101)), Some(NOW.plus(401)));
        let endings = queue.expire(NOW.plus(101), Some(NOW.plus(101)));
        assert_eq!(outcomes(&endings), [(1, ArmOutcome::Expired)]);
    }

    #[test]
    fn withdrawing_ends_each_arm_once() {
        let mut queue = queue(&[arm(1, 0, 100), arm(2, 300, 400)]);
        assert!(queue.head(NOW).is_empty());
        let endings = queue.cancel(1);
        assert_eq!(outcomes(&endings), [(1, ArmOutcome::Cancelled)]);
        assert_eq!(endings[0].edge, NOW);
        assert!(queue.cancel(1).is_empty());
        let endings = queue.cancel_all(ArmOutcome::LeaseExpired);
        assert_eq!(outcomes(&endings), [(2, ArmOutcome::LeaseExpired)]);
        assert!(queue.tags().is_empty());
    }
}
