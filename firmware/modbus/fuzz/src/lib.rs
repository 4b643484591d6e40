//! What the fuzzers call: one function per target, any bytes in, a panic when something is wrong.
//!
//! The bodies are shared with the tests that replay the kept corpus on every `cargo test`
//! (`firmware/modbus/tests/corpus.rs`, `firmware/diverter/tests/corpus.rs`).

#[path = "../bodies/codec.rs"]
mod codec;
#[path = "../../tests/wire/device.rs"]
mod device;
#[path = "../bodies/node.rs"]
mod nodes;
#[path = "../bodies/session.rs"]
mod sessions;

/// Any PDU to a server.
pub fn request(data: &[u8]) {
    codec::request(data);
}

/// Any answer to a request.
pub fn answer(data: &[u8]) {
    codec::answer(data);
}

/// Any line at a node's UART.
pub fn receiver(data: &[u8]) {
    codec::receiver(data);
}

/// Any TCP stream.
pub fn mbap(data: &[u8]) {
    codec::mbap(data);
}

/// Any events to the serial master.
pub fn session(data: &[u8]) {
    sessions::session(data);
}

/// Any inputs to a node.
pub fn node(data: &[u8]) {
    nodes::node(data);
}
