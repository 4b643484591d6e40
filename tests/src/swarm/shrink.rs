//! From a failing scenario to a small one: fewer troubles, parcels, diverters, rows and kinds of
//! noise, as long as it still fails. Deterministic: the same scenario shrinks to the same file.

use line_sim::Scenario;
use line_sim::scenario::Source;
use toml::{Table, Value};

/// Most runs that shrinking may cost.
const RUNS_MAX: u32 = 250;

/// Looks for a smaller scenario that still fails.
struct Shrinker<'a> {
    best: Scenario,
    fails: &'a mut dyn FnMut(&Scenario) -> bool,
    runs: u32,
}

/// Shrinks a scenario that `fails`; its sources should be texts, or they stay whole.
pub fn shrink(scenario: &Scenario, fails: &mut dyn FnMut(&Scenario) -> bool) -> Scenario {
    let mut shrinker = Shrinker { best: scenario.clone(), fails, runs: 0 };
    loop {
        let before = shrinker.best.clone();
        shrinker.quieten();
        shrinker.events();
        shrinker.parcels();
        shrinker.rows();
        shrinker.diverters();
        if shrinker.best == before || shrinker.runs >= RUNS_MAX {
            return shrinker.best;
        }
    }
}

impl Shrinker<'_> {
    /// Keeps `smaller` when it still fails.
    fn keep(&mut self, smaller: Scenario) -> bool {
        if self.runs >= RUNS_MAX || smaller == self.best {
            return false;
        }
        self.runs += 1;
        let fails = (self.fails)(&smaller);
        if fails {
            self.best = smaller;
        }
        fails
    }

    /// No faults of the wire, no small troubles of the plant, no people at the infeed.
    fn quieten(&mut self) {
        self.keep(Scenario { faults: None, ..self.best.clone() });
        self.keep(Scenario { profile: "clean".to_owned(), ..self.best.clone() });
        self.keep(Scenario { feed: line_sim::Feed::Saturated, ..self.best.clone() });
    }

    /// Without this half, quarter … one of the events.
    fn events(&mut self) {
        let mut size = self.best.events.len();
        while size > 0 {
            let mut from = 0;
            while from < self.best.events.len() {
                let mut smaller = self.best.clone();
                let to = (from + size).min(smaller.events.len());
                smaller.events.drain(from..to);
                if !self.keep(smaller) {
                    from += size;
                }
            }
            size /= 2;
        }
    }

    /// Half the parcels, then fewer by smaller and smaller steps.
    fn parcels(&mut self) {
        let Some(parcels) = self.best.parcels else { return };
        let mut step = parcels / 2;
        while step > 0 {
            let left = self.best.parcels.unwrap_or(0).saturating_sub(step);
            if left == 0 || !self.keep(Scenario { parcels: Some(left), ..self.best.clone() }) {
                step /= 2;
            }
        }
    }

    /// A shorter manifest.
    fn rows(&mut self) {
        while let Source::Inline { text } = &self.best.manifest {
            let rows: Vec<&str> = text.lines().collect();
            let kept = rows.len() / 2;
            if kept < 3 {
                return;
            }
            let text = format!("{}\n", rows[..kept].join("\n"));
            let manifest = Source::Inline { text };
            if !self.keep(Scenario { manifest, ..self.best.clone() }) {
                return;
            }
        }
    }

    /// Without this diverter, from the last one back.
    fn diverters(&mut self) {
        let mut at = diverters(&self.best);
        while at > 0 {
            at -= 1;
            if let Some(smaller) = without(&self.best, at) {
                self.keep(smaller);
            }
        }
    }
}

fn parsed(source: &Source) -> Option<Table> {
    match source {
        Source::Inline { text } => text.parse().ok(),
        Source::Path(_) => None,
    }
}

fn rows<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Vec<Value>> {
    table.get_mut(key).and_then(Value::as_array_mut)
}

/// How many diverters its line has.
pub fn diverters(scenario: &Scenario) -> usize {
    let mut line = parsed(&scenario.line).unwrap_or_default();
    rows(&mut line, "diverter").map_or(0, |rows| rows.len())
}

/// The scenario without one diverter, its node, its chutes and the rules that only they served;
/// `None` when the line needs it or its texts are files.
fn without(scenario: &Scenario, at: usize) -> Option<Scenario> {
    let (mut line, mut plant) = (parsed(&scenario.line)?, parsed(&scenario.plant)?);
    let mut plan = parsed(&scenario.plan)?;
    let bed = rows(&mut line, "diverter")?.remove(at);
    let name = bed.get("name")?.as_str()?.to_owned();
    let node = bed.get("node")?.as_str()?.to_owned();
    let gone: Vec<i64> =
        ["left", "right"].iter().filter_map(|side| bed.get(side)?.as_integer()).collect();
    let named =
        |row: &Value, key: &str, name: &str| row.get(key).and_then(Value::as_str) == Some(name);
    let numbered = |row: &Value, key: &str| {
        row.get(key).and_then(Value::as_integer).is_some_and(|number| gone.contains(&number))
    };
    let chutes = rows(&mut line, "chute")?;
    let special = |row: &Value| numbered(row, "number") && !named(row, "role", "sort");
    if chutes.iter().any(special) {
        return None;
    }
    chutes.retain(|row| !numbered(row, "number"));
    let nodes = rows(&mut line, "node")?;
    let bus = nodes.iter().find(|row| named(row, "name", &node))?.get("bus")?.as_str()?.to_owned();
    nodes.retain(|row| !named(row, "name", &node));
    if !nodes.iter().any(|row| named(row, "bus", &bus)) {
        rows(&mut line, "bus")?.retain(|row| !named(row, "name", &bus));
    }
    rows(&mut plant, "bed")?.retain(|row| !named(row, "diverter", &name));
    let logical = rows(&mut plan, "chute")?;
    let lost: Vec<String> = logical
        .iter()
        .filter(|row| numbered(row, "physical"))
        .filter_map(|row| row.get("logical")?.as_str().map(ToOwned::to_owned))
        .collect();
    logical.retain(|row| !numbered(row, "physical"));
    let rules = rows(&mut plan, "rule")?;
    for rule in rules.iter_mut() {
        let list = rule.get_mut("chutes").and_then(Value::as_array_mut)?;
        list.retain(|name| !lost.iter().any(|lost| name.as_str() == Some(lost)));
    }
    rules.retain(|rule| {
        rule.get("chutes").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    });
    let text = |table: &Table| Some(Source::Inline { text: toml::to_string(table).ok()? });
    let (line, plant, plan) = (text(&line)?, text(&plant)?, text(&plan)?);
    Some(Scenario { line, plant, plan, ..scenario.clone() })
}
