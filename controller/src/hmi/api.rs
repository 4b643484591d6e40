//! The interface in JSON: the same values as the screens, and the commands.

use super::dto::ViewDto;
use super::i18n::{Lang, Msg};
use super::router::{Asker, Lenient};
use super::setup::{HmiCommand, HmiView, Order, Refused};
use super::stories::{self, Filter, ReadError, Row};
use super::story::{self, Class, Story};
use super::stream::Subscription;
use super::{access, buttons, limits, local_time, mask, words};
use crate::audit;
use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Sse;
use axum::response::{IntoResponse, Response};
use line_model::ids::{ParcelId, ZoneId};
use line_model::layout::Layout;
use line_model::packml::UnitMode;
use line_model::signal::Command;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

/// Answer to a command, and to anything that failed.
#[derive(Debug, Serialize)]
struct Said {
    taken: bool,
    text: String,
    unmet: Vec<String>,
}

/// One parcel in a list.
#[derive(Debug, Serialize)]
pub(super) struct RowDto {
    /// Instance.
    pub(super) id: u64,
    /// Masked waybill; empty without one.
    pub(super) waybill: String,
    /// When it was inducted, ISO 8601; empty when not known.
    pub(super) inducted: String,
    /// Outcome class.
    pub(super) outcome: &'static str,
    /// Outcome in words.
    pub(super) outcome_text: &'static str,
    /// Where it went, in words.
    pub(super) place: String,
}

impl RowDto {
    fn new(lang: Lang, row: &Row) -> Self {
        Self {
            id: row.parcel.0,
            waybill: row.code.as_deref().map(mask::waybill).unwrap_or_default(),
            inducted: row.inducted_utc_us.map(local_time::iso).unwrap_or_default(),
            outcome: row.outcome.class().name(),
            outcome_text: row.outcome.class().text(lang),
            place: row.outcome.place(lang),
        }
    }
}

#[derive(Debug, Serialize)]
struct StepDto {
    record: u64,
    time: String,
    relative_ms: u64,
    text: String,
    tone: words::Tone,
}

#[derive(Debug, Serialize)]
struct StoryDto {
    id: u64,
    waybill: String,
    outcome: &'static str,
    outcome_text: &'static str,
    place: String,
    why: String,
    steps: Vec<StepDto>,
}

impl StoryDto {
    fn new(lang: Lang, layout: &Layout, told: &Story) -> Self {
        let outcome = told.outcome();
        let first = told.steps.first().map(|step| step.at).unwrap_or_default();
        let steps = told.steps.iter().map(|step| {
            let (text, tone) = story::step(lang, layout, &step.event);
            StepDto {
                record: step.record,
                time: step.utc_us.map(local_time::iso).unwrap_or_default(),
                relative_ms: step.at.since(first).millis(),
                text,
                tone,
            }
        });
        Self {
            id: told.parcel.0,
            waybill: told.code().map(mask::waybill).unwrap_or_default(),
            outcome: outcome.class().name(),
            outcome_text: outcome.class().text(lang),
            place: outcome.place(lang),
            why: told.why(lang, layout),
            steps: steps.collect(),
        }
    }
}

/// `GET /api/view`
pub(super) async fn view(asker: Asker) -> Json<ViewDto> {
    let sample = asker.sample();
    Json(ViewDto::new(asker.lang, &sample, asker.panel))
}

/// Query of `GET /api/parcels`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    /// Only parcels with a greater number, oldest first.
    after: Option<u64>,
    /// Only parcels with a smaller number, latest first.
    pub(super) before: Option<u64>,
    /// Only this class of outcome.
    #[serde(default)]
    pub(super) outcome: String,
}

impl ListQuery {
    /// The filter that it asks for; a class that does not exist filters nothing.
    pub(super) fn filter(&self) -> Filter {
        Filter { after: self.after, before: self.before, class: Class::parse(&self.outcome) }
    }
}

/// `GET /api/parcels`
pub(super) async fn parcels(asker: Asker, Lenient(query): Lenient<ListQuery>) -> Response {
    let filter = query.filter();
    match stories::read(&asker.shared, move |journal| journal.list(&filter)).await {
        Ok(rows) => {
            let rows: Vec<RowDto> = rows.iter().map(|row| RowDto::new(asker.lang, row)).collect();
            Json(rows).into_response()
        }
        Err(error) => unreadable(asker.lang, &error),
    }
}

/// `GET /api/parcel/{id}`
pub(super) async fn parcel(asker: Asker, Path(id): Path<String>) -> Response {
    let lang = asker.lang;
    let missing = || {
        say(StatusCode::NOT_FOUND, false, lang.fill(Msg::NotFoundParcel, &[&short(&id)]), vec![])
    };
    let Ok(number) = id.parse::<u64>() else {
        return missing();
    };
    let parcel = ParcelId(number);
    match stories::read(&asker.shared, move |journal| journal.story(parcel)).await {
        Ok(Some(told)) => {
            Json(StoryDto::new(lang, &asker.sample().view.layout, &told)).into_response()
        }
        Ok(None) => missing(),
        Err(error) => unreadable(lang, &error),
    }
}

/// A text from outside, cut for showing it back.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(limits::SEARCH_CHARS).collect()
}

/// `GET /api/events`
pub(super) async fn events(asker: Asker) -> Response {
    let Ok(place) = asker.shared.streams.clone().try_acquire_owned() else {
        return say(
            StatusCode::SERVICE_UNAVAILABLE,
            false,
            Msg::SayBusy.text(asker.lang).to_owned(),
            vec![],
        );
    };
    let samples = asker.shared.samples.clone();
    let subscription = Subscription { samples, lang: asker.lang, panel: asker.panel, place };
    // Proxies that collect answers would hold values back; this header is how they are told.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    (unbuffered, Sse::new(subscription.start())).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandBody {
    /// Name of the command.
    command: String,
    /// Why, in the person's words.
    #[serde(default)]
    reason: String,
    /// Key of the alarm that it is about; absent = all.
    alarm: Option<String>,
    /// For how many minutes an alarm is put aside.
    #[serde(default)]
    minutes: u16,
    /// Name of a mode.
    #[serde(default)]
    mode: String,
    /// Name of the zone whose jog button is held; absent = let go.
    zone: Option<String>,
}

impl CommandBody {
    /// The command, when there is one of this name and what it is about exists.
    fn command(&self, view: &HmiView) -> Option<Command> {
        let list = &view.line.alarm_list;
        let named = self.alarm.as_ref().map(|key| {
            list.iter().map(|entry| entry.alarm).find(|alarm| words::alarm_key(*alarm) == *key)
        });
        Some(match (self.command.as_str(), named) {
            ("acknowledge", None) => Command::Acknowledge { alarm: None },
            ("acknowledge", Some(alarm)) => Command::Acknowledge { alarm: Some(alarm?) },
            ("shelve", Some(alarm)) => Command::Shelve { alarm: alarm?, minutes: self.minutes },
            ("unshelve", Some(alarm)) => Command::Unshelve { alarm: alarm? },
            ("mode", None) => {
                let modes = UnitMode::ALL.into_iter();
                Command::SetMode(modes.into_iter().find(|mode| mode.name() == self.mode)?)
            }
            ("jog", None) => {
                let zones = &view.layout.zones;
                let index = |name: &String| zones.iter().position(|zone| zone.name == *name);
                let zone = match &self.zone {
                    Some(name) => Some(ZoneId(u8::try_from(index(name)?).ok()?)),
                    None => None,
                };
                Command::Jog { zone }
            }
            (name, None) => buttons::parse(name)?,
            (_, Some(_)) => return None,
        })
    }

    /// The reason; `None` when it is none that can be kept. What stops the line is never refused
    /// for its words: then they are left out.
    fn reason(&self, command: Command) -> Option<String> {
        let stops = matches!(command, Command::Stop | Command::Hold | Command::Abort);
        audit::reason(&self.reason).ok().or_else(|| stops.then(String::new))
    }
}

/// `POST /api/command`
pub(super) async fn command(asker: Asker, headers: HeaderMap, body: Bytes) -> Response {
    let lang = asker.lang;
    let plain = |status, message: Msg| say(status, false, message.text(lang).to_owned(), vec![]);
    if let Some(refused) = unwelcome(&asker, &headers, Msg::SayBadCommand) {
        return refused;
    }
    let body = serde_json::from_slice::<CommandBody>(&body).ok();
    let Some(body) = body else {
        return plain(StatusCode::BAD_REQUEST, Msg::SayBadCommand);
    };
    let Some(command) = body.command(&asker.sample().view) else {
        return plain(StatusCode::BAD_REQUEST, Msg::SayBadCommand);
    };
    if access::needs_panel(command) && !asker.panel {
        tracing::warn!(screen = %asker.address, command = buttons::name(command), "not a panel");
        return plain(StatusCode::FORBIDDEN, Msg::WhyNotPanel);
    }
    let Some(reason) = body.reason(command) else {
        let text = lang.fill(Msg::SayBadReason, &[&limits::REASON_CHARS.to_string()]);
        return say(StatusCode::BAD_REQUEST, false, text, vec![]);
    };
    let taken = lang.fill(Msg::SayTaken, &[buttons::label(command).text(lang)]);
    give(&asker, Order::Command { command, reason }, taken).await
}

/// The answer to a request that is not of a page of this server, or not JSON; `None` = welcome.
pub(super) fn unwelcome(asker: &Asker, headers: &HeaderMap, bad: Msg) -> Option<Response> {
    let lang = asker.lang;
    let plain = |status, message: Msg| say(status, false, message.text(lang).to_owned(), vec![]);
    if !access::same_origin(headers) {
        tracing::warn!(screen = %asker.address, "command from a page of another site refused");
        return Some(plain(StatusCode::FORBIDDEN, Msg::SayOrigin));
    }
    let json = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.to_str().is_ok_and(|kind| kind.split(';').next() == Some("application/json"))
    });
    (!json).then(|| plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, bad))
}

/// Gives an order to the line and answers with what it says; `taken` when it was taken.
pub(super) async fn give(asker: &Asker, order: Order, taken: String) -> Response {
    let lang = asker.lang;
    let no_answer = |message: Msg| {
        say(StatusCode::SERVICE_UNAVAILABLE, false, message.text(lang).to_owned(), vec![])
    };
    let (sender, answer) = oneshot::channel();
    let by = format!("screen {}", asker.address);
    match asker.shared.commands.try_send(HmiCommand { order, by, answer: sender }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return no_answer(Msg::SayBusy),
        Err(TrySendError::Closed(_)) => return no_answer(Msg::SayNoAnswer),
    }
    match tokio::time::timeout(limits::COMMAND_TIMEOUT, answer).await {
        Ok(Ok(Ok(()))) => say(StatusCode::OK, true, taken, vec![]),
        Ok(Ok(Err(refused))) => refusal(asker, &refused),
        Ok(Err(_)) | Err(_) => no_answer(Msg::SayNoAnswer),
    }
}

fn refusal(asker: &Asker, refused: &Refused) -> Response {
    let lang = asker.lang;
    let view = asker.sample().view;
    let unmet: Vec<String> =
        refused.why.iter().map(|unmet| words::unmet(lang, &view, *unmet)).collect();
    let joined = unmet.join(lang.pick("；", "; "));
    say(StatusCode::CONFLICT, false, lang.fill(Msg::SayRefused, &[&joined]), unmet)
}

fn unreadable(lang: Lang, error: &ReadError) -> Response {
    tracing::warn!(%error, "failed to read the journal for a screen");
    let text = Msg::JournalUnreadable.text(lang).to_owned();
    say(StatusCode::SERVICE_UNAVAILABLE, false, text, vec![])
}

/// One answer in words.
pub(super) fn say(status: StatusCode, taken: bool, text: String, unmet: Vec<String>) -> Response {
    (status, Json(Said { taken, text, unmet })).into_response()
}
