//! What the pages under test show: one diverter, one chute, one parcel on the line.

use crate::hmi::setup::{BusHealth, HmiView, StationHealth, StationState};
use line_model::alarm::Alarm;
use line_model::chute::{ChuteCounts, ChuteState, Content, FullBy, Lamp};
use line_model::ids::{ChuteNo, DiverterId, EyeId, NodeId, ParcelId, Side};
use line_model::layout::{
    ChuteCare, ChutePlace, ChuteRole, DiverterPlace, Duty, EyePlace, Largest, Layout, Limits,
    NodePlace, StationPlace, ZonePlace,
};
use line_model::memory::Pressure;
use line_model::packml::{State, StateReason, UnitMode};
use line_model::parcel::Confidence;
use line_model::reason::Reason;
use line_model::signal::DownReason;
use line_model::view::{AlarmView, ChuteView, LineView, ParcelView, Tally, Unmet};
use std::collections::BTreeMap;
use std::sync::Arc;
use units::{Distance, EncoderId, Micros, MmPerSecond};

pub(super) fn layout() -> Layout {
    let node = |name: &str, duty| NodePlace { name: name.to_owned(), duty };
    let chute = |number, side, role| ChutePlace {
        number: ChuteNo(number),
        diverter: DiverterId(0),
        side,
        role,
        care: ChuteCare::PLAIN,
    };
    let eye = |node, at| EyePlace { node: NodeId(node), at: Distance(at) };
    Layout {
        encoder: EncoderId(0),
        counts_per_metre: 1_000,
        speed: MmPerSecond(1_200),
        nodes: vec![
            node("Z3", Duty::Essential),
            node("D1", Duty::Diverter(DiverterId(0))),
            node("<panel & \"co\">", Duty::Essential),
        ],
        zones: vec![ZonePlace {
            name: "Z3".to_owned(),
            node: NodeId(0),
            speed: MmPerSecond(1_200),
            gapping: false,
            transit: Micros::from_secs(2),
        }],
        eyes: vec![eye(0, 0), eye(0, 1_500), eye(1, 4_450), eye(2, 6_000)],
        scanner: StationPlace { node: NodeId(0), at: Distance(900) },
        rescanners: Vec::new(),
        dws: None,
        diverters: vec![DiverterPlace {
            name: "D1".to_owned(),
            node: NodeId(1),
            eye: EyeId(2),
            eye_to_bed: Distance(450),
            bed: Distance(350),
            delay: Distance(100),
            gap_before: Distance(650),
            gap_after: Distance(770),
            landing_from: Distance(500),
            landing_to: Distance(2_000),
        }],
        chutes: vec![
            chute(1, Side::Left, ChuteRole::Sort),
            chute(2, Side::Right, ChuteRole::GeneralExceptions),
        ],
        end: line_model::layout::LineEnd::Chute,
        panel: NodeId(2),
        limits: limits(),
    }
}

fn limits() -> Limits {
    Limits {
        prestart: Micros::from_secs(3),
        ramp: Micros::from_secs(3),
        lease: Micros::from_secs(3),
        arm_lead: Micros::from_millis(100),
        tolerance: Distance(60),
        early_permille: 20,
        late_permille: 60,
        length_percent: 20,
        length_min: Distance(60),
        length_max: Distance(800),
        gap_target: Distance(900),
        in_flight_max: 100,
        jam: Micros::from_secs(5),
        sleep: None,
        largest: Largest::default(),
    }
}

fn full_chute() -> ChuteView {
    ChuteView {
        chute: ChuteNo(1),
        state: ChuteState::Full { by: FullBy::Eye },
        since: Micros::from_secs(30),
        lamp: Lamp::Blink,
        content: Content {
            label: Some("BAG0000123456".to_owned()),
            pieces: 25,
            ..Content::default()
        },
        coming: 1,
        counts: ChuteCounts::default(),
    }
}

pub(in crate::hmi) fn view(state: State, unmet: Vec<Unmet>) -> HmiView {
    let mut end_landed = BTreeMap::new();
    let _ = end_landed.insert(Reason::NoRead, 3);
    let tally = Tally {
        inducted: 108,
        landed_planned: 99,
        landed_alternate: 4,
        end_landed,
        recirculated: BTreeMap::new(),
        removed: 0,
        lost: 0,
        unconfirmed: 1,
        on_line: 1,
        landed_for: BTreeMap::from([(Reason::NoRoute, 2), (Reason::NoRead, 1)]),
    };
    HmiView {
        line_name: "line <1>".to_owned(),
        line_name_zh: "线 <1>".to_owned(),
        taken: Micros::from_secs(100),
        taken_utc_us: 1_798_732_800_000_000,
        layout: Arc::new(layout()),
        eye_tags: vec![],
        estops: vec![],
        chute_names: BTreeMap::from([(ChuteNo(1), "圆通 <华东>".to_owned())]),
        limit_per_hour: 3_550,
        line: LineView {
            state,
            since: Micros::from_secs(40),
            reason: StateReason::NodeDown(NodeId(2)),
            unmet,
            induction_paused: false,
            tally,
            chutes: BTreeMap::from([(ChuteNo(1), 103)]),
            at_chutes: vec![full_chute()],
            parcels: vec![ParcelView {
                id: ParcelId(108),
                code: Some("YT8801234567890".to_owned()),
                at: Distance(2_345),
                chute: None,
                end_reason: None,
                confidence: Confidence::Certain,
                decide_in_ms: Some(1_250),
            }],
            alarms: vec![Alarm::Unconfirmed(ParcelId(77)), Alarm::NodeDown(NodeId(2))],
            alarm_list: [Alarm::NodeDown(NodeId(2)), Alarm::Unconfirmed(ParcelId(77))]
                .map(|alarm| AlarmView::new(alarm, Micros::from_secs(40)))
                .to_vec(),
            alarms_lately: 2,
            unit_mode: UnitMode::Production,
            pressure: Pressure::None,
            jog: None,
            rescans: Vec::new(),
            plan: Some(("夜班".to_owned(), 7)),
            parcels_per_hour: 3_420,
        },
        buses: vec![BusHealth {
            name: "rs485".to_owned(),
            up: true,
            stations: vec![StationHealth {
                node: NodeId(1),
                state: StationState::Down(DownReason::WrongMap { found: 9 }),
                last_answer: Some(Micros::from_secs(98)),
                exchanges: 12,
                timeouts: 2,
                bad: 1,
            }],
        }],
        records_pending: 5,
    }
}
