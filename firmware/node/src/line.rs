//! The serial line at the UART: bytes, errors and silences in, requests to the server.

use crate::bank;
use crate::boundary::{LineError, Output};
use crate::logic::Logic;
use crate::machine::Node;
use modbus::pdu::Counter;
use modbus::rtu::Frame;

/// Takes bytes as the UART gave them and serves every request that ends in them.
pub(crate) fn bytes<L: Logic>(node: &mut Node<L>, mut bytes: &[u8], out: &mut Output) {
    while let Some(frame) = node.core.line.push(&mut bytes).map(Frame::copy_of) {
        serve(node, frame, out);
    }
    account(node);
}

/// Takes the silence that ends a frame whose length its bytes do not tell.
pub(crate) fn silence<L: Logic>(node: &mut Node<L>, out: &mut Output) {
    if let Some(frame) = node.core.line.silence().map(Frame::copy_of) {
        serve(node, frame, out);
    }
    account(node);
}

/// Takes an error of the UART: the frame that it hit is dropped, up to the next silence.
pub(crate) fn error<L: Logic>(node: &mut Node<L>, error: LineError) {
    if error == LineError::Overrun {
        node.core.counters.add(Counter::Overruns, 1);
    }
    node.core.line.resync();
    account(node);
}

fn serve<L: Logic>(node: &mut Node<L>, frame: Result<Frame, modbus::Full>, out: &mut Output) {
    // A receiver's frame is no longer than a frame, so the copy fits always.
    if let Ok(frame) = frame {
        out.reply.clear();
        bank::serve_rtu(node, frame.as_bytes(), out);
    }
}

fn account<L: Logic>(node: &mut Node<L>) {
    let tally = node.core.line.take_tally();
    node.core.counters.add(Counter::BusMessages, tally.swallowed);
    node.core.counters.add(Counter::CommunicationErrors, tally.garbled);
    node.core.frames_bad = node.core.frames_bad.saturating_add(tally.garbled);
}
