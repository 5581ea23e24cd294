//! Terms of a vocabulary as numbers.

use super::base::{Base, LayerOptions};
use super::categories::{OutputMode, check};
use super::hashing::unsigned_remainder;
use super::{Build, Call, InputShape, Layer};
use crate::data::Data;
use crate::{Array, DType, Error, Result, Tensor};
use cornu_core::hash::fingerprint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::{Debug, Display};
use std::hash::Hash;

/// What an [`IndexLookup`] looks up: `String` or `i64`.
pub trait Term:
    Clone + Debug + Display + Eq + Hash + Ord + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Keras' name of the layer.
    #[doc(hidden)]
    const CLASS: &'static str;
    /// Whether the terms are texts.
    #[doc(hidden)]
    const TEXTS: bool;
    /// The argument that Keras' class of these terms alone has, with its only value here.
    #[doc(hidden)]
    const OWN: (&'static str, &'static str);
    /// By what number a model's input has the term.
    #[doc(hidden)]
    fn key(&self) -> i64;
    /// The term that stands for what is in no vocabulary.
    #[doc(hidden)]
    fn unknown() -> Self;
}

impl Term for String {
    const CLASS: &'static str = "StringLookup";
    const TEXTS: bool = true;
    const OWN: (&'static str, &'static str) = ("encoding", "utf-8");
    fn key(&self) -> i64 {
        fingerprint(self.as_bytes()) as i64
    }
    fn unknown() -> Self {
        "[UNK]".to_string()
    }
}

impl Term for i64 {
    const CLASS: &'static str = "IntegerLookup";
    const TEXTS: bool = false;
    const OWN: (&'static str, &'static str) = ("vocabulary_dtype", "int64");
    fn key(&self) -> i64 {
        *self
    }
    fn unknown() -> Self {
        -1
    }
}

/// Looks texts up in a vocabulary that is given or found by [`adapt`](IndexLookup::adapt).
///
/// * Input: [`Texts`](crate::data::Texts) of any shape, from an [`Input`](super::Input) of the type
///   `"string"`; as the first layer of a [`Sequential`](crate::models::Sequential) it has such a one made.
/// * Output: the place of each text in the vocabulary (`int32`): with a `mask_token` that is 0, then come
///   `num_oov_indices` places (one by default) for texts that are not known, among which their hashes choose,
///   then the vocabulary. With another [`output_mode`](IndexLookup::output_mode) vectors, in which the mask has
///   no place.
/// * Arguments, defaults and results are those of `keras.layers.StringLookup`; TF-IDF, sparse tensors, a `salt`
///   and `invert`, which gives texts, are refused.
///
/// ```
/// use cornu::data::Texts;
/// use cornu::prelude::*;
/// let lookup = StringLookup::new().adapt(["red", "blue", "red"])?;
/// assert_eq!(lookup.get_vocabulary(), ["[UNK]", "red", "blue"]);
/// let mut model = Sequential::new();
/// model.add(lookup.output_mode(OutputMode::OneHot).input_shape([1]));
/// model.build()?;
/// let y = model.predict(Texts::new(["blue", "green"]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type StringLookup = IndexLookup<String>;

/// Looks integers up in a vocabulary that is given or found by [`adapt`](IndexLookup::adapt).
///
/// * Input: integers of any shape. Output: as that of [`StringLookup`]; those that are not known choose among
///   `num_oov_indices` places by their remainder.
/// * With [`invert`](IndexLookup::invert) the way back: places to integers (`int64`), -1 for those not known.
/// * Arguments, defaults and results are those of `keras.layers.IntegerLookup`; TF-IDF, sparse tensors and
///   the `oov_method` "farmhash" are refused.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(IntegerLookup::new().vocabulary([12, 36, 1138]).input_shape([3]));
/// model.build()?;
/// let y = model.predict(&Array::from([[36, 7, 12]]))?;
/// assert_eq!(y.to_vec::<i32>(), [2, 0, 1]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type IntegerLookup = IndexLookup<i64>;

/// [`StringLookup`] and [`IntegerLookup`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "T: Term")]
pub struct IndexLookup<T> {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    invert: bool,
    #[serde(default)]
    max_tokens: Option<usize>,
    #[serde(default = "one")]
    num_oov_indices: usize,
    #[serde(default = "unknown::<T>")]
    oov_token: Option<T>,
    #[serde(default)]
    mask_token: Option<T>,
    #[serde(default = "int")]
    output_mode: OutputMode,
    #[serde(default)]
    sparse: bool,
    #[serde(default)]
    pad_to_max_tokens: bool,
    #[serde(default)]
    idf_weights: Option<Value>,
    /// The terms, without those for masks and what is unknown.
    #[serde(default)]
    vocabulary: Option<Vec<T>>,
    /// What Keras notes; found again from the vocabulary.
    #[serde(default)]
    vocabulary_size: Option<usize>,
    #[serde(default = "remainder")]
    oov_method: String,
    #[serde(default)]
    salt: Option<Value>,
    #[serde(default, skip_serializing)]
    encoding: Option<String>,
    #[serde(default, skip_serializing)]
    vocabulary_dtype: Option<String>,
}

/// Places for what is not known.
const MOST_UNKNOWN: usize = 1 << 24;

fn one() -> usize {
    1
}

fn unknown<T: Term>() -> Option<T> {
    Some(T::unknown())
}

fn int() -> OutputMode {
    OutputMode::Int
}

fn remainder() -> String {
    "floormod".to_string()
}

impl<T: Term> Default for IndexLookup<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Term> IndexLookup<T> {
    /// One place for what is not known, no mask, numbers of places; the vocabulary is still to be given or found.
    pub fn new() -> Self {
        Self {
            base: Base::default(),
            invert: false,
            max_tokens: None,
            num_oov_indices: 1,
            oov_token: unknown(),
            mask_token: None,
            output_mode: int(),
            sparse: false,
            pad_to_max_tokens: false,
            idf_weights: None,
            vocabulary: None,
            vocabulary_size: None,
            oov_method: remainder(),
            salt: None,
            encoding: None,
            vocabulary_dtype: None,
        }
    }

    /// The terms, in the order of their numbers; they may begin with the mask's and those of what is unknown, as
    /// [`get_vocabulary`](IndexLookup::get_vocabulary) gives them.
    pub fn vocabulary(mut self, terms: impl IntoIterator<Item = impl Into<T>>) -> Self {
        self.vocabulary = Some(terms.into_iter().map(Into::into).collect());
        self
    }

    /// The greatest size of the vocabulary that [`adapt`](IndexLookup::adapt) finds, with the mask's place and
    /// those of what is unknown; none by default.
    pub fn max_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// How many places there are for what is not known; 1 by default. Without any it is refused where data enter
    /// the model.
    pub fn num_oov_indices(mut self, places: usize) -> Self {
        self.num_oov_indices = places;
        self
    }

    /// The term that stands for nothing; none by default.
    pub fn mask_token(mut self, term: impl Into<T>) -> Self {
        self.mask_token = Some(term.into());
        self
    }

    /// The term that [`get_vocabulary`](IndexLookup::get_vocabulary) and `invert` have for what is unknown:
    /// `"[UNK]"`, or -1.
    pub fn oov_token(mut self, term: impl Into<T>) -> Self {
        self.oov_token = Some(term.into());
        self
    }

    /// What becomes of the numbers of places; they stay by default.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.output_mode = mode;
        self
    }

    /// Whether vectors have `max_tokens` places though the vocabulary has fewer; not by default.
    pub fn pad_to_max_tokens(mut self, pad: bool) -> Self {
        self.pad_to_max_tokens = pad;
        self
    }

    /// Whether places become integers, the way back; not by default.
    pub fn invert(mut self, invert: bool) -> Self {
        self.invert = invert;
        self
    }

    /// Finds the vocabulary in data: their terms by falling frequency; of equally frequent ones the greatest
    /// comes first, as in Keras.
    ///
    /// # Errors
    /// If a vocabulary was given, or there are no terms.
    pub fn adapt(mut self, data: impl IntoIterator<Item = impl Into<T>>) -> Result<Self> {
        if self.vocabulary.is_some() {
            return Err(self.wrong("has a vocabulary already, to which data cannot be added"));
        }
        let mut counts: HashMap<T, usize> = HashMap::new();
        for term in data {
            *counts.entry(term.into()).or_default() += 1;
        }
        for special in [&self.mask_token, &self.oov_token].into_iter().flatten() {
            counts.remove(special);
        }
        if counts.is_empty() {
            return Err(self.wrong("adapts to at least one term"));
        }
        let mut found: Vec<(usize, T)> = counts.into_iter().map(|(t, n)| (n, t)).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let most = self
            .max_tokens
            .map_or(found.len(), |most| most.saturating_sub(self.start()));
        self.vocabulary = Some(found.into_iter().take(most).map(|(_, t)| t).collect());
        Ok(self)
    }

    /// The terms in the order of their numbers, with the mask's and those of what is unknown; empty until there
    /// is a vocabulary.
    pub fn get_vocabulary(&self) -> Vec<T> {
        let of = |term: &Option<T>| term.clone().unwrap_or_else(T::unknown);
        match self.vocabulary {
            Some(_) => {
                let specials = self.specials().map(of);
                specials.chain(self.terms().iter().cloned()).collect()
            }
            None => Vec::new(),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(format!("{} {what}.", T::CLASS))
    }

    /// The place of the first term for what is unknown: the mask has one only among numbers.
    fn first_unknown(&self) -> usize {
        usize::from(self.mask_token.is_some() && self.output_mode == OutputMode::Int)
    }

    /// What comes before the terms.
    fn specials(&self) -> impl Iterator<Item = &Option<T>> {
        let masks = std::iter::repeat_n(&self.mask_token, self.first_unknown());
        masks.chain(std::iter::repeat_n(&self.oov_token, self.num_oov_indices))
    }

    /// How many places come before the terms.
    fn start(&self) -> usize {
        self.first_unknown().saturating_add(self.num_oov_indices)
    }

    /// The terms of the vocabulary, without what comes before them.
    fn terms(&self) -> &[T] {
        let given = self.vocabulary.as_deref().unwrap_or_default();
        let start = self.start();
        let mut pairs = self.specials().zip(given);
        let has_specials =
            given.len() >= start && pairs.all(|(special, term)| special.as_ref() == Some(term));
        if has_specials { &given[start..] } else { given }
    }

    /// Places in a vector.
    fn depth(&self) -> usize {
        match self.max_tokens {
            Some(most) if self.pad_to_max_tokens => most,
            _ => self.start().saturating_add(self.terms().len()),
        }
    }

    /// The keys of the terms in order, with the place of each.
    fn sorted(&self) -> Vec<(i64, i32)> {
        let terms = self.terms().iter().zip(self.start() as i32..);
        let mut keys: Vec<(i64, i32)> = terms.map(|(t, place)| (t.key(), place)).collect();
        keys.sort_unstable();
        keys
    }

    /// Refuses arguments that contradict each other, or that nothing here can do.
    fn check_arguments(&self) -> Result<()> {
        let set = |value: &Option<Value>| value.as_ref().is_some_and(|v| !v.is_null());
        let own = match T::TEXTS {
            true => &self.encoding,
            false => &self.vocabulary_dtype,
        };
        let (name, only) = T::OWN;
        if own.as_ref().is_some_and(|own| own != only) {
            return Err(self.wrong(&format!("knows no other {name} than \"{only}\"")));
        }
        if self.sparse || set(&self.salt) || set(&self.idf_weights) {
            return Err(self.wrong(
                "gives dense tensors of plain places: sparse must be false, salt and idf_weights None",
            ));
        }
        if self.oov_method != "floormod" && !T::TEXTS {
            return Err(self.wrong(&format!(
                "knows no other oov_method than \"floormod\". Received: oov_method={:?}",
                self.oov_method
            )));
        }
        if self.invert && T::TEXTS {
            return Err(self.wrong(
                "with invert gives texts, which no tensor holds: look places up in get_vocabulary()",
            ));
        }
        if self.invert && self.output_mode != OutputMode::Int {
            return Err(self.wrong("with invert needs output_mode \"int\""));
        }
        if self.max_tokens.is_some_and(|most| most <= 1) {
            return Err(self.wrong("needs max_tokens greater than 1"));
        }
        if self.pad_to_max_tokens && self.max_tokens.is_none() {
            return Err(self.wrong("needs max_tokens if pad_to_max_tokens is true"));
        }
        if self.num_oov_indices > MOST_UNKNOWN {
            return Err(self.wrong(&format!(
                "needs num_oov_indices of at most {MOST_UNKNOWN}. Received: num_oov_indices={}",
                self.num_oov_indices
            )));
        }
        Ok(())
    }

    fn check_vocabulary(&self) -> Result<()> {
        let terms = self.terms();
        if terms.is_empty() {
            return Err(Error::state(format!(
                "{} has no vocabulary yet: call adapt() with data, or give vocabulary.",
                T::CLASS
            )));
        }
        if let Some(most) = self
            .max_tokens
            .filter(|most| terms.len() + self.start() > *most)
        {
            return Err(self.wrong(&format!(
                "has a vocabulary of {} terms, with those for masks and what is unknown. Received: max_tokens={most}",
                terms.len() + self.start()
            )));
        }
        let mut seen: HashMap<i64, &T> = HashMap::new();
        for term in terms {
            if let Some(twice) = seen.insert(term.key(), term) {
                return Err(self.wrong(&format!(
                    "needs terms that differ. Received: {twice:?} and {term:?}"
                )));
            }
        }
        match &self.mask_token {
            Some(mask) if terms.contains(mask) => Err(self.wrong(&format!(
                "must have its mask_token first in the vocabulary, or not in it. Received: {mask:?} among the terms"
            ))),
            _ => Ok(()),
        }
    }

    /// The places of keys; -1 for a mask that has none, and for what is unknown if there is no place for it.
    fn places(&self, x: &Tensor) -> Tensor {
        let mut keys = self.sorted();
        // As long as a power of two, so that each step of the search halves what is left.
        let last = keys.last().copied().unwrap_or_default();
        keys.resize(keys.len().next_power_of_two(), last);
        let (values, numbers): (Vec<i64>, Vec<i32>) = keys.into_iter().unzip();
        let length = values.len();
        let values = Tensor::constant(Array::from(values));
        let mut at = x.zeros_like().cast(DType::I32);
        let mut half = length / 2;
        while half > 0 {
            let further = &at + half as i32;
            at = values.take(&further, 0).le(x).select(&further, &at);
            half /= 2;
        }
        let found = values.take(&at, 0).eq(x);
        let known = Tensor::constant(Array::from(numbers)).take(&at, 0);
        let places = found.select(known, self.place_of_unknown(x));
        match &self.mask_token {
            Some(mask) => {
                let place = if self.output_mode == OutputMode::Int {
                    0i32
                } else {
                    -1
                };
                let mask = Tensor::constant(Array::scalar(mask.key()));
                let place = Tensor::constant(Array::scalar(place));
                x.eq(mask).select(place, places)
            }
            None => places,
        }
    }

    fn place_of_unknown(&self, x: &Tensor) -> Tensor {
        let first = self.first_unknown() as i32;
        let places = self.num_oov_indices as i64;
        match places {
            0 => Tensor::constant(Array::scalar(-1i32)),
            1 => Tensor::constant(Array::scalar(first)),
            _ => {
                let rest = match T::TEXTS {
                    true => unsigned_remainder(x, places),
                    false => x % Tensor::constant(Array::scalar(places)),
                };
                rest.cast(DType::I32) + first
            }
        }
    }

    /// The terms of places.
    fn terms_of(&self, x: &Tensor) -> Tensor {
        let keys: Vec<i64> = self.get_vocabulary().iter().map(Term::key).collect();
        let unknown = self.oov_token.clone().unwrap_or_else(T::unknown).key();
        let size = Tensor::constant(Array::scalar(keys.len() as i64));
        let inside = x
            .ge(Tensor::constant(Array::scalar(0i64)))
            .logical_and(x.lt(size));
        let at = inside.select(x, x.zeros_like());
        let terms = Tensor::constant(Array::from(keys)).take(at, 0);
        inside.select(terms, Tensor::constant(Array::scalar(unknown)))
    }
}

impl<T> LayerOptions for IndexLookup<T> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl<T: Term> Layer for IndexLookup<T> {
    fn class_name(&self) -> &str {
        T::CLASS
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = super::registry::fields(self);
        if self.vocabulary.is_some() {
            let size = self.start().saturating_add(self.terms().len());
            map.insert("vocabulary_size".into(), size.into());
        }
        let (name, only) = T::OWN;
        map.insert(name.into(), only.into());
        map
    }

    fn input_dtype(&self) -> Option<DType> {
        Some(DType::I64)
    }

    fn takes_texts(&self) -> bool {
        T::TEXTS
    }

    fn check_data(&self, data: &Data<'_>) -> Result<()> {
        if self.num_oov_indices > 0 || self.invert {
            return Ok(());
        }
        let keys = self.sorted();
        let mask = self.mask_token.as_ref().map(Term::key);
        let known = |x: &i64| Some(*x) == mask || keys.binary_search_by_key(x, |k| k.0).is_ok();
        match data.to_vec::<i64>().iter().position(|x| !known(x)) {
            None => Ok(()),
            Some(at) => Err(self.wrong(&format!(
                "with num_oov_indices=0 takes what is in its vocabulary. Received: another term, at position {at}"
            ))),
        }
    }

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.check_arguments()?;
        self.check_vocabulary()?;
        check(T::CLASS, self.output_mode, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = x.cast(DType::I64);
        if self.invert {
            return self.terms_of(&x);
        }
        let places = self.places(&x);
        let dtype = cx.dtype();
        let last = places.rank() as isize - 1;
        let vectors = |places: &Tensor| places.one_hot(self.depth(), dtype);
        match self.output_mode {
            OutputMode::Int => places,
            OutputMode::OneHot if last > 0 && places.shape().last() == Some(&1) => {
                vectors(&places.squeeze(-1))
            }
            OutputMode::OneHot => vectors(&places),
            OutputMode::MultiHot => vectors(&places).max_axes(&[last], false),
            OutputMode::Count => vectors(&places).sum_axes(&[last], false),
        }
    }
}
