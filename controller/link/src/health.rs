//! How well a node answers, and who answers at its address.

use crate::limits::{CLASH_SPAN, CLASH_STRANGERS, DEGRADED_FROM, DEGRADED_UNTIL};
use units::Micros;

/// How well a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nearly every exchange succeeds.
    Ok,
    /// Several of its last 16 exchanges failed; it is polled all the same.
    Degraded,
    /// It is not used, only asked again now and then.
    Offline,
}

/// How a node's last 16 exchanges ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// One bit each, the newest lowest; set = failed.
    bits: u16,
    degraded: bool,
}

impl History {
    /// Notes the end of one exchange.
    pub(crate) fn note(&mut self, failed: bool) {
        self.bits = (self.bits << 1) | u16::from(failed);
        let failures = self.bits.count_ones();
        // Two limits, so that one failure more or less does not change it to and fro.
        self.degraded =
            if self.degraded { failures > DEGRADED_UNTIL } else { failures >= DEGRADED_FROM };
    }

    /// How well the node answers while it is used.
    pub(crate) const fn health(self) -> Health {
        if self.degraded { Health::Degraded } else { Health::Ok }
    }

    /// How many of the last 16 failed.
    pub(crate) const fn failures(self) -> u32 {
        self.bits.count_ones()
    }
}

/// Who has answered at one address lately.
///
/// One device that is replaced by another is everyday; the first one coming back within
/// [`CLASH_SPAN`] is not: two devices share the address. So is an answer of another boot, when the
/// node then identifies itself as the old one, several times within the span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answerers {
    serial: Option<u32>,
    before: Option<(u32, Micros)>,
    /// An answer of another boot came and the node has not been identified since.
    stranger: bool,
    strangers: u8,
    since: Micros,
    /// Nobody else must be heard until then, for the address to be trusted again.
    doubted: Option<Micros>,
}

impl Answerers {
    /// The device that identified itself last.
    pub(crate) const fn serial(&self) -> Option<u32> {
        self.serial
    }

    /// An answer of another boot than the node's came.
    pub(crate) fn other_boot(&mut self) {
        self.stranger = true;
    }

    /// A device has identified itself; `known` tells that it is the boot known. Returns the other
    /// one's serial number (0 when it has none) while the address is not to be trusted.
    pub(crate) fn identified(&mut self, now: Micros, serial: u32, known: bool) -> Option<u32> {
        if now.since(self.since) > CLASH_SPAN {
            (self.strangers, self.since) = (0, now);
        }
        let strange = core::mem::take(&mut self.stranger) && known;
        self.strangers = self.strangers.saturating_add(u8::from(strange));
        let mut other = (self.strangers >= CLASH_STRANGERS).then_some(0);
        if let Some(last) = self.serial.filter(|last| *last != serial) {
            let back = |(old, at): (u32, Micros)| old == serial && now.since(at) <= CLASH_SPAN;
            if self.before.is_some_and(back) || self.is_doubted(now) {
                other = Some(last);
            }
            self.before = Some((last, now));
        }
        self.serial = Some(serial);
        if other.is_some() {
            self.doubted = Some(now.plus(CLASH_SPAN));
            self.strangers = 0;
        }
        let before = self.before.map_or(0, |(before, _)| before);
        if self.is_doubted(now) {
            Some(other.filter(|found| *found != 0).unwrap_or(before))
        } else {
            None
        }
    }

    fn is_doubted(&self, now: Micros) -> bool {
        self.doubted.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_sixteen_degrade_and_one_of_sixteen_does_not() {
        let mut history = History::default();
        let mut said = std::vec::Vec::new();
        for n in 0..40 {
            history.note(n % 16 == 0 || n == 5 || n == 9);
            said.push(history.health());
        }
        assert!(said[..9].iter().all(|health| *health == Health::Ok));
        assert!(said[9..25].iter().all(|health| *health == Health::Degraded), "{said:?}");
        assert!(said[25..].iter().all(|health| *health == Health::Ok), "{said:?}");
        assert_eq!(history.failures(), 1);
    }

    #[test]
    fn a_replaced_device_is_no_clash_and_its_coming_back_is_one() {
        let at = Micros::from_secs;
        let mut who = Answerers::default();
        assert_eq!(who.identified(at(1), 7, false), None);
        assert_eq!(who.identified(at(2), 8, false), None, "replaced");
        assert_eq!(who.identified(at(40), 7, false), None, "put back after a while");
        assert_eq!(who.identified(at(41), 8, false), Some(7), "to and fro");
        assert_eq!(who.identified(at(60), 8, true), Some(7), "doubted for a while");
        assert_eq!(who.identified(at(72), 8, true), None, "trusted again");
    }

    #[test]
    fn strange_boots_of_an_unchanged_node_are_a_clash() {
        let mut who = Answerers::default();
        assert_eq!(who.identified(Micros(1), 7, false), None);
        for n in 1..=CLASH_STRANGERS {
            who.other_boot();
            let found = who.identified(Micros(1 + u64::from(n)), 7, true);
            assert_eq!(found.is_some(), n == CLASH_STRANGERS, "{n}");
        }
        // A restart is told by an answer of another boot too, but the node is another one then.
        let mut who = Answerers::default();
        for n in 1..20 {
            who.other_boot();
            assert_eq!(who.identified(Micros(n), 7, false), None);
        }
    }
}
