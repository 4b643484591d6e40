//! Pages and interface, driven through the router without a socket.

use super::router::{self, Peer};
use super::setup::{HmiCommand, HmiSetup, HmiView, Order, Refused};
use crate::journal::{FILE, files, schema};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use http_body_util::BodyExt as _;
use line_model::ids::{ChuteNo, NodeId};
use line_model::packml::State;
use line_model::rescan::RescanMemory;
use line_model::signal::{Command, Deed};
use line_model::view::Unmet;
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;

mod estops;
mod reasons;
mod shelves;
mod stage;

pub(super) use stage::view;

/// A journal with three parcels: planned, at the end, on the line.
fn journal(directory: &Path) {
    let files = files::directory(directory);
    std::fs::create_dir(&files).unwrap();
    let connection = rusqlite::Connection::open(files.join("2027-01-01.sqlite")).unwrap();
    connection.execute_batch(schema::CREATE).unwrap();
    connection.pragma_update(None, "user_version", schema::VERSION).unwrap();
    connection
        .execute_batch(
            r#"
            INSERT INTO wall_clock VALUES (1000000, 1798732800000000);
            INSERT INTO parcels VALUES
              (1, 2000000, 0, 'YT8801234567890', 320, 1800, 'YTO', '310-A12', 1, NULL,
               'landed_planned', 9000000),
              (2, 3000000, 900, NULL, 300, NULL, NULL, NULL, NULL, 'no_read', 'end_landed', 15000000),
              (3, 4000000, 1800, 'YT8809999567890', NULL, NULL, NULL, NULL, NULL, NULL, 'on_line', 4000000);
            INSERT INTO story VALUES
              (1, 10, 0, 2000000, 'inducted', '{"position":0}'),
              (1, 12, 0, 2300000, 'measured', '{"length":320}'),
              (1, 14, 0, 3100000, 'weighed', '{"weight_g":null}'),
              (1, 15, 0, 3200000, 'identified', '{"code":"YT8801234567890"}'),
              (1, 16, 0, 3250000, 'routed', '{"carrier":"YTO","route":"310-A12"}'),
              (1, 16, 1, 3250000, 'passed_over', '{"chute":3,"bar":"full"}'),
              (1, 16, 2, 3250000, 'assigned', '{"chute":1,"alternate":false,"reason":null}'),
              (1, 16, 3, 3250000, 'armed', '{"tag":7,"diverter":0}'),
              (1, 18, 0, 5708000, 'seen', '{"eye":2,"position":4450}'),
              (1, 19, 0, 5800000, 'fired', '{"tag":7,"chute":1}'),
              (1, 20, 0, 6500000, 'landed_provisional', '{"chute":1}'),
              (1, 24, 0, 9000000, 'landed', '{"chute":1,"alternate":false}'),
              (2, 11, 0, 3000000, 'inducted', '{"position":900}'),
              (2, 17, 0, 4200000, 'sent_to_end', '{"reason":"no_read"}'),
              (2, 30, 0, 15000000, 'end_landed', '{"reason":"no_read"}'),
              (3, 13, 0, 4000000, 'inducted', '{"position":1800}');
            "#,
        )
        .unwrap();
}

/// The router with the daemon's end of its channels.
struct Rig {
    web: Web,
    commands: mpsc::Receiver<HmiCommand>,
    views: watch::Sender<Arc<HmiView>>,
    _directory: tempfile::TempDir,
}

/// The screens' side.
struct Web(Router);

const PANEL: &str = "127.0.0.1";
const OFFICE: &str = "10.1.2.3";

fn rig(view: HmiView) -> Rig {
    let directory = tempfile::tempdir().unwrap();
    journal(directory.path());
    let (views, receiver) = watch::channel(Arc::new(view));
    let (sender, commands) = mpsc::channel(1);
    let setup = HmiSetup {
        listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        view: receiver,
        commands: sender,
        data: directory.path().to_owned(),
        panel: vec!["127.0.0.0/8".parse().unwrap()],
        simulated: true,
        frames: None,
    };
    Rig { web: Web(router::build(setup)), commands, views, _directory: directory }
}

impl Web {
    async fn ask(&self, from: &str, request: Request<Body>) -> (StatusCode, String) {
        let address: IpAddr = from.parse().unwrap();
        let router = self.0.clone().layer(Extension(Peer(address)));
        let response = router.oneshot(request).await.unwrap();
        assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(PANEL, Request::get(path).body(Body::empty()).unwrap()).await
    }
}

fn post(origin: &str, body: &str) -> Request<Body> {
    post_to("/api/command?lang=en", origin, body)
}

fn post_to(path: &str, origin: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

const OWN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn every_page_renders_in_both_languages() {
    let rig = rig(view(State::Held, vec![Unmet::NodeDown(NodeId(2)), Unmet::NoPlan]));
    for (path, zh, en) in [
        ("/", "本线暂停", "Held"),
        ("/", "无码/未识别", "No-read"),
        ("/", "未选方案", "No sort plan selected"),
        ("/", "寄存器表版本不符（9）", "wrong map version (9)"),
        ("/parcels", "按方案落格", "As planned"),
        ("/parcel/1", "按方案分到 1 号格口", "was planned for chute 1"),
        ("/parcel/2", "没有摆出", "was not diverted"),
        ("/parcel/3", "格口未定", "is not decided"),
        ("/search?q=a", "至少 3 位", "at least its last 3"),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        for (lang, tag, words) in [("zh", "zh-CN", zh), ("en", "en", en)] {
            let (status, text) = rig.web.get(&format!("{path}{join}lang={lang}")).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(text.contains(&format!("<html lang=\"{tag}\">")), "{path} {lang}");
            assert!(text.contains(words), "{path} {lang} lacks {words}:\n{text}");
            assert!(text.contains("仿真线") || text.contains("SIMULATED LINE"), "{path}");
            assert!(!text.contains("YT88"), "{path} shows a whole waybill");
            assert!(!text.contains("<1>") && !text.contains("<panel"), "{path} is not escaped");
            for inline in [" style=", " onclick=", "<script>", "<style"] {
                assert!(!text.contains(inline), "{path} has {inline}, which the policy forbids");
            }
        }
    }
}

#[tokio::test]
async fn the_story_stands_in_order_with_local_times() {
    let rig = rig(view(State::Execute, vec![]));
    let (_, text) = rig.web.get("/parcel/1?lang=en").await;
    let mut rest = text.as_str();
    for step in [
        "00:00:01.000",
        "+0.000 s",
        "Inducted",
        "Length measured: 320 mm",
        "No weight",
        "Code read: ****567890",
        "Manifest: YTO, route 310-A12",
        "Chute 3 is full",
        "Chute 1 decided",
        "D1 armed",
        "00:00:04.708",
        "+3.708 s",
        "the arrival eye of D1",
        "Wheels fired towards chute 1",
        "Landing pulse at chute 1",
        "+7.000 s",
        "Landed in chute 1, confirmed",
    ] {
        let at = rest.find(step);
        assert!(at.is_some(), "{step} is missing or out of order in:\n{text}");
        rest = rest.split_at(at.unwrap_or_default()).1;
    }
}

#[tokio::test]
async fn lists_filter_and_search_finds_tails() {
    let rig = rig(view(State::Execute, vec![]));
    let ids = |text: &str| -> Vec<u64> {
        let rows: serde_json::Value = serde_json::from_str(text).unwrap();
        rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    for (query, expected) in [
        ("", vec![3, 2, 1]),
        ("?after=1", vec![2, 3]),
        ("?before=3", vec![2, 1]),
        ("?outcome=end", vec![2]),
        ("?outcome=nonsense", vec![3, 2, 1]),
        ("?after=x&outcome=end", vec![3, 2, 1]),
        ("?after=18446744073709551615", vec![]),
    ] {
        let (status, text) = rig.web.get(&format!("/api/parcels{query}")).await;
        assert_eq!((status, ids(&text)), (StatusCode::OK, expected), "{query}");
    }
    let (status, text) = rig.web.get("/search?q=567890&lang=en").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("2 parcels fit"), "{text}");
    for (query, status) in [
        ("YT8801234567890", StatusCode::SEE_OTHER),
        ("01234567890", StatusCode::SEE_OTHER),
        ("%23", StatusCode::OK),
        ("%2377", StatusCode::SEE_OTHER),
        ("%25%25%25", StatusCode::NOT_FOUND),
        ("%3Cscript%3E", StatusCode::NOT_FOUND),
    ] {
        let (found, text) = rig.web.get(&format!("/search?q={query}")).await;
        assert_eq!(found, status, "{query}");
        assert!(!text.contains("<script>"), "{query} comes back unescaped");
    }
}

#[tokio::test]
async fn only_a_panel_may_start_and_everyone_may_stop() {
    let mut rig = rig(view(State::Idle, vec![]));
    for command in ["reset", "start", "clear"] {
        let body = format!("{{\"command\":\"{command}\"}}");
        let (status, text) = rig.web.ask(OFFICE, post(OWN, &body)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{command}");
        assert!(text.contains("not a panel"), "{text}");
    }
    assert!(rig.commands.try_recv().is_err(), "a refused command reached the line");
    for command in ["stop", "hold"] {
        let body = format!("{{\"command\":\"{command}\"}}");
        let answer = rig.web.ask(OFFICE, post(OWN, &body));
        let line = async {
            let given = rig.commands.recv().await.unwrap();
            assert_eq!(given.by, "screen 10.1.2.3");
            given.answer.send(Ok(())).unwrap();
        };
        let ((status, text), ()) = tokio::join!(answer, line);
        assert_eq!(status, StatusCode::OK, "{command}: {text}");
        assert!(text.contains("\"taken\":true"), "{text}");
    }
    let (_, text) =
        rig.web.ask(OFFICE, Request::get("/?lang=en").body(Body::empty()).unwrap()).await;
    assert!(text.contains("it can only stop"), "the reason stands under the buttons");
}

#[tokio::test]
async fn a_refusal_names_every_condition() {
    let mut rig = rig(view(State::Stopped, vec![]));
    let answer = rig.web.ask(PANEL, post(OWN, "{\"command\":\"reset\"}"));
    let line = async {
        let given = rig.commands.recv().await.unwrap();
        let asked = Order::Command { command: Command::Reset, reason: String::new() };
        assert_eq!(given.order, asked);
        let why = vec![Unmet::EstopActive(3), Unmet::NodeDown(NodeId(1))];
        given.answer.send(Err(Refused { why })).unwrap();
    };
    let ((status, text), ()) = tokio::join!(answer, line);
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("Emergency stop 3 not released"), "{text}");
    assert!(text.contains("D1 does not answer"), "{text}");
}

fn deed(body: &str) -> Request<Body> {
    post_to("/api/deed?lang=en", OWN, body)
}

#[tokio::test]
async fn deeds_of_people_reach_the_line_with_who_and_why() {
    let mut rig = rig(view(State::Execute, vec![]));
    let chute = ChuteNo(3);
    let code = || "YT8801234567890".to_owned();
    let cases = [
        ("\"lock\",\"chute\":3", Deed::Lock { chute }),
        ("\"take_out\",\"chute\":3", Deed::TakeOut { chute }),
        (
            "\"bind_bag\",\"chute\":3,\"code\":\"BAG7\"",
            Deed::BindBag { chute, label: "BAG7".to_owned() },
        ),
        (
            "\"close_bag\",\"chute\":3,\"code\":\" BAG7 \"",
            Deed::CloseBag { chute, label: "BAG7".to_owned() },
        ),
        (
            "\"put_by_hand\",\"chute\":3,\"code\":\"YT8801234567890\"",
            Deed::PutByHand { chute, code: code() },
        ),
        (
            "\"missorted\",\"chute\":3,\"code\":\"YT8801234567890\"",
            Deed::Missorted { chute, code: code() },
        ),
        ("\"fallen\",\"code\":\"YT8801234567890\"", Deed::Fallen { code: code() }),
    ];
    for (words, wanted) in cases {
        let body = format!("{{\"deed\":{words},\"reason\":\"袋满\"}}");
        let answer = rig.web.ask(OFFICE, deed(&body));
        let line = async {
            let given = rig.commands.recv().await.unwrap();
            let reason = "袋满".to_owned();
            assert_eq!(given.order, Order::Deed { deed: wanted, reason });
            assert_eq!(given.by, format!("screen {OFFICE}"));
            given.answer.send(Ok(())).unwrap();
        };
        let ((status, text), ()) = tokio::join!(answer, line);
        assert_eq!(status, StatusCode::OK, "{body}: {text}");
    }
    for words in ["unlock", "put_back"] {
        let body = format!("{{\"deed\":\"{words}\",\"chute\":3}}");
        let (status, _) = rig.web.ask(OFFICE, deed(&body)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{words} may send parcels where hands are");
    }
    let long = format!("{{\"deed\":\"fallen\",\"code\":\"{}\"}}", "1".repeat(65));
    for body in [
        "{\"deed\":\"lock\"}",
        "{\"deed\":\"lock\",\"chute\":3,\"code\":\"1\"}",
        "{\"deed\":\"fallen\",\"chute\":3,\"code\":\"1\"}",
        "{\"deed\":\"explode\",\"chute\":3}",
        &long,
    ] {
        let (status, _) = rig.web.ask(PANEL, deed(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
    let foreign = post_to("/api/deed", "http://evil.example", "{\"deed\":\"lock\",\"chute\":3}");
    assert_eq!(rig.web.ask(PANEL, foreign).await.0, StatusCode::FORBIDDEN);
    assert!(rig.commands.try_recv().is_err(), "a refused deed reached the line");
}

#[tokio::test]
async fn a_refused_deed_says_why_in_both_languages() {
    let mut rig = rig(view(State::Execute, vec![]));
    for (lang, words) in [("zh", "3 号格口已绑袋，请先封袋"), ("en", "close it first")] {
        let body = "{\"deed\":\"bind_bag\",\"chute\":3,\"code\":\"B\"}";
        let answer = rig.web.ask(PANEL, post_to(&format!("/api/deed?lang={lang}"), OWN, body));
        let line = async {
            let given = rig.commands.recv().await.unwrap();
            let why = vec![Unmet::BagOpen(ChuteNo(3))];
            given.answer.send(Err(Refused { why })).unwrap();
        };
        let ((status, text), ()) = tokio::join!(answer, line);
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn the_overview_shows_state_lamp_bag_and_count_of_a_chute() {
    let rig = rig(view(State::Execute, vec![]));
    for (lang, words) in [
        ("zh", ["满格", "还有件要落，请稍候", "袋 ", "在格 25 件"]),
        ("en", ["full", "parcels still come, wait", "bag ", "25 in it"]),
    ] {
        let (_, page) = rig.web.get(&format!("/?lang={lang}")).await;
        let (_, json) = rig.web.get(&format!("/api/view?lang={lang}")).await;
        for words in words {
            assert!(page.contains(words), "{lang} page: {words}");
            assert!(json.contains(words), "{lang} view: {words}");
        }
        assert!(json.contains("\"state\":\"full\"") && json.contains("\"lamp\":\"blink\""));
        assert!(!page.contains("BAG0000123456"), "labels are masked like waybills");
    }
}

#[tokio::test]
async fn the_overview_says_what_was_re_scanned_or_that_nothing_was() {
    let mut seen = view(State::Execute, vec![]);
    let told = [("zh", "未复核"), ("en", "not re-scanned")];
    for (lang, words) in told {
        let (_, page) = rig(seen.clone()).web.get(&format!("/?lang={lang}")).await;
        assert!(page.contains(words), "{lang} page: {words}");
    }
    let tunnel = seen.layout.scanner;
    std::sync::Arc::make_mut(&mut seen.layout).rescanners = vec![tunnel];
    seen.line.rescans =
        vec![RescanMemory { confirmed: 31, restored: 2, differs: 1, unread: 4, silent: 0 }];
    let words = "复核相符 31 · 恢复 2 · 不符 1 · 未读 4";
    let rig = rig(seen);
    let (_, page) = rig.web.get("/?lang=zh").await;
    let (_, json) = rig.web.get("/api/view?lang=zh").await;
    assert!(page.contains(words) && json.contains(words), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_answer_is_said_so() {
    let mut rig = rig(view(State::Execute, vec![]));
    let (status, _) = rig.web.ask(PANEL, post(OWN, "{\"command\":\"stop\"}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "nobody took the command");
    let (status, _) = rig.web.ask(PANEL, post(OWN, "{\"command\":\"stop\"}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "the queue is full");
    drop(rig.commands.recv().await);
    let answer = rig.web.ask(PANEL, post(OWN, "{\"command\":\"stop\"}"));
    let line = async { drop(rig.commands.recv().await) };
    let ((status, _), ()) = tokio::join!(answer, line);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "dropped unanswered");
    rig.commands.close();
    let (status, _) = rig.web.ask(PANEL, post(OWN, "{\"command\":\"stop\"}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "the controller is going down");
}

#[tokio::test]
async fn foreign_pages_and_odd_bodies_are_refused() {
    let mut rig = rig(view(State::Idle, vec![]));
    let stop = "{\"command\":\"stop\"}";
    let mut plain = post(OWN, stop);
    plain.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    let mut without = post(OWN, stop);
    without.headers_mut().remove(header::ORIGIN);
    let long = format!("{{\"command\":\"{}\"}}", "x".repeat(2_100));
    for (request, expected) in [
        (post("http://evil.example", stop), StatusCode::FORBIDDEN),
        (post("null", stop), StatusCode::FORBIDDEN),
        (without, StatusCode::FORBIDDEN),
        (plain, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (post(OWN, "{\"command\":\"abort\"}"), StatusCode::BAD_REQUEST),
        (post(OWN, "{\"command\":\"stop\",\"by\":\"boss\"}"), StatusCode::BAD_REQUEST),
        (post(OWN, "{\"command\":"), StatusCode::BAD_REQUEST),
        (post(OWN, ""), StatusCode::BAD_REQUEST),
        (post(OWN, &long), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (status, text) = rig.web.ask(PANEL, request).await;
        assert_eq!(status, expected, "{text}");
    }
    assert!(rig.commands.try_recv().is_err(), "a refused command reached the line");
}

#[tokio::test]
async fn any_bytes_in_an_address_get_an_answer() {
    let rig = rig(view(State::Aborted, vec![Unmet::WrongState(State::Aborted)]));
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {seed:#x}: cargo test -p sortline any_bytes_in_an_address");
    let prefixes = [
        "/",
        "/parcel/",
        "/search?q=",
        "/?lang=",
        "/api/parcel/",
        "/api/parcels?after=",
        "/parcels?outcome=",
        "/assets/",
        "/search?",
        "/parcels?before=",
    ];
    for round in 0..600_usize {
        let mut path = prefixes[round % prefixes.len()].to_owned();
        for _ in 0..round % 23 {
            // xorshift64: any byte, percent-encoded, so that every one of them arrives.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let [byte, raw, ..] = seed.to_le_bytes();
            if raw < 64 {
                path.push_str(["%", "&", "=", "+", "0", "lang=", "../"][usize::from(raw) % 7]);
            } else {
                path.push_str(&format!("%{byte:02x}"));
            }
        }
        let Ok(request) = Request::get(&path).body(Body::empty()) else {
            continue;
        };
        let (status, _) = rig.web.ask(OFFICE, request).await;
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_ne!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[tokio::test]
async fn an_unreadable_journal_is_said_and_the_overview_lives() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE);
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    drop(connection);
    for data in [file, directory.path().join("absent")] {
        let (views, receiver) = watch::channel(Arc::new(view(State::Idle, vec![])));
        let (sender, commands) = mpsc::channel(1);
        let setup = HmiSetup {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            view: receiver,
            commands: sender,
            data,
            panel: vec![],
            simulated: false,
            frames: None,
        };
        let web = Web(router::build(setup));
        let rig = Rig { web, commands, views, _directory: tempfile::tempdir().unwrap() };
        for path in ["/parcels", "/parcel/1", "/search?q=1234", "/api/parcels", "/api/parcel/1"] {
            let (status, text) = rig.web.get(path).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(text.contains("日志暂时读不到"), "{path}: {text}");
        }
        let (status, text) = rig.web.get("/").await;
        assert_eq!(status, StatusCode::OK);
        assert!(!text.contains("仿真线"), "a real line carries no watermark");
    }
}

#[tokio::test]
async fn assets_are_cached_by_their_tag() {
    let rig = rig(view(State::Idle, vec![]));
    let (status, style) = rig.web.get("/assets/hmi.css").await;
    assert_eq!(status, StatusCode::OK);
    assert!(style.contains("--ground"));
    let (_, style) = rig.web.get("/assets/line.css").await;
    assert!(style.contains("#chute-1{grid-area:1/2}"), "{style}");
    let router = rig.web.0.clone().layer(Extension(Peer(PANEL.parse().unwrap())));
    let first = Request::get("/assets/dom.js").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(first).await.unwrap();
    let tag = response.headers().get(header::ETAG).unwrap().clone();
    let again = Request::get("/assets/dom.js").header(header::IF_NONE_MATCH, tag);
    let response = router.oneshot(again.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(rig.web.get("/assets/..%2fmod.rs").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_a_snapshot_and_thins_out_the_rest() {
    let rig = rig(view(State::Idle, vec![]));
    let router = rig.web.0.clone().layer(Extension(Peer(OFFICE.parse().unwrap())));
    let request = Request::get("/api/events?lang=en").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), "text/event-stream");
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    let first = next().await;
    assert!(first.contains("event: view") && first.contains("\"Idle\""), "{first}");
    let started = tokio::time::Instant::now();
    let mut seen = 0;
    let mut fast = view(State::Execute, vec![]);
    let mut last = String::new();
    // The daemon publishes 200 samples in a second; the stream carries ten, and the last of them.
    for n in 0..200_u32 {
        fast.line.parcels_per_hour = n;
        rig.views.send_replace(Arc::new(fast.clone()));
        let pause = tokio::time::sleep(std::time::Duration::from_millis(5));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                biased;
                text = next() => { seen += 1; last = text; }
                () = &mut pause => break,
            }
        }
    }
    assert!((9..=12).contains(&seen), "{seen} samples in {:?}", started.elapsed());
    while !last.contains("\"per_hour\":199,") {
        last = next().await;
        assert!(last.contains("event: view"), "the newest sample never came: {last}");
    }
    assert!(next().await.contains("event: beat"), "a silent controller is told from a dead link");
}

#[tokio::test]
async fn the_next_stream_too_many_is_refused() {
    let rig = rig(view(State::Idle, vec![]));
    let router = rig.web.0.clone().layer(Extension(Peer(OFFICE.parse().unwrap())));
    let ask = || Request::get("/api/events").body(Body::empty()).unwrap();
    let mut open = Vec::new();
    for _ in 0..super::limits::STREAMS {
        let response = router.clone().oneshot(ask()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
    let refused = router.oneshot(ask()).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}
