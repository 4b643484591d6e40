//! The state that every kind of node has, as the kind's logic sees it.

use crate::boundary::{Identity, Stamp};
use crate::debounce::Inputs;
use crate::event_ring::EventRing;
use crate::lease::Lease;
use crate::limits::{DEVICE_BYTES_MAX, RING_WORDS};
use crate::outputs::Outputs;
use crate::settings::Settings;
use heapless::Vec;
use modbus::rtu::Receiver;
use modbus::server::Counters;
use registers::NodeKind;
use registers::event::Event;
use registers::points::{SETTING_DEBOUNCE, SETTING_LEASE};
use units::{Counts, Micros, Serial};

/// The last captured encoder count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latch {
    pub(crate) number: u16,
    pub(crate) count: Counts,
}

/// What a kind's logic reads and does: the instant, inputs, outputs, settings, ring, device.
#[derive(Clone, Debug)]
pub struct Core {
    pub(crate) identity: Identity,
    pub(crate) at: Stamp,
    pub(crate) booted: Option<Micros>,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Outputs,
    pub(crate) settings: Settings,
    pub(crate) ring: EventRing<RING_WORDS>,
    pub(crate) lease: Lease,
    pub(crate) latch: Latch,
    pub(crate) last_command: Serial,
    /// A command was accepted in this boot; before, nothing can be repeated.
    pub(crate) accepted: bool,
    pub(crate) ack_ignored: u16,
    pub(crate) frames_bad: u16,
    pub(crate) line: Receiver,
    /// What FC 08 reads and clears; the status block has its own counts since boot.
    pub(crate) counters: Counters,
    /// A slave address that is taken once the answer has been formed.
    pub(crate) new_unit: Option<u8>,
    pub(crate) address_changes: u16,
    pub(crate) device: Vec<u8, DEVICE_BYTES_MAX>,
}

impl Core {
    pub(crate) fn new(kind: NodeKind, identity: Identity) -> Self {
        let identity = Identity { boot_id: identity.boot_id.max(1), ..identity };
        Self {
            identity,
            at: Stamp::default(),
            booted: None,
            inputs: Inputs::default(),
            outputs: Outputs::default(),
            settings: Settings::reset(kind),
            ring: EventRing::new(identity.first_event),
            lease: Lease::default(),
            latch: Latch::default(),
            last_command: identity.last_command,
            accepted: false,
            ack_ignored: 0,
            frames_bad: 0,
            line: Receiver::new(identity.unit),
            counters: Counters::new(),
            new_unit: None,
            address_changes: 0,
            device: Vec::new(),
        }
    }

    /// The instant of the input that is handled now.
    pub const fn at(&self) -> Stamp {
        self.at
    }

    /// The debounced level of an input.
    pub fn input(&self, input: u8) -> bool {
        self.inputs.level(input)
    }

    /// Where an inactive input has left its level without having settled yet.
    pub fn opening(&self, input: u8) -> Option<Stamp> {
        self.inputs.opening(input)
    }

    /// The value of an output.
    pub fn output(&self, output: u8) -> u32 {
        self.outputs.get(output)
    }

    /// Gives an output a new value.
    pub fn set(&mut self, output: u8, value: u32) {
        self.outputs.set(output, value);
    }

    /// The value of a setting by its index in the kind's table.
    pub fn setting(&self, index: usize) -> u16 {
        self.settings.get(index)
    }

    /// A setting in ms as a span.
    pub fn setting_span(&self, index: usize) -> Micros {
        Micros::from_millis(u64::from(self.settings.get(index)))
    }

    /// Puts an event into the ring.
    pub fn emit(&mut self, event: &Event<'_>) {
        self.ring.push(event);
    }

    /// Puts events into the ring that only make sense together: all of them or none.
    pub fn emit_all(&mut self, events: &[Event<'_>]) {
        self.ring.push_all(events);
    }

    /// Sends bytes to the reader or scale: all of them, or none when they do not fit any more.
    pub fn send(&mut self, bytes: &[u8]) {
        // What cannot be sent is a trigger without a result, which its own deadline reports.
        let _sent: Result<(), _> = self.device.extend_from_slice(bytes);
    }

    /// Takes a new slave address, if one was given, and tells it.
    pub(crate) fn readdress(&mut self) -> Option<u8> {
        let unit = self.new_unit.take().filter(|unit| *unit != self.identity.unit)?;
        self.identity.unit = unit;
        self.line = Receiver::new(unit);
        self.address_changes = self.address_changes.saturating_add(1);
        Some(unit)
    }

    pub(crate) fn debounce(&self) -> Micros {
        self.setting_span(SETTING_DEBOUNCE)
    }

    pub(crate) fn lease_until(&self) -> Micros {
        self.at.now.plus(self.setting_span(SETTING_LEASE))
    }
}
