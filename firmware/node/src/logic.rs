//! What a kind of node adds to the shared machine.

use crate::core::Core;
use crate::debounce::Edge;
use heapless::Vec;
use registers::NodeKind;
use registers::exchange::{Arm, Verdict};
use registers::status::ARMS_MAX;
use units::{Counts, Micros};

/// The behaviour of one kind; every hook is total and bounded.
///
/// The defaults are those of a kind without arms, device and encoder-driven deadlines.
pub trait Logic {
    /// Which kind, and thereby which inputs, outputs, settings and length of the events block.
    const KIND: NodeKind;

    /// Takes a debounced edge; its ring entry exists already.
    fn edge(&mut self, core: &mut Core, edge: Edge);

    /// Does what is due at `core.at()`; called with every input, before it and after it.
    fn tick(&mut self, core: &mut Core);

    /// Sets an output that the host may set.
    fn set_output(&mut self, core: &mut Core, output: u8, value: u32) -> Verdict;

    /// Takes the safe state; called at boot and when the lease expires.
    fn safe(&mut self, core: &mut Core);

    /// Queues an arm.
    fn arm(&mut self, core: &mut Core, arm: Arm) -> Verdict {
        let _ = (core, arm);
        Verdict::NotSupported
    }

    /// Withdraws the arm with this tag.
    fn cancel(&mut self, core: &mut Core, tag: u32) -> Verdict {
        let _ = (core, tag);
        Verdict::NotSupported
    }

    /// Withdraws every arm.
    fn cancel_all(&mut self, core: &mut Core) -> Verdict {
        let _ = core;
        Verdict::NotSupported
    }

    /// Takes bytes from the reader or scale.
    fn device(&mut self, core: &mut Core, bytes: &[u8]) {
        let _ = (core, bytes);
    }

    /// The tags that wait, oldest first.
    fn armed(&self) -> Vec<u32, ARMS_MAX> {
        Vec::new()
    }

    /// When `tick` is needed next, by the clock.
    fn next_deadline(&self, core: &Core) -> Option<Micros> {
        let _ = core;
        None
    }

    /// When `tick` is needed next, by the main encoder.
    fn next_count(&self, core: &Core) -> Option<Counts> {
        let _ = core;
        None
    }

    /// When `tick` is needed next, by the second encoder.
    fn next_second(&self, core: &Core) -> Option<Counts> {
        let _ = core;
        None
    }
}
