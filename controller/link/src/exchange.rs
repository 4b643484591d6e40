//! One exchange: what is asked, and whether what came back is the answer to it.
//!
//! An answer counts only when unit, function, length, token and check word fit the request.
//!
//! Every exchange may be repeated when its answer is missing, because executing it twice leaves the
//! node as executing it once does; [`Ask`] says of each why. Only the latch is never repeated.

use alloc::vec::Vec;
use modbus::pdu::{
    Exception, MAX_PDU, Mismatch, Response, read_holding, read_write, write_multiple, write_single,
};
use registers::exchange::{EventsHead, WriteBlock};
use registers::map::{ARMED, EVENTS, IDENTITY, IDENTITY_WORDS, LATCH, SETTINGS, STATUS, WRITE};
use registers::status::{ARMED_WORDS, ArmedList, STATUS_WORDS, Status};
use registers::{NodeKind, Reader, check};
use units::Micros;

/// What one exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Who are you? FC 03. Reading changes nothing.
    Identify,
    /// Where does your ring begin? FC 23 that neither acknowledges nor commands: boot id 0 acts on
    /// nothing.
    Peek,
    /// Your settings. FC 16: the same words again are the same settings.
    Configure,
    /// How are you? FC 23 with the acknowledgement, a level: repeated, it acknowledges nothing more.
    Status,
    /// Which arms wait? FC 23, as the status.
    Armed,
    /// What happened? FC 23, with acknowledgement and perhaps a command. The command has a number:
    /// repeated under it, it is not executed again; events leave the ring only when acknowledged.
    Events,
    /// Capture your encoder, all of you. FC 06 to everybody. Repeated, it would capture another
    /// instant under the same number: a new round has a new number instead.
    Latch,
}

/// The exchange that the bus is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// Index of the station; of no meaning for a broadcast.
    pub(crate) station: usize,
    pub(crate) unit: u8,
    pub(crate) kind: NodeKind,
    pub(crate) ask: Ask,
    pub(crate) token: u16,
    pub(crate) request: Vec<u8>,
    pub(crate) sent: Micros,
    /// It carries the station's order on its way.
    pub(crate) command: bool,
}

/// The identity block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: u16,
    pub(crate) map_version: u16,
    pub(crate) boot_id: u16,
    pub(crate) serial_number: u32,
    pub(crate) event_words: u16,
    pub(crate) settings_hash: u16,
    pub(crate) settings_words: u16,
}

/// An answer that fits its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Identity(Identity),
    Events(EventsHead, Vec<u16>),
    Status(Status),
    Armed(ArmedList),
    Written,
    Refused(Exception),
}

/// Why bytes are not the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Another unit answered.
    Unit,
    /// The PDU does not fit the request.
    Pdu(Mismatch),
    /// Whole and sealed, but for the token of an earlier request.
    Late,
    /// The check word does not fit, or a word has no meaning.
    Block,
}

/// The request PDU of an FC 03, FC 06 or FC 16 exchange; the settings only matter for the last.
pub(crate) fn plain(ask: Ask, settings: &[u16], latch: u16) -> Vec<u8> {
    encoded(|out| match ask {
        Ask::Identify => read_holding(IDENTITY, IDENTITY_WORDS, out),
        Ask::Configure => write_multiple(SETTINGS, settings, out),
        Ask::Latch | Ask::Peek | Ask::Status | Ask::Armed | Ask::Events => {
            write_single(LATCH, latch, out)
        }
    })
}

/// The request PDU of an FC 23 exchange.
pub(crate) fn sealed(ask: Ask, kind: NodeKind, unit: u8, block: &WriteBlock) -> Vec<u8> {
    let (address, words) = match ask {
        Ask::Status => (STATUS, STATUS_WORDS),
        Ask::Armed => (ARMED, ARMED_WORDS),
        Ask::Peek | Ask::Events | Ask::Identify | Ask::Configure | Ask::Latch => {
            (EVENTS, kind.event_words())
        }
    };
    encoded(|out| read_write(address, words, WRITE, &block.encode(unit), out))
}

fn encoded<E: core::fmt::Debug>(fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Vec<u8> {
    let mut buffer = [0; MAX_PDU];
    let used = fill(&mut buffer);
    assert!(used.is_ok(), "every block of the map fits one request");
    buffer[..used.unwrap_or_default()].to_vec()
}

impl Outstanding {
    /// Takes `answer` of `unit` when it is the answer to this request.
    pub(crate) fn accept(&self, unit: u8, answer: &[u8]) -> Result<Reply, Misfit> {
        if unit != self.unit {
            return Err(Misfit::Unit);
        }
        match Response::parse(&self.request, answer).map_err(Misfit::Pdu)? {
            Response::Exception(exception) => Ok(Reply::Refused(exception)),
            Response::Written | Response::Echoed => Ok(Reply::Written),
            // Never asked for here.
            Response::Bits(_)
            | Response::Count(_)
            | Response::ServerId(_)
            | Response::DeviceId(_) => Err(Misfit::Block),
            Response::Words(words) => {
                let words: Vec<u16> = words.iter().collect();
                let late = self.is_late(&words);
                self.block(words).ok_or(if late { Misfit::Late } else { Misfit::Block })
            }
        }
    }

    /// Whether the block was sealed for another request's token.
    fn is_late(&self, words: &[u16]) -> bool {
        let other = words.first().copied().filter(|token| *token != self.token);
        let sealed_for = |token| check::sealed(self.unit, token, words);
        self.ask != Ask::Identify && other.is_some_and(sealed_for)
    }

    fn block(&self, words: Vec<u16>) -> Option<Reply> {
        match self.ask {
            Ask::Identify => identity(&words).map(Reply::Identity),
            Ask::Status => Status::parse(self.unit, self.token, &words).map(Reply::Status),
            Ask::Armed => ArmedList::parse(self.unit, self.token, &words).map(Reply::Armed),
            Ask::Peek | Ask::Events => {
                if !check::sealed(self.unit, self.token, &words) {
                    return None;
                }
                let mut read = Reader::new(&words);
                let head = EventsHead::parse(&mut read)?;
                let entries = read.rest().split_last()?.1.to_vec();
                (head.token == self.token).then_some(Reply::Events(head, entries))
            }
            Ask::Configure | Ask::Latch => None,
        }
    }
}

fn identity(words: &[u16]) -> Option<Identity> {
    let mut read = Reader::new(words);
    let (kind, map_version, boot_id) = (read.u16()?, read.u16()?, read.u16()?);
    let (serial_number, _firmware_hash) = (read.u32()?, read.u32()?);
    Some(Identity {
        kind,
        map_version,
        boot_id,
        serial_number,
        event_words: read.u16()?,
        settings_hash: read.u16()?,
        settings_words: read.u16()?,
    })
}
