//! Images mixed, cut, bent, seen in perspective, and changed by chosen layers, against Keras and against laws.

use crate::golden::{self, Report, array, close, number};
use cornu::data::from_tensor_slices;
use cornu::image::{FillMode, Interpolation, map_coordinates, perspective_transform};
use cornu::layers::{InputShape, Layer};
use cornu::prelude::*;
use serde_json::Value;

fn list<'a>(golden: &'a Value, key: &str) -> &'a [Value] {
    golden[key].as_array().unwrap()
}

#[test]
fn images_read_between_their_cells() -> cornu::Result<()> {
    let golden = golden::load("layers_mixing");
    let mut report = Report::default();
    for case in list(&golden, "coordinates") {
        let way: Interpolation = serde_json::from_value(case["interpolation"].clone()).unwrap();
        let mode: FillMode = serde_json::from_value(case["fill_mode"].clone()).unwrap();
        let of = |key: &str| golden::tensor(&case[key]);
        let (x, rows, columns) = (of("images"), of("rows"), of("columns"));
        let fill = number(&case["fill_value"]);
        let y = map_coordinates(&x, &rows, &columns, way, mode, fill).eval()?;
        let outcome = close(&y, &array(&case["output"]), 1e-5, 1e-5);
        report.add(|| format!("{way:?} {mode:?}"), outcome);
    }
    report.finish(10);
    Ok(())
}

#[test]
fn images_in_perspective() -> cornu::Result<()> {
    let golden = golden::load("layers_mixing");
    let mut report = Report::default();
    for (i, case) in list(&golden, "perspective").iter().enumerate() {
        let way: Interpolation = serde_json::from_value(case["interpolation"].clone()).unwrap();
        let of = |key: &str| golden::tensor(&case[key]);
        let (x, start, end) = (of("images"), of("start_points"), of("end_points"));
        let fill = number(&case["fill_value"]);
        let y = perspective_transform(&x, &start, &end, way, fill).eval()?;
        let outcome = close(&y, &array(&case["output"]), 1e-4, 1e-4);
        report.add(|| format!("{i} {way:?}"), outcome);
    }
    report.finish(8);
    Ok(())
}

#[test]
fn whole_numbers_stay_whole() -> cornu::Result<()> {
    let golden = golden::load("layers_mixing");
    for case in list(&golden, "bytes") {
        let x = array(&case["images"]);
        let mut model = Sequential::new();
        model.add(Input::new(x.shape()[1..].to_vec()).dtype("uint8"));
        model.add(ContrastLimitedAdaptiveHistogramEqualization::new().tile_grid_size(2));
        model.build()?;
        let y = model.predict(&x)?;
        assert_eq!(y.dtype(), DType::U8);
        assert_eq!(close(&y, &array(&case["output"]), 0.0, 1.0), Ok(()));
    }
    Ok(())
}

/// A layer on images, or images and labels, as a function of the step of training.
fn in_training(layer: impl Into<Box<dyn Layer>>, inputs: &[&Array]) -> Function {
    let symbols: Vec<Symbol> = inputs
        .iter()
        .map(|x| Input::new(x.shape()[1..].to_vec()).symbol())
        .collect();
    let model = Model::new(&symbols, layer.into().on_all(&symbols)).unwrap();
    let constants: Vec<Tensor> = inputs
        .iter()
        .map(|x| Tensor::constant((*x).clone()))
        .collect();
    cornu::try_function(move |state| {
        Ok(model.call_all(&constants, Some(&state[0]))?.outputs.into())
    })
}

fn at(step: i32) -> Array {
    Array::from([5i32, 9, step])
}

/// Labels that tell every image apart.
fn own_labels(n: usize) -> Array {
    Tensor::eye(n, DType::F32).eval().unwrap()
}

fn images(n: usize, shape: [usize; 3]) -> Array {
    let values = (0..n * shape.iter().product::<usize>()).map(|i| (i * 37 % 251) as f32);
    let shape = [&[n][..], &shape[..]].concat();
    Array::from_vec(shape, values.collect()).unwrap()
}

/// What is left of each image, and with which other it is mixed, told by its label.
fn told(labels: &Array, n: usize) -> Vec<(f32, usize)> {
    let values = labels.to_vec::<f32>();
    let one = |(i, row): (usize, &[f32])| {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
        let others: Vec<usize> = (0..n).filter(|j| *j != i && row[*j] > 0.0).collect();
        assert!(others.len() < 2, "{row:?}");
        (row[i], others.first().copied().unwrap_or(i))
    };
    values.chunks(n).enumerate().map(one).collect()
}

#[test]
fn mixed_images_are_what_their_labels_say() -> cornu::Result<()> {
    let n = 64;
    let (x, y) = (images(n, [2, 3, 1]), own_labels(n));
    let pixels = x.to_vec::<f32>();
    let (mut shares, mut together) = (Vec::new(), 0);
    let function = in_training(MixUp::new(0.5), &[&x, &y]);
    for step in 0..30 {
        let made = function.call(&[&at(step)])?;
        let mixed = made[0].to_vec::<f32>();
        let mut taken = vec![0; n];
        for (i, (share, other)) in told(&made[1], n).into_iter().enumerate() {
            for p in 0..6 {
                let want = share * pixels[i * 6 + p] + (1.0 - share) * pixels[other * 6 + p];
                assert!((mixed[i * 6 + p] - want).abs() < 1e-3);
            }
            taken[other] += 1;
            if other == i {
                together += 1;
            } else {
                shares.push(f64::from(share));
            }
        }
        // An order takes every image once; with a share of 1 the other is not seen.
        assert!(taken.iter().sum::<usize>() == n);
    }
    // Beta(1/2, 1/2) has mean 1/2 and variance 1/8; five standard deviations of 1,900 draws.
    let count = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / count;
    let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / count;
    assert!((mean - 0.5).abs() < 0.041, "{mean}");
    assert!((variance - 0.125).abs() < 0.011, "{variance}");
    // On average one image in each order stays where it is.
    assert!((8..=60).contains(&together), "{together}");
    Ok(())
}

#[test]
fn cut_images_are_what_their_labels_say() -> cornu::Result<()> {
    let n = 32;
    for format in ["channels_last", "channels_first"] {
        let shape = match format {
            "channels_last" => [20, 30, 2],
            _ => [2, 20, 30],
        };
        let y = own_labels(n);
        // Every image has a colour of its own.
        let colours: Vec<f32> = (0..n * 1200).map(|i| (i / 1200) as f32).collect();
        let x = Array::from_vec([&[n][..], &shape[..]].concat(), colours)?;
        let layer = CutMix::new((0.9, 1.0)).data_format(format);
        let function = in_training(layer, &[&x, &y]);
        let mut shares = Vec::new();
        for step in 0..20 {
            let made = function.call(&[&at(step)])?;
            let cut = made[0].to_vec::<f32>();
            for (i, (share, other)) in told(&made[1], n).into_iter().enumerate() {
                let image = &cut[i * 1200..(i + 1) * 1200];
                assert!(image.iter().all(|v| *v == i as f32 || *v == other as f32));
                let replaced = image.iter().filter(|v| **v != i as f32).count() as f32 / 1200.0;
                // The rectangle's sides are rounded to cells.
                if other != i {
                    assert!((replaced - (1.0 - share)).abs() < 0.1, "{replaced} {share}");
                    shares.push(f64::from(share));
                }
            }
        }
        // Beta(α, α) with α near 1 is nearly uniform.
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        assert!((mean - 0.5).abs() < 0.06, "{mean}");
        assert!(shares.iter().any(|s| *s < 0.1) && shares.iter().any(|s| *s > 0.9));
    }
    Ok(())
}

#[test]
fn a_share_of_the_images_is_bent_or_seen_in_perspective() -> cornu::Result<()> {
    let x = images(100, [6, 8, 3]);
    let plain = x.to_vec::<f32>();
    let layers: [Box<dyn Layer>; 2] = [
        RandomPerspective::new((0.3, 0.3)).into(),
        RandomElasticTransform::new((0.3, 0.3))
            .scale((1.0, 1.0))
            .into(),
    ];
    for layer in layers {
        let name = layer.class_name().to_string();
        let function = in_training(layer, &[&x]);
        let first = function.call(&[&at(1)])?[0].to_vec::<f32>();
        assert_eq!(first, function.call(&[&at(1)])?[0].to_vec::<f32>());
        assert_ne!(first, function.call(&[&at(2)])?[0].to_vec::<f32>());
        let pairs = first.chunks(144).zip(plain.chunks(144));
        let changed = pairs.filter(|(a, b)| a != b).count();
        // Four standard deviations of 100 draws.
        assert!((12..=48).contains(&changed), "{name}: {changed}");
        assert!(first.iter().all(|v| (0.0..=255.0).contains(v)), "{name}");
    }
    Ok(())
}

/// The images that `factor` goes with, and each layer's name with what it can make of them.
fn known(golden: &Value, factor: f64) -> (Array, Vec<(String, Vec<Array>)>) {
    let of_factor = list(golden, "changes")
        .iter()
        .filter(|c| number(&c["factor"]) == factor);
    let of_factor: Vec<&Value> = of_factor.collect();
    let outputs = |c: &Value| list(c, "outputs").iter().map(array).collect();
    let name = |c: &Value| c["layer"].as_str().unwrap().to_string();
    let all = of_factor.iter().map(|c| (name(c), outputs(c))).collect();
    (array(&of_factor[0]["images"]), all)
}

/// The number of times that each layer is chosen, and what is none of them.
#[test]
fn layers_are_chosen_alike_and_do_what_keras_does() -> cornu::Result<()> {
    let golden = golden::load("layers_mixing");
    for (factor, seen) in [(0.0, 6), (0.3, 9)] {
        let (x, known) = known(&golden, factor);
        let layer = RandAugment::new((factor, factor)).num_ops(1);
        let function = in_training(layer, &[&x]);
        let mut counts = std::collections::BTreeMap::new();
        for step in 0..330 {
            let y = function.call(&[&at(step)])?.remove(0);
            let fits = |(_, outputs): &&(String, Vec<Array>)| {
                outputs.iter().any(|o| close(&y, o, 1e-4, 2e-2).is_ok())
            };
            let name = known.iter().find(fits).map_or("none", |(name, _)| name);
            *counts.entry(name.to_string()).or_insert(0) += 1;
        }
        // With a factor of 0 six layers change nothing; with another, two draw more than what is known. Of 330
        // choices each has 30, within five deviations.
        let of = |name: &str| counts.get(name).copied().unwrap_or(0);
        assert_eq!(counts.len(), seen + usize::from(factor > 0.0), "{counts:?}");
        for name in ["equalization", "auto_contrast", "random_sharpness"] {
            assert!((6..=57).contains(&of(name)), "{counts:?}");
        }
        let (rest, expected) = match factor > 0.0 {
            true => ("none", 25..=95),
            false => ("random_shear", 135..=225),
        };
        assert!(expected.contains(&of(rest)), "{counts:?}");
    }
    Ok(())
}

#[test]
fn images_are_mixed_with_versions_of_themselves() -> cornu::Result<()> {
    let golden = golden::load("layers_mixing");
    let (x, known) = known(&golden, 0.3);
    let plain = x.to_vec::<f64>();
    let layer = AugMix::new((0.3, 0.3)).num_chains(1).chain_depth(1);
    let function = in_training(layer, &[&x]);
    let (mut same, mut shares, mut names) = (0, Vec::new(), std::collections::BTreeSet::new());
    for step in 0..330 {
        let y = function.call(&[&at(step)])?.remove(0).to_vec::<f64>();
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        let times = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let moved = apart(&y, &plain);
        if moved.iter().all(|d| d.abs() < 1e-3) {
            same += 1;
            continue;
        }
        // What is moved little lies near every line.
        if moved.iter().all(|d| d.abs() < 5.0) {
            continue;
        }
        // On the line from the images to what one layer makes of them.
        for (name, outputs) in &known {
            for output in outputs {
                let way = apart(&output.to_vec::<f64>(), &plain);
                let far = times(&moved, &way) / times(&way, &way);
                let beside = moved.iter().zip(&way).map(|(m, w)| (m - far * w).abs());
                if beside.fold(0.0, f64::max) < 0.05 {
                    shares.push(far);
                    names.insert(name.clone());
                }
            }
        }
    }
    // None is one of twelve choices; solarization and contrast draw more than what is known.
    assert!((6..=53).contains(&same), "{same}");
    assert!(names.len() >= 8, "{names:?}");
    assert!((170..=330).contains(&shares.len()), "{}", shares.len());
    // Uniform: Beta(1, 1).
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((mean - 0.5).abs() < 0.1, "{mean}");
    assert!(shares.iter().all(|s| (-1e-3..=1.001).contains(s)));
    Ok(())
}

#[test]
fn chains_stay_within_the_range_and_repeat() -> cornu::Result<()> {
    let x = images(3, [5, 6, 3]);
    for layer in [AugMix::new(0.8), AugMix::new(0.8).seed(7).all_ops(false)] {
        let function = in_training(layer, &[&x]);
        let y = function.call(&[&at(1)])?.remove(0);
        assert_eq!(y, function.call(&[&at(1)])?.remove(0));
        assert_ne!(y, function.call(&[&at(2)])?.remove(0));
        assert!(y.to_vec::<f32>().iter().all(|v| (0.0..=255.0).contains(v)));
    }
    Ok(())
}

#[test]
fn batches_are_augmented_before_they_are_trained_on() -> cornu::Result<()> {
    let n = 10;
    let (x, y) = (images(n, [4, 4, 3]), own_labels(n));
    let made = |seed: u64| {
        let data = from_tensor_slices(x.clone(), y.clone()).batch(4);
        data.augment(MixUp::new(0.4)).seed(seed)
    };
    let pass = |data: &dyn Dataset| -> cornu::Result<Vec<Vec<f32>>> {
        let arrays = |e: cornu::Result<cornu::data::Example>| {
            let arrays = e?.into_arrays();
            Ok(arrays.iter().flat_map(|a| a.to_vec::<f32>()).collect())
        };
        data.examples()?.map(arrays).collect()
    };
    let data = made(3);
    let (first, second) = (pass(&data)?, pass(&data)?);
    let sizes: Vec<usize> = first.iter().map(Vec::len).collect();
    assert_eq!(sizes, [4 * 58, 4 * 58, 2 * 58]);
    assert_ne!(first, second);
    assert_eq!(first, pass(&made(3))?);
    assert_ne!(first, pass(&made(4))?);
    // As a training that goes on does.
    let later = made(3);
    later.skip_passes(1)?;
    assert_eq!(second, pass(&later)?);

    // Images alone, and layers that know nothing of labels.
    let alone = from_tensor_slices(x.clone(), ())
        .batch(5)
        .augment(CutMix::new(1.0));
    assert_eq!(pass(&alone)?.len(), 2);
    let flipped = from_tensor_slices(x.clone(), y.clone()).batch(n);
    let flipped = flipped.augment(RandomFlip::new(FlipMode::Horizontal));
    let batch = pass(&flipped)?.remove(0);
    assert_eq!(batch[n * 48..], y.to_vec::<f32>());
    assert_ne!(batch[..n * 48], x.to_vec::<f32>());

    let refused = |e: cornu::Result<Vec<Vec<f32>>>, words: &str| {
        let e = e.unwrap_err().to_string();
        assert!(e.contains(words), "{e}");
    };
    let numbers = Array::from((0..n as i32).collect::<Vec<i32>>());
    let labels = from_tensor_slices(x.clone(), numbers).batch(5);
    refused(pass(&labels.augment(MixUp::new(0.2))), "to_categorical");
    let trained = from_tensor_slices(y.clone(), ())
        .batch(5)
        .augment(Dense::new(2));
    refused(pass(&trained), "\"kernel\"");
    let two = from_tensor_slices((x.clone(), x.clone()), ()).batch(5);
    refused(pass(&two.augment(MixUp::new(0.2))), "2 inputs");
    Ok(())
}

#[test]
fn what_cannot_be_is_refused() {
    let refusal = |layer: Box<dyn Layer>| {
        let class = layer.class_name().to_string();
        let mut model = Sequential::from_layers(vec![layer]);
        let built = model.build_for(&InputShape::batch_of([4, 4, 3]));
        (class, built.unwrap_err().to_string())
    };
    let clahe = ContrastLimitedAdaptiveHistogramEqualization::new;
    let wrong: [(Box<dyn Layer>, &str); 13] = [
        (MixUp::new(0.0).into(), "alpha=0"),
        (MixUp::new(f64::NAN).into(), "alpha=NaN"),
        (CutMix::new(1.5).into(), "1.5"),
        (RandomPerspective::new(0.5).scale(1.5).into(), "scale=1.5"),
        (
            RandomPerspective::new(0.5)
                .interpolation(Interpolation::Bicubic)
                .into(),
            "Bicubic",
        ),
        (RandomElasticTransform::new(0.5).scale(-0.5).into(), "scale"),
        (clahe().tile_grid_size((0, 2)).into(), "tile_grid_size"),
        (clahe().clip_limit(f64::NAN).into(), "clip_limit=NaN"),
        (clahe().value_range(1.0, 0.0).into(), "value_range"),
        (RandAugment::new(0.5).num_ops(65).into(), "At most 64"),
        (AugMix::new(0.5).num_chains(0).into(), "num_chains=0"),
        (
            AugMix::new(0.5).chain_depth(usize::MAX).into(),
            "At most 64",
        ),
        (
            RandomShear::new(0.1, 0.1)
                .fill_mode(FillMode::Mirror)
                .into(),
            "Mirror",
        ),
    ];
    for (layer, words) in wrong {
        let (class, e) = refusal(layer);
        assert!(e.contains(words), "{class}: {e}");
    }
}

/// Keras' other names are the same layers.
#[test]
fn other_names() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Convolution2D::new(4, 3).input_shape([8, 8, 3]));
    model.add(MaxPool2D::new(2));
    model.add(SeparableConvolution2D::new(2, 2));
    model.add(GlobalAvgPool2D::new());
    model.build()?;
    let layers = model.layers();
    let classes: Vec<&str> = layers.iter().map(|l| l.class_name()).collect();
    let own = [
        "Conv2D",
        "MaxPooling2D",
        "SeparableConv2D",
        "GlobalAveragePooling2D",
    ];
    assert_eq!(classes, own);
    // Those that `keras.layers` has, each named in `aliases.rs`.
    let source = include_str!("../../src/layers/aliases.rs");
    let golden = golden::load("layers_signatures");
    let mut count = 0;
    for entry in list(&golden, "classes") {
        let class = entry["class"].as_str().unwrap();
        for name in list(entry, "names").iter().filter_map(Value::as_str) {
            if name != class {
                assert!(source.contains(&format!("{name} = {class},")), "{name}");
                count += 1;
            }
        }
    }
    let named = source
        .lines()
        .filter(|l| l.contains(" = ") && l.ends_with(','));
    assert_eq!(count, named.count(), "names that Keras has not");
    Ok(())
}
