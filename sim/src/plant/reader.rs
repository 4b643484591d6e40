//! The barcode reader on its serial line to the scanner node.

use super::device::{Trigger, Triggers};
use super::{Happening, What};
use crate::items::Item;
use crate::plant_file::Profile;
use crate::rng::Rng;
use crate::scenario::ReadFault;
use crate::truth::{ReadTruth, TruthParcel};

/// After the tail has left the line, in µs.
const READ_US: [u64; 2] = [30_000, 250_000];
/// As above, for a read that comes after the next trigger.
const LATE_US: [u64; 2] = [1_000_000, 1_500_000];

/// The reader.
#[derive(Clone, Debug)]
pub struct Reader {
    /// 0 is the tunnel's.
    number: usize,
    station: usize,
    triggers: Triggers,
    /// The last parcel whose tail passed before its trigger came.
    passed: Option<usize>,
    /// It gives nothing, since what in the truth.
    pub dead: Option<usize>,
    /// What it will make of these parcels.
    pub faults: Vec<(usize, ReadFault)>,
    rng: Rng,
}

impl Reader {
    /// Builds the reader of a scanner station; 0 is the tunnel's.
    pub fn new(number: usize, station: usize, rng: Rng) -> Self {
        Self {
            number,
            station,
            triggers: Triggers::default(),
            passed: None,
            dead: None,
            faults: Vec::new(),
            rng,
        }
    }

    /// The station that it is wired to.
    pub const fn station(&self) -> usize {
        self.station
    }

    /// Takes bytes from the node while `parcel` is at the line; a trigger whose parcel has passed
    /// already is to be answered now.
    pub fn receive(&mut self, bytes: &[u8], parcel: Option<usize>) -> Option<usize> {
        let trigger = self.triggers.receive(bytes, parcel)?;
        (self.passed == Some(trigger.parcel)).then_some(trigger.parcel)
    }

    /// The tail of `parcel` has left the line at `at`: the reader gives out what it saw.
    pub fn tail(
        &mut self,
        parcel: &mut TruthParcel,
        index: usize,
        at: u64,
        (profile, items): (&Profile, &[Item]),
        out: &mut Vec<Happening>,
    ) {
        self.passed = Some(index);
        let Some(Trigger { number, .. }) = self.triggers.take(index) else { return };
        if self.dead.is_some() {
            return;
        }
        let fault = match self.faults.iter().position(|(parcel, _)| *parcel == index) {
            Some(at) => Some(self.faults.remove(at).1),
            None => None,
        };
        let late = self.rng.chance(profile.late_read_ppm) || fault == Some(ReadFault::Late);
        let delay = self.rng.span(if late { LATE_US } else { READ_US });
        let codes = match fault {
            Some(ReadFault::Silent) => return,
            Some(ReadFault::None) => Vec::new(),
            Some(ReadFault::Wrong) => vec![self.misread(&parcel.waybill)],
            Some(ReadFault::Late) => vec![parcel.waybill.clone()],
            Some(ReadFault::Several) => vec![parcel.waybill.clone(), self.second()],
            None => self.codes(&parcel.waybill, profile, items),
        };
        let text = if codes.is_empty() { "NOREAD".to_owned() } else { codes.join(";") };
        let bytes = format!("{number}:{text}\r").into_bytes();
        out.push(Happening { at: at + delay, what: What::Device { station: self.station, bytes } });
        if let Some(read) = parcel.read_by_mut(self.number) {
            *read =
                if codes.is_empty() { ReadTruth::NoRead } else { ReadTruth::Codes { codes, late } };
        }
    }

    /// The tails of two parcels that stick together have left the line: it saw both labels in one
    /// trigger.
    pub fn tails(
        &mut self,
        first: (&mut TruthParcel, usize),
        second: (&mut TruthParcel, usize),
        at: u64,
        (profile, items): (&Profile, &[Item]),
        out: &mut Vec<Happening>,
    ) {
        self.passed = Some(second.1);
        let trigger = self.triggers.take(first.1);
        let Some(Trigger { number, .. }) = trigger.or_else(|| self.triggers.take(second.1)) else {
            return;
        };
        if self.dead.is_some() {
            return;
        }
        let late = self.rng.chance(profile.late_read_ppm);
        let delay = self.rng.span(if late { LATE_US } else { READ_US });
        let mut codes = self.codes(&first.0.waybill, profile, items);
        codes.append(&mut self.codes(&second.0.waybill, profile, items));
        let text = if codes.is_empty() { "NOREAD".to_owned() } else { codes.join(";") };
        let bytes = format!("{number}:{text}\r").into_bytes();
        out.push(Happening { at: at + delay, what: What::Device { station: self.station, bytes } });
        for parcel in [first.0, second.0] {
            parcel.read = if codes.is_empty() {
                ReadTruth::NoRead
            } else {
                ReadTruth::Codes { codes: codes.clone(), late }
            };
        }
    }

    fn codes(&mut self, label: &str, profile: &Profile, items: &[Item]) -> Vec<String> {
        if self.rng.chance(profile.no_read_ppm) {
            return Vec::new();
        }
        if self.rng.chance(profile.wrong_read_ppm) {
            return vec![self.misread(label)];
        }
        let mut codes = vec![label.to_owned()];
        if self.rng.chance(profile.several_codes_ppm) {
            // The product's own code, or the label of an earlier journey.
            codes.push(match items.get(self.rng.index(items.len())) {
                Some(item) if self.rng.chance(500_000) && item.waybill != label => {
                    item.waybill.clone()
                }
                _ => self.second(),
            });
        }
        codes
    }

    /// The code of a product.
    fn second(&mut self) -> String {
        format!("69{:011}", self.rng.below(100_000_000_000))
    }

    /// The label with one digit wrong.
    fn misread(&mut self, label: &str) -> String {
        let digits = label.bytes().filter(u8::is_ascii_digit).count();
        let (wrong, by) = (self.rng.index(digits), self.rng.between(1, 9));
        let mut seen = 0;
        label
            .chars()
            .map(|char| match char.to_digit(10) {
                Some(digit) => {
                    seen += 1;
                    let other = (i64::from(digit) + by).rem_euclid(10);
                    let other = u32::try_from(other).ok().and_then(|n| char::from_digit(n, 10));
                    if seen == wrong + 1 { other.unwrap_or(char) } else { char }
                }
                None => char,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plant::tests::{item, profile, truth_parcel};

    fn reads(profile: &Profile, count: usize) -> Vec<(ReadTruth, u64, String)> {
        let items: Vec<Item> = (0..50).map(item).collect();
        let mut reader = Reader::new(0, 2, Rng::stream(11, "reader"));
        (0..count)
            .map(|index| {
                let mut parcel = truth_parcel(index);
                assert_eq!(reader.receive(format!("T{index}\r").as_bytes(), Some(index)), None);
                let mut out = Vec::new();
                reader.tail(&mut parcel, index, 1_000_000, (profile, &items), &mut out);
                let What::Device { station: 2, bytes } = &out[0].what else { panic!("{out:?}") };
                let text = String::from_utf8(bytes.clone()).expect("text");
                (parcel.read, out[0].at - 1_000_000, text)
            })
            .collect()
    }

    #[test]
    fn a_clean_reader_gives_every_label_with_its_trigger_in_time() {
        for (index, (read, delay, text)) in reads(&profile("clean"), 500).into_iter().enumerate() {
            let label = truth_parcel(index).waybill;
            assert_eq!(text, format!("{index}:{label}\r"));
            assert_eq!(read, ReadTruth::Codes { codes: vec![label], late: false });
            assert!((30_000..=250_000).contains(&delay));
        }
    }

    #[test]
    fn its_troubles_have_their_shares() {
        let reads = reads(&profile("normal"), 60_000);
        let count = |of: &dyn Fn(&ReadTruth) -> bool| reads.iter().filter(|r| of(&r.0)).count();
        let none = count(&|read| *read == ReadTruth::NoRead);
        let several = count(&|r| matches!(r, ReadTruth::Codes { codes, .. } if codes.len() == 2));
        let late = count(&|read| matches!(read, ReadTruth::Codes { late: true, .. }));
        assert!((620..820).contains(&none), "{none} of 720 without a read");
        assert!((1_050..1_330).contains(&several), "{several} of 1,200 with two codes");
        assert!((12..60).contains(&late), "{late} of 30 late");
        assert!(reads.iter().all(|(read, delay, _)| {
            matches!(read, ReadTruth::Codes { late: true, .. }) == (*delay >= 1_000_000)
                || *read == ReadTruth::NoRead
        }));
    }

    #[test]
    fn a_misread_differs_in_one_digit() {
        let mut reader = Reader::new(0, 2, Rng::stream(12, "reader"));
        for _ in 0..200 {
            let label = "YT1234567890123";
            let wrong = reader.misread(label);
            let differ = wrong.chars().zip(label.chars()).filter(|(a, b)| a != b).count();
            assert_eq!((differ, wrong.len()), (1, label.len()), "{wrong}");
        }
    }

    #[test]
    fn a_trigger_after_the_tail_is_answered_at_once() {
        let mut reader = Reader::new(0, 2, Rng::stream(13, "reader"));
        let (mut parcel, mut out) = (truth_parcel(0), Vec::new());
        reader.tail(&mut parcel, 0, 5, (&profile("clean"), &[]), &mut out);
        assert!(out.is_empty() && parcel.read == ReadTruth::Pending);
        assert_eq!(reader.receive(b"T3\r", Some(0)), Some(0));
    }
}
