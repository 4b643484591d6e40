//! The pins and the serial line of a node of any kind: levels and bytes in, contacts out.
//!
//! The kinds say which points have pins; nothing else of this crate knows that there are pins or a
//! UART.

mod uart;

pub use uart::Uart;

use crate::{Input, Output};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState};
use embedded_hal_nb::{nb, serial};

/// The pins of a node; high = active.
#[derive(Debug)]
pub struct Pins<I, O, const INPUTS: usize, const OUTPUTS: usize> {
    inputs: [I; INPUTS],
    contacts: [u8; OUTPUTS],
    outputs: [O; OUTPUTS],
}

impl<I, O, const INPUTS: usize, const OUTPUTS: usize> Pins<I, O, INPUTS, OUTPUTS> {
    /// Binds the pins: inputs in order of their ids, each output to the id at its place in
    /// `contacts`; an output without a pin is a number that the kind hands on itself.
    pub const fn new(inputs: [I; INPUTS], contacts: [u8; OUTPUTS], outputs: [O; OUTPUTS]) -> Self {
        Self { inputs, contacts, outputs }
    }
}

impl<I, O, const INPUTS: usize, const OUTPUTS: usize> Pins<I, O, INPUTS, OUTPUTS>
where
    I: InputPin,
    O: OutputPin + ErrorType<Error = I::Error>,
{
    /// Reads every input and hands its level over; a level that did not change has no effect.
    ///
    /// # Errors
    /// The first pin's error; the inputs after it are not read.
    pub fn read(&mut self, mut level: impl FnMut(Input<'static>)) -> Result<(), I::Error> {
        for (pin, input) in self.inputs.iter_mut().zip(0u8..) {
            level(Input::Level { input, level: pin.is_high()? });
        }
        Ok(())
    }

    /// Writes what changed to the pins.
    ///
    /// # Errors
    /// The first pin's error; the outputs after it are not written.
    pub fn write(&mut self, out: &Output) -> Result<(), O::Error> {
        for (id, pin) in self.contacts.iter().zip(&mut self.outputs) {
            let change = out.outputs.iter().find(|(output, _)| output == id);
            if let Some((_, value)) = change {
                pin.set_state(PinState::from(*value != 0))?;
            }
        }
        Ok(())
    }
}

/// Pins without a board, for tests (feature `bench`).
#[cfg(any(test, feature = "bench"))]
pub mod mock {
    use super::{ErrorType, Input, InputPin, Output, OutputPin, Pins};
    use crate::limits::OUTPUTS_MAX;

    /// A pin that fails; it does so only when told to.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Broken;

    impl embedded_hal::digital::Error for Broken {
        fn kind(&self) -> embedded_hal::digital::ErrorKind {
            embedded_hal::digital::ErrorKind::Other
        }
    }

    /// An input pin with the level it reads.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Contact(pub Result<bool, Broken>);

    impl ErrorType for Contact {
        type Error = Broken;
    }

    impl InputPin for Contact {
        fn is_high(&mut self) -> Result<bool, Broken> {
            self.0
        }

        fn is_low(&mut self) -> Result<bool, Broken> {
            self.0.map(|level| !level)
        }
    }

    /// An output pin with the level last written, if any.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Relay(pub Result<Option<bool>, Broken>);

    impl ErrorType for Relay {
        type Error = Broken;
    }

    impl OutputPin for Relay {
        fn set_low(&mut self) -> Result<(), Broken> {
            self.0.as_mut().map_err(|broken| *broken)?.replace(false);
            Ok(())
        }

        fn set_high(&mut self) -> Result<(), Broken> {
            self.0.as_mut().map_err(|broken| *broken)?.replace(true);
            Ok(())
        }
    }

    /// Builds an output with the given changes.
    pub fn out(changes: &[(u8, u32)]) -> Output {
        Output { outputs: changes.iter().copied().collect(), ..Output::new() }
    }

    /// Tries every pin on its own and tells the ids behind the input pins and the output pins.
    ///
    /// # Panics
    /// When a pin stands for no id or for more than one.
    pub fn wiring<const INPUTS: usize, const OUTPUTS: usize>(
        pins: impl Fn([Contact; INPUTS], [Relay; OUTPUTS]) -> Pins<Contact, Relay, INPUTS, OUTPUTS>,
    ) -> ([u8; INPUTS], [u8; OUTPUTS]) {
        let build = |active| {
            let inputs = core::array::from_fn(|n| Contact(Ok(Some(n) == active)));
            pins(inputs, [Relay(Ok(None)); OUTPUTS])
        };
        let inputs = core::array::from_fn(|n| {
            let mut found = None;
            let read = build(Some(n)).read(|level| {
                if let Input::Level { input, level: true } = level {
                    assert_eq!(found.replace(input), None, "input pin {n} has one id");
                }
            });
            assert_eq!(read, Ok(()), "mock pins are whole");
            found.expect("the input pin has an id")
        });
        let outputs = core::array::from_fn(|n| {
            let mut found = None;
            for id in (0u8..).take(OUTPUTS_MAX) {
                let mut pins = build(None);
                assert_eq!(pins.write(&out(&[(id, 1)])), Ok(()), "mock pins are whole");
                if pins.outputs.get(n) == Some(&Relay(Ok(Some(true)))) {
                    assert_eq!(found.replace(id), None, "output pin {n} has one id");
                }
            }
            found.expect("the output pin has an id")
        });
        (inputs, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::mock::{Broken, Contact, Relay, out, wiring};
    use super::*;
    use std::vec::Vec;

    const CONTACTS: [u8; 3] = [0, 3, 7];
    const SILENT: Relay = Relay(Ok(None));

    fn pins(inputs: [Contact; 4], outputs: [Relay; 3]) -> Pins<Contact, Relay, 4, 3> {
        Pins::new(inputs, CONTACTS, outputs)
    }

    #[test]
    fn every_level_goes_in_by_its_id() {
        let levels = [true, false, false, true];
        let mut pins = pins(levels.map(|level| Contact(Ok(level))), [SILENT; 3]);
        let mut read = Vec::new();
        assert_eq!(pins.read(|input| read.push(input)), Ok(()));
        let expected = levels.into_iter().zip(0u8..);
        let expected = expected.map(|(level, input)| Input::Level { input, level });
        assert_eq!(read, expected.collect::<Vec<_>>());
    }

    #[test]
    fn changes_go_out_by_their_ids_and_the_rest_stays() {
        let mut pins = pins([Contact(Ok(false)); 4], [SILENT; 3]);
        for (changes, expected) in [
            (&out(&[]), [None, None, None]),
            (&out(&[(0, 1), (1, 900), (7, 1)]), [Some(true), None, Some(true)]),
            (&out(&[(2, 1), (3, 900)]), [Some(true), Some(true), Some(true)]),
            (&out(&[]), [Some(true), Some(true), Some(true)]),
            (&out(&[(0, 0), (4, 0)]), [Some(false), Some(true), Some(true)]),
        ] {
            assert_eq!(pins.write(changes), Ok(()));
            assert_eq!(pins.outputs, expected.map(|level| Relay(Ok(level))));
        }
    }

    #[test]
    fn the_first_broken_pin_ends_the_round() {
        let inputs =
            [Contact(Ok(true)), Contact(Err(Broken)), Contact(Ok(true)), Contact(Ok(true))];
        let mut pins = pins(inputs, [SILENT, Relay(Err(Broken)), SILENT]);
        let mut read = Vec::new();
        assert_eq!(pins.read(|input| read.push(input)), Err(Broken));
        assert_eq!(read, [Input::Level { input: 0, level: true }]);
        assert_eq!(pins.write(&out(&[(0, 1), (3, 1), (7, 1)])), Err(Broken));
        assert_eq!(pins.outputs, [Relay(Ok(Some(true))), Relay(Err(Broken)), SILENT]);
    }

    #[test]
    fn wiring_tells_the_ids() {
        assert_eq!(wiring(pins), ([0, 1, 2, 3], CONTACTS));
    }
}
