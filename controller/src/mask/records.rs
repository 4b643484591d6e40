//! Records and snapshots behind the mask.

use std::collections::BTreeMap;

use line_engine::record::{self, Decoded};
use line_engine::snapshot;
use line_model::chute::ChuteEvent;
use line_model::decision::{Decision, ParcelEvent};
use line_model::live::Live;
use line_model::memory::Memory;
use line_model::parcel::{Identity, Parcel};
use line_model::plan::Facts;
use line_model::signal::{Deed, Input, Read};

use super::Mask;

impl Mask {
    /// Masks the codes and persons of a record; everything else stays to the bit.
    ///
    /// # Errors
    /// When the bytes are no record.
    pub fn record(&self, bytes: &[u8]) -> Result<Vec<u8>, record::Fault> {
        let Decoded { number, at, input, decisions } = record::decode(bytes)?;
        let input = self.input(input);
        let decisions: Vec<Decision> =
            decisions.into_iter().map(|decision| self.decision(decision)).collect();
        Ok(record::encode(number, at, &input, &decisions))
    }

    /// Masks the codes of a snapshot.
    ///
    /// # Errors
    /// When the bytes are no snapshot.
    pub fn snapshot(&self, bytes: &[u8]) -> Result<Vec<u8>, snapshot::Fault> {
        let mut memory: Memory = snapshot::decode(bytes)?;
        let mut live = BTreeMap::from(memory.live);
        live.values_mut().for_each(|parcel| self.parcel(parcel));
        memory.live = Live::from(live);
        memory.open.values_mut().for_each(|open| self.parcel(&mut open.parcel));
        let entries = memory.annunciator.entries.values_mut();
        entries.filter_map(|entry| entry.shelf.as_mut()).for_each(|shelf| {
            shelf.by = self.person(&shelf.by);
        });
        memory.landed = memory.landed.iter().map(|waybill| self.code(waybill)).collect();
        Ok(snapshot::encode(&memory))
    }

    fn parcel(&self, parcel: &mut Parcel) {
        match &mut parcel.identity {
            Identity::Unread | Identity::Unreadable => {}
            Identity::Asked { code } | Identity::Unknown { code } => *code = self.code(code),
            Identity::Known { code, facts } => {
                *code = self.code(code);
                self.facts(facts);
            }
        }
    }

    fn facts(&self, facts: &mut Facts) {
        facts.waybill = self.code(&facts.waybill);
    }

    fn input(&self, mut input: Input) -> Input {
        match &mut input {
            Input::Read { read: Read::Codes(codes), .. } => {
                codes.iter_mut().for_each(|code| *code = self.code(code));
            }
            Input::Route { facts: Some(facts), .. } => self.facts(facts),
            Input::Command { by, .. } | Input::FileTaken { by, .. } => *by = self.person(by),
            Input::Deed { deed, by, .. } => {
                // A bag's label is no waybill.
                if let Deed::PutByHand { code, .. }
                | Deed::Missorted { code, .. }
                | Deed::Fallen { code } = deed
                {
                    *code = self.code(code);
                }
                *by = self.person(by);
            }
            _ => {}
        }
        input
    }

    fn decision(&self, mut decision: Decision) -> Decision {
        match &mut decision {
            Decision::AskRoute { code, .. }
            | Decision::Parcel {
                event: ParcelEvent::Identified { code } | ParcelEvent::Rescanned { code, .. },
                ..
            }
            | Decision::Chute {
                event: ChuteEvent::PutByHand { code } | ChuteEvent::Missorted { code },
                ..
            } => {
                *code = self.code(code);
            }
            Decision::Parcel { event: ParcelEvent::Removed { by }, .. } => *by = self.person(by),
            _ => {}
        }
        decision
    }
}
