//! The host's ends of the virtual buses: our RTU session, or MBAP over one connection.

use line_sim::bridge::Bridge;
use line_sim::world::World;
use modbus::mbap;
use modbus::rtu::Timing;
use modbus::session::{Event, Outcome, Outputs, Session, Wire as Line};
use node_link::Transmit;
use units::Micros;

/// What came of an exchange on a bus.
#[derive(Clone, Debug)]
pub enum Done {
    /// An answer PDU.
    Answer {
        /// Who answered.
        unit: u8,
        /// The PDU.
        pdu: Vec<u8>,
    },
    /// No fitting answer in time.
    Timeout,
    /// A broadcast was sent and waited for.
    BroadcastDone,
    /// The port or the connection is gone.
    Lost,
}

/// Where requests go.
pub trait Buses {
    /// Takes a request whose last byte leaves now.
    fn send(&mut self, bus: usize, now: Micros, frame: &[u8]);
}

impl Buses for World {
    fn send(&mut self, bus: usize, _now: Micros, frame: &[u8]) {
        Self::send(self, bus, frame);
    }
}

impl Buses for Vec<Bridge> {
    fn send(&mut self, bus: usize, now: Micros, frame: &[u8]) {
        self[bus].send(now, frame);
    }
}

/// One bus as the host holds it.
#[derive(Clone)]
pub struct Wire {
    index: usize,
    kind: Kind,
    record: Option<Vec<Passed>>,
}

/// A frame that passed on a bus, CRC or MBAP header included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// When its last byte had passed.
    pub at: Micros,
    /// Whether the host sent it.
    pub from_host: bool,
    /// All its bytes.
    pub bytes: Vec<u8>,
}

#[derive(Clone)]
enum Kind {
    Serial { session: Box<Session>, timing: Timing, sending: Option<(Micros, Vec<u8>)> },
    Tcp { transaction: u16, open: Option<Open>, stream: Box<mbap::Decoder>, connected: bool },
}

#[derive(Clone)]
struct Open {
    transaction: u16,
    unit: u8,
    deadline: Micros,
}

impl Wire {
    /// A serial bus, the `index`-th of the line file, whose port is opened now.
    pub fn serial(index: usize, line: Line, now: Micros) -> Self {
        let mut session = Session::new(line);
        session.handle(now, Event::Opened, &mut Outputs::default());
        let timing = line.timing();
        let kind = Kind::Serial { session: Box::new(session), timing, sending: None };
        Self { index, kind, record: None }
    }

    /// A TCP connection, the `index`-th bus of the line file.
    pub fn tcp(index: usize) -> Self {
        let stream = Box::new(mbap::Decoder::new());
        let kind = Kind::Tcp { transaction: 0, open: None, stream, connected: true };
        Self { index, kind, record: None }
    }

    /// Keeps every frame that passes from now on.
    pub fn record(&mut self) {
        self.record.get_or_insert_default();
    }

    /// The frames kept, in order.
    pub fn recorded(&self) -> &[Passed] {
        self.record.as_deref().unwrap_or_default()
    }

    /// Sends a request; its end comes from [`Wire::timer`] or [`Wire::received`].
    pub fn submit(
        &mut self,
        now: Micros,
        request: &Transmit,
        buses: &mut impl Buses,
    ) -> Option<Done> {
        match &mut self.kind {
            Kind::Serial { session, timing, sending } => {
                let (unit, pdu, timeout) = (request.unit, request.pdu.as_slice(), request.timeout);
                let mut out = Outputs::default();
                session.handle(now, Event::Submit { unit, pdu, timeout }, &mut out);
                apply(out, now, *timing, sending)
            }
            Kind::Tcp { connected: false, .. } => Some(Done::Lost),
            Kind::Tcp { transaction, open, .. } => {
                *transaction = transaction.wrapping_add(1);
                let frame = mbap::Frame {
                    transaction: *transaction,
                    unit: request.unit,
                    pdu: &request.pdu,
                };
                let mut bytes = [0; mbap::MAX_FRAME];
                let used = mbap::encode(frame, &mut bytes).expect("a PDU fits its frame");
                buses.send(self.index, now, &bytes[..used]);
                keep(&mut self.record, now, true, &bytes[..used]);
                let deadline = now.plus(request.timeout);
                *open = Some(Open { transaction: *transaction, unit: request.unit, deadline });
                None
            }
        }
    }

    /// When [`Wire::timer`] must be called.
    pub fn next_deadline(&self) -> Option<Micros> {
        match &self.kind {
            Kind::Serial { session, sending, .. } => {
                let sent = sending.as_ref().map(|(at, _)| *at);
                sent.into_iter().chain(session.next_deadline()).min()
            }
            Kind::Tcp { open, .. } => open.as_ref().map(|open| open.deadline),
        }
    }

    /// Whether an answer is on its way through a network.
    pub const fn waits_for_network(&self) -> bool {
        matches!(&self.kind, Kind::Tcp { open: Some(_), .. })
    }

    /// Lets due frames arrive and due waits end.
    pub fn timer(&mut self, now: Micros, buses: &mut impl Buses) -> Option<Done> {
        match &mut self.kind {
            Kind::Serial { session, timing, sending } => {
                if let Some((_, frame)) = sending.take_if(|(at, _)| *at <= now) {
                    buses.send(self.index, now, &frame);
                    keep(&mut self.record, now, true, &frame);
                }
                if session.next_deadline().is_none_or(|at| at > now) {
                    return None;
                }
                let mut out = Outputs::default();
                session.handle(now, Event::Timer, &mut out);
                apply(out, now, *timing, sending)
            }
            Kind::Tcp { open, .. } => {
                open.take_if(|open| open.deadline <= now).map(|_| Done::Timeout)
            }
        }
    }

    /// Bytes came from the bus.
    pub fn received(&mut self, now: Micros, frame: &[u8]) -> Option<Done> {
        keep(&mut self.record, now, false, frame);
        match &mut self.kind {
            Kind::Serial { session, timing, sending } => {
                let mut out = Outputs::default();
                session.handle(now, Event::Received(frame), &mut out);
                apply(out, now, *timing, sending)
            }
            Kind::Tcp { open, stream, .. } => answered(open, stream, frame),
        }
    }

    /// The port or the connection is gone.
    pub fn lost(&mut self, now: Micros) -> Option<Done> {
        match &mut self.kind {
            Kind::Serial { session, timing, sending } => {
                *sending = None;
                let mut out = Outputs::default();
                session.handle(now, Event::Closed, &mut out);
                apply(out, now, *timing, sending)
            }
            Kind::Tcp { open, stream, connected, .. } => {
                *connected = false;
                **stream = mbap::Decoder::new();
                open.take().map(|_| Done::Lost)
            }
        }
    }

    /// The port is opened again, or another connection stands.
    pub fn back(&mut self, now: Micros) {
        match &mut self.kind {
            Kind::Serial { session, .. } => {
                session.handle(now, Event::Opened, &mut Outputs::default());
            }
            Kind::Tcp { connected, .. } => *connected = true,
        }
    }
}

/// The answer that is waited for, if it is in these bytes of the stream.
fn answered(open: &mut Option<Open>, stream: &mut mbap::Decoder, bytes: &[u8]) -> Option<Done> {
    let (mut bytes, mut done) = (bytes, None);
    loop {
        match stream.push(&mut bytes) {
            Ok(None) => return done,
            Ok(Some(frame)) => {
                let fits = |open: &mut Open| {
                    open.transaction == frame.transaction && open.unit == frame.unit
                };
                if open.take_if(fits).is_some() {
                    done = Some(Done::Answer { unit: frame.unit, pdu: frame.pdu.to_vec() });
                }
            }
            Err(_broken) => {
                // Such a connection is replaced at once; what was asked over it stays unanswered.
                *stream = mbap::Decoder::new();
                return done.or_else(|| open.take().map(|_| Done::Timeout));
            }
        }
    }
}

fn keep(record: &mut Option<Vec<Passed>>, at: Micros, from_host: bool, bytes: &[u8]) {
    if let Some(record) = record {
        record.push(Passed { at, from_host, bytes: bytes.to_vec() });
    }
}

fn apply(
    out: Outputs,
    now: Micros,
    timing: Timing,
    sending: &mut Option<(Micros, Vec<u8>)>,
) -> Option<Done> {
    if let Some(frame) = out.send {
        let bytes = frame.as_bytes().to_vec();
        *sending = Some((now.plus(timing.wire_time(bytes.len())), bytes));
    }
    match out.done? {
        Outcome::Answer { unit, pdu } => Some(Done::Answer { unit, pdu: pdu.as_bytes().to_vec() }),
        Outcome::Timeout => Some(Done::Timeout),
        Outcome::BroadcastDone => Some(Done::BroadcastDone),
        Outcome::PortLost => Some(Done::Lost),
        Outcome::Busy => panic!("the engine keeps one request outstanding per bus"),
        Outcome::Unfit { len } => panic!("the engine sent a PDU of {len} bytes"),
    }
}
