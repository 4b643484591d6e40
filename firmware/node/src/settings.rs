//! The settings block: words within the ranges of the kind's table.

use registers::NodeKind;
use registers::points::SETTINGS_MAX;
use registers::status::settings_hash;

/// The settings of a node, all within range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    words: [u16; SETTINGS_MAX],
    used: usize,
}

impl Settings {
    /// Builds the reset values of a kind.
    pub(crate) fn reset(kind: NodeKind) -> Self {
        let table = kind.settings();
        let mut words = [0; SETTINGS_MAX];
        for (word, setting) in words.iter_mut().zip(table) {
            *word = setting.reset;
        }
        Self { words, used: table.len() }
    }

    /// Replaces the whole block; false (and no effect) when a value is out of range or the length
    /// is not the table's.
    pub(crate) fn replace(&mut self, kind: NodeKind, new: &[u16]) -> bool {
        let table = kind.settings();
        let valid = new.len() == table.len()
            && table.iter().zip(new).all(|(s, value)| (s.min..=s.max).contains(value));
        if valid {
            for (word, value) in self.words.iter_mut().zip(new) {
                *word = *value;
            }
        }
        valid
    }

    pub(crate) fn words(&self) -> &[u16] {
        self.words.get(..self.used).unwrap_or_default()
    }

    pub(crate) fn get(&self, index: usize) -> u16 {
        self.words.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn hash(&self) -> u16 {
        settings_hash(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_whole_or_not_at_all() {
        let mut settings = Settings::reset(NodeKind::Zone);
        assert_eq!(settings.words(), [3_000, 25, 0, 0, 0]);
        assert!(!settings.replace(NodeKind::Zone, &[2_000, 25, 3, 0, 0]));
        assert!(!settings.replace(NodeKind::Zone, &[2_000, 25, 2, 0]));
        assert_eq!(settings.get(0), 3_000);
        let before = settings.hash();
        assert!(settings.replace(NodeKind::Zone, &[2_000, 25, 2, 30, 2_000]));
        assert_eq!(settings.words(), [2_000, 25, 2, 30, 2_000]);
        assert_ne!(settings.hash(), before);
    }
}
