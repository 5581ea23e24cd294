//! Texts and integers sorted into bins by their hashes.

use super::base::{Base, LayerOptions, builtin, positive};
use super::categories::{OutputMode, check, encode};
use super::policy::{DTypePolicy, dtype_policy};
use super::{Build, Call, InputShape, Layer, budget};
use crate::{Array, DType, Error, Result, Tensor};
use cornu_core::hash::{fingerprint, sip_hash};
use serde::{Deserialize, Serialize};

/// Sorts texts or integers into bins by their hashes, so that no vocabulary is needed: FarmHash's
/// `Fingerprint64` or, with a [`salt`](Hashing::salt), SipHash-2-4 (Aumasson and Bernstein, 2012) of the text,
/// of an integer its decimal digits; the remainder by the number of bins is the bin.
///
/// * Input: [`Texts`](crate::data::Texts), from an [`Input`](super::Input) of the type `"string"`, or integers, of
///   any shape. A text enters a model as its fingerprint, so that salted hashes in models are those of integers;
///   those of texts [`bins`](Hashing::bins) gives beforehand.
/// * Output: numbers of bins (`int64`), or vectors over the bins as in
///   [`CategoryEncoding`](super::CategoryEncoding).
/// * Arguments, defaults and results are those of `keras.layers.Hashing`; sparse tensors are refused.
///
/// ```
/// use cornu::data::Texts;
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Input::new([1]).dtype("string"));
/// model.add(Hashing::new(3));
/// model.build()?;
/// let y = model.predict(Texts::new(["A", "B", "C", "D", "E"]))?;
/// assert_eq!(y.to_vec::<i64>(), [1, 0, 1, 1, 2]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashing {
    #[serde(skip)]
    base: Base,
    num_bins: usize,
    #[serde(default)]
    salt: Option<Salt>,
    #[serde(default)]
    mask_value: Option<MaskValue>,
    #[serde(default = "int")]
    output_mode: OutputMode,
    #[serde(default)]
    sparse: bool,
}

/// The key of a salted hash: two numbers, or one that is taken twice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SaltForm")]
pub struct Salt([i64; 2]);

#[derive(Deserialize)]
#[serde(untagged)]
enum SaltForm {
    One(i64),
    Two([i64; 2]),
}

impl From<SaltForm> for Salt {
    fn from(form: SaltForm) -> Self {
        match form {
            SaltForm::One(salt) => salt.into(),
            SaltForm::Two(salt) => salt.into(),
        }
    }
}

impl From<i64> for Salt {
    fn from(salt: i64) -> Self {
        Salt([salt, salt])
    }
}

impl From<[i64; 2]> for Salt {
    fn from(salt: [i64; 2]) -> Self {
        Salt(salt)
    }
}

impl Salt {
    fn key(self) -> [u64; 2] {
        self.0.map(|n| n as u64)
    }
}

/// The text or the number that stands for nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MaskValue {
    /// Among numbers.
    Number(i64),
    /// Among texts.
    Text(String),
}

impl From<i64> for MaskValue {
    fn from(number: i64) -> Self {
        MaskValue::Number(number)
    }
}

impl From<&str> for MaskValue {
    fn from(text: &str) -> Self {
        MaskValue::Text(text.to_string())
    }
}

/// Bins of which the remainders are found without overflow.
const MOST_BINS: usize = 1 << 62;

pub(super) fn int() -> OutputMode {
    OutputMode::Int
}

/// The remainders of numbers of 64 bits without a sign by a positive number, at most 2⁶².
pub(super) fn unsigned_remainder(x: &Tensor, n: i64) -> Tensor {
    let number = |n: i64| Tensor::constant(Array::scalar(n));
    let rest = x % number(n);
    // 2⁶⁴ more where it looks negative.
    let more = ((1i128 << 64) % i128::from(n)) as i64;
    let unsigned = (&rest + number(more)) % number(n);
    x.lt(number(0)).select(unsigned, rest)
}

/// Refuses numbers of bins with which nothing can be computed, types that do not fit the mode, and sparse
/// tensors.
pub(super) fn check_bins(
    class: &str,
    num_bins: usize,
    mode: OutputMode,
    dtype: DType,
    sparse: bool,
) -> Result<()> {
    positive("num_bins", num_bins)?;
    if num_bins > MOST_BINS {
        return Err(Error::new(format!(
            "{class} needs num_bins of at most {MOST_BINS}. Received: num_bins={num_bins}."
        )));
    }
    if sparse {
        return Err(Error::new(format!(
            "{class} gives dense tensors; sparse must be false. Received: sparse=true."
        )));
    }
    match mode {
        OutputMode::Int if matches!(dtype, DType::I32 | DType::I64) => Ok(()),
        OutputMode::Int => Err(Error::dtype(format!(
            "{class} with output_mode \"int\" gives integers: dtype must be \"int32\" or \"int64\". \
             Received: dtype {dtype}."
        ))),
        _ => budget::table(num_bins, 1),
    }
}

/// The type that results have unless they are told one: `int64` for numbers of bins.
pub(super) fn policy_of(mode: OutputMode) -> DTypePolicy {
    match mode {
        OutputMode::Int => DTypePolicy::of(DType::I64),
        _ => dtype_policy(),
    }
}

/// The options `output_mode` and `dtype` of a layer whose type depends on the mode until it is told.
macro_rules! binned_options {
    ($layer:ident, $modes:literal) => {
        impl $layer {
            #[doc = $modes]
            pub fn output_mode(mut self, mode: OutputMode) -> Self {
                if self.base.dtype == policy_of(self.output_mode) {
                    self.base.dtype = policy_of(mode);
                }
                self.output_mode = mode;
                self
            }

            /// The type of results, by Keras' name: by default `"int64"` for numbers of bins, else that of
            /// other layers.
            pub fn dtype(mut self, name: &str) -> Self {
                match DType::from_name(name) {
                    Ok(dtype @ (DType::I32 | DType::I64)) => {
                        self.base.dtype = DTypePolicy::of(dtype);
                        self
                    }
                    _ => LayerOptions::dtype(self, name),
                }
            }
        }

        $crate::layers::base::options!($layer);
    };
}

pub(super) use binned_options;

binned_options!(
    Hashing,
    "What becomes of the numbers of bins; they stay by default."
);

impl Hashing {
    /// A layer of so many bins.
    pub fn new(num_bins: usize) -> Self {
        Self {
            base: Base {
                dtype: policy_of(OutputMode::Int),
                ..Base::default()
            },
            num_bins,
            salt: None,
            mask_value: None,
            output_mode: int(),
            sparse: false,
        }
    }

    /// The key of the hash, one number or two; without it the hash is FarmHash's.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Hashing::new(3).salt([133, 137]).input_shape([3]));
    /// model.build()?;
    /// let y = model.predict(&Array::from([[7i64, 8, -9]]))?;
    /// assert_eq!(y.dtype(), DType::I64);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn salt(mut self, salt: impl Into<Salt>) -> Self {
        self.salt = Some(salt.into());
        self
    }

    /// The text or the number that stands for nothing and has bin 0 for itself, if there are two or more; none
    /// by default.
    ///
    /// ```
    /// use cornu::data::Texts;
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Hashing::new(3).mask_value("").input_shape([1]));
    /// model.build()?;
    /// let y = model.predict(Texts::new(["A", "B", "", "C", "D"]))?;
    /// assert_eq!(y.to_vec::<i64>(), [1, 1, 0, 2, 2]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn mask_value(mut self, value: impl Into<MaskValue>) -> Self {
        self.mask_value = Some(value.into());
        self
    }

    /// The bins (`int64`) of texts, without a model: also by a salted hash.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let bins = Hashing::new(3).salt([133, 137]).bins(["A", "B", "C", "D", "E"])?;
    /// assert_eq!(bins.to_vec::<i64>(), [1, 2, 1, 0, 2]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are no bins, or a number stands for nothing.
    pub fn bins<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> Result<Array> {
        positive("num_bins", self.num_bins)?;
        let mask = match &self.mask_value {
            None => None,
            Some(MaskValue::Text(text)) => Some(text.as_str()),
            Some(MaskValue::Number(n)) => return Err(wrong_mask("texts", &n.to_string())),
        };
        let (bins, first) = self.unmasked();
        let bin = |text: T| {
            let bytes = text.as_ref().as_bytes();
            let hash = match self.salt {
                None => fingerprint(bytes),
                Some(salt) => sip_hash(salt.key(), bytes),
            };
            match first > 0 && mask == Some(text.as_ref()) {
                true => 0,
                false => (hash % bins as u64) as i64 + first,
            }
        };
        Ok(Array::from(
            texts.into_iter().map(bin).collect::<Vec<i64>>(),
        ))
    }

    /// How many bins there are for hashes, and which is the first of them.
    fn unmasked(&self) -> (usize, i64) {
        match self.mask_value.is_some() && self.num_bins > 1 {
            true => (self.num_bins - 1, 1),
            false => (self.num_bins, 0),
        }
    }
}

fn wrong_mask(what: &str, mask: &str) -> Error {
    Error::new(format!(
        "Hashing of {what} needs one of them as mask_value. Received: mask_value={mask}."
    ))
}

impl Layer for Hashing {
    builtin!(Hashing);

    fn input_dtype(&self) -> Option<DType> {
        Some(DType::I64)
    }

    fn takes_texts(&self) -> bool {
        matches!(self.mask_value, Some(MaskValue::Text(_)))
    }

    fn check_texts(&self, texts: &[bool]) -> Result<()> {
        match (texts.contains(&true), &self.mask_value) {
            (true, _) if self.salt.is_some() => Err(Error::new(
                "Hashing in a model makes salted hashes of integers only, since a text enters it as its \
                 fingerprint: give the model what Hashing::bins makes of the texts.",
            )),
            (true, Some(MaskValue::Number(n))) => Err(wrong_mask("texts", &n.to_string())),
            (false, Some(MaskValue::Text(t))) => Err(wrong_mask("integers", &format!("{t:?}"))),
            _ => Ok(()),
        }
    }

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let dtype = self.base.dtype.compute;
        check_bins(
            "Hashing",
            self.num_bins,
            self.output_mode,
            dtype,
            self.sparse,
        )?;
        check("Hashing", self.output_mode, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let dtype = cx.dtype();
        let x = match self.output_mode {
            OutputMode::OneHot if x.rank() > 1 && x.shape().last() == Some(&1) => x.squeeze(-1),
            _ => x.clone(),
        };
        let x = x.cast(DType::I64);
        let hashes = match cx.is_texts(0) {
            true => x.clone(),
            false => x.hash_decimal(self.salt.map(Salt::key)),
        };
        let (bins, first) = self.unmasked();
        let number = |n: i64| Tensor::constant(Array::scalar(n));
        let mut ids = unsigned_remainder(&hashes, bins as i64) + number(first);
        if let Some(mask) = self.mask_value.as_ref().filter(|_| first > 0) {
            let mask = match mask {
                MaskValue::Number(n) => *n,
                MaskValue::Text(text) => fingerprint(text.as_bytes()) as i64,
            };
            ids = x.eq(number(mask)).select(number(0), ids);
        }
        match self.output_mode {
            OutputMode::Int => ids.cast(dtype),
            mode => encode(&ids, mode, self.num_bins, dtype, None),
        }
    }
}
