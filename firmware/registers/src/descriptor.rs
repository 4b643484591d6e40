//! The shape of a register map: plain constant data.

/// One register (or a run of two for u32), by address.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Address in the holding-register space.
    pub address: u16,
    /// Words taken.
    pub words: u16,
    /// Name, unique in the map.
    pub name: &'static str,
    /// Who may do what.
    pub access: Access,
    /// Unit of the value; empty for plain numbers.
    pub unit: &'static str,
    /// Value after a reset; `None` where it is not fixed.
    pub reset: Option<u16>,
    /// What it means.
    pub meaning: &'static str,
}

/// Who may do what with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read by FC 03 and FC 23.
    Read,
    /// Written only as a part of an FC 23 exchange.
    Exchange,
    /// Written by FC 06, also as a broadcast.
    Write,
    /// Written by FC 16, also as a broadcast; never read.
    Place,
    /// Read by FC 03, written by FC 16.
    ReadWrite,
}

impl Access {
    /// The words of the document.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Exchange => "write in an exchange (FC 23)",
            Self::Write => "write (FC 06, broadcast too)",
            Self::Place => "write (FC 16, broadcast too)",
            Self::ReadWrite => "read (FC 03), write (FC 16)",
        }
    }
}

/// A run of registers that is read or written as a whole, in one request.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// First address.
    pub address: u16,
    /// Words in it; 0 where the node kind decides.
    pub words: u16,
    /// Name, unique.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Its registers in order of address.
    pub registers: &'static [Register],
}

/// One input or output of a node kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Id in events, commands and status bits.
    pub id: u8,
    /// Name, unique in its table.
    pub name: &'static str,
    /// Unit of an output's value; empty for contacts.
    pub unit: &'static str,
    /// What it is wired to.
    pub meaning: &'static str,
}

/// One setting of a node kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name, unique in its table.
    pub name: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Smallest allowed value.
    pub min: u16,
    /// Largest allowed value.
    pub max: u16,
    /// Value after a reset.
    pub reset: u16,
    /// What it does.
    pub meaning: &'static str,
}
