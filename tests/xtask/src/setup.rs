//! Puts onto the machine what the checks need, with clear words where that is not possible.

use std::path::Path;
use std::process::Command;

/// Programs that the browser test needs, with the Debian package that brings each.
const PROGRAMS: &[(&str, &str)] =
    &[("/usr/bin/chromium", "chromium"), ("/usr/bin/chromedriver", "chromium-driver")];
/// Screens show Chinese; without this font a screenshot shows boxes.
const FONT: (&str, &str) = ("/usr/share/fonts/opentype/noto", "fonts-noto-cjk");
const TARGETS: &[&str] = &["thumbv6m-none-eabi"];

/// Sets up everything; a second call finds nothing to do.
pub(crate) fn all() -> Result<(), String> {
    targets()?;
    packages()
}

fn targets() -> Result<(), String> {
    let listed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    let installed = listed.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let installed = installed.unwrap_or_default();
    for target in TARGETS.iter().filter(|t| !installed.lines().any(|line| line == **t)) {
        let words = format!("the target {target} is missing; run: rustup target add {target}");
        run("rustup", &["target", "add", target]).map_err(|why| format!("{words} ({why})"))?;
    }
    Ok(())
}

fn packages() -> Result<(), String> {
    let wanted = PROGRAMS.iter().chain([&FONT]);
    let missing: Vec<&str> =
        wanted.filter(|(path, _)| !Path::new(path).exists()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    println!("== setup: installing {names}");
    let words = format!(
        "the browser test needs the Debian packages {names}; as root run: \
         apt-get update && apt-get install -y --no-install-recommends {names}"
    );
    run("apt-get", &["update", "-qq"]).map_err(|why| format!("{words} ({why})"))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&missing);
    run("apt-get", &install).map_err(|why| format!("{words} ({why})"))
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .map_err(|why| format!("{program} did not start: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}
