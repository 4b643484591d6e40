//! The UART of a node: characters, their errors and the silences between frames.

use super::nb;
use super::serial::{Error, ErrorKind, Read};
use crate::{Input, LineError};
use units::Micros;

/// Characters handed over in one call: about a frame, so that a call stays short.
const POLL_MAX: usize = 256;

/// Reads a serial line character by character and notices when it falls quiet.
///
/// A board calls [`poll`](Self::poll) whenever a character may have come and no later than
/// [`next_deadline`](Self::next_deadline), and hands what it is given to the node. While the node
/// sends, the driver's enable line keeps the receiver off; after that the board calls `poll` again.
#[derive(Debug)]
pub struct Uart<R> {
    read: R,
    silence: Micros,
    /// When the line will have been quiet; `None` once that was told.
    quiet: Option<Micros>,
}

impl<R: Read<u8>> Uart<R> {
    /// Builds the reader of a line whose t3.5 is `silence`; the first silence is told `silence`
    /// after `now`, because nobody knows what the line carried before.
    pub const fn new(read: R, silence: Micros, now: Micros) -> Self {
        Self { read, silence, quiet: Some(Micros(now.0.saturating_add(silence.0))) }
    }

    /// Hands over what came, in order; a silence when the line was quiet for long enough.
    pub fn poll(&mut self, now: Micros, mut input: impl FnMut(Input<'_>)) {
        for _ in 0..POLL_MAX {
            match self.read.read() {
                Ok(byte) => input(Input::Bytes(&[byte])),
                Err(nb::Error::Other(error)) => input(Input::LineError(line_error(error.kind()))),
                Err(nb::Error::WouldBlock) => return self.idle(now, input),
            }
            self.quiet = Some(now.plus(self.silence));
        }
    }

    fn idle(&mut self, now: Micros, mut input: impl FnMut(Input<'_>)) {
        if self.quiet.is_some_and(|at| now >= at) {
            self.quiet = None;
            input(Input::Silence);
        }
    }

    /// When [`poll`](Self::poll) is due at the latest.
    pub const fn next_deadline(&self) -> Option<Micros> {
        self.quiet
    }
}

/// What the UART says, in the node's words; what it cannot name is a character that is bad.
fn line_error(kind: ErrorKind) -> LineError {
    if kind == ErrorKind::Parity {
        LineError::Parity
    } else if kind == ErrorKind::Overrun {
        LineError::Overrun
    } else {
        LineError::Framing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::serial::ErrorType;
    use std::collections::VecDeque;
    use std::string::String;
    use std::vec::Vec;

    #[derive(Debug)]
    struct Wire(VecDeque<Result<u8, ErrorKind>>);

    impl ErrorType for Wire {
        type Error = ErrorKind;
    }

    impl Read<u8> for Wire {
        fn read(&mut self) -> nb::Result<u8, ErrorKind> {
            self.0
                .pop_front()
                .map_or(Err(nb::Error::WouldBlock), |read| read.map_err(nb::Error::Other))
        }
    }

    fn polled(uart: &mut Uart<Wire>, now: u64) -> Vec<String> {
        let mut inputs = Vec::new();
        uart.poll(Micros(now), |input| inputs.push(std::format!("{input:?}")));
        inputs
    }

    #[test]
    fn a_silence_is_told_once_and_never_inside_a_frame() {
        let mut uart = Uart::new(Wire(VecDeque::new()), Micros(1_750), Micros(100));
        assert_eq!(polled(&mut uart, 1_849), [""; 0], "the line may have been in use before");
        assert_eq!(uart.next_deadline(), Some(Micros(1_850)));
        assert_eq!(polled(&mut uart, 1_850), ["Silence"]);
        assert_eq!((polled(&mut uart, 9_000), uart.next_deadline()), (Vec::new(), None));
        uart.read.0.extend([Ok(1), Ok(2)]);
        assert_eq!(polled(&mut uart, 10_000), ["Bytes([1])", "Bytes([2])"]);
        assert_eq!(uart.next_deadline(), Some(Micros(11_750)));
        uart.read.0.push_back(Ok(3));
        assert_eq!(polled(&mut uart, 11_750), ["Bytes([3])"]);
        assert_eq!(polled(&mut uart, 13_500), ["Silence"]);
    }

    #[test]
    fn every_error_of_the_uart_is_an_error_of_the_line() {
        let mut uart = Uart::new(Wire(VecDeque::new()), Micros(1_750), Micros(0));
        let kinds = [
            (ErrorKind::Parity, "LineError(Parity)"),
            (ErrorKind::FrameFormat, "LineError(Framing)"),
            (ErrorKind::Overrun, "LineError(Overrun)"),
            (ErrorKind::Noise, "LineError(Framing)"),
            (ErrorKind::Other, "LineError(Framing)"),
        ];
        for (kind, expected) in kinds {
            uart.read.0.push_back(Err(kind));
            assert_eq!(polled(&mut uart, 5_000), [expected]);
        }
        assert_eq!(polled(&mut uart, 6_749), [""; 0], "an error is no silence");
        assert_eq!(polled(&mut uart, 6_750), ["Silence"]);
    }

    #[test]
    fn a_poll_is_bounded() {
        let mut uart = Uart::new(Wire((0..300).map(|_| Ok(7)).collect()), Micros(1), Micros(0));
        assert_eq!((polled(&mut uart, 9).len(), polled(&mut uart, 9).len()), (256, 44));
    }
}
