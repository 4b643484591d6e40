//! Common edges: one parcel's head at two eyes of known distance fits their nodes' counts together.
//!
//! Two nodes on one serial bus are latched more exactly than any parcel can tell; a node that only
//! has a bracket (on TCP) is told by each parcel that passes a better known eye before one of its
//! own where its counts lie, give or take slip and the tolerance of the eyes.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use line_model::ids::{EyeId, NodeId};
use units::{Distance, Position};

/// Heads that are remembered: two for each eye of a long line.
const HEADS_MAX: usize = 64;

/// Where the eyes look, and how far a parcel may slip between two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sights {
    /// Place of each eye by its id, in counts of the belt along the path.
    pub eyes: Vec<Distance>,
    /// Tolerance of a sighting.
    pub tolerance: Distance,
    /// A parcel may arrive early by this share of the way.
    pub early_permille: u16,
    /// A parcel may arrive late by this share of the way.
    pub late_permille: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    eye: EyeId,
    node: NodeId,
    at: Position,
    spread: Distance,
}

/// Heads seen lately by any node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    sights: Option<Sights>,
    heads: VecDeque<Head>,
}

impl Edges {
    /// Nothing seen yet.
    pub(crate) const fn new() -> Self {
        Self { sights: None, heads: VecDeque::new() }
    }

    /// Says where the eyes are.
    pub(crate) fn set(&mut self, sights: Sights) {
        self.sights = Some(sights);
    }

    /// Forgets every head: their frame is gone.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
    }

    /// Takes a head at `eye` of `node`; returns where the belt must have stood for it when exactly
    /// one head at a better known eye upstream can have been the same parcel's.
    pub(crate) fn head(
        &mut self,
        node: NodeId,
        eye: EyeId,
        at: Position,
        spread: Distance,
    ) -> Option<(Position, Position)> {
        let found = self.common(node, eye, at, spread);
        if self.heads.len() >= HEADS_MAX {
            self.heads.pop_front();
        }
        self.heads.push_back(Head { eye, node, at, spread });
        found
    }

    fn common(
        &self,
        node: NodeId,
        eye: EyeId,
        at: Position,
        spread: Distance,
    ) -> Option<(Position, Position)> {
        let sights = self.sights.as_ref()?;
        let there = sights.eyes.get(usize::from(eye.0))?;
        // The induction eye sees parcels that are still drawn from a slower belt.
        for upstream in (1..eye.0).rev().map(EyeId) {
            let way = Distance(there.0 - sights.eyes.get(usize::from(upstream.0))?.0);
            let mut fitting = self.heads.iter().filter(|head| {
                let better = head.node != node && head.spread < spread;
                head.eye == upstream && better && sights.window(head, way).holds(at, spread)
            });
            let Some(one) = fitting.next() else { continue };
            let window = sights.window(one, way);
            let taken = |head: &Head| head.eye == eye && window.holds(head.at, head.spread);
            if fitting.next().is_some() || self.heads.iter().any(taken) {
                return None;
            }
            return Some((window.from, window.to));
        }
        None
    }
}

struct Span {
    from: Position,
    to: Position,
}

impl Span {
    fn holds(&self, at: Position, spread: Distance) -> bool {
        at.plus(spread).since(self.from).0 >= 0 && self.to.since(at.minus(spread)).0 >= 0
    }
}

impl Sights {
    /// Where a head must be seen that was seen by `head` and has come `way` since.
    fn window(&self, head: &Head, way: Distance) -> Span {
        let share = |permille: u16| Distance(way.0 * i64::from(permille) / 1_000);
        let fixed = self.tolerance.plus(head.spread);
        let nominal = head.at.plus(way);
        Span {
            from: nominal.minus(fixed.plus(share(self.early_permille))),
            to: nominal.plus(fixed.plus(share(self.late_permille))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::EncoderId;

    fn at(at: i64) -> Position {
        Position::new(EncoderId(0), at)
    }

    fn edges() -> Edges {
        let mut edges = Edges::new();
        edges.set(Sights {
            eyes: [0, 1_000, 3_000].map(Distance).to_vec(),
            tolerance: Distance(20),
            early_permille: 0,
            late_permille: 10,
        });
        edges
    }

    const EXACT: Distance = Distance(2);
    const LOOSE: Distance = Distance(60);

    #[test]
    fn a_unique_head_upstream_says_where_the_belt_was() {
        let mut edges = edges();
        assert_eq!(edges.head(NodeId(0), EyeId(1), at(5_000), EXACT), None);
        let found = edges.head(NodeId(1), EyeId(2), at(7_050), LOOSE);
        assert_eq!(found, Some((at(7_000 - 22), at(7_000 + 22 + 20))));
        assert_eq!(edges.head(NodeId(1), EyeId(2), at(7_060), LOOSE), None, "taken already");
    }

    #[test]
    fn two_candidates_a_worse_eye_and_the_induction_eye_say_nothing() {
        let mut two = edges();
        two.head(NodeId(0), EyeId(1), at(5_000), EXACT);
        two.head(NodeId(0), EyeId(1), at(5_060), EXACT);
        assert_eq!(two.head(NodeId(1), EyeId(2), at(7_030), LOOSE), None);
        let mut worse = edges();
        worse.head(NodeId(0), EyeId(1), at(5_000), LOOSE);
        assert_eq!(worse.head(NodeId(1), EyeId(2), at(7_000), LOOSE), None);
        let mut first = edges();
        first.head(NodeId(0), EyeId(0), at(4_000), EXACT);
        assert_eq!(first.head(NodeId(1), EyeId(2), at(7_000), LOOSE), None);
        let mut far = edges();
        far.head(NodeId(0), EyeId(1), at(5_000), EXACT);
        assert_eq!(far.head(NodeId(1), EyeId(2), at(7_200), LOOSE), None);
    }
}
