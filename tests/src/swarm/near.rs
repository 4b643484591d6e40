//! Which parcels are near something that was injected: themselves, or a neighbour up to two away.

use line_file::LineFile;
use line_sim::scenario::Event;
use line_sim::truth::{Happened, Truth, TruthParcel, With};
use std::collections::BTreeSet;
use units::Micros;

/// Parcels near an injected fault, by their places in the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Near {
    parcels: BTreeSet<u64>,
    /// When the scanner's node was down, and forgot its triggers.
    reboots: Vec<Micros>,
    /// Chutes that people, their full eyes or limits of their own may have closed, since when and
    /// until when.
    closed: Vec<(u16, Micros, Micros)>,
}

/// Parcels that come closer than this were pushed together on the infeed, in mm.
const TOUCH_MM: i64 = 150;

/// Neighbours on each side that may still notice.
const NEIGHBOURS: usize = 2;
/// How far around its place an event acts, in mm.
const AROUND_MM: i64 = 800;
/// How long after its end something of the whole line is still felt: people, warning, ramp.
const AFTER: Micros = Micros::from_secs(30);
/// A jam is found and cleared within this time.
const JAM: Micros = Micros::from_secs(90);

/// From a new bag to the release of its button, and to word of it.
const PRESS: Micros = Micros::from_secs(1);

/// How far an event reaches.
enum Reach {
    /// Only the parcels that it touched.
    Touched,
    /// Parcels at this place in its time, in mm.
    Place(i64),
    /// Every parcel on the line in its time.
    Line,
}

impl Near {
    /// Finds them.
    pub fn find(line: &LineFile, truth: &Truth) -> Self {
        let mut order: Vec<&TruthParcel> =
            truth.parcels.iter().filter(|parcel| parcel.inducted_at.is_some()).collect();
        order.sort_by_key(|parcel| parcel.inducted_at);
        let mut core: BTreeSet<u64> = BTreeSet::new();
        for happened in truth.happened.iter().filter(|happened| happened.done) {
            core.extend(&happened.parcels);
            let until = happened.until.unwrap_or(Micros(u64::MAX));
            match reach(line, &happened.event) {
                Reach::Touched => {}
                Reach::Place(place) => {
                    let there = |parcel: &&&TruthParcel| at(line, parcel, happened, until, place);
                    core.extend(order.iter().filter(there).map(|parcel| parcel.index));
                }
                Reach::Line => core.extend(on_line(&order, happened.at, until.plus(AFTER))),
            }
        }
        for parcel in &truth.parcels {
            for contact in &parcel.contacts {
                if matches!(contact.with, With::Mouth(_) | With::WheelsStopped(_) | With::Overflow)
                {
                    core.extend(on_line(&order, contact.at, contact.at.plus(JAM)));
                }
            }
        }
        for pair in order.windows(2) {
            if let [ahead, parcel] = pair
                && parcel.gap_mm.is_some_and(|gap| gap < TOUCH_MM)
            {
                core.extend([ahead.index, parcel.index]);
            }
        }
        let mut near = core.clone();
        for (place, parcel) in order.iter().enumerate() {
            let from = place.saturating_sub(NEIGHBOURS);
            let to = (place + NEIGHBOURS + 1).min(order.len());
            if order[from..to].iter().any(|other| core.contains(&other.index)) {
                near.insert(parcel.index);
            }
        }
        let mut closed = closed(truth);
        let limits = line.chute.iter();
        let limits =
            limits.filter(|chute| chute.pieces_max.is_some() || chute.rate_parcels.is_some());
        closed.extend(limits.map(|chute| (chute.number, Micros::ZERO, Micros::MAX)));
        let scanner = |event: &Event| matches!(event, Event::NodeReboot { node, .. } if *node == line.scanner.node);
        let reboots = truth.happened.iter().filter(|happened| scanner(&happened.event));
        let reboots = reboots.map(|happened| happened.at).collect();
        Self { parcels: near, reboots, closed }
    }

    /// Whether this parcel is one.
    pub fn is_near(&self, parcel: u64) -> bool {
        self.parcels.contains(&parcel)
    }

    /// Whether the scanner's node restarted while the parcel was on the line: its read is lost.
    pub fn read_may_be_lost(&self, parcel: &TruthParcel) -> bool {
        let (from, to) = (parcel.inducted_at, parcel.landed_at.unwrap_or(Micros(u64::MAX)));
        self.reboots.iter().any(|at| from.is_some_and(|from| from <= *at) && *at <= to)
    }

    /// Whether one of these chutes may have been closed when the parcel came to it.
    pub fn may_be_closed(&self, chutes: &BTreeSet<u16>, parcel: &TruthParcel) -> bool {
        let [came, went] =
            [parcel.inducted_at, parcel.landed_at].map(|at| at.unwrap_or(Micros::MAX));
        let meets = |(chute, from, until): &(u16, Micros, Micros)| {
            chutes.contains(chute) && *from <= went && came <= *until
        };
        self.closed.iter().any(meets)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.parcels.len()
    }
}

/// When chutes took nothing: for what a scenario does to them until the end, for what fills and is
/// emptied until somebody has pressed the button for the second time.
fn closed(truth: &Truth) -> Vec<(u16, Micros, Micros)> {
    let done = truth.happened.iter().filter(|happened| happened.done);
    let told = done.filter_map(|happened| match &happened.event {
        Event::ChuteFull { chute, .. }
        | Event::ChuteButton { chute, .. }
        | Event::BagChange { chute } => Some((*chute, happened.at, Micros::MAX)),
        _ => None,
    });
    let filled = truth.closures.iter().map(|closure| {
        let until = closure.until.map_or(Micros::MAX, |until| until.plus(PRESS));
        (closure.chute, closure.from, until)
    });
    told.chain(filled).collect()
}

/// The parcels that were on the line in a time.
fn on_line(order: &[&TruthParcel], from: Micros, to: Micros) -> Vec<u64> {
    let there = order.iter().filter(|parcel| {
        parcel.inducted_at.is_some_and(|at| at <= to)
            && parcel.landed_at.is_none_or(|at| at >= from)
    });
    there.map(|parcel| parcel.index).collect()
}

/// Whether a parcel was around a place while an event lasted: its way is taken as even.
fn at(
    line: &LineFile,
    parcel: &TruthParcel,
    happened: &Happened,
    until: Micros,
    place: i64,
) -> bool {
    let (Some(from), Some(to)) = (parcel.inducted_at, parcel.landed_at) else { return true };
    let speed = line.zone.last().map_or(1_000, |zone| u64::from(zone.speed_mm_s));
    if to < happened.at || from > until {
        return false;
    }
    // It was there about this long after its induction, and on a line that stood meanwhile later.
    let around = u64::try_from(AROUND_MM).unwrap_or(0);
    let place = u64::try_from(place).unwrap_or(0);
    let earliest = from.0 + place.saturating_sub(around) * 1_000_000 / speed;
    let latest = from.0 + (place + around) * 1_200_000 / speed;
    earliest <= until.0.saturating_add(1_000_000) && latest + 1_000_000 >= happened.at.0
}

fn reach(line: &LineFile, event: &Event) -> Reach {
    let bed = |name: &str| {
        let bed = line.diverter.iter().find(|bed| bed.name == *name);
        bed.map_or(Reach::Line, |bed| Reach::Place(i64::from(bed.bed_from_mm)))
    };
    let eye = |name: &str| {
        let own = line.eye.iter().find(|eye| eye.name == *name).map(|eye| eye.at_mm);
        let arrival = line.diverter.iter().find(|bed| bed.name == *name).map(|bed| bed.eye_at_mm);
        let over = line.diverter.iter().find(|bed| {
            let sides = [bed.left, bed.right];
            sides.iter().flatten().any(|chute| format!("chute-{chute}") == *name)
        });
        let tunnel = match name {
            "scanner" => Some(line.scanner.at_mm),
            "end" => Some(line.end.eye_at_mm),
            _ => None,
        };
        let place = own.or(arrival).or(over.map(|bed| bed.bed_from_mm)).or(tunnel);
        place.map_or(Reach::Line, |place| Reach::Place(i64::from(place)))
    };
    match event {
        Event::TakeOff
        | Event::Hold { .. }
        | Event::Slip { .. }
        | Event::Touch
        | Event::Overlap { .. }
        | Event::Rotate
        | Event::Read { .. }
        | Event::NotGripped
        | Event::SkewJam
        | Event::Drag
        | Event::ScaleDead { .. } => Reach::Touched,
        Event::PutOn { place_mm, .. } => Reach::Place(i64::from(*place_mm)),
        Event::EyeBlocked { eye: name, .. }
        | Event::EyeClear { eye: name, .. }
        | Event::EyeDirty { eye: name, .. }
        | Event::EyeMiss { eye: name }
        | Event::EyeBounce { eye: name, .. } => eye(name),
        Event::Hand { chute, .. }
        | Event::ChuteFull { chute, .. }
        | Event::ChuteButton { chute, .. }
        | Event::BagChange { chute } => eye(&format!("chute-{chute}")),
        Event::ReaderDead { scanner: 0, .. } => Reach::Place(i64::from(line.scanner.at_mm)),
        // Nobody needs a re-scan who is far from every trouble.
        Event::ReaderDead { .. } => Reach::Touched,
        Event::NoTurn { diverter, .. }
        | Event::NoReturn { diverter, .. }
        | Event::WheelsStopped { diverter, .. }
        | Event::SlowSwitch { diverter, .. }
        | Event::FeedbackLies { diverter, .. } => bed(diverter),
        Event::NodeReboot { node, .. } | Event::CounterStall { node, .. } => bed(node),
        // Whatever else there is stops the line, or may.
        _ => Reach::Line,
    }
}
