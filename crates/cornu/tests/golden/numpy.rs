//! Files that NumPy and safetensors wrote, and the same files damaged.

use crate::golden::{self, load};
use cornu::prelude::*;
use cornu::saving::{npy, npz};
use serde_json::Value;

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The golden array; of a type that Cornu does not have, in the type that it is read as.
fn held(v: &Value) -> Array {
    let dtype = match v["dtype"].as_str().unwrap() {
        "int8" | "int16" | "uint16" => DType::I32,
        "uint32" | "uint64" => DType::I64,
        name => DType::from_name(name).unwrap(),
    };
    let shape: Shape = v["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(golden::usize_of)
        .collect();
    let data: Vec<f64> = v["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(golden::number)
        .collect();
    Array::from_vec(shape, data).unwrap().cast(dtype)
}

#[test]
fn arrays_of_every_type_order_and_endianness() {
    let file = load("numpy");
    for case in file["npy"].as_array().unwrap() {
        let array = npy::from_bytes(&bytes(&case["file"])).unwrap();
        assert_eq!(array, held(case));
        assert_eq!(npy::from_bytes(&npy::to_bytes(&array)).unwrap(), array);
    }
    for case in file["refused"].as_array().unwrap() {
        let e = npy::from_bytes(&bytes(case)).unwrap_err();
        assert!(
            e.to_string().contains("Received") || e.to_string().contains("text should be"),
            "{e}"
        );
    }
    // Written as NumPy writes it, byte for byte.
    let first = bytes(&file["npy"][1]["file"]);
    assert_eq!(npy::to_bytes(&held(&file["npy"][1])), first);
}

#[test]
fn archives_stored_and_compressed() {
    for case in load("numpy")["npz"].as_array().unwrap() {
        let arrays = npz::from_bytes(&bytes(&case["file"])).unwrap();
        let expected = case["arrays"].as_object().unwrap();
        assert_eq!(arrays.len(), expected.len());
        for (name, array) in &arrays {
            assert_eq!(*array, held(&expected[name]));
        }
    }
}

/// Cut anywhere or with any byte changed, a file is refused or read as something, without harm.
fn damage(file: &[u8], read: impl Fn(&[u8])) {
    let (mut damaged, mut state) = (file.to_vec(), 1u32);
    for i in 0..file.len() {
        read(&file[..i]);
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            damaged[i] ^= ((state >> 24) as u8).max(1);
            read(&damaged);
            damaged[i] = file[i];
        }
    }
}

#[test]
fn damaged_files_are_refused_without_harm() {
    let file = load("numpy");
    let whole = bytes(&file["npy"][1]["file"]);
    for end in 0..whole.len() {
        assert!(npy::from_bytes(&whole[..end]).is_err());
    }
    damage(&whole, |b| drop(npy::from_bytes(b)));
    damage(&bytes(&file["npz"][1]["file"]), |b| {
        drop(npz::from_bytes(b))
    });
    for shape in [
        "(4294967296, 4294967296, 8)",
        "(0, 9223372036854775807, 9)",
        "(99999999999999999999,)",
    ] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        assert!(npy::from_bytes(&file).is_err(), "{shape}");
    }
}

#[test]
fn an_archive_made_to_fill_memory_is_refused() {
    let zeros = Array::zeros(DType::U8, [200 << 20]);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file("x.npy", zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut archive, &npy::to_bytes(&zeros)).unwrap();
    let file = archive.finish().unwrap().into_inner();
    let e = npz::from_bytes(&file).unwrap_err().to_string();
    assert!(e.contains("times its size") && e.contains("\"x\""), "{e}");
}

fn network() -> Sequential {
    let mut model = Sequential::new();
    model.add(Dense::new(2).input_shape([3]).name("first"));
    model.add(Dense::new(1));
    model.build().unwrap();
    model
}

#[test]
fn weights_by_name() {
    let folder = std::env::temp_dir().join(format!("cornu-{}-npz", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("w.npz");
    let (mut a, mut b) = (network(), network());
    npz::save_weights(&a, &path).unwrap();
    npz::load_weights(&mut b, &path).unwrap();
    assert_eq!(a.get_weights().unwrap(), b.get_weights().unwrap());

    let mut arrays = npz::load(&path).unwrap();
    assert_eq!(arrays[0].0, "sequential/first/kernel");
    arrays[0].1 = Array::zeros(DType::F32, [2, 2]);
    npz::save(&path, arrays.iter().map(|(n, a)| (n, a))).unwrap();
    let e = npz::load_weights(&mut a, &path).unwrap_err().to_string();
    assert_eq!(
        e,
        "The weight \"first/kernel\" has shape (3, 2) in the model. Received: shape (2, 2) from the file."
    );
    npz::save(&path, arrays.iter().skip(1).map(|(n, a)| (n, a))).unwrap();
    let e = npz::load_weights(&mut a, &path).unwrap_err().to_string();
    assert!(e.contains("no weight \"first/kernel\""), "{e}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(feature = "safetensors")]
#[test]
fn safetensors_of_a_keras_model() {
    use cornu::saving::safetensors;
    let file = load("numpy");
    let case = &file["safetensors"];
    let content = safetensors::from_bytes(&bytes(&case["file"])).unwrap();
    let expected = case["arrays"].as_object().unwrap();
    assert_eq!(content.arrays.len(), expected.len());
    for (name, array) in &content.arrays {
        assert_eq!(*array, held(&expected[name]));
    }
    damage(&bytes(&case["file"]), |b| drop(safetensors::from_bytes(b)));

    let path = std::env::temp_dir().join(format!("cornu-{}.safetensors", std::process::id()));
    let (a, mut b) = (network(), network());
    safetensors::save_weights(&a, &path).unwrap();
    safetensors::load_weights(&mut b, &path).unwrap();
    assert_eq!(a.get_weights().unwrap(), b.get_weights().unwrap());
    let names: Vec<String> = safetensors::load(&path)
        .unwrap()
        .arrays
        .into_iter()
        .map(|(n, _)| n)
        .collect();
    assert!(names.iter().eq(expected.keys()), "{names:?}");
    // Keras' own file, whatever the stack is called there.
    std::fs::write(&path, bytes(&case["file"])).unwrap();
    safetensors::load_weights(&mut b.named("other"), &path).unwrap();
    std::fs::remove_file(path).unwrap();
}
