//! The bounded ring of events that wait for their acknowledgement.

use crate::limits::SEQUENCE_SPAN_MAX;
use heapless::Deque;
use registers::Writer;
use registers::event::{ENTRY_WORDS_MAX, Event};
use units::Serial;

const LOST_WORDS: usize = 2;

/// Entries in order of their sequence numbers, oldest first, in `N` words.
///
/// When an entry does not fit, it and all later ones are counted until the host has made room;
/// they then appear as one [`Event::Lost`] that takes their numbers. Room for one such entry is
/// always kept, so that a loss can be told even while nothing else fits.
#[derive(Clone, Debug)]
pub struct EventRing<const N: usize> {
    words: Deque<u16, N>,
    /// Sequence of the oldest entry, or of the next one to come.
    first: Serial,
    /// Sequence that the next entry in the ring takes.
    next: Serial,
    entries: u16,
    /// Lost, with numbers that follow `next`, and not yet told.
    pending: u16,
    lost_total: u16,
    overflowed: bool,
}

impl<const N: usize> EventRing<N> {
    /// Builds an empty ring whose first entry takes `first`.
    pub const fn new(first: Serial) -> Self {
        Self {
            words: Deque::new(),
            first,
            next: first,
            entries: 0,
            pending: 0,
            lost_total: 0,
            overflowed: false,
        }
    }

    /// Appends an entry, or counts it as lost.
    pub fn push(&mut self, event: &Event<'_>) {
        self.push_all(core::slice::from_ref(event));
    }

    /// Appends entries that only make sense together: all of them, or all are lost.
    pub fn push_all(&mut self, events: &[Event<'_>]) {
        let mut buffer = [0; ENTRY_WORDS_MAX];
        let needed = events.iter().try_fold(0usize, |sum, event| {
            event.encode(&mut buffer).and_then(|words| sum.checked_add(words))
        });
        let reserve = if self.pending > 0 { 2 * LOST_WORDS } else { LOST_WORDS };
        let fits = needed.and_then(|needed| needed.checked_add(reserve));
        if fits.is_none_or(|needed| needed > self.free()) {
            return self.lose(events.len());
        }
        self.tell_loss();
        for event in events {
            self.append(event);
        }
    }

    fn free(&self) -> usize {
        N.saturating_sub(self.words.len())
    }

    fn lose(&mut self, entries: usize) {
        self.overflowed = true;
        let entries = u16::try_from(entries).unwrap_or(u16::MAX);
        self.lost_total = self.lost_total.saturating_add(entries);
        let span = self.next.0.wrapping_sub(self.first.0);
        let room = SEQUENCE_SPAN_MAX.saturating_sub(span).saturating_sub(self.pending);
        self.pending = self.pending.saturating_add(entries.min(room));
    }

    /// Turns what was lost so far into an entry, when there is room for it.
    ///
    /// Called before each reading: an entry that the host has seen never changes again.
    pub fn tell_loss(&mut self) {
        if self.pending > 0 && self.free() >= LOST_WORDS {
            let entries = core::mem::take(&mut self.pending);
            self.append(&Event::Lost { entries });
        }
    }

    fn append(&mut self, event: &Event<'_>) {
        let mut buffer = [0; ENTRY_WORDS_MAX];
        let used = event.encode(&mut buffer).unwrap_or_default();
        for word in buffer.iter().take(used) {
            // Room was checked for the whole entry before.
            let pushed = self.words.push_back(*word);
            debug_assert!(pushed.is_ok(), "room was checked");
        }
        self.next = self.next.plus(event.numbers());
        self.entries = self.entries.saturating_add(1);
    }

    /// Forgets every entry up to `ack`; false when `ack` lies outside first − 1 to last.
    pub fn acknowledge(&mut self, ack: Serial) -> bool {
        if !ack.within(self.first.prev(), self.next.prev()) {
            return false;
        }
        while let Some((words, numbers)) = self.front() {
            let last = self.first.plus(numbers).prev();
            if ack.since(last) < 0 {
                break;
            }
            for _ in 0..words {
                let _word: Option<u16> = self.words.pop_front();
            }
            self.first = last.next();
            self.entries = self.entries.saturating_sub(1);
        }
        true
    }

    /// Words and sequence numbers of the oldest entry.
    fn front(&self) -> Option<(usize, u16)> {
        let mut buffer = [0; LOST_WORDS];
        let mut words = self.words.iter();
        for slot in &mut buffer {
            *slot = *words.next()?;
        }
        let [_, length] = buffer.first()?.to_be_bytes();
        let numbers = match Event::parse(&mut registers::Reader::new(&buffer)) {
            Some(Event::Lost { entries }) => entries,
            _ => 1,
        };
        Some((usize::from(length), numbers))
    }

    /// Appends the oldest entries that fit whole into `room` words; gives how many and whether
    /// more wait.
    pub fn copy_to(&self, out: &mut Writer<'_>, room: usize) -> (u8, bool) {
        let (mut copied, mut left) = (0u8, room);
        let mut words = self.words.iter();
        while let Some(head) = words.next() {
            let [_, length] = head.to_be_bytes();
            let Some(rest) = left.checked_sub(usize::from(length)) else { break };
            left = rest;
            out.u16(*head);
            for word in words.by_ref().take(usize::from(length).saturating_sub(1)) {
                out.u16(*word);
            }
            copied = copied.saturating_add(1);
        }
        (copied, u16::from(copied) < self.entries)
    }

    /// Sequence of the oldest entry, or of the next one to come.
    pub const fn first(&self) -> Serial {
        self.first
    }

    /// Entries that wait.
    pub const fn entries(&self) -> u16 {
        self.entries
    }

    /// Entries lost since boot, saturating.
    pub const fn lost(&self) -> u16 {
        self.lost_total
    }

    /// Whether an entry was ever lost.
    pub const fn overflowed(&self) -> bool {
        self.overflowed
    }
}
