//! Whether positions told by the host fit the belt's truth.

/// ± in counts on the reference's bus: latch, debouncing and rounding.
const SERIAL_COUNTS: i64 = 12;
/// ± in counts elsewhere: the width of a bracket.
const NETWORK_COUNTS: i64 = 90;

/// The host's frame begins anywhere, and anew when the reference restarts; within a frame all
/// positions must be off by the same number.
#[derive(Clone, Debug)]
pub(super) struct Positions {
    serial: Vec<bool>,
    offset: Option<i64>,
    pub(super) compared: u64,
}

impl Positions {
    pub(super) const fn new(serial: Vec<bool>) -> Self {
        Self { serial, offset: None, compared: 0 }
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
        let limit = if self.serial[node] { SERIAL_COUNTS } else { NETWORK_COUNTS };
        (off.abs() > limit).then_some(off)
    }
}
