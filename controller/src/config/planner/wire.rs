//! Times of one exchange on one wire, from the lengths of the register map.

use line_file::{Bus, BusKind, Parity};
use modbus::rtu::Timing;
use registers::NodeKind;
use registers::exchange::WRITE_WORDS;
use registers::status::STATUS_WORDS;
use units::Micros;

/// Bytes of an FC 23 request besides the words that it writes: unit, function, two ranges, byte
/// count, CRC.
const REQUEST_BYTES: usize = 13;
/// Bytes of its answer besides the words: unit, function, byte count, CRC.
const ANSWER_BYTES: usize = 5;

/// What the planner knows of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireTimes {
    /// Its characters; `None` on TCP, where the wire takes no time.
    pub(crate) timing: Option<Timing>,
    /// Longest pause of a node between request and answer.
    pub(crate) turnaround: Micros,
}

impl WireTimes {
    /// The wire of a bus.
    pub(crate) fn of(bus: &Bus) -> Self {
        let turnaround = Micros::from_millis(u64::from(bus.turnaround_ms));
        let timing = match bus.kind {
            BusKind::Rtu => bus.baud.map(|baud| Timing {
                baud,
                bits_per_char: bits_per_char(
                    bus.parity.unwrap_or(Parity::Even),
                    bus.stop_bits.unwrap_or(1),
                ),
            }),
            BusKind::Tcp => None,
        };
        Self { timing, turnaround }
    }

    /// The same wire at another speed.
    pub(crate) fn at(self, baud: u32) -> Self {
        Self { timing: self.timing.map(|timing| Timing { baud, ..timing }), ..self }
    }

    /// One FC 23 exchange that writes the exchange block and reads `words`, with the silence that
    /// each of its two frames needs.
    pub(crate) fn exchange(self, words: u16) -> Micros {
        let Some(timing) = self.timing else { return self.turnaround };
        let frames =
            [REQUEST_BYTES + 2 * usize::from(WRITE_WORDS), ANSWER_BYTES + 2 * usize::from(words)];
        frames.into_iter().fold(self.turnaround, |sum, bytes| {
            sum.plus(timing.wire_time(bytes)).plus(timing.silence())
        })
    }

    /// One exchange that reads a node's events.
    pub(crate) fn events(self, kind: NodeKind) -> Micros {
        self.exchange(kind.event_words())
    }

    /// One exchange that reads a node's status.
    pub(crate) fn status(self) -> Micros {
        self.exchange(STATUS_WORDS)
    }
}

/// Bits of one character: start, eight data bits, parity, stops.
pub(crate) fn bits_per_char(parity: Parity, stop_bits: u8) -> u8 {
    9 + u8::from(parity != Parity::None) + stop_bits
}

/// Bytes of one exchange in both directions.
pub(crate) fn bytes(words: u16) -> u32 {
    let sum = REQUEST_BYTES + 2 * usize::from(WRITE_WORDS) + ANSWER_BYTES + 2 * usize::from(words);
    u32::try_from(sum).unwrap_or(u32::MAX)
}
