//! The pins of a diverter: levels in, contacts out.

use registers::NodeKind;
use registers::points::diverter::{LAMP_LEFT, LAMP_RIGHT, TURN_LEFT, TURN_RIGHT};

const INPUTS: usize = NodeKind::Diverter.inputs().len();
const OUTPUTS: usize = NodeKind::Diverter.outputs().len();
/// The outputs in order of the pins; all are contacts.
const CONTACTS: [u8; OUTPUTS] = [TURN_LEFT, TURN_RIGHT, LAMP_LEFT, LAMP_RIGHT];

/// The pins of a diverter; high = active.
pub type Pins<I, O> = node::io::Pins<I, O, INPUTS, OUTPUTS>;

/// Binds the pins: inputs in order of their ids. Output pins in order of their ids.
pub const fn pins<I, O>(inputs: [I; INPUTS], outputs: [O; OUTPUTS]) -> Pins<I, O> {
    Pins::new(inputs, CONTACTS, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::io::mock::wiring;
    use registers::points::diverter::{
        BUTTON_LEFT, BUTTON_RIGHT, EYE_ARRIVAL, EYE_LEFT, EYE_RIGHT, FULL_LEFT, FULL_RIGHT, HOME,
        LOCK_LEFT, LOCK_RIGHT,
    };

    #[test]
    fn every_pin_is_wired_to_its_point() {
        let inputs = [
            EYE_ARRIVAL,
            EYE_LEFT,
            EYE_RIGHT,
            HOME,
            LOCK_LEFT,
            LOCK_RIGHT,
            FULL_LEFT,
            FULL_RIGHT,
            BUTTON_LEFT,
            BUTTON_RIGHT,
        ];
        assert_eq!(wiring(pins), (inputs, [TURN_LEFT, TURN_RIGHT, LAMP_LEFT, LAMP_RIGHT]));
    }
}
