//! The return conveyor: from the end of the sorter belt back to the beginning of the infeed, in order.
//! It runs by itself and lets parcels wait at its end until the infeed has room.

use super::parcel::Body;
use crate::rng::Rng;
use std::collections::VecDeque;

/// What a return conveyor is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundPlan {
    /// How long parcels take over it, in µs.
    pub transit_us: [u64; 2],
    /// Parcels with which its full eye is blocked.
    pub holds: u64,
}

/// A parcel on it.
#[derive(Clone, Debug)]
struct OnRound {
    /// Its place in the truth.
    parcel: usize,
    body: Body,
    /// When it comes to the infeed, in µs.
    due: u64,
}

/// The return conveyor.
#[derive(Clone, Debug)]
pub(super) struct Round {
    plan: RoundPlan,
    rng: Rng,
    /// In order; the first one comes to the infeed next.
    on_it: VecDeque<OnRound>,
}

impl Round {
    pub(super) const fn new(plan: RoundPlan, rng: Rng) -> Self {
        Self { plan, rng, on_it: VecDeque::new() }
    }

    /// A parcel has come onto it at `at`.
    pub(super) fn take(&mut self, parcel: usize, body: Body, at: u64) {
        let ahead = self.on_it.back().map_or(0, |ahead| ahead.due + 1);
        let due = (at + self.rng.span(self.plan.transit_us)).max(ahead);
        self.on_it.push_back(OnRound { parcel, body, due });
    }

    /// Who comes next, and when.
    pub(super) fn next(&self) -> Option<(&Body, u64)> {
        self.on_it.front().map(|next| (&next.body, next.due))
    }

    /// Who waits at the infeed at `now`.
    pub(super) fn waiting(&self, now: u64) -> Option<&Body> {
        self.next().filter(|(_, due)| *due <= now).map(|(body, _)| body)
    }

    /// Takes the next one off at the infeed.
    pub(super) fn give(&mut self) -> Option<(usize, Body)> {
        self.on_it.pop_front().map(|next| (next.parcel, next.body))
    }

    /// Somebody takes a parcel off; false when it is not there.
    pub(super) fn remove(&mut self, parcel: usize) -> bool {
        let before = self.on_it.len();
        self.on_it.retain(|one| one.parcel != parcel);
        self.on_it.len() < before
    }

    pub(super) fn pieces(&self) -> u64 {
        u64::try_from(self.on_it.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.on_it.is_empty()
    }
}
