//! Function codes and how long their requests are.

/// FC 03: read holding registers.
pub const READ_HOLDING: u8 = 0x03;
/// FC 06: write one register.
pub const WRITE_SINGLE: u8 = 0x06;
/// FC 08: diagnostics; of its sub-functions only 0 (return the data) is served.
pub const DIAGNOSTICS: u8 = 0x08;
/// FC 16 (0x10): write registers.
pub const WRITE_MULTIPLE: u8 = 0x10;
/// FC 23 (0x17): write registers, then read registers.
pub const READ_WRITE: u8 = 0x17;
/// The bit that an answer's function code carries when it is an exception.
pub const EXCEPTION: u8 = 0x80;

/// How the length of a request PDU follows from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Always this many bytes.
    Fixed(usize),
    /// The byte at this offset counts the bytes behind it.
    Counted(usize),
    /// Not said by its bytes: silence ends the frame.
    Open,
}

/// The shape of the requests of `function`.
pub(crate) const fn request_shape(function: u8) -> Shape {
    match function {
        READ_HOLDING | WRITE_SINGLE => Shape::Fixed(5),
        WRITE_MULTIPLE => Shape::Counted(5),
        READ_WRITE => Shape::Counted(9),
        _ => Shape::Open,
    }
}
