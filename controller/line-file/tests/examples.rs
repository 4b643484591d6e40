//! The example line files have the shape, and every key of them has its place.

use line_file::{BusKind, Document, LineFile, NodeKind, ZoneMode};

const EXAMPLES: [(&str, &str); 4] = [
    ("factory-line.toml", include_str!("../../examples/factory-line.toml")),
    ("factory-line-fast.toml", include_str!("../../examples/factory-line-fast.toml")),
    ("rescan-line.toml", include_str!("../../examples/rescan-line.toml")),
    ("loop-line.toml", include_str!("../../examples/loop-line.toml")),
];

#[test]
fn examples_have_the_shape() {
    for (name, text) in EXAMPLES {
        let file = LineFile::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((file.zone.len(), file.diverter.len(), file.chute.len()), (3, 6, 12), "{name}");
        assert_eq!(file.bus.iter().filter(|bus| bus.kind == BusKind::Rtu).count(), 1, "{name}");
        assert_eq!(file.zone[1].mode, ZoneMode::Gapping, "{name}");
        assert_eq!(file.node.iter().filter(|n| n.kind == NodeKind::Diverter).count(), 6, "{name}");
    }
}

#[test]
fn places_point_at_the_values() {
    for (name, text) in EXAMPLES {
        let document = Document::parse(text).expect("TOML");
        let span = document.span("diverter[2].switch_ms");
        let number: u32 = text[span].parse().expect("the number itself");
        let file = LineFile::parse(text).expect("shape");
        assert_eq!(number, file.diverter[2].switch_ms, "{name}");
    }
}

#[test]
fn unknown_and_missing_keys_are_refused_with_a_span() {
    let text = EXAMPLES[0].1.replace("switch_ms", "switch_msec");
    let error = LineFile::parse(&text).expect_err("unknown key");
    assert!(error.message.contains("switch_msec"), "{error}");
    assert!(text[error.span.expect("span")].contains("switch_msec"));
}
