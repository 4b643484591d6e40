//! The wall clock, watched against the monotonic one: does it run, or does it jump?
//!
//! Each look compares how far both went since the look before, so that a slow drift never adds up. NTP
//! slews by far less than a tenth of the time that passes; what goes beyond that tenth and the site's
//! threshold is a step. For people only: no decision about a parcel depends on it.

use units::Micros;

/// Slewing moves the wall clock by at most this share of the time that passes: 1 / 10. The kernel's
/// own limit is 1 / 2,000, chrony's default 1 / 12.
const SLEW: u64 = 10;

/// What a site believes of its wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallPolicy {
    /// A jump by more than this is a step.
    pub step: Micros,
}

impl Default for WallPolicy {
    /// A second: far above what NTP moves without a step.
    fn default() -> Self {
        Self { step: Micros::from_secs(1) }
    }
}

/// A jump of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it read then, microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
    /// How far it went ahead of what it should have read; negative = back.
    pub by_us: i64,
}

/// Compares both clocks from look to look.
#[derive(Clone, Copy, Debug)]
pub struct WallWatch {
    policy: WallPolicy,
    before: Option<(Micros, u64)>,
}

impl WallWatch {
    /// The first look compares with nothing.
    pub const fn new(policy: WallPolicy) -> Self {
        Self { policy, before: None }
    }

    /// Looks at both clocks; gives the step since the look before.
    pub fn look(&mut self, now: Micros, utc_us: u64) -> Option<Step> {
        let (then, before) = self.before.replace((now, utc_us))?;
        let passed = now.since(then);
        let step = stepped(before.saturating_add(passed.0), utc_us)?;
        let allowed = self.policy.step.plus(Micros(passed.0 / SLEW));
        (step.by_us.unsigned_abs() > allowed.0).then_some(step)
    }
}

/// The way from what a wall clock should have read to what it reads; `None` when it is none.
pub fn stepped(expected_us: u64, utc_us: u64) -> Option<Step> {
    let by = i128::from(utc_us) - i128::from(expected_us);
    let by_us = i64::try_from(by).unwrap_or(if by < 0 { i64::MIN } else { i64::MAX });
    (by_us != 0).then_some(Step { utc_us, by_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: u64 = 1_795_298_400_000_000;
    const HALF: u64 = 500_000;

    /// Looks every half second at a wall clock that `wall` gives for each instant.
    fn steps(wall: impl Fn(u64) -> u64) -> Vec<(u64, i64)> {
        let mut watch = WallWatch::new(WallPolicy::default());
        let looks = (0..4_000_u64).map(|n| n * HALF);
        looks
            .filter_map(|at| watch.look(Micros(at), wall(at)).map(|step| (at / HALF, step.by_us)))
            .collect()
    }

    #[test]
    fn steps_are_seen_both_ways_and_once() {
        let jump = |by: i64| {
            move |at: u64| {
                let moved = if at >= 100 * HALF { by } else { 0 };
                (UTC + at).checked_add_signed(moved).expect("in range")
            }
        };
        for by in [1_050_001, -1_050_001, 3_600_000_000, -3_600_000_000] {
            assert_eq!(steps(jump(by)), [(100, by)], "{by}");
        }
        // What half a second of slewing could do comes on top of the threshold.
        assert_eq!(steps(jump(1_050_000)), []);
        assert_eq!(steps(jump(-1_050_000)), []);
    }

    #[test]
    fn slewing_is_no_step_however_long_it_goes_on() {
        // 500 ppm of the kernel and 8.3 % of chrony, for half an hour: 150 s in the end.
        for divisor in [2_000, 12] {
            assert_eq!(steps(|at| UTC + at + at / divisor), []);
            assert_eq!(steps(|at| UTC + at - at / divisor), []);
        }
    }

    #[test]
    fn a_late_look_takes_slewing_for_slewing_and_a_step_for_a_step() {
        let mut watch = WallWatch::new(WallPolicy::default());
        assert_eq!(watch.look(Micros(0), UTC), None);
        let minute = 60_000_000;
        assert_eq!(watch.look(Micros(minute), UTC + minute + minute / 12), None);
        let found = watch.look(Micros(2 * minute), UTC).expect("minutes back");
        assert_eq!(found.by_us, -i64::try_from(2 * minute + minute / 12).expect("small"));
        assert_eq!(watch.look(Micros(2 * minute + 1), UTC + 1), None, "told once");
        let end = watch.look(Micros(u64::MAX), u64::MAX);
        assert!(end.is_none_or(|step| step.by_us < 0), "nothing overflows");
    }
}
