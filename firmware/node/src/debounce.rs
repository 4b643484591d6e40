//! Debouncing of one input with the count latched at the first transition.

use crate::boundary::Stamp;
use crate::limits::{BURST_DEBOUNCES_MAX, INPUTS_MAX};
use units::Micros;

/// A debounced change of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Input id of the node kind.
    pub input: u8,
    /// The new level.
    pub active: bool,
    /// The instant of the first transition, before debouncing.
    pub at: Stamp,
}

/// Transitions that have not settled yet.
#[derive(Clone, Copy, Debug)]
struct Burst {
    first: Stamp,
    last: Micros,
}

/// One input: the level that counts and the transitions that may change it.
#[derive(Clone, Copy, Debug, Default)]
struct Debounce {
    level: bool,
    raw: bool,
    burst: Option<Burst>,
}

impl Debounce {
    fn raw(&mut self, level: bool, at: Stamp, stable: Micros) {
        if level == self.raw {
            return;
        }
        self.raw = level;
        let longest = Micros(stable.0.saturating_mul(BURST_DEBOUNCES_MAX));
        match &mut self.burst {
            Some(burst) if at.now.since(burst.first.now) <= longest => burst.last = at.now,
            _ => self.burst = Some(Burst { first: at, last: at.now }),
        }
    }

    fn deadline(&self, stable: Micros) -> Option<Micros> {
        self.burst.map(|burst| burst.last.plus(stable))
    }

    /// The settled change, if there is one; a burst that fell back to the old level is forgotten.
    fn settle(&mut self, now: Micros, stable: Micros) -> Option<(bool, Stamp)> {
        if self.deadline(stable)? > now {
            return None;
        }
        let burst = self.burst.take()?;
        let changed = self.raw != self.level;
        self.level = self.raw;
        changed.then_some((self.level, burst.first))
    }
}

/// All inputs of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inputs {
    inputs: [Debounce; INPUTS_MAX],
}

impl Inputs {
    /// Takes a raw level; an input that the kind does not have is ignored by the caller.
    pub(crate) fn raw(&mut self, input: u8, level: bool, at: Stamp, stable: Micros) {
        if let Some(debounce) = self.inputs.get_mut(usize::from(input)) {
            debounce.raw(level, at, stable);
        }
    }

    /// The next settled change; call until `None`. At most one per input and instant.
    pub(crate) fn settle(&mut self, now: Micros, stable: Micros) -> Option<Edge> {
        self.inputs.iter_mut().zip(0u8..).find_map(|(debounce, input)| {
            let (active, at) = debounce.settle(now, stable)?;
            Some(Edge { input, active, at })
        })
    }

    /// When the next burst settles.
    pub(crate) fn next_deadline(&self, stable: Micros) -> Option<Micros> {
        self.inputs.iter().filter_map(|debounce| debounce.deadline(stable)).min()
    }

    /// The debounced level.
    pub(crate) fn level(&self, input: u8) -> bool {
        self.inputs.get(usize::from(input)).is_some_and(|debounce| debounce.level)
    }

    /// Where a transition away from inactive was latched that has not settled yet.
    pub(crate) fn opening(&self, input: u8) -> Option<Stamp> {
        let debounce = self.inputs.get(usize::from(input))?;
        if debounce.level { None } else { debounce.burst.map(|burst| burst.first) }
    }

    /// Debounced levels as bits.
    pub(crate) fn word(&self) -> u16 {
        self.inputs
            .iter()
            .rev()
            .fold(0u16, |word, debounce| (word << 1) | u16::from(debounce.level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;
    use units::Counts;

    const STABLE: Micros = Micros::from_millis(25);

    /// Feeds raw transitions (ms, level), settles at every ms, and gives (count, active) of edges.
    fn check(transitions: &[(u64, bool)], expected: &[(u32, bool)]) {
        let mut inputs = Inputs::default();
        let mut seen = Vec::new();
        for ms in 0..2_000u64 {
            let at = Stamp {
                now: Micros::from_millis(ms),
                count: Counts(u32::try_from(ms).expect("small")),
                second: Counts(0),
            };
            while let Some(edge) = inputs.settle(at.now, STABLE) {
                seen.push((edge.at.count.0, edge.active));
            }
            for (_, level) in transitions.iter().filter(|(when, _)| *when == ms) {
                inputs.raw(3, *level, at, STABLE);
            }
        }
        assert_eq!(seen, expected, "{transitions:?}");
    }

    #[test]
    fn edges_carry_the_count_of_their_first_transition() {
        check(&[(10, true), (300, false)], &[(10, true), (300, false)]);
        check(&[(10, true), (14, false), (20, true), (300, false)], &[(10, true), (300, false)]);
    }

    #[test]
    fn short_excursions_are_ignored_and_forgotten() {
        check(&[(10, true), (20, false)], &[]);
        check(&[(10, true), (20, false), (60, true)], &[(60, true)]);
        check(&[(10, true), (100, false), (110, true), (400, false)], &[(10, true), (400, false)]);
    }

    #[test]
    fn stability_is_exactly_the_setting() {
        check(&[(10, true), (34, false)], &[]);
        check(&[(10, true), (35, false)], &[(10, true), (35, false)]);
    }

    #[test]
    fn an_endless_burst_does_not_keep_an_old_latch() {
        let mut transitions: Vec<(u64, bool)> = (0..31).map(|n| (n * 10, n % 2 == 0)).collect();
        transitions.push((900, false));
        // Bouncing from 0 to 300 ms: the latch moves on after 8 × 25 ms, at 210 ms.
        check(&transitions, &[(210, true), (900, false)]);
    }

    #[test]
    fn an_unsettled_head_is_visible_with_its_latched_count() {
        let mut inputs = Inputs::default();
        let at = Stamp { now: Micros(5), count: Counts(77), second: Counts(0) };
        assert_eq!(inputs.opening(1), None);
        inputs.raw(1, true, at, STABLE);
        assert_eq!(inputs.opening(1), Some(at));
        assert_eq!(inputs.word(), 0);
        assert!(inputs.settle(Micros(25_005), STABLE).is_some());
        assert_eq!(inputs.opening(1), None);
        assert_eq!(inputs.word(), 2);
        assert!(inputs.level(1));
    }
}
