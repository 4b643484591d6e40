//! What is on the line: characters with their instants, and what becomes of two at once.

use super::bits::{Character, levels, sampled};
use super::machine::Speaker;
use modbus::rtu::Timing;

/// Characters that follow each other without a pause.
#[derive(Clone, Debug)]
pub(super) struct Transmission {
    pub(super) from: Speaker,
    /// When the first start bit begins, in µs.
    pub(super) start: u64,
    /// When the last stop bit ends.
    pub(super) end: u64,
    pub(super) characters: Vec<Character>,
    /// How the host's adapter hands it over.
    pub(super) reading: Reading,
}

/// How bytes reach the host's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they come.
    Whole,
    /// In pieces, late.
    Split,
    /// Late, with whatever else has come.
    Merged,
}

impl Transmission {
    pub(super) fn new(
        from: Speaker,
        start: u64,
        characters: Vec<Character>,
        timing: Timing,
    ) -> Self {
        let end = start + timing.wire_time(characters.len()).0;
        Self { from, start, end, characters, reading: Reading::Whole }
    }

    pub(super) const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Ends the transmission at `now`: whole characters that are out stay.
    pub(super) fn cut(&mut self, now: u64, timing: Timing) {
        let out = |count: &usize| self.start + timing.wire_time(*count).0 <= now;
        let sent = (0..=self.characters.len()).take_while(out).count().saturating_sub(1);
        self.characters.truncate(sent);
        self.end = self.end.min(now).max(self.start);
    }

    /// What everybody hears when both speak: a low level of either wins, as on a driven line.
    pub(super) fn overlaid(self, other: &Self, timing: Timing) -> Self {
        let start = self.start.min(other.start);
        let end = self.end.max(other.end);
        let bit = |at: u64| usize::try_from((at - start) * u64::from(timing.baud) / 1_000_000);
        let mut line =
            vec![true; bit(end).unwrap_or_default() + 2 * usize::from(timing.bits_per_char)];
        for one in [&self, other] {
            let from = bit(one.start).unwrap_or_default();
            let all = one.characters.iter().flat_map(|character| levels(*character, timing));
            for (level, bit) in line.iter_mut().skip(from).zip(all) {
                *level &= bit;
            }
        }
        Self {
            from: Speaker::Noise,
            start,
            end,
            characters: sampled(&line, timing),
            reading: Reading::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use modbus::rtu;

    const LINE: Timing = Timing { baud: 115_200, bits_per_char: 11 };

    fn frame(rng: &mut Rng, start: u64) -> Transmission {
        let pdu: Vec<u8> =
            [&[0x17, 56][..], &[0; 56].map(|_: u8| rng.half_word().to_be_bytes()[0])].concat();
        let mut out = [0; 256];
        let len = rtu::encode(5, &pdu, &mut out).expect("fits");
        let characters = out[..len].iter().copied().map(Ok).collect();
        Transmission::new(Speaker::Station(0), start, characters, LINE)
    }

    #[test]
    fn two_answers_at_once_are_no_answer() {
        let mut rng = Rng::stream(1, "overlay");
        for _ in 0..500 {
            let (one, other) = (frame(&mut rng, 1_000), 1_000 + rng.below(900));
            let other = frame(&mut rng, other);
            let end = other.end;
            assert!(one.overlaps(&other));
            let both = one.overlaid(&other, LINE);
            assert_eq!((both.start, both.end), (1_000, end));
            let bytes: Vec<u8> = both.characters.iter().map(|heard| heard.unwrap_or(0)).collect();
            assert!(rtu::check(&bytes).is_err(), "{both:?}");
        }
    }

    #[test]
    fn the_same_answer_twice_at_the_same_instant_is_one() {
        let mut rng = Rng::stream(2, "overlay");
        let one = frame(&mut rng, 77);
        assert_eq!(one.clone().overlaid(&one, LINE).characters, one.characters);
    }

    #[test]
    fn a_cut_leaves_whole_characters() {
        let mut rng = Rng::stream(3, "overlay");
        let mut one = frame(&mut rng, 1_000);
        one.cut(1_000 + LINE.wire_time(10).0 + 50, LINE);
        assert_eq!(one.characters.len(), 10);
        one.cut(900, LINE);
        assert!(one.characters.is_empty() && one.end == one.start);
    }
}
