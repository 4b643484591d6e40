//! The command line.
use std::process::ExitCode;
/// Main.
pub fn main() -> ExitCode { crate::exit::Exit::Done.into() }
