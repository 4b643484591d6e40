//! Writes the register document from the tables.

mod prose;

use registers::descriptor::{Block, Point};
use registers::event::{ArmOutcome, CODE_MAX, CODES_MAX, Code, Event};
use registers::exchange::{Arm, Operation, Side, Verdict, WRITE_WORDS, WriteBlock};
use registers::map::{BLOCKS, EVENTS, SETTINGS};
use registers::objects::OBJECTS;
use registers::points::SETTINGS_MAX;
use registers::{MAP_VERSION, NodeKind, check};
use std::fmt::Write;
use units::{Counts, Millis, Serial};

/// The whole document.
pub(crate) fn whole() -> String {
    let mut out = prose::HEAD.replace("{version}", &MAP_VERSION.to_string());
    out.push_str(prose::SERVICES);
    objects(&mut out);
    check_word(&mut out);
    out.push_str("\n## Blocks\n");
    BLOCKS.iter().for_each(|block| self::block(&mut out, block));
    out.push_str(prose::SEQUENCES);
    operations(&mut out);
    verdicts(&mut out);
    entries(&mut out);
    out.push_str(prose::ARMS);
    outcomes(&mut out);
    out.push_str(prose::INPUTS);
    NodeKind::ALL.into_iter().for_each(|kind| self::kind(&mut out, kind));
    example(&mut out);
    out
}

macro_rules! line {
    ($out:expr) => { writeln!($out).expect("a string takes all") };
    ($out:expr, $($text:tt)*) => { writeln!($out, $($text)*).expect("a string takes all") };
}

fn objects(out: &mut String) {
    out.push_str(prose::OBJECTS);
    line!(out, "\n| object | name | value | meaning |\n|---|---|---|---|");
    for object in OBJECTS {
        line!(
            out,
            "| 0x{:02X} | `{}` | {} | {} |",
            object.id,
            object.name,
            object.form,
            object.meaning
        );
    }
    out.push_str(prose::SERVER_ID);
}

fn check_word(out: &mut String) {
    out.push_str(prose::CHECK);
    let payload = [0x0001, 0x0203];
    let value = check::check_word(5, 0xBEEF, &payload);
    line!(
        out,
        "Test values: the nine bytes `123456789` give 0x29B1. Slave 5, token 0xBEEF, payload 0x0001 0x0203 (bytes \
         05 BE EF 00 01 02 03) give 0x{value:04X}."
    );
}

fn block(out: &mut String, block: &Block) {
    let words = match (block.address, block.words) {
        (EVENTS, _) => "R words, by node kind".to_owned(),
        (SETTINGS, _) => format!("2 to {SETTINGS_MAX} words, by node kind"),
        (_, 1) => "1 word".to_owned(),
        (_, words) => format!("{words} words"),
    };
    line!(out, "\n### 0x{:04X} {} ({words})\n\n{}", block.address, block.name, block.meaning);
    if block.registers.is_empty() {
        return;
    }
    line!(out, "\n| address | words | name | access | unit | reset | meaning |");
    line!(out, "|---|---|---|---|---|---|---|");
    for register in block.registers {
        let words = match register.words {
            0 => "rest".to_owned(),
            words => words.to_string(),
        };
        let reset = register.reset.map(|value| value.to_string()).unwrap_or_default();
        line!(
            out,
            "| 0x{:04X} | {words} | `{}` | {} | {} | {reset} | {} |",
            register.address,
            register.name,
            register.access.text(),
            register.unit,
            register.meaning
        );
    }
}

fn write_block(operation: Operation) -> WriteBlock {
    WriteBlock {
        token: 0x1234,
        owner: 7,
        boot_id: 0xB007,
        ack: Serial(0xFFFF),
        command: Serial(1),
        operation,
    }
}

fn operations(out: &mut String) {
    line!(out, "\n## Operations\n\nArguments start at 0x0106; words that are not named are 0.\n");
    line!(out, "| value | operation | arguments in words | kinds |");
    line!(out, "|---|---|---|---|");
    let arm = Arm {
        tag: 0,
        side: Side::Left,
        window_from: Counts(0),
        window_to: Counts(0),
        length_min: 0,
        delay: 0,
        release: 0,
    };
    for (operation, name, arguments, kinds) in [
        (Operation::Noop, "none", "none", "all"),
        (
            Operation::Arm(arm),
            "arm",
            "tag (2), side (1: 0 left, 1 right), window from (2, counts), window to (2, counts), length min (1, counts), delay (1, counts), release (1, counts, not 0)",
            "diverter",
        ),
        (Operation::Cancel { tag: 0 }, "cancel", "tag (2)", "diverter"),
        (Operation::CancelAll, "cancel all", "none", "diverter"),
        (
            Operation::SetOutput { output: 0, value: 0 },
            "set output",
            "output id (1, 0 to 255), value (2)",
            "all",
        ),
        (Operation::Latch { number: 0 }, "latch", "number (1, not 0)", "all"),
    ] {
        let word = write_block(operation).encode(1)[5];
        line!(out, "| {word} | {name} | {arguments} | {kinds} |");
    }
}

fn verdicts(out: &mut String) {
    line!(out, "\n## Verdicts\n\n| value | verdict | meaning |\n|---|---|---|");
    for verdict in Verdict::ALL {
        let (name, meaning) = prose::verdict(verdict);
        line!(out, "| {} | {name} | {meaning} |", verdict.word());
    }
}

fn entries(out: &mut String) {
    out.push_str(prose::ENTRIES);
    let at = registers::event::At { count: Counts(0), ms: Millis(0) };
    let code = Code::new(&[0], 1).expect("fits");
    let outcome = ArmOutcome::Fired;
    line!(out, "\n| first word | entry | fields after the first word | meaning |");
    line!(out, "|---|---|---|---|");
    for event in [
        Event::Edge { input: 0, active: false, at },
        Event::ArmEnded { tag: 0, outcome, edge: Counts(0), length: 0, at },
        Event::Code { trigger: 0, index: 0, of: 1, code, at },
        Event::NoRead { trigger: 0, at },
        Event::TooLong { trigger: 0, at },
        Event::Unassigned { trigger: 0, at },
        Event::Measured { trigger: 0, weight_g: None, size_mm: [0; 3], at },
        Event::Lost { entries: 0 },
        Event::LeaseExpired { at },
    ] {
        let mut words = [0; 40];
        event.encode(&mut words).expect("fits");
        let [kind, length] = words[0].to_be_bytes();
        let (name, fields, meaning) = prose::entry(&event);
        let first = match event {
            Event::Code { .. } => format!("0x{kind:02X}00 + 8 + words of the code"),
            _ => format!("0x{kind:02X}{length:02X}"),
        };
        line!(out, "| {first} | {name} | {fields} | {meaning} |");
    }
    line!(
        out,
        "\nA code has at most {CODE_MAX} bytes, two a word, high byte first, the last one padded with 0. A trigger has \
         at most {CODES_MAX} codes."
    );
}

fn outcomes(out: &mut String) {
    line!(out, "\n| value | outcome | meaning |\n|---|---|---|");
    for outcome in ArmOutcome::ALL {
        let (name, meaning) = prose::outcome(outcome);
        line!(out, "| {} | {name} | {meaning} |", outcome.code());
    }
}

fn points(out: &mut String, title: &str, points: &[Point]) {
    line!(out, "\n{title}:\n\n| id | name | unit | meaning |\n|---|---|---|---|");
    for point in points {
        line!(out, "| {} | `{}` | {} | {} |", point.id, point.name, point.unit, point.meaning);
    }
}

fn kind(out: &mut String, kind: NodeKind) {
    line!(
        out,
        "\n## Kind {}: {}\n\nR = {} words. {}",
        kind.word(),
        kind.name(),
        kind.event_words(),
        prose::kind(kind)
    );
    points(out, "Inputs", kind.inputs());
    points(out, "Outputs", kind.outputs());
    line!(out, "\nSettings:\n\n| address | name | unit | range | reset | meaning |");
    line!(out, "|---|---|---|---|---|---|");
    for (setting, address) in kind.settings().iter().zip(SETTINGS..) {
        line!(
            out,
            "| 0x{address:04X} | `{}` | {} | {} to {} | {} | {} |",
            setting.name,
            setting.unit,
            setting.min,
            setting.max,
            setting.reset,
            setting.meaning
        );
    }
}

fn example(out: &mut String) {
    let words = write_block(Operation::SetOutput { output: 2, value: 1 }).encode(5);
    let hex: Vec<String> = words.iter().map(|word| format!("{word:04X}")).collect();
    line!(
        out,
        "\n## Example\n\nSet output 2 of slave 5 to 1: token 0x1234, owner 7, boot id 0xB007, acknowledgement 0xFFFF, command 1.\n\
         The {WRITE_WORDS} words written to 0x0100, the check word last:\n\n```text\n{}\n```",
        hex.join(" ")
    );
}
