//! Routes: gates first, then the plan.

use crate::alarm::Alarm;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{ChuteNo, DiverterId, ParcelId};
use crate::layout::{ChutePlace, ChuteRole};
use crate::limits;
use crate::line::{Line, tell};
use crate::memory::PlanInForce;
use crate::parcel::{Choice, Fate, Identity, Parcel};
use crate::plan::{Allocation, Facts, Plan, Rule, Screening};
use crate::reason::Reason;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// Why an earlier choice of chute no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rechoose {
    /// Its last instant passed.
    Late,
    /// Its diverter went off.
    Off,
}

/// The gate that an item did not pass; the gravest first.
pub(crate) fn gate(facts: &Facts) -> Option<Reason> {
    match (facts.screened, facts.inspected) {
        (Screening::Rejected, _) => Some(Reason::ScreeningRejected),
        (Screening::Passed | Screening::AtHub | Screening::Unknown, false) => {
            Some(Reason::NotInspected)
        }
        (Screening::Unknown, true) => Some(Reason::NotScreened),
        (Screening::Passed | Screening::AtHub, true) => None,
    }
}

/// Position of the rule for a key: same carrier, longest fitting prefix, the first of equal ones.
fn rule_for(plan: &Plan, facts: &Facts) -> Option<usize> {
    let fits = |rule: &Rule| rule.carrier == facts.carrier && facts.route.starts_with(&rule.prefix);
    let mut best: Option<(usize, usize)> = None;
    for (index, rule) in plan.rules.iter().enumerate().filter(|(_, rule)| fits(rule)) {
        if best.is_none_or(|(_, length)| rule.prefix.len() > length) {
            best = Some((index, rule.prefix.len()));
        }
    }
    best.map(|(index, _)| index)
}

impl Line {
    /// Puts a plan in force for parcels inducted from now on.
    pub(crate) fn select_plan(&mut self, plan: Plan) {
        if self.memory.plans.last().is_some_and(|last| last.plan == plan) {
            return;
        }
        let from = ParcelId(self.memory.next_parcel);
        let oldest = self.memory.live.keys().next().copied().unwrap_or(from);
        let plans = &mut self.memory.plans;
        plans.retain(|old| old.from < from);
        while plans.len() >= limits::PLANS_MAX
            || plans.get(1).is_some_and(|next| next.from <= oldest)
        {
            plans.remove(0);
        }
        let turns = vec![0; plan.rules.len()];
        plans.push(PlanInForce { from, plan, turns });
    }

    /// Takes the manifest's answer.
    pub(crate) fn route(&mut self, id: ParcelId, facts: Option<Facts>, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        let code = match &parcel.identity {
            Identity::Asked { code } => code.clone(),
            Identity::Unread
            | Identity::Unreadable
            | Identity::Unknown { .. }
            | Identity::Known { .. } => return,
        };
        let Some(facts) = facts else {
            parcel.identity = Identity::Unknown { code };
            let (carrier, route) = (String::new(), String::new());
            tell(out, id, ParcelEvent::Routed { carrier, route });
            self.send_to_end(id, Reason::NoManifest, out);
            return;
        };
        parcel.identity = Identity::Known { code, facts: facts.clone() };
        let open = parcel.fate == Fate::Open;
        let (carrier, route) = (facts.carrier.clone(), facts.route.clone());
        tell(out, id, ParcelEvent::Routed { carrier, route });
        if self.known_waybill(id, &facts.waybill) {
            self.send_to_end(id, Reason::Duplicate, out);
        } else if open {
            self.decide(id, &facts, out);
        }
    }

    /// Gates first, then the plan of the parcel's induction.
    fn decide(&mut self, id: ParcelId, facts: &Facts, out: &mut Vec<Decision>) {
        if let Some(reason) = gate(facts) {
            self.assign_exception(id, ChuteRole::Quarantine, reason, out);
            return;
        }
        let plan = self.memory.plans.iter().rposition(|plan| plan.from <= id);
        let rule = plan.and_then(|plan| {
            rule_for(&self.memory.plans[plan].plan, facts).map(|rule| (plan, rule))
        });
        match rule {
            None => self.assign_exception(id, ChuteRole::GeneralExceptions, Reason::NoRoute, out),
            Some((plan, rule)) => self.assign(id, plan, rule, out),
        }
    }

    /// Decides an exception chute; without one, or when it cannot be had, the end of the line.
    fn assign_exception(
        &mut self,
        id: ParcelId,
        role: ChuteRole,
        reason: Reason,
        out: &mut Vec<Decision>,
    ) {
        let Some(chute) = self.layout.role(role).map(|chute| chute.number) else {
            self.send_to_end(id, reason, out);
            return;
        };
        if self.obtainable(id, chute) {
            let choice =
                Choice { chute, allowed: vec![chute], alternate: false, reason: Some(reason) };
            self.set_choice(id, choice, out);
        } else {
            self.send_to_end(id, reason, out);
        }
    }

    /// Decides one chute of a rule.
    fn assign(&mut self, id: ParcelId, plan: usize, rule: usize, out: &mut Vec<Decision>) {
        let allowed = self.memory.plans[plan].plan.rules[rule].chutes.clone();
        let start = match self.memory.plans[plan].plan.rules[rule].allocation {
            Allocation::Nearest => 0,
            Allocation::RoundRobin => {
                let turn = self.memory.plans[plan].turns[rule];
                usize::try_from(turn).unwrap_or(0) % allowed.len().max(1)
            }
        };
        let order = (0..allowed.len()).map(|step| (start + step) % allowed.len());
        let found = order.clone().find(|index| self.obtainable(id, allowed[*index]));
        match found {
            Some(index) => {
                self.memory.plans[plan].turns[rule] = u32::try_from(index + 1).unwrap_or(0);
                let chute = allowed[index];
                self.set_choice(id, Choice { chute, allowed, alternate: false, reason: None }, out);
            }
            None => {
                let reason = self.unobtainable(&allowed, Reason::RouteLate);
                self.send_to_end(id, reason, out);
            }
        }
    }

    /// Why none of these chutes can be had: off, or else `late`.
    fn unobtainable(&self, allowed: &[ChuteNo], late: Reason) -> Reason {
        let some_on = allowed
            .iter()
            .filter_map(|chute| self.layout.chute(*chute))
            .any(|chute| self.diverter_on(chute.diverter));
        if some_on { late } else { Reason::ChuteOff }
    }

    /// Looks for another chute of the same list, or gives the parcel up to the end of the line.
    pub(crate) fn rechoose(&mut self, id: ParcelId, why: Rechoose, out: &mut Vec<Decision>) {
        let Some(choice) = self.memory.live.get(&id).and_then(|parcel| parcel.fate.choice()) else {
            return;
        };
        let mut choice = choice.clone();
        let other = choice
            .allowed
            .iter()
            .copied()
            .find(|chute| *chute != choice.chute && self.obtainable(id, *chute));
        match other {
            Some(chute) => {
                choice.chute = chute;
                choice.alternate |= why == Rechoose::Off;
                self.set_choice(id, choice, out);
            }
            None => {
                let reason = match why {
                    Rechoose::Late => self.unobtainable(&choice.allowed, Reason::ArmLate),
                    Rechoose::Off => Reason::ChuteOff,
                };
                self.send_to_end(id, reason, out);
            }
        }
    }

    fn set_choice(&mut self, id: ParcelId, choice: Choice, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        let Choice { chute, alternate, reason, .. } = choice;
        parcel.fate = Fate::Assigned(choice);
        tell(out, id, ParcelEvent::Assigned { chute, alternate, reason });
    }

    /// Whether a diverter is on.
    pub(crate) fn diverter_on(&self, diverter: DiverterId) -> bool {
        let node = self.layout.diverter(diverter).node;
        self.memory.nodes[usize::from(node.0)].up
    }

    /// Whether a parcel can still be armed for a chute that is on.
    fn obtainable(&self, id: ParcelId, chute: ChuteNo) -> bool {
        let place = self.layout.chute(chute);
        let parcel = self.memory.live.get(&id);
        place.zip(parcel).is_some_and(|(place, parcel)| {
            self.diverter_on(place.diverter) && self.in_time(parcel, place)
        })
    }

    /// Whether the arm for this chute is still ahead of the parcel.
    fn in_time(&self, parcel: &Parcel, chute: &ChutePlace) -> bool {
        let arrival = self.layout.diverter(chute.diverter).eye;
        let last = parcel.last().eye;
        last < arrival
            && (last.0 + 1 < arrival.0
                || self
                    .send_by(parcel, chute.diverter)
                    .is_none_or(|send_by| send_by >= self.memory.now))
    }

    /// Sends a parcel to the end of the line, unless it has been fired or is on its way there already.
    pub(crate) fn send_to_end(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        match &parcel.fate {
            Fate::Open | Fate::Assigned(_) => {}
            Fate::Armed { tag, .. } => {
                let tag = *tag;
                self.cancel_arm(tag, out);
            }
            Fate::Fired { .. } | Fate::MayHaveFired { .. } | Fate::ToEnd { .. } => return,
        }
        self.give_up(id, reason, out);
    }

    /// Makes a parcel's way end at the end of the line, whatever was planned.
    pub(crate) fn give_up(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get_mut(&id) else { return };
        parcel.fate = Fate::ToEnd { reason };
        let quarantined = parcel.identity.facts().and_then(gate).is_some();
        tell(out, id, ParcelEvent::SentToEnd { reason });
        if quarantined {
            self.raise(Alarm::QuarantineAtEnd(id), out);
        }
    }

    /// Makes a parcel uncertain for good; what was planned for it is withdrawn.
    pub(crate) fn doubt(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        if let Some(parcel) = self.memory.live.get_mut(&id) {
            parcel.certain = false;
            self.send_to_end(id, reason, out);
        }
    }
}
