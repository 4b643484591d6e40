//! Function codes and how long their requests are.

/// FC 01: read coils.
pub const READ_COILS: u8 = 0x01;
/// FC 02: read discrete inputs.
pub const READ_DISCRETE: u8 = 0x02;
/// FC 03: read holding registers.
pub const READ_HOLDING: u8 = 0x03;
/// FC 04: read input registers.
pub const READ_INPUT: u8 = 0x04;
/// FC 05: write one coil.
pub const WRITE_COIL: u8 = 0x05;
/// FC 06: write one register.
pub const WRITE_SINGLE: u8 = 0x06;
/// FC 08: diagnostics; of its sub-functions 0, 0x0A to 0x0F and 0x12 are served.
pub const DIAGNOSTICS: u8 = 0x08;
/// FC 15 (0x0F): write coils.
pub const WRITE_COILS: u8 = 0x0F;
/// FC 16 (0x10): write registers.
pub const WRITE_MULTIPLE: u8 = 0x10;
/// FC 17 (0x11): report the server id.
pub const SERVER_ID: u8 = 0x11;
/// FC 22 (0x16): change bits of one register.
pub const MASK_WRITE: u8 = 0x16;
/// FC 23 (0x17): write registers, then read registers.
pub const READ_WRITE: u8 = 0x17;
/// FC 43 (0x2B): encapsulated interface; of its transports only [`DEVICE_ID`] is served.
pub const ENCAPSULATED: u8 = 0x2B;
/// Transport 14 (0x0E) of FC 43: device identification.
pub const DEVICE_ID: u8 = 0x0E;
/// The bit that an answer's function code carries when it is an exception.
pub const EXCEPTION: u8 = 0x80;

/// What the first bytes of a PDU say about its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PduLength {
    /// At least this many bytes must be seen before the length is known.
    Need(usize),
    /// The PDU has exactly this many bytes.
    Exactly(usize),
    /// Not said by its bytes: silence ends the frame.
    Open,
}

/// The length of the request that begins with `pdu`.
pub(crate) fn request_length(pdu: &[u8]) -> PduLength {
    let Some(&function) = pdu.first() else { return PduLength::Need(1) };
    match function {
        READ_COILS | READ_DISCRETE | READ_HOLDING | READ_INPUT | WRITE_COIL | WRITE_SINGLE => {
            PduLength::Exactly(5)
        }
        MASK_WRITE => PduLength::Exactly(7),
        SERVER_ID => PduLength::Exactly(1),
        WRITE_COILS | WRITE_MULTIPLE => counted(pdu, 5),
        READ_WRITE => counted(pdu, 9),
        // Sub-function 0 returns data of any length; every other one has a single word.
        DIAGNOSTICS => match pdu {
            [_, 0, 0, ..] => PduLength::Open,
            [_, _, _, ..] => PduLength::Exactly(5),
            _ => PduLength::Need(3),
        },
        ENCAPSULATED => match pdu {
            [_, DEVICE_ID, ..] => PduLength::Exactly(4),
            [_, _, ..] => PduLength::Open,
            _ => PduLength::Need(2),
        },
        _ => PduLength::Open,
    }
}

/// The length of a PDU whose byte at `at` counts the bytes behind it.
pub(crate) fn counted(pdu: &[u8], at: usize) -> PduLength {
    let head = at.saturating_add(1);
    pdu.get(at).map_or(PduLength::Need(head), |&count| {
        PduLength::Exactly(head.saturating_add(usize::from(count)))
    })
}
