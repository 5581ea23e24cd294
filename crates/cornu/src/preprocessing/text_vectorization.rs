//! Texts to the numbers of their words, as Keras' `TextVectorization` does it.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::{Array, Error, Result};

/// What a text is rid of before it is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standardize {
    /// Nothing.
    None,
    /// ASCII capitals become small letters.
    Lower,
    /// ASCII punctuation goes.
    StripPunctuation,
    /// Both.
    #[default]
    LowerAndStripPunctuation,
}

/// How a text becomes tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// At white space.
    #[default]
    Whitespace,
    /// Each character is a token.
    Character,
}

/// What a text becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// The numbers of its tokens in their order (`int32`): 0 after the end, 1 for unknown tokens, the rest by
    /// falling frequency.
    #[default]
    Int,
    /// A row with a 1 at each token that occurs (`int32`): column 0 is for unknown tokens.
    MultiHot,
    /// A row with the number of times that each token occurs (`int32`).
    Count,
    /// `Count` (`float32`), each column times `log(1 + texts / (1 + texts with the token))`, found by
    /// [`adapt`](TextVectorization::adapt); unknown tokens weigh as much as tokens do on average.
    TfIdf,
}

/// Turns texts into numbers: standardises them, splits them into tokens, joins these to n-grams if asked, and
/// looks them up in a vocabulary that it learns from texts. It works on the host, before the model.
///
/// Arguments, defaults and results are those of `keras.layers.TextVectorization`.
///
/// # Examples
/// ```
/// use cornu::preprocessing::TextVectorization;
///
/// let mut words = TextVectorization::new().max_tokens(5).output_sequence_length(4);
/// words.adapt(["The cat sat.", "The cat ran!", "A dog ran; the dog slept."])?;
/// assert_eq!(words.vocabulary(), ["", "[UNK]", "the", "ran", "dog"]);
/// let numbers = words.call(["the dog ran", "the fox ran, and ran, and ran"])?;
/// assert_eq!(numbers.to_vec::<i32>(), [2, 4, 3, 0, 2, 1, 3, 1]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TextVectorization {
    max_tokens: Option<usize>,
    standardize: Standardize,
    split: Split,
    ngrams: Vec<usize>,
    output_mode: OutputMode,
    output_sequence_length: Option<usize>,
    pad_to_max_tokens: bool,
    /// Tokens from the most frequent on; none until it is adapted or set.
    tokens: Option<Vec<String>>,
    places: HashMap<String, usize>,
    /// A weight for each token, for `TfIdf`.
    weights: Vec<f32>,
}

/// The token for padding and the one for what is unknown.
const SPECIAL: [&str; 2] = ["", "[UNK]"];

impl TextVectorization {
    /// Small letters without punctuation, words, numbers in order, any number of tokens, rows as long as the
    /// longest text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the greatest size of the vocabulary, with its tokens for padding and for what is unknown.
    pub fn max_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets what a text is rid of before it is split.
    pub fn standardize(mut self, standardize: Standardize) -> Self {
        self.standardize = standardize;
        self
    }

    /// Sets how a text becomes tokens.
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// Makes tokens of so many neighbours, for each of the sizes: `[1, 2]` for words and pairs. Keras'
    /// `ngrams=2` is `[1, 2]`.
    pub fn ngrams(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        self.ngrams = sizes.into();
        self
    }

    /// Sets what a text becomes.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.output_mode = mode;
        self
    }

    /// Cuts and fills rows of numbers to this length; for `OutputMode::Int` only.
    pub fn output_sequence_length(mut self, length: usize) -> Self {
        self.output_sequence_length = Some(length);
        self
    }

    /// Whether rows of the other modes have `max_tokens` columns even if fewer tokens are known (default: no).
    pub fn pad_to_max_tokens(mut self, pad: bool) -> Self {
        self.pad_to_max_tokens = pad;
        self
    }

    /// Learns the vocabulary: the tokens of `texts` by falling frequency; of equally frequent ones, the
    /// last in the alphabet comes first, as in Keras. What was known before is forgotten.
    ///
    /// # Errors
    /// If the arguments contradict each other, or there are no texts.
    pub fn adapt<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) -> Result<()> {
        self.check()?;
        let mut counts: HashMap<String, Count> = HashMap::new();
        let mut documents = 0;
        for text in texts {
            documents += 1;
            for token in self.tokenize(text.as_ref()) {
                let count = counts.entry(token).or_default();
                count.times += 1;
                if count.last_document != documents {
                    count.last_document = documents;
                    count.documents += 1;
                }
            }
        }
        if documents == 0 {
            return Err(Error::new(
                "TextVectorization must see texts to learn a vocabulary. Received: none.",
            ));
        }
        for special in SPECIAL {
            counts.remove(special);
        }
        let mut ranked: Vec<(String, Count)> = counts.into_iter().collect();
        ranked.sort_by(|(a, m), (b, n)| (Reverse(m.times), b).cmp(&(Reverse(n.times), a)));
        ranked.truncate(self.room());
        let documents = documents as f32;
        self.weights = ranked
            .iter()
            .map(|(_, count)| (1.0 + documents / (1.0 + count.documents as f32)).ln())
            .collect();
        self.keep(ranked.into_iter().map(|(token, _)| token).collect());
        Ok(())
    }

    /// Sets the vocabulary, without the tokens for padding and for what is unknown.
    ///
    /// # Errors
    /// If a token is there twice or is one of those two, or there are more than `max_tokens` allows, or the
    /// mode is `OutputMode::TfIdf`, whose weights only [`adapt`](Self::adapt) finds.
    pub fn set_vocabulary<T: Into<String>>(
        &mut self,
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        self.check()?;
        if self.output_mode == OutputMode::TfIdf {
            return Err(Error::new(
                "set_vocabulary has no weights for the output mode TfIdf; use adapt.",
            ));
        }
        let tokens: Vec<String> = tokens.into_iter().map(Into::into).collect();
        if tokens.len() > self.room() {
            return Err(Error::new(format!(
                "A vocabulary must have at most {} tokens, for max_tokens={}. Received: {} tokens.",
                self.room(),
                self.max_tokens.unwrap_or_default(),
                tokens.len()
            )));
        }
        let mut seen = std::collections::HashSet::new();
        for token in &tokens {
            if SPECIAL.contains(&token.as_str()) || !seen.insert(token) {
                return Err(Error::new(format!(
                    "Tokens of a vocabulary must differ, also from \"\" and \"[UNK]\". Received: {token:?} again."
                )));
            }
        }
        self.keep(tokens);
        Ok(())
    }

    /// The tokens by their numbers, with those for padding (in the mode `Int`) and for what is unknown; empty
    /// before it is adapted.
    pub fn vocabulary(&self) -> Vec<&str> {
        let Some(tokens) = &self.tokens else {
            return Vec::new();
        };
        let special = &SPECIAL[SPECIAL.len() - self.special()..];
        special
            .iter()
            .copied()
            .chain(tokens.iter().map(String::as_str))
            .collect()
    }

    /// The number of tokens that are known, as [`vocabulary`](Self::vocabulary) lists them.
    pub fn vocabulary_size(&self) -> usize {
        self.tokens.as_ref().map_or(0, |t| t.len() + self.special())
    }

    /// Turns texts into numbers: `(texts, length)` or, in the other modes, `(texts, tokens)`.
    ///
    /// # Errors
    /// If there is no vocabulary yet.
    pub fn call<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> Result<Array> {
        self.check()?;
        if self.tokens.is_none() {
            return Err(Error::new(
                "TextVectorization must have a vocabulary before it is called: use adapt or set_vocabulary.",
            ));
        }
        let first = self.special();
        let unknown = first - 1;
        let rows: Vec<Vec<usize>> = texts
            .into_iter()
            .map(|text| {
                let place = |token: &String| self.places.get(token).map_or(unknown, |p| p + first);
                self.tokenize(text.as_ref()).iter().map(place).collect()
            })
            .collect();
        match self.output_mode {
            OutputMode::Int => self.sequences(&rows),
            mode => self.bags(&rows, mode),
        }
    }

    fn sequences(&self, rows: &[Vec<usize>]) -> Result<Array> {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let length = self.output_sequence_length.unwrap_or(longest);
        let mut numbers = vec![0i32; rows.len() * length];
        for (i, row) in rows.iter().enumerate() {
            for (t, &place) in row.iter().take(length).enumerate() {
                numbers[i * length + t] = place as i32;
            }
        }
        Array::from_vec([rows.len(), length], numbers)
    }

    fn bags(&self, rows: &[Vec<usize>], mode: OutputMode) -> Result<Array> {
        let known = self.vocabulary_size();
        let width = match self.max_tokens {
            Some(max) if self.pad_to_max_tokens => max,
            _ => known,
        };
        let mut bags = vec![0i32; rows.len() * width];
        for (bag, row) in bags.chunks_exact_mut(width).zip(rows) {
            for &place in row {
                match mode {
                    OutputMode::MultiHot => bag[place] = 1,
                    _ => bag[place] += 1,
                }
            }
        }
        if mode != OutputMode::TfIdf {
            return Array::from_vec([rows.len(), width], bags);
        }
        let mean = self.weights.iter().sum::<f32>() / self.weights.len().max(1) as f32;
        let mut weights = vec![mean];
        weights.extend(&self.weights);
        weights.resize(width, 0.0);
        let counts = bags.iter().zip(weights.iter().cycle());
        let weighted = counts.map(|(&count, weight)| count as f32 * weight);
        Array::from_vec([rows.len(), width], weighted.collect::<Vec<f32>>())
    }

    /// The number of special tokens: padding is one of the mode `Int` alone.
    fn special(&self) -> usize {
        if self.output_mode == OutputMode::Int {
            2
        } else {
            1
        }
    }

    /// The number of tokens that there is room for, without the special ones.
    fn room(&self) -> usize {
        self.max_tokens
            .map_or(usize::MAX, |max| max - self.special())
    }

    fn keep(&mut self, tokens: Vec<String>) {
        self.places = tokens.iter().cloned().zip(0..).collect();
        self.tokens = Some(tokens);
    }

    fn check(&self) -> Result<()> {
        if let Some(max) = self.max_tokens.filter(|&max| max <= self.special()) {
            return Err(Error::new(format!(
                "max_tokens must be more than {}, which are for padding and unknown tokens. Received: max_tokens={max}.",
                self.special()
            )));
        }
        if self.ngrams.contains(&0) {
            return Err(Error::new(format!(
                "ngrams must be positive numbers. Received: ngrams={:?}.",
                self.ngrams
            )));
        }
        if self.pad_to_max_tokens && self.max_tokens.is_none() {
            return Err(Error::new(
                "pad_to_max_tokens needs max_tokens. Received: none.",
            ));
        }
        match (self.output_sequence_length, self.output_mode) {
            (Some(0), _) => Err(Error::new(
                "output_sequence_length must be at least 1. Received: output_sequence_length=0.",
            )),
            (Some(length), mode) if mode != OutputMode::Int => Err(Error::new(format!(
                "output_sequence_length is for the output mode Int only. Received: output_sequence_length={length} \
                 with {mode:?}."
            ))),
            _ => Ok(()),
        }
    }

    fn tokenize(&self, text: &str) -> Vec<String> {
        let (lower, strip) = match self.standardize {
            Standardize::None => (false, false),
            Standardize::Lower => (true, false),
            Standardize::StripPunctuation => (false, true),
            Standardize::LowerAndStripPunctuation => (true, true),
        };
        let text: String = text
            .chars()
            .filter(|c| !(strip && c.is_ascii_punctuation()))
            .map(|c| if lower { c.to_ascii_lowercase() } else { c })
            .collect();
        let tokens: Vec<String> = match self.split {
            Split::Whitespace => text.split_whitespace().map(str::to_owned).collect(),
            Split::Character => text.chars().map(String::from).collect(),
        };
        if self.ngrams.is_empty() {
            return tokens;
        }
        self.ngrams
            .iter()
            .flat_map(|&size| tokens.windows(size).map(|window| window.join(" ")))
            .collect()
    }
}

/// How often a token was seen.
#[derive(Default)]
struct Count {
    times: usize,
    documents: usize,
    last_document: usize,
}
