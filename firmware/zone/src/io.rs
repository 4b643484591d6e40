//! The pins of a zone: levels in, contacts out.

use node::Output;
use registers::NodeKind;
use registers::points::zone::{DRIVE, READY, RUN};

const INPUTS: usize = NodeKind::Zone.inputs().len();
/// Outputs that are contacts, in order of the pins; speed and drive are numbers for the drive.
const CONTACTS: [u8; 2] = [RUN, READY];
const OUTPUTS: usize = CONTACTS.len();

/// The pins of a zone; high = active.
pub type Pins<I, O> = node::io::Pins<I, O, INPUTS, OUTPUTS>;

/// Binds the pins: inputs in order of their ids. Run and ready contact, in this order.
pub const fn pins<I, O>(inputs: [I; INPUTS], outputs: [O; OUTPUTS]) -> Pins<I, O> {
    Pins::new(inputs, CONTACTS, outputs)
}

/// The speed for the drive in mm/s, when it changed.
pub fn drive(out: &Output) -> Option<u32> {
    out.outputs.iter().find(|(output, _)| *output == DRIVE).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::io::mock::{out, wiring};
    use registers::points::zone::{DOWNSTREAM_READY, DRIVE_READY, EYE_A, EYE_B, EYE_EXIT};

    #[test]
    fn every_pin_is_wired_to_its_point() {
        let inputs = [EYE_EXIT, EYE_A, EYE_B, DOWNSTREAM_READY, DRIVE_READY];
        assert_eq!(wiring(pins), (inputs, [RUN, READY]));
    }

    #[test]
    fn the_drive_hears_its_speed_when_it_changed() {
        assert_eq!(drive(&out(&[(RUN, 1), (DRIVE, 900)])), Some(900));
        assert_eq!(drive(&out(&[(RUN, 1)])), None);
    }
}
