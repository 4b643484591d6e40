//! Bits on the line: which characters are hit, and what a UART makes of them.

use super::faults::Faults;
use super::tally::{Class, Tally};
use crate::rng::Rng;
use modbus::rtu::Timing;
use node::LineError;

/// Mean length of a burst where none is given, in bits.
const BURST_BITS: u32 = 20;
/// Flips inside a burst where none are given, in ppm.
const BURST_FLIPS: u32 = 300_000;

/// A character as a UART gives it.
pub(super) type Character = Result<u8, LineError>;

/// The state of the channel: how many bits are left until the next thing happens.
///
/// Distances are geometrically distributed and drawn ahead, so that clean frames cost nothing.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    flips: Option<Geometric>,
    bursts: Option<Geometric>,
    length: Option<Geometric>,
    burst_flips: u32,
    until_flip: u64,
    until_burst: u64,
    burst_left: u64,
}

/// A geometric distribution: the waiting time for something of a small rate.
#[derive(Clone, Debug)]
struct Geometric {
    /// P(bit k of the waiting time is set) in 2^32nds.
    digits: [u64; 32],
}

impl Geometric {
    /// Waiting time at `ppb` a step.
    ///
    /// The binary digits of a geometric number are independent: digit k is 1 with the probability
    /// q^(2^k) / (1 + q^(2^k)).
    fn new(ppb: u64) -> Self {
        const ONE: u128 = 1 << 62;
        let ppb = u128::from(ppb.min(1_000_000_000));
        let mut power = ONE - ONE * ppb / 1_000_000_000;
        let digits = core::array::from_fn(|_| {
            let digit = (power << 32) / (ONE + power);
            power = (power * power) >> 62;
            u64::try_from(digit).unwrap_or_default()
        });
        Self { digits }
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        let digit = |(k, chance): (usize, &u64)| {
            // Beyond some digit nothing is ever set.
            let set = *chance > 0 && u64::from(rng.word()) < *chance;
            u64::from(set) << k
        };
        self.digits.iter().enumerate().map(digit).sum()
    }
}

impl Channel {
    pub(super) fn new(faults: &Faults, rng: &mut Rng) -> Self {
        let waiting = |rate: u32| (rate > 0).then(|| Geometric::new(u64::from(rate)));
        let (flips, bursts) = (waiting(faults.bit_errors), waiting(faults.bursts));
        let mean = if faults.burst_bits == 0 { BURST_BITS } else { faults.burst_bits };
        let next = |from: &Option<Geometric>, rng: &mut Rng| {
            from.as_ref().map_or(u64::MAX, |waiting| waiting.draw(rng))
        };
        Self {
            until_flip: next(&flips, rng),
            until_burst: next(&bursts, rng),
            length: bursts.is_some().then(|| Geometric::new(1_000_000_000 / u64::from(mean))),
            flips,
            bursts,
            burst_flips: if faults.burst_flips == 0 { BURST_FLIPS } else { faults.burst_flips },
            burst_left: 0,
        }
    }

    /// Passes `bytes` over the line; the characters as every UART gives them.
    pub(super) fn pass(
        &mut self,
        bytes: &[u8],
        timing: Timing,
        rng: &mut Rng,
        tally: &mut Tally,
    ) -> Vec<Character> {
        let bits = u64::from(timing.bits_per_char);
        let all = bits * u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.burst_left == 0 && self.until_flip >= all && self.until_burst >= all {
            self.skip(all);
            return bytes.iter().copied().map(Ok).collect();
        }
        let character = |byte: &u8| {
            let flips = (0..bits)
                .fold(0u16, |flips, bit| flips | (u16::from(self.flips(rng, tally)) << bit));
            let character = received(*byte, flips, timing);
            match character {
                Err(LineError::Parity) => tally.count(Class::Parity),
                Err(LineError::Framing | LineError::Overrun | LineError::Break) => {
                    tally.count(Class::Framing);
                }
                Ok(heard) if heard != *byte => tally.count(Class::WrongBytes),
                Ok(_) => {}
            }
            character
        };
        bytes.iter().map(character).collect()
    }

    fn skip(&mut self, bits: u64) {
        let less = |left: &mut u64, endless: bool| {
            if !endless {
                *left -= bits;
            }
        };
        less(&mut self.until_flip, self.flips.is_none());
        less(&mut self.until_burst, self.bursts.is_none());
    }

    /// Whether the next bit flips.
    fn flips(&mut self, rng: &mut Rng, tally: &mut Tally) -> bool {
        if self.burst_left > 0 {
            self.burst_left -= 1;
            return rng.chance(self.burst_flips);
        }
        if let (Some(bursts), Some(length)) = (&self.bursts, &self.length) {
            if self.until_burst == 0 {
                tally.count(Class::Bursts);
                self.until_burst = bursts.draw(rng);
                self.burst_left = length.draw(rng);
                return true;
            }
            self.until_burst -= 1;
        }
        let Some(flips) = &self.flips else { return false };
        if self.until_flip == 0 {
            tally.count(Class::BitErrors);
            self.until_flip = flips.draw(rng);
            return true;
        }
        self.until_flip -= 1;
        false
    }
}

/// Whether a character carries a parity bit: 11 bits are start, eight, parity and stop.
const fn has_parity(timing: Timing) -> bool {
    timing.bits_per_char >= 11
}

/// What a UART makes of `byte` when these of its bits are flipped; bit 0 is the start bit.
fn received(byte: u8, flips: u16, timing: Timing) -> Character {
    if flips == 0 {
        return Ok(byte);
    }
    let last = u16::from(timing.bits_per_char).saturating_sub(1);
    let ends = 1 | (1 << last);
    if flips & ends != 0 {
        return Err(LineError::Framing);
    }
    let inner = flips >> 1;
    if has_parity(timing) && inner.count_ones() % 2 == 1 {
        return Err(LineError::Parity);
    }
    let [_, data] = inner.to_be_bytes();
    Ok(byte ^ data)
}

/// The levels of a character on the line, start bit first; true = idle level.
pub(super) fn levels(character: Character, timing: Timing) -> impl Iterator<Item = bool> {
    // A character that no UART could read stays unreadable: low to its end.
    let (byte, end) = character.map_or((0, false), |byte| (byte, true));
    let parity = has_parity(timing).then_some(byte.count_ones() % 2 == 1);
    let data = (0..8).map(move |bit| byte >> bit & 1 == 1);
    let stop = usize::from(timing.bits_per_char.saturating_sub(9 + u8::from(parity.is_some())));
    core::iter::once(false).chain(data).chain(parity).chain(core::iter::repeat_n(end, stop))
}

/// Reads levels as a UART does: from each start bit on, one sample a bit.
pub(super) fn sampled(levels: &[bool], timing: Timing) -> Vec<Character> {
    let length = usize::from(timing.bits_per_char);
    let (mut at, mut heard) = (0, Vec::new());
    while let Some(start) = levels.iter().skip(at).position(|level| !level).map(|off| at + off) {
        let bit = |n: usize| levels.get(start + n).copied().unwrap_or(true);
        let byte = (0..8).fold(0u8, |byte, n| byte | (u8::from(bit(n + 1)) << n));
        let odd = byte.count_ones() % 2 == 1;
        heard.push(if !bit(length - 1) {
            Err(LineError::Framing)
        } else if has_parity(timing) && bit(9) != odd {
            Err(LineError::Parity)
        } else {
            Ok(byte)
        });
        at = start + length;
        // A line that is still low has no start bit before it was high again.
        while at < levels.len() && !bit(length - 1) && !levels[at] {
            at += 1;
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Timing = Timing { baud: 115_200, bits_per_char: 11 };
    const NONE: Timing = Timing { baud: 115_200, bits_per_char: 10 };

    #[test]
    fn flips_become_what_a_uart_reports() {
        assert_eq!(received(0x55, 0, EVEN), Ok(0x55));
        assert_eq!(received(0x55, 1, EVEN), Err(LineError::Framing), "start");
        assert_eq!(received(0x55, 1 << 10, EVEN), Err(LineError::Framing), "stop");
        assert_eq!(received(0x55, 0b10, EVEN), Err(LineError::Parity), "one data bit");
        assert_eq!(received(0x55, 1 << 9, EVEN), Err(LineError::Parity), "the parity bit");
        assert_eq!(received(0x55, 0b110, EVEN), Ok(0x56), "two data bits");
        assert_eq!(received(0x55, (1 << 9) | 0b10, EVEN), Ok(0x54), "data and parity");
        assert_eq!(received(0x55, 0b10, NONE), Ok(0x54), "no parity");
        assert_eq!(received(0x55, 1 << 9, NONE), Err(LineError::Framing));
    }

    #[test]
    fn levels_are_read_back() {
        for timing in [EVEN, NONE] {
            let bytes: Vec<u8> = (0..=255).collect();
            let line: Vec<bool> = bytes.iter().flat_map(|byte| levels(Ok(*byte), timing)).collect();
            assert_eq!(line.len(), 256 * usize::from(timing.bits_per_char));
            let heard: Option<Vec<u8>> =
                sampled(&line, timing).into_iter().map(Result::ok).collect();
            assert_eq!(heard, Some(bytes));
        }
        assert_eq!(sampled(&[false; 300], EVEN), [Err(LineError::Framing)], "a break is one");
    }

    #[test]
    fn waiting_times_have_their_mean() {
        let mut rng = Rng::stream(1, "geometric");
        for (ppb, mean) in [(1_000_000, 999), (50_000_000, 19), (500_000_000, 1), (10_000, 99_999)]
        {
            let waiting = Geometric::new(ppb);
            let sum: u64 = (0..20_000).map(|_| waiting.draw(&mut rng)).sum();
            let found = sum / 20_000;
            assert!(found.abs_diff(mean) <= mean / 25 + 1, "{ppb} ppb: {found} of {mean}");
        }
        assert_eq!(Geometric::new(1_000_000_000).draw(&mut rng), 0);
    }

    #[test]
    fn a_channel_hits_as_many_bits_as_told() {
        let mut rng = Rng::stream(2, "channel");
        let faults = Faults { bit_errors: 100_000, bursts: 20_000, ..Faults::NONE };
        let mut channel = Channel::new(&faults, &mut rng);
        let mut tally = Tally::default();
        let frame = [0xA5; 100];
        for _ in 0..50_000 {
            channel.pass(&frame, EVEN, &mut rng, &mut tally);
        }
        // 55 million bits.
        assert!((5_000..6_000).contains(&tally.of(Class::BitErrors)), "{tally:?}");
        assert!((1_000..1_200).contains(&tally.of(Class::Bursts)), "{tally:?}");
        assert!(tally.of(Class::Parity) > 4_000 && tally.of(Class::Framing) > 900, "{tally:?}");
        assert!(tally.of(Class::WrongBytes) > 100, "{tally:?}");
        let mut clean = Channel::new(&Faults::NONE, &mut rng);
        assert_eq!(clean.pass(&frame, EVEN, &mut rng, &mut tally), frame.map(Ok));
    }
}
