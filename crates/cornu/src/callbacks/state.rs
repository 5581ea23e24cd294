//! What is to be remembered of a training, so that it can go on in another process.

use crate::saving::npz;
use crate::{Array, Error, Result};
use std::path::Path;

/// Numbers and arrays by name: what a callback has to remember, or a whole training.
///
/// ```
/// use cornu::callbacks::State;
///
/// let mut state = State::new();
/// state.set("wait", 3.0);
/// assert_eq!(state.number("wait"), Some(3.0));
/// assert_eq!(state.number("best"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State(Vec<(String, Array)>);

impl State {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers a number or an array under a name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Array>) {
        self.0.push((name.into(), value.into()));
    }

    /// Remembers a number, if there is one.
    pub fn set_some(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// The array of this name.
    pub fn array(&self, name: &str) -> Option<&Array> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.array(name)?.item().ok()
    }

    /// The whole number of this name, which must be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn count(&self, name: &str) -> Result<usize> {
        let found = self.array(name).and_then(|a| a.item::<i64>().ok());
        let count = found.and_then(|n| usize::try_from(n).ok());
        count.ok_or_else(|| Error::new(format!("A backup must say the number \"{name}\".")))
    }

    /// Remembers arrays in their order.
    pub fn set_all(&mut self, arrays: impl IntoIterator<Item = Array>) {
        for (i, array) in arrays.into_iter().enumerate() {
            self.set(i.to_string(), array);
        }
    }

    /// The arrays that [`State::set_all`] remembered.
    pub fn all(&self) -> Vec<Array> {
        let numbered = (0..).map_while(|i| self.array(&i.to_string()));
        numbered.cloned().collect()
    }

    /// Adds all of another under `part/`.
    pub fn set_part(&mut self, part: &str, state: State) {
        let named = state.0.into_iter();
        self.0
            .extend(named.map(|(name, array)| (format!("{part}/{name}"), array)));
    }

    /// What was added under `part/`.
    pub fn part(&self, part: &str) -> State {
        let prefix = format!("{part}/");
        let of = |(name, array): &(String, Array)| {
            let name = name.strip_prefix(&prefix)?;
            Some((name.to_string(), array.clone()))
        };
        State(self.0.iter().filter_map(of).collect())
    }

    /// Writes everything to a `.npz` file, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        npz::save(path, self.0.iter().map(|(name, array)| (name, array)))
    }

    /// Reads what [`State::save`] wrote.
    pub(crate) fn load(path: &Path) -> Result<State> {
        Ok(State(npz::load(path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_order_come_back() {
        let mut inner = State::new();
        inner.set_all([Array::from([1.0f32, 2.0]), Array::scalar(7i32)]);
        inner.set_some("none", None);
        let mut state = State::new();
        state.set("epoch", 3i64);
        state.set("nan", f64::NAN);
        state.set_part("weights", inner.clone());
        let path = std::env::temp_dir().join(format!("cornu-state-{}.npz", std::process::id()));
        state.save(&path).unwrap();
        let back = State::load(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(back.part("weights"), inner);
        assert_eq!(back.part("weights").all().len(), 2);
        assert_eq!(back.count("epoch").unwrap(), 3);
        assert!(back.number("nan").unwrap().is_nan());
        let e = back.count("batch").unwrap_err().to_string();
        assert_eq!(e, "A backup must say the number \"batch\".");
    }
}
