//! What goes over the wire to a screen: plain values with the words of its language.

use super::buttons::{self, Button};
use super::chutes;
use super::hub::Sample;
use super::i18n::{Lang, Msg};
use super::local_time;
use super::mask;
use super::setup::{BusHealth, HmiView, StationState};
use super::words::{self, Tone};
use line_model::chute::{ChuteState, Content, Lamp};
use line_model::layout::{ChutePlace, Layout, LineEnd, ZonePlace};
use line_model::memory::{Attention, Pressure};
use line_model::parcel::Confidence;
use line_model::reason::{Outcome, Reason};
use line_model::rescan::RescanMemory;
use line_model::view::{LineView, ParcelView, Unmet};
use serde::Serialize;
use units::{Distance, Micros};

/// The whole overview.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ViewDto {
    /// Name of the line.
    pub(super) line: String,
    /// When the snapshot was taken, ISO 8601.
    pub(super) taken: String,
    /// Age of the snapshot when this was written.
    pub(super) age_ms: u64,
    /// PackML state.
    pub(super) state: StateDto,
    /// Buttons with reasons.
    pub(super) buttons: Vec<Button>,
    /// Plan in words.
    pub(super) plan: String,
    /// No plan is selected.
    pub(super) plan_missing: bool,
    /// Throughput.
    pub(super) throughput: ThroughputDto,
    /// The tie-out.
    pub(super) tie: TieDto,
    /// Chutes, ascending.
    pub(super) chutes: Vec<ChuteDto>,
    /// Reasons with counts, most frequent first.
    pub(super) reasons: Vec<ReasonDto>,
    /// What re-scanners told, in words.
    pub(super) rescans: String,
    /// Parcels on the belt.
    pub(super) belt: BeltDto,
    /// Alarms that stand or are not acknowledged, most urgent first.
    pub(super) alarms: Vec<AlarmDto>,
    /// Alarms raised in the last ten minutes, in words.
    pub(super) alarms_lately: String,
    /// What the line is used for, in words.
    pub(super) mode: &'static str,
    /// Another mode would be taken now.
    pub(super) mode_ready: bool,
    /// Why not; empty when it would.
    pub(super) mode_why: String,
    /// Zones that this screen may jog now; empty when it may not.
    pub(super) jogs: Vec<JogDto>,
    /// This screen may put an alarm of the list aside.
    pub(super) shelving: bool,
    /// Buses and nodes.
    pub(super) buses: Vec<BusDto>,
    /// Records that wait for the disk.
    pub(super) records_pending: u64,
}

/// A jog button.
#[derive(Clone, Debug, Serialize)]
pub(super) struct JogDto {
    /// Name of its zone.
    pub(super) zone: String,
    /// What it says: the zone, and whether it is warned of or moves.
    pub(super) label: String,
}

/// PackML state in words.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StateDto {
    /// PackML name.
    pub(super) name: &'static str,
    /// Name for people.
    pub(super) text: &'static str,
    /// How abnormal.
    pub(super) tone: Tone,
    /// Since when, in words.
    pub(super) since: String,
    /// 停线原因 · 位置 · 处理; empty while running.
    pub(super) stop: String,
    /// Every unmet condition.
    pub(super) unmet: Vec<String>,
    /// Induction is paused although the line runs.
    pub(super) induction_paused: bool,
    /// Induction runs with larger gaps.
    pub(super) slowed_down: bool,
}

/// Throughput beside what the geometry can carry.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ThroughputDto {
    /// Parcels an hour.
    pub(super) per_hour: u32,
    /// Geometric limit.
    pub(super) limit: u32,
    /// Share of the limit in per cent.
    pub(super) percent: u32,
}

/// The outcome equation.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TieDto {
    /// Entities made at the induction eye.
    pub(super) inducted: u64,
    /// Landed, planned and alternate.
    pub(super) landed: u64,
    /// Of these: alternate.
    pub(super) alternate: u64,
    /// Off the end of the line.
    pub(super) end: u64,
    /// Parcels come back from its end.
    pub(super) returns: bool,
    /// Gone round.
    pub(super) round: u64,
    /// Inducted, each parcel once.
    pub(super) distinct: u64,
    /// Removed by a person.
    pub(super) removed: u64,
    /// Unconfirmed.
    pub(super) unconfirmed: u64,
    /// Lost by tracking.
    pub(super) lost: u64,
    /// On the line.
    pub(super) on_line: u64,
    /// The equation holds.
    pub(super) ties: bool,
}

/// One chute.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ChuteDto {
    /// Number as painted on it.
    pub(super) number: u16,
    /// Name; the role where no name was given.
    pub(super) name: String,
    /// Not a sorting chute.
    pub(super) special: bool,
    /// Parcels landed.
    pub(super) count: u64,
    /// Why it is off; empty when it is not.
    pub(super) off: String,
    /// Name of its state.
    pub(super) state: &'static str,
    /// Its state in words.
    pub(super) state_text: String,
    /// How much its state asks for attention.
    pub(super) tone: Tone,
    /// Name of what its lamp shows.
    pub(super) lamp: &'static str,
    /// What its lamp says; empty when it is off.
    pub(super) lamp_text: &'static str,
    /// Its bag in words; empty without one.
    pub(super) bag: String,
    /// Pieces in it since it was emptied or its bag was bound.
    pub(super) pieces: u32,
    /// The same in words.
    pub(super) pieces_text: String,
    /// Weight of those that were weighed.
    pub(super) grams: u64,
    /// Parcels that come.
    pub(super) coming: u32,
    /// Parcels that went elsewhere because of its rate limit.
    pub(super) barred_rate: u64,
}

/// One reason for which parcels ended elsewhere than planned.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReasonDto {
    /// Code in reports.
    pub(super) code: &'static str,
    /// Words.
    pub(super) text: &'static str,
    /// How many parcels.
    pub(super) count: u64,
    /// Where they are and what a person does, in words.
    pub(super) act: String,
}

/// The sorter belt.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BeltDto {
    /// Belts move, so that positions may be carried on between samples.
    pub(super) moving: bool,
    /// Belt speed.
    pub(super) speed_mm_s: u32,
    /// Parcels, downstream first.
    pub(super) parcels: Vec<BeltParcelDto>,
    /// How many, in words.
    pub(super) label: String,
}

/// One parcel on the belt.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BeltParcelDto {
    /// Instance.
    pub(super) id: u64,
    /// Where its head is drawn, from the induction eye.
    pub(super) at_mm: i64,
    /// Chute number, a mark for the end chute, or empty while undecided.
    pub(super) goes: String,
    /// It goes to the end chute.
    pub(super) end: bool,
    /// What it is, for the tooltip and the screen reader.
    pub(super) label: String,
}

/// One alarm.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AlarmDto {
    /// Code in reports.
    pub(super) code: &'static str,
    /// Words.
    pub(super) text: String,
    /// Urgency.
    pub(super) tone: Tone,
    /// Name of this alarm in commands.
    pub(super) key: String,
    /// ISA-18.2 state in words.
    pub(super) state: String,
    /// What a person does, in words.
    pub(super) act: String,
    /// A person has yet to acknowledge it.
    pub(super) open: bool,
    /// Its cause is there; false = gone, and waits only for a person to say that they know.
    pub(super) stands: bool,
    /// The parcel that it is about.
    pub(super) parcel: Option<u64>,
    /// What this screen may do about putting it aside: `shelve`, `unshelve`, or empty for nothing.
    pub(super) shelf: &'static str,
    /// The same on a button.
    pub(super) shelf_label: &'static str,
}

/// One bus.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BusDto {
    /// Name.
    pub(super) name: String,
    /// Up or down.
    pub(super) up: bool,
    /// The same in words.
    pub(super) text: &'static str,
    /// Its nodes.
    pub(super) nodes: Vec<NodeDto>,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NodeDto {
    /// Name.
    pub(super) name: String,
    /// State in words.
    pub(super) text: String,
    /// How abnormal.
    pub(super) tone: Tone,
    /// Age of the last answer when the snapshot was taken; `None` = never.
    pub(super) age_ms: Option<u64>,
    /// Answered exchanges.
    pub(super) exchanges: u64,
    /// Time-outs.
    pub(super) timeouts: u64,
    /// Answers thrown away.
    pub(super) bad: u64,
}

impl ViewDto {
    /// Converts a snapshot for one language and one kind of screen.
    pub(super) fn new(lang: Lang, sample: &Sample, panel: bool) -> Self {
        let view = &*sample.view;
        let line = &view.line;
        Self {
            line: view.line_name(lang).to_owned(),
            taken: local_time::iso(view.taken_utc_us),
            age_ms: sample.age_ms(),
            state: state(lang, view),
            buttons: buttons::all(lang, line, panel),
            plan: plan(lang, line),
            plan_missing: line.plan.is_none(),
            throughput: throughput(line.parcels_per_hour, view.limit_per_hour),
            tie: tie(&view.layout, line),
            chutes: view.layout.chutes.iter().map(|place| chute(lang, view, place)).collect(),
            reasons: reasons(lang, &view.layout, line),
            rescans: rescans(lang, line),
            belt: belt(lang, sample),
            jogs: jogs(lang, view, panel),
            shelving: line.alarm_list.iter().any(|alarm| buttons::shelf(alarm, panel).is_some()),
            alarms: alarms(lang, view, panel),
            alarms_lately: lang.fill(Msg::AlarmsLately, &[&view.line.alarms_lately.to_string()]),
            mode: words::unit_mode(lang, view.line.unit_mode),
            mode_why: buttons::mode_why(lang, line, panel).unwrap_or_default(),
            mode_ready: buttons::mode_why(lang, line, panel).is_none(),
            buses: view.buses.iter().map(|health| bus(lang, view, health)).collect(),
            records_pending: view.records_pending,
        }
    }
}

fn state(lang: Lang, view: &HmiView) -> StateDto {
    let line = &view.line;
    let since = utc_of(view, line.since);
    StateDto {
        name: line.state.name(),
        text: words::state(lang, line.state),
        tone: words::state_tone(line.state),
        since: lang.fill(Msg::Since, &[&local_time::time_of_day(since)]),
        stop: words::stop_reason(lang, view).unwrap_or_default(),
        unmet: line
            .unmet
            .iter()
            // The buttons say what the state allows; here stand conditions of the plant.
            .filter(|unmet| !matches!(unmet, Unmet::WrongState(_)))
            .map(|unmet| words::unmet(lang, view, *unmet))
            .collect(),
        induction_paused: line.induction_paused,
        slowed_down: line.pressure == Pressure::SlowDown && !line.induction_paused,
    }
}

/// Wall-clock time of an instant on the engine's clock that is not later than the snapshot.
fn utc_of(view: &HmiView, at: Micros) -> u64 {
    view.taken_utc_us.saturating_sub(view.taken.since(at).0)
}

fn jogs(lang: Lang, view: &HmiView, panel: bool) -> Vec<JogDto> {
    let offered = view.layout.zones.iter().filter(|_| buttons::jogs(&view.line, panel));
    let button = |(index, place): (usize, &ZonePlace)| {
        let jog = view.line.jog.filter(|jog| usize::from(jog.zone.0) == index);
        let label = match jog.map(|jog| jog.running) {
            Some(true) => lang.fill(Msg::JogRunning, &[&place.name]),
            Some(false) => lang.fill(Msg::JogWarning, &[&place.name]),
            None => place.name.clone(),
        };
        JogDto { zone: place.name.clone(), label }
    };
    offered.enumerate().map(button).collect()
}

fn plan(lang: Lang, line: &LineView) -> String {
    match &line.plan {
        Some((name, version)) => lang.fill(Msg::PlanVersion, &[name, &version.to_string()]),
        None => Msg::PlanNone.text(lang).to_owned(),
    }
}

fn throughput(per_hour: u32, limit: u32) -> ThroughputDto {
    let percent = u64::from(per_hour) * 100 / u64::from(limit.max(1));
    ThroughputDto { per_hour, limit, percent: u32::try_from(percent).unwrap_or(u32::MAX) }
}

fn tie(layout: &Layout, line: &LineView) -> TieDto {
    let tally = &line.tally;
    TieDto {
        inducted: tally.inducted,
        landed: tally.landed_planned + tally.landed_alternate,
        alternate: tally.landed_alternate,
        end: tally.count(Outcome::EndLanded),
        returns: layout.end.returns(),
        round: tally.count(Outcome::Recirculated),
        distinct: tally.distinct(),
        removed: tally.removed,
        unconfirmed: tally.unconfirmed,
        lost: tally.lost,
        on_line: tally.on_line,
        ties: tally.ties(),
    }
}

fn chute(lang: Lang, view: &HmiView, place: &ChutePlace) -> ChuteDto {
    let role = words::chute_role(lang, place.role);
    let special = place.role != line_model::layout::ChuteRole::Sort;
    let name = match view.chute_names.get(&place.number) {
        Some(name) if !special => name.clone(),
        Some(_) | None => role.to_owned(),
    };
    let found = view.line.at_chutes.iter().find(|found| found.chute == place.number);
    let none = Content::default();
    let content = found.map_or(&none, |found| &found.content);
    let state = found.map_or(ChuteState::Idle, |found| found.state);
    let lamp = found.map_or(Lamp::Off, |found| found.lamp);
    ChuteDto {
        number: place.number.0,
        name,
        special,
        state: chutes::state_name(state),
        state_text: chutes::state(lang, state),
        tone: chutes::tone(state),
        lamp: chutes::lamp_name(lamp),
        lamp_text: chutes::lamp(lang, lamp),
        bag: chutes::bag(lang, content),
        pieces: content.pieces,
        pieces_text: lang.fill(Msg::BagPieces, &[&content.pieces.to_string()]),
        grams: content.grams,
        coming: found.map_or(0, |found| found.coming),
        barred_rate: found.map_or(0, |found| found.counts.barred_rate),
        count: view.line.chutes.get(&place.number).copied().unwrap_or_default(),
        off: chute_off(lang, view, place).unwrap_or_default(),
    }
}

/// A chute is off while its diverter's node is not in use.
fn chute_off(lang: Lang, view: &HmiView, place: &ChutePlace) -> Option<String> {
    let diverter = view.layout.diverters.get(usize::from(place.diverter.0))?;
    let stations = view.buses.iter().flat_map(|bus| &bus.stations);
    let health = stations.clone().find(|station| station.node == diverter.node)?;
    if matches!(health.state, StationState::Online | StationState::Degraded) {
        return None;
    }
    let (text, _) = words::station(lang, health.state);
    Some(format!("{} {text}", words::node(&view.layout, diverter.node)))
}

fn reasons(lang: Lang, layout: &Layout, line: &LineView) -> Vec<ReasonDto> {
    let tally = &line.tally;
    let ended = Reason::ALL.iter().map(|reason| {
        let row = reason.row();
        let landed = tally.landed_for.get(reason).copied().unwrap_or(0);
        let (places, past) = match layout.end {
            LineEnd::Chute => (Msg::ReasonPlaces, &tally.end_landed),
            LineEnd::Return { .. } => (Msg::ReasonRound, &tally.recirculated),
        };
        let past = past.get(reason).copied().unwrap_or(0);
        let places = lang.fill(places, &[&past.to_string(), &landed.to_string()]);
        let act = format!("{places} · {}", lang.pick(row.act_zh, row.act_en));
        ReasonDto {
            code: row.code,
            text: words::reason(lang, *reason),
            count: tally.count_for(*reason),
            act,
        }
    });
    let missorted = ReasonDto {
        code: "missorted",
        text: Msg::Missorted.text(lang),
        count: line.at_chutes.iter().map(|chute| chute.counts.missorted).sum(),
        act: Msg::MissortedAct.text(lang).to_owned(),
    };
    let mut reasons: Vec<ReasonDto> =
        ended.chain([missorted]).filter(|reason| reason.count > 0).collect();
    reasons.sort_by(|a, b| b.count.cmp(&a.count).then(a.code.cmp(b.code)));
    reasons
}

/// What re-scanners told; without one nobody knows of wrong chutes, and the screen says so.
fn rescans(lang: Lang, line: &LineView) -> String {
    if line.rescans.is_empty() {
        return Msg::RescanNone.text(lang).to_owned();
    }
    let sum = |count: fn(&RescanMemory) -> u64| line.rescans.iter().map(count).sum::<u64>();
    let counts = [
        sum(|told| told.confirmed),
        sum(|told| told.restored),
        sum(|told| told.differs),
        sum(|told| told.unread),
    ];
    let [confirmed, restored, differs, unread] = counts.map(|count| count.to_string());
    lang.fill(Msg::RescanCounts, &[&confirmed, &restored, &differs, &unread])
}

fn belt(lang: Lang, sample: &Sample) -> BeltDto {
    let view = &*sample.view;
    let parcels: Vec<_> =
        view.line.parcels.iter().map(|parcel| belt_parcel(lang, sample, parcel)).collect();
    BeltDto {
        moving: words::moving(view.line.state),
        speed_mm_s: view.layout.speed.0,
        label: match parcels.len() {
            0 => Msg::BeltNone.text(lang).to_owned(),
            n => lang.fill(Msg::BeltLabel, &[&n.to_string()]),
        },
        parcels,
    }
}

fn belt_parcel(lang: Lang, sample: &Sample, parcel: &ParcelView) -> BeltParcelDto {
    let end = parcel.end_reason.is_some();
    let goes = match (parcel.end_reason, parcel.chute) {
        (Some(_), _) => lang.pick("末", "E").to_owned(),
        (None, Some(chute)) => chute.0.to_string(),
        (None, None) => String::new(),
    };
    let what = match &parcel.code {
        Some(code) => mask::waybill(code),
        None => Msg::WaybillNone.text(lang).to_owned(),
    };
    let whither = match (parcel.end_reason, parcel.chute) {
        (Some(reason), _) => words::reason(lang, reason).to_owned(),
        (None, Some(chute)) => lang.fill(Msg::ChuteName, &[&chute.0.to_string()]),
        (None, None) => match parcel.decide_in_ms {
            Some(ms) => lang.fill(Msg::DecideIn, &[&format!("{}.{}", ms / 1_000, ms / 100 % 10)]),
            None => String::new(),
        },
    };
    let doubt = match parcel.confidence {
        Confidence::Certain => String::new(),
        Confidence::Open { .. } => format!(" · {}", Msg::BeliefOpen.text(lang)),
        Confidence::Uncertain => format!(" · {}", Msg::BeliefUncertain.text(lang)),
    };
    let title = lang.fill(Msg::ParcelTitle, &[&parcel.id.0.to_string()]);
    BeltParcelDto {
        id: parcel.id.0,
        at_mm: sample.positions.get(&parcel.id).copied().unwrap_or_default(),
        goes,
        end,
        label: format!("{title} · {what} · {whither}{doubt}"),
    }
}

/// Counts of the sorter belt in millimetres.
pub(super) fn millimetres(layout: &Layout, distance: Distance) -> i64 {
    distance.0.saturating_mul(1_000) / i64::from(layout.counts_per_metre.max(1))
}

fn alarms(lang: Lang, view: &HmiView, panel: bool) -> Vec<AlarmDto> {
    let list = view.line.alarm_list.iter();
    list.map(|alarm| AlarmDto {
        code: alarm.alarm.code(),
        text: words::alarm(lang, view, alarm.alarm),
        tone: words::alarm_tone(alarm),
        key: words::alarm_key(alarm.alarm),
        state: words::alarm_state(lang, alarm),
        act: lang.fill(Msg::AlarmAct, &[words::alarm_action(lang, alarm.alarm)]),
        open: alarm.attention != Attention::Acknowledged,
        stands: alarm.attention != Attention::Returned,
        parcel: words::alarm_parcel(alarm.alarm),
        shelf: buttons::shelf(alarm, panel).map_or("", buttons::name),
        shelf_label: buttons::shelf(alarm, panel)
            .map_or("", |command| buttons::label(command).text(lang)),
    })
    .collect()
}

fn bus(lang: Lang, view: &HmiView, health: &BusHealth) -> BusDto {
    let nodes = health.stations.iter().map(|station| {
        let (text, tone) = words::station(lang, station.state);
        NodeDto {
            name: words::node(&view.layout, station.node),
            text,
            tone,
            age_ms: station.last_answer.map(|at| view.taken.since(at).millis()),
            exchanges: station.exchanges,
            timeouts: station.timeouts,
            bad: station.bad,
        }
    });
    BusDto {
        name: health.name.clone(),
        up: health.up,
        text: if health.up { Msg::BusUp } else { Msg::BusDown }.text(lang),
        nodes: nodes.collect(),
    }
}
