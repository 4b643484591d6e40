//! An emergency stop is told by its name and the zones that it stops.

use super::{PANEL, rig, view};
use crate::hmi::EstopName;
use axum::body::Body;
use axum::http::Request;
use line_model::alarm::Alarm;
use line_model::packml::{State, StateReason};
use line_model::view::{AlarmView, Unmet};
use units::Micros;

#[tokio::test]
async fn alarm_condition_and_stop_line_name_the_button_and_its_zones() {
    let mut view = view(State::Aborted, vec![Unmet::EstopActive(2)]);
    view.line.reason = StateReason::Estop(2);
    view.line.alarm_list = vec![AlarmView::new(Alarm::Estop(2), Micros(1))];
    view.estops = vec![EstopName {
        contact: 2,
        name: "pull-cord".to_owned(),
        name_zh: "拉绳开关".to_owned(),
        zones: vec!["Z1".to_owned(), "Z2".to_owned()],
    }];
    let rig = rig(view);
    for (lang, told) in [
        ("zh", ["2 号急停动作（拉绳开关，停 Z1、Z2）", "2 号急停未复位（拉绳开关，停 Z1、Z2）"]),
        (
            "en",
            [
                "Emergency stop 2 tripped (pull-cord, stops Z1, Z2)",
                "Emergency stop 2 not released (pull-cord, stops Z1, Z2)",
            ],
        ),
    ] {
        let page = Request::get(format!("/?lang={lang}")).body(Body::empty()).expect("a request");
        let (_, text) = rig.web.ask(PANEL, page).await;
        for words in told {
            assert!(text.contains(words), "{lang}: no {words}");
        }
        let name = if lang == "zh" { "拉绳开关" } else { "pull-cord" };
        assert!(text.matches(name).count() >= 3, "{lang}: the stop line names it too");
    }
}
