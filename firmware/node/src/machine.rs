//! The node: one `handle` for everything that happens to it.

use crate::bank;
use crate::boundary::{Identity, Input, Output, Stamp, View};
use crate::core::Core;
use crate::line;
use crate::logic::Logic;
use modbus::pdu::Counter;
use registers::event::Event;
use units::{Counts, Micros};

/// A node of one kind: the shared machine around the kind's logic.
#[derive(Clone, Debug)]
pub struct Node<L> {
    pub(crate) core: Core,
    pub(crate) logic: L,
}

impl<L: Logic> Node<L> {
    /// Builds a node as it is after boot: safe state, no owner, settings at their reset values.
    pub fn new(identity: Identity, logic: L) -> Self {
        let mut node = Self { core: Core::new(L::KIND, identity), logic };
        node.logic.safe(&mut node.core);
        node
    }

    /// Handles one input at its instant; `out` is emptied first.
    ///
    /// Total on any frame and any bytes. The work is bounded by the length of the input and the
    /// sizes in [`crate::limits`].
    pub fn handle(&mut self, at: Stamp, input: Input<'_>, out: &mut Output) {
        out.clear();
        self.core.at = at;
        self.core.booted.get_or_insert(at.now);
        self.settle_inputs();
        self.expire_lease();
        self.logic.tick(&mut self.core);
        match input {
            Input::Bytes(bytes) => line::bytes(self, bytes, out),
            Input::LineError(error) => line::error(self, error),
            Input::Silence => line::silence(self, out),
            Input::Rtu(frame) => bank::serve_rtu(self, frame, out),
            Input::Tcp(frame) => bank::serve_tcp(self, frame, out),
            Input::Level { input, level } => self.level(input, level),
            Input::Device(bytes) => self.logic.device(&mut self.core, bytes),
            Input::Tick => {}
        }
        self.logic.tick(&mut self.core);
        self.core.outputs.tell(|output, value| {
            // One change per output fits always.
            let _told: Result<(), _> = out.outputs.push((output, value));
        });
        out.device = core::mem::take(&mut self.core.device);
        out.unit = self.core.readdress();
    }

    /// Notes that a right frame for another unit has passed: all that [`Input::Rtu`] with it does
    /// between two ticks. A simulated bus checks a frame once for all that hear it.
    pub fn overhear(&mut self) {
        self.core.counters.add(Counter::BusMessages, 1);
    }

    /// Takes a raw level; an input that the kind does not have is ignored.
    fn level(&mut self, input: u8, level: bool) {
        if usize::from(input) < L::KIND.inputs().len() {
            let (at, stable) = (self.core.at, self.core.debounce());
            self.core.inputs.raw(input, level, at, stable);
        }
    }

    fn settle_inputs(&mut self) {
        let (now, stable) = (self.core.at.now, self.core.debounce());
        while let Some(edge) = self.core.inputs.settle(now, stable) {
            let at = edge.at.at();
            self.core.emit(&Event::Edge { input: edge.input, active: edge.active, at });
            self.logic.edge(&mut self.core, edge);
        }
    }

    fn expire_lease(&mut self) {
        if self.core.lease.expire(self.core.at.now) {
            self.logic.safe(&mut self.core);
            let at = self.core.at.at();
            self.core.emit(&Event::LeaseExpired { at });
        }
    }

    /// When [`Input::Tick`] is due at the latest, on the node's clock.
    pub fn next_deadline(&self) -> Option<Micros> {
        if self.core.outputs.changed() {
            return Some(Micros::ZERO);
        }
        let inputs = self.core.inputs.next_deadline(self.core.debounce());
        let logic = self.logic.next_deadline(&self.core);
        [inputs, self.core.lease.until(), logic].into_iter().flatten().min()
    }

    /// At which reading of the main encoder [`Input::Tick`] is due at the latest.
    pub fn next_count(&self) -> Option<Counts> {
        self.logic.next_count(&self.core)
    }

    /// At which reading of the second encoder [`Input::Tick`] is due at the latest.
    pub fn next_second(&self) -> Option<Counts> {
        self.logic.next_second(&self.core)
    }

    /// Who the node is.
    pub const fn identity(&self) -> Identity {
        self.core.identity
    }

    /// The node's state for screens and tests.
    pub fn view(&self) -> View {
        View {
            status: self.status(0),
            armed: self.armed_list(0),
            outputs: self.core.outputs.values(),
            address_changes: self.core.address_changes,
            counters: self.core.counters,
        }
    }
}
