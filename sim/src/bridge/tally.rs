//! How often each class of fault has occurred.

macro_rules! classes {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// A class of fault, as it is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Class {
            $(#[doc = $doc] $variant,)*
        }

        impl Class {
            /// Every class.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Occurrences by class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Tally([u64; Class::ALL.len()]);

        impl Default for Tally {
            fn default() -> Self {
                Self([0; Class::ALL.len()])
            }
        }

        const fn place(class: Class) -> usize {
            let mut at = 0;
            $(
                if matches!(class, Class::$variant) {
                    return at;
                }
                at += 1;
            )*
            at
        }
    };
}

classes! {
    BitErrors "bit errors" "A single bit was flipped.";
    Bursts "bursts of bit errors" "A burst of flipped bits began.";
    Parity "parity errors" "A character reached the UARTs with a wrong parity.";
    Framing "framing errors" "A character reached the UARTs with a wrong start or stop bit.";
    WrongBytes "undetected wrong bytes" "A character was altered and passed the UARTs.";
    LostRequests "lost requests" "A request reached no node.";
    LostAnswers "lost answers" "An answer did not reach the host.";
    DuplicatedRequests "duplicated requests" "The nodes heard a request twice.";
    DuplicatedAnswers "duplicated answers" "The host heard an answer twice.";
    Late "late answers, inside the turn-around" "An answer came after the host's time-out.";
    VeryLate "late answers, outside the turn-around" "An answer came after the declared worst case.";
    CorruptRequests "requests with a valid CRC altered" "A request was altered under a right CRC.";
    CorruptAnswers "answers with a valid CRC altered" "An answer was altered under a right CRC.";
    TruncatedRequests "truncated requests" "The end of a request was cut off.";
    TruncatedAnswers "truncated answers" "The end of an answer was cut off.";
    Echoes "echoes" "The host heard its own request.";
    Foreign "foreign exchanges" "Another master spoke to another unit.";
    SecondMaster "second master's commands" "Another master spoke to this bus's unit.";
    RebootBefore "reboots before executing" "A node restarted instead of hearing a request.";
    RebootAfter "reboots after executing" "A node restarted between executing and answering.";
    RebootWhile "reboots while answering" "A node restarted in the middle of its answer.";
    Clashes "address clashes" "Two nodes answered at once.";
    Collisions "collisions" "Two that did not know of each other spoke at once.";
    Unplugs "unplugged ports" "The host's serial port was unplugged.";
    Resets "connections reset" "The host's TCP connection was reset.";
    Noise "noise on the idle line" "Bytes came from nowhere.";
    Babble "babbling nodes" "A node held the line with endless bytes.";
    Split "split reads" "The host got an answer in pieces.";
    Merged "merged reads" "The host got bytes late and in one piece.";
    WrongTransaction "wrong transaction numbers" "An answer carried another request's number.";
}

impl Tally {
    /// Counts one occurrence.
    pub(crate) const fn count(&mut self, class: Class) {
        self.0[place(class)] += 1;
    }

    /// How often `class` has occurred.
    pub const fn of(&self, class: Class) -> u64 {
        self.0[place(class)]
    }

    /// Every class with its number.
    pub fn all(&self) -> impl Iterator<Item = (Class, u64)> {
        Class::ALL.iter().map(|class| (*class, self.of(*class)))
    }

    /// Adds what another bus has counted.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}
