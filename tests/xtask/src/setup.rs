//! Puts onto the machine what the checks need, with clear words where that is not possible.

mod python;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian packages, each with a path that it brings and what needs it.
const PACKAGES: &[Package] = &[
    Package { path: "/usr/bin/chromium", name: "chromium", what: "the browser test" },
    Package { path: "/usr/bin/chromedriver", name: "chromium-driver", what: "the browser test" },
    // Screens show Chinese; without this font a screenshot shows boxes.
    Package {
        path: "/usr/share/fonts/opentype/noto",
        name: "fonts-noto-cjk",
        what: "the browser test",
    },
    Package { path: "/usr/bin/gcc", name: "gcc", what: PEERS },
    Package { path: "/usr/include/stdio.h", name: "libc6-dev", what: PEERS },
    Package { path: "/usr/bin/pkg-config", name: "pkg-config", what: PEERS },
    Package { path: "/usr/include/modbus/modbus.h", name: "libmodbus-dev", what: PEERS },
    Package { path: "/usr/bin/mbpoll", name: "mbpoll", what: PEERS },
    Package { path: "/usr/bin/tshark", name: "tshark", what: PEERS },
    Package { path: "/usr/bin/python3", name: "python3", what: PEERS },
    Package { path: "/var/lib/dpkg/info/python3-venv.list", name: "python3-venv", what: PEERS },
];
const PEERS: &str = "the tests against foreign Modbus peers";
const TARGETS: &[&str] = &["thumbv6m-none-eabi"];

/// One Debian package.
struct Package {
    /// Exists once it is installed.
    path: &'static str,
    name: &'static str,
    /// What needs it.
    what: &'static str,
}

/// Sets up everything; a second call finds nothing to do.
pub(crate) fn all() -> Result<(), String> {
    targets()?;
    packages()?;
    let place = place()?;
    libmodbus_sources(&place)?;
    python::venv(&place)
}

/// Where the peers live: `peers` in the target directory, as the tests look for them.
fn place() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|why| format!("own path is unknown: {why}"))?;
    // target/<profile>/xtask
    let target = here.ancestors().nth(2).ok_or("xtask does not run from a target directory")?;
    let place = target.join("peers");
    std::fs::create_dir_all(&place)
        .map_err(|why| format!("failed to make {}: {why}", place.display()))?;
    Ok(place)
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
    let missing: Vec<&Package> =
        PACKAGES.iter().filter(|package| !Path::new(package.path).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let mut needs: Vec<&str> = missing.iter().map(|package| package.what).collect();
    needs.dedup();
    println!("== setup: installing {}", names.join(" "));
    let words = format!(
        "{} need the Debian packages {names}; as root run: \
         apt-get update && apt-get install -y --no-install-recommends {names}",
        needs.join(" and "),
        names = names.join(" "),
    );
    run("apt-get", &["update", "-qq"]).map_err(|why| format!("{words} ({why})"))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&names);
    run("apt-get", &install).map_err(|why| format!("{words} ({why})"))?;
    match missing.iter().find(|package| !Path::new(package.path).exists()) {
        Some(Package { path, name, .. }) => {
            Err(format!("the package {name} was installed, but {path} does not exist"))
        }
        None => Ok(()),
    }
}

/// Makes sure that the sources of libmodbus' unit tests are there.
///
/// Debian ships them as documentation, which small images leave out; then they are taken from the
/// package itself.
fn libmodbus_sources(place: &Path) -> Result<(), String> {
    let source = "usr/share/doc/libmodbus-dev/examples/unit-test-client.c";
    if Path::new("/").join(source).exists() || place.join(source).exists() {
        return Ok(());
    }
    println!("== setup: unpacking the sources of libmodbus' unit tests");
    let words = "the sources of libmodbus' unit tests are missing; reinstall libmodbus-dev with \
                 its documentation";
    let fault = |why: String| format!("{words} ({why})");
    let fetched = place.join("deb");
    std::fs::create_dir_all(&fetched).map_err(|why| fault(why.to_string()))?;
    let mut fetch = Command::new("apt-get");
    fetch.args(["download", "-qq", "libmodbus-dev"]).current_dir(&fetched);
    complete(&mut fetch).map_err(fault)?;
    let packages = std::fs::read_dir(&fetched).map_err(|why| fault(why.to_string()))?;
    for package in packages.flatten() {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(package.path()).arg(place);
        complete(&mut unpack).map_err(fault)?;
    }
    if place.join(source).exists() { Ok(()) } else { Err(words.to_owned()) }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    complete(Command::new(program).args(arguments))
}

/// Runs a command to its end; nothing that it starts may ask questions.
fn complete(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .map_err(|why| format!("{program} did not start: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}
