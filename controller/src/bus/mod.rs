//! Buses: bytes between the engine's exchanges and the wires.
//!
//! Each bus is a task that takes one [`Request`] at a time and answers each with exactly one of the
//! outcomes of [`Event`]; [`Event::Up`] and [`Event::Down`] tell whether there is a wire at all.
//! [`serial`] gives every port its own thread and moves bytes for the sans-io session; [`tcp`] keeps
//! one connection and replaces it after any doubt.
//! Whatever passes is shown to the [`tap`]; [`pcap`] and [`feed`] carry it out of the house.

mod call;
pub mod feed;
pub mod pcap;
mod port;
pub mod serial;
pub mod tap;
pub mod tcp;

use std::time::Duration;

use tokio::sync::mpsc;
use units::Micros;

/// Requests that may wait for one bus; the engine has one outstanding.
pub const REQUESTS_MAX: usize = 2;
/// Events of all buses that may wait for the loop; a bus waits when the loop lags.
pub const HEARD_MAX: usize = 64;
/// First pause before a port or connection is tried again.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a port or connection is tried again.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// One request for a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whom to ask; 0 = broadcast (serial only).
    pub unit: u8,
    /// The request PDU.
    pub pdu: Vec<u8>,
    /// How long the answer may take to begin.
    pub timeout: Micros,
}

/// What a bus says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The port is open, or the connection stands.
    Up,
    /// There is no port or connection; sent once for each new reason.
    Down {
        /// Why, for people.
        why: String,
    },
    /// The unit answered, perhaps with an exception.
    Answer {
        /// Who answered.
        unit: u8,
        /// The answer PDU; it fits its request.
        pdu: Vec<u8>,
    },
    /// No fitting answer came in time.
    Timeout,
    /// The broadcast was sent and its waiting time is over.
    BroadcastDone,
    /// The port or connection went away; whether the request was executed is unknown.
    Lost,
}

/// An event with the bus it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Index of the bus in the line file.
    pub bus: u8,
    /// What it says.
    pub event: Event,
}

/// The shell's end of one bus task.
#[derive(Debug)]
struct Desk {
    bus: u8,
    name: String,
    requests: mpsc::Receiver<Request>,
    heard: mpsc::Sender<Heard>,
    told: Told,
    pause: Duration,
}

/// What the engine was last told of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing yet.
    Nothing,
    /// It is up.
    Up,
    /// It is down, for this reason.
    Down(String),
}

/// The daemon is leaving: nobody submits or listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaving;

impl Desk {
    fn new(
        bus: u8,
        name: String,
        requests: mpsc::Receiver<Request>,
        heard: mpsc::Sender<Heard>,
    ) -> Self {
        Self { bus, name, requests, heard, told: Told::Nothing, pause: RETRY_MIN }
    }

    async fn tell(&self, event: Event) -> Result<(), Leaving> {
        self.heard.send(Heard { bus: self.bus, event }).await.map_err(|_| Leaving)
    }

    /// Tells that the wire is up, unless that is known.
    async fn up(&mut self) -> Result<(), Leaving> {
        if self.told == Told::Up {
            return Ok(());
        }
        tracing::info!(bus = self.name, "bus up");
        self.told = Told::Up;
        self.tell(Event::Up).await
    }

    /// Tells a new reason once, in log and engine.
    async fn down(&mut self, why: String) -> Result<(), Leaving> {
        let told = Told::Down(why.clone());
        if self.told == told {
            return Ok(());
        }
        tracing::warn!(bus = self.name, "bus down: failed to {why}");
        self.told = told;
        self.tell(Event::Down { why }).await
    }

    /// The wire was good for at least one answer.
    fn proven(&mut self) {
        self.pause = RETRY_MIN;
    }

    /// Waits until the next attempt; requests that come meanwhile are lost.
    async fn pause(&mut self) -> Result<(), Leaving> {
        let pause = tokio::time::sleep(self.pause);
        self.pause = RETRY_MAX.min(self.pause.saturating_mul(2));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return Ok(()),
                request = self.requests.recv() => match request {
                    Some(_) => self.tell(Event::Lost).await?,
                    None => return Err(Leaving),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
