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
