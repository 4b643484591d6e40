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
        // Only a loss is so short that it is whole in these words.
        let numbers = Event::parse(&mut registers::Reader::new(&buffer));
        let numbers = numbers.map_or(1, |event| event.numbers());
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use registers::Reader;
    use registers::event::At;
    use std::vec::Vec;
    use units::repeat::repeatable;

    fn edge(input: u8) -> Event<'static> {
        Event::Edge { input, active: true, at: At::default() }
    }

    /// What a reading of `room` words shows.
    fn read<const N: usize>(
        ring: &mut EventRing<N>,
        room: usize,
    ) -> (Serial, Vec<Event<'static>>, bool) {
        ring.tell_loss();
        let mut words = std::vec![0; room];
        let (count, more) = ring.copy_to(&mut Writer::new(&mut words), room);
        let mut reader = Reader::new(words.leak());
        let events = (0..count).map(|_| Event::parse(&mut reader).expect("whole")).collect();
        (ring.first(), events, more)
    }

    #[test]
    fn entries_stay_until_acknowledged_and_in_order() {
        let mut ring = EventRing::<64>::new(Serial(u16::MAX));
        (0..4).for_each(|n| ring.push(&edge(n)));
        let (first, events, more) = read(&mut ring, 14);
        assert_eq!((first, more), (Serial(u16::MAX), true));
        assert_eq!(events, [edge(0), edge(1)]);
        assert!(ring.acknowledge(Serial(u16::MAX - 1)), "first - 1 is in range");
        assert!(!ring.acknowledge(Serial(u16::MAX - 2)));
        assert!(!ring.acknowledge(Serial(3)), "last is 2");
        assert_eq!(ring.entries(), 4);
        assert!(ring.acknowledge(Serial(0)));
        assert_eq!(read(&mut ring, 64), (Serial(1), std::vec![edge(2), edge(3)], false));
        assert!(ring.acknowledge(Serial(2)));
        assert_eq!(read(&mut ring, 64), (Serial(3), std::vec![], false));
    }

    #[test]
    fn overflow_keeps_the_oldest_and_tells_one_loss_that_takes_numbers() {
        let mut ring = EventRing::<20>::new(Serial(10));
        (0..7).for_each(|n| ring.push(&edge(n)));
        // Three entries of six words and a loss of two words fill the ring.
        let lost = |entries| Event::Lost { entries };
        let seen = [edge(0), edge(1), edge(2), lost(4)];
        assert_eq!(read(&mut ring, 20), (Serial(10), seen.to_vec(), false));
        assert_eq!((ring.lost(), ring.overflowed()), (4, true));
        // What the host has seen does not change; later losses wait for room.
        ring.push(&edge(7));
        assert_eq!(read(&mut ring, 20).1, seen);
        assert!(!ring.acknowledge(Serial(17)), "the untold loss has no number yet");
        assert!(ring.acknowledge(Serial(14)), "inside the loss: only what lies before it goes");
        assert_eq!(read(&mut ring, 20), (Serial(13), std::vec![lost(4), lost(1)], false));
        assert!(ring.acknowledge(Serial(17)));
        ring.push(&edge(8));
        assert_eq!(read(&mut ring, 20), (Serial(18), std::vec![edge(8)], false));
    }

    #[test]
    fn room_for_telling_a_loss_is_never_given_away() {
        let mut ring = EventRing::<20>::new(Serial(0));
        (0..4).for_each(|n| ring.push(&edge(n)));
        assert!(ring.acknowledge(Serial(0)));
        // Eight words are free: the loss, the entry and room for the next loss need ten.
        ring.push(&edge(4));
        let seen = [edge(1), edge(2), Event::Lost { entries: 2 }];
        assert_eq!(read(&mut ring, 20).1, seen);
    }

    #[test]
    fn a_group_is_taken_whole_or_lost_whole() {
        let mut ring = EventRing::<31>::new(Serial(0));
        (0..2).for_each(|n| ring.push(&edge(n)));
        ring.push_all(&[edge(2), edge(3), edge(4)]);
        ring.push(&edge(5));
        assert_eq!(
            read(&mut ring, 31).1,
            [edge(0), edge(1), Event::Lost { entries: 3 }, edge(5)],
            "a later entry that fits comes behind the loss"
        );
    }

    #[test]
    fn a_loss_without_end_stays_inside_half_the_circle() {
        let mut ring = EventRing::<20>::new(Serial(0));
        (0..70_000u32).for_each(|_| ring.push(&edge(1)));
        let (_, events, _) = read(&mut ring, 20);
        let numbers: u16 = events.iter().map(Event::numbers).sum();
        assert_eq!(numbers, SEQUENCE_SPAN_MAX);
        assert_eq!(ring.lost(), u16::MAX);
        assert!(ring.acknowledge(Serial(numbers - 1)));
        assert_eq!(ring.entries(), 0);
    }

    proptest! {
        #![proptest_config(repeatable(256))]

        /// Every event is read once and in order, or lies in exactly one told loss.
        #[test]
        fn nothing_is_lost_silently_or_told_twice(
            first in any::<u16>(),
            steps in prop::collection::vec((0u8..4, 1usize..30), 1..200),
        ) {
            let mut ring = EventRing::<60>::new(Serial(first));
            let (mut pushed, mut told) = (0u16, 0u16);
            let mut expected = Serial(first);
            let mut steps = steps;
            steps.extend([(3, 60); 30]);
            for (step, amount) in steps {
                if step < 3 {
                    let input = u8::try_from(pushed % 251).expect("small");
                    ring.push(&edge(input));
                    pushed += 1;
                    continue;
                }
                let (at, events, _) = read(&mut ring, amount);
                prop_assert_eq!(at, expected);
                for event in &events {
                    if let Event::Edge { input, .. } = event {
                        prop_assert_eq!(u16::from(*input), told % 251);
                    }
                    told += event.numbers();
                    expected = expected.plus(event.numbers());
                }
                prop_assert!(ring.acknowledge(expected.prev()));
            }
            prop_assert_eq!(told, pushed);
        }
    }
}
