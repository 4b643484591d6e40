//! Sort plans: keys to lists of logical chutes, logical chutes to physical ones.

use super::check::{root, shaped, text};
use super::fault::{Faults, Sink, draft};
use super::{keys, repair, waybill};
use line_file::Document;
use line_model::ids::ChuteNo;
use line_model::layout::{ChuteRole, Layout};
use line_model::plan::{Allocation, CutOff, Plan, Rule};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A plan file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    plan: Head,
    #[serde(default)]
    chute: Vec<LogicalChute>,
    #[serde(default)]
    rule: Vec<RuleLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogicalChute {
    logical: String,
    physical: u16,
    #[serde(default)]
    bagged: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleLine {
    carrier: String,
    prefix: String,
    chutes: Vec<String>,
    allocation: Choice,
    #[serde(default)]
    overflow: Vec<String>,
    cut_off: Option<String>,
    #[serde(default)]
    after_cut_off: Vec<String>,
}

impl RuleLine {
    /// Its lists of logical chutes, with the names of their keys.
    fn lists(&self) -> [(&'static str, &[String]); 3] {
        [
            ("chutes", &self.chutes),
            ("overflow", &self.overflow),
            ("after_cut_off", &self.after_cut_off),
        ]
    }

    /// Its cut-off as minutes of the UTC day; `None` when its text is no time of day.
    fn cut_off(&self, chutes: Vec<ChuteNo>) -> Option<CutOff> {
        let (hour, minute) = self.cut_off.as_ref()?.split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        let fits = hour < 24 && minute < 60 && self.cut_off.as_ref()?.len() == 5;
        let utc = |local: u16| (local + DAY_MINUTES - LOCAL_MINUTES) % DAY_MINUTES;
        fits.then(|| CutOff { from: utc(hour * 60 + minute), until: utc(DAY_BEGINS), chutes })
    }
}

const DAY_MINUTES: u16 = 1_440;
/// Asia/Shanghai is this far ahead of UTC, and has no daylight saving.
const LOCAL_MINUTES: u16 = 480;
/// Local minute at which the business day begins.
const DAY_BEGINS: u16 = 360;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Nearest,
    RoundRobin,
    Fill,
    Balance,
}

/// Reads a sort plan and checks it against the line; `file` is its name for messages.
///
/// # Errors
/// When anything is wrong: every fault with its place, what was found and what is allowed.
pub fn load(file: &str, bytes: impl AsRef<[u8]>, layout: &Layout) -> Result<Plan, Faults> {
    let text = text(file, bytes.as_ref())?;
    let document = Document::parse(text).map_err(|e| Faults::syntax(file, text, &e))?;
    let mut sink = Sink::new(file, &document);
    let shape = repair::repair(root(file, text)?, keys::PLAN, &mut sink);
    let plan: PlanFile = shaped(file, shape)?;
    let physical = chutes(&plan, layout, &mut sink);
    rules(&plan, &physical, &mut sink);
    owners(&plan, &mut sink);
    sink.finish()?;
    let bagged = plan.chute.iter().filter(|chute| chute.bagged);
    let bagged = bagged.map(|chute| ChuteNo(chute.physical)).collect();
    let numbers = |names: &[String]| -> Vec<ChuteNo> {
        names.iter().filter_map(|name| physical.get(name).copied()).collect()
    };
    let rules = plan.rule.into_iter().map(|rule| Rule {
        chutes: numbers(&rule.chutes),
        allocation: match rule.allocation {
            Choice::Nearest => Allocation::Nearest,
            Choice::RoundRobin => Allocation::RoundRobin,
            Choice::Fill => Allocation::Fill,
            Choice::Balance => Allocation::Balance,
        },
        overflow: numbers(&rule.overflow),
        cut_off: rule.cut_off(numbers(&rule.after_cut_off)),
        carrier: rule.carrier,
        prefix: rule.prefix,
    });
    Ok(Plan { name: plan.plan.name, version: plan.plan.version, rules: rules.collect(), bagged })
}

/// The physical chute of every logical one.
fn chutes(plan: &PlanFile, layout: &Layout, sink: &mut Sink<'_>) -> BTreeMap<String, ChuteNo> {
    let mut physical: BTreeMap<String, ChuteNo> = BTreeMap::new();
    for (n, chute) in plan.chute.iter().enumerate() {
        let at = |name: &str| format!("chute[{n}].{name}");
        let before = plan.chute.iter().take(n);
        if let Some(first) = before.clone().position(|other| other.logical == chute.logical) {
            let message = format!("logical chute {:?} exists twice", chute.logical);
            let fault = draft(at("logical"), message).allowed("each name once");
            sink.enter(fault.related(format!("chute[{first}].logical"), "first here"));
        }
        if let Some(first) = before.clone().position(|other| other.physical == chute.physical) {
            let message = format!("chute {} stands behind two logical ones", chute.physical);
            let fault = draft(at("physical"), message).allowed("one logical chute each");
            sink.enter(fault.related(format!("chute[{first}].physical"), "first here"));
        }
        let number = ChuteNo(chute.physical);
        let sorting = layout.chutes.iter().filter(|place| place.role == ChuteRole::Sort);
        let allowed: Vec<String> = sorting.map(|place| place.number.0.to_string()).collect();
        let message = match layout.chute(number).map(|place| place.role) {
            Some(ChuteRole::Sort) => None,
            Some(ChuteRole::GeneralExceptions) => Some("is the one for general exceptions"),
            Some(ChuteRole::Quarantine) => Some("is the one for quarantine"),
            None => Some("is not on this line"),
        };
        if let Some(message) = message {
            let message = format!("chute {} {message}", chute.physical);
            sink.enter(draft(at("physical"), message).allowed(allowed.join(", ")));
        }
        physical.insert(chute.logical.clone(), number);
    }
    physical
}

fn rules(plan: &PlanFile, physical: &BTreeMap<String, ChuteNo>, sink: &mut Sink<'_>) {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (n, rule) in plan.rule.iter().enumerate() {
        let at = |name: &str| format!("rule[{n}].{name}");
        if !waybill::is_carrier(&rule.carrier) {
            let codes: Vec<&str> = waybill::CARRIERS.iter().map(|carrier| carrier.code).collect();
            let fault = draft(at("carrier"), format!("there is no carrier {:?}", rule.carrier));
            sink.enter(fault.allowed(codes.join(", ")));
            sink.poison(&at("carrier"));
        }
        if let Some(first) = seen.get(&(rule.carrier.as_str(), rule.prefix.as_str())) {
            let message =
                format!("a second rule for {} with prefix {:?}", rule.carrier, rule.prefix);
            let fault = draft(at("prefix"), message)
                .allowed("each carrier and prefix once")
                .related(format!("rule[{first}].prefix"), "first here");
            sink.enter_from(fault, &[&at("carrier"), &format!("rule[{first}].carrier")]);
        } else {
            seen.insert((&rule.carrier, &rule.prefix), n);
        }
        for (list, names) in rule.lists() {
            listed(&format!("rule[{n}].{list}"), names, physical, sink);
        }
        for (i, name) in rule.overflow.iter().enumerate().filter(|(_, o)| rule.chutes.contains(o)) {
            let message = format!("logical chute {name:?} is in `chutes` already");
            let fault = draft(format!("rule[{n}].overflow[{i}]"), message);
            sink.enter(fault.allowed("chutes that are not in `chutes`"));
        }
        if rule.cut_off.is_some() && rule.cut_off(Vec::new()).is_none() {
            let found = rule.cut_off.as_deref().unwrap_or_default();
            let fault = draft(at("cut_off"), format!("`cut_off` is {found:?}"));
            sink.enter(fault.allowed("a time of day such as 18:30"));
        } else if rule.cut_off.is_none() && !rule.after_cut_off.is_empty() {
            let fault = draft(at("after_cut_off"), "`after_cut_off` without `cut_off`".to_owned());
            sink.enter(fault.allowed("with `cut_off`"));
        }
    }
}

/// Names of one list: known, and each once.
fn listed(list: &str, names: &[String], physical: &BTreeMap<String, ChuteNo>, sink: &mut Sink<'_>) {
    for (i, name) in names.iter().enumerate() {
        let key = format!("{list}[{i}]");
        if !physical.contains_key(name) {
            let known: Vec<&str> = physical.keys().map(String::as_str).collect();
            let fault = draft(key, format!("there is no logical chute {name:?}"));
            sink.enter_from(fault.allowed(known.join(", ")), &["chute[].logical"]);
        } else if names.iter().take(i).any(|other| other == name) {
            let fault = draft(key, format!("logical chute {name:?} is listed twice"));
            sink.enter(fault.allowed("each chute once in a list"));
        }
    }
}

/// A chute belongs to one carrier: never another carrier's chute, not even as overflow.
fn owners(plan: &PlanFile, sink: &mut Sink<'_>) {
    let mut owner: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for (n, rule) in plan.rule.iter().enumerate() {
        let lists = rule.lists().into_iter();
        for (list, i, name) in
            lists.flat_map(|(list, names)| names.iter().enumerate().map(move |(i, o)| (list, i, o)))
        {
            let key = format!("rule[{n}].{list}[{i}]");
            let (first, place) = owner.entry(name).or_insert((n, key.clone())).clone();
            let other = plan.rule.get(first).map_or("", |rule| rule.carrier.as_str());
            if other != rule.carrier {
                let message =
                    format!("logical chute {name:?} is used by {} and by {other}", rule.carrier);
                let fault = draft(key, message)
                    .allowed("chutes of one carrier")
                    .related(place, format!("used by {other}"));
                let carriers = [format!("rule[{n}].carrier"), format!("rule[{first}].carrier")];
                sink.enter_from(fault, &[&carriers[0], &carriers[1]]);
            }
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
