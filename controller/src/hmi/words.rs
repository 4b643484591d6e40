//! Words for the closed lists of the model: states, causes, conditions, alarms, nodes.
//!
//! Every match is total, so that a new variant cannot appear on a screen as a bare code.

use super::i18n::{Lang, Msg};
use super::setup::{HmiView, StationState};
use line_model::alarm::Alarm;
use line_model::ids::{ChuteNo, EyeId, NodeId};
use line_model::layout::{ChuteRole, Layout};
use line_model::packml::{State, StateReason};
use line_model::reason::Reason;
use line_model::signal::{Command, DownReason};
use line_model::view::Unmet;

/// How much a value asks for attention; always shown as shape and text beside colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    /// As it should be: grey.
    Normal,
    /// Someone should look: amber, diamond.
    Attention,
    /// Someone must act: red, triangle.
    Alarm,
}

impl Tone {
    /// Name of the CSS class and of the value in JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Attention => "attention",
            Self::Alarm => "alarm",
        }
    }
}

/// The state's name for people.
pub(super) fn state(lang: Lang, state: State) -> &'static str {
    match state {
        State::Stopped => Msg::StateStopped,
        State::Resetting => Msg::StateResetting,
        State::Idle => Msg::StateIdle,
        State::Starting => Msg::StateStarting,
        State::Execute => Msg::StateExecute,
        State::Held => Msg::StateHeld,
        State::Stopping => Msg::StateStopping,
        State::Aborting => Msg::StateAborting,
        State::Aborted => Msg::StateAborted,
        State::Clearing => Msg::StateClearing,
    }
    .text(lang)
}

/// How abnormal a state is. Stopped by a person is normal.
pub(super) const fn state_tone(state: State) -> Tone {
    match state {
        State::Aborting | State::Aborted | State::Clearing => Tone::Alarm,
        State::Held | State::Starting => Tone::Attention,
        State::Stopped | State::Resetting | State::Idle | State::Execute | State::Stopping => {
            Tone::Normal
        }
    }
}

/// Whether belts may move in this state.
pub(super) const fn moving(state: State) -> bool {
    match state {
        State::Execute | State::Stopping => true,
        State::Stopped
        | State::Resetting
        | State::Idle
        | State::Starting
        | State::Held
        | State::Aborting
        | State::Aborted
        | State::Clearing => false,
    }
}

/// 停线原因 · 位置 · 处理 in one line; `None` while the line runs or is about to.
pub(super) fn stop_reason(lang: Lang, view: &HmiView) -> Option<String> {
    let state = view.line.state;
    match state {
        State::Execute | State::Starting | State::Idle | State::Resetting => return None,
        State::Stopped
        | State::Held
        | State::Stopping
        | State::Aborting
        | State::Aborted
        | State::Clearing => {}
    }
    let (cause, place) = cause(lang, &view.layout, state, view.line.reason);
    let act = action(state, view.line.reason).text(lang);
    Some(format!("{} · {place} · {act}", cause.text(lang)))
}

fn cause(lang: Lang, layout: &Layout, state: State, reason: StateReason) -> (Msg, String) {
    let line = || Msg::PlaceLine.text(lang).to_owned();
    let controller = || Msg::PlaceController.text(lang).to_owned();
    match reason {
        StateReason::Command(Command::Hold) => (Msg::CauseHold, line()),
        StateReason::Command(Command::Abort) => (Msg::CauseAbort, line()),
        StateReason::Command(Command::Clear) => (Msg::CauseCleared, line()),
        StateReason::Command(
            Command::Stop | Command::Reset | Command::Start | Command::Resolve { .. },
        ) => (Msg::CauseStop, line()),
        StateReason::Done => match state {
            State::Aborting | State::Aborted => (Msg::CauseAbort, line()),
            State::Clearing => (Msg::CauseCleared, line()),
            State::Idle => (Msg::CauseReady, line()),
            State::Stopped
            | State::Resetting
            | State::Starting
            | State::Execute
            | State::Held
            | State::Stopping => (Msg::CauseStopped, line()),
        },
        StateReason::Estop(n) => (Msg::CauseEstop, lang.fill(Msg::PlaceEstop, &[&n.to_string()])),
        StateReason::NodeDown(id) => (Msg::CauseNode, node(layout, id)),
        StateReason::LeaseExpired(id) => (Msg::CauseLease, node(layout, id)),
        StateReason::AwayTooLong => (Msg::CauseAway, controller()),
        StateReason::EndFull => (Msg::CauseEndFull, Msg::PlaceEnd.text(lang).to_owned()),
        StateReason::Quarantined => (Msg::CauseQuarantined, controller()),
    }
}

const fn action(state: State, reason: StateReason) -> Msg {
    match (state, reason) {
        (State::Stopping | State::Aborting | State::Clearing, _) => Msg::ActWait,
        (_, StateReason::Estop(_)) => Msg::ActEstop,
        (_, StateReason::NodeDown(_) | StateReason::LeaseExpired(_)) => Msg::ActNode,
        (_, StateReason::AwayTooLong) => Msg::ActAway,
        (_, StateReason::EndFull) => Msg::ActEndFull,
        (_, StateReason::Quarantined) => Msg::ActEngineer,
        (State::Aborted, StateReason::Command(_) | StateReason::Done) => Msg::ActClear,
        (
            State::Held | State::Idle | State::Starting | State::Execute,
            StateReason::Command(_) | StateReason::Done,
        ) => Msg::ActStart,
        (State::Stopped | State::Resetting, StateReason::Command(_) | StateReason::Done) => {
            Msg::ActReset
        }
    }
}

/// A condition that is not met.
pub(super) fn unmet(lang: Lang, layout: &Layout, unmet: Unmet) -> String {
    let of_chute = |message: Msg, chute: ChuteNo| lang.fill(message, &[&chute.0.to_string()]);
    match unmet {
        Unmet::EstopActive(n) => lang.fill(Msg::UnmetEstop, &[&n.to_string()]),
        Unmet::NodeDown(id) => lang.fill(Msg::UnmetNode, &[&node(layout, id)]),
        Unmet::NoPlan => Msg::UnmetPlan.text(lang).to_owned(),
        Unmet::CommitsStalled => Msg::UnmetCommits.text(lang).to_owned(),
        Unmet::EndFull => Msg::UnmetEndFull.text(lang).to_owned(),
        Unmet::WrongState(now) => lang.fill(Msg::UnmetState, &[state(lang, now)]),
        Unmet::NotOpen(parcel) => lang.fill(Msg::UnmetNotOpen, &[&parcel.0.to_string()]),
        Unmet::NoSuchChute(chute) => of_chute(Msg::UnmetNoSuchChute, chute),
        Unmet::NotLocked(chute) => of_chute(Msg::UnmetNotLocked, chute),
        Unmet::BagOpen(chute) => of_chute(Msg::UnmetBagOpen, chute),
        Unmet::OtherBag(chute) => of_chute(Msg::UnmetOtherBag, chute),
        Unmet::LabelBound(chute) => of_chute(Msg::UnmetLabelBound, chute),
        Unmet::NoCode => Msg::UnmetNoCode.text(lang).to_owned(),
        Unmet::OnBelt(parcel) => lang.fill(Msg::UnmetOnBelt, &[&parcel.0.to_string()]),
        Unmet::GateClosed(parcel) => lang.fill(Msg::UnmetGateClosed, &[&parcel.0.to_string()]),
        Unmet::OtherKey(chute) => of_chute(Msg::UnmetOtherKey, chute),
    }
}

/// An alarm: what it is and, where it helps, what to do.
pub(super) fn alarm(lang: Lang, layout: &Layout, alarm: Alarm) -> String {
    let number = |message: Msg, n: u64| lang.fill(message, &[&n.to_string()]);
    let of_node = |message: Msg, id: NodeId| lang.fill(message, &[&node(layout, id)]);
    match alarm {
        Alarm::Estop(n) => number(Msg::AlarmEstop, n.into()),
        Alarm::NodeDown(id) => of_node(Msg::AlarmNode, id),
        Alarm::LeaseExpired(id) => of_node(Msg::AlarmLease, id),
        Alarm::EventsLost(id) => of_node(Msg::AlarmEvents, id),
        Alarm::EncoderDrift(id) => of_node(Msg::AlarmDrift, id),
        Alarm::Unconfirmed(id) => number(Msg::AlarmUnconfirmed, id.0),
        Alarm::Lost(id) => number(Msg::AlarmLost, id.0),
        Alarm::Ghost(id) => of_node(Msg::AlarmGhost, id),
        Alarm::UnexpectedLanding(chute) => number(Msg::AlarmLanding, chute.0.into()),
        Alarm::CommitsStalled => Msg::AlarmCommits.text(lang).to_owned(),
        Alarm::EndFull => Msg::AlarmEndFull.text(lang).to_owned(),
        Alarm::QuarantineAtEnd(id) => number(Msg::AlarmQuarantineEnd, id.0),
        Alarm::InputQuarantined => Msg::AlarmQuarantined.text(lang).to_owned(),
    }
}

/// The parcel that an alarm is about, for a link to its page.
pub(super) const fn alarm_parcel(alarm: Alarm) -> Option<u64> {
    match alarm {
        Alarm::Unconfirmed(id) | Alarm::Lost(id) | Alarm::QuarantineAtEnd(id) => Some(id.0),
        Alarm::Estop(_)
        | Alarm::NodeDown(_)
        | Alarm::LeaseExpired(_)
        | Alarm::EventsLost(_)
        | Alarm::EncoderDrift(_)
        | Alarm::Ghost(_)
        | Alarm::UnexpectedLanding(_)
        | Alarm::CommitsStalled
        | Alarm::EndFull
        | Alarm::InputQuarantined => None,
    }
}

/// How urgent an alarm is.
pub(super) const fn alarm_tone(alarm: Alarm) -> Tone {
    match alarm {
        Alarm::Estop(_)
        | Alarm::NodeDown(_)
        | Alarm::LeaseExpired(_)
        | Alarm::EndFull
        | Alarm::QuarantineAtEnd(_)
        | Alarm::CommitsStalled
        | Alarm::InputQuarantined => Tone::Alarm,
        Alarm::EventsLost(_)
        | Alarm::EncoderDrift(_)
        | Alarm::Unconfirmed(_)
        | Alarm::Lost(_)
        | Alarm::Ghost(_)
        | Alarm::UnexpectedLanding(_) => Tone::Attention,
    }
}

/// The node's name in the line file.
pub(super) fn node(layout: &Layout, id: NodeId) -> String {
    match layout.nodes.get(usize::from(id.0)) {
        Some(place) => place.name.clone(),
        None => format!("#{}", id.0),
    }
}

/// The eye in words of the line.
pub(super) fn eye(lang: Lang, layout: &Layout, id: EyeId) -> String {
    if let Some(diverter) = layout.diverters.iter().find(|diverter| diverter.eye == id) {
        return lang.fill(Msg::EyeArrival, &[&diverter.name]);
    }
    let last = layout.eyes.len().checked_sub(1);
    match usize::from(id.0) {
        0 => Msg::EyeInduction.text(lang).to_owned(),
        index if Some(index) == last => Msg::EyeEnd.text(lang).to_owned(),
        1 => Msg::EyeTunnel.text(lang).to_owned(),
        index => lang.fill(Msg::EyeOther, &[&index.to_string()]),
    }
}

/// What a chute is for.
pub(super) fn chute_role(lang: Lang, role: ChuteRole) -> &'static str {
    match role {
        ChuteRole::Sort => Msg::ChuteRoleSort,
        ChuteRole::GeneralExceptions => Msg::ChuteRoleGeneral,
        ChuteRole::Quarantine => Msg::ChuteRoleQuarantine,
    }
    .text(lang)
}

/// The outcome's reason in words; its code stays beside it in small type.
pub(super) const fn reason(lang: Lang, reason: Reason) -> &'static str {
    lang.pick(reason.zh(), reason.en())
}

/// State of a node's session.
pub(super) fn station(lang: Lang, state: StationState) -> (String, Tone) {
    let plain = |message: Msg| message.text(lang).to_owned();
    match state {
        StationState::Unknown => (plain(Msg::NodeUnknown), Tone::Attention),
        StationState::Joining => (plain(Msg::NodeJoining), Tone::Attention),
        StationState::Online => (plain(Msg::NodeOnline), Tone::Normal),
        StationState::Degraded => (plain(Msg::NodeDegraded), Tone::Attention),
        StationState::Down(why) => (down(lang, why), Tone::Alarm),
    }
}

fn down(lang: Lang, why: DownReason) -> String {
    match why {
        DownReason::Silent => Msg::DownSilent.text(lang).to_owned(),
        DownReason::BusDown => Msg::DownBus.text(lang).to_owned(),
        DownReason::WrongMap { found } => lang.fill(Msg::DownMap, &[&found.to_string()]),
        DownReason::WrongKind { found } => lang.fill(Msg::DownKind, &[&found.to_string()]),
        DownReason::NotOwner => Msg::DownOwner.text(lang).to_owned(),
        DownReason::AddressClash { one, other } => {
            lang.fill(Msg::DownClash, &[&one.to_string(), &other.to_string()])
        }
    }
}
