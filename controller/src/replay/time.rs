//! Instants as people write them.

/// `2026-11-22T14:03:07.250+08:00` for microseconds since 1970-01-01 UTC: the line's people read
/// Asia/Shanghai, which has had no daylight saving since 1991.
pub fn utc(utc_us: u64) -> String {
    let seconds = (utc_us / 1_000_000).saturating_add(8 * 3_600);
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds % 86_400 / 3_600, seconds / 60 % 60, seconds % 60);
    let ms = utc_us / 1_000 % 1_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}+08:00")
}

/// Reads `2026-11-22T14:03[:07[.25]][Z|+08:00]`, or a blank in place of the `T`; without a zone it
/// is Asia/Shanghai. `None` when it is no instant since 1970.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (clock, offset_minutes) = zone(rest)?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if date.next().is_some() || !(1_970..=9_999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if day == 0 || civil(days) != (year, month, day) {
        return None;
    }
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.split(':').map(digits);
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().unwrap_or(Some(0))?;
    if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 || fraction.len() > 6 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { digits(&format!("{fraction:0<6}"))? };
    let local = ((days * 24 + hour) * 60 + minute).checked_add_signed(-offset_minutes)?;
    Some((local * 60 + second) * 1_000_000 + micros)
}

/// An instant of a command line.
///
/// # Errors
/// When it is none, with what is expected.
pub fn instant(text: &str) -> Result<u64, &'static str> {
    parse(text).ok_or("expected an instant such as 2026-11-22T14:03:07")
}

/// The clock without its zone, and the zone's offset in minutes.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 480)) };
    let (clock, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes = digits(hours)?.checked_mul(60)?.checked_add(digits(minutes)?)?;
    Some((clock, sign * i64::try_from(minutes).ok()?))
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Year, month and day of the day counted from 1970-01-01 (proleptic Gregorian; eras of 400 years
/// that begin on 1 March, so that the leap day is the last of its year).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

/// The inverse of [`civil`] for years from 1970 on.
const fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day.saturating_sub(1);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_both_ways() {
        for (text, us) in [
            ("1970-01-01T08:00:00.000+08:00", 0),
            ("2000-02-29T07:59:59.999+08:00", 951_782_399_999_000),
            ("2027-01-01T00:00:00.123+08:00", 1_798_732_800_123_000),
        ] {
            assert_eq!(utc(us), text);
            assert_eq!(parse(text), Some(us));
        }
        assert_eq!(parse("2027-01-01 00:00"), Some(1_798_732_800_000_000));
        assert_eq!(parse("2026-12-31T16:00:00Z"), Some(1_798_732_800_000_000));
        assert_eq!(parse("2026-12-31T11:00-05:00"), Some(1_798_732_800_000_000));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-22",
            "2026-02-30T10:00",
            "2026-13-01T10:00",
            "1969-12-31T10:00",
            "2026-11-22T24:00",
            "2026-11-22T10",
            "2026-11-22T10:60",
            "x-11-22T10:00",
            "2026-11-22T10:00:00.1234567",
            "2026-11-22T10:00+8",
            "1970-01-01T00:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
