//! The sweep: which speed and parity a serial line speaks.

use line_file::Parity;
use modbus::rtu::Timing;
use units::Micros;

use super::client::{Client, Reply};
use super::fault::ToolFault;
use super::progress::Progress;
use super::target::{Settings, Target, Wire};
use crate::bus::tap::Tap;

/// Speeds that are tried, the most usual first.
const BAUDS: [u32; 8] = [115_200, 9_600, 19_200, 38_400, 57_600, 230_400, 460_800, 500_000];
/// Forms of a character that are tried at each speed.
const FORMS: [(Parity, u8); 4] =
    [(Parity::Even, 1), (Parity::None, 1), (Parity::Odd, 1), (Parity::None, 2)];
/// Bytes of the question and of its answer: an identity read.
const BYTES: usize = 8 + 25;

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swept {
    /// The settings at which a node answered.
    pub(super) settings: Option<Settings>,
    /// Settings that were tried.
    pub(super) tried: usize,
    /// Settings at which something was heard that was no frame: perhaps another speed.
    pub(super) garbled: usize,
}

/// Every setting in the order of trying: the given one first.
pub(super) fn settings(given: Settings) -> Vec<Settings> {
    let others = BAUDS.into_iter().flat_map(|baud| {
        FORMS.into_iter().map(move |(parity, stop_bits)| Settings { baud, parity, stop_bits })
    });
    std::iter::once(given).chain(others.filter(|other| *other != given)).collect()
}

/// The longest time that a sweep may take.
pub(super) fn longest(settings: &[Settings], units: usize, timeout: Micros) -> Micros {
    let each = settings.iter().map(|settings| {
        let timing = Timing { baud: settings.baud, bits_per_char: settings.bits_per_char() };
        let one = timing.wire_time(BYTES).plus(timing.silence()).plus(timeout).plus(timeout);
        Micros(one.0 * u64::try_from(units).unwrap_or(u64::MAX))
    });
    each.fold(Micros::ZERO, Micros::plus)
}

/// Tries every setting until a unit answers.
pub(super) async fn run(target: &Target, units: &[u8], tap: &Tap) -> Result<Swept, ToolFault> {
    let Wire::Serial { path, line, .. } = &target.wire else {
        let what = format!("sweep {}", target.name);
        let why = "only a serial port has speed and parity".to_owned();
        return Err(ToolFault::Refused { what, why });
    };
    let all = settings(*line);
    let limit = longest(&all, units.len(), target.timeout);
    eprintln!(
        "sweeping {path}: {} settings, {} units each, at most {} s",
        all.len(),
        units.len(),
        limit.millis() / 1_000 + 1
    );
    let mut progress = Progress::new("sweep".to_owned(), all.len());
    let mut swept = Swept { settings: None, tried: 0, garbled: 0 };
    for settings in all {
        progress.step(&settings.to_string());
        swept.tried += 1;
        let mut here = target.clone();
        if let Wire::Serial { line, .. } = &mut here.wire {
            *line = settings;
        }
        let mut client = Client::open(&here, tap).await?;
        let mut garbled = false;
        let mut answered = false;
        for unit in units {
            match client.identity(*unit).await? {
                Reply::Silent { garbled: heard } => garbled |= heard,
                Reply::Words(_) | Reply::Done(_) | Reply::Exception(_) => {
                    answered = true;
                    break;
                }
            }
        }
        client.close().await;
        if answered {
            swept.settings = Some(settings);
            break;
        }
        swept.garbled += usize::from(garbled);
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_given_setting_comes_first_and_each_once() {
        let given = Settings { baud: 19_200, parity: Parity::Odd, stop_bits: 1 };
        let all = settings(given);
        assert_eq!((all[0], all.len()), (given, 32));
        let mut texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 32);
        let unusual = Settings { baud: 12_345, ..given };
        assert_eq!(settings(unusual).len(), 33);
    }

    #[test]
    fn slow_lines_take_their_time() {
        let slow = [Settings { baud: 9_600, parity: Parity::Even, stop_bits: 1 }];
        // 33 characters of 1.146 ms, 4 ms of silence and two times 50 ms, for two units.
        let limit = longest(&slow, 2, Micros::from_millis(50));
        assert_eq!(limit.millis(), 283);
    }
}
