//! The loop that owns the world and keeps it with the wall clock.

use super::clock::Clock;
use super::ledger::Ledger;
use super::tcp::Client;
use super::{Request, ServeError, pty};
use line_sim::{ForHost, PortChange, World};
use modbus::rtu::Timing;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use units::Micros;

/// The world runs at least this often, so that catching up stays short.
const BEAT: Micros = Micros::from_millis(20);
/// Farther behind than this, the world loses time instead of catching up.
const BEHIND_MAX: Micros = Micros::from_secs(1);
/// Clients that wait for an answer; the oldest are forgotten, as nothing answers them any more.
const CLIENTS_MAX: usize = 1_024;

/// What still has to happen at an instant, in order.
type Agenda<T> = BTreeMap<(Micros, u64), T>;

/// The world, and what is on its way to it and from it.
#[derive(Debug)]
pub(super) struct Pacer {
    world: World,
    clock: Clock,
    ledger: Ledger,
    /// Wires of the serial buses.
    wires: Vec<Option<Timing>>,
    /// Senders of the serial buses' answers.
    outlets: Vec<Option<mpsc::Sender<pty::Outbound>>>,
    requests: Agenda<(usize, Vec<u8>)>,
    answers: Agenda<(usize, Vec<u8>)>,
    /// Clients by the transaction number under which the world knows their request.
    clients: BTreeMap<u16, Client>,
    transaction: u16,
    order: u64,
    /// Streams may be cut anywhere: a bus's bytes go to the client that asked last, as they are.
    faulty: bool,
    /// That client, by bus.
    last: BTreeMap<usize, Client>,
}

impl Pacer {
    /// Starts the clock.
    pub(super) fn new(
        world: World,
        ledger: Ledger,
        outlets: Vec<Option<mpsc::Sender<pty::Outbound>>>,
        faulty: bool,
    ) -> Self {
        let wires = world.buses().map(|bus| bus.serial).collect();
        Self {
            world,
            clock: Clock::start(),
            ledger,
            wires,
            outlets,
            requests: BTreeMap::new(),
            answers: BTreeMap::new(),
            clients: BTreeMap::new(),
            transaction: 0,
            order: 0,
            faulty,
            last: BTreeMap::new(),
        }
    }

    /// Runs until a file fails.
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Request>,
    ) -> Result<(), ServeError> {
        loop {
            let now = self.catch_up();
            self.ledger.write(self.world.truth())?;
            let due = [self.requests.keys().next(), self.answers.keys().next()];
            let next = due.into_iter().flatten().map(|(at, _)| *at).min();
            let next = next.unwrap_or(Micros::MAX).min(now.plus(BEAT));
            let pause = Duration::from_micros(next.since(self.clock.now()).0);
            tokio::select! {
                biased;
                Some(request) = inbox.recv() => self.take(request),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings the world up to the present and sends what is due.
    fn catch_up(&mut self) -> Micros {
        let behind = self.clock.now().since(self.world.now());
        if behind > BEHIND_MAX {
            let lost = behind.minus(BEAT);
            self.clock.skip(lost);
            eprintln!("sortline-sim: the line stood still for {} ms: too slow", lost.millis());
        }
        let now = self.clock.now().max(self.world.now());
        while let Some(entry) = self.requests.first_entry()
            && entry.key().0 <= now
        {
            let at = entry.key().0.max(self.world.now());
            let (bus, frame) = entry.remove();
            self.world.advance(at);
            self.world.send(bus, &frame);
        }
        self.world.advance(now);
        for answer in self.world.take_answers() {
            self.order += 1;
            self.answers.insert((answer.at, self.order), (answer.bus, answer.frame));
        }
        while let Some(entry) = self.answers.first_entry()
            && entry.key().0 <= now
        {
            let (bus, frame) = entry.remove();
            self.answer(bus, frame);
        }
        for change in self.world.take_port_changes() {
            self.port(change);
        }
        for ForHost { event, .. } in self.world.take_for_host() {
            eprintln!("sortline-sim: the scenario asks of the controller's side: {event:?}");
        }
        now
    }

    /// Takes a request from outside: a serial one reaches the nodes after its time on the wire.
    fn take(&mut self, request: Request) {
        let Request { bus, client, mut frame } = request;
        let mut at = self.clock.now();
        if let Some(timing) = self.wires[bus] {
            at = at.plus(timing.wire_time(frame.len()));
        }
        if let (Some(client), true) = (&client, self.faulty) {
            self.last.insert(bus, client.clone());
        } else if let Some(client) = client {
            self.transaction = self.transaction.wrapping_add(1);
            if let Some(number) = frame.first_chunk_mut() {
                *number = self.transaction.to_be_bytes();
            }
            self.clients.insert(self.transaction, client);
            if self.clients.len() > CLIENTS_MAX {
                // Numbers go round: the one after the newest is the oldest.
                let oldest = self.clients.range(self.transaction.wrapping_add(1)..).next();
                let oldest = oldest.or_else(|| self.clients.first_key_value());
                if let Some(number) = oldest.map(|(number, _)| *number) {
                    drop(self.clients.remove(&number));
                }
            }
        }
        self.order += 1;
        self.requests.insert((at, self.order), (bus, frame));
    }

    fn answer(&mut self, bus: usize, frame: Vec<u8>) {
        if let Some(outlet) = &self.outlets[bus] {
            if outlet.try_send(pty::Outbound::Bytes(frame)).is_err() {
                eprintln!("sortline-sim: bus {bus}: an answer is lost: the host does not read");
            }
        } else if self.faulty {
            if let Some(client) = self.last.get(&bus) {
                client.stream(frame);
            }
        } else if let Some(number) = frame.first_chunk() {
            let client = self.clients.remove(&u16::from_be_bytes(*number));
            if let Some(client) = client {
                client.answer(&frame);
            }
        }
    }

    /// A port or connection is gone or back.
    fn port(&mut self, change: PortChange) {
        match (&self.outlets[change.bus], change.usable) {
            (Some(outlet), usable) => {
                let what = if usable { pty::Outbound::Plug } else { pty::Outbound::Unplug };
                if outlet.try_send(what).is_err() {
                    eprintln!("sortline-sim: bus {}: the port cannot be changed", change.bus);
                }
            }
            (None, false) => {
                if let Some(client) = self.last.remove(&change.bus) {
                    client.reset();
                }
            }
            (None, true) => {}
        }
    }
}
