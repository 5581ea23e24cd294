//! MNIST: 28×28 grey images of handwritten digits, as `keras.datasets.mnist` has them.
//!
//! By Yann LeCun, Corinna Cortes and Christopher J. C. Burges; licence CC BY-SA 3.0.

use ndarray::{Array1, Array3, ArrayBase, Dimension, OwnedRepr, ShapeError};

use super::{Source, content::DataFile, idx};
use crate::{Error, Result};

/// Images (count × 28 × 28, 0 is paper and 255 is ink) and their labels (count; 0 to 9).
pub type Split = (Array3<u8>, Array1<u8>);

const TRAIN_IMAGES: DataFile = DataFile {
    name: "train-images-idx3-ubyte",
    bytes: 47_040_016,
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
};
const TRAIN_LABELS: DataFile = DataFile {
    name: "train-labels-idx1-ubyte",
    bytes: 60_008,
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
};
const TEST_IMAGES: DataFile = DataFile {
    name: "t10k-images-idx3-ubyte",
    bytes: 7_840_016,
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
};
const TEST_LABELS: DataFile = DataFile {
    name: "t10k-labels-idx1-ubyte",
    bytes: 10_008,
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/// Public copies of the four files, in the order in which they are asked. The last one answers to
/// HTTPS only.
#[cfg(feature = "tls")]
const MIRRORS: [&str; 3] = [
    "https://storage.googleapis.com/cvdf-datasets/mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://azureopendatastorage.blob.core.windows.net/mnist",
];
#[cfg(not(feature = "tls"))]
const MIRRORS: [&str; 3] = [
    "http://storage.googleapis.com/cvdf-datasets/mnist",
    "http://ossci-datasets.s3.amazonaws.com/mnist",
    "https://azureopendatastorage.blob.core.windows.net/mnist",
];

/// Loads MNIST: `((train images, train labels), (test images, test labels))`, 60,000 and 10,000.
///
/// Where the files are looked for is told in [`datasets`](super).
///
/// # Errors
/// When a file is found in none of the places (the message lists all that was tried), or a file
/// in the folder named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let ((train_images, train_labels), (test_images, _)) = cornu::datasets::mnist::load_data()?;
/// assert_eq!(train_images.shape(), [60_000, 28, 28]);
/// assert_eq!(train_labels[0], 5);
/// assert_eq!(test_images.shape(), [10_000, 28, 28]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load_data() -> Result<(Split, Split)> {
    load_data_from(&source())
}

/// Where [`load_data`] looks: the places told in [`datasets`](super), then the public mirrors.
pub fn source() -> Source {
    Source::standard("mnist").base_urls(MIRRORS)
}

/// [`load_data`] from places of one's own.
///
/// # Errors
/// As [`load_data`].
///
/// # Examples
/// ```no_run
/// use cornu::datasets::mnist;
///
/// let inhouse = mnist::source().base_urls(["https://mirror.example.org/mnist"]);
/// let (train, test) = mnist::load_data_from(&inhouse)?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load_data_from(source: &Source) -> Result<(Split, Split)> {
    let train = (
        images(source, &TRAIN_IMAGES)?,
        labels(source, &TRAIN_LABELS)?,
    );
    let test = (images(source, &TEST_IMAGES)?, labels(source, &TEST_LABELS)?);
    Ok((train, test))
}

fn images(source: &Source, file: &DataFile) -> Result<Array3<u8>> {
    let (shape, data) = idx::parse::<3>(source.load(file)?)?;
    array(Array3::from_shape_vec(shape, data))
}

fn labels(source: &Source, file: &DataFile) -> Result<Array1<u8>> {
    let (shape, data) = idx::parse::<1>(source.load(file)?)?;
    array(Array1::from_shape_vec(shape, data))
}

fn array<D: Dimension>(
    made: std::result::Result<ArrayBase<OwnedRepr<u8>, D>, ShapeError>,
) -> Result<ArrayBase<OwnedRepr<u8>, D>> {
    made.map_err(|error| Error::io(format!("the data set mnist: {error}")))
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read, path::Path};

    use super::*;
    use crate::datasets::source::tests::TempFolder;

    const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets");

    #[test]
    fn the_files_of_the_repository_are_mnist() {
        let source = Source::new("mnist").folder(REPOSITORY);
        let ((train_images, train_labels), (test_images, test_labels)) =
            load_data_from(&source).unwrap();
        assert_eq!(train_images.dim(), (60_000, 28, 28));
        assert_eq!(train_labels.dim(), 60_000);
        assert_eq!(test_images.dim(), (10_000, 28, 28));
        assert_eq!(test_labels.dim(), 10_000);
        // The mean pixel that is quoted everywhere for normalising: 0.1307 × 255.
        let mean =
            train_images.iter().map(|&p| f64::from(p)).sum::<f64>() / train_images.len() as f64;
        assert!((mean / 255.0 - 0.1307).abs() < 5e-5, "{mean}");
        assert_eq!(
            train_labels.as_slice().unwrap()[..10],
            [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
        );
        assert_eq!(
            test_labels.as_slice().unwrap()[..10],
            [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
        );
        assert!(test_labels.iter().all(|&label| label < 10));
    }

    #[test]
    fn raw_files_beside_gzipped_ones_without_a_mnist_folder_will_do() {
        let folder = TempFolder::new();
        for file in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES] {
            let name = format!("{}.gz", file.name);
            fs::copy(
                Path::new(REPOSITORY).join("mnist").join(&name),
                folder.path().join(&name),
            )
            .unwrap();
        }
        let zipped = format!("{REPOSITORY}/mnist/{}.gz", TEST_LABELS.name);
        let mut raw = Vec::new();
        flate2::read::GzDecoder::new(fs::File::open(zipped).unwrap())
            .read_to_end(&mut raw)
            .unwrap();
        fs::write(folder.path().join(TEST_LABELS.name), raw).unwrap();
        let (_, (_, labels)) = load_data_from(&Source::new("mnist").folder(folder.path())).unwrap();
        assert_eq!(labels.len(), 10_000);
    }

    #[test]
    fn one_swapped_file_stops_the_loading_with_its_name() {
        let folder = TempFolder::new();
        for file in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES] {
            let name = format!("{}.gz", file.name);
            fs::copy(
                Path::new(REPOSITORY).join("mnist").join(&name),
                folder.path().join(&name),
            )
            .unwrap();
        }
        let swapped = folder.path().join("t10k-labels-idx1-ubyte.gz");
        fs::copy(folder.path().join("train-labels-idx1-ubyte.gz"), &swapped).unwrap();
        let source = Source::new("mnist").folder(folder.path());
        let message = load_data_from(&source).unwrap_err().to_string();
        assert!(
            message.contains(&swapped.display().to_string()),
            "{message}"
        );
        assert!(message.contains(TEST_LABELS.sha256), "{message}");
    }
}
