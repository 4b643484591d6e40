//! Geometry of the drawn line: computed here from the layout, so that the picture is the line's.

use super::dto::millimetres;
use super::words;
use line_model::ids::Side;
use line_model::layout::Layout;

/// Shortest stretch drawn behind the last diverter, so that the end chute has its place.
const TAIL_MM: i64 = 1_300;
/// Stretch drawn ahead of the induction eye.
const LEAD_MM: i64 = 300;
/// More columns than this do not fit beside each other; the board then wraps.
const COLUMNS: usize = 10;

/// The sorter belt as it is drawn, in millimetres from the induction eye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mimic {
    /// Left border of the picture.
    pub(super) from: i64,
    /// Width of the picture.
    pub(super) width: i64,
    /// End of the belt.
    pub(super) end: i64,
    /// Photo-eyes with their names.
    pub(super) eyes: Vec<Mark>,
    /// Diverters.
    pub(super) diverters: Vec<Bed>,
}

/// A named place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where.
    pub(super) at: i64,
    /// Number of the eye.
    pub(super) eye: usize,
}

/// A diverter's bed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bed {
    /// Name.
    pub(super) name: String,
    /// Start of the bed.
    pub(super) at: i64,
    /// Its length.
    pub(super) length: i64,
    /// Its middle.
    pub(super) middle: i64,
    /// The chute on the left, above in the picture; `None` without one.
    pub(super) left: Option<u16>,
    /// The chute on the right.
    pub(super) right: Option<u16>,
}

impl Mimic {
    /// Draws the layout.
    pub(super) fn new(layout: &Layout) -> Self {
        let diverters: Vec<Bed> =
            (0..layout.diverters.len()).filter_map(|index| bed(layout, index)).collect();
        let eyes: Vec<Mark> = layout
            .eyes
            .iter()
            .enumerate()
            .map(|(eye, place)| Mark { at: millimetres(layout, place.at), eye })
            .collect();
        let last_eye = eyes.iter().map(|mark| mark.at).max().unwrap_or_default();
        let end = last_eye + LEAD_MM;
        let last_bed = diverters.iter().map(|bed| bed.at + bed.length).max().unwrap_or_default();
        let border = (last_bed + TAIL_MM).max(end + TAIL_MM / 2);
        Self { from: -LEAD_MM, width: border + LEAD_MM, end, eyes, diverters }
    }

    /// A style sheet that puts the chutes beside their diverters; empty when they are too many.
    pub(super) fn style(&self) -> String {
        if self.diverters.is_empty() || self.diverters.len() > COLUMNS {
            return String::new();
        }
        let mut borders = Vec::new();
        for pair in self.diverters.windows(2) {
            if let [a, b] = pair {
                borders.push(i64::midpoint(a.middle, b.middle));
            }
        }
        let half = match (self.diverters.first(), borders.first()) {
            (Some(first), Some(border)) => border - first.middle,
            _ => TAIL_MM / 2,
        };
        let first = self.diverters.first().map_or(0, |bed| bed.middle) - half;
        let last = self.diverters.last().map_or(0, |bed| bed.middle) + half;
        borders.insert(0, first);
        borders.push(last);
        let mut columns = format!("{}fr)", (first - self.from).max(1));
        for pair in borders.windows(2) {
            if let [a, b] = pair {
                columns.push_str(&format!(" minmax(0,{}fr)", (b - a).max(1)));
            }
        }
        columns.push_str(&format!(" minmax(0,{}fr)", (self.from + self.width - last).max(1)));
        let mut style = format!(
            "@media (min-width:62rem){{.board{{grid-template-columns:minmax(0,{columns}}}\
             .board .belt{{grid-area:2/1/3/-1}}.board .lead-top{{grid-area:1/1}}\
             .board .lead-bottom{{grid-area:3/1}}.board .tail{{grid-area:3/-2}}"
        );
        for (column, bed) in (2_u32..).zip(&self.diverters) {
            for (row, chute) in [(1, bed.left), (3, bed.right)] {
                if let Some(number) = chute {
                    style.push_str(&format!("#chute-{number}{{grid-area:{row}/{column}}}"));
                }
            }
        }
        style.push_str("}\n");
        style
    }
}

fn bed(layout: &Layout, index: usize) -> Option<Bed> {
    let place = layout.diverters.get(index)?;
    let id = line_model::ids::DiverterId(u8::try_from(index).ok()?);
    let eye = layout.eyes.get(usize::from(place.eye.0))?;
    let at = millimetres(layout, eye.at.plus(place.eye_to_bed));
    let length = millimetres(layout, place.bed);
    let chute = |side: Side| layout.chute_at(id, side).map(|chute| chute.number.0);
    Some(Bed {
        name: words::node(layout, place.node),
        at,
        length,
        middle: at + length / 2,
        left: chute(Side::Left),
        right: chute(Side::Right),
    })
}
