//! Words for the closed lists of the model: states, causes, conditions, alarms, nodes.
//!
//! Every match is total, so that a new variant cannot appear on a screen as a bare code.

use super::i18n::{Lang, Msg};
use super::setup::{HmiView, StationState};
use line_model::alarm::{Alarm, Priority};
use line_model::ids::{ChuteNo, EyeId, NodeId};
use line_model::layout::{ChuteRole, Layout, LineEnd};
use line_model::memory::Attention;
use line_model::packml::{State, StateReason, UnitMode};
use line_model::reason::Reason;
use line_model::signal::{Command, DownReason};
use line_model::view::{AlarmView, Unmet};

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
        State::Completing => Msg::StateCompleting,
        State::Completed => Msg::StateCompleted,
        State::Holding => Msg::StateHolding,
        State::Unholding => Msg::StateUnholding,
        State::Suspending => Msg::StateSuspending,
        State::Suspended => Msg::StateSuspended,
        State::Unsuspending => Msg::StateUnsuspending,
    }
    .text(lang)
}

/// What the line is used for.
pub(super) fn unit_mode(lang: Lang, mode: UnitMode) -> &'static str {
    match mode {
        UnitMode::Production => Msg::ModeProduction,
        UnitMode::Maintenance => Msg::ModeMaintenance,
        UnitMode::Manual => Msg::ModeManual,
    }
    .text(lang)
}

/// How abnormal a state is. Stopped by a person is normal.
pub(super) const fn state_tone(state: State) -> Tone {
    match state {
        State::Aborting | State::Aborted | State::Clearing => Tone::Alarm,
        State::Held
        | State::Holding
        | State::Unholding
        | State::Starting
        | State::Suspending
        | State::Suspended
        | State::Unsuspending => Tone::Attention,
        State::Stopped
        | State::Resetting
        | State::Idle
        | State::Execute
        | State::Completing
        | State::Completed
        | State::Stopping => Tone::Normal,
    }
}

/// Whether belts may move in this state.
pub(super) const fn moving(state: State) -> bool {
    match state {
        State::Execute | State::Stopping | State::Completing | State::Holding => true,
        State::Stopped
        | State::Resetting
        | State::Idle
        | State::Starting
        | State::Held
        | State::Unholding
        | State::Suspending
        | State::Suspended
        | State::Unsuspending
        | State::Completed
        | State::Aborting
        | State::Aborted
        | State::Clearing => false,
    }
}

/// 停线原因 · 位置 · 处理 in one line; `None` while the line runs or is about to.
pub(super) fn stop_reason(lang: Lang, view: &HmiView) -> Option<String> {
    let state = view.line.state;
    match state {
        State::Execute
        | State::Starting
        | State::Idle
        | State::Resetting
        | State::Unholding
        | State::Unsuspending
        | State::Completing => return None,
        State::Stopped
        | State::Held
        | State::Holding
        | State::Suspending
        | State::Suspended
        | State::Completed
        | State::Stopping
        | State::Aborting
        | State::Aborted
        | State::Clearing => {}
    }
    let (cause, place) = cause(lang, view, state, view.line.reason);
    let act = action(view.layout.end, state, view.line.reason).text(lang);
    Some(format!("{} · {place} · {act}", cause.text(lang)))
}

fn cause(lang: Lang, view: &HmiView, state: State, reason: StateReason) -> (Msg, String) {
    let layout = &*view.layout;
    let line = || Msg::PlaceLine.text(lang).to_owned();
    let controller = || Msg::PlaceController.text(lang).to_owned();
    match reason {
        StateReason::Command(Command::Hold) => (Msg::CauseHold, line()),
        StateReason::Command(Command::Abort) => (Msg::CauseAbort, line()),
        StateReason::Command(Command::Clear) => (Msg::CauseCleared, line()),
        StateReason::Command(
            Command::Stop
            | Command::Reset
            | Command::Start
            | Command::Complete
            | Command::SetMode(_)
            | Command::Acknowledge { .. }
            | Command::Shelve { .. }
            | Command::Unshelve { .. }
            | Command::Jog { .. }
            | Command::Resolve { .. },
        ) => (Msg::CauseStop, line()),
        StateReason::Done => match state {
            State::Aborting | State::Aborted => (Msg::CauseAbort, line()),
            State::Clearing => (Msg::CauseCleared, line()),
            State::Idle => (Msg::CauseReady, line()),
            State::Completing | State::Completed => (Msg::CauseEmpty, line()),
            State::Stopped
            | State::Holding
            | State::Unholding
            | State::Suspending
            | State::Suspended
            | State::Unsuspending
            | State::Resetting
            | State::Starting
            | State::Execute
            | State::Held
            | State::Stopping => (Msg::CauseStopped, line()),
        },
        StateReason::Estop(n) => {
            let place = lang.fill(Msg::PlaceEstop, &[&n.to_string()]);
            (Msg::CauseEstop, place + &estop_name(lang, view, n))
        }
        StateReason::NodeDown(id) => (Msg::CauseNode, node(layout, id)),
        StateReason::LeaseExpired(id) => (Msg::CauseLease, node(layout, id)),
        StateReason::AwayTooLong => (Msg::CauseAway, controller()),
        StateReason::EndFull => {
            let [cause, place] = match layout.end {
                LineEnd::Chute => [Msg::CauseEndFull, Msg::PlaceEnd],
                LineEnd::Return { .. } => [Msg::CauseReturnFull, Msg::PlaceReturn],
            };
            (cause, place.text(lang).to_owned())
        }
        StateReason::Quarantined => (Msg::CauseQuarantined, controller()),
        StateReason::NotEmpty => (Msg::CauseNotEmpty, line()),
        StateReason::Jam(id) => (Msg::CauseJam, tagged_eye(lang, view, id)),
        StateReason::ArrivalJam(id) => (Msg::CauseArrivalJam, tagged_eye(lang, view, id)),
        StateReason::EncoderStall(id) => (Msg::CauseStall, node(layout, id)),
        StateReason::Asleep => (Msg::CauseAsleep, line()),
        StateReason::Woken => (Msg::CauseWoken, line()),
    }
}

const fn action(end: LineEnd, state: State, reason: StateReason) -> Msg {
    match (state, reason) {
        (State::Stopping | State::Aborting | State::Clearing | State::Holding, _) => Msg::ActWait,
        (_, StateReason::Asleep | StateReason::Woken) => Msg::ActSleep,
        (_, StateReason::NotEmpty) => Msg::ActNotEmpty,
        (_, StateReason::Jam(_) | StateReason::ArrivalJam(_)) => Msg::ActJam,
        (_, StateReason::EncoderStall(_)) => Msg::ActStall,
        (_, StateReason::Estop(_)) => Msg::ActEstop,
        (_, StateReason::NodeDown(_) | StateReason::LeaseExpired(_)) => Msg::ActNode,
        (_, StateReason::AwayTooLong) => Msg::ActAway,
        (_, StateReason::EndFull) => match end {
            LineEnd::Chute => Msg::ActEndFull,
            LineEnd::Return { .. } => Msg::ActReturnFull,
        },
        (_, StateReason::Quarantined) => Msg::ActEngineer,
        (State::Aborted, StateReason::Command(_) | StateReason::Done) => Msg::ActClear,
        (
            State::Held
            | State::Unholding
            | State::Idle
            | State::Starting
            | State::Execute
            | State::Completing
            | State::Suspending
            | State::Suspended
            | State::Unsuspending,
            StateReason::Command(_) | StateReason::Done,
        ) => Msg::ActStart,
        (
            State::Stopped | State::Resetting | State::Completed,
            StateReason::Command(_) | StateReason::Done,
        ) => Msg::ActReset,
    }
}

/// A condition that is not met.
pub(super) fn unmet(lang: Lang, view: &HmiView, unmet: Unmet) -> String {
    let layout = &*view.layout;
    let of_chute = |message: Msg, chute: ChuteNo| lang.fill(message, &[&chute.0.to_string()]);
    match unmet {
        Unmet::EstopActive(n) => {
            lang.fill(Msg::UnmetEstop, &[&n.to_string()]) + &estop_name(lang, view, n)
        }
        Unmet::NodeDown(id) => lang.fill(Msg::UnmetNode, &[&node(layout, id)]),
        Unmet::NoPlan => Msg::UnmetPlan.text(lang).to_owned(),
        Unmet::CommitsStalled => Msg::UnmetCommits.text(lang).to_owned(),
        Unmet::EndFull => match layout.end {
            LineEnd::Chute => Msg::UnmetEndFull.text(lang).to_owned(),
            LineEnd::Return { .. } => Msg::UnmetReturnFull.text(lang).to_owned(),
        },
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
        Unmet::EyeBlocked(id) => lang.fill(Msg::UnmetEye, &[&tagged_eye(lang, view, id)]),
        Unmet::NoSuchAlarm(named) => lang.fill(Msg::UnmetNoAlarm, &[&alarm(lang, view, named)]),
        Unmet::TooUrgent(named) => lang.fill(Msg::UnmetUrgent, &[&alarm(lang, view, named)]),
        Unmet::NoReason => Msg::UnmetReason.text(lang).to_owned(),
        Unmet::ShelfTooLong => Msg::UnmetShelfLong.text(lang).to_owned(),
        Unmet::ShelvesFull => Msg::UnmetShelves.text(lang).to_owned(),
        Unmet::WrongMode(mode) => lang.fill(Msg::UnmetMode, &[unit_mode(lang, mode)]),
    }
}

/// An alarm: the table's text with the place or the thing in it.
pub(super) fn alarm(lang: Lang, view: &HmiView, alarm: Alarm) -> String {
    let text = alarm.row().text;
    let told = lang.pick(text.zh, text.en).replace("{}", &alarm_subject(lang, view, alarm));
    match alarm {
        Alarm::Estop(number) => told + &estop_name(lang, view, number),
        _ => told,
    }
}

/// An emergency stop's name with the zones that it stops, behind its number; empty without one.
fn estop_name(lang: Lang, view: &HmiView, number: u8) -> String {
    let named = view.estops.iter().find(|estop| estop.contact == number);
    named.map_or_else(String::new, |estop| {
        let name = lang.pick(&estop.name_zh, &estop.name);
        lang.fill(Msg::EstopName, &[name, &estop.zones.join(lang.pick("、", ", "))])
    })
}

/// What a person does about an alarm.
pub(super) fn alarm_action(lang: Lang, alarm: Alarm) -> &'static str {
    let action = alarm.row().action;
    lang.pick(action.zh, action.en)
}

/// The place or the thing that an alarm names; empty when it names none.
fn alarm_subject(lang: Lang, view: &HmiView, alarm: Alarm) -> String {
    match alarm {
        Alarm::Estop(number) => number.to_string(),
        Alarm::NodeDown(id)
        | Alarm::LeaseExpired(id)
        | Alarm::EventsLost(id)
        | Alarm::EncoderDrift(id)
        | Alarm::EncoderStall(id)
        | Alarm::RescanDiffers(id)
        | Alarm::RescannerSilent(id)
        | Alarm::Ghost(id) => node(&view.layout, id),
        Alarm::Jam(id)
        | Alarm::QueueJam(id)
        | Alarm::ArrivalJam(id)
        | Alarm::EyeStuck(id)
        | Alarm::EyeBlind(id)
        | Alarm::EyeDirty(id) => tagged_eye(lang, view, id),
        Alarm::Unconfirmed(id) | Alarm::Lost(id) | Alarm::QuarantineAtEnd(id) => id.0.to_string(),
        Alarm::UnexpectedLanding(chute) | Alarm::ChuteFaulted(chute) | Alarm::ChuteWaits(chute) => {
            chute.0.to_string()
        }
        Alarm::CommitsStalled
        | Alarm::EndFull
        | Alarm::ReturnFull
        | Alarm::RoundInVain
        | Alarm::InputQuarantined
        | Alarm::NotEmpty
        | Alarm::Flood
        | Alarm::WallClockStepped => String::new(),
    }
}

/// Name of one alarm in the interface.
pub(super) fn alarm_key(alarm: Alarm) -> String {
    let number = match alarm {
        Alarm::Estop(number) => u64::from(number),
        Alarm::NodeDown(id)
        | Alarm::LeaseExpired(id)
        | Alarm::EventsLost(id)
        | Alarm::EncoderDrift(id)
        | Alarm::EncoderStall(id)
        | Alarm::RescanDiffers(id)
        | Alarm::RescannerSilent(id)
        | Alarm::Ghost(id) => u64::from(id.0),
        Alarm::Jam(id)
        | Alarm::QueueJam(id)
        | Alarm::ArrivalJam(id)
        | Alarm::EyeStuck(id)
        | Alarm::EyeBlind(id)
        | Alarm::EyeDirty(id) => u64::from(id.0),
        Alarm::Unconfirmed(id) | Alarm::Lost(id) | Alarm::QuarantineAtEnd(id) => id.0,
        Alarm::UnexpectedLanding(chute) | Alarm::ChuteFaulted(chute) | Alarm::ChuteWaits(chute) => {
            u64::from(chute.0)
        }
        Alarm::CommitsStalled
        | Alarm::EndFull
        | Alarm::ReturnFull
        | Alarm::RoundInVain
        | Alarm::InputQuarantined
        | Alarm::NotEmpty
        | Alarm::Flood
        | Alarm::WallClockStepped => 0,
    };
    format!("{}.{number}", alarm.code())
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
        | Alarm::ChuteFaulted(_)
        | Alarm::ChuteWaits(_)
        | Alarm::CommitsStalled
        | Alarm::EndFull
        | Alarm::ReturnFull
        | Alarm::RoundInVain
        | Alarm::InputQuarantined
        | Alarm::NotEmpty
        | Alarm::Flood
        | Alarm::Jam(_)
        | Alarm::QueueJam(_)
        | Alarm::ArrivalJam(_)
        | Alarm::EyeStuck(_)
        | Alarm::EyeBlind(_)
        | Alarm::EyeDirty(_)
        | Alarm::EncoderStall(_)
        | Alarm::RescanDiffers(_)
        | Alarm::RescannerSilent(_)
        | Alarm::WallClockStepped => None,
    }
}

/// How much an alarm of the list asks for attention: what is put aside or suppressed does not, what
/// is gone or known asks less.
pub(super) fn alarm_tone(alarm: &AlarmView) -> Tone {
    if alarm.suppressed || alarm.shelf.is_some() {
        return Tone::Normal;
    }
    match (alarm.alarm.row().priority, alarm.attention) {
        (_, Attention::Returned) => Tone::Attention,
        (Priority::High, Attention::Unacknowledged | Attention::Acknowledged) => Tone::Alarm,
        (Priority::Medium | Priority::Low, Attention::Unacknowledged | Attention::Acknowledged) => {
            Tone::Attention
        }
    }
}

/// State of an alarm in words (ISA-18.2), first-out and put aside included.
pub(super) fn alarm_state(lang: Lang, alarm: &AlarmView) -> String {
    let state = match alarm.attention {
        Attention::Unacknowledged => Msg::AlarmUnacknowledged,
        Attention::Acknowledged => Msg::AlarmAcknowledged,
        Attention::Returned => Msg::AlarmReturned,
    };
    let mut words = vec![state.text(lang).to_owned()];
    if alarm.first_out {
        words.insert(0, Msg::AlarmFirstOut.text(lang).to_owned());
    }
    if let Some(shelf) = &alarm.shelf {
        words.push(lang.fill(Msg::AlarmShelved, &[&shelf.by, &shelf.reason]));
    }
    if alarm.suppressed {
        words.push(Msg::AlarmSuppressed.text(lang).to_owned());
    }
    words.join(" · ")
}

/// The eye with its tag and terminal, as alarms name it.
pub(super) fn tagged_eye(lang: Lang, view: &HmiView, id: EyeId) -> String {
    let name = eye(lang, &view.layout, id);
    let Some(tag) = view.eye_tags.get(usize::from(id.0)) else { return name };
    let mut text = name;
    if !tag.tag.is_empty() {
        text.push(' ');
        text.push_str(&tag.tag);
    }
    if !tag.terminal.is_empty() {
        text.push_str(&lang.fill(Msg::EyeTerminal, &[&tag.terminal]));
    }
    text
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
