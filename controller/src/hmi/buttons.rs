//! The buttons of a screen: which would be taken now, and why not where not.

use super::i18n::{Lang, Msg};
use super::words;
use line_model::alarm::Priority;
use line_model::limits;
use line_model::packml::{State, UnitMode};
use line_model::signal::Command;
use line_model::view::{AlarmView, LineView, Unmet};
use serde::Serialize;

/// One button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Button {
    /// Name in `POST /api/command`.
    pub(super) command: &'static str,
    /// Label.
    pub(super) label: &'static str,
    /// Whether it would be taken, as far as the screen can tell; the line decides.
    pub(super) ready: bool,
    /// Why not; empty when it is ready.
    pub(super) why: String,
}

/// The buttons in the order of use.
pub(super) fn all(lang: Lang, line: &LineView, panel: bool) -> Vec<Button> {
    let first = if line.state == State::Aborted { Command::Clear } else { Command::Reset };
    [first, Command::Start, Command::Hold, Command::Complete, Command::Stop]
        .into_iter()
        .map(|command| {
            let why = why_not(lang, line, command, panel);
            Button {
                command: name(command),
                label: label(command).text(lang),
                ready: why.is_none(),
                why: why.unwrap_or_default(),
            }
        })
        .collect()
}

/// Reasons that a screen offers for stopping and pausing, so that nobody has to write, and to name
/// somebody, while a line waits.
pub(super) const REASONS: [Msg; 8] = [
    Msg::ReasonUnsaid,
    Msg::ReasonShift,
    Msg::ReasonJam,
    Msg::ReasonBag,
    Msg::ReasonUnsafe,
    Msg::ReasonRepair,
    Msg::ReasonWait,
    Msg::ReasonOther,
];

/// Reasons that a screen offers for putting an alarm aside.
pub(super) const SHELF_REASONS: [Msg; 4] =
    [Msg::ShelfKnown, Msg::ShelfPart, Msg::ShelfFalse, Msg::ShelfTest];

/// For how many minutes a screen offers to put an alarm aside.
pub(super) const SHELF_MINUTES: [u16; 3] = [10, 30, limits::SHELF_MINUTES_MAX];

/// What a screen may do about putting an alarm aside: only what the line would take.
pub(super) fn shelf(alarm: &AlarmView, panel: bool) -> Option<Command> {
    let asked = if alarm.shelf.is_some() {
        Command::Unshelve { alarm: alarm.alarm }
    } else {
        Command::Shelve { alarm: alarm.alarm, minutes: SHELF_MINUTES[0] }
    };
    let urgent = alarm.alarm.row().priority == Priority::High;
    let allowed = panel || !super::access::needs_panel(asked);
    (allowed && !(urgent && alarm.shelf.is_none())).then_some(asked)
}

/// Whether a screen offers to jog: only where the line would take it.
pub(super) fn jogs(line: &LineView, panel: bool) -> bool {
    let allowed = panel || !super::access::needs_panel(Command::Jog { zone: None });
    let maintained = line.unit_mode == UnitMode::Maintenance && line.state == State::Stopped;
    allowed && maintained
}

/// Why another mode would not be taken now; `None` when it would.
pub(super) fn mode_why(lang: Lang, line: &LineView, panel: bool) -> Option<String> {
    if !panel && super::access::needs_panel(Command::SetMode(line.unit_mode)) {
        return Some(Msg::WhyNotPanel.text(lang).to_owned());
    }
    (line.state != State::Stopped).then(|| Msg::WhyModeStopped.text(lang).to_owned())
}

/// Name of a command in the interface.
pub(super) const fn name(command: Command) -> &'static str {
    match command {
        Command::Reset => "reset",
        Command::Start => "start",
        Command::Stop => "stop",
        Command::Hold => "hold",
        Command::Abort => "abort",
        Command::Clear => "clear",
        Command::Resolve { .. } => "resolve",
        Command::Complete => "complete",
        Command::SetMode(_) => "mode",
        Command::Acknowledge { .. } => "acknowledge",
        Command::Shelve { .. } => "shelve",
        Command::Unshelve { .. } => "unshelve",
        Command::Jog { .. } => "jog",
    }
}

/// The command with this name, of those that screens may give.
pub(super) fn parse(name: &str) -> Option<Command> {
    let plain = [
        Command::Reset,
        Command::Start,
        Command::Stop,
        Command::Hold,
        Command::Complete,
        Command::Clear,
    ];
    plain.into_iter().find(|command| self::name(*command) == name)
}

/// Label of a command.
pub(super) const fn label(command: Command) -> Msg {
    match command {
        Command::Reset => Msg::CommandReset,
        Command::Start => Msg::CommandStart,
        Command::Hold => Msg::CommandHold,
        Command::Clear => Msg::CommandClear,
        Command::Complete => Msg::CommandComplete,
        Command::SetMode(_) => Msg::CommandMode,
        Command::Acknowledge { .. } => Msg::CommandAcknowledge,
        Command::Shelve { .. } => Msg::CommandShelve,
        Command::Unshelve { .. } => Msg::CommandUnshelve,
        Command::Jog { .. } => Msg::CommandJog,
        Command::Stop | Command::Abort | Command::Resolve { .. } => Msg::CommandStop,
    }
}

fn why_not(lang: Lang, line: &LineView, command: Command, panel: bool) -> Option<String> {
    if !panel && super::access::needs_panel(command) {
        return Some(Msg::WhyNotPanel.text(lang).to_owned());
    }
    let plain = |message: Msg| Some(message.text(lang).to_owned());
    let now = words::state(lang, line.state);
    match (command, line.state) {
        (Command::Reset, State::Stopped | State::Completed)
        | (Command::Start, State::Idle | State::Held | State::Suspending | State::Suspended)
        | (Command::Clear, State::Aborted) => unmet(lang, line),
        (Command::Complete, State::Execute) => None,
        (Command::Hold, state) if state.may_become(State::Holding) => None,
        (Command::Stop, state) if state.may_become(State::Stopping) => None,
        (Command::Reset, State::Idle)
        | (
            Command::Start,
            State::Starting | State::Unholding | State::Unsuspending | State::Execute,
        )
        | (Command::Hold, State::Holding | State::Held)
        | (Command::Complete, State::Completing | State::Completed)
        | (Command::Stop, State::Stopped | State::Stopping | State::Aborted) => {
            Some(lang.fill(Msg::WhyAlready, &[now]))
        }
        (Command::Start | Command::Reset, State::Aborted) => plain(Msg::WhyClearFirst),
        (Command::Start, State::Stopped | State::Completed) => plain(Msg::WhyResetFirst),
        (
            Command::Reset,
            State::Starting
            | State::Execute
            | State::Held
            | State::Unholding
            | State::Suspending
            | State::Suspended
            | State::Unsuspending,
        ) => plain(Msg::WhyStopFirst),
        (Command::Hold | Command::Complete, _) => plain(Msg::WhyNotRunning),
        (
            Command::Abort
            | Command::Resolve { .. }
            | Command::SetMode(_)
            | Command::Acknowledge { .. }
            | Command::Shelve { .. }
            | Command::Unshelve { .. }
            | Command::Jog { .. }
            | Command::Clear
            | Command::Reset
            | Command::Start
            | Command::Stop,
            _,
        ) => Some(lang.fill(Msg::WhyWait, &[now])),
    }
}

/// Conditions stand in full beside the buttons, so the button only counts on them.
fn unmet(lang: Lang, line: &LineView) -> Option<String> {
    let open = line.unmet.iter().any(|unmet| !matches!(unmet, Unmet::WrongState(_)));
    open.then(|| Msg::WhyConditions.text(lang).to_owned())
}
