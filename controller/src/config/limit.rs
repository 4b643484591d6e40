//! Geometric limits: throughput with gaps as small as the layout can know to suffice.
//!
//! A line whose scanner stands behind the gapping belt makes every gap as large as its largest need;
//! one that reads before it could make each gap as large as the two parcels' ways need it. Both add
//! 2.2 σ of the gaps, so that 1 % are too small.

use super::build::{Line, to_counts};
use super::geometry::SIGMA_TENTHS;
use super::manifest::Manifest;
use line_model::ids::{ChuteNo, DiverterId};
use line_model::layout::{ChuteRole, DiverterPlace, Layout};
use line_model::plan::{Allocation, Plan};
use units::Distance;

/// Gap between two parcels for which no bed changes its state (line-practice: about 0.25 m).
const SAME_STATE_MM: i64 = 250;

/// Where a parcel leaves the belt: a chute, or `None` at the end.
pub type Destination = Option<ChuteNo>;

impl Line {
    /// Parcels an hour when codes are read after gapping: every gap is the line's largest need.
    pub fn geometric_limit_per_hour(&self) -> u32 {
        self.per_hour(self.engine.layout.limits.gap_target)
    }

    /// Parcels an hour of this sequence when codes are read before gapping: each gap is what the two
    /// parcels beside it need. Without two parcels as after gapping.
    pub fn limit_before_gapping_per_hour(&self, sequence: &[Destination]) -> u32 {
        let gaps = sequence.windows(2).map(|two| self.need(two[0], two[1]).0);
        let pairs = i64::try_from(gaps.len()).unwrap_or(i64::MAX);
        if pairs == 0 {
            return self.geometric_limit_per_hour();
        }
        let sigma = i64::from(self.file.gap.sigma_mm) * SIGMA_TENTHS / 10;
        let mean = gaps.sum::<i64>() / pairs;
        self.per_hour(Distance(mean + self.counts(sigma).0))
    }

    fn counts(&self, mm: i64) -> Distance {
        to_counts(mm, self.engine.layout.counts_per_metre)
    }

    fn per_hour(&self, gap: Distance) -> u32 {
        let layout = &self.engine.layout;
        let mean = self.counts(i64::from(self.file.gap.mean_length_mm));
        let pitch = gap.plus(mean).0.max(1);
        let counts_per_hour =
            u64::from(layout.speed.0) * u64::from(layout.counts_per_metre) * 3_600 / 1_000;
        let limit = counts_per_hour / pitch.unsigned_abs();
        u32::try_from(limit).unwrap_or(u32::MAX)
    }

    /// Tail-to-head gap that two parcels need, in counts: the largest of the beds that both pass.
    pub fn need(&self, ahead: Destination, behind: Destination) -> Distance {
        let layout = &self.engine.layout;
        let same = self.counts(SAME_STATE_MM);
        if ahead == behind {
            return same;
        }
        let bed = |chute: Destination| {
            chute.and_then(|chute| layout.chute(chute)).map(|chute| chute.diverter)
        };
        let place = |bed: DiverterId| -> &DiverterPlace { layout.diverter(bed) };
        match (bed(ahead), bed(behind)) {
            // Both pass every bed straight.
            (None, None) => same,
            // The bed of the one ahead has to come home, or over, before the other one.
            (Some(first), None) => place(first).gap_after.max(same),
            (Some(first), Some(second)) if first <= second => place(first).gap_after.max(same),
            // It passed straight where the other one leaves.
            (None | Some(_), Some(second)) => place(second).gap_before.max(same),
        }
    }

    /// Each bed's name with the gaps that it needs before and behind a parcel that it diverts, in
    /// counts.
    pub fn bed_gaps(&self) -> impl Iterator<Item = (&str, Distance, Distance)> {
        let beds = self.engine.layout.diverters.iter();
        beds.map(|bed| (bed.name.as_str(), bed.gap_before, bed.gap_after))
    }
}

/// Where a manifest's items would go by a plan if all chutes were free, in the order of their waybills.
pub fn destinations(layout: &Layout, plan: &Plan, manifest: &Manifest) -> Vec<Destination> {
    let mut turns = vec![0; plan.rules.len()];
    let role = |role| layout.role(role).map(|chute| chute.number);
    let items = manifest.items.values().map(|facts| {
        if facts.barred().is_some() {
            return role(ChuteRole::Quarantine);
        }
        let fits = plan.rules.iter().enumerate().filter(|(_, rule)| {
            rule.carrier == facts.carrier && facts.route.starts_with(&rule.prefix)
        });
        let Some((number, rule)) = fits.rev().max_by_key(|(_, rule)| rule.prefix.len()) else {
            return role(ChuteRole::GeneralExceptions);
        };
        let turn: &mut usize = &mut turns[number];
        let place = match rule.allocation {
            // With every chute free the first one is the one to be filled.
            Allocation::Nearest | Allocation::Fill => 0,
            Allocation::RoundRobin | Allocation::Balance => *turn,
        };
        *turn = (place + 1) % rule.chutes.len().max(1);
        rule.chutes.get(place).copied()
    });
    items.collect()
}
