//! The screens in a real browser: what a person sees, presses and reads.
//!
//! Pictures go to `<target>/tmp/browser/*.png`.

#[path = "browser/stage.rs"]
mod stage;
#[path = "browser/webdriver.rs"]
mod webdriver;

use stage::Stage;
use std::path::PathBuf;
use webdriver::Browser;

const DESK: (u32, u32) = (1_280, 800);
const PHONE: (u32, u32) = (360, 640);

fn picture(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&directory).expect("a directory for pictures");
    directory.join(format!("{name}.png"))
}

fn assert_quiet(browser: &Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "the console says: {complaints:#?}");
}

/// Nothing sticks out of the page, and everything that is pressed is large enough for a glove.
fn assert_fits(browser: &Browser, (width, _): (u32, u32), page: &str) {
    let wide = browser.script("return document.documentElement.scrollWidth");
    let out = browser.script(
        "return [...document.querySelectorAll('body *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth && e.offsetParent)
            .map(e => e.outerHTML.slice(0, 120)).slice(-3)",
    );
    assert!(wide.as_u64() <= Some(width.into()), "{page} is {wide} px wide: {out}");
    let small = browser.script(
        "return [...document.querySelectorAll('button, nav a, a.button, a.row, .language, input')]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)
            .map(e => e.outerHTML)",
    );
    assert_eq!(small, serde_json::json!([]), "{page} has targets below 44 px");
}

#[test]
fn the_overview_lives_in_both_languages_and_sizes() {
    let stage = Stage::open(true);
    for (accept, lang, idle, execute) in
        [("zh-CN", "zh-CN", "待机", "运行中"), ("en-US", "en", "Idle", "Execute")]
    {
        let browser = Browser::start(accept);
        browser.resize(DESK.0, DESK.1);
        browser.open(&stage.url);
        assert_eq!(browser.script("return document.documentElement.lang"), lang);
        browser.wait("the first sample", "document.querySelector('[data-age]').textContent");
        browser.click("button[data-command=reset]");
        browser.wait(idle, &format!("document.getElementById('state').innerText === '{idle}'"));
        browser.click("button[data-command=start]");
        browser
            .wait(execute, &format!("document.getElementById('state').innerText === '{execute}'"));
        browser.wait("throughput", "document.getElementById('per-hour').innerText === '3420'");
        let before = browser.script("return document.querySelector('#tie b').innerText");
        let before = before.as_str().unwrap_or_default().to_owned();
        browser.wait(
            "more parcels",
            &format!("document.querySelector('#tie b').innerText !== '{before}'"),
        );
        browser.wait(
            "moving parcels",
            "(() => { const p = document.querySelector('.parcel'), at = p.getAttribute('transform');
               if (window.seen && window.seen.p === p && window.seen.at !== at) return true;
               window.seen = { p, at }; return false; })()",
        );
        assert_fits(&browser, DESK, "the overview on a desk");
        browser.picture(&picture(&format!("overview-{lang}-desk")));
        browser.resize(PHONE.0, PHONE.1);
        assert_fits(&browser, PHONE, "the overview on a phone");
        browser.picture(&picture(&format!("overview-{lang}-phone")));
        browser.script("window.scrollTo(0, 560)");
        browser.picture(&picture(&format!("overview-{lang}-phone-board")));
        let tie = browser.text("#tie");
        assert!(tie.contains('✓'), "the tie-out is always visible: {tie}");
        browser.click("button[data-command=stop]");
        browser.wait("stopped", "document.querySelector('.state .code').innerText === 'Stopped'");
        assert_quiet(&browser);
    }
}

#[test]
fn refusals_say_why_and_trouble_is_seen() {
    let stage = Stage::open(true);
    let browser = Browser::start("en-US");
    browser.resize(DESK.0, DESK.1);
    browser.open(&stage.url);
    browser.wait("the first sample", "document.querySelector('#why-start')");
    // A button that would be refused is reachable and says why, without a request.
    browser.click("button[data-command=start]");
    browser.wait("the reason", "document.getElementById('said').innerText.includes('Reset first')");
    assert_quiet(&browser);
    // The line refuses what the page could not know yet: here the page is told it is ready.
    stage.estop(true);
    browser.wait(
        "the condition",
        "document.getElementById('unmet').innerText.includes('Emergency stop 2')",
    );
    browser.script(
        "const b = document.querySelector('button[data-command=reset]');
         b.dataset.ready = 'true'; b.click();",
    );
    browser.wait(
        "the refusal",
        "document.getElementById('said').innerText.includes('Emergency stop 2 not released')",
    );
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|text| text.contains("/api/command") && text.contains("409")),
        "the console says: {complaints:#?}"
    );
    stage.estop(false);
    browser.wait("released", "!document.getElementById('unmet').innerText");
    browser.click("button[data-command=reset]");
    browser.wait("idle", "document.getElementById('state').innerText === 'Idle'");
    browser.click("button[data-command=start]");
    browser.wait("running", "document.getElementById('state').innerText === 'Execute'");
    stage.estop(true);
    stage.trouble();
    browser.wait("aborted", "document.getElementById('state').innerText === 'Aborted'");
    browser.wait(
        "the stop line",
        "document.getElementById('stop').innerText.includes('Emergency stop · Emergency stop 2')",
    );
    browser.wait(
        "the broken tie-out",
        "document.getElementById('tie').innerText.includes('does not tie out')",
    );
    browser.wait("chutes off", "document.querySelector('#chute-9 .off').innerText.includes('D5')");
    browser.picture(&picture("trouble-en-desk"));
    browser.open(&format!("{}/?lang=zh", stage.url));
    browser.wait("Chinese", "document.getElementById('state').innerText === '故障/急停停线'");
    browser.wait("samples", "document.querySelector('#why-start')");
    browser.picture(&picture("trouble-zh-desk"));
    browser.resize(PHONE.0, PHONE.1);
    browser.picture(&picture("trouble-zh-phone"));
    assert_quiet(&browser);
}

#[test]
fn an_alarm_is_put_aside_and_a_mode_chosen_on_the_screen() {
    for (accept, shelve, unshelve, aside, maintenance) in [
        ("zh-CN", "搁置", "取消搁置", "等待备件或维修", "检修"),
        ("en-US", "Shelve", "Unshelve", "Waits for a part or a repair", "Maintenance"),
    ] {
        let stage = Stage::open(true);
        let browser = Browser::start(accept);
        browser.resize(DESK.0, DESK.1);
        browser.open(&stage.url);
        browser.wait("the first sample", "document.querySelector('#why-start')");
        let button = "#alarms li[data-key='unconfirmed.2'] .aside";
        let says =
            |text: &str| format!("document.querySelector(\"{button}\").innerText === '{text}'");
        browser.wait("the offer", &says(shelve));
        browser.script("document.getElementById('shelf-why').selectedIndex = 1");
        browser.click(button);
        browser.wait("the way back", &says(unshelve));
        browser.wait(
            "the reason",
            &format!("document.querySelector('#alarms').innerText.includes('{aside}')"),
        );
        browser.picture(&picture(&format!("shelf-{accept}-desk")));
        browser.click(button);
        browser.wait("the offer again", &says(shelve));
        browser.script("document.getElementById('mode').value = 'Maintenance'");
        browser.click("#set-mode");
        browser.wait(
            "the mode",
            &format!("document.querySelector('.now').innerText.includes('{maintenance}')"),
        );
        // A button that is held speaks until it is let go.
        let held = "#jogs button[data-zone='Z3']";
        let jogs = |jogging: bool| {
            let text = format!("document.querySelector(\"{held}\")?.innerText");
            let moves = format!("({text}?.includes('点动中') || {text}?.includes('is jogging'))");
            if jogging { moves } else { format!("{text} === 'Z3'") }
        };
        browser.wait("the jog buttons", &jogs(false));
        let press = |name: &str| {
            format!(
                "document.querySelector(\"{held}\").dispatchEvent(new PointerEvent('{name}', {{ bubbles: true }}))"
            )
        };
        browser.script(&press("pointerdown"));
        browser.wait("it jogs", &jogs(true));
        browser.picture(&picture(&format!("jog-{accept}-desk")));
        browser.script(&press("pointerup"));
        browser.wait("it was let go", &jogs(false));
        browser.resize(PHONE.0, PHONE.1);
        assert_fits(&browser, PHONE, "the overview with an alarm that may be put aside");
        assert_quiet(&browser);
    }
}

#[test]
fn an_office_screen_can_only_stop() {
    let stage = Stage::open(false);
    let browser = Browser::start("zh-CN");
    browser.resize(DESK.0, DESK.1);
    browser.open(&stage.url);
    browser
        .wait("the reason", "document.querySelector('#why-start').innerText.includes('只能停止')");
    let answer = browser.script(
        "return fetch('/api/command', { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ command: 'reset' }) }).then(r => r.status)",
    );
    assert_eq!(answer, 403, "the server refuses, not only the page");
    assert_eq!(browser.text(".state .code"), "Stopped");
    browser.picture(&picture("office-zh-desk"));
}

#[test]
fn old_values_turn_grey_and_say_so() {
    let stage = Stage::open(true);
    let browser = Browser::start("zh-CN");
    browser.resize(DESK.0, DESK.1);
    browser.open(&stage.url);
    browser.wait("the first sample", "document.querySelector('#why-start')");
    assert_eq!(browser.script("return document.body.classList.contains('stale')"), false);
    stage.freeze(true);
    browser.wait("grey", "document.body.classList.contains('stale')");
    browser.wait(
        "the controller is named",
        "document.getElementById('stale').innerText.includes('控制器')",
    );
    browser.picture(&picture("stale-zh-desk"));
    stage.freeze(false);
    browser.wait("fresh again", "!document.body.classList.contains('stale')");
    assert_quiet(&browser);
    drop(stage);
    browser
        .wait("the lost link", "document.getElementById('stale').innerText.includes('连接中断')");
}

#[test]
fn a_parcels_story_is_found_and_read() {
    let stage = Stage::open(true);
    let browser = Browser::start("zh-CN");
    browser.resize(DESK.0, DESK.1);
    browser.open(&stage.url);
    browser.wait("the first sample", "document.querySelector('#why-start')");
    // The scanner types into the box and ends with Enter.
    browser.keys("#scan", "567890\u{e007}");
    browser.wait("the page", "document.getElementById('why')");
    let text = browser.text("main");
    for part in
        ["****567890", "按方案分到 5 号格口", "14:30:01.000", "+1.291 s", "D3 到位光电", "+8.400 s"]
    {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert!(!text.contains("YT88"), "the waybill is not masked");
    assert_fits(&browser, DESK, "the parcel page on a desk");
    browser.picture(&picture("parcel-zh-desk"));
    browser.click(".language");
    browser.wait(
        "English",
        "document.documentElement.lang === 'en' && document.getElementById('why')",
    );
    assert!(browser.text("#why").contains("was planned for chute 5"));
    browser.resize(PHONE.0, PHONE.1);
    assert_fits(&browser, PHONE, "the parcel page on a phone");
    browser.picture(&picture("parcel-en-phone"));
    browser.open(&format!("{}/parcels", stage.url));
    assert_eq!(browser.script("return document.documentElement.lang"), "en", "the choice is kept");
    assert_fits(&browser, PHONE, "the list on a phone");
    browser.picture(&picture("parcels-en-phone"));
    browser.resize(DESK.0, DESK.1);
    browser.open(&format!("{}/parcels?lang=zh", stage.url));
    browser.picture(&picture("parcels-zh-desk"));
    browser.click(".filters a[href$=unconfirmed]");
    browser.wait("the filter", "document.querySelectorAll('.list tbody tr').length === 1");
    browser.open(&format!("{}/search?q=nothing-like-it", stage.url));
    browser.picture(&picture("search-none-zh-desk"));
    // The page that is not there is an answer of 404, which the console repeats.
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|text| text.contains("404")), "{complaints:#?}");
}

#[test]
fn every_control_is_reached_by_keyboard() {
    let stage = Stage::open(true);
    let browser = Browser::start("en-US");
    browser.resize(DESK.0, DESK.1);
    browser.open(&stage.url);
    browser.wait("the first sample", "document.querySelector('#why-start')");
    browser.script("document.activeElement.blur()");
    let mut reached = Vec::new();
    for _ in 0..40 {
        browser.press("\u{e004}");
        let name = browser.script(
            "const e = document.activeElement;
             return e.dataset.command || e.id || e.getAttribute('href') || e.className",
        );
        reached.push(name.as_str().unwrap_or_default().to_owned());
    }
    for control in
        ["#main", "/", "/parcels", "scan", "reset", "start", "hold", "stop", "belt", "/parcel/2"]
    {
        assert!(reached.iter().any(|name| name == control), "{control} is not among {reached:?}");
    }
    // Enter works like a press.
    browser.script("document.querySelector('button[data-command=reset]').focus()");
    browser.press("\u{e007}");
    browser.wait("idle", "document.getElementById('state').innerText === 'Idle'");
    browser.picture(&picture("keyboard-en-desk"));
    assert_quiet(&browser);
}
