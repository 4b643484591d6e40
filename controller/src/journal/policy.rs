//! What a site decides about its journal, and the business day that names a file.

use std::fmt;

use units::Micros;

/// A site's choices for its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When the business day begins, in seconds after local midnight.
    pub day_start_s: u32,
    /// Local time minus UTC, in seconds.
    pub utc_offset_s: i32,
    /// Days that a file is kept after its own.
    pub retention_days: u32,
    /// Bytes of write-ahead log at which nothing more is committed until readers let go of it.
    pub log_bytes_max: u64,
    /// Bytes of write-ahead log at which it is moved into the file.
    pub log_bytes_soft: u64,
    /// Records between two snapshots: a restart repeats no more than these.
    pub snapshot_every: u64,
    /// How long the next day's file waits for a line without parcels.
    pub postpone_max: Micros,
}

impl Default for Policy {
    /// 06:00 in China, half a year, 16 of at most 256 MiB, 10,000 records, four hours.
    fn default() -> Self {
        Self {
            day_start_s: 6 * 3_600,
            utc_offset_s: 8 * 3_600,
            retention_days: 180,
            log_bytes_max: 256 << 20,
            log_bytes_soft: 16 << 20,
            snapshot_every: 10_000,
            postpone_max: Micros::from_secs(4 * 3_600),
        }
    }
}

impl Policy {
    /// The business day of an instant of the wall clock.
    pub fn day(&self, utc_us: u64) -> Day {
        let seconds = i64::try_from(utc_us / 1_000_000).unwrap_or(i64::MAX / 2);
        let local = seconds + i64::from(self.utc_offset_s) - i64::from(self.day_start_s);
        Day(u32::try_from(local.div_euclid(86_400)).unwrap_or_default())
    }
}

/// A business day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(u64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Year, month and day of the day counted from 1970-01-01 (proleptic Gregorian; eras of 400 years
/// that begin on 1 March, so that the leap day is the last of its year).
pub(crate) const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Decides when the next day's file begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct DayWatch {
    /// Since when another day's file is wanted.
    wanted: Option<Micros>,
    /// When it was asked for.
    asked: Option<Micros>,
}

/// A file that was asked for and did not come is asked for again after this long.
const ASK_AGAIN: Micros = Micros::from_secs(60);

impl DayWatch {
    /// The day whose file must begin now; `file` is the day of the present one.
    ///
    /// Parcels on the line postpone it, for they would have their story in two files. A wall clock
    /// that went back by less than two days begins no file: it may be a step around the boundary.
    pub fn due(
        &mut self,
        policy: &Policy,
        now: Micros,
        utc_us: u64,
        file: Day,
        on_line: usize,
    ) -> Option<Day> {
        let today = policy.day(utc_us);
        if today == file || today.0.saturating_add(1) == file.0 {
            *self = Self::default();
            return None;
        }
        let wanted = *self.wanted.get_or_insert(now);
        let free = on_line == 0 || now.since(wanted) >= policy.postpone_max;
        let fresh = self.asked.is_none_or(|asked| now.since(asked) >= ASK_AGAIN);
        if !free || !fresh {
            return None;
        }
        self.asked = Some(now);
        Some(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 06:00:00 in Shanghai.
    const SIX: u64 = 1_795_298_400_000_000;

    #[test]
    fn the_day_begins_at_six() {
        let policy = Policy::default();
        assert_eq!(policy.day(SIX).to_string(), "2026-11-22");
        assert_eq!(policy.day(SIX - 1).to_string(), "2026-11-21");
        assert_eq!(policy.day(0), Day(0), "no clock, no day before the first");
        let early = Policy { day_start_s: 0, utc_offset_s: -3_600, ..policy };
        assert_eq!(early.day(SIX).to_string(), "2026-11-21");
        assert!(policy.day(u64::MAX).0 > 0, "no instant overflows");
    }

    #[test]
    fn parcels_postpone_the_next_day_but_not_for_ever() {
        let policy = Policy::default();
        let mut watch = DayWatch::default();
        let (old, new) = (policy.day(SIX - 1), policy.day(SIX));
        let at = Micros::from_secs;
        assert_eq!(watch.due(&policy, at(0), SIX - 1, old, 0), None);
        assert_eq!(watch.due(&policy, at(1), SIX, old, 3), None);
        assert_eq!(watch.due(&policy, at(2), SIX, old, 0), Some(new));
        assert_eq!(watch.due(&policy, at(3), SIX, old, 0), None, "asked a moment ago");
        assert_eq!(watch.due(&policy, at(62), SIX, old, 0), Some(new), "it did not come");
        assert_eq!(watch.due(&policy, at(63), SIX, new, 0), None);
        let mut watch = DayWatch::default();
        assert_eq!(watch.due(&policy, at(10), SIX, old, 3), None);
        assert_eq!(watch.due(&policy, at(10 + 4 * 3_600 - 1), SIX, old, 3), None);
        assert_eq!(watch.due(&policy, at(10 + 4 * 3_600), SIX, old, 3), Some(new));
    }

    #[test]
    fn a_step_back_over_the_boundary_begins_no_file() {
        let policy = Policy::default();
        let day = policy.day(SIX);
        let mut watch = DayWatch::default();
        assert_eq!(watch.due(&policy, Micros(1), SIX - 1, day, 0), None);
        let far = policy.day(SIX + 400 * 86_400_000_000);
        assert_eq!(watch.due(&policy, Micros(2), SIX, far, 0), Some(day));
    }
}
