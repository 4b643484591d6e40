//! The counters that FC 08 reads and clears.

use crate::pdu::Counter;

/// What a server heard and did since it started or was told to clear; every counter saturates.
///
/// The server core counts what it sees. A shell adds what only a UART or a receiver sees by
/// [`add`](Self::add).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    bus_messages: u16,
    communication_errors: u16,
    exceptions: u16,
    server_messages: u16,
    no_responses: u16,
    overruns: u16,
}

impl Counters {
    /// Builds counters at 0.
    pub const fn new() -> Self {
        Self {
            bus_messages: 0,
            communication_errors: 0,
            exceptions: 0,
            server_messages: 0,
            no_responses: 0,
            overruns: 0,
        }
    }

    /// The value of one counter.
    pub const fn get(&self, counter: Counter) -> u16 {
        match counter {
            Counter::BusMessages => self.bus_messages,
            Counter::CommunicationErrors => self.communication_errors,
            Counter::Exceptions => self.exceptions,
            Counter::ServerMessages => self.server_messages,
            Counter::NoResponses => self.no_responses,
            Counter::Overruns => self.overruns,
        }
    }

    /// Adds to one counter.
    pub const fn add(&mut self, counter: Counter, n: u16) {
        let value = match counter {
            Counter::BusMessages => &mut self.bus_messages,
            Counter::CommunicationErrors => &mut self.communication_errors,
            Counter::Exceptions => &mut self.exceptions,
            Counter::ServerMessages => &mut self.server_messages,
            Counter::NoResponses => &mut self.no_responses,
            Counter::Overruns => &mut self.overruns,
        };
        *value = value.saturating_add(n);
    }

    /// Sets every counter to 0.
    pub const fn clear(&mut self) {
        *self = Self::new();
    }
}
