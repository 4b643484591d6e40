//! A device that has everything, for tests.

use modbus::pdu::{Bits, Exception, Words};
use modbus::server::{Bank, BitSink, ByteSink, Counters, WordSink};

/// Coils, inputs and registers of a [`Device`], each from address 0 on.
pub(crate) const SIZE: usize = 512;

/// Holds 512 of each kind. At first every register holds its address, an input register that plus
/// 0x8000; every third coil and every second input is on. Holding register 500 cannot be read, 501
/// gives too little, 502 too much.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) registers: Vec<u16>,
    pub(crate) coils: Vec<bool>,
    /// How often anything was written.
    pub(crate) writes: u32,
    pub(crate) objects: Vec<(u8, Vec<u8>)>,
    pub(crate) server_id: Vec<u8>,
    pub(crate) counters: Counters,
}

impl Device {
    pub(crate) fn new() -> Self {
        let objects = [(0, "sortline"), (1, "T-1"), (2, "1.0"), (4, "test device"), (0x80, "2")];
        Self {
            registers: (0..).take(SIZE).collect(),
            coils: (0..SIZE).map(|at| at % 3 == 0).collect(),
            writes: 0,
            objects: objects.map(|(id, value)| (id, value.as_bytes().to_vec())).to_vec(),
            server_id: vec![0xB4, 0xFF, b'T'],
            counters: Counters::new(),
        }
    }
}

/// The part of `all` that is asked for.
fn part<T>(all: &[T], address: u16, quantity: u16) -> Result<&[T], Exception> {
    let at = usize::from(address);
    all.get(at..at + usize::from(quantity)).ok_or(Exception::IllegalAddress)
}

impl Bank for Device {
    fn serves(&self, function: u8) -> bool {
        matches!(function, 1..=6 | 8 | 15..=17 | 22 | 23 | 43)
    }

    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let words = part(&self.registers, address, quantity)?;
        match address {
            500 => return Err(Exception::Busy),
            501 => return Ok(()),
            502 => out.push(0),
            _ => {}
        }
        out.extend(words.iter().copied());
        Ok(())
    }

    fn write(&mut self, address: u16, words: Words<'_>) -> Result<(), Exception> {
        let at = usize::from(address);
        let room = self.registers.get_mut(at..at + words.len()).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(words.iter()).for_each(|(register, word)| *register = word);
        self.writes += 1;
        Ok(())
    }

    fn read_input(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let all: Vec<u16> = (0x8000..).take(SIZE).collect();
        out.extend(part(&all, address, quantity)?.iter().copied());
        Ok(())
    }

    fn read_coils(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        out.extend(part(&self.coils, address, quantity)?.iter().copied());
        if address == 501 {
            out.push(true);
        }
        Ok(())
    }

    fn read_discrete(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        let all: Vec<bool> = (0..SIZE).map(|at| at % 2 == 0).collect();
        out.extend(part(&all, address, quantity)?.iter().copied());
        Ok(())
    }

    fn write_coils(&mut self, address: u16, bits: Bits<'_>) -> Result<(), Exception> {
        let at = usize::from(address);
        let room = self.coils.get_mut(at..at + bits.len()).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(bits.iter()).for_each(|(coil, bit)| *coil = bit);
        self.writes += 1;
        Ok(())
    }

    fn server_id(&mut self, out: &mut ByteSink<'_>) -> Result<(), Exception> {
        out.extend(&self.server_id);
        Ok(())
    }

    fn object(&mut self, id: u8, out: &mut ByteSink<'_>) -> bool {
        let found = self.objects.iter().find(|(object, _)| *object == id);
        if let Some((_, value)) = found {
            out.extend(value);
        }
        found.is_some()
    }

    fn counters(&mut self) -> Option<&mut Counters> {
        Some(&mut self.counters)
    }
}
