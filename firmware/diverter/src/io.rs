//! The pins of a diverter: levels in, contacts out.

use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState};
use node::{Input, Output};
use registers::NodeKind;

const INPUTS: usize = NodeKind::Diverter.inputs().len();
const OUTPUTS: usize = NodeKind::Diverter.outputs().len();

/// The pins of a diverter; high = active.
#[derive(Debug)]
pub struct Pins<I, O> {
    inputs: [I; INPUTS],
    outputs: [O; OUTPUTS],
}

impl<I: InputPin, O: OutputPin + ErrorType<Error = I::Error>> Pins<I, O> {
    /// Binds the pins: inputs in order of their ids. Output pins in order of their ids.
    pub const fn new(inputs: [I; INPUTS], outputs: [O; OUTPUTS]) -> Self {
        Self { inputs, outputs }
    }

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
        for (output, value) in &out.outputs {
            if let Some(pin) = self.outputs.get_mut(usize::from(*output)) {
                pin.set_state(PinState::from(*value != 0))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use std::vec::Vec;

    #[derive(Debug)]
    struct Contact(bool);

    impl ErrorType for Contact {
        type Error = Infallible;
    }

    impl InputPin for Contact {
        fn is_high(&mut self) -> Result<bool, Infallible> {
            Ok(self.0)
        }

        fn is_low(&mut self) -> Result<bool, Infallible> {
            Ok(!self.0)
        }
    }

    #[derive(Debug, Default)]
    struct Relay(Option<PinState>);

    impl ErrorType for Relay {
        type Error = Infallible;
    }

    impl OutputPin for Relay {
        fn set_low(&mut self) -> Result<(), Infallible> {
            self.0 = Some(PinState::Low);
            Ok(())
        }

        fn set_high(&mut self) -> Result<(), Infallible> {
            self.0 = Some(PinState::High);
            Ok(())
        }
    }

    fn out(changes: &[(u8, u32)]) -> Output {
        Output { outputs: changes.iter().copied().collect(), ..Output::new() }
    }

    #[test]
    fn levels_go_in_and_changes_go_out_by_their_ids() {
        let inputs = core::array::from_fn(|n| Contact(n == INPUTS - 1));
        let mut pins = Pins::new(inputs, core::array::from_fn(|_| Relay::default()));
        let mut levels = Vec::new();
        pins.read(|input| levels.push(input)).expect("infallible");
        assert_eq!(levels.len(), 6);
        assert_eq!(levels.last(), Some(&Input::Level { input: 5, level: true }));
        let active =
            levels.iter().filter(|input| matches!(input, Input::Level { level: true, .. }));
        assert_eq!(active.count(), 1);
        for (changes, expected) in [
            (&out(&[(3, 1)]), [None, None, None, Some(PinState::High)]),
            (&out(&[]), [None, None, None, Some(PinState::High)]),
            (&out(&[(3, 0)]), [None, None, None, Some(PinState::Low)]),
        ] {
            pins.write(changes).expect("infallible");
            assert_eq!(pins.outputs.each_ref().map(|pin| pin.0), expected);
        }
    }
}
