//! How often everything goes wrong: a file, a line of text, or a named mixture.

use serde::Deserialize;

macro_rules! faults {
    (
        rates { $($(#[doc = $rate_doc:literal])* $rate:ident;)* }
        spans { $($(#[doc = $span_doc:literal])* $span:ident = [$low:literal, $high:literal];)* }
    ) => {
        /// Rates and sizes of every class of fault on one bus.
        ///
        /// Rates of frames are in ppm: so many of a million requests (or answers) meet this fate, and
        /// each meets at most one. Rates of bits are in ppb of the bits on the line and come on top.
        /// A class that does not exist on a kind of bus is ignored there.
        ///
        /// Bit errors follow two states. In the good state single bits flip at `bit_errors`; a burst
        /// begins at `bursts`, lasts `burst_bits` on average (geometrically distributed) and flips each
        /// of its bits at `burst_flips`. A character is start, eight data bits, parity where there is
        /// one, and stop. A flip in start or stop is a framing error, an odd number of flips in data
        /// and parity a parity error, an even number a byte that is wrong without anybody's notice.
        /// A node's UART reports the first two; the host's port gives a 0x00 instead, as Linux does.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Faults {
            $($(#[doc = $rate_doc])* pub $rate: u32,)*
            $($(#[doc = $span_doc])* pub $span: [u64; 2],)*
        }

        impl Faults {
            /// Nothing goes wrong.
            pub const NONE: Self = Self { $($rate: 0,)* $($span: [$low, $high],)* };

            /// Every rate by its name.
            fn rate(&mut self, name: &str) -> Option<&mut u32> {
                match name {
                    $(stringify!($rate) => Some(&mut self.$rate),)*
                    _ => None,
                }
            }

            /// Every span by its name.
            fn span(&mut self, name: &str) -> Option<&mut [u64; 2]> {
                match name {
                    $(stringify!($span) => Some(&mut self.$span),)*
                    _ => None,
                }
            }

            fn spans(&self) -> Vec<(&'static str, [u64; 2])> {
                vec![$((stringify!($span), self.$span),)*]
            }

            fn names() -> Vec<&'static str> {
                vec![$(stringify!($rate),)* $(stringify!($span),)*]
            }
        }
    };
}

faults! {
    rates {
        /// Flips of single bits, ppb of the bits.
        bit_errors;
        /// Bursts begun, ppb of the bits.
        bursts;
        /// Mean length of a burst in bits; 0 counts as 20.
        burst_bits;
        /// Flips inside a burst, ppm of its bits; 0 counts as 300,000.
        burst_flips;
        /// Requests that no node hears.
        lost_requests;
        /// Answers that the host does not hear.
        lost_answers;
        /// Requests that the nodes hear twice; never broadcasts, which nothing repeats.
        duplicated_requests;
        /// Answers that the host hears twice.
        duplicated_answers;
        /// Answers that begin `late_ms` after their time.
        late;
        /// Answers that begin `very_late_ms` after their time.
        very_late;
        /// Requests with altered content and a recomputed CRC.
        corrupt_requests;
        /// Answers with altered content and a recomputed CRC.
        corrupt_answers;
        /// Requests whose end is cut off (serial).
        truncated_requests;
        /// Answers whose end is cut off (serial).
        truncated_answers;
        /// Requests that the host hears itself (serial).
        echoes;
        /// Requests destroyed by another master, which then asks a unit that is not here and gets
        /// its answer (serial).
        foreign;
        /// Requests destroyed by another master, which then commands the same unit under another
        /// owner word; on TCP a second client does so and destroys nothing.
        second_masters;
        /// Requests at which the unit restarts: before hearing it, after executing it, or while
        /// answering, a third each; it is gone for `reboot_ms`.
        reboots;
        /// Answers over which a second node of the same address speaks (serial).
        clashes;
        /// Requests after which the port is unplugged for `unplug_ms` (serial).
        unplugs;
        /// Requests after which the connection is reset for `reset_ms` (TCP).
        resets;
        /// Requests after which up to `noise_bytes` appear on the line (serial).
        noise;
        /// Requests after which a node babbles for `babble_ms` (serial).
        babble;
        /// Answers that reach the host in pieces, up to 16 ms apart.
        split;
        /// Answers that an adapter holds back up to 16 ms and hands over with what else came.
        merged;
        /// Answers under another transaction number (TCP).
        wrong_transactions;
    }
    spans {
        /// How late a late answer is, in ms: beyond the time-out, inside the worst turn-around.
        late_ms = [45, 90];
        /// How late a very late answer is, in ms: outside the declared worst turn-around.
        very_late_ms = [120, 600];
        /// How long a restart takes, in ms.
        reboot_ms = [20, 400];
        /// How long a port is gone, in ms.
        unplug_ms = [200, 3_000];
        /// How long a connection is gone, in ms.
        reset_ms = [5, 300];
        /// How long a node babbles, in ms.
        babble_ms = [10, 600];
        /// How many bytes of noise come at once.
        noise_bytes = [1, 24];
    }
}

/// Why faults cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultsError {
    /// A file of another shape; the message names line and column.
    Shape(String),
    /// No such key or mixture.
    Unknown {
        /// What was given.
        key: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// A value that is no number, or no range of the form `10..20`.
    Value {
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
    /// More than all frames would meet a fate.
    Sum {
        /// Requests or answers.
        of: &'static str,
        /// Their sum in ppm.
        ppm: u64,
    },
    /// A range whose end lies before its beginning.
    Range {
        /// The key.
        key: &'static str,
    },
}

impl core::fmt::Display for FaultsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shape(message) => write!(f, "read the faults: {}", message.trim_end()),
            Self::Unknown { key, known } => {
                write!(f, "read the faults: no \"{key}\"; known are {}", known.join(", "))
            }
            Self::Value { key, value } => write!(
                f,
                "read the faults: {key} = \"{value}\" is neither a number nor a range like 10..20"
            ),
            Self::Sum { of, ppm } => {
                write!(f, "use the faults: the rates of {of} sum up to {ppm} ppm of 1,000,000")
            }
            Self::Range { key } => write!(f, "use the faults: {key} ends before it begins"),
        }
    }
}

impl std::error::Error for FaultsError {}

impl Default for Faults {
    fn default() -> Self {
        Self::NONE
    }
}

/// Names that set two rates at once.
const PAIRS: &[(&str, [&str; 2])] = &[
    ("lost", ["lost_requests", "lost_answers"]),
    ("duplicated", ["duplicated_requests", "duplicated_answers"]),
    ("corrupt", ["corrupt_requests", "corrupt_answers"]),
    ("truncated", ["truncated_requests", "truncated_answers"]),
];

/// The named mixtures.
const MIXTURES: &[(&str, Faults)] =
    &[("none", Faults::NONE), ("mixed20", Faults::MIXED_20), ("bad-rs485", Faults::BAD_RS485)];

impl Faults {
    /// One exchange in five meets something: every class at once.
    pub const MIXED_20: Self = Self {
        bit_errors: 6_000,
        bursts: 2_000,
        lost_requests: 16_000,
        lost_answers: 16_000,
        duplicated_requests: 12_000,
        duplicated_answers: 12_000,
        late: 14_000,
        very_late: 8_000,
        corrupt_requests: 12_000,
        corrupt_answers: 12_000,
        truncated_requests: 8_000,
        truncated_answers: 8_000,
        echoes: 8_000,
        foreign: 6_000,
        second_masters: 6_000,
        reboots: 1_000,
        clashes: 6_000,
        unplugs: 800,
        resets: 1_000,
        noise: 10_000,
        babble: 600,
        split: 10_000,
        merged: 10_000,
        wrong_transactions: 8_000,
        ..Self::NONE
    };

    /// A long unterminated cable beside a motor: much noise, no restarts.
    pub const BAD_RS485: Self = Self {
        bit_errors: 1_500,
        bursts: 600,
        lost_requests: 1_000,
        lost_answers: 1_000,
        duplicated_answers: 300,
        late: 500,
        very_late: 200,
        corrupt_requests: 300,
        corrupt_answers: 300,
        truncated_requests: 500,
        truncated_answers: 500,
        echoes: 500,
        foreign: 200,
        second_masters: 200,
        clashes: 200,
        noise: 2_000,
        split: 5_000,
        merged: 5_000,
        wrong_transactions: 500,
        ..Self::NONE
    };

    /// Whether nothing can go wrong.
    pub fn is_none(&self) -> bool {
        let (bits, frames) = (self.bit_errors | self.bursts, self.requests() + self.answers());
        bits == 0 && frames == 0
    }

    /// Requests of a million that meet a fate.
    fn requests(&self) -> u64 {
        let rates = [
            self.lost_requests,
            self.duplicated_requests,
            self.corrupt_requests,
            self.truncated_requests,
            self.echoes,
            self.foreign,
            self.second_masters,
            self.reboots,
            self.unplugs,
            self.resets,
            self.noise,
            self.babble,
        ];
        rates.into_iter().map(u64::from).sum()
    }

    /// Answers of a million that meet a fate.
    fn answers(&self) -> u64 {
        let rates = [
            self.lost_answers,
            self.duplicated_answers,
            self.late,
            self.very_late,
            self.corrupt_answers,
            self.truncated_answers,
            self.clashes,
            self.split,
            self.merged,
            self.wrong_transactions,
        ];
        rates.into_iter().map(u64::from).sum()
    }

    /// Reads the text form: a mixture's name, `key=value` pairs, or a mixture with pairs behind
    /// it, separated by commas. Values are numbers, or ranges like `45..90`.
    ///
    /// # Errors
    /// The first thing that is not understood, or rates that cannot be.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::NONE;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) => faults.set(key.trim(), value.trim())?,
                None => faults = Self::mixture(part)?,
            }
        }
        faults.checked()
    }

    /// Reads a TOML file.
    ///
    /// # Errors
    /// The first key that is unknown or of the wrong type, or rates that cannot be.
    pub fn from_toml(text: &str) -> Result<Self, FaultsError> {
        let faults: Self =
            toml::from_str(text).map_err(|error| FaultsError::Shape(error.to_string()))?;
        faults.checked()
    }

    fn mixture(name: &str) -> Result<Self, FaultsError> {
        let found = MIXTURES.iter().find(|(known, _)| *known == name);
        found.map(|(_, faults)| faults.clone()).ok_or_else(|| FaultsError::Unknown {
            key: name.to_owned(),
            known: MIXTURES.iter().map(|(known, _)| *known).collect(),
        })
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), FaultsError> {
        let wrong = || FaultsError::Value { key: key.to_owned(), value: value.to_owned() };
        if let Some((_, both)) = PAIRS.iter().find(|(name, _)| *name == key) {
            return both.iter().try_for_each(|name| self.set(name, value));
        }
        if let Some(rate) = self.rate(key) {
            *rate = value.parse().map_err(|_| wrong())?;
            return Ok(());
        }
        let Some(span) = self.span(key) else {
            let pairs = PAIRS.iter().map(|(name, _)| *name);
            let known = Self::names().into_iter().chain(pairs).collect();
            return Err(FaultsError::Unknown { key: key.to_owned(), known });
        };
        let (low, high) = value.split_once("..").unwrap_or((value, value));
        *span = [low.parse().map_err(|_| wrong())?, high.parse().map_err(|_| wrong())?];
        Ok(())
    }

    fn checked(self) -> Result<Self, FaultsError> {
        for (of, ppm) in [("requests", self.requests()), ("answers", self.answers())] {
            if ppm > 1_000_000 {
                return Err(FaultsError::Sum { of, ppm });
            }
        }
        if let Some((key, _)) = self.spans().into_iter().find(|(_, [low, high])| low > high) {
            return Err(FaultsError::Range { key });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_file_say_the_same() {
        let text =
            Faults::parse("late=20000, lost=50000,late_ms=10..30,reboot_ms=7").expect("fits");
        let file = "late = 20000\nlost_requests = 50000\nlost_answers = 50000\n\
                    late_ms = [10, 30]\nreboot_ms = [7, 7]\n";
        assert_eq!(Faults::from_toml(file).expect("fits"), text);
        assert_eq!((text.late, text.lost_answers, text.late_ms), (20_000, 50_000, [10, 30]));
        let more = Faults::parse("bad-rs485,babble=9").expect("fits");
        assert_eq!(more, Faults { babble: 9, ..Faults::BAD_RS485 });
        assert!(Faults::parse("none").expect("fits").is_none());
        assert!(!Faults::parse("bursts=1").expect("fits").is_none());
    }

    #[test]
    fn one_exchange_in_five_meets_something() {
        let frames = Faults::MIXED_20.requests() + Faults::MIXED_20.answers();
        // An exchange of 18 and 28 words is 110 characters of 11 bits.
        let bits = u64::from(Faults::MIXED_20.bit_errors + Faults::MIXED_20.bursts) * 110 * 11;
        let all = frames + bits / 1_000;
        assert!((190_000..=210_000).contains(&all), "{all} ppm");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, part) in [
            ("lat=1", "no \"lat\""),
            ("mixed21", "mixed20"),
            ("late=often", "late = \"often\""),
            ("late_ms=9..x", "9..x"),
            ("late_ms=9..8", "late_ms ends"),
            ("lost_requests=900000,noise=200000", "1100000 ppm"),
        ] {
            let fault = Faults::parse(text).expect_err(text).to_string();
            assert!(fault.contains(part), "{fault}");
        }
        let fault = Faults::from_toml("latte = 3").expect_err("unknown").to_string();
        assert!(fault.contains("latte") && fault.contains("line"), "{fault}");
    }
}
