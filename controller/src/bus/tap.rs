//! The frame tap: what passes on every wire, for tools that watch and record.
//!
//! A bus hands its frames to the [`Tap`] and never waits for who listens: the queue behind it is
//! bounded, a slow [`Listener`] loses the oldest frames and is told how many. Without a listener a
//! frame costs one look at a counter.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use modbus::session::{Outcome, View};
use modbus::{mbap, rtu};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use units::Micros;

use crate::clock::{Clock, utc_us};

/// Frames that may wait for one listener: a second of a busy line; older ones are lost to it.
const WAITING_MAX: usize = 2_048;
/// Bytes heard on a serial line and not accounted for; more are given up as noise.
const HEARD_MAX: usize = 1_024;

/// Which wire carried a frame, and so what stands around its PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// RTU: unit, PDU, CRC.
    Serial,
    /// Modbus TCP: MBAP header, PDU.
    Tcp,
}

/// What a frame was to the master that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Sent by this host.
    Request,
    /// The answer that was accepted, exceptions included.
    Answer,
    /// Nothing fitting came in time; there are no bytes.
    Timeout,
    /// The port or connection went away with a request outstanding; there are no bytes.
    Lost,
    /// Bytes that are no frame: noise, collision, bit errors.
    Crc,
    /// A whole frame while no answer was awaited.
    Late,
    /// The answer that was just accepted, once more.
    Duplicate,
    /// A whole frame of another unit while an answer was awaited.
    Foreign,
    /// A whole frame of the unit asked that does not fit the request.
    Mismatch,
    /// The own request, heard again.
    Echo,
}

impl What {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Request,
        Self::Answer,
        Self::Timeout,
        Self::Lost,
        Self::Crc,
        Self::Late,
        Self::Duplicate,
        Self::Foreign,
        Self::Mismatch,
        Self::Echo,
    ];

    /// The name in JSON and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
            Self::Crc => "crc",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::Foreign => "foreign",
            Self::Mismatch => "mismatch",
            Self::Echo => "echo",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

/// One frame as it passed, or the absence of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// When, on the tap's clock: a daemon's own, or since the tap was built.
    pub at: Micros,
    /// The same instant, microseconds since 1970-01-01 UTC.
    pub utc_us: u64,
    /// Index of the bus in the line file.
    pub bus: u16,
    /// Its wire.
    pub wire: Wire,
    /// The unit addressed, or the one that answered.
    pub unit: u8,
    /// What it was.
    pub what: What,
    /// All its bytes: with CRC, or with MBAP header.
    pub bytes: Vec<u8>,
}

impl Tapped {
    /// The PDU without what stands around it; `None` when there is no whole frame.
    pub fn pdu(&self) -> Option<&[u8]> {
        match self.wire {
            Wire::Serial => rtu::check(&self.bytes).ok().map(|(_, pdu)| pdu),
            Wire::Tcp => mbap::decode(&self.bytes).ok().map(|frame| frame.pdu),
        }
    }
}

/// Where buses put their frames; clones share their listeners.
#[derive(Clone, Debug)]
pub struct Tap {
    clock: Clock,
    /// What the wall clock read when the tap was built, and the tap's clock then.
    built: (u64, Micros),
    frames: broadcast::Sender<Tapped>,
}

impl Default for Tap {
    fn default() -> Self {
        Self::on(Clock::starting_at(Micros::ZERO))
    }
}

impl Tap {
    /// A tap whose frames carry the instants of this clock.
    pub fn on(clock: Clock) -> Self {
        let built = (utc_us(), clock.now());
        Self { clock, built, frames: broadcast::Sender::new(WAITING_MAX) }
    }

    /// Starts to listen: every frame from now on.
    pub fn listen(&self) -> Listener {
        Listener { frames: self.frames.subscribe(), dropped: 0 }
    }

    /// Whether anybody listens.
    fn heeded(&self) -> bool {
        self.frames.receiver_count() > 0
    }

    /// Shows a frame, as a bus does.
    #[cfg(test)]
    pub(crate) fn pass(&self, bus: u8, wire: Wire, unit: u8, what: What, bytes: Vec<u8>) {
        self.give(bus, wire, unit, what, bytes);
    }

    fn give(&self, bus: u8, wire: Wire, unit: u8, what: What, bytes: Vec<u8>) {
        let at = self.clock.now();
        let (utc_us, built) = self.built;
        let utc_us = utc_us.saturating_add(at.since(built).0);
        let tapped = Tapped { at, utc_us, bus: u16::from(bus), wire, unit, what, bytes };
        // The last listener may have left meanwhile: then nobody wants the frame.
        self.frames.send(tapped).ok();
    }
}

/// One listener of a tap.
#[derive(Debug)]
pub struct Listener {
    frames: broadcast::Receiver<Tapped>,
    dropped: u64,
}

impl Listener {
    /// The next frame; `None` when every bus and the tap itself are gone. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<Tapped> {
        loop {
            match self.frames.recv().await {
                Ok(tapped) => return Some(tapped),
                Err(RecvError::Lagged(frames)) => self.dropped += frames,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Frames that were lost to this listener, because it was too slow.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// The tap of a serial port: cuts what the session hears into frames again.
#[derive(Debug)]
pub(super) struct SerialTap {
    tap: Tap,
    bus: u8,
    unit: u8,
    heard: Vec<u8>,
    request: Vec<u8>,
    view: View,
}

impl SerialTap {
    /// Builds the tap of one open port.
    pub(super) fn new(tap: Tap, bus: u8) -> Self {
        let view = View::default();
        Self { tap, bus, unit: 0, heard: Vec::new(), request: Vec::new(), view }
    }

    /// Bytes came from the port; the session has not seen them yet.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        if self.tap.heeded() {
            self.heard.extend_from_slice(bytes);
            if self.heard.len() > HEARD_MAX {
                self.stray(What::Crc);
            }
        } else {
            self.heard.clear();
        }
    }

    /// The session has taken an event: `view` are its counters now, `done` what it ended.
    pub(super) fn handled(&mut self, view: View, done: Option<&Outcome>) {
        let before = std::mem::replace(&mut self.view, view);
        if !self.tap.heeded() {
            return;
        }
        if view.echo > before.echo && self.heard.starts_with(&self.request) {
            let own = self.heard.drain(..self.request.len()).collect();
            self.give(What::Echo, own);
        }
        let strays = [
            (view.crc > before.crc || view.echo_garbled > before.echo_garbled, What::Crc),
            (view.foreign > before.foreign, What::Foreign),
            (view.late > before.late, What::Late),
            (view.duplicates > before.duplicates, What::Duplicate),
            (view.mismatch > before.mismatch, What::Mismatch),
        ];
        let stray = strays.into_iter().find_map(|(is, what)| is.then_some(what));
        match done {
            Some(Outcome::Answer { unit, pdu }) => {
                self.answered(*unit, pdu.as_bytes(), stray);
            }
            Some(Outcome::Timeout) => {
                self.stray(stray.unwrap_or(What::Crc));
                self.give(What::Timeout, Vec::new());
            }
            Some(Outcome::PortLost) => {
                self.stray(stray.unwrap_or(What::Crc));
                self.give(What::Lost, Vec::new());
            }
            Some(Outcome::BroadcastDone | Outcome::Busy | Outcome::Unfit { .. }) | None => {
                if let Some(stray) = stray {
                    self.stray(stray);
                }
            }
        }
    }

    /// A frame is about to be written.
    pub(super) fn sent(&mut self, frame: &[u8]) {
        if self.tap.heeded() {
            self.stray(What::Crc);
            self.unit = frame.first().copied().unwrap_or_default();
            self.request = frame.to_vec();
            self.give(What::Request, frame.to_vec());
        }
    }

    /// The answer was accepted; what was heard before it is a stray, what came behind it waits.
    fn answered(&mut self, unit: u8, pdu: &[u8], stray: Option<What>) {
        let mut frame = [0; rtu::MAX_FRAME];
        let len = rtu::encode(unit, pdu, &mut frame).unwrap_or_default();
        let answer = frame.get(..len).unwrap_or_default();
        let place = self.heard.windows(answer.len().max(1)).position(|bytes| bytes == answer);
        let behind = place.map(|at| self.heard.split_off(at.saturating_add(answer.len())));
        if let Some(at) = place {
            self.heard.truncate(at);
        }
        self.stray(stray.unwrap_or(What::Crc));
        self.heard = behind.unwrap_or_default();
        self.give(What::Answer, answer.to_vec());
    }

    /// Gives what was heard as a stray and forgets it.
    fn stray(&mut self, what: What) {
        if !self.heard.is_empty() {
            let bytes = std::mem::take(&mut self.heard);
            let unit = rtu::check(&bytes).map_or(self.unit, |(unit, _)| unit);
            self.tap.give(self.bus, Wire::Serial, unit, what, bytes);
        }
    }

    fn give(&self, what: What, bytes: Vec<u8>) {
        self.tap.give(self.bus, Wire::Serial, self.unit, what, bytes);
    }
}

/// A connection whose frames are tapped on their way.
#[derive(Debug)]
pub(super) struct TcpTap<S> {
    stream: S,
    tap: Tap,
    bus: u8,
    sending: mbap::Decoder,
    hearing: mbap::Decoder,
    /// Transaction and unit of the request that waits for its answer.
    asked: Option<(u16, u8)>,
    ended: bool,
}

impl<S> TcpTap<S> {
    /// Wraps a connection.
    pub(super) const fn new(stream: S, tap: Tap, bus: u8) -> Self {
        let (sending, hearing) = (mbap::Decoder::new(), mbap::Decoder::new());
        Self { stream, tap, bus, sending, hearing, asked: None, ended: false }
    }

    fn give(&self, unit: u8, what: What, bytes: Vec<u8>) {
        if self.tap.heeded() {
            self.tap.give(self.bus, Wire::Tcp, unit, what, bytes);
        }
    }

    fn sent(&mut self, mut bytes: &[u8]) {
        while let Some((transaction, unit, frame)) = next_frame(&mut self.sending, &mut bytes) {
            self.asked = Some((transaction, unit));
            self.give(unit, What::Request, frame);
        }
    }

    fn heard(&mut self, mut bytes: &[u8]) {
        while let Some((transaction, unit, frame)) = next_frame(&mut self.hearing, &mut bytes) {
            let what = match self.asked {
                Some((asked, _)) if asked == transaction => What::Answer,
                Some(_) | None => What::Late,
            };
            if what == What::Answer {
                self.asked = None;
            }
            self.give(unit, what, frame);
        }
    }

    fn ended(&mut self) {
        self.ended = true;
        if let Some((_, unit)) = self.asked.take() {
            self.give(unit, What::Lost, Vec::new());
        }
    }
}

impl<S> Drop for TcpTap<S> {
    /// A connection that is given up with a request outstanding had its time-out.
    fn drop(&mut self) {
        if let Some((_, unit)) = self.asked.take() {
            self.give(unit, What::Timeout, Vec::new());
        }
    }
}

/// Takes the next whole frame with its transaction and unit; what is no Modbus ends the stream.
fn next_frame(decoder: &mut mbap::Decoder, bytes: &mut &[u8]) -> Option<(u16, u8, Vec<u8>)> {
    let frame = decoder.push(bytes).ok()??;
    let mut whole = [0; mbap::MAX_FRAME];
    let len = mbap::encode(frame, &mut whole).ok()?;
    Some((frame.transaction, frame.unit, whole.get(..len)?.to_vec()))
}

impl<S: AsyncRead + Unpin> AsyncRead for TcpTap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        match buffer.filled().get(before..) {
            Some(bytes @ [_, ..]) if read.is_ok() => self.heard(bytes),
            Some(_) | None => self.ended(),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TcpTap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        if let Ok(n) = written {
            self.sent(bytes.get(..n).unwrap_or_default());
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
