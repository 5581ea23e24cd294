//! Movie reviews: 10,605 sentences out of reviews, each with how favourable 20 people found it (Hutto and
//! Gilbert, "VADER", 2014).

use super::{Source, content::DataFile};
use crate::{Error, Result};

const FILE: DataFile = DataFile {
    name: "movieReviewSnippets_GroundTruth.txt",
    bytes: 1_383_098,
    sha256: "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
};

/// Loads the sentences and their ratings: means of 20 people's, each from −4, extremely negative, to 4,
/// extremely positive.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let (sentences, ratings) = cornu::datasets::movie_reviews::load()?;
/// assert_eq!(sentences.len(), 10_605);
/// assert_eq!((sentences[2].as_str(), ratings[2]), ("Effective but too tepid biopic", -0.6));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<(Vec<String>, Vec<f32>)> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("movie_reviews")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<(Vec<String>, Vec<f32>)> {
    let text = String::from_utf8_lossy(&source.load(&FILE)?).into_owned();
    let mut sentences = Vec::new();
    let mut ratings = Vec::new();
    for (i, line) in text.lines().enumerate() {
        // Number, rating, sentence.
        let mut fields = line.splitn(3, '\t').skip(1);
        let rating = fields.next().and_then(|field| field.parse().ok());
        let (Some(rating), Some(sentence)) = (rating, fields.next()) else {
            return Err(Error::io(format!(
                "{}, line {}: expected a number, a rating and a sentence. Received: {line:?}",
                FILE.name,
                i + 1
            )));
        };
        sentences.push(sentence.to_owned());
        ratings.push(rating);
    }
    Ok((sentences, ratings))
}
