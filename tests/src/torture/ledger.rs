//! What truly happened at the nodes, and what the host made durable of it.
//!
//! The truth side is written by whoever drives a node: its edges, its device's lines, the arms and
//! outputs that it was seen to take and end. The host side is fed with inputs in the order in which
//! they became durable. Each ring entry of the truth must be told exactly once, in order; where
//! entries are missing, exactly so many must have been named as lost, or their boot must be over.

mod arms;
mod positions;

use arms::Arms;
use line_model::ids::NodeId;
use line_model::signal::{ArmEnd, Input, Read};
use positions::Positions;
use std::collections::VecDeque;

/// Violations after which a run is not worth going on.
const VIOLATIONS_MAX: usize = 12;
/// Entries remembered as told, to tell "doubled" from "invented".
const TOLD: usize = 400;

/// Content of one ring entry or of entries that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An input changed, at this reading of the node's clock.
    Edge {
        /// Which input.
        input: u8,
        /// Its new level.
        active: bool,
        /// The node's clock at the first transition.
        ms: u32,
    },
    /// Codes of one trigger.
    Codes(Vec<String>),
    /// A trigger without a read.
    NoRead,
    /// A code over the limit.
    TooLong,
    /// A read that belongs to no trigger.
    Unassigned(u16),
    /// A weight and a size.
    Measured(Option<u32>, [u16; 3]),
    /// The arm with this tag ended.
    Ended(u32),
    /// The host was silent for the lease.
    LeaseExpired,
}

impl What {
    /// Sequence numbers that it takes.
    fn numbers(&self) -> u64 {
        match self {
            Self::Codes(codes) => codes.len() as u64,
            Self::Edge { .. }
            | Self::NoRead
            | Self::TooLong
            | Self::Unassigned(_)
            | Self::Measured(..)
            | Self::Ended(_)
            | Self::LeaseExpired => 1,
        }
    }

    const fn is_read(&self) -> bool {
        matches!(self, Self::Codes(_) | Self::NoRead | Self::TooLong)
    }
}

/// An entry that the host has not told yet.
#[derive(Clone, Debug)]
struct Entry {
    /// The node's handling in which it arose: entries of one may be told in any order.
    call: u64,
    at: u64,
    /// Where the belt stood, in counts.
    belt: i64,
    what: What,
}

#[derive(Clone, Debug)]
struct Boot {
    id: u16,
    pending: VecDeque<Entry>,
}

impl Boot {
    /// A group of codes that a crash or a restart has cut is told as uncertain: its place, when the
    /// host would otherwise have passed over more than `credit` entries on the way to `exact`.
    fn cut_group(&self, exact: Option<usize>, credit: u64) -> Option<usize> {
        let before = |place: usize| -> u64 {
            self.pending.iter().take(place).map(|entry| entry.what.numbers()).sum()
        };
        if exact.is_some_and(|place| before(place) <= credit) {
            return None;
        }
        let cut = |entry: &Entry| matches!(&entry.what, What::Codes(codes) if codes.len() > 1);
        let fits = |place: &usize| before(*place) <= credit && cut(&self.pending[*place]);
        (0..self.pending.len()).filter(|place| self.pending[*place].what.is_read()).find(fits)
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    boots: Vec<Boot>,
    /// The boot that the host has told of.
    heard: Option<usize>,
    /// Numbers named as lost that no missing entry has used up yet.
    credit: u64,
    told: VecDeque<What>,
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Ring entries that arose.
    pub arose: u64,
    /// Entries told and found right.
    pub told: u64,
    /// Losses by overflow that were named, and the entries in them.
    pub losses: u64,
    /// Entries in those.
    pub lost: u64,
    /// Restarts of nodes named to the line.
    pub gaps: u64,
    /// Entries that a restarted node had not handed over.
    pub in_gaps: u64,
    /// Reads whose codes were cut by a crash or restart and told as uncertain.
    pub uncertain_reads: u64,
    /// Arms that nodes took.
    pub arms: u64,
    /// Arms fired.
    pub fired: u64,
    /// Arms whose node restarted before it told their end.
    pub arms_restarted: u64,
    /// Commands executed.
    pub executed: u64,
    /// Output values seen at nodes.
    pub values: u64,
    /// Frames of a second master heard by nodes.
    pub usurpers: u64,
    /// Positions compared with the belt's truth.
    pub positions: u64,
    /// Arms found on nodes by a restarted host.
    pub adopted: u64,
}

impl Figures {
    /// Adds those of another run.
    pub const fn add(&mut self, other: &Self) {
        self.arose += other.arose;
        self.told += other.told;
        self.losses += other.losses;
        self.lost += other.lost;
        self.gaps += other.gaps;
        self.in_gaps += other.in_gaps;
        self.uncertain_reads += other.uncertain_reads;
        self.arms += other.arms;
        self.fired += other.fired;
        self.arms_restarted += other.arms_restarted;
        self.executed += other.executed;
        self.values += other.values;
        self.usurpers += other.usurpers;
        self.positions += other.positions;
        self.adopted += other.adopted;
    }
}

/// Truth and what was told of it.
#[derive(Clone, Debug)]
pub struct Ledger {
    nodes: Vec<Node>,
    pub(super) arms: Arms,
    positions: Positions,
    crashed_at: u64,
    /// What went wrong, in order.
    pub violations: Vec<String>,
    /// Counts.
    pub figures: Figures,
}

impl Ledger {
    /// Builds the ledger of so many nodes.
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes: vec![Node::default(); nodes],
            arms: Arms::default(),
            positions: Positions::new(nodes),
            crashed_at: 0,
            violations: Vec::new(),
            figures: Figures::default(),
        }
    }

    /// Whether enough has gone wrong.
    pub fn is_hopeless(&self) -> bool {
        self.violations.len() >= VIOLATIONS_MAX
    }

    pub(super) fn violation(&mut self, at: u64, text: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(format!("{}.{:06} s: {text}", at / 1_000_000, at % 1_000_000));
        }
    }

    /// Where the host's frame begins, in counts of the belt; `None` while that is not known.
    pub(super) const fn frame_offset(&self) -> Option<i64> {
        self.positions.offset()
    }

    /// Truth: a node has booted.
    pub fn booted(&mut self, node: usize, id: u16) {
        self.nodes[node].boots.push(Boot { id, pending: VecDeque::new() });
        self.arms.rebooted(node);
        if node == 0 {
            self.positions.forget();
        }
    }

    /// Truth: an entry has arisen.
    pub fn arose(&mut self, node: usize, call: u64, at: u64, belt: i64, what: What) {
        self.figures.arose += what.numbers();
        let boot = self.nodes[node].boots.last_mut().expect("it has booted");
        boot.pending.push_back(Entry { call, at, belt, what });
    }

    /// Truth: the host has lost its power and everything that was not durable.
    pub fn crashed(&mut self, at: u64) {
        self.crashed_at = at;
        self.positions.forget();
        self.arms.host_crashed();
    }

    /// Host: an input of a node in this boot is durable.
    pub fn heard(&mut self, at: u64, node: usize, boot_id: u16, input: &Input) {
        if let Input::NodeUp { restarted, .. } = input {
            return self.up(at, node, boot_id, *restarted);
        }
        let (what, position) = match input {
            Input::EventsLost { entries, .. } => {
                self.figures.losses += 1;
                self.figures.lost += u64::from(*entries);
                self.nodes[node].credit += u64::from(*entries);
                return;
            }
            Input::Landing { chute, active, at, ms } => {
                let (of, input) = super::host::input_of(*chute);
                assert_eq!(of, node, "roles are given by us");
                (What::Edge { input, active: *active, ms: ms.0 }, Some(*at))
            }
            Input::Read { at, read, .. } => {
                let what = match read {
                    Read::Codes(codes) => What::Codes(codes.clone()),
                    Read::NoRead => What::NoRead,
                    Read::TooLong => What::TooLong,
                };
                (what, Some(*at))
            }
            Input::Unassigned { at, trigger, .. } => {
                (What::Unassigned(trigger.unwrap_or_default()), Some(*at))
            }
            Input::Measured { at, weight, size_mm, .. } => {
                (What::Measured(weight.map(|grams| grams.0), *size_mm), Some(*at))
            }
            Input::ArmEnded { tag, end, at: position, .. } => {
                let fired = matches!(end, ArmEnd::Fired { .. });
                if let Some(text) = self.arms.told(tag.0, fired) {
                    self.violation(at, text);
                }
                (What::Ended(tag.0), Some(*position))
            }
            Input::LeaseExpired { .. } => (What::LeaseExpired, None),
            Input::Adopted { tags, .. } => {
                self.figures.adopted += tags.len() as u64;
                let strange = tags.iter().find(|tag| !self.arms.was_taken(tag.0));
                if let Some(tag) = strange.copied() {
                    self.violation(at, format!("node {node}: adopts {tag:?} that it never took"));
                }
                return;
            }
            Input::MapSpread { spread, .. } => return self.positions.told_spread(node, spread.0),
            Input::ArmAnswered { .. }
            | Input::Withheld { .. }
            | Input::NodeDown { .. }
            | Input::Timer => return,
            other => return self.violation(at, format!("node {node}: unexpected {other:?}")),
        };
        self.told(at, node, boot_id, &what, position.map(|position| position.at));
    }

    /// Host: the node is up, in the boot known or in a new one.
    fn up(&mut self, at: u64, node: usize, boot_id: u16, restarted: bool) {
        let found = &mut self.nodes[node];
        let known = found.boots.iter().rposition(|boot| boot.id == boot_id);
        let Some(known) = known else {
            return self
                .violation(at, format!("node {node}: up in boot {boot_id}, which never was"));
        };
        match (found.heard, restarted) {
            (Some(heard), false) if heard == known => {}
            (heard, true) if heard.is_none_or(|heard| heard < known) => {
                let mut credit = core::mem::take(&mut found.credit);
                found.heard = Some(known);
                let past = found.boots[heard.unwrap_or_default()..known].iter_mut();
                let missing: Vec<Entry> = past.flat_map(|boot| boot.pending.drain(..)).collect();
                self.figures.gaps += u64::from(heard.is_some());
                for entry in missing {
                    let numbers = entry.what.numbers();
                    match credit.checked_sub(numbers) {
                        Some(left) => credit = left,
                        None => self.figures.in_gaps += numbers,
                    }
                    if let What::Ended(_) = entry.what {
                        self.figures.arms_restarted += 1;
                    }
                }
            }
            (heard, _) => {
                let text = format!(
                    "node {node}: up in boot number {known} (restarted: {restarted}) after {heard:?}"
                );
                self.violation(at, text);
                self.nodes[node].heard = Some(known);
            }
        }
    }

    fn told(&mut self, at: u64, node: usize, boot_id: u16, what: &What, position: Option<i64>) {
        let found = &mut self.nodes[node];
        let Some(boot) = found.heard.and_then(|heard| found.boots.get_mut(heard)) else {
            return self.violation(at, format!("node {node}: {what:?} before it was up"));
        };
        if boot.id != boot_id {
            let text = format!("node {node}: {what:?} of boot {boot_id}, told of is {}", boot.id);
            return self.violation(at, text);
        }
        let exact = boot.pending.iter().position(|entry| entry.what == *what);
        let cut = boot.cut_group(exact, found.credit).filter(|_| *what == What::TooLong);
        let (place, uncertain) = (cut.or(exact), cut.is_some());
        let Some(place) = place else {
            let kind = if found.told.contains(what) { "doubled" } else { "wrong or invented" };
            return self.violation(at, format!("node {node}: {kind}: {what:?}"));
        };
        let entry = boot.pending.remove(place).expect("just found");
        let current = found.heard == Some(found.boots.len() - 1);
        if uncertain {
            self.figures.uncertain_reads += 1;
            if current && self.crashed_at < entry.at {
                self.violation(at, format!("node {node}: {:?} told as too long", entry.what));
            }
        }
        self.pass_over(at, node, place, entry.call);
        self.figures.told += entry.what.numbers();
        let found = &mut self.nodes[node];
        found.told.push_back(entry.what);
        if found.told.len() > TOLD {
            found.told.pop_front();
        }
        if let Some(position) = position {
            let wrong = self.positions.compare(node, current, position, entry.belt);
            self.figures.positions = self.positions.compared;
            if let Some(off) = wrong {
                self.violation(at, format!("node {node}: {what:?} is {off} counts off"));
            }
        }
    }

    /// Entries before `place` that the host has passed over must have been named as lost.
    fn pass_over(&mut self, at: u64, node: usize, place: usize, call: u64) {
        let found = &mut self.nodes[node];
        let Some(boot) = found.heard.and_then(|heard| found.boots.get_mut(heard)) else { return };
        let (mut silent, mut siblings) = (Vec::new(), VecDeque::new());
        for entry in boot.pending.drain(..place) {
            let numbers = entry.what.numbers();
            if entry.call == call {
                siblings.push_back(entry);
            } else if found.credit >= numbers {
                found.credit -= numbers;
            } else {
                silent.push(entry);
            }
        }
        let left = found.credit;
        let related = !siblings.is_empty() || boot.pending.front().is_some_and(|e| e.call == call);
        siblings.append(&mut boot.pending);
        boot.pending = siblings;
        if left > 0 && !related {
            found.credit = 0;
            self.violation(at, format!("node {node}: {left} more named as lost than are missing"));
        }
        for entry in silent {
            self.violation(at, format!("node {node}: lost silently: {entry:?}"));
        }
    }

    /// At rest: everything of the boots that live must have been told.
    pub fn finish(&mut self, at: u64) {
        for node in 0..self.nodes.len() {
            let found = &mut self.nodes[node];
            let last = found.boots.len() - 1;
            if found.heard != Some(last) {
                let text = format!("node {node}: boot {last} never told, {:?} was", found.heard);
                self.violation(at, text);
                continue;
            }
            let pending = found.boots[last].pending.len();
            self.pass_over(at, node, pending, u64::MAX);
        }
        for text in self.arms.finish() {
            self.violation(at, text);
        }
        self.figures.arms = self.arms.taken;
        self.figures.fired = self.arms.fired;
    }

    /// Host: an order's fate as the line was told it, durable or not.
    pub fn answered(&mut self, at: u64, input: &Input) {
        let text = match input {
            Input::ArmAnswered { tag, taken: true } => self.arms.said_taken(tag.0),
            Input::ArmAnswered { tag, taken: false } | Input::Withheld { tag } => {
                self.arms.said_refused(tag.0)
            }
            _ => None,
        };
        if let Some(text) = text {
            self.violation(at, text);
        }
    }
}

/// The index of a node.
pub fn index(node: NodeId) -> usize {
    usize::from(node.0)
}
