//! Arrays that belong together, in order or by name.

use super::{Data, IntoData};
use crate::{Error, Result};

/// Arrays for a model of several inputs or outputs: in order, or by name.
///
/// One array is one by itself, a tuple is several in order:
///
/// ```
/// use cornu::{Array, Inputs, IntoInputs};
/// let (image, age) = (Array::from([[1.0f32, 2.0]]), Array::from([[30.0f32]]));
/// assert_eq!((&image, &age).into_inputs().len(), 2);
/// let named = Inputs::new().with("age", &age).with("image", &image);
/// assert_eq!(named.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a>(Vec<(Option<String>, Data<'a>)>);

impl<'a> Inputs<'a> {
    /// No arrays yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the array for the input or output of this name.
    pub fn with(mut self, name: impl Into<String>, data: impl IntoData<'a>) -> Self {
        self.0.push((Some(name.into()), data.into_data()));
        self
    }

    /// Adds the array that comes next in order.
    pub fn then(mut self, data: impl IntoData<'a>) -> Self {
        self.0.push((None, data.into_data()));
        self
    }

    /// How many arrays there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The places of the arrays among these names, and the arrays, in the order of the places.
    pub(crate) fn arrange(self, what: &str, names: &[&str]) -> Result<Vec<(usize, Data<'a>)>> {
        let named = self.0.iter().filter(|(name, _)| name.is_some()).count();
        if named > 0 && named < self.0.len() {
            return Err(Error::new(format!(
                "{what}: give all arrays a name, or none."
            )));
        }
        if self.0.len() > names.len() || (named == 0 && self.0.len() != names.len()) {
            return Err(Error::shape(format!(
                "{what} must hold {} (\"{}\"). Received: {}.",
                arrays(names.len()),
                names.join("\", \""),
                arrays(self.0.len()),
            )));
        }
        let mut placed: Vec<(usize, Data<'a>)> = Vec::new();
        for (i, (name, data)) in self.0.into_iter().enumerate() {
            let place = match &name {
                None => i,
                Some(name) => names
                    .iter()
                    .position(|n| n == name)
                    .ok_or_else(|| Error::unknown(&format!("name in {what}"), name, names))?,
            };
            if placed.iter().any(|(p, _)| *p == place) {
                return Err(Error::new(format!(
                    "{what}: \"{}\" is given twice.",
                    names[place]
                )));
            }
            placed.push((place, data));
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(placed)
    }

    /// Other handles to the same arrays.
    pub(crate) fn by_ref(&self) -> Inputs<'_> {
        Inputs(
            self.0
                .iter()
                .map(|(n, d)| (n.clone(), d.by_ref()))
                .collect(),
        )
    }

    /// The first array.
    pub fn first(&self) -> Option<&Data<'a>> {
        self.0.first().map(|(_, d)| d)
    }

    /// The array of this name.
    pub fn get(&self, name: &str) -> Option<&Data<'a>> {
        let mut named = self.0.iter().filter(|(n, _)| n.as_deref() == Some(name));
        named.next().map(|(_, d)| d)
    }

    /// The arrays, whatever their names.
    pub fn iter(&self) -> impl Iterator<Item = &Data<'a>> {
        self.0.iter().map(|(_, d)| d)
    }

    /// The names, of those arrays that have one.
    pub(crate) fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(|(n, _)| n.as_deref())
    }

    /// Each array changed, under the same name.
    pub(crate) fn try_map<'b>(
        &self,
        mut change: impl FnMut(&Data<'a>) -> Result<Data<'b>>,
    ) -> Result<Inputs<'b>> {
        let changed = self.0.iter().map(|(n, d)| Ok((n.clone(), change(d)?)));
        changed.collect::<Result<_>>().map(Inputs)
    }

    /// As arrays that borrow nothing.
    pub(crate) fn into_owned(self) -> Inputs<'static> {
        let owned = self.0.into_iter().map(|(n, d)| (n, d.into_owned()));
        Inputs(owned.collect())
    }

    /// The arrays, whatever their names.
    pub(crate) fn into_data(self) -> Vec<Data<'a>> {
        self.0.into_iter().map(|(_, d)| d).collect()
    }

    /// The first samples of each, and the rest, without a copy.
    pub(crate) fn split(&self, at: usize) -> (Inputs<'_>, Inputs<'_>) {
        let parts = self.0.iter().map(|(name, d)| {
            let (a, b) = d.split(at);
            ((name.clone(), a), (name.clone(), b))
        });
        let (a, b) = parts.unzip();
        (Inputs(a), Inputs(b))
    }
}

fn arrays(n: usize) -> String {
    match n {
        1 => "one array".to_string(),
        n => format!("{n} arrays"),
    }
}

/// What can be given where a model may have several inputs or outputs: one array, a tuple of them,
/// [`Inputs`] by name, or `()` for none.
pub trait IntoInputs<'a> {
    /// As a list.
    fn into_inputs(self) -> Inputs<'a>;
}

impl<'a, T: IntoData<'a>> IntoInputs<'a> for T {
    fn into_inputs(self) -> Inputs<'a> {
        Inputs(vec![(None, self.into_data())])
    }
}

impl<'a> IntoInputs<'a> for Inputs<'a> {
    fn into_inputs(self) -> Inputs<'a> {
        self
    }
}

impl<'a> IntoInputs<'a> for () {
    fn into_inputs(self) -> Inputs<'a> {
        Inputs::new()
    }
}

impl<'a> IntoInputs<'a> for Vec<Data<'a>> {
    fn into_inputs(self) -> Inputs<'a> {
        Inputs(self.into_iter().map(|d| (None, d)).collect())
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+))*) => {$(
        impl<'a, $($t: IntoData<'a>),+> IntoInputs<'a> for ($($t,)+) {
            fn into_inputs(self) -> Inputs<'a> {
                Inputs(vec![$((None, self.$i.into_data())),+])
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
