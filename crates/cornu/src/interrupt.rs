//! Ctrl-C during a training: the first asks it to end after the current batch, the second ends the
//! process as usual.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// Set by Ctrl-C while a guard lives.
static REQUESTED: AtomicBool = AtomicBool::new(false);
/// Whether Ctrl-C ends the process: without a guard, and once it was asked to stop.
static ENDS_PROCESS: AtomicBool = AtomicBool::new(true);
static STATE: Mutex<State> = Mutex::new(State {
    handler: Handler::NotYet,
    guards: 0,
});

struct State {
    handler: Handler,
    guards: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Handler {
    NotYet,
    /// Ours, for the life of the process: what it does hangs on `ENDS_PROCESS`.
    Installed,
    /// The program handles or ignores Ctrl-C itself, and goes on to do so alone.
    Elsewhere,
}

/// While it lives, the first Ctrl-C sets [`Interrupt::requested`] instead of ending the process; a
/// second one ends it. Afterwards Ctrl-C ends the process as before.
///
/// Guards may be nested or live in several threads. A program that handles Ctrl-C itself should
/// install its handler before its first `fit`, or call [`Interrupt::disable`]: then guards change
/// nothing (a handler that is there already is noticed on Linux).
///
/// ```
/// use cornu::Interrupt;
///
/// let _guard = Interrupt::guard();
/// for _batch in 0..3 {
///     // ...
///     if Interrupt::requested() {
///         break;
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "Ctrl-C is caught only while the guard lives"]
pub struct Interrupt(());

impl Interrupt {
    /// Begins to catch Ctrl-C, until the guard is dropped.
    pub fn guard() -> Self {
        let mut state = state();
        if state.handler == Handler::NotYet {
            state.handler = match install() {
                Ok(handler) => handler,
                // Without a handler Ctrl-C simply ends the process.
                Err(_) => Handler::Elsewhere,
            };
        }
        if state.guards == 0 {
            REQUESTED.store(false, Ordering::SeqCst);
            ENDS_PROCESS.store(false, Ordering::SeqCst);
        }
        state.guards += 1;
        Self(())
    }

    /// Whether Ctrl-C was pressed since the (outermost) guard began: one relaxed load.
    #[inline]
    pub fn requested() -> bool {
        REQUESTED.load(Ordering::Relaxed)
    }

    /// Leaves Ctrl-C alone from now on: for a program that handles it itself. To be called before
    /// the first training; later it has no effect.
    pub fn disable() {
        let mut state = state();
        if state.handler == Handler::NotYet {
            state.handler = Handler::Elsewhere;
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        let mut state = state();
        state.guards -= 1;
        if state.guards == 0 {
            ENDS_PROCESS.store(true, Ordering::SeqCst);
            REQUESTED.store(false, Ordering::SeqCst);
        }
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install() -> io::Result<Handler> {
    if handled_elsewhere() {
        return Ok(Handler::Elsewhere);
    }
    // Actions run in this order, so that the first Ctrl-C only sets the two flags.
    flag::register_conditional_default(SIGINT, &ENDS_PROCESS)?;
    flag::register(SIGINT, &REQUESTED)?;
    flag::register(SIGINT, &ENDS_PROCESS)?;
    Ok(Handler::Installed)
}

/// Whether the process catches or ignores Ctrl-C already, as Linux tells; elsewhere `false`.
fn handled_elsewhere() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| {
        let Some((name, mask)) = line.split_once(':') else {
            return false;
        };
        let mask = u64::from_str_radix(mask.trim(), 16).unwrap_or(0);
        matches!(name, "SigCgt" | "SigIgn") && mask & (1 << (SIGINT - 1)) != 0
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus, Stdio};
    use std::sync::Arc;

    use signal_hook::low_level::raise;

    use super::*;

    const CASE: &str = "CORNU_TEST_INTERRUPT";
    const SURVIVED: i32 = 42;

    /// What the child process does; a signal would end the test process itself.
    #[test]
    fn child() {
        let Ok(case) = std::env::var(CASE) else {
            return;
        };
        match case.as_str() {
            "once" => {
                let guard = Interrupt::guard();
                assert!(!Interrupt::requested());
                raise(SIGINT).unwrap();
                assert!(Interrupt::requested());
                drop(guard);
                let _second = Interrupt::guard();
                assert!(!Interrupt::requested());
            }
            "twice" => {
                let _guard = Interrupt::guard();
                raise(SIGINT).unwrap();
                raise(SIGINT).unwrap();
            }
            "nested" => {
                let _outer = Interrupt::guard();
                drop(Interrupt::guard());
                raise(SIGINT).unwrap();
                assert!(Interrupt::requested());
                drop(Interrupt::guard());
                assert!(Interrupt::requested());
            }
            "afterwards" => {
                drop(Interrupt::guard());
                raise(SIGINT).unwrap();
            }
            "disabled" => {
                Interrupt::disable();
                let _guard = Interrupt::guard();
                raise(SIGINT).unwrap();
            }
            "own handler" => {
                let caught = Arc::new(AtomicBool::new(false));
                flag::register(SIGINT, Arc::clone(&caught)).unwrap();
                drop(Interrupt::guard());
                raise(SIGINT).unwrap();
                assert!(caught.load(Ordering::SeqCst));
            }
            other => panic!("{other}"),
        }
        std::process::exit(SURVIVED);
    }

    fn run(case: &str) -> ExitStatus {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "interrupt::tests::child", "--nocapture"])
            .env(CASE, case)
            .stdout(Stdio::null())
            .status()
            .unwrap()
    }

    #[test]
    fn the_first_asks_and_the_second_ends() {
        assert_eq!(run("once").code(), Some(SURVIVED));
        assert_eq!(run("nested").code(), Some(SURVIVED));
        assert_eq!(run("twice").signal(), Some(SIGINT));
    }

    #[test]
    fn without_a_guard_it_ends_the_process() {
        assert_eq!(run("afterwards").signal(), Some(SIGINT));
        assert_eq!(run("disabled").signal(), Some(SIGINT));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_programs_own_handler_stays() {
        assert_eq!(run("own handler").code(), Some(SURVIVED));
    }
}
