//! Our master against libmodbus' unit-test server and the faults that its registers cause.

use crate::cable::Cable;
use crate::libmodbus::{self, Link, Server};
use crate::master::Master;
use modbus::pdu::{self, Exception, Response};
use sortline::bus::Event;
use system_tests::process::{self, Scratch};

/// The unit of libmodbus' unit-test server on a serial line.
const UNIT: u8 = 17;
/// The unit that its answers over TCP carry, byte by byte ones included.
const TCP_UNIT: u8 = 255;
/// First of 32 registers; they can be written.
const REGISTERS: u16 = 0x160;
/// Answered by exception 06.
const BUSY: u16 = 0x170;
/// Answered under a wrong transaction, or as another unit.
const FOREIGN: u16 = 0x171;
/// Answered half a second late.
const LATE: u16 = 0x172;
/// Answered byte by byte, 5 ms apart; over TCP only.
const SLOW: u16 = 0x173;
/// A read of this many registers is answered with one less.
const SHORT: u16 = 2;

/// What the register of late answers holds; no other one holds it.
const STALE: u16 = 0x7777;
/// How often each fault is met.
const ROUNDS: u16 = 3;

fn read(address: u16, quantity: u16) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = pdu::read_holding(address, quantity, &mut out).expect("fits");
    out[..len].to_vec()
}

fn write(address: u16, words: &[u16]) -> Vec<u8> {
    let mut out = [0; pdu::MAX_PDU];
    let len = pdu::write_multiple(address, words, &mut out).expect("fits");
    out[..len].to_vec()
}

/// The words of an answer; everything else is a fault of the test.
fn words(request: &[u8], event: &Event) -> Vec<u16> {
    let Event::Answer { pdu, .. } = event else { panic!("{event:?}") };
    match Response::parse(request, pdu) {
        Ok(Response::Words(words)) => words.iter().collect(),
        other => panic!("{other:?}"),
    }
}

/// One wire to the server: how the master asks, and what keeps the server there.
struct Rig {
    master: Master,
    server: Server,
    unit: u8,
    asked: usize,
    lost: usize,
}

impl Rig {
    fn ask(&mut self, request: &[u8], timeout_ms: u64) -> Event {
        self.asked += 1;
        self.master.ask(self.unit, request, timeout_ms)
    }

    /// Asks until the wire carries the request: over TCP a server that ended with its connection is
    /// gone for a moment, and until then every request is lost and said to be.
    fn reach(&mut self, request: &[u8]) -> Event {
        for _ in 0..50 {
            let server = &mut self.server;
            server.keep();
            self.master.wait_up(|| server.keep());
            match self.ask(request, 1_000) {
                Event::Lost => self.lost += 1,
                end => return end,
            }
        }
        panic!("the server never came back");
    }

    /// Writes three values of this round and reads them back in two ways: the state is right again.
    fn right_again(&mut self, round: u16) {
        let values = [0x1000 + round, 0x2000 + round, 0x3000 + round];
        let wrote = self.reach(&write(REGISTERS, &values));
        assert!(matches!(wrote, Event::Answer { .. }), "{wrote:?}");
        let all = read(REGISTERS, 3);
        let answer = self.ask(&all, 1_000);
        assert_eq!(words(&all, &answer), values, "round {round}");
        let one = read(REGISTERS + 2, 1);
        let answer = self.ask(&one, 1_000);
        assert_eq!(words(&one, &answer), [values[2]], "round {round}");
    }
}

/// What a fault may end in: never in data.
fn no_data(event: &Event) -> bool {
    matches!(event, Event::Timeout | Event::Lost)
}

fn faults(rig: &mut Rig, slow: bool) {
    rig.right_again(0);
    for round in 0..ROUNDS {
        let request = read(BUSY, 3);
        let answer = rig.ask(&request, 1_000);
        let Event::Answer { pdu, .. } = &answer else { panic!("{answer:?}") };
        assert_eq!(
            Response::parse(&request, pdu),
            Ok(Response::Exception(Exception::Busy)),
            "exception 06 is an answer"
        );
        rig.right_again(10 * round + 1);

        let answer = rig.ask(&read(FOREIGN, 1), 300);
        assert!(no_data(&answer), "an answer of another: {answer:?}");
        rig.right_again(10 * round + 2);

        // The answer that comes late has exactly the shape of the one asked for next. A server that
        // was started again holds zeros.
        let before = rig.server.starts;
        let wrote = rig.ask(&write(LATE, &[STALE]), 1_000);
        assert!(matches!(wrote, Event::Answer { .. }), "{wrote:?}");
        let late = rig.ask(&read(LATE, 1), 200);
        assert_eq!(late, Event::Timeout);
        let request = read(REGISTERS + 2, 1);
        let answer = rig.reach(&request);
        let kept = if rig.server.starts == before { 0x3000 + 10 * round + 2 } else { 0 };
        assert_eq!(words(&request, &answer), [kept], "not the late one");
        rig.right_again(10 * round + 3);
        let request = read(LATE, 1);
        let answer = rig.ask(&request, 2_000);
        let held = if rig.server.starts == before { STALE } else { 0 };
        assert_eq!(words(&request, &answer), [held], "in time when one waits");

        let answer = rig.ask(&read(REGISTERS, SHORT), 300);
        assert!(no_data(&answer), "one register instead of two: {answer:?}");
        rig.right_again(10 * round + 4);

        if slow {
            let request = read(SLOW, 1);
            let answer = rig.ask(&request, 1_000);
            assert_eq!(words(&request, &answer), [0], "5 ms a byte, complete in time");
            let answer = rig.ask(&request, 20);
            assert_eq!(answer, Event::Timeout, "5 ms a byte, given up half way");
            rig.right_again(10 * round + 5);
        }
    }
}

#[test]
fn our_master_against_libmodbus_server_over_tcp() {
    let place = Scratch::new("peer-server-tcp");
    let address = process::free_address().expect("loopback").parse().expect("an address");
    let std::net::SocketAddr::V4(v4) = address else { panic!("{address}") };
    let server = Server::start(Link::Tcp(v4.port()), place.dir());
    let mut rig = Rig { master: Master::tcp(address), server, unit: TCP_UNIT, asked: 0, lost: 0 };
    faults(&mut rig, true);
    println!(
        "proved: our master, libmodbus {} unit-test server, tcp: {} requests, {} server runs, {} \
         lost while it was away; frames {:?}",
        libmodbus::version(),
        rig.asked,
        rig.server.starts,
        rig.lost,
        rig.master.seen()
    );
}

#[test]
fn our_master_against_libmodbus_server_over_rtu() {
    let place = Scratch::new("peer-server-rtu");
    let cable = Cable::new();
    let server = Server::start(Link::Rtu(cable.server()), place.dir());
    let mut rig =
        Rig { master: Master::serial(cable.client()), server, unit: UNIT, asked: 0, lost: 0 };
    faults(&mut rig, false);
    let seen = rig.master.seen();
    assert_eq!(seen.get("late"), Some(&ROUNDS), "kept from the next request: {seen:?}");
    assert_eq!(seen.get("foreign"), Some(&ROUNDS), "{seen:?}");
    assert_eq!((rig.server.starts, rig.lost), (1, 0), "nothing that we sent made it quit");
    println!(
        "proved: our master, libmodbus {} unit-test server, rtu: {} requests; frames {seen:?}",
        libmodbus::version(),
        rig.asked
    );
}
