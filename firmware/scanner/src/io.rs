//! The pins of a scanner node: levels in, contacts out.

use registers::NodeKind;
use registers::points::scanner::READER_ENABLE;

const INPUTS: usize = NodeKind::Scanner.inputs().len();
const OUTPUTS: usize = NodeKind::Scanner.outputs().len();
/// The outputs in order of the pins; all are contacts.
const CONTACTS: [u8; OUTPUTS] = [READER_ENABLE];

/// The pins of a scanner node; high = active.
pub type Pins<I, O> = node::io::Pins<I, O, INPUTS, OUTPUTS>;

/// Binds the pins: inputs in order of their ids. Output pins in order of their ids.
pub const fn pins<I, O>(inputs: [I; INPUTS], outputs: [O; OUTPUTS]) -> Pins<I, O> {
    Pins::new(inputs, CONTACTS, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::io::mock::wiring;
    use registers::points::scanner::TRIGGER;

    #[test]
    fn every_pin_is_wired_to_its_point() {
        let inputs = [TRIGGER];
        assert_eq!(wiring(pins), (inputs, [READER_ENABLE]));
    }
}
