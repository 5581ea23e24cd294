//! The table of a fit, in the manner of `statsmodels`.

use std::fmt;

/// What a fit's `summary` says; printed, it is a table.
#[derive(Clone, Debug)]
pub struct Summary {
    pub(super) title: String,
    pub(super) left: Vec<(&'static str, String)>,
    pub(super) right: Vec<(String, String)>,
    /// The letter of the coefficients' test.
    pub(super) statistic: char,
    pub(super) names: Vec<String>,
    pub(super) params: Vec<f64>,
    pub(super) errors: Vec<f64>,
    pub(super) statistics: Vec<f64>,
    pub(super) pvalues: Vec<f64>,
    pub(super) intervals: Vec<(f64, f64)>,
    /// Label and value, left and right by turns.
    pub(super) diagnostics: Vec<[String; 2]>,
    pub(super) notes: Vec<String>,
}

/// The widths of the two halves of a table of labels and values; between them is a gap of three.
const LEFT: usize = 37;
const RIGHT: usize = 38;
/// The width of values at the right beside labels that are too long for that.
const VALUE: usize = 19;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.names.iter().map(|n| n.chars().count()).max();
        let name = name.unwrap_or(0).max(10);
        let width = name + 68;
        let half = |label: &str, value: &str, width: usize| {
            format!(
                "{label}{value:>0$}",
                width.saturating_sub(label.chars().count())
            )
        };
        let labels = self.right.iter().map(|(label, _)| label.chars().count());
        let wide = labels.max().map_or(RIGHT, |label| RIGHT.max(label + VALUE));
        // As in statsmodels, each of the tables has a width of its own.
        let top = LEFT + 3 + wide;
        writeln!(f, "{}", format!("{:^top$}", self.title).trim_end())?;
        writeln!(f, "{}", "=".repeat(top))?;
        for row in 0..self.left.len().max(self.right.len()) {
            let left = self.left.get(row).map(|(l, v)| half(l, v, LEFT));
            let right = self.right.get(row).map(|(l, v)| half(l, v, wide));
            let line = format!(
                "{:LEFT$}   {}",
                left.unwrap_or_default(),
                right.unwrap_or_default()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "{}", "=".repeat(width))?;
        writeln!(
            f,
            "{:name$}{:>11}{:>11}{:>11}{:>11}{:>12}{:>12}",
            "",
            "coef",
            "std err",
            self.statistic,
            format!("P>|{}|", self.statistic),
            "[0.025",
            "0.975]"
        )?;
        writeln!(f, "{}", "-".repeat(width))?;
        for (i, label) in self.names.iter().enumerate() {
            writeln!(
                f,
                "{label:name$}{:>11}{:>11}{:>11}{:>11}{:>12}{:>12}",
                fixed_or_general(self.params[i], 4),
                fixed_or_general(self.errors[i], 3),
                fixed_or_general(self.statistics[i], 3),
                decimals(self.pvalues[i], 3),
                fixed_or_general(self.intervals[i].0, 3),
                fixed_or_general(self.intervals[i].1, 3),
            )?;
        }
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
        Ok(())
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
