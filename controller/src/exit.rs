//! Exit codes of the program, in one table that `--help` prints.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done,
    /// A defect of the program or of the machine.
    Internal,
    /// The command line is wrong.
    Usage,
    /// A line file, plan or manifest has faults; each is printed.
    Faults,
    /// The daemon cannot start: an address or the data directory is taken, it belongs to another
    /// line, or the disk is full or refuses.
    CannotStart,
    /// The journal cannot be read or does not fit itself.
    JournalDamaged,
    /// A port or connection cannot be used: missing, taken, refused.
    BusUnusable,
    /// A node did not answer, refused, or what was asked for is not allowed.
    Refused,
    /// A scan found differences from the line file.
    Findings,
    /// A replay decides otherwise than was recorded.
    ReplayDiffers,
}

impl Exit {
    /// Every way to end, in order of the codes.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Internal,
        Self::Usage,
        Self::Faults,
        Self::CannotStart,
        Self::JournalDamaged,
        Self::BusUnusable,
        Self::Refused,
        Self::Findings,
        Self::ReplayDiffers,
    ];

    /// The code that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Faults => 3,
            Self::CannotStart => 4,
            Self::JournalDamaged => 5,
            Self::BusUnusable => 6,
            Self::Refused => 7,
            Self::Findings => 8,
            Self::ReplayDiffers => 9,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table that `--help` prints.
pub const TABLE: &str = "\
Exit codes:
  0  done
  1  internal: a defect of the program or of the machine
  2  usage: the command line is wrong
  3  faults: a line file, plan or manifest has faults; each is printed with file, line and key
  4  cannot start: an address or the data directory is taken, it belongs to another line, or the disk is full or refuses
  5  journal damaged: it cannot be read, or its chain or its decisions do not fit
  6  bus unusable: a port or connection is missing, taken or refused
  7  refused: a node does not answer or refuses, or what was asked for is not allowed
  8  findings: a scan found differences from the line file
  9  replay differs: this program decides otherwise than was recorded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_code_in_order() {
        let listed: Vec<u8> = TABLE
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        assert_eq!(listed, Exit::ALL.map(Exit::code));
    }
}
