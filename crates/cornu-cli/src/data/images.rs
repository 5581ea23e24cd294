//! Folders of images.

use crate::exit::Failure;
use cornu::Array;
use image::imageops::FilterType;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Images of one size, and the classes they are of.
#[derive(Debug)]
pub struct Images {
    /// Samples × height × width × channels, 0 to 255.
    pub pixels: Array,
    /// The files, in the samples' order.
    pub files: Vec<PathBuf>,
    /// The names of the folders in the folder, if the images are in such, sorted.
    pub classes: Vec<String>,
    /// The class of each sample.
    pub labels: Vec<i32>,
}

/// How high and wide images may be made.
const SIDE: RangeInclusive<usize> = 1..=16_384;

/// Height, width and channels from `32x32x3`.
pub fn image_sizes(text: &str) -> Result<[usize; 3], Failure> {
    let sizes: Vec<usize> = text.split('x').filter_map(|n| n.parse().ok()).collect();
    match sizes[..] {
        [height, width, channels @ (1 | 3 | 4)]
            if SIDE.contains(&height) && SIDE.contains(&width) =>
        {
            Ok([height, width, channels])
        }
        _ => Err(Failure::usage(format!(
            "--image-size must be like 32x32x3, of at most {} pixels a side and with 1, 3 or 4 channels. Received: {text}.",
            SIDE.end()
        ))),
    }
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |e| Failure::file(folder.display(), e);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg", "bmp", "gif"]
        .iter()
        .any(|known| ending == *known)
}

/// Reads all images in a folder (or, if it has folders, in those: one for each class), brought to a
/// height, width and number of channels (1, 3 or 4) by Keras' way: bilinearly, without keeping the
/// ratio.
pub fn images(folder: &Path, [height, width, channels]: [usize; 3]) -> Result<Images, Failure> {
    let inside = sorted(folder)?;
    let folders: Vec<&PathBuf> = inside.iter().filter(|p| p.is_dir()).collect();
    let (mut files, mut labels, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (label, class) in (0i32..).zip(&folders) {
        let name = class.file_name().unwrap_or_default();
        classes.push(name.to_string_lossy().into_owned());
        for file in sorted(class)?.into_iter().filter(|p| is_image(p)) {
            files.push(file);
            labels.push(label);
        }
    }
    if folders.is_empty() {
        files = inside.into_iter().filter(|p| is_image(p)).collect();
    }
    if files.is_empty() {
        return Err(Failure::data(format!(
            "{} holds no images (.png, .jpg, .bmp or .gif).",
            folder.display()
        )));
    }
    let extents = [files.len(), height, width, channels];
    let count = extents.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let mut pixels: Vec<f32> = Vec::new();
    let room = count.map(|count| pixels.try_reserve_exact(count));
    if !matches!(room, Some(Ok(()))) {
        return Err(Failure::data(format!(
            "{}: {} images of {height}×{width}×{channels} need more memory than there is.",
            folder.display(),
            files.len()
        )));
    }
    let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    for file in &files {
        let image =
            image::open(file).map_err(|e| Failure::data(format!("{}: {e}.", file.display())))?;
        let image = match (image.width(), image.height()) == (size(width), size(height)) {
            true => image,
            false => image.resize_exact(size(width), size(height), FilterType::Triangle),
        };
        let bytes = match channels {
            1 => image.into_luma8().into_raw(),
            3 => image.into_rgb8().into_raw(),
            4 => image.into_rgba8().into_raw(),
            n => {
                return Err(Failure::data(format!(
                    "Images have 1, 3 or 4 channels. Received: {n}."
                )));
            }
        };
        pixels.extend(bytes.into_iter().map(f32::from));
    }
    Ok(Images {
        pixels: Array::from_vec(extents, pixels)?,
        files,
        classes,
        labels,
    })
}
