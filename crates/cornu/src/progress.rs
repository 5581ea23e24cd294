//! What `fit`, `evaluate` and `predict` print while they run: Keras' progress bar on a terminal,
//! one plain line per epoch elsewhere.

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Instant;

use crate::logs::{figure, scientific};
use crate::{Error, Logs, Result};

/// How much `fit`, `evaluate` and `predict` print; from a number as in Keras: 0, 1 or 2.
///
/// ```
/// use cornu::Verbose;
///
/// assert_eq!(Verbose::from(0), Verbose::Silent);
/// assert_eq!(Verbose::default(), Verbose::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbose {
    /// As [`Verbose::Progress`].
    #[default]
    Auto,
    /// Nothing (0).
    Silent,
    /// A progress bar on a terminal; elsewhere one plain line per epoch, without control
    /// characters (1).
    Progress,
    /// Keras' two plain lines per epoch (2).
    Line,
    /// Any other number, which `fit`, `evaluate` and `predict` refuse.
    Other(i32),
}

impl From<i32> for Verbose {
    fn from(verbose: i32) -> Self {
        match verbose {
            0 => Verbose::Silent,
            1 => Verbose::Progress,
            2 => Verbose::Line,
            other => Verbose::Other(other),
        }
    }
}

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Silent,
    /// Keras' bar, drawn again and again over itself.
    Bar,
    /// One line per epoch, the epoch's number in it.
    Plain,
    /// Keras' `verbose=2`: a line for the epoch's number, then one with its figures.
    Line,
}

/// Characters of the bar.
const BAR: usize = 20;
/// Tells a terminal to cut lines that are too long, or to wrap them again.
const CUT_LINES: &str = "\x1b[?7l";
const WRAP_LINES: &str = "\x1b[?7h";
/// Seconds between two drawings, at least.
const INTERVAL: f64 = 0.05;
/// Seconds between two looks at the clock, about.
const LOOK: f64 = 0.005;
/// Steps between two looks at the clock, at most: bounds how late a drawing is when steps become
/// slow, and costs a fast step a sixty-fourth of a clock reading.
const MOST_STEPS_BETWEEN_LOOKS: usize = 64;

/// Shows how far a run over batches has come.
///
/// [`Progress::begin_epoch`] (or [`Progress::begin`] for `evaluate` and `predict`), then after each
/// batch [`Progress::update`] if [`Progress::due`], then [`Progress::finish`]. What cannot be
/// written is dropped: a closed pipe must not end a training.
#[derive(Debug)]
pub struct Progress<W: Write = Stdout> {
    out: W,
    style: Style,
    colour: bool,
    clock: Instant,
    epoch: Option<(usize, usize)>,
    steps: Option<usize>,
    seen: usize,
    start: f64,
    /// When the first step ended: it takes longer than others, and step times leave it out.
    after_first: Option<f64>,
    last_drawing: Option<f64>,
    /// Visible width of the line that stands open.
    width: usize,
    next_look: usize,
    last_look: (usize, f64),
}

impl Progress<Stdout> {
    /// Progress on standard output, as it fits a terminal or a file; in colours unless the
    /// environment variable `NO_COLOR` is set and not empty.
    ///
    /// # Errors
    /// If `verbose` is a number other than 0, 1 and 2.
    pub fn stdout(verbose: Verbose) -> Result<Self> {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Progress::new(io::stdout(), verbose, is_terminal(), colour)
    }
}

impl<W: Write> Progress<W> {
    /// Progress on `out`, which is a terminal or not, and shows colours or not.
    ///
    /// # Errors
    /// If `verbose` is a number other than 0, 1 and 2.
    pub fn new(out: W, verbose: Verbose, terminal: bool, colour: bool) -> Result<Self> {
        let style = match verbose {
            Verbose::Silent => Style::Silent,
            Verbose::Auto | Verbose::Progress if terminal => Style::Bar,
            Verbose::Auto | Verbose::Progress => Style::Plain,
            Verbose::Line => Style::Line,
            Verbose::Other(number) => {
                return Err(Error::new(format!(
                    "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) \
                     or 2 (one line per epoch). Received: verbose={number}"
                )));
            }
        };
        Ok(Self {
            out,
            style,
            colour,
            clock: Instant::now(),
            epoch: None,
            steps: None,
            seen: 0,
            start: 0.0,
            after_first: None,
            last_drawing: None,
            width: 0,
            next_look: usize::MAX,
            last_look: (0, 0.0),
        })
    }

    /// Begins an epoch of `fit`: the one of number `epoch` (from 0) of `epochs`, with `steps`
    /// batches, if known.
    pub fn begin_epoch(&mut self, epoch: usize, epochs: usize, steps: Option<usize>) {
        self.begin(steps);
        if epochs > 1 {
            self.epoch = Some((epoch + 1, epochs));
            if matches!(self.style, Style::Bar | Style::Line) {
                self.write(&format!("Epoch {}/{epochs}\n", epoch + 1));
            }
        }
    }

    /// Begins a run of `evaluate` or `predict` over `steps` batches, if known.
    pub fn begin(&mut self, steps: Option<usize>) {
        self.begin_at(steps, self.clock.elapsed().as_secs_f64());
    }

    fn begin_at(&mut self, steps: Option<usize>, now: f64) {
        self.epoch = None;
        self.steps = steps.filter(|n| *n > 0);
        self.seen = 0;
        self.start = now;
        self.after_first = None;
        self.last_drawing = None;
        self.width = 0;
        self.last_look = (0, now);
        // Keras' verbose=2 does not look at the first step by itself either.
        self.next_look = match self.style {
            Style::Bar | Style::Plain => 1,
            Style::Silent | Style::Line => usize::MAX,
        };
    }

    /// Whether [`Progress::update`] would draw after `step` batches (so 1 after the first), so that
    /// figures need be read only then. Call it after every batch: it costs about a nanosecond,
    /// looking at the clock only every few milliseconds.
    #[inline]
    pub fn due(&mut self, step: usize) -> bool {
        self.seen = step;
        step >= self.next_look && self.look(step, self.clock.elapsed().as_secs_f64())
    }

    #[cold]
    fn look(&mut self, step: usize, now: f64) -> bool {
        self.note_first(step, now);
        if self.style != Style::Bar {
            self.next_look = usize::MAX;
            return false;
        }
        let steps = step.saturating_sub(self.last_look.0).max(1) as f64;
        let per_step = (now - self.last_look.1) / steps;
        let ahead = (LOOK / per_step).min(MOST_STEPS_BETWEEN_LOOKS as f64) as usize;
        self.next_look = step + ahead.max(1);
        self.last_look = (step, now);
        self.last_drawing.is_none_or(|last| now - last >= INTERVAL)
    }

    fn note_first(&mut self, step: usize, now: f64) {
        if step == 1 {
            self.after_first.get_or_insert(now);
        }
    }

    /// Draws the state after `step` batches with the running figures, unless the last drawing is
    /// younger than 50 ms. Only a bar on a terminal is drawn before the end.
    pub fn update(&mut self, step: usize, logs: &Logs) {
        self.update_at(step, logs, self.clock.elapsed().as_secs_f64());
    }

    fn update_at(&mut self, step: usize, logs: &Logs, now: f64) {
        self.seen = step;
        let early = self.last_drawing.is_some_and(|last| now - last < INTERVAL);
        if self.style == Style::Bar && !early {
            self.draw_bar(step, logs, false, now);
        }
        self.note_first(step, now);
    }

    /// Draws the end of the run with its last figures, and ends the line. The run counts as
    /// complete, even if it was stopped before its last batch, as in Keras.
    pub fn finish(&mut self, logs: &Logs) {
        self.finish_at(logs, self.clock.elapsed().as_secs_f64());
    }

    fn finish_at(&mut self, logs: &Logs, now: f64) {
        let steps = *self.steps.get_or_insert(self.seen);
        match self.style {
            Style::Silent => {}
            Style::Bar => self.draw_bar(steps, logs, true, now),
            Style::Plain | Style::Line => self.draw_line(steps, logs, now),
        }
        self.width = 0;
    }

    /// Ends an open line: for a run that is given up, before something else is printed.
    pub fn abandon(&mut self) {
        if self.width > 0 {
            self.write("\n");
            self.width = 0;
        }
    }

    /// Seconds per step after `step` of them; without the first, where more are known.
    fn step_time(&self, step: usize, now: f64) -> f64 {
        match self.after_first {
            _ if step == 0 => 0.0,
            Some(first) if step > 1 => (now - first) / (step - 1) as f64,
            _ => (now - self.start) / step as f64,
        }
    }

    fn draw_bar(&mut self, step: usize, logs: &Logs, last: bool, now: f64) {
        let step_time = self.step_time(step, now);
        let mut line = Line::new(self.colour);
        match self.steps {
            Some(steps) if steps > 0 => {
                let digits = steps.to_string().len();
                line.styled("1", &format!("{step:digits$}/{steps}"));
                line.plain(" ");
                let done = (BAR * step / steps).min(BAR);
                if done > 0 {
                    line.styled("32", &"━".repeat(done));
                }
                // Without colours the rest must look different.
                let rest = if self.colour { "━" } else { "─" };
                line.styled("37", &rest.repeat(BAR - done));
            }
            _ => line.plain(&format!("{step:7}/Unknown")),
        }
        line.plain(" ");
        let time = match self.steps {
            Some(steps) if !last => eta(step_time * steps.saturating_sub(step) as f64),
            _ => format!("{:.0}s", now - self.start),
        };
        line.styled("1", &time);
        line.plain(&format!(" {}", per_step(step_time)));
        for (name, value) in logs.iter() {
            line.plain(&format!(" - {name}: {}", figure(value)));
        }
        // Until the end, a narrow terminal shows what fits: of a line that wraps, each drawing would leave
        // a part behind.
        let (cut, whole) = match last || !self.colour {
            true => ("", ""),
            false => (CUT_LINES, WRAP_LINES),
        };
        let mut text = cut.to_string();
        text.push_str(&"\u{8}".repeat(self.width));
        text.push('\r');
        text.push_str(&line.text);
        // Blanks over what the longer line before left behind.
        text.push_str(&" ".repeat(self.width.saturating_sub(line.width)));
        text.push_str(if last { "\n" } else { whole });
        self.width = line.width;
        self.last_drawing = Some(now);
        self.write(&text);
    }

    fn draw_line(&mut self, steps: usize, logs: &Logs, now: f64) {
        let mut text = match self.epoch {
            Some((epoch, epochs)) if self.style == Style::Plain => {
                format!("Epoch {epoch}/{epochs} - ")
            }
            _ => String::new(),
        };
        let seconds = now - self.start;
        let step_time = per_step(self.step_time(steps, now));
        text.push_str(&format!("{steps}/{steps} - {seconds:.0}s - {step_time}"));
        for (name, value) in logs.iter() {
            // Keras' verbose=2 writes every negative value as `-2.5000e-01`.
            let value = match self.style {
                Style::Line if value < -1e-3 => scientific(value),
                _ => figure(value),
            };
            text.push_str(&format!(" - {name}: {value}"));
        }
        text.push('\n');
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        // Deliberately unchecked: see the type's documentation.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

/// A line being put together, and how many characters of it are seen.
struct Line {
    text: String,
    width: usize,
    colour: bool,
}

impl Line {
    fn new(colour: bool) -> Self {
        Self {
            text: String::new(),
            width: 0,
            colour,
        }
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        self.width += text.chars().count();
    }

    /// Text in a style given by its ANSI code.
    fn styled(&mut self, code: &str, text: &str) {
        if self.colour {
            self.text.push_str(&format!("\x1b[{code}m"));
        }
        self.plain(text);
        if self.colour {
            self.text.push_str("\x1b[0m");
        }
    }
}

/// Remaining seconds as `42s`, `1:05` or `2:00:10`.
fn eta(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if seconds > 3600.0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else if seconds > 60.0 {
        format!("{}:{rest:02}", whole / 60)
    } else {
        format!("{whole}s")
    }
}

/// Seconds per step as `2s/step`, `78ms/step` or `501us/step`.
fn per_step(seconds: f64) -> String {
    if seconds >= 1.0 || seconds == 0.0 {
        format!("{seconds:.0}s/step")
    } else if seconds >= 1e-3 {
        format!("{:.0}ms/step", seconds * 1e3)
    } else {
        format!("{:.0}us/step", seconds * 1e6)
    }
}

#[cfg(test)]
mod tests;
