//! Keys of a sort plan.

use super::{Key, Kind, NAME, key, optional};

/// Keys of a sort plan.
pub const PLAN: &[Key] = &[
    key("plan", Kind::Table, "What the plan is called."),
    key("plan.name", Kind::Text(64), "Name that people choose it by."),
    key("plan.version", Kind::Integer(1, 1_000_000), "Raised by every change."),
    key("chute", Kind::Tables(1, 64), "A logical chute and the physical one behind it."),
    key("chute[].logical", NAME, "Logical name, unique; rules refer to it."),
    key(
        "chute[].physical",
        Kind::Integer(1, 9_999),
        "Number of a chute of role sort; one logical chute each.",
    ),
    optional(
        "chute[].bagged",
        Kind::Boolean,
        "false",
        "It takes parcels only while a bag with a label is bound.",
    ),
    key("rule", Kind::Tables(1, 10_000), "One key and where it may go."),
    key("rule[].carrier", NAME, "Carrier code, compared exactly."),
    key(
        "rule[].prefix",
        Kind::Prefix(32),
        "Prefix of the route code; the longest fitting one wins, empty fits every route of the carrier.",
    ),
    key(
        "rule[].chutes",
        Kind::Texts(1, 64),
        "Logical chutes in order of preference; all of one carrier.",
    ),
    key(
        "rule[].allocation",
        Kind::Word(&["nearest", "round_robin", "fill", "balance"]),
        "The first available one; the next in turn; the same one until it takes nothing more; the one with the fewest parcels.",
    ),
    optional(
        "rule[].overflow",
        Kind::Texts(1, 64),
        "none",
        "Logical chutes of the same carrier, in order, when none of `chutes` can be had.",
    ),
    optional(
        "rule[].cut_off",
        Kind::Text(5),
        "never",
        "Time of day (HH:MM, Asia/Shanghai) from which on, until the business day ends at 06:00, the key goes to `after_cut_off`.",
    ),
    optional(
        "rule[].after_cut_off",
        Kind::Texts(1, 64),
        "the end of the line",
        "Logical chutes of the same carrier for the key after its cut-off, in order of preference.",
    ),
];
