//! Why a person gave a command: taken as written, bounded, and never what keeps a line from stopping.

use super::{OFFICE, OWN, PANEL, Rig, post, rig, view};
use crate::audit::REASON_MAX;
use crate::hmi::Order;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use line_model::packml::State;

fn command(command: &str, reason: &str) -> Request<Body> {
    post(OWN, &serde_json::json!({ "command": command, "reason": reason }).to_string())
}

/// The reason that reaches the line.
async fn reaches(rig: &mut Rig, request: Request<Body>) -> String {
    let answer = rig.web.ask(OFFICE, request);
    let line = async {
        let given = rig.commands.recv().await.expect("a command");
        given.answer.send(Ok(())).expect("somebody waits");
        let Order::Command { reason, .. } = given.order else { panic!("a command") };
        reason
    };
    let ((status, text), reason) = tokio::join!(answer, line);
    assert_eq!(status, StatusCode::OK, "{text}");
    reason
}

#[tokio::test]
async fn a_reason_goes_with_its_command() {
    let mut rig = rig(view(State::Execute, vec![]));
    assert_eq!(reaches(&mut rig, command("stop", "  换班或收班 ")).await, "换班或收班");
    let longest = "字".repeat(REASON_MAX);
    assert_eq!(reaches(&mut rig, command("hold", &longest)).await, longest);
    // The longest reason in the longest escaped form is still a body that is read.
    let escaped: String = (0..REASON_MAX).map(|_| "\\u5b57").collect();
    let body = format!("{{\"command\":\"hold\",\"reason\":\"{escaped}\"}}");
    assert_eq!(reaches(&mut rig, post(OWN, &body)).await, longest);
}

#[tokio::test]
async fn what_stops_the_line_is_never_refused_for_its_words() {
    let mut rig = rig(view(State::Execute, vec![]));
    let bad = ["字".repeat(REASON_MAX + 1), "a\nb".to_owned(), "\u{7}".to_owned()];
    for reason in &bad {
        for stop in ["stop", "hold"] {
            assert_eq!(reaches(&mut rig, command(stop, reason)).await, "", "{reason:?}");
        }
        let (status, text) = rig.web.ask(PANEL, command("reset", reason)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
        assert!(text.contains("at most 200 characters in one line"), "{text}");
    }
    assert!(rig.commands.try_recv().is_err(), "a refused command reached the line");
}

#[tokio::test]
async fn the_screen_offers_reasons_in_both_languages() {
    let rig = rig(view(State::Execute, vec![]));
    for (lang, words) in
        [("zh", "<option>处理卡件</option>"), ("en", "<option>Clearing a jam</option>")]
    {
        let page = Request::get(format!("/?lang={lang}")).body(Body::empty()).expect("a request");
        let (_, text) = rig.web.ask(OFFICE, page).await;
        assert!(text.contains(words), "{lang}");
    }
}
