//! A session, its clock and what it heard.

use modbus::pdu;
use modbus::rtu;
use modbus::session::{Echo, Event, Outcome, Outputs, Session, View, Wire};
use units::Micros;

pub(crate) const WIRE: Wire = Wire {
    baud: 115_200,
    bits_per_char: 11,
    turnaround_max: Micros(20_000),
    broadcast_wait: Micros(50_000),
    echo: Echo::Absent,
};
/// The counters of a line that does not echo, before anything happened.
pub(crate) const VIEW: View = View {
    sent: 0,
    answers: 0,
    exceptions: 0,
    timeouts: 0,
    blocked: 0,
    crc: 0,
    foreign: 0,
    late: 0,
    duplicates: 0,
    mismatch: 0,
    echo: 0,
    echo_garbled: 0,
    echo_suspected: 0,
    echoes: Some(false),
};
pub(crate) const TIMEOUT: Micros = Micros(8_000);
pub(crate) const UNIT: u8 = 5;

pub(crate) fn sealed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = [0; rtu::MAX_FRAME];
    let len = rtu::encode(unit, pdu, &mut out).unwrap();
    out[..len].to_vec()
}

pub(crate) fn read(address: u16) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = pdu::read_holding(address, 2, &mut out).unwrap();
    out[..len].to_vec()
}

/// The answer to [`read`]: its words hold the address, so that a stale one shows.
pub(crate) fn answer(address: u16) -> Vec<u8> {
    let [high, low] = address.to_be_bytes();
    sealed(UNIT, &[3, 4, high, low, high, low])
}

pub(crate) fn address_of(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[2], frame[3]])
}

/// A session, its clock, and what it did last.
pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Micros,
    pub(crate) out: Outputs,
}

impl Bench {
    /// An open port, its first quarantine over.
    pub(crate) fn new(wire: Wire) -> Self {
        let mut bench =
            Self { session: Session::new(wire), now: Micros(1_000), out: Outputs::default() };
        assert!(bench.event(Event::Opened).drain);
        bench.now = Micros(1_000_000);
        bench
    }

    pub(crate) fn event(&mut self, event: Event<'_>) -> &Outputs {
        self.session.handle(self.now, event, &mut self.out);
        &self.out
    }

    pub(crate) fn submit(&mut self, unit: u8, pdu: &[u8]) -> Outputs {
        self.event(Event::Submit { unit, pdu, timeout: TIMEOUT }).clone()
    }

    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Option<Outcome> {
        self.event(Event::Received(bytes)).done.clone()
    }

    /// Lets time pass to the next deadline.
    pub(crate) fn wait(&mut self) -> Outputs {
        self.now = self.now.max(self.session.next_deadline().expect("something is due"));
        self.event(Event::Timer).clone()
    }

    /// Submits a read and hears `bytes` in one piece a millisecond after its end.
    pub(crate) fn exchange(&mut self, bytes: &[u8]) -> Option<Outcome> {
        assert!(self.submit(UNIT, &read(7)).send.is_some());
        self.now = self.now.plus(Micros(3_000));
        self.hear(bytes)
    }

    pub(crate) fn view(&self) -> View {
        self.session.view()
    }
}

pub(crate) fn answered(frame: &[u8]) -> Option<Outcome> {
    let (unit, pdu) = rtu::check(frame).unwrap();
    Some(Outcome::Answer { unit, pdu: pdu::Pdu::copy_of(pdu).unwrap() })
}
