//! Our master: the daemon's own buses, asked by a test.

use modbus::session::{Echo, Wire};
use sortline::bus::tap::{Listener, Tap};
use sortline::bus::{Event, HEARD_MAX, Heard, REQUESTS_MAX, Request, serial, tcp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use units::Micros;

/// Far longer than anything takes; only a fault reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One bus of ours.
pub(crate) struct Master {
    runtime: Runtime,
    requests: mpsc::Sender<Request>,
    heard: mpsc::Receiver<Heard>,
    frames: Listener,
    /// Whether the wire is up, as the bus last said.
    up: bool,
}

impl Master {
    /// Opens a serial port, 8E1 at 115200; peers may be half a second late.
    pub(crate) fn serial(path: &Path) -> Self {
        let tap = Tap::default();
        let wire = Wire {
            baud: 115_200,
            bits_per_char: 11,
            turnaround_max: Micros::from_millis(600),
            broadcast_wait: Micros::from_millis(100),
            echo: Echo::Absent,
        };
        let setup = serial::Setup {
            bus: 0,
            name: "peer".to_owned(),
            path: path.to_owned(),
            wire,
            parity: tokio_serial::Parity::Even,
            stop_bits: tokio_serial::StopBits::One,
            tap: tap.clone(),
        };
        Self::with(&tap, |_, requests, heard| {
            drop(serial::spawn(setup, requests, heard).expect("a thread"));
        })
    }

    /// Connects to a server.
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        let (name, tap) = ("peer".to_owned(), Tap::default());
        let setup = tcp::Setup { bus: 0, name, address: address.to_string(), tap: tap.clone() };
        Self::with(&tap, |runtime, requests, heard| {
            drop(runtime.spawn(tcp::serve(setup, requests, heard)));
        })
    }

    fn with(
        tap: &Tap,
        start: impl FnOnce(&Runtime, mpsc::Receiver<Request>, mpsc::Sender<Heard>),
    ) -> Self {
        let frames = tap.listen();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let (outbox, heard) = mpsc::channel(HEARD_MAX);
        start(&runtime, inbox, outbox);
        let mut master = Self { runtime, requests, heard, frames, up: false };
        master.wait_up(|| ());
        master
    }

    /// Waits until the wire is up; `meanwhile` is done every now and then.
    pub(crate) fn wait_up(&mut self, mut meanwhile: impl FnMut()) {
        for _ in 0..200 {
            while let Ok(Heard { event, .. }) = self.heard.try_recv() {
                self.note(&event);
            }
            if self.up {
                return;
            }
            meanwhile();
            let event = self.runtime.block_on(async {
                tokio::time::timeout(Duration::from_millis(100), self.heard.recv()).await
            });
            if let Ok(Some(Heard { event, .. })) = event {
                self.note(&event);
            }
        }
        panic!("the bus did not come up");
    }

    /// Sends one request and returns what came of it.
    pub(crate) fn ask(&mut self, unit: u8, pdu: &[u8], timeout_ms: u64) -> Event {
        let timeout = Micros::from_millis(timeout_ms);
        let request = Request { unit, pdu: pdu.to_vec(), timeout };
        self.runtime.block_on(self.requests.send(request)).expect("the bus lives");
        loop {
            let heard = async { tokio::time::timeout(PATIENCE, self.heard.recv()).await };
            let heard = self.runtime.block_on(heard).expect("an end of the request");
            let event = heard.expect("the bus lives").event;
            self.note(&event);
            match event {
                Event::Up | Event::Down { .. } => {}
                end => return end,
            }
        }
    }

    /// How many frames of each kind passed since the last call.
    pub(crate) fn seen(&mut self) -> BTreeMap<&'static str, u16> {
        let mut seen = BTreeMap::new();
        while let Ok(Some(frame)) = self
            .runtime
            .block_on(async { tokio::time::timeout(Duration::ZERO, self.frames.next()).await })
        {
            *seen.entry(frame.what.name()).or_default() += 1;
        }
        seen
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Up => self.up = true,
            Event::Down { .. } => self.up = false,
            Event::Answer { .. } | Event::Timeout | Event::BroadcastDone | Event::Lost => {}
        }
    }
}
