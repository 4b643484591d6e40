//! What happens around the nodes: edges, the reader's and the scale's answers.

use super::nodes::Place;
use line_sim::rng::Rng;
use registers::NodeKind;
use registers::points::{diverter, dws, scanner};
use std::collections::BTreeMap;

/// How long an input stays active, in ms: longer than any debouncing that a host may set.
const ACTIVE_MS: [u64; 2] = [230, 600];
/// How long it stays inactive.
const IDLE_MS: [u64; 2] = [230, 2_600];
/// The same for a contact that moves seldom.
const RARE_MS: [u64; 2] = [2_000, 20_000];
/// How long reader and scale take, in ms: less than a parcel is long.
const DEVICE_MS: [u64; 2] = [10, 150];

/// Something that happens to a node.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// An input changes.
    Toggle { place: usize, input: u8 },
    /// A device sends a line; void after a restart.
    Line {
        place: usize,
        boot_id: u16,
        line: String,
        meaning: Meaning,
        /// Where the belt stood at the trigger's head.
        head: i64,
    },
}

/// What a device's line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Codes(Vec<String>),
    NoRead,
    TooLong,
    Unassigned(u16),
    Measured(Option<u32>, [u16; 3]),
}

/// Inputs that change by themselves.
pub(super) fn moving(kind: NodeKind) -> impl Iterator<Item = u8> {
    let all = kind.inputs().iter().map(|point| point.id);
    all.filter(move |input| kind != NodeKind::Diverter || *input != diverter::HOME)
}

/// Whatever is due to happen.
#[derive(Clone, Debug)]
pub(super) struct Driver {
    rng: Rng,
    agenda: BTreeMap<(u64, u64), Happening>,
    order: u64,
    /// Numbers codes and weights, so that each is unique.
    unique: u64,
    quiet: bool,
}

impl Driver {
    pub(super) fn new(seed: u64) -> Self {
        let rng = Rng::stream(seed, "driver");
        Self { rng, agenda: BTreeMap::new(), order: 0, unique: 0, quiet: false }
    }

    /// No more edges from now on.
    pub(super) fn be_quiet(&mut self) {
        self.quiet = true;
        self.agenda.retain(|_, happening| matches!(happening, Happening::Line { .. }));
    }

    pub(super) fn next(&self) -> Option<u64> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn due(&mut self, now: u64) -> Option<Happening> {
        let first = self.agenda.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    fn enter(&mut self, at: u64, happening: Happening) {
        self.order += 1;
        self.agenda.insert((at, self.order), happening);
    }

    /// The next changes of every input of a node that has just booted.
    pub(super) fn begin(&mut self, now: u64, index: usize, place: &Place) {
        let mine = |happening: &Happening| match happening {
            Happening::Toggle { place, .. } | Happening::Line { place, .. } => *place == index,
        };
        self.agenda.retain(|_, happening| !mine(happening));
        for input in moving(place.post.kind) {
            self.plan_toggle(now, index, place.post.kind, input, place.levels[usize::from(input)]);
        }
    }

    /// When an input that is at `level` now changes next.
    pub(super) fn plan_toggle(
        &mut self,
        now: u64,
        place: usize,
        kind: NodeKind,
        input: u8,
        level: bool,
    ) {
        if self.quiet {
            return;
        }
        let rare = kind == NodeKind::Diverter
            && [
                diverter::LOCK_LEFT,
                diverter::LOCK_RIGHT,
                diverter::FULL_LEFT,
                diverter::FULL_RIGHT,
            ]
            .contains(&input);
        let span = match (rare, level) {
            (true, _) => RARE_MS,
            (false, true) => ACTIVE_MS,
            (false, false) => IDLE_MS,
        };
        let at = now + self.rng.span(span.map(|ms| ms * 1_000));
        self.enter(at, Happening::Toggle { place, input });
    }

    /// When the arrival eye of a node changes next.
    pub(super) fn next_toggle(&self, index: usize, wanted: u8) -> Option<u64> {
        let found = self.agenda.iter().find(|(_, happening)| {
            matches!(happening, Happening::Toggle { place, input } if (*place, *input) == (index, wanted))
        });
        found.map(|((at, _), _)| *at)
    }

    /// A node has sent `T<n>` to its reader or scale: plans the answer.
    pub(super) fn triggered(
        &mut self,
        now: u64,
        index: usize,
        place: &Place,
        request: &[u8],
        head: i64,
    ) {
        let text = String::from_utf8_lossy(request);
        for number in text.split('\r').filter_map(|line| line.strip_prefix('T')) {
            let number: u16 = number.parse().expect("a trigger number");
            let (line, meaning) = match place.post.kind {
                NodeKind::Scanner => self.read(number),
                NodeKind::Dws => self.weighed(number),
                NodeKind::Zone | NodeKind::Diverter | NodeKind::Panel => continue,
            };
            let at = now + self.rng.span(DEVICE_MS.map(|ms| ms * 1_000));
            let boot_id = place.boot_id;
            self.enter(at, Happening::Line { place: index, boot_id, line, meaning, head });
            if self.rng.chance(20_000) {
                let (line, meaning) = ("60000:STRAY\r".to_owned(), Meaning::Unassigned(60_000));
                self.enter(
                    at + 700,
                    Happening::Line { place: index, boot_id, line, meaning, head },
                );
            }
        }
    }

    fn next_unique(&mut self) -> u64 {
        self.unique += 1;
        self.unique
    }

    fn read(&mut self, number: u16) -> (String, Meaning) {
        match self.rng.below(20) {
            0 => (format!("{number}:NOREAD\r"), Meaning::NoRead),
            1 => (format!("{number}:{}\r", "9".repeat(49)), Meaning::TooLong),
            drawn => {
                let count = if drawn < 6 { 1 + self.rng.below(8) } else { 1 };
                let codes: Vec<String> = (0..count)
                    .map(|_| {
                        let code = format!("YT{:012}", self.next_unique());
                        let pad = self.rng.index(48 - code.len() + 1);
                        format!("{code}{}", "0".repeat(pad))
                    })
                    .collect();
                (format!("{number}:{}\r", codes.join(";")), Meaning::Codes(codes))
            }
        }
    }

    fn weighed(&mut self, number: u16) -> (String, Meaning) {
        if self.rng.chance(50_000) {
            return (format!("{number}:E\r"), Meaning::Measured(None, [0; 3]));
        }
        let grams = u32::try_from(self.next_unique() % 1_000_000).expect("small");
        let size = [self.rng.half_word(), self.rng.half_word(), self.rng.half_word()];
        let [l, w, h] = size;
        (format!("{number}:{grams};{l};{w};{h}\r"), Meaning::Measured(Some(grams), size))
    }
}

/// The input that starts a trigger, where a node has one.
pub(super) const fn trigger(kind: NodeKind) -> Option<u8> {
    match kind {
        NodeKind::Scanner => Some(scanner::TRIGGER),
        NodeKind::Dws => Some(dws::TRIGGER),
        NodeKind::Zone | NodeKind::Diverter | NodeKind::Panel => None,
    }
}
