//! The error type: one clear sentence, where it happened, and the layer it concerns.

use std::fmt;
use std::panic::Location;

/// A result whose error is Cornu's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong, for programs that react to it; people read the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes, ranks or lengths that do not fit each other.
    Shape,
    /// An element type that does not fit.
    DType,
    /// An argument outside what is allowed.
    Value,
    /// A name or string that is not known.
    Name,
    /// Something was called before what it needs (for example `fit` before `compile`).
    State,
    /// A file, a folder or the network.
    Io,
}

/// What went wrong: one sentence that names the argument or layer, what was expected and what came.
///
/// `{:?}` is the sentence too, as programs show it whose `main` returns an error; `{:#?}` shows all fields.
///
/// ```
/// let e = cornu_core::Error::shape("Expected 3 columns. Received: 4.");
/// assert_eq!(format!("Error: {e:?}"), "Error: Expected 3 columns. Received: 4.");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    scope: Option<String>,
    line: Option<&'static Location<'static>>,
}

impl Error {
    /// An error of kind [`ErrorKind::Value`] with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Value, message)
    }

    /// An error of a given kind.
    pub fn with_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            scope: None,
            line: None,
        }))
    }

    /// An error about shapes.
    pub fn shape(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Shape, message)
    }

    /// An error about element types.
    pub fn dtype(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::DType, message)
    }

    /// An error about something called too early.
    pub fn state(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::State, message)
    }

    /// An error about a file, a folder or the network.
    pub fn io(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Io, message)
    }

    /// An unknown name: says what was expected and the nearest right spellings.
    ///
    /// ```
    /// let e = cornu_core::Error::unknown("activation", "rellu", &["relu", "elu", "tanh"]);
    /// assert_eq!(e.to_string(), "Unknown activation \"rellu\". Did you mean \"relu\" or \"elu\"?");
    /// ```
    pub fn unknown(what: &str, got: &str, known: &[&str]) -> Self {
        let near = nearest(got, known);
        let hint = match near.len() {
            0 => format!(" Known: {}.", known.join(", ")),
            _ => {
                let quoted: Vec<String> = near.iter().map(|n| format!("\"{n}\"")).collect();
                format!(" Did you mean {}?", quoted.join(" or "))
            }
        };
        Self::with_kind(ErrorKind::Name, format!("Unknown {what} \"{got}\".{hint}"))
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence itself, without layer and line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The layer (or other named part) that the error concerns, if known.
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The source line that built the impossible expression, if known.
    pub fn line(&self) -> Option<&'static Location<'static>> {
        self.0.line
    }

    /// Names the layer that the error concerns, unless an inner one already did.
    pub fn in_scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scope.get_or_insert_with(|| scope.into());
        self
    }

    /// Names the source line, unless it is known already.
    pub fn at(mut self, line: &'static Location<'static>) -> Self {
        self.0.line.get_or_insert(line);
        self
    }
}

/// The (at most two) nearest spellings, case-insensitively, within a third of the length.
fn nearest<'a>(got: &str, known: &[&'a str]) -> Vec<&'a str> {
    let lower = got.to_lowercase();
    let mut scored: Vec<(usize, &str)> = Vec::new();
    for k in known {
        let candidate = (edit_distance(&lower, &k.to_lowercase()), *k);
        if candidate.0 > 1 + lower.len().max(k.len()) / 3 || scored.contains(&candidate) {
            continue;
        }
        let at = scored.partition_point(|better| *better < candidate);
        scored.insert(at, candidate);
        scored.truncate(2);
    }
    scored.into_iter().map(|(_, k)| k).collect()
}

/// Levenshtein's distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scope) = &self.0.scope {
            write!(f, "Layer \"{scope}\": ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(line) = self.0.line {
            write!(f, " (at {}:{})", line.file(), line.line())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => fmt::Debug::fmt(&self.0, f),
            false => fmt::Display::fmt(self, f),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Error::io(e.to_string())
    }
}

impl From<ndarray::ShapeError> for Error {
    fn from(e: ndarray::ShapeError) -> Self {
        Error::shape(e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_lists_near_names_or_all() {
        let e = Error::unknown("loss", "zzzzzzzz", &["mse", "mae"]);
        assert_eq!(e.to_string(), "Unknown loss \"zzzzzzzz\". Known: mse, mae.");
        assert_eq!(e.kind(), ErrorKind::Name);
    }

    #[test]
    fn inner_scope_wins() {
        let e = Error::new("bad").in_scope("dense").in_scope("model");
        assert_eq!(e.to_string(), "Layer \"dense\": bad");
    }

    #[test]
    fn edit_distance_known_values() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
