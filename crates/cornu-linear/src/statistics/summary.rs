//! The table of a fit, in the manner of `statsmodels`.

use super::coefficients::{Coefficients, Test};
use super::date::date_and_time;
use std::fmt;
use std::time::SystemTime;

/// What a fit's `summary` says; printed, it is the table of `statsmodels`.
#[derive(Clone, Debug)]
pub struct Summary {
    pub(super) title: String,
    pub(super) left: Vec<(&'static str, String)>,
    pub(super) right: Vec<(String, String)>,
    pub(super) coefficients: Coefficients,
    /// Label and value, left and right by turns.
    pub(super) diagnostics: Vec<[String; 2]>,
    pub(super) notes: Vec<String>,
    /// What is said at the end.
    pub(super) warning: Option<String>,
}

/// The widths of the two halves of a table of labels and values; between them is a gap of three.
const LEFT: usize = 37;
const RIGHT: usize = 38;
/// The widths that labels on the left and values on the right have where the others are too long for that.
const LABEL: usize = 19;
const VALUE: usize = 19;

impl Summary {
    /// With this date and time (UTC), as `statsmodels` has those of the moment.
    ///
    /// ```
    /// use cornu_linear::statistics::Ols;
    /// let fit = Ols::new().fit(&ndarray::array![[1.0], [2.0], [4.0]], &[1.0, 2.1, 3.9])?;
    /// println!("{}", fit.summary().dated(std::time::SystemTime::now()));
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    pub fn dated(mut self, moment: SystemTime) -> Self {
        let (date, time) = date_and_time(moment);
        // After the dependent variable, the model and the method.
        let after = self.left.len().min(3);
        self.left
            .splice(after..after, [("Date:", date), ("Time:", time)]);
        self
    }
}

/// A label at the left and its value at the right of so many columns.
fn half(label: &str, value: &str, width: usize) -> String {
    let rest = width.saturating_sub(label.chars().count());
    format!("{label}{value:>rest$}")
}

/// In the middle, as Python puts it.
fn centered(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(text.chars().count());
    let left = gap / 2 + (gap & width & 1);
    format!("{:left$}{text}{:right$}", "", "", right = gap - left)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.left.iter().map(|(_, value)| value.chars().count());
        let left = values.max().map_or(LEFT, |value| LEFT.max(LABEL + value));
        let labels = self.right.iter().map(|(label, _)| label.chars().count());
        let right = labels.max().map_or(RIGHT, |label| RIGHT.max(label + VALUE));
        // As in statsmodels, each of the tables has a width of its own.
        let top = left + 3 + right;
        writeln!(f, "{}", centered(&self.title, top))?;
        writeln!(f, "{}", "=".repeat(top))?;
        for row in 0..self.left.len().max(self.right.len()) {
            let (label, value) = self.left.get(row).map_or(("", ""), |(l, v)| (l, v));
            write!(f, "{}   ", half(label, value, left))?;
            let (label, value) = self.right.get(row).map_or(("", ""), |(l, v)| (l, v));
            writeln!(f, "{}", half(label, value, right))?;
        }
        let width = self.fmt_coefficients(f)?;
        let bottom = match self.diagnostics.is_empty() {
            true => width,
            false => LEFT + 3 + RIGHT,
        };
        write!(f, "{}", "=".repeat(bottom))?;
        for pair in self.diagnostics.chunks_exact(2) {
            let [left, right] = [&pair[0], &pair[1]];
            let left = half(&left[0], &left[1], LEFT);
            write!(f, "\n{left}   {}", half(&right[0], &right[1], RIGHT))?;
        }
        if !self.diagnostics.is_empty() {
            write!(f, "\n{}", "=".repeat(bottom))?;
        }
        if !self.notes.is_empty() {
            write!(f, "\n\nNotes:")?;
        }
        for (i, note) in self.notes.iter().enumerate() {
            write!(f, "\n[{}] {note}", i + 1)?;
        }
        if let Some(warning) = &self.warning {
            write!(f, "\n\n{warning}")?;
        }
        Ok(())
    }
}

impl Summary {
    /// The table of coefficients, from its upper line to the last coefficient; returns its width.
    fn fmt_coefficients(&self, f: &mut fmt::Formatter<'_>) -> Result<usize, fmt::Error> {
        let coefficients = &self.coefficients;
        let names = &coefficients.names;
        let longest = names.iter().map(|n| n.chars().count()).max();
        let name = longest.unwrap_or(0).max(10);
        let width = name + 68;
        let (statistic, p) = match coefficients.test {
            Test::Student => ("t", "P>|t|"),
            Test::Normal => ("z", "P>|z|"),
        };
        writeln!(f, "{}", "=".repeat(width))?;
        writeln!(
            f,
            "{:name$}{:>11}{:>11}{statistic:>11}{p:>11}{:>12}{:>12}",
            "", "coef", "std err", "[0.025", "0.975]"
        )?;
        writeln!(f, "{}", "-".repeat(width))?;
        let (errors, statistics) = (coefficients.bse(), coefficients.tvalues());
        let (pvalues, reach) = (coefficients.pvalues(), coefficients.reach(0.05));
        for (i, label) in names.iter().enumerate() {
            let (param, error) = (coefficients.params[i], errors[i]);
            let to_side = reach.as_ref().map_or(f64::NAN, |reach| reach * error);
            writeln!(
                f,
                "{label:name$}{:>11}{:>11}{:>11}{:>11}{:>12}{:>12}",
                fixed_or_general(param, 4),
                fixed_or_general(error, 3),
                fixed_or_general(statistics[i], 3),
                decimals(pvalues[i], 3),
                fixed_or_general(param - to_side, 3),
                fixed_or_general(param + to_side, 3),
            )?;
        }
        Ok(width)
    }
}

/// So many digits after the point.
pub(super) fn decimals(value: f64, digits: usize) -> String {
    match value.is_nan() {
        true => "nan".to_owned(),
        false => format!("{value:.digits$}"),
    }
}

/// Digits after the point where they say something, else so many significant ones.
fn fixed_or_general(value: f64, digits: usize) -> String {
    match value.abs() >= 1e4 || value.abs() < 1e-4 {
        true => general(value, digits, false),
        false => decimals(value, digits),
    }
}

/// C's `%g` with so many significant digits; `keep` (`%#g`) keeps zeros at the end.
pub(super) fn general(value: f64, digits: usize, keep: bool) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:.0$e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: String| match (keep, text.contains('.')) {
        (true, true) => text,
        (true, false) => text + ".",
        (false, true) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        (false, false) => text,
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa.to_owned()), exponent.abs())
    } else {
        let after = (digits as i32 - 1 - exponent) as usize;
        trim(format!("{value:.after$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_is_that_of_c() {
        for (value, digits, keep, text) in [
            (134.8123, 4, true, "134.8"),
            (4813.0, 4, true, "4813."),
            (7.1599e-62, 3, true, "7.16e-62"),
            (48130.0, 4, true, "4.813e+04"),
            (0.00012345, 3, false, "0.000123"),
            (99999.6, 5, false, "1e+05"),
            (0.0, 3, false, "0"),
            (0.0, 3, true, "0.00"),
            (f64::NEG_INFINITY, 3, true, "-inf"),
        ] {
            assert_eq!(general(value, digits, keep), text);
        }
    }
}
