//! Frames in memory: packed into segments, the oldest of which are forgotten first.

use std::collections::VecDeque;
use std::sync::Arc;

use units::Micros;

use super::Policy;
use crate::bus::tap::{Tapped, What, Wire};

/// Bytes of one segment: what is forgotten at once, a few seconds of a busy bus.
const SEGMENT_BYTES: usize = 64 << 10;
/// Bytes of a frame besides its own: instant, wall clock, bus, wire, unit, kind, length.
const HEAD_BYTES: usize = 23;
/// Bytes that a row of a file takes besides what stands here: words in place of numbers.
const ROW_BYTES: u64 = 32;
/// Longest frame that is kept whole; noise is given up long before.
const FRAME_MAX: usize = 4_096;

/// Packed frames in their order.
#[derive(Debug)]
pub struct Segment {
    /// Instant of its last frame.
    last: Micros,
    frames: u64,
    bytes: Vec<u8>,
}

impl Default for Segment {
    fn default() -> Self {
        let bytes = Vec::with_capacity(SEGMENT_BYTES);
        Self { last: Micros::ZERO, frames: 0, bytes }
    }
}

impl Segment {
    fn has_room(&self, frame: usize) -> bool {
        self.bytes.len() + HEAD_BYTES + frame <= SEGMENT_BYTES
    }

    fn push(&mut self, tapped: &Tapped) {
        let kept = tapped.bytes.get(..FRAME_MAX).unwrap_or(&tapped.bytes);
        let place = What::ALL.iter().position(|what| *what == tapped.what).unwrap_or_default();
        self.last = tapped.at;
        self.frames += 1;
        self.bytes.extend(tapped.at.0.to_be_bytes());
        self.bytes.extend(tapped.utc_us.to_be_bytes());
        self.bytes.extend(tapped.bus.to_be_bytes());
        self.bytes.push(u8::from(tapped.wire == Wire::Tcp));
        self.bytes.push(tapped.unit);
        self.bytes.push(u8::try_from(place).unwrap_or_default());
        self.bytes.extend(u16::try_from(kept.len()).unwrap_or_default().to_be_bytes());
        self.bytes.extend_from_slice(kept);
    }

    /// Bytes that its frames take in a file, at most: a row adds about as much as a head here.
    pub fn file_bytes(&self) -> u64 {
        let rows = self.frames.saturating_mul(ROW_BYTES);
        rows.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }

    /// Its frames.
    pub fn frames(&self) -> impl Iterator<Item = Tapped> + '_ {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (head, behind) = rest.split_first_chunk::<HEAD_BYTES>()?;
            let (at, head) = head.split_first_chunk()?;
            let (utc_us, head) = head.split_first_chunk()?;
            let (bus, head) = head.split_first_chunk()?;
            let [tcp, unit, what, length @ ..] = head else { return None };
            let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
            let (bytes, behind) = behind.split_at_checked(length)?;
            rest = behind;
            Some(Tapped {
                at: Micros(u64::from_be_bytes(*at)),
                utc_us: u64::from_be_bytes(*utc_us),
                bus: u16::from_be_bytes(*bus),
                wire: if *tcp == 1 { Wire::Tcp } else { Wire::Serial },
                unit: *unit,
                what: *What::ALL.get(usize::from(*what))?,
                bytes: bytes.to_vec(),
            })
        })
    }
}

/// The frames of the last minutes, within the bounds of a policy.
#[derive(Debug)]
pub struct Ring {
    policy: Policy,
    sealed: VecDeque<Arc<Segment>>,
    open: Segment,
    forgotten: u64,
}

impl Ring {
    /// An empty ring.
    pub fn new(policy: Policy) -> Self {
        Self { policy, sealed: VecDeque::new(), open: Segment::default(), forgotten: 0 }
    }

    /// Takes the next frame and forgets what the bounds no longer hold.
    pub fn push(&mut self, tapped: &Tapped) {
        if !self.open.has_room(tapped.bytes.len().min(FRAME_MAX)) {
            self.seal();
        }
        self.open.push(tapped);
        let since = Micros(tapped.at.0.saturating_sub(self.policy.span.0));
        while self.sealed.front().is_some_and(|first| first.last < since)
            || (self.memory_bytes() > self.policy.memory_bytes && !self.sealed.is_empty())
        {
            self.forgotten += self.sealed.pop_front().map_or(0, |segment| segment.frames);
        }
    }

    fn seal(&mut self) {
        if self.open.frames > 0 {
            self.sealed.push_back(Arc::new(std::mem::take(&mut self.open)));
        }
    }

    /// Everything that is kept, to be written elsewhere; it stays here until [`Self::written`].
    pub fn kept(&mut self) -> Vec<Arc<Segment>> {
        self.seal();
        self.sealed.iter().cloned().collect()
    }

    /// Lets go of what is safe elsewhere.
    pub fn written(&mut self, segments: &[Arc<Segment>]) {
        let same = |kept: &Arc<Segment>| segments.iter().any(|done| Arc::ptr_eq(kept, done));
        self.sealed.retain(|kept| !same(kept));
        self.forgotten = 0;
    }

    /// Bytes that the segments take, full or not.
    pub fn memory_bytes(&self) -> usize {
        (self.sealed.len() + 1) * SEGMENT_BYTES
    }

    /// Frames that were forgotten since the last dump, because the bounds were reached.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(at: u64, len: usize) -> Tapped {
        let what = What::ALL[usize::try_from(at).expect("small") % What::ALL.len()];
        let wire = if at.is_multiple_of(2) { Wire::Serial } else { Wire::Tcp };
        let at = Micros::from_millis(at);
        Tapped { at, utc_us: 7 + at.0, bus: 300, wire, unit: 9, what, bytes: vec![0xA5; len] }
    }

    fn all(ring: &mut Ring) -> Vec<Tapped> {
        ring.kept().iter().flat_map(|segment| segment.frames().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn frames_come_back_as_they_were() {
        let mut ring = Ring::new(Policy::default());
        let given: Vec<Tapped> =
            (0..2_000).map(|n| frame(n, usize::from(n % 7 == 0) * 90)).collect();
        given.iter().for_each(|tapped| ring.push(tapped));
        assert_eq!(all(&mut ring), given);
        let kept = ring.kept();
        ring.push(&frame(2_000, 8));
        ring.written(&kept);
        assert_eq!(all(&mut ring), [frame(2_000, 8)], "what was written is not kept twice");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let policy = Policy { memory_bytes: 4 * SEGMENT_BYTES, ..Policy::default() };
        let mut ring = Ring::new(policy);
        for n in 0..20_000 {
            ring.push(&frame(n, 200));
            assert!(ring.memory_bytes() <= policy.memory_bytes);
        }
        let kept = all(&mut ring);
        assert_eq!(kept.last(), Some(&frame(19_999, 200)));
        let count = u64::try_from(kept.len()).expect("few");
        assert_eq!(kept[0], frame(20_000 - count, 200), "without a gap");
        assert_eq!(ring.forgotten(), 20_000 - count);
        assert!(count > 800, "{count}");
    }

    #[test]
    fn old_frames_are_forgotten() {
        let policy = Policy { span: Micros::from_secs(10), ..Policy::default() };
        let mut ring = Ring::new(policy);
        for n in 0..60_000 {
            ring.push(&frame(n, 60));
        }
        let kept = all(&mut ring);
        let (first, last) = (kept[0].at, kept[kept.len() - 1].at);
        let span = last.since(first);
        assert!(span >= policy.span && span <= Micros::from_secs(11), "{span:?}");
    }

    #[test]
    fn a_frame_without_end_is_cut() {
        let mut ring = Ring::new(Policy::default());
        ring.push(&frame(0, 100_000));
        assert_eq!(all(&mut ring)[0].bytes.len(), FRAME_MAX);
    }
}
