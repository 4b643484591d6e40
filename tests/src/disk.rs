//! A journal on virtual time: commits take time, a batch is what queued during the last commit.
//!
//! Every record that becomes durable is replayed at once, by the product's own replay: no run on
//! virtual time can leave a journal behind that does not replay to the bit.

use line_engine::{Record, chain};
use line_model::Memory;
use line_model::layout::Layout;
use line_sim::rng::Rng;
use sortline::replay::{Beginning, Difference, Replay};
use units::Micros;

/// What stands on the virtual disk.
#[derive(Clone)]
pub struct Disk {
    /// Every committed record's bytes, in order.
    pub records: Vec<Vec<u8>>,
    /// Marks by node, as the last commit left them.
    pub marks: std::collections::BTreeMap<u8, node_link::Mark>,
    /// State of the line behind some records: number and bytes, oldest first.
    pub snapshots: Vec<(u64, Vec<u8>)>,
    head: chain::Head,
    replay: Replay,
    /// A saboteur may change decisions: a difference is kept here, and is no panic.
    tampered: bool,
    different: Option<Box<Difference>>,
    queued: Vec<Record>,
    writing: Vec<Record>,
    done_at: Option<Micros>,
    stalled: bool,
    latency: Rng,
}

impl Disk {
    /// An empty journal of a line with this layout, with commit latencies drawn from `latency`.
    pub fn new(layout: &Layout, latency: Rng) -> Self {
        Self {
            replay: Replay::new(layout, Beginning::NOTHING).expect("nothing fits every layout"),
            tampered: false,
            different: None,
            records: Vec::new(),
            marks: std::collections::BTreeMap::new(),
            snapshots: Vec::new(),
            head: chain::Head::START,
            queued: Vec::new(),
            writing: Vec::new(),
            done_at: None,
            stalled: false,
            latency,
        }
    }

    /// Queues records; the next commit starts at once when none is under way.
    pub fn append(&mut self, now: Micros, records: impl IntoIterator<Item = Record>) {
        self.queued.extend(records);
        self.start(now);
    }

    /// Stops or resumes the writer, as a full or dying disk does.
    pub fn stall(&mut self, now: Micros, stalled: bool) {
        self.stalled = stalled;
        self.start(now);
    }

    /// Instant at which the commit under way is durable.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.done_at.filter(|_| !self.stalled)
    }

    /// Finishes the commit that is due; returns the last durable record's number.
    pub fn finish(&mut self, now: Micros) -> Option<u64> {
        self.next_deadline().filter(|at| *at <= now)?;
        self.done_at = None;
        let mut last = None;
        for record in core::mem::take(&mut self.writing) {
            last = Some(record.number);
            self.keep(record);
        }
        self.start(now);
        last
    }

    fn keep(&mut self, record: Record) {
        self.head.extend(&record.bytes);
        for mark in &record.marks {
            self.marks.insert(mark.node.0, *mark);
        }
        self.repeat(&record.bytes);
        self.records.push(record.bytes);
    }

    /// Replays a record that is durable now.
    fn repeat(&mut self, bytes: &[u8]) {
        if self.different.is_some() {
            return;
        }
        let step = self.replay.step(bytes).unwrap_or_else(|fault| panic!("failed to {fault}"));
        if let Some(difference) = step.difference() {
            assert!(self.tampered, "failed to {difference}");
            self.different = Some(Box::new(difference));
        }
    }

    /// From now on somebody may change decisions before they are recorded.
    pub fn expect_differences(&mut self) {
        self.tampered = true;
    }

    /// The first record whose decisions the line does not repeat; only where a saboteur was at work.
    pub fn different(&self) -> Option<&Difference> {
        self.different.as_deref()
    }

    /// The line's state behind the last durable record, by replay of all of them.
    pub fn replayed(&self) -> &Memory {
        self.replay.line().memory()
    }

    /// The newest snapshot whose record is durable.
    pub fn newest_snapshot(&self) -> Option<&(u64, Vec<u8>)> {
        let durable = self.records.len() as u64;
        self.snapshots.iter().rev().find(|(number, _)| *number <= durable)
    }

    /// Number of the last record handed over, durable or not.
    pub fn offered(&self) -> u64 {
        let waiting = self.writing.len() + self.queued.len();
        (self.records.len() + waiting) as u64
    }

    /// The bytes of the records handed over and not durable yet, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Record> {
        self.writing.iter().chain(&self.queued)
    }

    /// Whether nothing waits to become durable.
    pub fn idle(&self) -> bool {
        self.done_at.is_none() && self.queued.is_empty()
    }

    /// Power is cut just behind the commit of record `last`, before anybody heard of it.
    pub fn cut_behind(&mut self, last: u64) {
        let waiting = core::mem::take(&mut self.writing).into_iter();
        let waiting: Vec<Record> = waiting.chain(core::mem::take(&mut self.queued)).collect();
        waiting.into_iter().filter(|record| record.number <= last).for_each(|r| self.keep(r));
        self.cut();
    }

    /// Power is cut: what was not durable is gone.
    pub fn cut(&mut self) {
        self.queued.clear();
        self.writing.clear();
        self.done_at = None;
        self.stalled = false;
    }

    /// Head of the chain over the durable records.
    pub fn head(&self) -> chain::Head {
        self.head
    }

    fn start(&mut self, now: Micros) {
        if self.done_at.is_none() && !self.stalled && !self.queued.is_empty() {
            self.writing = std::mem::take(&mut self.queued);
            // 0.8-4 ms: an SSD with power-loss protection; never 0, so that order shows.
            self.done_at = Some(now.plus(Micros(self.latency.span([800, 4_000]))));
        }
    }
}
