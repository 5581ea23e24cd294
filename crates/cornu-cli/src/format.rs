//! The formats of models and of weights, told by how names end.

use crate::exit::Failure;
use std::path::Path;

/// A format of models or weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// A whole model, as Keras 3 keeps it: a `.keras` archive, or a folder of its members.
    Keras,
    /// A whole model of Keras 2: `.h5`. Read only.
    Legacy,
    /// A model's JSON.
    Json,
    /// What a model computes, for other programs to run. Written only.
    Onnx,
    /// A model's weights: `.weights.h5`.
    Weights,
    /// The index of weights in several files: `.weights.json`.
    Shards,
    /// Arrays by name; with the model's JSON beside them a whole model, as this program writes them.
    Safetensors,
    /// Weights by name.
    Npz,
}

/// The ending of a file's name, in lower case.
pub fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_lowercase()
}

impl Format {
    /// The format of a file of this name.
    pub fn of(path: &Path) -> Result<Format, Failure> {
        let stem = path.file_stem().unwrap_or_default();
        let is_weights = ending(Path::new(stem)) == "weights";
        Ok(match ending(path).as_str() {
            "keras" => Format::Keras,
            "h5" if is_weights => Format::Weights,
            "h5" | "hdf5" => Format::Legacy,
            "json" if is_weights => Format::Shards,
            "json" => Format::Json,
            "onnx" => Format::Onnx,
            "safetensors" => Format::Safetensors,
            "npz" => Format::Npz,
            _ if path.join("config.json").exists() => Format::Keras,
            _ => {
                return Err(Failure::usage(format!(
                    "A model or its weights are in a file that ends in .keras, .h5, .weights.h5, .weights.json, .safetensors, .npz, .onnx or .json. Received: {}.",
                    path.display()
                )));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for (name, format) in [
            ("m.keras", Format::Keras),
            ("a.b/M.KERAS", Format::Keras),
            ("m.h5", Format::Legacy),
            ("m.weights.h5", Format::Weights),
            ("weights.h5", Format::Legacy),
            ("m.weights.json", Format::Shards),
            ("m.json", Format::Json),
            ("m.onnx", Format::Onnx),
            ("m.safetensors", Format::Safetensors),
            ("m.weights.npz", Format::Npz),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format, "{name}");
        }
        for name in ["m", "m.txt", "m.weights", ""] {
            let e = Format::of(Path::new(name)).unwrap_err();
            assert!(format!("{e:?}").contains(".weights.h5"), "{name}: {e:?}");
        }
    }
}
