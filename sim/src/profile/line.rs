//! A serial line with a profile on it, and perhaps a real node beside it.

use super::{LibmodbusUt, Reply};
use crate::nodes::NativeNode;
use modbus::rtu::Receiver;
use node::{Identity, Input, Output, Stamp};
use registers::NodeKind;
use units::{Counts, Micros, Serial};

/// What is on the line. Every station hears every byte, the answers of the other one included.
#[derive(Debug)]
pub struct Line {
    receiver: Receiver,
    profile: LibmodbusUt,
    beside: Option<NativeNode>,
    out: Output,
}

impl Line {
    /// Builds a line that was quiet so far, with a zone node of unit `beside` where one is wanted.
    pub fn new(beside: Option<u8>) -> Self {
        let mut receiver = Receiver::new(LibmodbusUt::UNIT);
        // A receiver listens from the first silence on; nothing was sent before the line existed.
        assert!(receiver.silence().is_none(), "nothing was received yet");
        let mut out = Output::new();
        let beside = beside.map(|unit| {
            let identity = Identity {
                unit,
                boot_id: 1,
                serial_number: u32::from(unit),
                firmware_hash: 0,
                reset_cause: 0,
                first_event: Serial(1),
                last_command: Serial(1),
            };
            let mut node = NativeNode::boot(NodeKind::Zone, identity);
            node.handle(stamp(Micros::ZERO), Input::Silence, &mut out);
            node
        });
        Self { receiver, profile: LibmodbusUt::default(), beside, out }
    }

    /// Takes bytes from the line in any portions; returns what the stations answer.
    pub fn bytes(&mut self, now: Micros, bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Vec::new();
        let mut rest = bytes;
        while let Some(frame) = self.receiver.push(&mut rest) {
            replies.extend(self.profile.rtu(frame));
        }
        let node = self.node(now, Input::Bytes(bytes));
        self.overhear(now, replies, node)
    }

    /// Takes a silence of t3.5; returns what the stations answer to the frame that it ends.
    pub fn silence(&mut self, now: Micros) -> Vec<Reply> {
        let frame = self.receiver.silence().map(<[u8]>::to_vec);
        let replies = frame.and_then(|frame| self.profile.rtu(&frame)).into_iter().collect();
        let node = self.node(now, Input::Silence);
        self.overhear(now, replies, node)
    }

    fn node(&mut self, now: Micros, input: Input<'_>) -> Option<Reply> {
        let node = self.beside.as_mut()?;
        node.handle(stamp(now), input, &mut self.out);
        (!self.out.reply.is_empty()).then(|| Reply::now(self.out.reply.to_vec()))
    }

    /// Lets each station hear what the other one sends.
    fn overhear(&mut self, now: Micros, replies: Vec<Reply>, node: Option<Reply>) -> Vec<Reply> {
        for Reply { frame, .. } in &replies {
            let answered = self.node(now, Input::Bytes(frame));
            assert_eq!(answered, None, "the node took an answer for a request");
        }
        if let Some(Reply { frame, .. }) = &node {
            let mut rest = frame.as_slice();
            while let Some(taken) = self.receiver.push(&mut rest) {
                assert_ne!(
                    taken.first(),
                    Some(&LibmodbusUt::UNIT),
                    "an answer taken for a request"
                );
            }
        }
        replies.into_iter().chain(node).collect()
    }
}

/// The node's clock; its belt stands.
const fn stamp(now: Micros) -> Stamp {
    Stamp { now, count: Counts(0), second: Counts(0) }
}
