//! `POST /api/deed`: what people do at chutes and with parcels.

use super::i18n::Msg;
use super::router::Asker;
use super::setup::Order;
use super::{access, api, limits};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use line_model::ids::ChuteNo;
use line_model::signal::Deed;
use serde::Deserialize;

/// Body of `POST /api/deed`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeedBody {
    /// Name of the deed, as [`Deed::name`] has it.
    deed: String,
    /// Number of the chute; left out for a fallen parcel.
    chute: Option<u16>,
    /// The code that was scanned; left out where none is.
    #[serde(default)]
    code: String,
    /// Why, in the person's words.
    #[serde(default)]
    reason: String,
}

impl DeedBody {
    /// The deed that it asks for; `None` when it has no meaning.
    fn deed(&self) -> Option<Deed> {
        let code = || self.code.trim().to_owned();
        if self.deed == "fallen" {
            return self.chute.is_none().then(|| Deed::Fallen { code: code() });
        }
        let chute = ChuteNo(self.chute?);
        let scanned = match self.deed.as_str() {
            "bind_bag" => Some(Deed::BindBag { chute, label: code() }),
            "close_bag" => Some(Deed::CloseBag { chute, label: code() }),
            "put_by_hand" => Some(Deed::PutByHand { chute, code: code() }),
            "missorted" => Some(Deed::Missorted { chute, code: code() }),
            _ => None,
        };
        let bare = match self.deed.as_str() {
            "lock" => Some(Deed::Lock { chute }),
            "unlock" => Some(Deed::Unlock { chute }),
            "take_out" => Some(Deed::TakeOut { chute }),
            "put_back" => Some(Deed::PutBack { chute }),
            _ => None,
        };
        scanned.or_else(|| bare.filter(|_| self.code.is_empty()))
    }

    fn fits(&self) -> bool {
        let short = |text: &str, most: usize| {
            text.chars().count() <= most && !text.chars().any(char::is_control)
        };
        short(&self.code, limits::DEED_CODE_CHARS) && short(&self.reason, limits::REASON_CHARS)
    }
}

/// `POST /api/deed`
pub(super) async fn deed(asker: Asker, headers: HeaderMap, body: Bytes) -> Response {
    let lang = asker.lang;
    if let Some(refused) = api::unwelcome(&asker, &headers, Msg::SayBadDeed) {
        return refused;
    }
    let body = serde_json::from_slice::<DeedBody>(&body).ok().filter(DeedBody::fits);
    let wanted = body.and_then(|body| body.deed().map(|deed| (deed, body.reason)));
    let Some((deed, reason)) = wanted else {
        let text = Msg::SayBadDeed.text(lang).to_owned();
        return api::say(StatusCode::BAD_REQUEST, false, text, vec![]);
    };
    if access::deed_needs_panel(&deed) && !asker.panel {
        tracing::warn!(screen = %asker.address, deed = deed.name(), "not a panel");
        let text = Msg::WhyNotPanel.text(lang).to_owned();
        return api::say(StatusCode::FORBIDDEN, false, text, vec![]);
    }
    let taken = Msg::SayDeedTaken.text(lang).to_owned();
    api::give(&asker, Order::Deed { deed, reason }, taken).await
}
