//! One question at a time on one bus, by the daemon's own bus task.

use modbus::pdu::{self, MAX_PDU};
use registers::map::{IDENTITY, IDENTITY_WORDS};
use tokio::sync::mpsc;
use units::Micros;

use super::fault::ToolFault;
use super::target::{Target, Wire};
use crate::bus::tap::{Listener, Tap, What};
use crate::bus::{Event, HEARD_MAX, Heard, REQUESTS_MAX, Request, serial, tcp};
use crate::config::BusPort;
use crate::start;

/// How one question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The unit answered with this PDU.
    Words(Vec<u16>),
    /// The unit answered, with no registers in it.
    Done(Vec<u8>),
    /// The unit refused.
    Exception(u8),
    /// No fitting answer came; `garbled` = something was heard.
    Silent {
        /// Bytes were heard that are no frame.
        garbled: bool,
    },
}

/// A bus that is open.
#[derive(Debug)]
pub(super) struct Client {
    target: Target,
    submit: mpsc::Sender<Request>,
    heard: mpsc::Receiver<Heard>,
    listener: Listener,
}

impl Client {
    /// Opens a bus and waits until it is up; its frames pass `tap`.
    ///
    /// # Errors
    /// When the port or connection cannot be used; a port that is taken names the other way.
    pub(super) async fn open(target: &Target, tap: &Tap) -> Result<Self, ToolFault> {
        let (submit, requests) = mpsc::channel(REQUESTS_MAX);
        let (say, mut heard) = mpsc::channel(HEARD_MAX);
        let listener = tap.listen();
        begin(target, tap, requests, say)?;
        loop {
            match heard.recv().await.map(|heard| heard.event) {
                Some(Event::Up) => break,
                Some(Event::Down { why }) => return Err(refused(target, why)),
                Some(_) => {}
                None => return Err(ToolFault::Gone { bus: target.name.clone() }),
            }
        }
        Ok(Self { target: target.clone(), submit, heard, listener })
    }

    /// The bus.
    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// Asks `unit` and waits for the end of the exchange.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(super) async fn ask(&mut self, unit: u8, pdu: &[u8]) -> Result<Reply, ToolFault> {
        let gone = || ToolFault::Gone { bus: self.target.name.clone() };
        let request = Request { unit, pdu: pdu.to_vec(), timeout: self.target.timeout };
        self.submit.send(request).await.map_err(|_| gone())?;
        let mut lost = None;
        loop {
            match self.heard.recv().await.ok_or_else(gone)?.event {
                Event::Answer { unit: _, pdu: answer } => return Ok(understood(pdu, &answer)),
                Event::Timeout => {
                    let garbled = self.garbled().await;
                    return Ok(Reply::Silent { garbled });
                }
                Event::BroadcastDone => return Ok(Reply::Done(Vec::new())),
                Event::Lost => lost = Some(Reply::Silent { garbled: false }),
                Event::Up if lost.is_some() => return Ok(Reply::Silent { garbled: false }),
                Event::Up => {}
                // A peer that closes the connection is connected to again; a port stays away.
                Event::Down { why } => match self.target.wire {
                    Wire::Serial { .. } => return Err(refused(&self.target, why)),
                    Wire::Tcp { .. } if why.starts_with("connect") => {
                        return Err(refused(&self.target, why));
                    }
                    Wire::Tcp { .. } => {}
                },
            }
        }
    }

    /// Whether anything but whole frames was heard since the last request.
    async fn garbled(&mut self) -> bool {
        let mut garbled = false;
        // The tap is given everything before the outcome is told.
        while let Ok(Some(tapped)) =
            tokio::time::timeout(std::time::Duration::ZERO, self.listener.next()).await
        {
            garbled = match tapped.what {
                What::Request => false,
                What::Crc => true,
                What::Answer
                | What::Timeout
                | What::Lost
                | What::Late
                | What::Duplicate
                | What::Foreign
                | What::Mismatch
                | What::Echo => garbled,
            };
        }
        garbled
    }

    /// Reads registers by FC 03.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(super) async fn read(
        &mut self,
        unit: u8,
        address: u16,
        quantity: u16,
    ) -> Result<Reply, ToolFault> {
        let pdu = encoded(|out| pdu::read_holding(address, quantity, out));
        self.ask(unit, &pdu).await
    }

    /// Closes the bus and waits until its task has let go of the port.
    pub(super) async fn close(self) {
        let Self { submit, mut heard, .. } = self;
        drop(submit);
        while heard.recv().await.is_some() {}
    }

    /// Reads the identity block.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(super) async fn identity(&mut self, unit: u8) -> Result<Reply, ToolFault> {
        self.read(unit, IDENTITY, IDENTITY_WORDS).await
    }

    /// Writes registers by FC 16.
    ///
    /// # Errors
    /// When the bus has gone.
    pub(super) async fn write(
        &mut self,
        unit: u8,
        address: u16,
        words: &[u16],
    ) -> Result<Reply, ToolFault> {
        let pdu = encoded(|out| pdu::write_multiple(address, words, out));
        self.ask(unit, &pdu).await
    }
}

/// What an encoder writes.
pub(super) fn encoded<E: std::fmt::Debug>(
    encode: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Vec<u8> {
    let mut out = vec![0; MAX_PDU];
    let len = encode(&mut out);
    assert!(len.is_ok(), "every request of a tool fits a PDU: {len:?}");
    out.truncate(len.unwrap_or_default());
    out
}

fn understood(request: &[u8], answer: &[u8]) -> Reply {
    match *answer {
        [function, code] if function & pdu::function::EXCEPTION != 0 => Reply::Exception(code),
        [0x03 | 0x04, _, ref data @ ..] if matches!(request.first(), Some(0x03 | 0x04)) => {
            let words = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            Reply::Words(words.collect())
        }
        _ => Reply::Done(answer.to_vec()),
    }
}

fn refused(target: &Target, why: String) -> ToolFault {
    let mut why = why;
    if why.contains("in use by another program") {
        why.push_str("; beside a running controller use `bus watch` or `bus record` with --daemon HOST:PORT (the address of its screens)");
    }
    ToolFault::Port { bus: target.name.clone(), why }
}

fn begin(
    target: &Target,
    tap: &Tap,
    requests: mpsc::Receiver<Request>,
    say: mpsc::Sender<Heard>,
) -> Result<(), ToolFault> {
    let (name, tap) = (target.name.clone(), tap.clone());
    let bus = target.index.try_into().unwrap_or_default();
    match &target.wire {
        Wire::Serial { path, line, turnaround, echo, rs485 } => {
            let port = BusPort::Serial {
                path: path.clone(),
                baud: line.baud,
                parity: line.parity,
                stop_bits: line.stop_bits,
                turnaround: (*turnaround).max(Micros::from_millis(1)),
                echo: *echo,
                rs485: *rs485,
            };
            let Some((setup, rs485)) = start::serial_setup(bus, name, &port, &tap) else {
                return Err(ToolFault::Gone { bus: target.name.clone() });
            };
            // The thread ends with its requests' sender.
            let _thread =
                serial::spawn_rs485(setup, rs485, requests, say).map_err(ToolFault::System)?;
        }
        Wire::Tcp { address } => {
            let setup = tcp::Setup { bus, name, address: address.clone(), tap };
            drop(tokio::spawn(tcp::serve(setup, requests, say)));
        }
    }
    Ok(())
}
