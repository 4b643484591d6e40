//! Waybills on screens: only the last six characters are visible.

/// Characters that stay visible.
const VISIBLE: usize = 6;

/// The masked form: four stars stand for the rest, whatever its length. A code that is not longer
/// than what may be visible shows its last half.
pub(super) fn waybill(code: &str) -> String {
    let count = code.chars().count();
    let visible = VISIBLE.min(count / 2);
    let tail: String = code.chars().skip(count - visible).collect();
    format!("****{tail}")
}

#[cfg(test)]
mod tests {
    use super::waybill;

    #[test]
    fn no_more_than_six_and_never_all() {
        assert_eq!(waybill("YT8801234567890"), "****567890");
        assert_eq!(waybill("123456"), "****456");
        assert_eq!(waybill("1"), "****");
        assert_eq!(waybill(""), "****");
        assert_eq!(waybill("运单号码一二三四"), "****一二三四");
    }
}
