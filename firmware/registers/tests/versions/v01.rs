//! Map version 1 in literal words; check words computed by an independent CRC-16/IBM-3740.

use registers::event::{ArmOutcome, At, Event};
use registers::exchange::{Arm, EventsHead, Operation, Side, Verdict, WriteBlock};
use registers::status::{ArmedList, Status, settings_hash};
use registers::{NodeKind, Reader, Writer, check};
use units::{Counts, Millis, Serial};

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

#[test]
fn an_arm_in_the_exchange_block() {
    let arm = Arm {
        tag: 0x0102_0304,
        side: Side::Right,
        window_from: Counts(0xFFFF_FFF0),
        window_to: Counts(0x50),
        length_min: 120,
        delay: 150,
        release: 900,
    };
    let words = [
        0x1234, 0x0007, 0xB007, 0xFFFF, 0x0001, 0x0001, 0x0102, 0x0304, 0x0001, 0xFFFF, 0xFFF0,
        0x0000, 0x0050, 0x0078, 0x0096, 0x0384, 0x0000, 0xA1BE,
    ];
    assert_eq!(write_block(Operation::Arm(arm)).encode(5), words);
    assert_eq!(WriteBlock::parse(5, &words), Ok(write_block(Operation::Arm(arm))));
}

#[test]
fn an_output_in_the_exchange_block() {
    let words = [
        0x1234, 0x0007, 0xB007, 0xFFFF, 0x0001, 0x0004, 0x0002, 0x0000, 0x0001, 0, 0, 0, 0, 0, 0,
        0, 0, 0xB53A,
    ];
    let block = write_block(Operation::SetOutput { output: 2, value: 1 });
    assert_eq!(block.encode(5), words);
    assert_eq!(WriteBlock::parse(5, &words), Ok(block));
}

#[test]
fn an_events_block() {
    let words = [
        0x1234, 0xB007, 0xFFFE, 0x0102, 0x0001, 0x0001, 0xFFFF, 0xFFFF, 0x0106, 0x0201, 0xFFFF,
        0xFFF0, 0x0001, 0x0002, 0x020B, 0x0102, 0x0304, 0x0001, 0xFFFF, 0xFFF0, 0x012C, 0x0000,
        0x0086, 0x0000, 0x1000, 0x0000, 0x0000, 0xD680,
    ];
    let head = EventsHead {
        token: 0x1234,
        boot_id: 0xB007,
        first: Serial(0xFFFE),
        count: 2,
        more: true,
        overflowed: false,
        last_command: Serial(1),
        verdict: Verdict::Accepted,
        encoder: Counts(u32::MAX),
    };
    let edge = Counts(0xFFFF_FFF0);
    let events = [
        Event::Edge { input: 2, active: true, at: At { count: edge, ms: Millis(0x0001_0002) } },
        Event::ArmEnded {
            tag: 0x0102_0304,
            outcome: ArmOutcome::Fired,
            edge,
            length: 300,
            at: At { count: Counts(0x86), ms: Millis(0x1000) },
        },
    ];
    let mut built = [0; 28];
    let mut out = Writer::new(&mut built[..8]);
    head.encode(&mut out);
    let mut at = 8;
    for event in &events {
        at += event.encode(&mut built[at..27]).expect("fits");
    }
    check::seal(5, 0x1234, &mut built);
    assert_eq!(built, words);
    assert_eq!(words.len(), usize::from(NodeKind::Diverter.event_words()));
    let mut read = Reader::new(&words);
    assert_eq!(EventsHead::parse(&mut read), Some(head));
    assert_eq!(events.map(|_| Event::parse(&mut read)), events.map(Some));
}

#[test]
fn a_status_block() {
    let words = [
        0x0005, 0x0006, 0x0001, 0x1170, 0x0000, 0x0008, 0x0000, 0x0009, 0x000A, 0x000B, 0x000C,
        0x0BB8, 0x000E, 0x000F, 0x0000, 0x0010, 0x0011, 0x0012, 0x0013, 0x0014, 0x0015, 0x0001,
        0x0000, 0x0000, 0x0000, 0x4433,
    ];
    let status = Status {
        token: 5,
        boot_id: 6,
        uptime_ms: 70_000,
        encoder: Counts(8),
        second: Counts(9),
        inputs: 10,
        outputs: 11,
        owner: 12,
        lease_ms: 3_000,
        settings_hash: 14,
        latch_number: 15,
        latch_count: Counts(16),
        ring_used: 17,
        ring_lost: 18,
        ack_ignored: 19,
        frames_bad: 20,
        last_command: Serial(21),
        reset_cause: 1,
    };
    assert_eq!(status.encode(3), words);
    assert_eq!(Status::parse(3, 5, &words), Some(status));
}

#[test]
fn an_armed_list() {
    let mut words = [0; 20];
    words[..7].copy_from_slice(&[5, 6, 2, 0, 7, 1, 8]);
    words[19] = 0xCB58;
    let armed =
        ArmedList { token: 5, boot_id: 6, count: 2, tags: [7, 0x0001_0008, 0, 0, 0, 0, 0, 0] };
    assert_eq!(armed.encode(3), words);
    assert_eq!(ArmedList::parse(3, 5, &words), Some(armed));
}

#[test]
fn settings_of_each_kind_at_their_reset_values() {
    for (kind, words) in [
        (NodeKind::Zone, &[3_000, 25, 0, 0, 0][..]),
        (NodeKind::Diverter, &[3_000, 25]),
        (NodeKind::Scanner, &[3_000, 25, 300]),
        (NodeKind::Dws, &[3_000, 25, 1_500]),
        (NodeKind::Panel, &[3_000, 25]),
    ] {
        let reset: Vec<u16> = kind.settings().iter().map(|setting| setting.reset).collect();
        assert_eq!(reset, words, "{}", kind.name());
    }
    assert_eq!(settings_hash(&[3_000, 25]), 0x3B97);
}
