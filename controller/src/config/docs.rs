//! `CONFIG.md` from the table of keys; `UPDATE=1` rewrites it.

use super::keys::{self, Key};
use super::planner::wire::WireTimes;
use super::waybill;
use line_model::alarm::{self, Ends, Words};
use line_model::foreign::{self, Ours};
use line_model::reason::{self, Outcome, Reason};
use modbus::rtu::Timing;
use registers::NodeKind;
use std::fmt::Write as _;
use std::path::Path;
use units::Micros;

const HEAD: &str = "\
# Configuration

Generated from the table of keys that the checks use; `UPDATE=1 cargo test -p sortline docs` rewrites it.

`sortline check` tells every fault of a file at once, with line, column, key and allowed range. Unknown
keys are faults. Positions are millimetres from the induction eye along the belt, positive downstream,
for the head of a parcel. Examples: `examples/`.
";

const RULES: &str = "
### What is checked besides the ranges

- Names are unique, references lead to a thing of the right kind, each node has exactly one duty, a unit
  number occurs once on its bus, a port or address belongs to one bus.
- Zones are adjacent and none is slower than the one before; the one ahead of the sorter belt makes the
  gaps; the sorter belt begins at 0, where the induction eye is, and ends at the drop. A parcel that is
  stopped at an exit eye stays on its zone (debounce and ramp), and in the gapping zone the shortest one
  still covers the eye by 20 mm.
- Every node whose eyes look at the sorter belt counts its encoder.
- Places rise in the order that a parcel passes them: induction, scale and scanner, tunnel exit, then eye,
  bed and end of bed of each diverter, end eye, drop.
- Eye to bed leaves room for debounce, 1.2 x switch time and 60 mm.
- The longest parcel is read, routed and armed before it reaches the first diverter's eye: scanner +
  `length_max_mm` + speed x (`read_wait_ms` + `route_ms` + `arm_lead_ms`).
- A re-scanner stands behind the tunnel or a bed and ahead of the next eye, which makes sure what it read.
  Diverters behind that eye sort by it, as far as the longest parcel is read, routed and armed before
  them, as above: the last one at least. With fewer than two diverters behind it a re-scanner only checks.
- Two neighbours' windows do not overlap on the longest stretch between two eyes.
- `in_flight_max` is above what the belt holds, `ramp_ms` covers the sorter belt's ramp.
- The answer time-out covers the longest exchange; `arm_lead_ms` covers one exchange under way, one lost
  and one that carries the arm; a lease spans ten bus cycles.
- Each bus carries its nodes: the arm is in the first diverter before the longest parcel's head is at its
  eye, with one worst cycle of the scanner's bus, one of the diverter's, one repetition and 50 ms for
  decision and disk; the events of a line at full rate take at most 90 % of the bus' time; a node's ring
  (1,536 words) holds what a line that drains without acknowledgement makes. `sortline check` prints the plan.
- Every chute stands on one side of one diverter; of three and more one is for general exceptions, one
  for quarantine, else the end chute takes both. Where the end is a return, one is for general exceptions
  in any case, and `laps_max` and `return_ms` are given.

### What follows from the file

- Gap before a parcel that changes a bed's state: bed + speed x switch time + `margin_mm`; behind a
  diverted one speed x `divert_settle_ms` more. The gapping zone makes the largest of them + 2.2 x
  `sigma_mm`.
- Geometric limit an hour: 3,600 x speed / (that gap + `mean_length_mm`), because codes are read after
  gapping. With plan and manifest `sortline check` prints beside it what reading before gapping would
  allow: each gap what the two parcels beside it need, + 2.2 x `sigma_mm`.
- Where the end is a return, that limit counts passes: fresh parcels have what those that come round leave.
- Leads of the gapping zone, with e = exit eye to its end, L = mean length, v2 and a its speed and ramp,
  d the debounce of its node, v3 the sorter belt's speed: passing p = (e + L/2 - max(e - L/2, 0)) x
  (v3/v2 - 1) - v3 x d; starting p - v3 x v2 / 8a; each at least 0.
";

const TIMES: &str = "
## Bus times

One exchange by FC 23 (0x17) writes W = 18 words and reads R: 28 of a zone, diverter, scale or panel, 64 of
a scanner. T = (request + answer) characters of 11 bits (8E1) + two silences (3.5 characters up to 19,200
baud, 1.75 ms above); the nodes' turn-around comes on top, `turnaround_ms` for each exchange. Cycle = the
time for N nodes. The poll plan of `sortline check` is computed by the same function.

| baud | R | T ms | cycle ms, 8 nodes | 16 nodes | 32 nodes |
|---|---|---|---|---|---|
";

/// The table of exchange times, as the planner computes them.
fn times(out: &mut String) {
    out.push_str(TIMES);
    for baud in [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 500_000, 921_600] {
        let timing = Some(Timing { baud, bits_per_char: 11 });
        let wire = WireTimes { timing, turnaround: Micros::ZERO };
        for kind in [NodeKind::Zone, NodeKind::Scanner] {
            let one = wire.events(kind).0;
            let ms = |n: u64| format!("{}.{:02}", n * one / 1_000, n * one / 10 % 100);
            let (words, cycles) = (kind.event_words(), [8, 16, 32].map(ms).join(" | "));
            writeln!(out, "| {baud} | {words} | {} | {cycles} |", ms(1))
                .expect("writing to a string does not fail");
        }
    }
}

const MANIFEST: &str = "
## Manifest

CSV with a heading line, UTF-8 (with or without byte-order mark) or GB18030; columns by heading in any
order, other columns are not read.

| column | also | value |
|---|---|---|
| waybill | 运单号 | a number of the carrier's form, once in the file |
| carrier | 快递公司 | a code of the table below |
| route_code | 三段码 | 1 to 32 characters, opaque |
| item_class | 物品类别 | 1 to 32 characters, opaque |
| expected_weight_g | 预计重量g | 1 to 60000 |
| inspected | 收寄验视 | yes, no, 已验视, 未验视 |
| xray | 过机安检 | passed, hub (screened at the hub by agreement), rejected, unknown, 通过, 枢纽安检, 未通过, 未知 |
| real_name | 实名收寄 | yes (also without the column), no, 已实名, 未实名 |
| hold | 管控 | none (also without the column), cancelled, intercepted, debt, customs, prohibited, 无, 取消件, 拦截件, 欠费拦截, 待放行, 疑似禁寄 |

Bad rows are named by line and column, and nothing is taken, unless bad rows may be skipped.
";

fn table(out: &mut String, keys: &[Key]) {
    out.push_str("\n| key | type | range | without it | meaning |\n|---|---|---|---|---|\n");
    for key in keys {
        let absent = key.absent.map_or("a fault".to_owned(), |absent| absent.to_owned());
        let range = key.kind.range();
        let name = key.kind.name();
        writeln!(out, "| `{}` | {name} | {range} | {absent} | {} |", key.path, key.meaning)
            .expect("writing to a string does not fail");
    }
}

fn render() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n## Line file\n");
    table(&mut out, keys::LINE);
    out.push_str(RULES);
    times(&mut out);
    out.push_str("\n## Sort plan\n");
    table(&mut out, keys::PLAN);
    out.push_str("\nA chute belongs to one carrier: lists of two carriers never share one.\n");
    out.push_str(MANIFEST);
    writeln!(out, "\nForms of waybill numbers, version {}:\n", waybill::VERSION)
        .expect("writing to a string does not fail");
    out.push_str("| code | name | forms |\n|---|---|---|\n");
    for carrier in waybill::CARRIERS {
        let forms: Vec<String> =
            carrier.forms.iter().map(|form| format!("`{}`", form.replace('|', "\\|"))).collect();
        writeln!(out, "| {} | {} | {} |", carrier.code, carrier.name_zh, forms.join(" or "))
            .expect("writing to a string does not fail");
    }
    out.push_str("\n`[A-Z]{2}[0-9]{9}CN` is the UPU S10 form; its check digit is checked.\n");
    out
}

const ALARMS: &str = "\
# Alarms

Generated from the table that screens, journal and replay use (`controller/model/src/alarm.rs`);
`UPDATE=1 cargo test -p sortline docs` rewrites it.

States (ISA-18.2): unacknowledged, acknowledged, returned unacknowledged, shelved (1 to 60 minutes, with a
reason, never one of high priority, ten at most), suppressed by design. *When seen*: it tells of the past and
ends when a person acknowledges it, or resets or starts the line. The first alarm of high priority since
the last reset or start is marked as first-out. More than ten in ten minutes are a flood.

Delays: an alarm comes when its condition has stood for the on-delay, and goes when it has been gone for the
off-delay, so that a flutter is one alarm. The line itself acts on conditions at once, whatever the delay.

Priorities: high = at once, the line stands or will; medium = within minutes, or single parcels go to the
end of the line; low = during the shift.
";

/// One table for each language.
fn render_alarms() -> String {
    let mut out = ALARMS.to_owned();
    let heads = [
        ("中文", "编号 | 报警 | 原因 | 后果 | 处理"),
        ("English", "number | alarm | cause | consequence | action"),
    ];
    for (language, (title, head)) in heads.into_iter().enumerate() {
        let pick = |words: Words| if language == 0 { words.zh } else { words.en };
        writeln!(out, "\n## {title}\n\n| {head} |\n|---|---|---|---|---|")
            .expect("writing to a string does not fail");
        for row in alarm::TABLE {
            let [text, cause, consequence, action] =
                [row.text, row.cause, row.consequence, row.action].map(pick);
            let text = text.replace("{}", "…");
            writeln!(out, "| {} | {text} | {cause} | {consequence} | {action} |", row.number)
                .expect("writing to a string does not fail");
        }
    }
    out.push_str(
        "\n## Codes\n\n| number | code | priority | ends | on-delay ms | off-delay ms |\n",
    );
    out.push_str("|---|---|---|---|---|---|\n");
    for row in alarm::TABLE {
        let ends = match row.ends {
            Ends::WithCondition => "with its condition",
            Ends::WhenSeen => "when seen",
        };
        let (on, off) = (row.on_delay.millis(), row.off_delay.millis());
        let priority = row.priority.name();
        writeln!(out, "| {} | `{}` | {priority} | {ends} | {on} | {off} |", row.number, row.code)
            .expect("writing to a string does not fail");
    }
    out
}

const REASONS: &str = "\
# Outcomes and reasons

Generated from the table that screens, journal and reports use (`controller/model/src/reason.rs`);
`UPDATE=1 cargo test -p sortline docs` rewrites it.

Each parcel has exactly one outcome: inducted = the sum of all outcomes, at every instant. An end landing
has one reason, and so has a lap, behind which the parcel is inducted as another one; a landing has one when
the chute is an exception chute or an alternate. Every reason and
every outcome has a counter on the overview and in summaries.

*J&T* is the `gridCode`, *Seagen* the `sorting_status` that messages of those forms carry.
";

/// Outcomes, reasons and what other lists call them.
fn render_reasons() -> String {
    let mut out = REASONS.to_owned();
    let line = |out: &mut String, text: String| {
        writeln!(out, "{text}").expect("writing to a string does not fail");
    };
    let head = "| code | 中文 | English | J&T | Seagen | 处理 | what to do |\n|---|---|---|---|---|---|---|";
    let row = |row: reason::Row| {
        let reason::Row { code, jt, seagen, zh, en, act_zh, act_en } = row;
        format!("| `{code}` | {zh} | {en} | {jt} | {seagen} | {act_zh} | {act_en} |")
    };
    line(&mut out, format!("\n## Outcomes\n\n{head}"));
    Outcome::ALL.iter().for_each(|outcome| line(&mut out, row(outcome.row())));
    line(&mut out, format!("\n## Reasons\n\n{head}"));
    Reason::ALL.iter().for_each(|reason| line(&mut out, row(reason.row())));
    line(
        &mut out,
        "\n## Names in other lists\n\n| list | there | here |\n|---|---|---|".to_owned(),
    );
    for foreign in foreign::LISTS {
        let ours: Vec<String> = foreign.ours.iter().map(|ours| named(*ours)).collect();
        line(&mut out, format!("| {} | {} | {} |", foreign.list, foreign.name, ours.join(", ")));
    }
    out
}

fn named(ours: Ours) -> String {
    match ours {
        Ours::Reason(reason) => format!("`{}`", reason.code()),
        Ours::Outcome(outcome) => format!("`{}`", outcome.row().code),
        Ours::Alarm(code) => format!("alarm `{code}`"),
        Ours::Entered(count) => format!("entered as `{count}`"),
        Ours::Never(why) => format!("never: {why}"),
    }
}

fn check_current(name: &str, fresh: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, fresh).expect("the document can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == fresh, "{name} is stale; UPDATE=1 rewrites it");
}

#[test]
fn alarms_md_is_current() {
    check_current("ALARMS.md", &render_alarms());
}

#[test]
fn reasons_md_is_current() {
    check_current("REASONS.md", &render_reasons());
}

#[test]
fn config_md_is_current() {
    check_current("CONFIG.md", &render());
}

#[test]
fn examples_explain_every_key() {
    let line = include_str!("../../examples/factory-line.toml");
    let plan = include_str!("../../examples/plan.toml");
    for (text, keys) in [(line, keys::LINE), (plan, keys::PLAN)] {
        for key in keys {
            let leaf = key.path.rsplit('.').next().unwrap_or(key.path);
            assert!(text.contains(leaf), "{} is in no example", key.path);
        }
    }
}
