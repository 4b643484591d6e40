//! What lies behind the end eye: a chute, or a conveyor that brings parcels back.

use super::fault::{Sink, draft};
use line_file::{End, EndKind, LineFile};
use line_model::layout::LineEnd;
use units::Micros;

/// Keys of a return conveyor: all of them with one, none without.
pub(crate) fn check(file: &LineFile, sink: &mut Sink<'_>) {
    let kind = file.end.kind.unwrap_or(EndKind::Chute);
    let keys = [
        ("end.laps_max", file.end.laps_max.is_some()),
        ("end.return_ms", file.end.return_ms.is_some()),
    ];
    for (key, present) in keys {
        match (kind, present) {
            (EndKind::Chute, false) | (EndKind::Return, true) => {}
            (EndKind::Chute, true) => {
                let fault = draft(key, format!("the end is a chute and cannot have `{key}`"));
                sink.enter_from(fault.allowed("no such key"), &["end.kind"]);
            }
            (EndKind::Return, false) => {
                let fault = draft(key, format!("the end is a return and has no `{key}`"));
                sink.enter_from(fault.allowed("the key"), &["end.kind"]);
            }
        }
    }
}

/// What the model knows of the end.
pub(crate) fn line_end(end: &End) -> LineEnd {
    match end.kind.unwrap_or(EndKind::Chute) {
        EndKind::Chute => LineEnd::Chute,
        EndKind::Return => LineEnd::Return {
            laps_max: end.laps_max.unwrap_or(1),
            transit: Micros::from_millis(u64::from(end.return_ms.unwrap_or_default())),
        },
    }
}
