//! A serial bus: its own thread moves bytes between the port and the sans-io session.
//!
//! The thread is its own because opening and draining a port may block. A port that is missing or
//! was lost is opened again by its path, with growing pauses.

use std::io;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use line_file::Rs485;
use modbus::session::{self, Outcome, Outputs, Session, Wire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_serial::{ClearBuffer, Parity, SerialPort as _, SerialStream, StopBits};
use units::Micros;

use super::port::{self, Latency};
use super::tap::{SerialTap, Tap};
use super::{Desk, Event, Heard, Leaving, Request};
use crate::clock::Clock;

/// A port that takes no bytes for this long is lost.
const WRITE_MAX: Duration = Duration::from_secs(1);
/// Bytes taken from the port at once: two of the longest frames.
const READ_BYTES: usize = 512;

/// One serial bus.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Index of the bus in the line file.
    pub bus: u8,
    /// Its name, for logs and the thread.
    pub name: String,
    /// Path of the port; best one that is stable across replugging.
    pub path: PathBuf,
    /// Times of the line.
    pub wire: Wire,
    /// Parity of a character.
    pub parity: Parity,
    /// Stop bits of a character.
    pub stop_bits: StopBits,
    /// Where its frames are shown.
    pub tap: Tap,
}

/// Starts the bus on its own thread; it ends when the sender of `requests` is gone.
///
/// # Errors
/// When the operating system gives no thread or no event queue.
pub fn spawn(
    setup: Setup,
    requests: mpsc::Receiver<Request>,
    heard: mpsc::Sender<Heard>,
) -> io::Result<JoinHandle<()>> {
    spawn_rs485(setup, Rs485::Auto, requests, heard)
}

/// As [`spawn`], on a port whose RS-485 direction is switched as `rs485` says.
///
/// # Errors
/// When the operating system gives no thread or no event queue.
pub fn spawn_rs485(
    setup: Setup,
    rs485: Rs485,
    requests: mpsc::Receiver<Request>,
    heard: mpsc::Sender<Heard>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let desk = Desk::new(setup.bus, setup.name.clone(), requests, heard);
    std::thread::Builder::new().name(format!("bus-{}", setup.name)).spawn(move || {
        let Leaving = runtime.block_on(keep(&setup, rs485, desk));
        tracing::debug!(bus = setup.name, "bus closed");
    })
}

/// Keeps the port open until the daemon leaves.
async fn keep(setup: &Setup, rs485: Rs485, mut desk: Desk) -> Leaving {
    let mut latency = Latency::default();
    loop {
        let round = async {
            let why = match port::open(setup, rs485) {
                Ok(port) => {
                    latency.check(&setup.name, &setup.path);
                    desk.up().await?;
                    Port::new(setup, port).serve(&mut desk).await?
                }
                Err(why) => why,
            };
            desk.down(why).await?;
            desk.pause().await
        };
        if let Err(leaving) = round.await {
            return leaving;
        }
    }
}

/// An open port with its session.
struct Port<'a> {
    path: &'a PathBuf,
    port: SerialStream,
    session: Session,
    clock: Clock,
    out: Outputs,
    tap: SerialTap,
}

impl<'a> Port<'a> {
    fn new(setup: &'a Setup, port: SerialStream) -> Self {
        let session = Session::new(setup.wire);
        let clock = Clock::starting_at(Micros::ZERO);
        let tap = SerialTap::new(setup.tap.clone(), setup.bus);
        Self { path: &setup.path, port, session, clock, out: Outputs::default(), tap }
    }

    /// Serves requests until the port is lost; returns why.
    async fn serve(mut self, desk: &mut Desk) -> Result<String, Leaving> {
        let why = self.exchange(desk).await?;
        if self.step(desk, session::Event::Closed).await? {
            tracing::debug!(bus = desk.name, "the outstanding request is lost");
        }
        Ok(why)
    }

    async fn exchange(&mut self, desk: &mut Desk) -> Result<String, Leaving> {
        let mut outstanding = false;
        let mut bytes = [0; READ_BYTES];
        if let Err(why) = self.act(desk, session::Event::Opened).await? {
            return Ok(why);
        }
        loop {
            let deadline = self.session.next_deadline();
            let acted = tokio::select! {
                request = desk.requests.recv(), if !outstanding => {
                    let Some(Request { unit, pdu, timeout }) = request else { return Err(Leaving) };
                    outstanding = true;
                    self.act(desk, session::Event::Submit { unit, pdu: &pdu, timeout }).await?
                }
                read = self.port.read(&mut bytes) => match read {
                    Ok(0) => Err(format!("read {}: the other end hung up", self.path.display())),
                    Ok(n) => {
                        let heard = bytes.get(..n).unwrap_or_default();
                        self.act(desk, session::Event::Received(heard)).await?
                    }
                    Err(error) => Err(format!("read {}: {error}", self.path.display())),
                },
                () = self.clock.sleep_until(deadline) => {
                    self.act(desk, session::Event::Timer).await?
                }
            };
            match acted {
                Ok(done) => outstanding &= !done,
                Err(why) => return Ok(why),
            }
        }
    }

    /// Lets the session take one event and does what it asks; true when the request is done.
    async fn act(
        &mut self,
        desk: &mut Desk,
        event: session::Event<'_>,
    ) -> Result<Result<bool, String>, Leaving> {
        let done = self.step(desk, event).await?;
        if self.out.drain
            && let Err(error) = self.port.clear(ClearBuffer::Input)
        {
            return Ok(Err(format!("drain {}: {error}", self.path.display())));
        }
        if let Some(frame) = self.out.send.take() {
            self.tap.sent(frame.as_bytes());
            let write = self.port.write_all(frame.as_bytes());
            match tokio::time::timeout(WRITE_MAX, write).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    return Ok(Err(format!("write {}: {error}", self.path.display())));
                }
                Err(_) => return Ok(Err(format!("write {}: takes no bytes", self.path.display()))),
            }
        }
        Ok(Ok(done))
    }

    async fn step(&mut self, desk: &mut Desk, event: session::Event<'_>) -> Result<bool, Leaving> {
        if let session::Event::Received(bytes) = event {
            self.tap.received(bytes);
        }
        self.session.handle(self.clock.now(), event, &mut self.out);
        self.tap.handled(self.session.view(), self.out.done.as_ref());
        let Some(outcome) = self.out.done.take() else { return Ok(false) };
        let event = match outcome {
            Outcome::Answer { unit, pdu } => {
                desk.proven();
                Event::Answer { unit, pdu: pdu.as_bytes().to_vec() }
            }
            Outcome::Timeout => Event::Timeout,
            Outcome::BroadcastDone => Event::BroadcastDone,
            Outcome::PortLost => Event::Lost,
            Outcome::Busy | Outcome::Unfit { .. } => {
                tracing::error!(bus = desk.name, ?outcome, "the session refused a request");
                Event::Lost
            }
        };
        desk.tell(event).await?;
        Ok(true)
    }
}
