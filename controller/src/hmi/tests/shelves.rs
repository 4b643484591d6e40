//! Alarms put aside, modes and jog, from a screen: offered where they would be taken, refused elsewhere.

use super::{OFFICE, OWN, PANEL, post, rig, view};
use crate::hmi::Order;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use line_model::alarm::Alarm;
use line_model::ids::{NodeId, ParcelId, ZoneId};
use line_model::jog::Jog;
use line_model::memory::Shelf;
use line_model::packml::{State, UnitMode};
use line_model::signal::Command;
use line_model::view::AlarmView;
use units::Micros;

/// A stopped line with an urgent alarm, one that may be put aside, and one that is.
fn stopped() -> crate::hmi::HmiView {
    let mut view = view(State::Stopped, vec![]);
    let shelf = Shelf { until: Micros(9), by: "x".to_owned(), reason: "y".to_owned() };
    view.line.alarm_list = vec![
        AlarmView::new(Alarm::NodeDown(NodeId(1)), Micros(1)),
        AlarmView::new(Alarm::Lost(ParcelId(7)), Micros(1)),
        AlarmView { shelf: Some(shelf), ..AlarmView::new(Alarm::Flood, Micros(1)) },
    ];
    view
}

#[tokio::test]
async fn a_panel_puts_alarms_aside_and_changes_the_mode() {
    let orders = [
        (
            r#"{"command":"shelve","alarm":"lost.7","minutes":30,"reason":"等待备件或维修"}"#,
            Command::Shelve { alarm: Alarm::Lost(ParcelId(7)), minutes: 30 },
            "等待备件或维修",
        ),
        (
            r#"{"command":"unshelve","alarm":"alarm_flood.0"}"#,
            Command::Unshelve { alarm: Alarm::Flood },
            "",
        ),
        (r#"{"command":"mode","mode":"Maintenance"}"#, Command::SetMode(UnitMode::Maintenance), ""),
        (r#"{"command":"jog","zone":"Z3"}"#, Command::Jog { zone: Some(ZoneId(0)) }, ""),
        (r#"{"command":"jog"}"#, Command::Jog { zone: None }, ""),
    ];
    let mut rig = rig(stopped());
    for (body, command, reason) in orders {
        let answer = rig.web.ask(PANEL, post(OWN, body));
        let line = async {
            let given = rig.commands.recv().await.expect("a command");
            assert_eq!(given.order, Order::Command { command, reason: reason.to_owned() });
            given.answer.send(Ok(())).expect("somebody waits");
        };
        let ((status, text), ()) = tokio::join!(answer, line);
        assert_eq!(status, StatusCode::OK, "{text}");
        let (status, text) = rig.web.ask(OFFICE, post(OWN, body)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
    }
    assert!(rig.commands.try_recv().is_err(), "an office screen's order reached the line");
}

#[tokio::test]
async fn screens_offer_what_would_be_taken_and_say_why_not() {
    let rig = rig(stopped());
    let page =
        |lang: &str| Request::get(format!("/?lang={lang}")).body(Body::empty()).expect("a request");
    for (lang, words) in [
        ("zh", ["搁置原因", "30 分钟", ">搁置<", ">取消搁置<", ">检修</option>", "等待备件或维修"]),
        (
            "en",
            [
                "Shelve because",
                "30 minutes",
                ">Shelve<",
                ">Unshelve<",
                ">Maintenance</option>",
                "Waits for a part",
            ],
        ),
    ] {
        let (_, text) = rig.web.ask(PANEL, page(lang)).await;
        for word in words {
            assert!(text.contains(word), "{lang}: no {word}");
        }
        let offered = text.matches("data-command=\"shelve\"").count();
        assert_eq!(offered, 1, "never an urgent one");
        assert_eq!(text.matches("data-command=\"unshelve\"").count(), 1);
        assert!(text.contains("id=\"set-mode\" data-is=\"ready:mode_ready\" data-ready=\"true\""));
        let (_, text) = rig.web.ask(OFFICE, page(lang)).await;
        assert!(!text.contains("data-command=\"shelve\""), "{lang}: an office screen");
        assert!(text.contains("id=\"set-mode\" data-is=\"ready:mode_ready\" data-ready=\"false\""));
    }
    let running = super::rig(view(State::Execute, vec![]));
    let (_, text) = running.web.ask(PANEL, page("en")).await;
    assert!(text.contains("Only while the line is stopped"));
}

#[tokio::test]
async fn jog_is_offered_in_maintenance_at_the_panel_alone() {
    let page =
        |lang: &str| Request::get(format!("/?lang={lang}")).body(Body::empty()).expect("a request");
    let mut view = stopped();
    let (_, text) = rig(view.clone()).web.ask(PANEL, page("en")).await;
    assert!(!text.contains("data-zone=\"Z3\""), "in production");
    view.line.unit_mode = UnitMode::Maintenance;
    let jog = Jog { zone: ZoneId(0), held_until: Micros(2), starts: Micros(1), running: true };
    view.line.jog = Some(jog);
    let maintained = rig(view);
    for (lang, running) in [("zh", ">Z3 点动中<"), ("en", ">Z3 is jogging<")] {
        let (_, text) = maintained.web.ask(PANEL, page(lang)).await;
        assert!(text.contains(running) && text.contains("data-zone=\"Z3\""), "{lang}");
        let (_, text) = maintained.web.ask(OFFICE, page(lang)).await;
        assert!(!text.contains("data-zone=\"Z3\""), "{lang}: an office screen");
    }
    let unknown = post(OWN, r#"{"command":"jog","zone":"Z9"}"#);
    let (status, _) = maintained.web.ask(PANEL, unknown).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "no such zone");
}
