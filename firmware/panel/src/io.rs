//! The pins of a panel: levels in, contacts out.

use registers::NodeKind;
use registers::points::panel::{HORN, LAMP_GREEN, LAMP_RED, LAMP_YELLOW};

const INPUTS: usize = NodeKind::Panel.inputs().len();
const OUTPUTS: usize = NodeKind::Panel.outputs().len();
/// The outputs in order of the pins; all are contacts.
const CONTACTS: [u8; OUTPUTS] = [LAMP_RED, LAMP_YELLOW, LAMP_GREEN, HORN];

/// The pins of a panel; high = active.
pub type Pins<I, O> = node::io::Pins<I, O, INPUTS, OUTPUTS>;

/// Binds the pins: inputs in order of their ids. Output pins in order of their ids.
pub const fn pins<I, O>(inputs: [I; INPUTS], outputs: [O; OUTPUTS]) -> Pins<I, O> {
    Pins::new(inputs, CONTACTS, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::io::mock::wiring;
    use registers::points::panel::{END_FULL, ESTOP_1, ESTOP_2, EYE_END, RESET, START, STOP};

    #[test]
    fn every_pin_is_wired_to_its_point() {
        let inputs = [ESTOP_1, ESTOP_2, START, STOP, RESET, EYE_END, END_FULL];
        assert_eq!(wiring(pins), (inputs, [LAMP_RED, LAMP_YELLOW, LAMP_GREEN, HORN]));
    }
}
