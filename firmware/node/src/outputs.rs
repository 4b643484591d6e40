//! Output values and which of them changed.

use crate::limits::OUTPUTS_MAX;

/// The outputs of a node; all start at 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outputs {
    values: [u32; OUTPUTS_MAX],
    told: [u32; OUTPUTS_MAX],
}

impl Outputs {
    pub(crate) fn set(&mut self, output: u8, value: u32) {
        if let Some(slot) = self.values.get_mut(usize::from(output)) {
            *slot = value;
        }
    }

    pub(crate) fn get(&self, output: u8) -> u32 {
        self.values.get(usize::from(output)).copied().unwrap_or_default()
    }

    /// Whether a change waits to be told.
    pub(crate) fn changed(&self) -> bool {
        self.values != self.told
    }

    /// Tells every change since the last call once, in order of the ids.
    pub(crate) fn tell(&mut self, mut change: impl FnMut(u8, u32)) {
        for ((value, told), id) in self.values.iter().zip(&mut self.told).zip(0u8..) {
            if value != told {
                change(id, *value);
                *told = *value;
            }
        }
    }

    /// Values that are not 0, as bits.
    pub(crate) fn word(&self) -> u16 {
        self.values.iter().rev().fold(0u16, |word, value| (word << 1) | u16::from(*value != 0))
    }

    pub(crate) const fn values(&self) -> [u32; OUTPUTS_MAX] {
        self.values
    }
}
