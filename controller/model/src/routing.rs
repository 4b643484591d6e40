//! Routes: gates first, then the plan.

use crate::alarm::Alarm;
use crate::chute::Bar;
use crate::decision::{Decision, ParcelEvent};
use crate::ids::{ChuteNo, DiverterId, ParcelId};
use crate::layout::{ChutePlace, ChuteRole};
use crate::limits;
use crate::line::{Line, tell};
use crate::memory::PlanInForce;
use crate::parcel::{Choice, Confidence, Fate, Identity, Parcel};
use crate::plan::{Allocation, Facts, Plan, Rule};
use crate::reason::Reason;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

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
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let code = match &parcel.identity {
            Identity::Asked { code } => code.clone(),
            Identity::Unread
            | Identity::Unreadable
            | Identity::Unknown { .. }
            | Identity::Known { .. } => return,
        };
        let Some(facts) = facts else {
            self.change(id, |parcel| parcel.identity = Identity::Unknown { code });
            let (carrier, route) = (String::new(), String::new());
            tell(out, id, ParcelEvent::Routed { carrier, route });
            self.set_aside(id, Reason::NoManifest, out);
            return;
        };
        let identity = Identity::Known { code, facts: facts.clone() };
        self.change(id, |parcel| parcel.identity = identity);
        let (carrier, route) = (facts.carrier.clone(), facts.route.clone());
        tell(out, id, ParcelEvent::Routed { carrier, route });
        if self.known_waybill(id, &facts.waybill) {
            self.set_aside(id, Reason::Duplicate, out);
        } else {
            self.decide_when_sure(id, out);
        }
    }

    /// Decides about a parcel once the manifest has answered and the eye behind the scanner has
    /// confirmed that what was read there is one parcel of the length that was inducted.
    pub(crate) fn decide_when_sure(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        self.settle_rescan(id, out);
        let Some(parcel) = self.memory.live.get(&id) else { return };
        let sure = parcel.certain() && parcel.track.length.is_some() && parcel.rescan.is_none();
        let ready = parcel.fate == Fate::Open && sure;
        if let (true, Some(facts)) = (ready, parcel.identity.facts().cloned()) {
            self.decide(id, &facts, out);
        }
    }

    /// Gates first, then the plan of the parcel's induction.
    fn decide(&mut self, id: ParcelId, facts: &Facts, out: &mut Vec<Decision>) {
        if let Some(reason) = facts.barred() {
            self.assign_exception(id, ChuteRole::Quarantine, reason, out);
            return;
        }
        if let Some(reason) = self.too_much(id) {
            self.assign_exception(id, ChuteRole::GeneralExceptions, reason, out);
            return;
        }
        if self.laps_over(&facts.waybill) {
            self.assign_exception(id, ChuteRole::GeneralExceptions, Reason::LapLimit, out);
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

    /// Why a parcel is heavier or larger than the line takes, as far as it was measured.
    fn too_much(&self, id: ParcelId) -> Option<Reason> {
        let (parcel, largest) = (self.memory.live.get(&id)?, self.layout.limits.largest);
        let over = |most: Option<u16>| {
            most.is_some_and(|most| parcel.size_mm.iter().any(|side| *side > most))
        };
        if largest.weight.is_some_and(|most| parcel.weight.is_some_and(|weight| weight > most)) {
            Some(Reason::Overweight)
        } else {
            over(largest.side_mm).then_some(Reason::Oversize)
        }
    }

    /// Looks once more at a parcel that was weighed and measured behind its decision, while no arm
    /// is planned for it.
    pub(crate) fn weigh_again(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        let chute = match self.memory.live.get(&id).map(|parcel| &parcel.fate) {
            Some(Fate::Assigned(choice)) => choice.chute,
            Some(
                Fate::Open
                | Fate::Armed { .. }
                | Fate::Fired { .. }
                | Fate::MayHaveFired { .. }
                | Fate::ToEnd { .. },
            )
            | None => return,
        };
        let sorted = self.layout.chute(chute).is_some_and(|place| place.role == ChuteRole::Sort);
        if let (true, Some(reason)) = (sorted, self.too_much(id)) {
            self.assign_exception(id, ChuteRole::GeneralExceptions, reason, out);
        }
    }

    /// Whether the plan of a parcel's induction has this chute for its key.
    pub(crate) fn plan_allows(&self, id: ParcelId, facts: &Facts, chute: ChuteNo) -> bool {
        let plan = self.memory.plans.iter().rfind(|plan| plan.from <= id);
        let rule = plan.and_then(|plan| rule_for(&plan.plan, facts).map(|at| &plan.plan.rules[at]));
        rule.is_some_and(|rule| {
            let later = rule.cut_off.iter().flat_map(|cut_off| &cut_off.chutes);
            rule.chutes.iter().chain(&rule.overflow).chain(later).any(|found| *found == chute)
        })
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
        match self.bar(id, chute) {
            None => {
                let choice =
                    Choice { chute, allowed: vec![chute], alternate: false, reason: Some(reason) };
                self.set_choice(id, choice, out);
            }
            Some(bar) => {
                self.pass_over(id, chute, bar, out);
                self.send_to_end(id, reason, out);
            }
        }
    }

    /// Decides one chute of a rule: of its own list by its allocation, then of its overflow.
    fn assign(&mut self, id: ParcelId, plan: usize, rule: usize, out: &mut Vec<Decision>) {
        let wall = self.memory.wall.map(|wall| wall.utc_us(self.memory.now));
        let (rules, turn) = (&self.memory.plans[plan], self.memory.plans[plan].turns[rule]);
        let found = &rules.plan.rules[rule];
        let over =
            found.cut_off.as_ref().filter(|cut_off| wall.is_some_and(|at| cut_off.is_over(at)));
        let (allowed, own, order) = match over {
            Some(cut_off) if cut_off.chutes.is_empty() => {
                return self.set_aside(id, Reason::CutOff, out);
            }
            Some(cut_off) => {
                let chutes = cut_off.chutes.clone();
                (chutes.clone(), 0, chutes)
            }
            None => {
                let allowed: Vec<ChuteNo> =
                    found.chutes.iter().chain(&found.overflow).copied().collect();
                let mut order = self.order(&found.chutes, found.allocation, turn);
                order.extend(&found.overflow);
                (allowed, found.chutes.len(), order)
            }
        };
        let allocation = found.allocation;
        let mut bars = Vec::new();
        for chute in order {
            if let Some(bar) = self.bar(id, chute) {
                self.pass_over(id, chute, bar, out);
                bars.push(bar);
                continue;
            }
            let index = allowed.iter().take(own).position(|found| *found == chute);
            if let Some(index) = index {
                let next = match allocation {
                    Allocation::Nearest | Allocation::RoundRobin | Allocation::Balance => index + 1,
                    Allocation::Fill => index,
                };
                self.memory.plans[plan].turns[rule] = u32::try_from(next).unwrap_or(0);
            }
            let choice = Choice { chute, allowed, alternate: false, reason: None };
            return self.set_choice(id, choice, out);
        }
        let bar = bars.into_iter().min().unwrap_or(Bar::Off);
        self.send_to_end(id, bar.reason(Reason::RouteLate), out);
    }

    /// The order in which the chutes of a list are tried.
    fn order(&self, chutes: &[ChuteNo], allocation: Allocation, turn: u32) -> Vec<ChuteNo> {
        let mut order = chutes.to_vec();
        let start = usize::try_from(turn).unwrap_or(0) % order.len().max(1);
        match allocation {
            Allocation::Nearest => {}
            Allocation::RoundRobin | Allocation::Fill => order.rotate_left(start),
            Allocation::Balance => {
                order.sort_by_key(|chute| {
                    self.at_chute(*chute).content.pieces + self.decided_for(*chute)
                });
            }
        }
        order
    }

    /// Tells that a chute could not be had. That a place on the belt is past tells nothing of it.
    fn pass_over(&mut self, id: ParcelId, chute: ChuteNo, bar: Bar, out: &mut Vec<Decision>) {
        if bar != Bar::Late {
            self.count_bar(chute, bar);
            tell(out, id, ParcelEvent::PassedOver { chute, bar });
        }
    }

    /// Looks for another chute of the same list, or gives the parcel up to the end of the line.
    pub(crate) fn rechoose(&mut self, id: ParcelId, why: Bar, out: &mut Vec<Decision>) {
        self.rechoose_or(id, why, None, out);
    }

    /// The same when another parcel could have come to the diverter's eye in its place.
    pub(crate) fn rechoose_unsure(&mut self, id: ParcelId, out: &mut Vec<Decision>) {
        self.rechoose_or(id, Bar::Late, Some(Reason::Uncertain), out);
    }

    /// Without another chute it goes to the end for `unsure`, or for what bars the chutes.
    fn rechoose_or(
        &mut self,
        id: ParcelId,
        why: Bar,
        unsure: Option<Reason>,
        out: &mut Vec<Decision>,
    ) {
        let Some(choice) = self.memory.live.get(&id).and_then(|parcel| parcel.fate.choice()) else {
            return;
        };
        let mut choice = choice.clone();
        self.pass_over(id, choice.chute, why, out);
        let others = choice.allowed.iter().copied().filter(|chute| *chute != choice.chute);
        let bars: Vec<(ChuteNo, Option<Bar>)> =
            others.map(|chute| (chute, self.bar(id, chute))).collect();
        let other = bars.iter().find(|(_, bar)| bar.is_none()).map(|(chute, _)| *chute);
        let lasting =
            choice.reason.filter(|reason| self.layout.end.returns() && !reason.may_pass());
        match other {
            Some(chute) => {
                choice.chute = chute;
                if why != Bar::Late {
                    choice.alternate = true;
                    choice.reason = Some(why.reason(Reason::ArmLate));
                }
                self.set_choice(id, choice, out);
            }
            None => {
                // On its next lap an exception is one for its own reason, not for its chute's.
                let reason = unsure.or(lasting).unwrap_or_else(|| {
                    let others = bars.into_iter().filter_map(|(_, bar)| bar);
                    let late = why == Bar::Late;
                    let bar = if late { others.min().unwrap_or(why).min(why) } else { why };
                    bar.reason(Reason::ArmLate)
                });
                self.send_to_end(id, reason, out);
            }
        }
    }

    fn set_choice(&mut self, id: ParcelId, choice: Choice, out: &mut Vec<Decision>) {
        let Choice { chute, alternate, reason, .. } = choice;
        if self.change(id, |parcel| parcel.fate = Fate::Assigned(choice)).is_none() {
            return;
        }
        tell(out, id, ParcelEvent::Assigned { chute, alternate, reason });
        if let Some(parcel) = self.memory.live.get(&id).cloned() {
            self.note_rate(chute, &parcel);
        }
    }

    /// Diverters that are not on.
    pub(crate) fn diverters_off(&self) -> Vec<DiverterId> {
        let all = (0u8..).map(DiverterId).take(self.layout.diverters.len());
        all.filter(|diverter| !self.diverter_on(*diverter)).collect()
    }

    /// Whether a diverter is on.
    pub(crate) fn diverter_on(&self, diverter: DiverterId) -> bool {
        let place = self.layout.diverter(diverter);
        self.memory.nodes[usize::from(place.node.0)].up && self.believed(place.eye)
    }

    /// Why a parcel cannot have a chute now; `None` when it can.
    fn bar(&self, id: ParcelId, chute: ChuteNo) -> Option<Bar> {
        let (Some(place), Some(parcel)) = (self.layout.chute(chute), self.memory.live.get(&id))
        else {
            return Some(Bar::Off);
        };
        if !self.diverter_on(place.diverter) {
            Some(Bar::Off)
        } else if !self.in_time(parcel, place) {
            Some(Bar::Late)
        } else {
            self.no_place(chute, parcel)
        }
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

    /// Gives a parcel up that only a person can help: to the end of the line, or to the general
    /// exceptions where the end would only bring it back.
    pub(crate) fn set_aside(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        // Whom a re-scan has just named is not yet proven to be where it was read.
        let parcel = self.memory.live.get(&id);
        let open = parcel.is_some_and(|p| p.fate == Fate::Open && p.rescan.is_none());
        if open && self.layout.end.returns() {
            self.assign_exception(id, ChuteRole::GeneralExceptions, reason, out);
        } else {
            self.send_to_end(id, reason, out);
        }
    }

    /// Sends a parcel to the end of the line, unless it has been fired or is on its way there already.
    pub(crate) fn send_to_end(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        let Some(parcel) = self.memory.live.get(&id) else { return };
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
        let quarantined = self.change(id, |parcel| {
            let fired = parcel.fate.fired_to();
            parcel.fate = Fate::ToEnd { reason, fired };
            parcel.identity.facts().and_then(Facts::barred).is_some()
        });
        let Some(quarantined) = quarantined else { return };
        tell(out, id, ParcelEvent::SentToEnd { reason });
        if quarantined && !self.layout.end.returns() {
            self.raise(Alarm::QuarantineAtEnd(id), out);
        }
    }

    /// Makes a parcel uncertain until a re-scan; what was planned for it is withdrawn.
    pub(crate) fn doubt(&mut self, id: ParcelId, reason: Reason, out: &mut Vec<Decision>) {
        if let Some(parcel) = self.memory.live.get(&id) {
            let mixed = parcel.mixed || reason.is_mixed();
            if mixed != parcel.mixed {
                self.change(id, |parcel| parcel.mixed = mixed);
            }
        }
        if let Some(parcel) = self.memory.live.get(&id) {
            if !parcel.uncertain() {
                let now = Confidence::Uncertain;
                self.change(id, |parcel| parcel.confidence = now);
                tell(out, id, ParcelEvent::Believed { now });
            }
            self.send_to_end(id, reason, out);
        }
    }
}
