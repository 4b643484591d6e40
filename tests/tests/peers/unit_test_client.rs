//! libmodbus' unit-test client against two servers: libmodbus' own, then ours with its map. Both must
//! pass the same assertions.

use crate::cable::Cable;
use crate::libmodbus::{self, Link, Server};
use crate::ours::Ours;
use system_tests::process::{self, Binaries, Scratch};

#[test]
fn it_passes_against_our_server_over_tcp() {
    let place = Scratch::new("peer-client-tcp");
    let binaries = Binaries::build().expect("builds");
    let address = process::free_address().expect("loopback");
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let mut own = Server::start(Link::Tcp(port), place.dir());
    let theirs = libmodbus::unit_test_client(Link::Tcp(port), place.dir(), || own.keep());
    drop(own);
    let second = place.at("ours");
    std::fs::create_dir(&second).expect("a second place");
    let ours = Ours::tcp(&binaries, place.dir());
    let verdict = libmodbus::unit_test_client(Link::Tcp(ours.port()), &second, || ());
    assert_eq!(verdict, theirs, "our server passes what libmodbus' own passes");
    ours.end();
    println!(
        "proved: libmodbus {} unit-test client, our server, tcp: {} asserts held, 0 failed, the same \
         as against libmodbus' own server",
        libmodbus::version(),
        verdict.len()
    );
}

#[test]
fn it_passes_against_our_server_over_rtu_beside_a_node() {
    let place = Scratch::new("peer-client-rtu");
    let binaries = Binaries::build().expect("builds");
    let cable = Cable::new();
    let mut own = Server::start(Link::Rtu(cable.server()), place.dir());
    let theirs = libmodbus::unit_test_client(Link::Rtu(cable.client()), place.dir(), || own.keep());
    drop(own);
    let second = place.at("ours");
    std::fs::create_dir(&second).expect("a second place");
    let ours = Ours::serial(&binaries, place.dir());
    let verdict = libmodbus::unit_test_client(Link::Rtu(&ours.path()), &second, || ());
    assert_eq!(verdict, theirs, "our server passes what libmodbus' own passes");
    ours.end();
    println!(
        "proved: libmodbus {} unit-test client, our server with a zone node on the same line, rtu: {} \
         asserts held, 0 failed, the same as against libmodbus' own server",
        libmodbus::version(),
        verdict.len()
    );
}
