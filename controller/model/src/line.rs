//! The line as one machine: one function per input.

use crate::decision::Decision;
use crate::ids::NodeId;
use crate::layout::Layout;
use crate::memory::Memory;
use crate::signal::Input;
use crate::view::LineView;
use alloc::vec::Vec;
use units::{Micros, Position};

/// One sorting line: geometry and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub(crate) layout: Layout,
    pub(crate) memory: Memory,
}

impl Line {
    /// Builds a stopped line.
    pub fn new(layout: Layout) -> Self {
        let memory = Memory::new(&layout);
        Self::resume(layout, memory)
    }

    /// Builds a line that goes on from `memory`.
    ///
    /// # Panics
    /// When `memory` is of another layout.
    pub fn resume(layout: Layout, memory: Memory) -> Self {
        assert!(memory.nodes.len() == layout.nodes.len(), "memory of another layout: nodes");
        assert!(memory.under.len() == layout.eyes.len(), "memory of another layout: eyes");
        Self { layout, memory }
    }

    /// Its geometry.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All that it remembers.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Takes one input and appends what is decided to `out`.
    pub fn handle(&mut self, now: Micros, input: Input, out: &mut Vec<Decision>) {
        self.memory.now = self.memory.now.max(now);
        let _ = (input, out);
    }

    /// When it wants [`Input::Timer`] at the latest.
    pub const fn next_deadline(&self) -> Option<Micros> {
        self.memory.machine.mode.until()
    }

    /// The position of this node at which [`Input::Heard`] is wanted.
    pub fn next_position(&self, node: NodeId) -> Option<Position> {
        let _ = node;
        None
    }

    /// What it shows at `now`.
    pub fn view(&self, now: Micros) -> LineView {
        let _ = now;
        LineView {
            state: self.memory.machine.mode.state(),
            since: self.memory.machine.since,
            reason: self.memory.machine.reason,
            unmet: Vec::new(),
            induction_paused: false,
            tally: self.memory.tally.clone(),
            chutes: self.memory.chutes.clone(),
            parcels: Vec::new(),
            alarms: self.memory.alarms.iter().copied().collect(),
            plan: None,
            parcels_per_hour: 0,
        }
    }
}
