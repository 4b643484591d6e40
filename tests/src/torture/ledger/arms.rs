//! Arms, from the node's taking them to their one end.

use registers::exchange::{Arm, Side};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use units::Counts;

/// Counts that a bed may fire late, as the wire contract has it.
const LATE_COUNTS: i32 = 60;
/// Head edges remembered of each node.
const HEADS: usize = 64;

#[derive(Clone, Debug)]
struct Taken {
    arm: Arm,
    node: usize,
    ended: u32,
    fired: bool,
    told: u32,
    /// Its node has restarted.
    over: bool,
}

/// Every arm of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arms {
    arms: BTreeMap<u32, Taken>,
    /// Tags that the host was told are not on a node.
    refused: BTreeSet<u32>,
    heads: BTreeMap<usize, VecDeque<Counts>>,
    pub(crate) taken: u64,
    pub(crate) fired: u64,
}

impl Arms {
    /// Truth: a node has restarted.
    pub(super) fn rebooted(&mut self, node: usize) {
        self.heads.remove(&node);
        self.arms.values_mut().filter(|arm| arm.node == node).for_each(|arm| arm.over = true);
    }

    pub(super) fn host_crashed(&mut self) {
        // What it was told and had not made durable, it is told again, perhaps otherwise.
        self.refused.clear();
    }

    /// Truth: a head edge was driven at this count of the node.
    pub(crate) fn head(&mut self, node: usize, count: Counts) {
        let heads = self.heads.entry(node).or_default();
        heads.push_back(count);
        if heads.len() > HEADS {
            heads.pop_front();
        }
    }

    /// Truth: a node has taken an arm.
    pub(crate) fn take(&mut self, node: usize, arm: Arm) -> Option<String> {
        self.taken += 1;
        let new = Taken { arm, node, ended: 0, fired: false, told: 0, over: false };
        if self.arms.insert(arm.tag, new).is_some() {
            return Some(format!("node {node}: arm {} executed twice", arm.tag));
        }
        let refused = self.refused.contains(&arm.tag);
        refused.then(|| {
            format!("node {node}: took arm {}, of which the line knows it cannot", arm.tag)
        })
    }

    /// Truth: an arm has left the node's list.
    pub(crate) fn end(&mut self, tag: u32) -> Option<String> {
        let Some(arm) = self.arms.get_mut(&tag) else {
            return Some(format!("arm {tag} ended and was never taken"));
        };
        arm.ended += 1;
        (arm.ended > 1).then(|| format!("arm {tag} ended {} times", arm.ended))
    }

    /// Truth: a bed has turned at this count; `left` are the arms that ended in the same instant.
    pub(crate) fn fire(
        &mut self,
        node: usize,
        side: Side,
        now: Counts,
        left: &[u32],
    ) -> Option<String> {
        let heads = self.heads.get(&node).cloned().unwrap_or_default();
        let due = |taken: &Taken| {
            let arm = &taken.arm;
            let in_window =
                |head: &Counts| head.since(arm.window_from) >= 0 && arm.window_to.since(*head) >= 0;
            let at = |head: &Counts| {
                let late = now.since(head.plus(i32::from(arm.delay)));
                (0..=LATE_COUNTS).contains(&late)
            };
            arm.side == side && heads.iter().any(|head| in_window(head) && at(head))
        };
        let mut fits = left.iter().filter(|tag| self.arms.get(tag).is_some_and(due));
        let (first, more) = (fits.next().copied(), fits.next());
        let Some(tag) = first.filter(|_| more.is_none()) else {
            return Some(format!(
                "node {node}: turned {side:?} at {now:?} outside every window; ended {left:?}"
            ));
        };
        self.fired += 1;
        let arm = self.arms.get_mut(&tag)?;
        let twice = core::mem::replace(&mut arm.fired, true);
        twice.then(|| format!("node {node}: arm {tag} fired twice"))
    }

    /// Host: the end of an arm is told.
    pub(super) fn told(&mut self, tag: u32, fired: bool) -> Option<String> {
        let Some(arm) = self.arms.get_mut(&tag) else {
            return Some(format!("the end of arm {tag} is told, which was never taken"));
        };
        arm.told += 1;
        if arm.told > 1 {
            return Some(format!("the end of arm {tag} is told {} times", arm.told));
        }
        (arm.fired != fired).then(|| format!("arm {tag}: fired {}, told {fired}", arm.fired))
    }

    /// Host: the line is told that an arm is on its node.
    pub(super) fn said_taken(&self, tag: u32) -> Option<String> {
        (!self.was_taken(tag)).then(|| format!("arm {tag} is told as taken and was not"))
    }

    /// Host: the line is told that an arm is not on its node and will not be.
    pub(super) fn said_refused(&mut self, tag: u32) -> Option<String> {
        self.refused.insert(tag);
        let arm = self.arms.get(&tag).filter(|arm| !arm.over);
        arm.map(|arm| format!("arm {tag} is told as not taken and is on node {}", arm.node))
    }

    pub(super) fn was_taken(&self, tag: u32) -> bool {
        self.arms.contains_key(&tag)
    }

    /// At rest: every arm has ended once, or its node has restarted.
    pub(super) fn finish(&self) -> Vec<String> {
        let open = self.arms.iter().filter(|(_, arm)| !arm.over && arm.ended != 1);
        open.map(|(tag, arm)| format!("arm {tag} ended {} times: {arm:?}", arm.ended)).collect()
    }
}
