//! Chutes: where they stand, what they are for and what catches their parcels.

use super::{Builder, RATE_SPAN_MS, id, millis};
use line_file::{ChuteKind, ChuteRole};
use line_model::ids::{ChuteNo, DiverterId, Side};
use line_model::layout::{self, Change, ChuteCare, ChutePlace, Rate};
use units::Grams;

impl Builder<'_> {
    pub(super) fn chute(&self, chute: &line_file::Chute) -> Option<ChutePlace> {
        let (n, side) = self.file.diverter.iter().enumerate().find_map(|(n, diverter)| {
            if diverter.left == Some(chute.number) {
                Some((n, Side::Left))
            } else {
                (diverter.right == Some(chute.number)).then_some((n, Side::Right))
            }
        })?;
        let role = match chute.role {
            ChuteRole::Sort => layout::ChuteRole::Sort,
            ChuteRole::GeneralExceptions => layout::ChuteRole::GeneralExceptions,
            ChuteRole::Quarantine => layout::ChuteRole::Quarantine,
        };
        let (number, diverter) = (ChuteNo(chute.number), DiverterId(id(n)));
        Some(ChutePlace { number, diverter, side, role, care: self.care(chute) })
    }

    fn care(&self, chute: &line_file::Chute) -> ChuteCare {
        let span = millis(chute.rate_span_ms.unwrap_or(RATE_SPAN_MS));
        let length = chute.rate_length_mm.map(|mm| self.counts(i64::from(mm)));
        let parcels = chute.rate_parcels;
        ChuteCare {
            kind: match chute.kind {
                Some(ChuteKind::Bag) => layout::ChuteKind::Bag,
                Some(ChuteKind::Cage) => layout::ChuteKind::Cage,
                Some(ChuteKind::Slide) | None => layout::ChuteKind::Slide,
            },
            change: chute
                .buffer_pieces
                .map_or(Change::Locked, |pieces| Change::Buffered { pieces }),
            full_after: chute.full_delay_ms.map(millis),
            pieces_max: chute.pieces_max,
            weight_max: chute.weight_max_g.map(Grams),
            rate: (parcels.is_some() || length.is_some()).then(|| Rate {
                span,
                // Without a limit of its own the length alone limits.
                parcels: parcels.unwrap_or(u16::MAX),
                length,
            }),
        }
    }
}
