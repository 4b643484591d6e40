//! Which address leads where, and what every answer carries.

use super::hub::{self, Sample};
use super::i18n::Lang;
use super::setup::{HmiCommand, HmiSetup};
use super::{access, api, assets, deeds, frames, limits, pages};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};

/// No inline script or style, nothing from elsewhere, never inside another site's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Address of the screen at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// What every handler may use.
#[derive(Debug)]
pub(super) struct Shared {
    /// The newest sample.
    pub(super) samples: watch::Receiver<Sample>,
    /// Commands to the line.
    pub(super) commands: mpsc::Sender<HmiCommand>,
    /// Where the journal is.
    pub(super) data: PathBuf,
    /// Addresses of panels.
    pub(super) panel: Vec<IpNet>,
    /// A simulated line.
    pub(super) simulated: bool,
    /// Places for live streams.
    pub(super) streams: Arc<Semaphore>,
    /// Places for readers of the journal.
    pub(super) readers: Arc<Semaphore>,
    /// What passes on the buses.
    pub(super) frames: Option<super::frames::Frames>,
    /// Places for tools that listen to it.
    pub(super) taps: Arc<Semaphore>,
}

/// Builds the router with all its layers.
pub(super) fn build(setup: HmiSetup) -> Router {
    let shared = Shared {
        samples: hub::start(setup.view),
        commands: setup.commands,
        data: setup.data,
        panel: setup.panel,
        simulated: setup.simulated,
        streams: Arc::new(Semaphore::new(limits::STREAMS)),
        readers: Arc::new(Semaphore::new(limits::READERS)),
        frames: setup.frames,
        taps: Arc::new(Semaphore::new(limits::TAPS)),
    };
    Router::new()
        .route("/", get(pages::overview))
        .route("/parcels", get(pages::parcels))
        .route("/parcel/{id}", get(pages::parcel))
        .route("/search", get(pages::search))
        .route("/assets/line.css", get(pages::line_style))
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::icon))
        .route("/api/view", get(api::view))
        .route("/api/parcels", get(api::parcels))
        .route("/api/parcel/{id}", get(api::parcel))
        .route("/api/events", get(api::events))
        .route("/api/command", post(api::command))
        .route("/api/deed", post(deeds::deed).layer(DefaultBodyLimit::max(limits::DEED_BYTES)))
        .route(crate::bus::feed::PATH, get(frames::frames))
        .fallback(pages::not_found)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(middleware::from_fn(bounded))
        .layer(middleware::from_fn(headers))
        .layer(Extension(Arc::new(shared)))
}

async fn bounded(request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits::ANSWER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "too slow, try again\n").into_response(),
    }
}

async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Who asks, in which language, and whether that screen is a panel.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    /// Everything shared.
    pub(super) shared: Arc<Shared>,
    /// Address.
    pub(super) address: IpAddr,
    /// The address is listed as a panel.
    pub(super) panel: bool,
    /// Language: `?lang=`, else the cookie, else the browser's list, else Chinese.
    pub(super) lang: Lang,
    /// The language was chosen in the query, so that the answer sets the cookie.
    pub(super) chosen: bool,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let shared = parts.extensions.get::<Arc<Shared>>().cloned();
        let peer = parts.extensions.get::<Peer>().copied();
        let (Some(shared), Some(Peer(address))) = (shared, peer) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let asked = query_value(parts.uri.query().unwrap_or_default(), "lang");
        let asked = asked.and_then(Lang::parse);
        let panel = access::is_panel(&shared.panel, address);
        let lang = asked.or_else(|| remembered(&parts.headers)).unwrap_or_default();
        Ok(Self { shared, address, panel, lang, chosen: asked.is_some() })
    }
}

impl Asker {
    /// The newest sample.
    pub(super) fn sample(&self) -> Sample {
        self.shared.samples.borrow().clone()
    }
}

fn remembered(headers: &HeaderMap) -> Option<Lang> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let cookie = header(COOKIE).and_then(|cookies| {
        cookies.split(';').find_map(|cookie| Lang::parse(cookie.trim().strip_prefix("lang=")?))
    });
    cookie.or_else(|| Lang::from_accept(header(ACCEPT_LANGUAGE)?))
}

fn query_value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// A query string that never refuses a request: what does not decode counts as not given.
#[derive(Clone, Debug, Default)]
pub(super) struct Lenient<T>(pub(super) T);

impl<S: Sync, T: serde::de::DeserializeOwned + Default> FromRequestParts<S> for Lenient<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        Ok(Self(query.map(|query| query.0).unwrap_or_default()))
    }
}
