//! What reader and scale have in common: numbered triggers from their node.

/// A trigger that waits for its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    /// The node's number.
    pub(super) number: u16,
    /// The parcel that stood at the eye.
    pub(super) parcel: usize,
}

/// The device's end of the line to its node: `T<number>` and a carriage return.
#[derive(Clone, Debug, Default)]
pub(super) struct Triggers {
    line: Vec<u8>,
    open: Vec<Trigger>,
}

/// The device remembers no more triggers than this; the oldest are forgotten.
const OPEN_MAX: usize = 16;
/// Longest line that the device takes.
const LINE_MAX: usize = 16;

impl Triggers {
    /// Takes bytes from the node; a whole trigger belongs to `parcel`.
    pub(super) fn receive(&mut self, bytes: &[u8], parcel: Option<usize>) -> Option<Trigger> {
        let mut last = None;
        for byte in bytes {
            if *byte == b'\r' {
                let text = core::mem::take(&mut self.line);
                let number = str::from_utf8(&text)
                    .ok()
                    .and_then(|text| text.strip_prefix('T'))
                    .and_then(|number| number.parse().ok());
                if let (Some(number), Some(parcel)) = (number, parcel) {
                    let trigger = Trigger { number, parcel };
                    if self.open.len() >= OPEN_MAX {
                        self.open.remove(0);
                    }
                    self.open.push(trigger);
                    last = Some(trigger);
                }
            } else if self.line.len() < LINE_MAX {
                self.line.push(*byte);
            }
        }
        last
    }

    /// Takes out the trigger of `parcel`.
    pub(super) fn take(&mut self, parcel: usize) -> Option<Trigger> {
        let at = self.open.iter().position(|trigger| trigger.parcel == parcel)?;
        Some(self.open.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_come_in_any_portions() {
        let mut triggers = Triggers::default();
        assert_eq!(triggers.receive(b"T1", Some(4)), None);
        let trigger = Trigger { number: 12, parcel: 4 };
        assert_eq!(triggers.receive(b"2\r", Some(4)), Some(trigger));
        assert_eq!(triggers.receive(b"X\r\rT\rT99999\r", Some(5)), None);
        assert_eq!(triggers.receive(b"T7\r", None), None);
        assert_eq!(triggers.take(4), Some(trigger));
        assert_eq!(triggers.take(4), None);
    }
}
