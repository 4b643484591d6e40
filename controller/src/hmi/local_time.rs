//! Wall-clock time as the line's people read it: Asia/Shanghai, 24 hours.
//!
//! The zone has had no daylight saving since 1991, so a fixed offset is exact for every record.

use crate::journal::policy::civil;

const OFFSET_SECONDS: u64 = 8 * 3_600;
const DAY_SECONDS: u64 = 86_400;

/// `14:03:07` for microseconds since 1970-01-01 UTC.
pub(super) fn time_of_day(utc_us: u64) -> String {
    let seconds = local_seconds(utc_us) % DAY_SECONDS;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `14:03:07.250` for microseconds since 1970-01-01 UTC.
pub(super) fn time_of_day_ms(utc_us: u64) -> String {
    format!("{}.{:03}", time_of_day(utc_us), utc_us / 1_000 % 1_000)
}

/// `2026-11-21` for microseconds since 1970-01-01 UTC.
pub(super) fn date(utc_us: u64) -> String {
    let (year, month, day) = civil(local_seconds(utc_us) / DAY_SECONDS);
    format!("{year:04}-{month:02}-{day:02}")
}

/// ISO 8601 with offset, for JSON and the `datetime` attribute.
pub(super) fn iso(utc_us: u64) -> String {
    format!("{}T{}+08:00", date(utc_us), time_of_day_ms(utc_us))
}

const fn local_seconds(utc_us: u64) -> u64 {
    utc_us / 1_000_000 + OFFSET_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(iso(0), "1970-01-01T08:00:00.000+08:00");
        assert_eq!(iso(951_782_399_999_999), "2000-02-29T07:59:59.999+08:00");
        assert_eq!(iso(951_840_000_000_000), "2000-03-01T00:00:00.000+08:00");
        assert_eq!(iso(1_798_732_800_123_000), "2027-01-01T00:00:00.123+08:00");
        assert_eq!(time_of_day_ms(1_798_732_800_123_000 - 1_000_000), "23:59:59.123");
    }

    #[test]
    fn no_instant_overflows() {
        assert!(iso(u64::MAX).ends_with("+08:00"));
    }
}
