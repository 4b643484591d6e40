//! The sort plan: keys to lists of chutes; journaled whole whenever it changes.

use crate::ids::ChuteNo;
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
}

/// How a chute is chosen from a rule's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// The first in the list that is available.
    Nearest,
    /// The next in turn that is available.
    RoundRobin,
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
