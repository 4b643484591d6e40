//! What people do at chutes and with parcels: locks, bags, parcels moved by hand.

use crate::chute::{ChangeBy, ChuteCause, ChuteEvent, Content, tell_of};
use crate::decision::Decision;
use crate::ids::{ChuteNo, ParcelId};
use crate::layout::{Change, ChuteRole};
use crate::line::Line;
use crate::parcel::Parcel;
use crate::signal::Deed;
use crate::view::Unmet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

impl Line {
    /// Takes a deed; what cannot be is refused with the reason.
    pub(crate) fn deed(&mut self, deed: Deed, by: &str, out: &mut Vec<Decision>) {
        if let Err(unmet) = self.try_deed(deed, by, out) {
            out.push(Decision::Refused { why: vec![unmet] });
        }
    }

    fn try_deed(&mut self, mut deed: Deed, by: &str, out: &mut Vec<Decision>) -> Result<(), Unmet> {
        if let Some(chute) = deed.chute()
            && self.layout.chute(chute).is_none()
        {
            return Err(Unmet::NoSuchChute(chute));
        }
        if deed.code().is_some_and(|code| code.is_empty()) {
            return Err(Unmet::NoCode);
        }
        match deed {
            Deed::Lock { chute } => self.lock(chute, out),
            Deed::Unlock { chute } => self.unlock(chute, out)?,
            Deed::TakeOut { chute } => self.use_chute(chute, false, out),
            Deed::PutBack { chute } => self.use_chute(chute, true, out),
            Deed::BindBag { chute, label } => self.bind_bag(chute, label, out)?,
            Deed::CloseBag { chute, label } => self.close_bag(chute, label, out)?,
            Deed::PutByHand { chute, code } => self.put_by_hand(chute, code, by, out)?,
            Deed::Missorted { chute, code } => self.missorted(chute, code, out),
            Deed::Fallen { code } => self.fallen(&code, by, out)?,
        }
        Ok(())
    }

    fn lock(&mut self, chute: ChuteNo, out: &mut Vec<Decision>) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        if memory.change.is_none() {
            memory.change = Some(ChangeBy::Person);
            memory.buffered = 0;
        }
        self.turn_chute(chute, ChuteCause::Person, out);
    }

    /// Ends a change; without one, says that what had no label was taken away.
    fn unlock(&mut self, chute: ChuteNo, out: &mut Vec<Decision>) -> Result<(), Unmet> {
        let memory = self.at_chute(chute);
        let emptied = memory.content.label.is_none() && memory.content.pieces > 0;
        if memory.change.is_none() && !emptied {
            return Err(Unmet::NotLocked(chute));
        }
        self.end_change(chute, ChuteCause::Person, out);
        Ok(())
    }

    fn use_chute(&mut self, chute: ChuteNo, used: bool, out: &mut Vec<Decision>) {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return };
        memory.out_of_use = !used;
        self.turn_chute(chute, ChuteCause::Person, out);
    }

    /// A new bag begins: what lands from now on is in it. A change that the slide buffers is over.
    fn bind_bag(
        &mut self,
        chute: ChuteNo,
        label: String,
        out: &mut Vec<Decision>,
    ) -> Result<(), Unmet> {
        let is_bound = |content: &Content| {
            content.is_open_bag() && content.label.as_deref() == Some(label.as_str())
        };
        if let Some((other, _)) =
            self.memory.at_chutes.iter().find(|(_, found)| is_bound(&found.content))
        {
            return Err(Unmet::LabelBound(*other));
        }
        if self.at_chute(chute).content.is_open_bag() {
            return Err(Unmet::BagOpen(chute));
        }
        let from = self.belt_now(self.memory.now);
        let buffered = self.layout.chute(chute).is_some_and(|place| match place.care.change {
            Change::Buffered { .. } => true,
            Change::Locked => false,
        });
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return Ok(()) };
        let new = Content { label: Some(label.clone()), from, ..Content::default() };
        memory.before = Some(core::mem::replace(&mut memory.content, new));
        if buffered {
            memory.change = None;
        }
        tell_of(out, chute, ChuteEvent::BagBound { label });
        self.turn_chute(chute, ChuteCause::Bag, out);
        Ok(())
    }

    fn close_bag(
        &mut self,
        chute: ChuteNo,
        label: String,
        out: &mut Vec<Decision>,
    ) -> Result<(), Unmet> {
        let Some(memory) = self.memory.at_chutes.get_mut(&chute) else { return Ok(()) };
        let content = &mut memory.content;
        if !content.is_open_bag() || content.label.as_ref() != Some(&label) {
            return Err(Unmet::OtherBag(chute));
        }
        content.closed = true;
        let (pieces, grams) = (content.pieces, content.grams);
        tell_of(out, chute, ChuteEvent::BagClosed { label, pieces, grams });
        self.turn_chute(chute, ChuteCause::Bag, out);
        Ok(())
    }

    /// The parcel on the belt, or waiting for a person, that has this code.
    fn named<'a>(mut parcels: impl Iterator<Item = &'a Parcel>, code: &str) -> Option<&'a Parcel> {
        parcels.find(|parcel| {
            let read = parcel.identity.code().is_some_and(|found| found == code);
            read || parcel.identity.facts().is_some_and(|facts| facts.waybill == code)
        })
    }

    /// The open parcel with this code; one on the belt is refused.
    fn open_by_code(&self, code: &str) -> Result<Option<ParcelId>, Unmet> {
        if let Some(parcel) = Self::named(self.memory.live.values(), code) {
            return Err(Unmet::OnBelt(parcel.id));
        }
        let open = self.memory.open.values().map(|open| &open.parcel);
        Ok(Self::named(open, code).map(|parcel| parcel.id))
    }

    fn put_by_hand(
        &mut self,
        chute: ChuteNo,
        code: String,
        by: &str,
        out: &mut Vec<Decision>,
    ) -> Result<(), Unmet> {
        let open = self.open_by_code(&code)?;
        if let Some(id) = open {
            self.may_be_put(id, chute)?;
            self.resolve(id, Some(chute), by, out);
        } else {
            self.remember(core::slice::from_ref(&code), chute);
            self.load_chute(chute, None, None, out);
        }
        if let Some(memory) = self.memory.at_chutes.get_mut(&chute) {
            memory.counts.by_hand += 1;
        }
        tell_of(out, chute, ChuteEvent::PutByHand { code });
        Ok(())
    }

    /// Whether gate and plan allow an open parcel in a chute, as far as they are known.
    fn may_be_put(&self, id: ParcelId, chute: ChuteNo) -> Result<(), Unmet> {
        let role = self.layout.chute(chute).map(|place| place.role);
        let Some(facts) = self.memory.open.get(&id).and_then(|open| open.parcel.identity.facts())
        else {
            return Ok(());
        };
        if facts.barred().is_some() && role != Some(ChuteRole::Quarantine) {
            return Err(Unmet::GateClosed(id));
        }
        let allowed = role != Some(ChuteRole::Sort) || self.plan_allows(id, facts, chute);
        if allowed { Ok(()) } else { Err(Unmet::OtherKey(chute)) }
    }

    fn missorted(&mut self, chute: ChuteNo, code: String, out: &mut Vec<Decision>) {
        self.memory.landed.remove(&code);
        if let Some(memory) = self.memory.at_chutes.get_mut(&chute) {
            memory.counts.missorted += 1;
            memory.content.pieces = memory.content.pieces.saturating_sub(1);
        }
        tell_of(out, chute, ChuteEvent::Missorted { code });
        self.turn_chute(chute, ChuteCause::Person, out);
    }

    /// Found beside the line: it may be inducted again.
    fn fallen(&mut self, code: &str, by: &str, out: &mut Vec<Decision>) -> Result<(), Unmet> {
        if let Some(id) = self.open_by_code(code)? {
            self.resolve(id, None, by, out);
        }
        self.memory.landed.remove(code);
        self.memory.laps.remove(code);
        self.memory.counters.fallen += 1;
        Ok(())
    }
}
