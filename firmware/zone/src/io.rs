//! The pins of a zone: levels in, contacts out.

use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState};
use node::{Input, Output};
use registers::NodeKind;
use registers::points::zone::{DRIVE, READY, RUN};

const INPUTS: usize = NodeKind::Zone.inputs().len();
/// Outputs that are contacts, in order of the pins; speed and drive are numbers for the drive.
const CONTACTS: [u8; 2] = [RUN, READY];
const OUTPUTS: usize = CONTACTS.len();

/// The pins of a zone; high = active.
#[derive(Debug)]
pub struct Pins<I, O> {
    inputs: [I; INPUTS],
    outputs: [O; OUTPUTS],
}

impl<I: InputPin, O: OutputPin + ErrorType<Error = I::Error>> Pins<I, O> {
    /// Binds the pins: inputs in order of their ids. Run and ready contact, in this order.
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
        let pins = CONTACTS.iter().zip(&mut self.outputs);
        for (id, pin) in pins {
            let change = out.outputs.iter().find(|(output, _)| output == id);
            if let Some((_, value)) = change {
                pin.set_state(PinState::from(*value != 0))?;
            }
        }
        Ok(())
    }
}

/// The speed for the drive in mm/s, when it changed.
pub fn drive(out: &Output) -> Option<u32> {
    out.outputs.iter().find(|(output, _)| *output == DRIVE).map(|(_, value)| *value)
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
        assert_eq!(levels.len(), 5);
        assert_eq!(levels.last(), Some(&Input::Level { input: 4, level: true }));
        let active =
            levels.iter().filter(|input| matches!(input, Input::Level { level: true, .. }));
        assert_eq!(active.count(), 1);
        for (changes, expected) in [
            (
                &out(&[(RUN, 1), (DRIVE, 900), (READY, 1)]),
                [Some(PinState::High), Some(PinState::High)],
            ),
            (&out(&[]), [Some(PinState::High), Some(PinState::High)]),
            (&out(&[(RUN, 0)]), [Some(PinState::Low), Some(PinState::High)]),
        ] {
            pins.write(changes).expect("infallible");
            assert_eq!(pins.outputs.each_ref().map(|pin| pin.0), expected);
        }
        assert_eq!(drive(&out(&[(RUN, 1), (DRIVE, 900)])), Some(900));
        assert_eq!(drive(&out(&[(RUN, 1)])), None);
    }
}
