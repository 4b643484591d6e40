//! The swarm: random lines, plans, parcels and faults from one seed each, run until drained, judged.
//!
//! [`draw`](fn@draw) draws one, [`run::run`] runs it with people who do what operators do at the panel,
//! [`run::Outcome`] is what is demanded of it, and [`shrink`] makes a failing one small. Knows nothing of how the model works.

pub mod flow;
pub mod join;
pub mod judge;
pub mod limits;
pub mod lines;
pub mod log;
pub mod near;
pub mod people;
pub mod plans;
pub mod run;
pub mod saboteurs;
pub mod shrink;
pub mod trouble;

use line_sim::rng::Rng;
use line_sim::scenario::Source;
use line_sim::{Feed, Scenario};
use sortline::config::Line;

/// A scenario with what it took to draw it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The scenario; its files are texts inside it.
    pub scenario: Scenario,
    /// Lines that the product's check refused before this one.
    pub refused: u64,
}

/// Most lines drawn for one scenario; about every second one passes.
const TRIES_MAX: u64 = 200;

/// Draws the scenario of a seed with about this many parcels.
///
/// # Panics
/// When the product's check refuses every line: then the generator is wrong.
pub fn draw(seed: u64, parcels: u64) -> Drawn {
    for refused in 0..TRIES_MAX {
        let mut rng = Rng::stream(seed, &format!("swarm line {refused}"));
        let mut drawn = lines::draw(&mut rng);
        let mut limits = Rng::stream(seed, "swarm limits");
        let limited = limits::limited(&mut limits);
        if limited {
            drawn.line = limits::limit(&mut limits, &drawn.line);
        }
        let Ok(line) = sortline::config::check("line.toml", &drawn.line) else { continue };
        let (line, text_of_line) = rescanned(seed, line, drawn.line);
        let mut rng = Rng::stream(seed, "swarm case");
        let parcels = (parcels * (50 + rng.below(101)) / 100).max(2);
        // Fewer rows than parcels now and then: waybills come twice.
        let share = [300, 120, 80][rng.index(3)];
        let rows = usize::try_from(parcels * share / 100).expect("few").max(20);
        let mut manifest = line_sim::manifest::generate(rng.bits(), rows);
        if limited {
            manifest = limits::hold(&mut limits, &manifest);
        }
        let mut plan = plans::draw(&mut rng, &drawn.sorting, 1);
        let mut utc_s = None;
        if limited {
            let (later, begins) = limits::cut_off(&mut limits, &plan);
            (plan, utc_s) = (later, Some(begins));
        }
        let text = |text: String| Source::Inline { text };
        let scenario = Scenario {
            plan: text(plan),
            line: text(text_of_line),
            plant: text(drawn.plant),
            manifest: text(manifest),
            profile: ["clean", "normal", "normal"][rng.index(3)].to_owned(),
            seed,
            feed: if rng.chance(200_000) { Feed::People } else { Feed::Saturated },
            parcels: Some(parcels),
            utc_s,
            faults: wire(&mut rng).map(ToOwned::to_owned),
            overrides: toml::Table::new(),
            events: trouble::draw(&mut rng, &line.file, parcels),
        };
        return Drawn { scenario, refused };
    }
    panic!("seed {seed}: {TRIES_MAX} lines refused in a row");
}

/// The line with a re-scanner, where one is drawn for this seed and the check takes it there.
fn rescanned(seed: u64, line: Line, text: String) -> (Line, String) {
    let mut rng = Rng::stream(seed, "re-scanner");
    let Some(with) = lines::with_rescanner(&mut rng, &line.file, &text) else {
        return (line, text);
    };
    match sortline::config::check("line.toml", &with) {
        Ok(checked) => (checked, with),
        Err(_) => (line, text),
    }
}

/// Faults of the wire: none, light, or a bad cable with ports that go and come back.
fn wire(rng: &mut Rng) -> Option<&'static str> {
    match rng.below(10) {
        0..3 => None,
        3..6 => Some("bit_errors=2000,lost_answers=2000,lost_requests=1000,late=1000,noise=1000"),
        6..8 => Some("bad-rs485"),
        8 => Some("bad-rs485,reboots=30,resets=200"),
        _ => Some("bad-rs485,unplugs=20,unplug_ms=200..900,second_masters=200"),
    }
}
