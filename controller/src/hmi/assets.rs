//! Styles, modules and the icon, compiled in; no build step and nothing from elsewhere.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal $kind:literal;)*) => {
        const ASSETS: &[Asset] = &[$(Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("assets/", $name)),
        },)*];
    };
}

assets! {
    "hmi.css" "text/css; charset=utf-8";
    "overview.js" "text/javascript; charset=utf-8";
    "belt.js" "text/javascript; charset=utf-8";
    "commands.js" "text/javascript; charset=utf-8";
    "dom.js" "text/javascript; charset=utf-8";
    "icon.svg" "image/svg+xml";
}

/// Answers with an asset; 304 when the browser's copy is the same.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => answer(asset, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Answers browsers that ask for an icon unasked.
pub(super) async fn icon(headers: HeaderMap) -> Response {
    serve(Path("icon.svg".to_owned()), headers).await
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", fnv1a(asset.bytes));
    // A new release must show at once, so that the browser asks each time; the tag makes it cheap.
    let caching = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag.clone())];
    if headers.get(IF_NONE_MATCH).is_some_and(|sent| sent.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}

/// FNV-1a, 64 bit: names a version of an asset, guards nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
