//! The pages: one template each, in the asker's language.

use super::api::{ListQuery, short};
use super::dto::ViewDto;
use super::i18n::{Lang, Msg};
use super::mimic::Mimic;
use super::router::{Asker, Lenient};
use super::stories::{self, Filter, ReadError, Row};
use super::story::{self, Class, Story};
use super::words::{self, Tone};
use super::{buttons, limits, local_time, mask};
use askama::Template;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use line_model::ids::ParcelId;
use line_model::packml::UnitMode;
use serde::Deserialize;

/// What every page shows around its content.
struct Frame {
    lang: Lang,
    line: String,
    simulated: bool,
    /// Address of the same page in the other language.
    switch: String,
    /// Which entry of the navigation is this page: `overview`, `parcels` or none.
    active: &'static str,
    /// Text in the search box.
    searched: String,
    scan_hint: String,
}

impl Frame {
    fn new(asker: &Asker, uri: &Uri, active: &'static str) -> Self {
        let lang = asker.lang;
        let other = match lang {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        };
        let kept: Vec<&str> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="))
            .collect();
        let mut switch = format!("{}?lang={}", uri.path(), other.code());
        for pair in kept {
            switch.push('&');
            switch.push_str(pair);
        }
        Self {
            lang,
            line: asker.sample().view.line_name(lang).to_owned(),
            simulated: asker.shared.simulated,
            switch,
            active,
            searched: String::new(),
            scan_hint: lang.fill(Msg::ScanHint, &[&limits::TAIL_DIGITS.to_string()]),
        }
    }

    fn t(&self, message: Msg) -> &'static str {
        message.text(self.lang)
    }

    fn current(&self, page: &str) -> bool {
        self.active == page
    }
}

/// A parcel on the drawn belt, with the number that its place needs.
struct Cell {
    index: usize,
    number: u16,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    view: ViewDto,
    mimic: Mimic,
    scanner_mm: i64,
    rescanner_mm: Vec<i64>,
    scale_mm: Option<i64>,
    cells: Vec<Cell>,
    limit: String,
    alternate: String,
    distinct: String,
    publish_ms: u128,
    modes: Vec<ModeOption>,
    shelf_minutes: Vec<(u16, String)>,
}

/// A mode that the line may be put in.
#[derive(Clone, Copy)]
struct ModeOption {
    name: &'static str,
    text: &'static str,
    current: bool,
}

#[derive(Template)]
#[template(path = "parcels.html")]
struct ParcelsPage {
    frame: Frame,
    heading: String,
    empty: String,
    filters: Vec<FilterLink>,
    rows: Vec<ListRow>,
    older: Option<String>,
    read_at: String,
}

struct FilterLink {
    href: String,
    text: &'static str,
    current: bool,
}

struct ListRow {
    id: u64,
    iso: String,
    time: String,
    waybill: String,
    outcome: &'static str,
    tone: Tone,
    place: String,
}

#[derive(Template)]
#[template(path = "parcel.html")]
struct ParcelPage {
    frame: Frame,
    title: String,
    waybill: String,
    outcome: &'static str,
    tone: Tone,
    place: String,
    why: String,
    steps: Vec<StepRow>,
    read_at: String,
}

struct StepRow {
    record: u64,
    iso: String,
    time: String,
    relative: String,
    text: String,
    tone: Tone,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    frame: Frame,
    text: String,
}

fn modes(lang: Lang, now: UnitMode) -> Vec<ModeOption> {
    let option = |mode: UnitMode| ModeOption {
        name: mode.name(),
        text: words::unit_mode(lang, mode),
        current: mode == now,
    };
    UnitMode::ALL.map(option).to_vec()
}

/// `GET /`
pub(super) async fn overview(asker: Asker, uri: Uri) -> Response {
    let sample = asker.sample();
    let layout = &sample.view.layout;
    let view = ViewDto::new(asker.lang, &sample, asker.panel);
    let cells = view.chutes.iter().enumerate();
    let page = OverviewPage {
        frame: Frame::new(&asker, &uri, "overview"),
        mimic: Mimic::new(layout),
        scanner_mm: super::dto::millimetres(layout, layout.scanner.at),
        rescanner_mm: layout
            .rescanners
            .iter()
            .map(|place| super::dto::millimetres(layout, place.at))
            .collect(),
        scale_mm: layout.dws.map(|place| super::dto::millimetres(layout, place.at)),
        cells: cells.map(|(index, chute)| Cell { index, number: chute.number }).collect(),
        limit: asker.lang.fill(Msg::LimitPerHour, &[&view.throughput.limit.to_string()]),
        alternate: asker.lang.fill(Msg::TieAlternate, &[&view.tie.alternate.to_string()]),
        distinct: asker.lang.fill(Msg::TieDistinct, &[&view.tie.distinct.to_string()]),
        publish_ms: limits::PUBLISH_PERIOD.as_millis(),
        modes: modes(asker.lang, sample.view.line.unit_mode),
        shelf_minutes: buttons::SHELF_MINUTES
            .map(|minutes| (minutes, asker.lang.fill(Msg::ShelfMinutes, &[&minutes.to_string()])))
            .to_vec(),
        view,
    };
    render(&asker, StatusCode::OK, &page)
}

/// `GET /assets/line.css`
pub(super) async fn line_style(asker: Asker) -> Response {
    let style = Mimic::new(&asker.sample().view.layout).style();
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}

/// `GET /parcels`
pub(super) async fn parcels(
    asker: Asker,
    uri: Uri,
    Lenient(query): Lenient<ListQuery>,
) -> Response {
    let filter = Filter { after: None, ..query.filter() };
    let frame = Frame::new(&asker, &uri, "parcels");
    let lang = asker.lang;
    match stories::read(&asker.shared, move |journal| journal.list(&filter)).await {
        Ok(rows) => {
            let heading = lang.fill(Msg::LatestParcels, &[&rows.len().to_string()]);
            let older = older(&rows, filter.class);
            let page = list_page(&asker, frame, heading, filter.class, &rows, older);
            render(&asker, StatusCode::OK, &page)
        }
        Err(error) => unreadable(&asker, frame, &error),
    }
}

fn older(rows: &[Row], class: Option<Class>) -> Option<String> {
    let full = u32::try_from(rows.len()).is_ok_and(|count| count >= limits::LIST_ROWS);
    let last = rows.last().filter(|_| full)?;
    let outcome = class.map_or("", Class::name);
    Some(format!("/parcels?before={}&outcome={outcome}", last.parcel.0))
}

fn list_page(
    asker: &Asker,
    frame: Frame,
    heading: String,
    class: Option<Class>,
    rows: &[Row],
    older: Option<String>,
) -> ParcelsPage {
    let lang = asker.lang;
    let all = FilterLink {
        href: "/parcels".to_owned(),
        text: Msg::OutcomeAll.text(lang),
        current: class.is_none(),
    };
    let filters = Class::ALL.into_iter().map(|each| FilterLink {
        href: format!("/parcels?outcome={}", each.name()),
        text: each.text(lang),
        current: class == Some(each),
    });
    ParcelsPage {
        heading,
        empty: Msg::NoParcels.text(lang).to_owned(),
        filters: std::iter::once(all).chain(filters).collect(),
        rows: rows.iter().map(|row| list_row(lang, row)).collect(),
        older,
        read_at: read_at(asker),
        frame,
    }
}

fn list_row(lang: Lang, row: &Row) -> ListRow {
    let class = row.outcome.class();
    ListRow {
        id: row.parcel.0,
        iso: row.inducted_utc_us.map(local_time::iso).unwrap_or_default(),
        time: row.inducted_utc_us.map(local_time::time_of_day).unwrap_or_default(),
        waybill: row
            .code
            .as_deref()
            .map_or_else(|| Msg::WaybillNone.text(lang).to_owned(), mask::waybill),
        outcome: class.text(lang),
        tone: class.tone(),
        place: row.outcome.place(lang),
    }
}

/// `GET /parcel/{id}`
pub(super) async fn parcel(asker: Asker, uri: Uri, Path(id): Path<String>) -> Response {
    let frame = Frame::new(&asker, &uri, "parcels");
    let Ok(number) = id.parse::<u64>() else {
        return no_parcel(&asker, frame, &id);
    };
    let parcel = ParcelId(number);
    match stories::read(&asker.shared, move |journal| journal.story(parcel)).await {
        Ok(Some(told)) => {
            let page = parcel_page(&asker, frame, &told);
            render(&asker, StatusCode::OK, &page)
        }
        Ok(None) => no_parcel(&asker, frame, &id),
        Err(error) => unreadable(&asker, frame, &error),
    }
}

fn parcel_page(asker: &Asker, frame: Frame, told: &Story) -> ParcelPage {
    let lang = asker.lang;
    let layout = asker.sample().view.layout.clone();
    let outcome = told.outcome();
    let first = told.steps.first().map(|step| step.at).unwrap_or_default();
    let steps = told.steps.iter().map(|step| {
        let (text, tone) = story::step(lang, &layout, &step.event);
        let ms = step.at.since(first).millis();
        StepRow {
            record: step.record,
            iso: step.utc_us.map(local_time::iso).unwrap_or_default(),
            time: step.utc_us.map(local_time::time_of_day_ms).unwrap_or_default(),
            relative: format!("+{}.{:03} s", ms / 1_000, ms % 1_000),
            text,
            tone,
        }
    });
    ParcelPage {
        title: lang.fill(Msg::ParcelTitle, &[&told.parcel.0.to_string()]),
        waybill: told.code().map_or_else(|| Msg::WaybillNone.text(lang).to_owned(), mask::waybill),
        outcome: outcome.class().text(lang),
        tone: outcome.class().tone(),
        place: outcome.place(lang),
        why: told.why(lang, &layout),
        steps: steps.collect(),
        read_at: read_at(asker),
        frame,
    }
}

/// Query of `GET /search`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// `GET /search`: a waybill or its tail, or `#` and a parcel's number.
pub(super) async fn search(
    asker: Asker,
    uri: Uri,
    Lenient(query): Lenient<SearchQuery>,
) -> Response {
    let text = short(query.q.trim());
    let lang = asker.lang;
    let mut frame = Frame::new(&asker, &uri, "");
    frame.searched.clone_from(&text);
    if let Some(Ok(id)) = text.strip_prefix('#').map(str::parse::<u64>) {
        return Redirect::to(&format!("/parcel/{id}")).into_response();
    }
    if text.chars().count() < limits::TAIL_DIGITS {
        let hint = lang.fill(Msg::SearchShort, &[&limits::TAIL_DIGITS.to_string()]);
        return message(&asker, StatusCode::OK, frame, hint);
    }
    let wanted = text.clone();
    match stories::read(&asker.shared, move |journal| journal.find(&wanted)).await {
        Ok(rows) => match rows.as_slice() {
            [] => {
                let none = lang.fill(Msg::SearchNone, &[&text]);
                message(&asker, StatusCode::NOT_FOUND, frame, none)
            }
            [only] => Redirect::to(&format!("/parcel/{}", only.parcel.0)).into_response(),
            rows => {
                let heading = lang.fill(Msg::SearchMany, &[&rows.len().to_string()]);
                let mut page = list_page(&asker, frame, heading, None, rows, None);
                page.filters.clear();
                render(&asker, StatusCode::OK, &page)
            }
        },
        Err(error) => unreadable(&asker, frame, &error),
    }
}

/// Every other address.
pub(super) async fn not_found(asker: Asker, uri: Uri) -> Response {
    let frame = Frame::new(&asker, &uri, "");
    let text = Msg::NotFound.text(asker.lang).to_owned();
    message(&asker, StatusCode::NOT_FOUND, frame, text)
}

fn no_parcel(asker: &Asker, frame: Frame, id: &str) -> Response {
    let text = asker.lang.fill(Msg::NotFoundParcel, &[&short(id)]);
    message(asker, StatusCode::NOT_FOUND, frame, text)
}

fn unreadable(asker: &Asker, frame: Frame, error: &ReadError) -> Response {
    tracing::warn!(%error, "failed to read the journal for a screen");
    let text = Msg::JournalUnreadable.text(asker.lang).to_owned();
    message(asker, StatusCode::SERVICE_UNAVAILABLE, frame, text)
}

fn message(asker: &Asker, status: StatusCode, frame: Frame, text: String) -> Response {
    render(asker, status, &MessagePage { frame, text })
}

/// Wall-clock time of the newest sample carried on by its age: screens have no clock of their own.
fn read_at(asker: &Asker) -> String {
    let sample = asker.sample();
    let age_us = sample.age_ms().saturating_mul(1_000);
    let now = sample.view.taken_utc_us.saturating_add(age_us);
    asker.lang.fill(Msg::ReadAt, &[&local_time::time_of_day(now)])
}

fn render(asker: &Asker, status: StatusCode, page: &impl Template) -> Response {
    let mut response = match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to render a page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    if asker.chosen {
        let cookie = match asker.lang {
            Lang::Zh => "lang=zh; Path=/; Max-Age=31536000; SameSite=Lax",
            Lang::En => "lang=en; Path=/; Max-Age=31536000; SameSite=Lax",
        };
        response.headers_mut().insert(SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}
