//! The Python environment of the foreign peers, with pinned versions.

use super::complete;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Peers for every Python that is new enough for them.
const EVERYWHERE: &str = include_str!("../../../tests/peers/requirements.txt");
/// Peers that need a newer Python.
const NEWER: &str = include_str!("../../../tests/peers/requirements-3.12.txt");
/// The oldest Python for the first.
const OLDEST: Version = Version(3, 10);
/// The oldest Python for the second.
const NEW: Version = Version(3, 12);
/// The newest that is looked for by name.
const NEWEST_MINOR: u32 = 16;

/// Major and minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

/// Makes `venv` in `place`, or anew when a version that is pinned has changed.
pub(super) fn venv(place: &Path) -> Result<(), String> {
    let home = place.join("venv");
    let stamp = home.join("installed.txt");
    let installed = std::fs::read_to_string(&stamp).unwrap_or_default();
    if installed == wanted(NEW) {
        return Ok(());
    }
    let (version, python) = best().ok_or_else(|| {
        format!(
            "the tests against foreign Modbus peers need Python {}.{} or newer with its venv \
             module; as root run: apt-get install -y python3 python3-venv",
            OLDEST.0, OLDEST.1
        )
    })?;
    let wanted = wanted(version);
    if installed == wanted {
        return Ok(());
    }
    println!("== setup: Python environment from {}", python.display());
    let words = format!("the Python environment {} cannot be made", home.display());
    let fault = |why: String| format!("{words}: {why}");
    complete(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&home)).map_err(fault)?;
    let list = home.join("requirements.txt");
    std::fs::write(&list, &wanted).map_err(|why| fault(why.to_string()))?;
    let mut install = Command::new(home.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--no-deps", "--only-binary", ":all:", "--requirement"]).arg(&list);
    complete(&mut install).map_err(fault)?;
    std::fs::write(&stamp, &wanted).map_err(|why| fault(why.to_string()))
}

/// The requirements that this Python can fulfil.
fn wanted(version: Version) -> String {
    if version >= NEW { [EVERYWHERE, NEWER].concat() } else { EVERYWHERE.to_owned() }
}

/// The newest Python on the machine that can make an environment.
fn best() -> Option<(Version, PathBuf)> {
    let names = (OLDEST.1..=NEWEST_MINOR).map(|minor| PathBuf::from(format!("python3.{minor}")));
    let named = names.chain([PathBuf::from("python3"), PathBuf::from("/usr/bin/python3")]);
    let mut found: Vec<_> = named
        .chain(of_pyenv())
        .filter_map(|python| Some((version(&python)?, python)))
        .filter(|(version, _)| *version >= OLDEST)
        .collect();
    found.sort();
    found.pop()
}

/// Versions that pyenv keeps, on its path or not.
fn of_pyenv() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv"));
    let Some(versions) = root.or_else(home).map(|root| root.join("versions")) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(versions) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path().join("bin/python3")).collect()
}

/// The version of a Python that runs and has what an environment needs.
fn version(python: &Path) -> Option<Version> {
    let told = Command::new(python)
        .args(["-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(told.stdout).ok().filter(|_| told.status.success())?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
}
