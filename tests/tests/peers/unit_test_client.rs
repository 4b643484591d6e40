//! libmodbus' unit-test client against servers: its own first, then ours.

use crate::cable::Cable;
use crate::libmodbus::{self, Link, Server};
use system_tests::process::{self, Scratch};

#[test]
fn its_own_server_over_rtu() {
    let place = Scratch::new("peer-own-rtu");
    let cable = Cable::new();
    let _server = Server::start(Link::Rtu(cable.server()), place.dir());
    let verdict = libmodbus::unit_test_client(Link::Rtu(cable.client()), place.dir());
    println!("{} asserts", verdict.asserts.len());
}

#[test]
fn its_own_server_over_tcp() {
    let place = Scratch::new("peer-own-tcp");
    let port =
        process::free_address().expect("loopback").rsplit(':').next().unwrap().parse().unwrap();
    let _server = Server::start(Link::Tcp(port), place.dir());
    let verdict = libmodbus::unit_test_client(Link::Tcp(port), place.dir());
    println!("{} asserts", verdict.asserts.len());
}
