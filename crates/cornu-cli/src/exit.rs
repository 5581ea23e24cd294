//! How the program ends.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal};
use std::process::ExitCode;

/// What the exit codes mean; `cornu --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// `diff` found a difference.
    Different = 1,
    /// The command line is wrong (clap ends with this code too).
    Usage = 2,
    /// A file cannot be found, read, written or fetched.
    File = 3,
    /// A file's content is not what it should be, or data and model do not fit each other.
    Data = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why the program cannot go on.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        let (exit, message) = (Exit::Usage, message.into());
        Self { exit, message }
    }

    pub fn data(message: impl Into<String>) -> Self {
        let (exit, message) = (Exit::Data, message.into());
        Self { exit, message }
    }

    pub fn file(path: impl Display, error: impl Display) -> Self {
        Self {
            exit: Exit::File,
            message: format!("{path}: {error}."),
        }
    }

    /// Says why on standard error, in colour on a terminal.
    pub fn report(self) -> ExitCode {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        match (self.message.as_str(), colour) {
            // Whoever reads what is written has had enough of it.
            ("", _) => {}
            (message, true) => eprintln!("\x1b[1;31merror:\x1b[0m {message}"),
            (message, false) => eprintln!("error: {message}"),
        }
        self.exit.into()
    }
}

impl From<cornu::Error> for Failure {
    fn from(e: cornu::Error) -> Self {
        let exit = match e.kind() {
            cornu::ErrorKind::Io => Exit::File,
            _ => Exit::Data,
        };
        let message = e.to_string();
        Self { exit, message }
    }
}

/// An error of standard output.
impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        match e.kind() {
            ErrorKind::BrokenPipe => Self {
                exit: Exit::Success,
                message: String::new(),
            },
            _ => Self::file("standard output", e),
        }
    }
}
