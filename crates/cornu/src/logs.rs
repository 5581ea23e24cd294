//! Named figures: what `evaluate` returns and callbacks see.

use std::fmt;
use std::ops::Index;

/// Figures by name, in a fixed order: the loss and metrics of a batch or an epoch.
///
/// ```
/// let mut logs = cornu::Logs::default();
/// logs.set("loss", 0.25);
/// assert_eq!(logs["loss"], 0.25);
/// assert_eq!(logs.get("accuracy"), None);
/// assert_eq!(logs.to_string(), "loss: 0.2500");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(Vec<(String, f64)>);

impl Logs {
    /// The figure of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }

    /// Sets a figure; a new name goes last.
    pub fn set(&mut self, name: &str, value: f64) {
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, v)) => *v = value,
            None => self.0.push((name.to_string(), value)),
        }
    }

    /// Name and figure, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(n, v)| (n.as_str(), *v))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(n, _)| n.as_str())
    }

    /// Number of figures.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts by name, as Keras does with what it shows.
    pub fn sort(&mut self) {
        for (name, value) in std::mem::take(&mut self.0) {
            let at = self.0.partition_point(|(before, _)| *before <= name);
            self.0.insert(at, (name, value));
        }
    }
}

impl Index<&str> for Logs {
    type Output = f64;

    /// # Panics
    /// If there is no figure of this name; [`Logs::get`] does not.
    fn index(&self, name: &str) -> &f64 {
        match self.0.iter().find(|(n, _)| n == name) {
            Some((_, v)) => v,
            None => panic!(
                "no figure {name:?}; there are: {}",
                self.names().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

impl fmt::Display for Logs {
    /// As Keras' progress line: `accuracy: 0.9802 - loss: 0.0626`; small values as `1.2340e-05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, v)) in self.iter().enumerate() {
            let dash = if i > 0 { " - " } else { "" };
            write!(f, "{dash}{name}: {}", figure(v))?;
        }
        Ok(())
    }
}

/// A figure as Keras prints it: four decimals, or `d.dddde-dd` when its size is at most 10⁻³.
pub fn figure(v: f64) -> String {
    if v.is_nan() {
        "nan".to_string()
    } else if v.abs() > 1e-3 {
        format!("{v:.4}")
    } else {
        scientific(v)
    }
}

/// A figure as `d.dddde-dd`.
pub(crate) fn scientific(v: f64) -> String {
    let text = format!("{v:.4e}");
    // Rust writes 1.2340e-5 where C and Python write 1.2340e-05.
    match text.split_once('e') {
        Some((m, e)) => {
            let (sign, digits) = e.strip_prefix('-').map_or(('+', e), |d| ('-', d));
            format!("{m}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_keras_prints_them() {
        assert_eq!(figure(0.98021), "0.9802");
        assert_eq!(figure(1e-3), "1.0000e-03");
        assert_eq!(figure(1.234e-5), "1.2340e-05");
        assert_eq!(figure(0.0), "0.0000e+00");
        assert_eq!(figure(-12.5), "-12.5000");
        assert_eq!(figure(f64::NAN), "nan");
    }
}
