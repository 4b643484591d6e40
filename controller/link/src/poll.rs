//! Whose turn it is, and the request that goes out.
//!
//! Order: a node whose lease would run low; nodes with an order that may leave, the most urgent
//! first; the latch that nodes wait for; nodes whose entries wait behind acknowledged ones; then all
//! in turn. Nodes that are down take part only when their try is due, a node whose last exchanges
//! failed only in turn, a node that said "busy" not before its pause is over.

use crate::exchange::{Ask, Outstanding, plain, sealed};
use crate::limits::{HOT_FAILURES, UNACKED_EVENTS};
use crate::map::Frame;
use crate::master::{LatchRound, Master, Report, answered};
use crate::queue::Urgency;
use crate::station::{State, Station};
use alloc::vec::Vec;
use line_model::signal::DownReason;
use registers::NodeKind;
use registers::exchange::{Operation, WriteBlock};
use units::Micros;

impl Master {
    /// Chooses and encodes the next request.
    pub(crate) fn begin(
        &mut self,
        now: Micros,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) -> Option<Outstanding> {
        if let Some(index) = self.first(|station| station.prompt(now) && station.overdue(now)) {
            return self.ask(index, now, frame, out);
        }
        let durable = self.durable;
        let urgency = |station: &Station| {
            station.prompt(now).then(|| station.queue.urgency(station.leave(durable))).flatten()
        };
        for level in [Urgency::Stop, Urgency::Arm, Urgency::Other] {
            if let Some(index) = self.first(|station| urgency(station) == Some(level)) {
                return self.ask(index, now, frame, out);
            }
        }
        if self.latch_due(now, frame) {
            return Some(self.latch(now));
        }
        let hold = self.hold;
        if let Some(index) =
            self.first(|found| found.more && found.progress && !hold && found.prompt(now))
        {
            return self.ask(index, now, frame, out);
        }
        let index = self.in_turn(now)?;
        if index < self.cursor {
            self.cycles = self.cycles.wrapping_add(1);
        }
        self.cursor = index + 1;
        self.ask(index, now, frame, out)
    }

    /// Whose turn it is. A silent node waits until the others had their rounds since the last try.
    fn in_turn(&self, now: Micros) -> Option<usize> {
        let rounds = self.cycles.wrapping_sub(self.probe_cycle).cast_signed() >= 0;
        let silent = if rounds { self.next_probe } else { Micros::MAX };
        let index = self.first(|station| station.takes_part(now, silent));
        index.or_else(|| self.first(|station| station.takes_part(now, self.next_probe)))
    }

    /// The first station from the cursor on, in turn, that fits.
    fn first(&self, fits: impl Fn(&Station) -> bool) -> Option<usize> {
        let count = self.stations.len();
        let order = (self.cursor..count).chain(0..self.cursor.min(count));
        order.into_iter().find(|index| self.stations.get(*index).is_some_and(&fits))
    }

    fn ask(
        &mut self,
        index: usize,
        now: Micros,
        frame: &Frame,
        out: &mut Vec<Report>,
    ) -> Option<Outstanding> {
        let (durable, hold, owner) = (self.durable, self.hold, self.setup.owner);
        let token = self.next_token();
        let station = self.stations.get_mut(index)?;
        let ask = station.next_ask(now, durable, hold);
        if matches!(station.state, State::Down { why: DownReason::Silent, .. }) {
            self.next_probe = now.plus(self.limits.probe);
            self.probe_cycle = self.cycles.wrapping_add(self.limits.probe_cycles);
        }
        let (unit, kind) = (station.setup.unit, station.setup.kind);
        let mut block = WriteBlock {
            token,
            owner,
            boot_id: if ask == Ask::Peek { 0 } else { station.boot },
            ack: station.acked,
            command: station.last_command,
            operation: Operation::Noop,
        };
        let mut command = false;
        if ask == Ask::Events {
            let map = station.map.filter(|map| map.holds(frame));
            let (node, leave) = (station.setup.node, station.leave(durable));
            while let Some(tag) =
                station.queue.launch(leave, station.last_command.next(), map.as_ref())
            {
                out.push(answered(node, tag, false));
            }
            if let Some(flying) = station.queue.flying.as_ref().filter(|arm| !arm.overdue) {
                block.command = flying.sequence;
                block.operation = flying.operation;
                command = true;
            }
            station.progress = false;
        }
        let request = match ask {
            Ask::Identify | Ask::Configure | Ask::Latch => plain(ask, &station.setup.settings, 0),
            Ask::Peek | Ask::Status | Ask::Armed | Ask::Events => sealed(ask, kind, unit, &block),
        };
        Some(Outstanding { station: index, unit, kind, ask, token, request, sent: now, command })
    }

    /// Token 0 is what a plain read shows and is never used.
    fn next_token(&mut self) -> u16 {
        let token = if self.token == 0 { 1 } else { self.token };
        self.token = token.wrapping_add(1);
        token
    }

    /// A broadcast latch under a number that no station shows already.
    fn latch(&mut self, now: Micros) -> Outstanding {
        let mut number = self.next_token();
        while self.stations.iter().any(|station| station.latch_seen == number) {
            number = self.next_token();
        }
        self.round = Some(LatchRound { number, started: now, counts: Vec::new() });
        self.next_latch = now.plus(self.limits.relatch);
        Outstanding {
            station: usize::MAX,
            unit: 0,
            kind: NodeKind::Zone,
            ask: Ask::Latch,
            token: number,
            request: plain(Ask::Latch, &[], number),
            sent: now,
            command: false,
        }
    }
}

impl Station {
    /// Whether the node may be asked out of turn.
    fn prompt(&self, now: Micros) -> bool {
        self.is_online() && self.failures <= HOT_FAILURES && self.rest <= now
    }

    /// Whether an online node was last asked so long ago that its lease needs it.
    fn overdue(&self, now: Micros) -> bool {
        now.since(self.asked) >= self.keep_alive()
    }

    /// Whether the node takes part in the turn.
    fn takes_part(&self, now: Micros, next_probe: Micros) -> bool {
        match self.state {
            State::Down { why: DownReason::Silent, probe } => now >= probe && now >= next_probe,
            State::Down { why: _, probe } => now >= probe,
            State::Unknown
            | State::Peeking
            | State::Configuring
            | State::Checking
            | State::Adopting
            | State::Mapping
            | State::Online => self.rest <= now,
        }
    }

    /// What the node is asked next.
    fn next_ask(&self, now: Micros, durable: u64, hold: bool) -> Ask {
        match self.state {
            State::Unknown | State::Down { .. } => Ask::Identify,
            State::Peeking => Ask::Peek,
            State::Configuring => Ask::Configure,
            State::Checking | State::Mapping => Ask::Status,
            State::Adopting => Ask::Armed,
            State::Online if !self.settings_fit => Ask::Configure,
            State::Online if self.queue.urgency(self.leave(durable)).is_some() => Ask::Events,
            State::Online if self.status_due <= now => Ask::Status,
            State::Online if hold || self.flight.len() >= UNACKED_EVENTS => Ask::Status,
            State::Online => Ask::Events,
        }
    }
}
