//! The judge: allowed chutes from the plant's truth, the plan and the manifest, with its own code.
//!
//! Joined by plant parcel through the belt reading at the induction eye, never by id, order or
//! count. Reads the controller's beliefs only from its journal.

use crate::laps::{Lap, Laps, Pass};
use line_model::decision::{Decision, ParcelEvent};
use line_sim::truth::{Place, ReadTruth, TruthParcel};
use std::collections::{BTreeMap, BTreeSet};
use units::Micros;

/// The oracle's own, naive understanding of plan and manifest.
#[derive(Clone, Debug)]
pub struct Law {
    rules: Vec<Rule>,
    items: BTreeMap<String, Item>,
    /// `None` on a line without such a chute: only the end is right.
    general: Option<u16>,
    quarantine: Option<u16>,
    /// Heaviest parcel in grams and longest side in mm; `None` = no limit.
    weight_max_g: Option<i64>,
    side_max_mm: Option<i64>,
    /// Wall-clock time at the beginning; without it no cut-off is ever over.
    utc_s: Option<u64>,
    /// Passes of one waybill on a line that brings parcels back; `None` where the end is a chute.
    laps_max: Option<u64>,
}

#[derive(Clone, Debug)]
struct Rule {
    carrier: String,
    prefix: String,
    chutes: BTreeSet<u16>,
    /// From this local minute of the day on, the chutes are these.
    cut_off: Option<(u64, BTreeSet<u16>)>,
}

/// The plan's times are those of a clock so many minutes ahead of UTC.
const LOCAL_MINUTES: u64 = 480;
/// Local minute at which a cut-off is no longer over.
const DAY_BEGINS: u64 = 360;

/// A scale is off by at most so much, in grams.
const SCALE_G: i64 = 200;

#[derive(Clone, Debug)]
struct Item {
    carrier: String,
    route: String,
    gates_passed: bool,
}

impl Law {
    /// Reads the plan (TOML), the manifest (CSV, UTF-8) and the line file's exception chutes.
    ///
    /// # Panics
    /// When a file is not what the product accepted: then the run should not have started.
    pub fn read(plan: &str, manifest: &str, line: &str) -> Self {
        let plan: toml::Table = plan.parse().expect("plan is TOML");
        let line: toml::Table = line.parse().expect("line is TOML");
        let number =
            |value: &toml::Value| u16::try_from(value.as_integer().expect("number")).expect("u16");
        let logical: BTreeMap<&str, u16> = plan["chute"]
            .as_array()
            .expect("logical chutes")
            .iter()
            .map(|row| (row["logical"].as_str().expect("name"), number(&row["physical"])))
            .collect();
        let rules = plan["rule"].as_array().expect("rules").iter().map(|rule| {
            let list = |key: &str| -> BTreeSet<u16> {
                let names = rule.get(key).and_then(|list| list.as_array()).into_iter().flatten();
                names.map(|name| logical[name.as_str().expect("name")]).collect()
            };
            let word = |key: &str| rule[key].as_str().expect("text").to_owned();
            let cut_off = rule.get("cut_off").map(|time| {
                let (hour, minute) = time.as_str().expect("text").split_once(':').expect("time");
                let number = |text: &str| text.parse::<u64>().expect("a time of day");
                (number(hour) * 60 + number(minute), list("after_cut_off"))
            });
            let chutes = &list("chutes") | &list("overflow");
            Rule { carrier: word("carrier"), prefix: word("prefix"), chutes, cut_off }
        });
        let role = |wanted: &str| {
            let rows = line["chute"].as_array().expect("chutes").iter();
            let row = rows.into_iter().find(|row| row["role"].as_str() == Some(wanted));
            row.map(|row| number(&row["number"]))
        };
        let limit = |key: &str| line.get("tracking")?.get(key)?.as_integer();
        Self {
            rules: rules.collect(),
            items: items(manifest),
            general: role("general_exceptions"),
            quarantine: role("quarantine"),
            weight_max_g: limit("weight_max_g"),
            side_max_mm: limit("side_max_mm"),
            utc_s: None,
            laps_max: line["end"].get("laps_max").map(|laps| u64::from(number(laps))),
        }
    }

    /// Chutes of a parcel that `own` are for by its code, on a pass behind so many that went round, and
    /// whose label may be another's as well; `None` when only the end is right.
    ///
    /// Where parcels come back nothing ends at the end: what cannot be sorted, and what has gone round
    /// often enough, belongs to the general exceptions.
    pub fn on_lap(
        &self,
        own: Option<BTreeSet<u16>>,
        before: u64,
        repeated: bool,
    ) -> Option<BTreeSet<u16>> {
        let Some(laps_max) = self.laps_max else { return own };
        if own.is_some() && before < laps_max && !repeated {
            return own;
        }
        let both = own.into_iter().flatten().chain(self.general).collect::<BTreeSet<u16>>();
        (!both.is_empty()).then_some(both)
    }

    /// Passes of one waybill on a line that brings parcels back.
    pub const fn laps_max(&self) -> Option<u64> {
        self.laps_max
    }

    /// Chutes that a parcel with this one code may land in; `None` when only the end is right.
    pub fn chutes(&self, code: &str) -> Option<BTreeSet<u16>> {
        let item = self.items.get(code)?;
        if !item.gates_passed {
            return self.quarantine.map(|chute| BTreeSet::from([chute]));
        }
        match self.rule(item) {
            Some(rule) => Some(rule.chutes.clone()),
            None => self.general.map(|chute| BTreeSet::from([chute])),
        }
    }

    /// The rule of an item's key.
    fn rule(&self, item: &Item) -> Option<&Rule> {
        let fits = |rule: &&Rule| {
            rule.carrier == item.carrier && item.route.starts_with(rule.prefix.as_str())
        };
        self.rules.iter().filter(fits).max_by_key(|rule| rule.prefix.len())
    }

    /// The same law when the controller is told this time at the beginning.
    #[must_use]
    pub fn told(self, utc_s: Option<u64>) -> Self {
        Self { utc_s, ..self }
    }

    /// Chutes for one code on this very parcel, which may be too late, too heavy or too large; too
    /// heavy or too large may go as planned too, when nobody measured it in time.
    pub fn chutes_of(&self, code: &str, parcel: &TruthParcel) -> Option<BTreeSet<u16>> {
        let item = self.items.get(code)?;
        let mut chutes = self.chutes(code)?;
        if !item.gates_passed {
            return Some(chutes);
        }
        if let Some((minute, later)) = self.rule(item).and_then(|rule| rule.cut_off.as_ref()) {
            if self.is_over(*minute, parcel.inducted_at) {
                chutes.clear();
            }
            if self.is_over(*minute, parcel.landed_at) {
                chutes.extend(later);
            }
        }
        if self.may_be_too_much(parcel) {
            chutes.extend(self.general);
        }
        (!chutes.is_empty()).then_some(chutes)
    }

    fn may_be_too_much(&self, parcel: &TruthParcel) -> bool {
        let large = |most: i64| parcel.size_mm.iter().any(|side| *side > most);
        self.weight_max_g.is_some_and(|most| parcel.mass_g > most - SCALE_G)
            || self.side_max_mm.is_some_and(large)
    }

    /// Whether a cut-off at this local minute is over at an instant; what has not come is late.
    fn is_over(&self, minute: u64, at: Option<Micros>) -> bool {
        self.utc_s.is_some_and(|utc_s| {
            let now = at.map_or(u64::MAX, |at| utc_s + at.0 / 1_000_000);
            let local = (now / 60 + LOCAL_MINUTES) % 1_440;
            at.is_none() || local >= minute || local < DAY_BEGINS
        })
    }

    /// Whether a parcel may have been decided behind the cut-off of its key.
    pub fn may_be_cut_off(&self, code: &str, parcel: &TruthParcel) -> bool {
        let rule = self.items.get(code).and_then(|item| self.rule(item));
        let cut_off = rule.and_then(|rule| rule.cut_off.as_ref());
        cut_off.is_some_and(|(minute, _)| self.is_over(*minute, parcel.landed_at))
    }
}

fn items(manifest: &str) -> BTreeMap<String, Item> {
    let mut reader = csv::Reader::from_reader(manifest.trim_start_matches('\u{feff}').as_bytes());
    let header: Vec<String> =
        reader.headers().expect("header").iter().map(ToOwned::to_owned).collect();
    let place = |name: &str| header.iter().position(|h| h == name).expect("column");
    let (waybill, carrier, route) = (place("waybill"), place("carrier"), place("route_code"));
    let (inspected, xray) = (place("inspected"), place("xray"));
    let maybe = |name: &str| header.iter().position(|h| h == name);
    let (real_name, hold) = (maybe("real_name"), maybe("hold"));
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| {
        let says = |column: Option<usize>, free: &str| column.is_none_or(|at| &row[at] == free);
        let passed = &row[inspected] == "yes"
            && matches!(&row[xray], "passed" | "hub")
            && says(real_name, "yes")
            && says(hold, "none");
        let item = Item {
            carrier: row[carrier].to_owned(),
            route: row[route].to_owned(),
            gates_passed: passed,
        };
        (row[waybill].to_owned(), item)
    })
    .collect()
}

/// What the controller's journal says of one parcel instance.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    /// Belt reading at induction, low 32 bits.
    pub inducted: u32,
    /// Chutes that the controller assigned, in order.
    pub assigned: Vec<u16>,
    /// Chutes that beds were fired for.
    pub fired: Vec<u16>,
    /// Chute of the final landing.
    pub landed: Vec<u16>,
    /// Reason at the end of the line.
    pub ended: Vec<&'static str>,
    /// Reason for which it went round.
    pub round: Vec<&'static str>,
    /// Declared unconfirmed, lost or removed.
    pub open: bool,
}

/// Collects the beliefs from the decisions of a journal, by parcel id.
pub fn beliefs<'a>(decisions: impl Iterator<Item = &'a Decision>) -> BTreeMap<u64, Belief> {
    let mut all = BTreeMap::new();
    believe(&mut all, decisions);
    all
}

/// Goes on with the beliefs of a journal by the decisions behind it.
pub fn believe<'a>(all: &mut BTreeMap<u64, Belief>, decisions: impl Iterator<Item = &'a Decision>) {
    for decision in decisions {
        let Decision::Parcel { parcel, event } = decision else { continue };
        let belief = all.entry(parcel.0).or_default();
        match event {
            ParcelEvent::Inducted { at } => belief.inducted = at.low().0,
            ParcelEvent::Assigned { chute, .. } => belief.assigned.push(chute.0),
            ParcelEvent::Fired { chute, .. } => belief.fired.push(chute.0),
            ParcelEvent::Landed { chute, .. } => belief.landed.push(chute.0),
            ParcelEvent::EndLanded { reason } => belief.ended.push(reason.code()),
            ParcelEvent::Recirculated { reason } => belief.round.push(reason.code()),
            ParcelEvent::Unconfirmed { .. }
            | ParcelEvent::Lost { .. }
            | ParcelEvent::Removed { .. } => belief.open = true,
            ParcelEvent::Measured { .. }
            | ParcelEvent::Weighed { .. }
            | ParcelEvent::Identified { .. }
            | ParcelEvent::Rescanned { .. }
            | ParcelEvent::Seen { .. }
            | ParcelEvent::Routed { .. }
            | ParcelEvent::PassedOver { .. }
            | ParcelEvent::Believed { .. }
            | ParcelEvent::SentToEnd { .. }
            | ParcelEvent::Armed { .. }
            | ParcelEvent::LandedProvisional { .. } => {}
        }
    }
}

/// One plant parcel as the oracle needs it; from a world in this process or from a truth file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    /// Its place in the truth.
    pub index: u64,
    /// The same parcel's pass before.
    pub lap_of: Option<u64>,
    /// What its label says.
    pub waybill: String,
    /// What the reference node counted when its head reached the induction eye.
    pub count: u32,
    /// The codes that the tunnel's reader gave out in time; without any, the one of a re-scanner.
    pub codes: BTreeSet<String>,
    /// Whether they are a re-scanner's: some of the line lies behind the parcel by then.
    pub rescanned: bool,
    /// Where it lies.
    pub lies: Lies,
}

/// Where a plant parcel lies at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// In this chute.
    Chute(u16),
    /// In the end chute.
    End,
    /// Gone round: its next pass is another one here.
    Round,
    /// Still on its way.
    Underway,
}

impl Actual {
    /// The parcel of a world; `None` before its induction.
    pub fn of(parcel: &TruthParcel) -> Option<Self> {
        let told = |read: &ReadTruth| match read {
            ReadTruth::Codes { codes, late: false } => codes.iter().cloned().collect(),
            ReadTruth::Codes { late: true, .. } | ReadTruth::NoRead | ReadTruth::Pending => {
                BTreeSet::new()
            }
        };
        let (codes, rescanned) = known(told(&parcel.read), parcel.rescans.iter().map(told));
        let lies = match parcel.place {
            Place::Chute(number) => Lies::Chute(number),
            Place::End => Lies::End,
            Place::Round => Lies::Round,
            // Nobody may say that it landed or ended.
            Place::Waiting | Place::OnLine | Place::Sliding(_) | Place::Taken => Lies::Underway,
        };
        parcel.inducted_at?;
        let count = parcel.induct_count?.0;
        let (index, lap_of, waybill) = (parcel.index, parcel.lap_of, parcel.waybill.clone());
        Some(Self { index, lap_of, waybill, count, codes, rescanned, lies })
    }

    /// The parcel of one line of a truth file; `None` when the line has another form.
    pub fn from_line(line: &str) -> Option<Self> {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        let told = |read: &serde_json::Value| -> BTreeSet<String> {
            let in_time = read["late"].as_bool() == Some(false);
            let codes = read["codes"].as_array().filter(|_| in_time).into_iter().flatten();
            codes.filter_map(|code| code.as_str().map(ToOwned::to_owned)).collect()
        };
        let rescans = row["rescans"].as_array().into_iter().flatten();
        let (codes, rescanned) = known(told(&row["read"]), rescans.map(told));
        let lies = match row["place"]["at"].as_str()? {
            "chute" => Lies::Chute(u16::try_from(row["place"]["chute"].as_u64()?).ok()?),
            "end" => Lies::End,
            "round" => Lies::Round,
            _ => Lies::Underway,
        };
        Some(Self {
            index: row["index"].as_u64()?,
            lap_of: row["lap_of"].as_u64(),
            waybill: row["waybill"].as_str()?.to_owned(),
            count: u32::try_from(row["induct_count"].as_u64()?).ok()?,
            codes,
            rescanned,
            lies,
        })
    }
}

/// The codes that count: the tunnel's, or the first single one of a re-scanner; and whether they are
/// the latter's.
fn known(
    tunnel: BTreeSet<String>,
    mut rescans: impl Iterator<Item = BTreeSet<String>>,
) -> (BTreeSet<String>, bool) {
    if !tunnel.is_empty() {
        return (tunnel, false);
    }
    let found = rescans.find(|codes| codes.len() == 1);
    let rescanned = found.is_some();
    (found.unwrap_or_default(), rescanned)
}

/// What the oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Landed in a chute that was never allowed, because the controller decided so.
    pub wrong_by_decision: Vec<String>,
    /// Not where the controller says it is, and no alarm names it.
    pub wrong_unreported: Vec<String>,
    /// The controller decided right, the mechanics did otherwise, and it was reported.
    pub wrong_mechanical: Vec<String>,
    /// Plant parcels that no controller parcel answers for, and the reverse.
    pub lost: Vec<String>,
    /// Plant parcels that more than one controller parcel claims, or that ended more than once.
    pub doubled: Vec<String>,
    /// Parcels whose one code was read right and that the plan has a place for.
    pub sortable: u64,
    /// Those of them that lie in an allowed chute.
    pub sorted: u64,
    /// Codes read wrong yet well-formed: not observable.
    pub misread: u64,
}

/// Largest distance between the plant's and the controller's induction reading, in counts: sensor
/// offset, latching and debouncing; far less than the shortest parcel.
const JOIN: i32 = 60;

/// Judges a run that has drained.
pub fn judge(law: &Law, actual: &[Actual], beliefs: &BTreeMap<u64, Belief>) -> Finding {
    let mut finding = Finding::default();
    let mut claimed = BTreeSet::new();
    let laps = Laps::of(actual.iter().map(|pass| Pass {
        index: pass.index,
        lap_of: pass.lap_of,
        waybill: &pass.waybill,
        read: !pass.codes.is_empty(),
    }));
    for parcel in actual {
        let name = format!("plant parcel {} ({})", parcel.index, parcel.waybill);
        let lap = laps.at(parcel.index);
        let joined: Vec<_> = beliefs
            .iter()
            .filter(|(_, b)| b.inducted.wrapping_sub(parcel.count).cast_signed().abs() <= JOIN)
            .collect();
        match joined.as_slice() {
            [] => finding.lost.push(name),
            [(id, belief)] => {
                if !claimed.insert(**id) {
                    finding.doubled.push(format!("{name}: parcel {id} claimed twice"));
                }
                let name = format!("{name} = {id}");
                judge_one(law, parcel, lap, &name, belief, &mut finding);
            }
            several => finding.doubled.push(format!("{name}: {} parcels", several.len())),
        }
    }
    for id in beliefs.keys().filter(|id| !claimed.contains(*id)) {
        finding.lost.push(format!("controller parcel {id} has no plant parcel"));
    }
    finding
}

fn judge_one(
    law: &Law,
    parcel: &Actual,
    lap: Lap,
    name: &str,
    belief: &Belief,
    finding: &mut Finding,
) {
    let one = parcel.codes.first().filter(|_| parcel.codes.len() == 1);
    let misread = one.is_some_and(|code| *code != parcel.waybill);
    finding.misread += u64::from(misread);
    let own = one.and_then(|code| law.chutes(code));
    let known = own.is_some();
    let allowed = law.on_lap(own, lap.before, lap.repeated);
    let fits = |chute: &u16| allowed.as_ref().is_some_and(|set| set.contains(chute));
    if belief.landed.len() + belief.ended.len() + belief.round.len() > 1 {
        let Belief { landed, ended, round, .. } = belief;
        finding
            .doubled
            .push(format!("{name}: landed {landed:?}, ended {ended:?}, went round {round:?}"));
    }
    let wrong = matches!(parcel.lies, Lies::Chute(number) if !fits(&number));
    // What was assigned is the decision; an arm for another chute than that is one as well.
    let decided = belief.assigned.iter().chain(&belief.fired).find(|chute| !fits(chute));
    if let Some(bad) = decided {
        finding.wrong_by_decision.push(format!("{name}: chute {bad}, allowed {allowed:?}"));
    } else if wrong {
        let text = format!("{name}: lies in {:?}, allowed {allowed:?}", parcel.lies);
        finding.wrong_mechanical.push(text);
    }
    let said = belief.landed.first().copied();
    let (ended, round) = (!belief.ended.is_empty(), !belief.round.is_empty());
    let agrees = match parcel.lies {
        Lies::Chute(number) => {
            !ended && !round && (said == Some(number) || (belief.open && said.is_none()))
        }
        Lies::End => said.is_none() && !round && (ended || belief.open),
        Lies::Round => said.is_none() && !ended && (round || belief.open),
        Lies::Underway => said.is_none() && !ended && !round,
    };
    if !agrees {
        let text = format!("{name}: {:?}, said {said:?}, ended {:?}", parcel.lies, belief.ended);
        finding.wrong_unreported.push(text);
    }
    if known && lap.last && !misread && !lap.repeated && !parcel.rescanned {
        finding.sortable += 1;
        finding.sorted += u64::from(matches!(parcel.lies, Lies::Chute(_)) && !wrong);
    }
}
