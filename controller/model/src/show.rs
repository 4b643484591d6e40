//! The view: a pure function of the line's state and the instant.

use crate::chute::ChuteMemory;
use crate::ids::{ChuteNo, EyeId};
use crate::limits;
use crate::line::Line;
use crate::parcel::{Fate, Parcel};
use crate::view::{ChuteView, LineView, ParcelView};
use units::Micros;

impl Line {
    /// What it shows at `now`.
    pub fn view(&self, now: Micros) -> LineView {
        let memory = &self.memory;
        LineView {
            state: memory.machine.mode.state(),
            since: memory.machine.since,
            reason: memory.machine.reason,
            unmet: self.unmet(),
            induction_paused: self.paused(),
            tally: memory.tally.clone(),
            chutes: memory.chutes.clone(),
            at_chutes: memory
                .at_chutes
                .iter()
                .map(|(no, found)| self.chute_view(*no, found))
                .collect(),
            parcels: memory.live.values().map(|parcel| self.parcel_view(parcel, now)).collect(),
            alarms: memory.alarms.iter().copied().collect(),
            alarm_list: self.alarm_list(),
            alarms_lately: self.alarms_lately(now),
            unit_mode: memory.unit_mode,
            pressure: memory.pressure,
            jog: memory.jog,
            rescans: memory.rescanners.clone(),
            plan: memory.plans.last().map(|plan| (plan.plan.name.clone(), plan.plan.version)),
            parcels_per_hour: self.rate(now),
        }
    }

    fn chute_view(&self, chute: ChuteNo, memory: &ChuteMemory) -> ChuteView {
        ChuteView {
            chute,
            state: memory.state,
            since: memory.since,
            lamp: memory.lamp,
            content: memory.content.clone(),
            coming: self.decided_for(chute),
            counts: memory.counts,
        }
    }

    fn parcel_view(&self, parcel: &Parcel, now: Micros) -> ParcelView {
        let end_reason = match parcel.fate {
            Fate::ToEnd { reason, fired: _ } => Some(reason),
            Fate::Open
            | Fate::Assigned(_)
            | Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. } => None,
        };
        ParcelView {
            id: parcel.id,
            code: parcel.identity.code().cloned(),
            at: self.layout.eye(parcel.last().eye).at,
            chute: parcel.fate.chute(),
            end_reason,
            confidence: parcel.confidence,
            decide_in_ms: self.decide_in(parcel, now).map(Micros::millis),
        }
    }

    /// Time left until this parcel's next arm would have to leave; `None` when nothing is open.
    fn decide_in(&self, parcel: &Parcel, now: Micros) -> Option<Micros> {
        let last = parcel.last().eye;
        let arrival: EyeId = match &parcel.fate {
            Fate::Open => self.layout.diverters.iter().map(|d| d.eye).find(|eye| *eye > last)?,
            Fate::Assigned(choice) => self.layout.diverter(self.diverter_of(choice)?).eye,
            Fate::Armed { .. }
            | Fate::Fired { .. }
            | Fate::MayHaveFired { .. }
            | Fate::ToEnd { .. } => return None,
        };
        let window = parcel.expected(&self.layout, &self.memory.nodes, arrival)?;
        let way = window.from.since(self.belt_now(now)?);
        Some(self.time_for(way).minus(self.layout.limits.arm_lead))
    }

    /// Parcels an hour over the last minute that was running.
    fn rate(&self, now: Micros) -> u32 {
        let ran = self.memory.running.total(now);
        let span = ran.min(limits::RATE_SPAN);
        let recent = self.memory.running.inductions.iter();
        let count = recent.filter(|at| ran.since(**at) <= span).count();
        let count = u64::try_from(count).unwrap_or(0);
        let hourly = (count * 3_600_000_000).checked_div(span.0).unwrap_or(0);
        u32::try_from(hourly).unwrap_or(u32::MAX)
    }
}
