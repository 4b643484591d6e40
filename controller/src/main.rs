//! The program `sortline`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sortline::cli::main()
}
