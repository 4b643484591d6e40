//! Whether positions told by the host fit the belt's truth.

/// ± in counts of the frame's beginning and of rounding, on top of what the host says of a map.
const OWN_COUNTS: i64 = 12;

/// The host's frame begins anywhere, and anew when the reference restarts; within a frame all
/// positions must be off by the same number.
#[derive(Clone, Debug)]
pub(super) struct Positions {
    /// ± of each node's map, as the line was told it last.
    spreads: Vec<i64>,
    offset: Option<i64>,
    pub(super) compared: u64,
}

impl Positions {
    pub(super) fn new(nodes: usize) -> Self {
        Self { spreads: vec![0; nodes], offset: None, compared: 0 }
    }

    /// The line is told how exact a node's map is.
    pub(super) fn told_spread(&mut self, node: usize, spread: i64) {
        self.spreads[node] = spread;
    }

    /// Where the frame begins.
    pub(super) const fn offset(&self) -> Option<i64> {
        self.offset
    }

    /// The frame may begin anew.
    pub(super) const fn forget(&mut self) {
        self.offset = None;
    }

    /// How far `position` is off, when it is too far; `current` = of the node's present boot.
    pub(super) fn compare(
        &mut self,
        node: usize,
        current: bool,
        position: i64,
        belt: i64,
    ) -> Option<i64> {
        if node == 0 && current {
            self.offset.get_or_insert(position - belt);
        }
        let off = position - belt - self.offset?;
        self.compared += 1;
        (off.abs() > self.spreads[node] + OWN_COUNTS).then_some(off)
    }
}
