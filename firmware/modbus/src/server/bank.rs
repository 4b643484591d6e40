//! What a node has behind its server.

use super::{BitSink, ByteSink, Counters, WordSink};
use crate::pdu::function::{
    DIAGNOSTICS, MASK_WRITE, READ_HOLDING, READ_WRITE, WRITE_MULTIPLE, WRITE_SINGLE,
};
use crate::pdu::{Bits, Exception, Words};

/// A node's data as the server sees them; addresses and quantities are already in range of the
/// protocol, not of the map.
///
/// The defaults are those of a bank of holding registers only. A bank that has more says so in
/// [`serves`](Self::serves) and replaces the function's method; the exceptions that methods return
/// are answered.
pub trait Bank {
    /// Whether a function is served at all; any other is answered with exception 01 before its
    /// quantities are looked at. FC 08 sub-function 0 needs nothing else, its counters need
    /// [`counters`](Self::counters).
    fn serves(&self, function: u8) -> bool {
        matches!(
            function,
            READ_HOLDING | WRITE_SINGLE | DIAGNOSTICS | WRITE_MULTIPLE | MASK_WRITE | READ_WRITE
        )
    }

    /// Puts exactly `quantity` holding registers from `address` on into `out` (FC 03, FC 23).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception>;

    /// Takes new values for the holding registers from `address` on; whole or not at all
    /// (FC 06, FC 16, FC 23).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn write(&mut self, address: u16, words: Words<'_>) -> Result<(), Exception>;

    /// Changes the holding register at `address` to (its value and `and`) or (`or` and not `and`)
    /// (FC 22); by default a read and a write.
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn mask_write(&mut self, address: u16, and: u16, or: u16) -> Result<(), Exception> {
        let mut word = [0; 2];
        let mut sink = WordSink::new(&mut word);
        self.read(address, 1, &mut sink)?;
        if !sink.is_exact() {
            return Err(Exception::DeviceFailure);
        }
        let changed = (u16::from_be_bytes(word) & and) | (or & !and);
        let bytes = changed.to_be_bytes();
        self.write(address, Words::from_bytes(&bytes).ok_or(Exception::DeviceFailure)?)
    }

    /// Puts exactly `quantity` input registers from `address` on into `out` (FC 04).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn read_input(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let _ = (address, quantity, out);
        Err(Exception::IllegalFunction)
    }

    /// Puts exactly `quantity` coils from `address` on into `out` (FC 01).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn read_coils(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        let _ = (address, quantity, out);
        Err(Exception::IllegalFunction)
    }

    /// Puts exactly `quantity` discrete inputs from `address` on into `out` (FC 02).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn read_discrete(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        let _ = (address, quantity, out);
        Err(Exception::IllegalFunction)
    }

    /// Takes new values for the coils from `address` on; whole or not at all (FC 05, FC 15).
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn write_coils(&mut self, address: u16, bits: Bits<'_>) -> Result<(), Exception> {
        let _ = (address, bits);
        Err(Exception::IllegalFunction)
    }

    /// Reports the server id (FC 17): the id, one byte 0xFF when running or 0x00 when not, and
    /// whatever the device adds.
    ///
    /// # Errors
    /// The exception that is answered instead.
    fn server_id(&mut self, out: &mut ByteSink<'_>) -> Result<(), Exception> {
        let _ = out;
        Err(Exception::IllegalFunction)
    }

    /// Puts the value of a device identification object into `out` (FC 43/14); false when there is
    /// no such object. Objects 0x00 to 0x02 must be there, a value has at most 244 bytes.
    fn object(&mut self, id: u8, out: &mut ByteSink<'_>) -> bool {
        let _ = (id, out);
        false
    }

    /// The counters of FC 08, kept by the server core; without them only sub-function 0 is served.
    fn counters(&mut self) -> Option<&mut Counters> {
        None
    }
}
