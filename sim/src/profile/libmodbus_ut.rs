//! The map of libmodbus' unit-test server, its faults included.
//!
//! Addresses, sizes and faults are those that libmodbus 3.1's `unit-test-client` expects. Beyond
//! them the profile serves what the codec has: FC 08 with counters and FC 43/14.

use super::Reply;
use modbus::mbap::{self, MAX_FRAME};
use modbus::pdu::{Bits, Exception, Words};
use modbus::rtu;
use modbus::server::{Bank, BitSink, ByteSink, Counters, WordSink, serve_rtu, serve_tcp};
use std::ops::Range;
use units::Micros;

/// First coil.
const COILS: u16 = 0x130;
/// First discrete input, and the inputs, lowest bit first.
const INPUTS: u16 = 0x1C4;
const INPUT_BITS: [u8; 3] = [0xAC, 0xDB, 0x35];
const INPUT_COUNT: usize = 0x16;
/// First holding register.
const REGISTERS: u16 = 0x160;
/// The input register.
const INPUT_REGISTER: u16 = 0x108;
const INPUT_VALUES: [u16; 1] = [0x000A];

/// A read that begins here is answered by exception 06.
const BUSY: u16 = 0x170;
/// A read that begins here is answered as another unit, or under another transaction.
const FOREIGN: u16 = 0x171;
/// A read that begins here is answered late.
const LATE: u16 = 0x172;
const LATENESS: Micros = Micros::from_millis(500);
/// A read that begins here is answered byte by byte, about 5 ms apart: clients try it with 3 ms and
/// with 7 ms, and a timer adds up to one.
const SLOW: u16 = 0x173;
const SLOWNESS: Micros = Micros::from_millis(4);
/// A read of this many registers is answered with one less.
const SHORT: u16 = 2;
/// Writing this coil, or the register [`BUSY`], is refused with exception 03.
const REFUSED_COIL: u16 = COILS + 2;

/// The server.
#[derive(Clone, Debug)]
pub struct LibmodbusUt {
    coils: [bool; 0x25],
    registers: [u16; 0x20],
    counters: Counters,
}

/// The fault that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Busy,
    Refused,
    Foreign,
    Late,
    Slow,
    Short { address: u16 },
}

impl Fault {
    /// Reads of holding registers and single writes ask for faults; a read's quantity goes before
    /// its address.
    fn asked_by(pdu: &[u8]) -> Self {
        let &[function, a1, a0, q1, q0] = pdu else { return Self::None };
        let address = u16::from_be_bytes([a1, a0]);
        match (function, u16::from_be_bytes([q1, q0]), address) {
            (0x03, SHORT, _) => Self::Short { address },
            (0x03, _, BUSY) => Self::Busy,
            (0x03, _, FOREIGN) => Self::Foreign,
            (0x03, _, LATE) => Self::Late,
            (0x03, _, SLOW) => Self::Slow,
            (0x05, _, REFUSED_COIL) | (0x06, _, BUSY) => Self::Refused,
            _ => Self::None,
        }
    }

    /// The exception that answers `function` instead.
    fn exception(self, function: u8) -> Option<[u8; 2]> {
        let exception = match self {
            Self::Busy => Exception::Busy,
            Self::Refused => Exception::IllegalValue,
            Self::None | Self::Foreign | Self::Late | Self::Slow | Self::Short { .. } => {
                return None;
            }
        };
        Some([function | 0x80, exception.code()])
    }

    /// The request that is served instead, where one is.
    fn served(self) -> Option<[u8; 5]> {
        let address = match self {
            Self::None | Self::Busy | Self::Refused | Self::Late | Self::Slow => return None,
            Self::Short { address } => address,
            Self::Foreign => FOREIGN,
        };
        let [a1, a0] = address.to_be_bytes();
        Some([0x03, a1, a0, 0, 1])
    }

    fn reply(self, frame: Vec<u8>) -> Reply {
        let reply = Reply::now(frame);
        match self {
            Self::Late => Reply { after: LATENESS, ..reply },
            Self::Slow => Reply { per_byte: SLOWNESS, ..reply },
            Self::None | Self::Busy | Self::Refused | Self::Foreign | Self::Short { .. } => reply,
        }
    }
}

impl Default for LibmodbusUt {
    fn default() -> Self {
        Self { coils: [false; 0x25], registers: [0; 0x20], counters: Counters::new() }
    }
}

impl LibmodbusUt {
    /// The unit on a serial line.
    pub const UNIT: u8 = 17;

    /// Serves one RTU frame; `None` is silence.
    pub fn rtu(&mut self, frame: &[u8]) -> Option<Reply> {
        let (unit, pdu) = rtu::check(frame).ok()?;
        let fault = if unit == Self::UNIT { Fault::asked_by(pdu) } else { Fault::None };
        if let Some(exception) = pdu.first().and_then(|function| fault.exception(*function)) {
            return Some(Reply::now(sealed(unit, &exception)));
        }
        let served = fault.served().map(|pdu| sealed(unit, &pdu));
        let mut out = [0; rtu::MAX_FRAME];
        let len = serve_rtu(Self::UNIT, served.as_deref().unwrap_or(frame), self, &mut out)?;
        let mut answer = out[..len].to_vec();
        if fault == Fault::Foreign {
            answer = sealed(unit + 1, &answer[1..len - 2]);
        }
        Some(fault.reply(answer))
    }

    /// Serves one frame of a TCP connection, whatever its unit; `None` when it is no request.
    pub fn tcp(&mut self, frame: mbap::Frame<'_>) -> Option<Reply> {
        let fault = Fault::asked_by(frame.pdu);
        let mut out = [0; MAX_FRAME];
        if let Some(pdu) = frame.pdu.first().and_then(|function| fault.exception(*function)) {
            let len = mbap::encode(mbap::Frame { pdu: &pdu, ..frame }, &mut out).ok()?;
            return Some(Reply::now(out[..len].to_vec()));
        }
        let served = fault.served();
        let request = served.as_ref().map_or(frame, |pdu| mbap::Frame { pdu, ..frame });
        let len = serve_tcp(request, self, &mut out)?;
        let mut answer = out[..len].to_vec();
        if fault == Fault::Foreign {
            answer[..2].copy_from_slice(&frame.transaction.wrapping_add(1).to_be_bytes());
        }
        Some(fault.reply(answer))
    }
}

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).expect("a PDU that was framed before fits again");
    out[..len].to_vec()
}

/// The places of `count` items from `address` on in a table of `len` that begins at `first`.
fn places(address: u16, count: usize, first: u16, len: usize) -> Result<Range<usize>, Exception> {
    let from = usize::from(address.checked_sub(first).ok_or(Exception::IllegalAddress)?);
    let range = from..from + count;
    if range.end <= len { Ok(range) } else { Err(Exception::IllegalAddress) }
}

impl Bank for LibmodbusUt {
    fn serves(&self, function: u8) -> bool {
        matches!(function, 0x01..=0x06 | 0x08 | 0x0F | 0x10 | 0x11 | 0x16 | 0x17 | 0x2B)
    }

    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let range = places(address, usize::from(quantity), REGISTERS, self.registers.len())?;
        out.extend(self.registers[range].iter().copied());
        Ok(())
    }

    fn write(&mut self, address: u16, words: Words<'_>) -> Result<(), Exception> {
        let range = places(address, words.len(), REGISTERS, self.registers.len())?;
        self.registers[range].iter_mut().zip(words.iter()).for_each(|(old, new)| *old = new);
        Ok(())
    }

    fn read_input(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let range = places(address, usize::from(quantity), INPUT_REGISTER, INPUT_VALUES.len())?;
        out.extend(INPUT_VALUES[range].iter().copied());
        Ok(())
    }

    fn read_coils(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        let range = places(address, usize::from(quantity), COILS, self.coils.len())?;
        out.extend(self.coils[range].iter().copied());
        Ok(())
    }

    fn read_discrete(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut BitSink<'_>,
    ) -> Result<(), Exception> {
        let range = places(address, usize::from(quantity), INPUTS, INPUT_COUNT)?;
        let bits = range.map(|bit| (INPUT_BITS[bit / 8] >> (bit % 8)) & 1 == 1);
        out.extend(bits);
        Ok(())
    }

    fn write_coils(&mut self, address: u16, bits: Bits<'_>) -> Result<(), Exception> {
        let range = places(address, bits.len(), COILS, self.coils.len())?;
        self.coils[range].iter_mut().zip(bits.iter()).for_each(|(old, new)| *old = new);
        Ok(())
    }

    fn server_id(&mut self, out: &mut ByteSink<'_>) -> Result<(), Exception> {
        // The client demands ten bytes: id, running, and eight of the server's own.
        out.extend(&[Self::UNIT, 0xFF]);
        out.extend(b"sortline");
        Ok(())
    }

    fn object(&mut self, id: u8, out: &mut ByteSink<'_>) -> bool {
        match id {
            0x00 => out.extend(b"sortline"),
            0x01 => out.extend(b"libmodbus-ut"),
            0x02 => out.extend(env!("CARGO_PKG_VERSION").as_bytes()),
            _ => return false,
        }
        true
    }

    fn counters(&mut self) -> Option<&mut Counters> {
        Some(&mut self.counters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modbus::pdu::Request;

    fn ask(server: &mut LibmodbusUt, pdu: &[u8]) -> Reply {
        assert!(Request::parse(pdu).is_ok(), "{pdu:02x?}");
        server.rtu(&sealed(LibmodbusUt::UNIT, pdu)).expect("an answer")
    }

    #[test]
    fn each_fault_is_that_of_its_register() {
        let mut server = LibmodbusUt::default();
        let ut = LibmodbusUt::UNIT;
        ask(&mut server, &[0x10, 0x01, 0x70, 0, 4, 8, 0, 1, 0, 2, 0, 3, 0, 4]);
        let busy = ask(&mut server, &[3, 0x01, 0x70, 0, 3]);
        assert_eq!(busy, Reply::now(sealed(ut, &[0x83, 6])));
        let refused = ask(&mut server, &[6, 0x01, 0x70, 0, 0x42]);
        assert_eq!(refused, Reply::now(sealed(ut, &[0x86, 3])));
        let refused = ask(&mut server, &[5, 0x01, 0x32, 0xFF, 0]);
        assert_eq!(refused, Reply::now(sealed(ut, &[0x85, 3])));
        let foreign = ask(&mut server, &[3, 0x01, 0x71, 0, 1]);
        assert_eq!(foreign, Reply::now(sealed(ut + 1, &[3, 2, 0, 2])));
        let late = ask(&mut server, &[3, 0x01, 0x72, 0, 1]);
        assert_eq!((late.frame, late.after), (sealed(ut, &[3, 2, 0, 3]), LATENESS));
        let slow = ask(&mut server, &[3, 0x01, 0x73, 0, 1]);
        assert_eq!((slow.frame, slow.per_byte), (sealed(ut, &[3, 2, 0, 4]), SLOWNESS));
        let short = ask(&mut server, &[3, 0x01, 0x72, 0, 2]);
        assert_eq!(short, Reply::now(sealed(ut, &[3, 2, 0, 3])));
    }

    #[test]
    fn another_transaction_answers_over_tcp() {
        let mut server = LibmodbusUt::default();
        let frame = mbap::Frame { transaction: 0xFFFF, unit: 255, pdu: &[3, 0x01, 0x71, 0, 1] };
        let reply = server.tcp(frame).expect("an answer");
        let answer = mbap::decode(&reply.frame).expect("a frame");
        assert_eq!((answer.transaction, answer.unit, answer.pdu), (0, 255, &[3, 2, 0, 0][..]));
    }

    #[test]
    fn the_map_ends_where_it_ends() {
        let mut server = LibmodbusUt::default();
        for (pdu, answer) in [
            (&[1, 0x01, 0x30, 0, 0x25][..], &[1, 5, 0, 0, 0, 0, 0][..]),
            (&[1, 0x01, 0x30, 0, 0x26], &[0x81, 2]),
            (&[1, 0x01, 0x2F, 0, 1], &[0x81, 2]),
            (&[2, 0x01, 0xC4, 0, 0x16], &[2, 3, 0xAC, 0xDB, 0x35]),
            (&[2, 0x01, 0xC4, 0, 0x17], &[0x82, 2]),
            (&[4, 0x01, 0x08, 0, 1], &[4, 2, 0, 10]),
            (&[4, 0x01, 0x08, 0, 2], &[0x84, 2]),
            (&[3, 0x01, 0x60, 0, 0x21], &[0x83, 2]),
            (&[6, 0x01, 0x7F, 1, 2], &[6, 0x01, 0x7F, 1, 2]),
            (&[6, 0x01, 0x80, 1, 2], &[0x86, 2]),
        ] {
            let reply = ask(&mut server, pdu);
            assert_eq!(reply.frame, sealed(LibmodbusUt::UNIT, answer), "{pdu:02x?}");
        }
    }
}
