//! A browser: chromedriver as a child process, spoken to by WebDriver (W3C) over loopback.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use system_tests::process;

const DRIVER: &str = "/usr/bin/chromedriver";
const BROWSER: &str = "/usr/bin/chromium";
/// Key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Held while a driver starts.
static STARTS: Mutex<()> = Mutex::new(());

/// One browser with an empty profile; ends with its owner, by its own id.
pub(crate) struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// `http://127.0.0.1:<port>/session/<id>`
    session: String,
}

impl Browser {
    /// Starts a browser that prefers this language.
    pub(crate) fn start(language: &str) -> Self {
        for program in [DRIVER, BROWSER] {
            assert!(
                Path::new(program).exists(),
                "{program} is missing; as root run: apt-get update && apt-get install -y \
                 chromium chromium-driver fonts-noto-cjk (cargo xtask test does it)"
            );
        }
        // It takes a free port for one address family, then the same one for the other: two that
        // start at once may take it from each other.
        let one_by_one = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let output = driver.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines();
        let mut said = Vec::new();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let rest = line.split("successfully on port ").nth(1).map(ToOwned::to_owned);
            said.push(line);
            rest?.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.unwrap_or_else(|| panic!("chromedriver says its port: {said:?}"));
        drop(one_by_one);
        // The driver must never block on a full pipe.
        std::thread::Builder::new()
            .name("chromedriver output".to_owned())
            .spawn(move || lines.map_while(Result::ok).for_each(drop))
            .expect("thread starts");
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build();
        let mut browser = Self {
            driver,
            agent: ureq::Agent::new_with_config(config),
            session: format!("http://127.0.0.1:{port}/session"),
        };
        let answer = browser.post("", &capabilities(language));
        let id = answer["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn read(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
        let mut response = result.expect("chromedriver answers");
        let text = response.body_mut().read_to_string().expect("chromedriver's answer is text");
        let mut answer: Value = serde_json::from_str(&text).expect("chromedriver's answer is JSON");
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "the browser refused: {value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        Self::read(request.content_type("application/json").send(body.to_string()))
    }

    fn get(&self, path: &str) -> Value {
        Self::read(self.agent.get(format!("{}{path}", self.session)).call())
    }

    /// Shows a page.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Shows pages as a screen of this size does.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 600 });
        self.developer("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Gives a command of the developer tools.
    pub(crate) fn developer(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What a script in the page returns.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until the script's value is truthy, and gives it.
    pub(crate) fn wait(&self, what: &str, script: &str) -> Value {
        let found = process::wait_for(PATIENCE, || {
            let value = self.script(&format!("return ({script})"));
            let empty = value.is_null() || value == json!(false) || value == json!("");
            (!empty).then_some(value)
        });
        found.unwrap_or_else(|| panic!("{what} never came: {script} in\n{}", self.text("body")))
    }

    /// The visible text of the first element that fits.
    pub(crate) fn text(&self, css: &str) -> String {
        let found = self.script(&format!("return document.querySelector('{css}').innerText"));
        found.as_str().unwrap_or_default().to_owned()
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Clicks like a person: fails when something else lies over the element.
    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into an element; `\u{e007}` is Enter.
    pub(crate) fn keys(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses one key wherever the focus is.
    pub(crate) fn press(&self, key: &str) {
        let actions =
            json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Writes a picture of the page.
    pub(crate) fn picture(&self, path: &Path) {
        let text = self.get("/screenshot");
        let bytes = base64(text.as_str().expect("a picture"));
        std::fs::write(path, bytes).expect("the picture is written");
    }

    /// What the page wrote to the console since the last call: warnings and errors.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().cloned().unwrap_or_default();
        let loud =
            entries.iter().filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        loud.map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Deleting the session ends the browser; the driver is ended by its own id.
        self.agent.delete(&self.session).call().ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn capabilities(language: &str) -> Value {
    let arguments = [
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--accept-lang={language}"),
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": BROWSER,
            "args": arguments,
            "prefs": { "intl.accept_languages": language },
        },
    } } })
}

/// Bytes behind a base64 text (RFC 4648, padded).
fn base64(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter_map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for digit in digits {
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            let [.., byte] = (bits >> held).to_be_bytes();
            bytes.push(byte);
        }
    }
    bytes
}
