//! The node's registers behind the Modbus server: which request may touch which block.

use crate::boundary::Output;
use crate::exchange::{BLOCK_WORDS_MAX, Exchanged};
use crate::logic::Logic;
use crate::machine::Node;
use modbus::pdu::function::{
    DIAGNOSTICS, ENCAPSULATED, READ_HOLDING, READ_INPUT, READ_WRITE, SERVER_ID, WRITE_MULTIPLE,
    WRITE_SINGLE,
};
use modbus::pdu::{Counter, Exception, Request, Words};
use modbus::server::{self, Bank, ByteSink, Counters, WordSink};
use modbus::{mbap, rtu};
use registers::address::{ADDRESS_WORDS, AddressFault, NewAddress};
use registers::exchange::WRITE_WORDS;
use registers::map::{ADDRESS, ARMED, EVENTS, LATCH, SETTINGS, STATUS, WRITE};
use registers::points::SETTINGS_MAX;
use registers::status::{ARMED_WORDS, STATUS_WORDS};

/// What one request is allowed to do, decided before any of it has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// FC 03, FC 04: read any whole block.
    Read,
    /// FC 06 on the latch register, broadcast too.
    Latch,
    /// FC 16 on the settings block, to this node alone.
    Settings,
    /// FC 16 on the address block, written to this slave (0 = broadcast).
    Address { slave: u8 },
    /// FC 23: write the whole exchange block, read one of the blocks that carry the token.
    Exchange,
    /// Anything else: exception 02.
    Closed,
}

impl Door {
    fn of(request: &Request<'_>, event_words: u16, slave: u8, broadcast: bool) -> Self {
        match *request {
            Request::ReadHolding { .. } | Request::ReadInput { .. } => Self::Read,
            Request::WriteSingle { address: LATCH, .. } => Self::Latch,
            Request::WriteMultiple { address: SETTINGS, .. } if !broadcast => Self::Settings,
            Request::WriteMultiple { address: ADDRESS, .. } => Self::Address { slave },
            Request::ReadWrite { read_address, read_quantity, write_address, words } => {
                let whole = write_address == WRITE && words.len() == usize::from(WRITE_WORDS);
                let reads = [(EVENTS, event_words), (STATUS, STATUS_WORDS), (ARMED, ARMED_WORDS)];
                if whole && reads.contains(&(read_address, read_quantity)) {
                    Self::Exchange
                } else {
                    Self::Closed
                }
            }
            // The rest writes elsewhere, or has no register behind it, or is not served.
            Request::ReadCoils { .. }
            | Request::ReadDiscrete { .. }
            | Request::WriteCoil { .. }
            | Request::WriteCoils { .. }
            | Request::WriteSingle { .. }
            | Request::WriteMultiple { .. }
            | Request::MaskWrite { .. }
            | Request::Echo { .. }
            | Request::ClearCounters
            | Request::ReadCounter(_)
            | Request::ServerId
            | Request::DeviceId { .. } => Self::Closed,
        }
    }
}

/// The registers during one request.
struct Registers<'a, L> {
    node: &'a mut Node<L>,
    door: Door,
    exchanged: Exchanged,
}

impl<'a, L: Logic> Registers<'a, L> {
    fn new(node: &'a mut Node<L>, pdu: &[u8], slave: u8, broadcast: bool) -> Self {
        let door = Request::parse(pdu).map_or(Door::Closed, |request| {
            Door::of(&request, L::KIND.event_words(), slave, broadcast)
        });
        Self { node, door, exchanged: Exchanged::NONE }
    }
}

impl<L: Logic> Bank for Registers<'_, L> {
    // Diagnostics (FC 03, 04, 08, 17, 43/14) need no owner and touch neither ring nor lease nor
    // commands.
    fn serves(&self, function: u8) -> bool {
        matches!(
            function,
            READ_HOLDING
                | READ_INPUT
                | WRITE_SINGLE
                | DIAGNOSTICS
                | WRITE_MULTIPLE
                | SERVER_ID
                | READ_WRITE
                | ENCAPSULATED
        )
    }

    fn read_input(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        self.read(address, quantity, out)
    }

    fn server_id(&mut self, out: &mut ByteSink<'_>) -> Result<(), Exception> {
        out.extend(&self.node.server_id().encode());
        Ok(())
    }

    fn object(&mut self, id: u8, out: &mut ByteSink<'_>) -> bool {
        let value = self.node.facts().object(id);
        if let Some(value) = &value {
            out.extend(value.as_bytes());
        }
        value.is_some()
    }

    fn counters(&mut self) -> Option<&mut Counters> {
        Some(&mut self.node.core.counters)
    }

    fn read(
        &mut self,
        address: u16,
        quantity: u16,
        out: &mut WordSink<'_>,
    ) -> Result<(), Exception> {
        let mut block = [0; BLOCK_WORDS_MAX];
        self.node
            .block(address, quantity, self.exchanged, &mut block)
            .ok_or(Exception::IllegalAddress)?;
        out.extend(block.iter().copied().take(usize::from(quantity)));
        Ok(())
    }

    fn write(&mut self, _address: u16, words: Words<'_>) -> Result<(), Exception> {
        match self.door {
            Door::Exchange => {
                let mut block = [0; WRITE_WORDS as usize];
                self.exchanged = copied(words, &mut block)
                    .and_then(|words| self.node.exchange(words))
                    .ok_or(Exception::IllegalValue)?;
                Ok(())
            }
            Door::Latch => {
                let number = words.get(0).ok_or(Exception::IllegalValue)?;
                self.node.latch(number).then_some(()).ok_or(Exception::IllegalValue)
            }
            Door::Settings => {
                if words.len() != L::KIND.settings().len() {
                    return Err(Exception::IllegalAddress);
                }
                let mut block = [0; SETTINGS_MAX];
                let new = copied(words, &mut block).ok_or(Exception::IllegalAddress)?;
                let taken = self.node.core.settings.replace(L::KIND, new);
                taken.then_some(()).ok_or(Exception::IllegalValue)
            }
            Door::Address { slave } => {
                let mut block = [0; ADDRESS_WORDS as usize];
                let words = copied(words, &mut block).ok_or(Exception::IllegalAddress)?;
                let new = NewAddress::parse(slave, words).map_err(|fault| match fault {
                    AddressFault::Length => Exception::IllegalAddress,
                    AddressFault::Check | AddressFault::Unit { .. } => Exception::IllegalValue,
                })?;
                if new.serial_number != self.node.core.identity.serial_number {
                    return Err(Exception::IllegalValue);
                }
                self.node.core.new_unit = Some(new.unit);
                Ok(())
            }
            Door::Read | Door::Closed => Err(Exception::IllegalAddress),
        }
    }
}

fn copied<'b>(words: Words<'_>, block: &'b mut [u16]) -> Option<&'b [u16]> {
    let block = block.get_mut(..words.len())?;
    for (slot, word) in block.iter_mut().zip(words.iter()) {
        *slot = word;
    }
    Some(block)
}

/// Serves one RTU frame; a frame that cannot be read is counted, one for another unit is not.
pub(crate) fn serve_rtu<L: Logic>(node: &mut Node<L>, frame: &[u8], out: &mut Output) {
    let Ok((unit, pdu)) = rtu::check(frame) else {
        return bad(node);
    };
    let my_unit = node.core.identity.unit;
    if unit != my_unit && unit != rtu::BROADCAST {
        return node.core.counters.add(Counter::BusMessages, 1);
    }
    let mut bank = Registers::new(node, pdu, unit, unit == rtu::BROADCAST);
    reply(out, |room| server::serve_rtu(my_unit, frame, &mut bank, room));
}

/// Serves one Modbus TCP frame; another unit's frame is met with silence.
pub(crate) fn serve_tcp<L: Logic>(node: &mut Node<L>, frame: &[u8], out: &mut Output) {
    let Ok(frame) = mbap::decode(frame) else {
        return bad(node);
    };
    if frame.unit != node.core.identity.unit {
        return;
    }
    let mut bank = Registers::new(node, frame.pdu, frame.unit, false);
    reply(out, |room| server::serve_tcp(frame, &mut bank, room));
}

fn bad<L>(node: &mut Node<L>) {
    node.core.counters.add(Counter::CommunicationErrors, 1);
    node.core.frames_bad = node.core.frames_bad.saturating_add(1);
}

fn reply(out: &mut Output, serve: impl FnOnce(&mut [u8]) -> Option<usize>) {
    // The capacity is the length, so it cannot fail.
    let _resized: Result<(), _> = out.reply.resize(out.reply.capacity(), 0);
    let used = serve(&mut out.reply).unwrap_or_default();
    out.reply.truncate(used);
}
