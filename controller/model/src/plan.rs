//! The sort plan: keys to lists of chutes; journaled whole whenever it changes.

use crate::ids::ChuteNo;
use crate::reason::Reason;
use alloc::string::String;
use alloc::vec::Vec;

/// A sort plan that has been checked against the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Name that people chose.
    pub name: String,
    /// Version number in the file.
    pub version: u32,
    /// Rules in order of the file.
    pub rules: Vec<Rule>,
    /// Chutes that take parcels only into a bag that is bound.
    pub bagged: Vec<ChuteNo>,
}

/// One key and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Carrier code, compared exactly.
    pub carrier: String,
    /// Prefix of the opaque route code; the longest fitting prefix wins, empty fits all.
    pub prefix: String,
    /// Physical chutes behind the rule's logical ones, in order of preference, never empty.
    pub chutes: Vec<ChuteNo>,
    /// How one of them is chosen.
    pub allocation: Allocation,
    /// Chutes of the same carrier for this key alone when none of `chutes` can be had, in order.
    pub overflow: Vec<ChuteNo>,
    /// Time of day from which on the key goes elsewhere.
    pub cut_off: Option<CutOff>,
}

/// A time of day from which on a key goes elsewhere, because its last truck has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// Minute of the UTC day from which on it is over.
    pub from: u16,
    /// Minute of the UTC day at which the next business day begins.
    pub until: u16,
    /// 留仓: chutes of the same carrier in order of preference; empty = end of the line.
    pub chutes: Vec<ChuteNo>,
}

impl CutOff {
    /// Whether it is over at this wall-clock time.
    pub const fn is_over(&self, utc_us: u64) -> bool {
        let minute = utc_us / 60_000_000 % MINUTES;
        let (from, until) = (self.from as u64, self.until as u64);
        if from <= until {
            from <= minute && minute < until
        } else {
            from <= minute || minute < until
        }
    }
}

/// Minutes of a day.
const MINUTES: u64 = 1_440;

/// How a chute is chosen from a rule's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// The first in the list that is available.
    Nearest,
    /// The next in turn that is available.
    RoundRobin,
    /// 瀑布: the same one until it takes nothing more, then the next.
    Fill,
    /// The available one with the fewest parcels, decided ones included; the first of equal ones.
    Balance,
}

/// What the manifest knows of a waybill; enters only as a route reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The waybill that was found.
    pub waybill: String,
    /// Carrier code.
    pub carrier: String,
    /// Opaque route code.
    pub route: String,
    /// Item class of the manifest, opaque.
    pub class: String,
    /// Gate 收寄验视.
    pub inspected: bool,
    /// Gate 过机安检: passed here, or screened at the hub by agreement.
    pub screened: Screening,
    /// Gate 实名收寄: a real name, or a safety agreement that is valid.
    pub real_name: bool,
    /// Why nobody may send it on; `None` when nothing holds it.
    pub hold: Option<Hold>,
}

impl Facts {
    /// The gate that the item did not pass, the gravest first; `None` when every gate is passed.
    pub const fn barred(&self) -> Option<Reason> {
        match (self.hold, self.screened) {
            (Some(Hold::Prohibited), _) => Some(Reason::Prohibited),
            (_, Screening::Rejected) => Some(Reason::ScreeningRejected),
            (Some(Hold::Customs), _) => Some(Reason::CustomsHold),
            (Some(Hold::Intercepted), _) => Some(Reason::Intercepted),
            (Some(Hold::Debt), _) => Some(Reason::DebtIntercept),
            (Some(Hold::Cancelled), _) => Some(Reason::ItemCancelled),
            (None, _) if !self.real_name => Some(Reason::NotRealName),
            (None, _) if !self.inspected => Some(Reason::NotInspected),
            (None, Screening::Unknown) => Some(Reason::NotScreened),
            (None, Screening::Passed | Screening::AtHub) => None,
        }
    }
}

/// Why nobody may send an item on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// 取消件: the order was cancelled or refunded.
    Cancelled,
    /// 拦截件: the carrier or the factory stopped it.
    Intercepted,
    /// 欠费拦截: the carrier holds it for a debt.
    Debt,
    /// 待放行/查验: customs has not released it.
    Customs,
    /// 疑似禁寄: suspected prohibited; sorting it stops at once.
    Prohibited,
}

/// State of the X-ray gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screening {
    /// Passed.
    Passed,
    /// Screened at the carrier's hub by agreement.
    AtHub,
    /// Failed: quarantine.
    Rejected,
    /// Not known: counts as not screened.
    Unknown,
}
