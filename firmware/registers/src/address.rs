//! The address block: gives the node with one serial number another slave address.

use crate::{Reader, Writer, check};

/// Words of the address block.
pub const ADDRESS_WORDS: u16 = 4;
/// Slave addresses that a node may have; 0 is the broadcast, 248 to 255 are reserved.
pub const UNITS: core::ops::RangeInclusive<u8> = 1..=247;

/// A write of the address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAddress {
    /// The node that is meant: its serial number.
    pub serial_number: u32,
    /// The slave address that it takes.
    pub unit: u8,
}

/// Why words are no write of the address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFault {
    /// Not the length of the block.
    Length,
    /// The check word does not fit.
    Check,
    /// No slave address that a node may have.
    Unit {
        /// The word that was written.
        got: u16,
    },
}

impl NewAddress {
    /// Encodes the block, sealed for the slave that the request goes to (0 = broadcast).
    pub fn encode(&self, slave: u8) -> [u16; ADDRESS_WORDS as usize] {
        let mut words = [0; ADDRESS_WORDS as usize];
        let mut out = Writer::new(&mut words);
        out.u32(self.serial_number);
        out.u16(u16::from(self.unit));
        check::seal(slave, 0, &mut words);
        words
    }

    /// Decodes a block that was written to `slave` (0 = broadcast).
    ///
    /// # Errors
    /// What is wrong first: length, check word, slave address.
    pub fn parse(slave: u8, words: &[u16]) -> Result<Self, AddressFault> {
        let &[_, _, unit, _] = words else { return Err(AddressFault::Length) };
        if !check::sealed(slave, 0, words) {
            return Err(AddressFault::Check);
        }
        let serial_number = Reader::new(words).u32().ok_or(AddressFault::Length)?;
        match u8::try_from(unit) {
            Ok(unit) if UNITS.contains(&unit) => Ok(Self { serial_number, unit }),
            _ => Err(AddressFault::Unit { got: unit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_word_is_taken_or_refused() {
        for word in 0..=u16::MAX {
            let mut words = NewAddress { serial_number: 0x0102_0304, unit: 1 }.encode(0);
            words[2] = word;
            check::seal(0, 0, &mut words);
            let expected = match u8::try_from(word) {
                Ok(unit @ 1..=247) => Ok(NewAddress { serial_number: 0x0102_0304, unit }),
                _ => Err(AddressFault::Unit { got: word }),
            };
            assert_eq!(NewAddress::parse(0, &words), expected);
        }
    }

    #[test]
    fn a_block_counts_only_for_its_slave_and_whole() {
        let words = NewAddress { serial_number: 7, unit: 9 }.encode(3);
        assert_eq!(NewAddress::parse(4, &words), Err(AddressFault::Check));
        assert_eq!(NewAddress::parse(3, &words[..3]), Err(AddressFault::Length));
        assert_eq!(NewAddress::parse(3, &[]), Err(AddressFault::Length));
        for bit in 0..64 {
            let mut garbled = words;
            garbled[bit / 16] ^= 1 << (bit % 16);
            assert_eq!(NewAddress::parse(3, &garbled), Err(AddressFault::Check), "bit {bit}");
        }
    }
}
