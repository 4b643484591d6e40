//! Deliberate wrongs that a checker must find, as tests of the checker.

use modbus::rtu;
use node_link::{Report, What};
use registers::check;
use registers::exchange::{EVENT_OVERHEAD, Operation, WriteBlock};
use registers::map::WRITE;
use std::collections::BTreeMap;

/// What is done to the wire or to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Old events come again under new numbers, with a token and check word that fit.
    DoubledEvents,
    /// An event's content is altered under a right check word.
    AlteredEvent,
    /// One report of the link is dropped.
    DroppedReport,
    /// A command is given twice, under the next number.
    DoubledCommand,
    /// A second master knows the owner word.
    KnownOwner,
}

/// A saboteur; it strikes now and then.
#[derive(Clone, Debug)]
pub(super) struct Saboteur {
    what: Sabotage,
    /// The last events block with entries, by unit.
    old: BTreeMap<u8, Vec<u16>>,
    seen: u64,
    retired: bool,
    /// How often it has struck.
    pub(super) strikes: u64,
}

/// It strikes at every so many-th chance.
const EVERY: u64 = 12;
/// The same for commands, which are rarer.
const EVERY_COMMAND: u64 = 2;

/// Bytes of an events block of 28 words; the scanner's is longer, status and list are shorter.
const EVENT_BYTES: u8 = 56;

const HEAD: usize = EVENT_OVERHEAD as usize - 1;

impl Saboteur {
    pub(super) const fn new(what: Sabotage) -> Self {
        Self { what, old: BTreeMap::new(), seen: 0, retired: false, strikes: 0 }
    }

    /// It strikes no more.
    pub(super) const fn retire(&mut self) {
        self.retired = true;
    }

    fn turn(&mut self, every: u64) -> bool {
        self.seen += 1;
        let strikes = !self.retired && self.seen.is_multiple_of(every);
        self.strikes += u64::from(strikes);
        strikes
    }

    /// An answer on its way to the host of a serial bus.
    pub(super) fn answer(&mut self, frame: &mut Vec<u8>) {
        let Ok((unit, [0x17, EVENT_BYTES, data @ ..])) = rtu::check(frame) else { return };
        let mut words: Vec<u16> =
            data.as_chunks().0.iter().map(|word| u16::from_be_bytes(*word)).collect();
        let count = words[3] & 0xFF;
        match self.what {
            Sabotage::DoubledEvents if count == 0 => {
                let Some(old) = self.old.get(&unit).cloned() else { return };
                if !self.turn(EVERY) {
                    return;
                }
                words[3] = old[3];
                let last = words.len() - 1;
                words[HEAD..last].copy_from_slice(&old[HEAD..last]);
            }
            Sabotage::AlteredEvent if count > 0 => {
                if !self.turn(EVERY) {
                    return;
                }
                // The low word of the first entry's clock or, in longer ones, of its content.
                words[HEAD + 5] ^= 0x0100;
            }
            Sabotage::DoubledEvents => {
                self.old.insert(unit, words);
                return;
            }
            Sabotage::AlteredEvent
            | Sabotage::DroppedReport
            | Sabotage::DoubledCommand
            | Sabotage::KnownOwner => return,
        }
        check::seal(unit, words[0], &mut words);
        let mut pdu = frame[1..3].to_vec();
        pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        *frame = sealed(unit, &pdu);
    }

    /// A request on its way to the nodes: one more that shall follow it.
    pub(super) fn request(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let (unit, pdu) = rtu::check(frame).ok()?;
        let (mut block, read) = exchange(unit, pdu)?;
        let doubled = match self.what {
            Sabotage::DoubledCommand => true,
            Sabotage::KnownOwner => false,
            Sabotage::DoubledEvents | Sabotage::AlteredEvent | Sabotage::DroppedReport => {
                return None;
            }
        };
        let Operation::SetOutput { output, value } = block.operation else { return None };
        // Only values that are never 0 or 1 are unique.
        if value < 2 || !self.turn(EVERY_COMMAND) {
            return None;
        }
        block.command = block.command.next();
        if !doubled {
            block.operation = Operation::SetOutput { output, value: value % 50_000 + 50_000 };
        }
        let mut out = [0; 253];
        let (address, words) = read;
        let words = modbus::pdu::read_write(address, words, WRITE, &block.encode(unit), &mut out);
        Some(sealed(unit, &out[..words.expect("fits")]))
    }

    /// Whether this report does not reach the journal.
    pub(super) fn drops(&mut self, report: &Report) -> bool {
        let told = matches!(report.what, What::Input(_)) && report.through.is_some();
        self.what == Sabotage::DroppedReport && told && self.turn(EVERY)
    }
}

fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut frame).expect("fits");
    frame[..len].to_vec()
}

/// The write half of an FC 23 (0x17) request PDU and what it reads.
pub(super) fn exchange(unit: u8, pdu: &[u8]) -> Option<(WriteBlock, (u16, u16))> {
    let Ok(modbus::pdu::Request::ReadWrite {
        read_address,
        read_quantity,
        write_address: WRITE,
        words,
    }) = modbus::pdu::Request::parse(pdu)
    else {
        return None;
    };
    let words: Vec<u16> = words.iter().collect();
    Some((WriteBlock::parse(unit, &words).ok()?, (read_address, read_quantity)))
}
