//! The pins of a scanner node: levels in, contacts out.

use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState};
use node::{Input, Output};
use registers::NodeKind;

const INPUTS: usize = NodeKind::Scanner.inputs().len();
const OUTPUTS: usize = NodeKind::Scanner.outputs().len();

/// The pins of a scanner node; high = active.
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
