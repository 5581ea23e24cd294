//! What layers find in data, and images changed at random, against Keras and against laws.

use crate::golden::{self, Report, array, close, number, usize_of};
use cornu::image::{FillMode, Interpolation, affine_transform};
use cornu::layers::{Factor, Layer};
use cornu::prelude::*;

#[test]
fn affine_maps_of_images() -> cornu::Result<()> {
    let golden = golden::load("layers_preprocessing");
    let mut report = Report::default();
    for case in golden["affine"].as_array().unwrap() {
        let typed = |key: &str| case[key].clone();
        let interpolation: Interpolation = serde_json::from_value(typed("interpolation")).unwrap();
        let fill_mode: FillMode = serde_json::from_value(typed("fill_mode")).unwrap();
        let y = affine_transform(
            &golden::tensor(&case["images"]),
            &golden::tensor(&case["transforms"]),
            interpolation,
            fill_mode,
            number(&case["fill_value"]),
        );
        let outcome = close(&y.eval()?, &array(&case["output"]), 1e-4, 1e-5);
        report.add(|| format!("{interpolation:?} {fill_mode:?}"), outcome);
    }
    report.finish(8);
    Ok(())
}

#[test]
fn what_is_found_in_data() -> cornu::Result<()> {
    let golden = golden::load("layers_preprocessing");
    let mut report = Report::default();
    for case in golden["adapted"].as_array().unwrap() {
        let (config, data) = (&case["config"], array(&case["data"]));
        let name = format!("{} {config}", case["class"]);
        if case["class"] == "Discretization" {
            let mut layer = Discretization::of_bins(usize_of(&config["num_bins"]));
            if let Some(epsilon) = config["epsilon"].as_f64() {
                layer = layer.epsilon(epsilon);
            }
            let layer = layer.adapt(&data)?;
            let found = layer.bin_boundaries().unwrap().to_vec();
            let want: Vec<f64> = case["bin_boundaries"]
                .as_array()
                .unwrap()
                .iter()
                .map(number)
                .collect();
            let n = found.len();
            let outcome = close(
                &Array::from_vec([n], found)?,
                &Array::from_vec([want.len()], want)?,
                1e-5,
                1e-6,
            );
            report.add(|| name, outcome);
            continue;
        }
        let layer = match (config.get("axis"), config["axis"].as_i64()) {
            (None, _) => Normalization::new(),
            (Some(_), Some(axis)) => Normalization::new().axis(axis as isize),
            (Some(_), None) => Normalization::new().without_axis(),
        };
        let layer = layer.adapt(&data)?;
        let mut model = Sequential::new();
        model.add(layer.input_shape(data.shape()[1..].to_vec()));
        model.build()?;
        let weights = case["weights"].as_array().unwrap();
        for (own, want) in model.weights().iter().zip(weights) {
            let outcome = close(&own.variable.read(), &array(want), 1e-5, 1e-6);
            report.add(|| format!("{name}, {}", own.name), outcome);
        }
        let outcome = close(&model.predict(&data)?, &array(&case["output"]), 1e-5, 1e-6);
        report.add(|| name, outcome);
    }
    report.finish(17);
    Ok(())
}

/// What a layer makes of images in the `step`-th step of training.
fn in_training(layer: impl Into<Box<dyn Layer>>, x: &Array, step: i32) -> cornu::Result<Array> {
    let mut model = Sequential::from_layers(vec![layer.into()]);
    model.build_for(&cornu::layers::InputShape::batch_of(
        x.shape()[1..].to_vec(),
    ))?;
    let state = Tensor::constant([5i32, 9, step]);
    let x = Tensor::constant(x.clone());
    model.call_with(&x, Some(&state))?.output.eval()
}

/// Images of different numbers in each cell.
fn images(n: usize, height: usize, width: usize) -> Array {
    let values: Vec<f32> = (0..n * height * width * 2).map(|i| i as f32).collect();
    Array::from_vec([n, height, width, 2], values).unwrap()
}

#[test]
fn flips_turn_round_about_half_of_the_images() -> cornu::Result<()> {
    let x = images(200, 2, 3);
    let row = x.size() / 200;
    let turned = Tensor::constant(x.clone()).flip(2).eval()?.to_vec::<f32>();
    let plain = x.to_vec::<f32>();
    let y = in_training(RandomFlip::new(FlipMode::Horizontal), &x, 1)?.to_vec::<f32>();
    let mut count = 0;
    for (i, image) in y.chunks(row).enumerate() {
        let at = i * row..(i + 1) * row;
        count += usize::from(image == &turned[at.clone()]);
        assert!(image == &turned[at.clone()] || image == &plain[at]);
    }
    // Four standard deviations of 200 fair draws.
    assert!((72..=128).contains(&count), "{count}");
    Ok(())
}

#[test]
fn draws_differ_between_images_and_steps_and_repeat() -> cornu::Result<()> {
    let x = Array::full(DType::F32, [40, 2, 2, 1], 100.0);
    let layer = || RandomBrightness::new(0.2);
    let y = in_training(layer(), &x, 1)?;
    assert_eq!(y, in_training(layer(), &x, 1)?);
    assert_ne!(y, in_training(layer(), &x, 2)?);
    let values = y.to_vec::<f32>();
    let mut firsts: Vec<f32> = Vec::new();
    for image in values.chunks(4) {
        assert!(
            image
                .iter()
                .all(|v| *v == image[0] && (v - 100.0).abs() <= 51.0)
        );
        firsts.push(image[0]);
    }
    firsts.sort_by(f32::total_cmp);
    firsts.dedup();
    assert_eq!(firsts.len(), 40);
    assert!(firsts[0] < 85.0 && firsts[39] > 115.0, "{firsts:?}");
    Ok(())
}

#[test]
fn contrast_keeps_the_mean_of_each_channel() -> cornu::Result<()> {
    let x = images(3, 4, 4);
    let layer = RandomContrast::new((0.5, 0.5)).value_range(-1e6, 1e6);
    let y = in_training(layer, &x, 1)?;
    assert_ne!(x, y);
    let mean = |a: &Array| Tensor::constant(a.clone()).mean_axes(&[1, 2], false).eval();
    assert_eq!(close(&mean(&y)?, &mean(&x)?, 1e-5, 1e-4), Ok(()));
    Ok(())
}

#[test]
fn maps_that_change_nothing() -> cornu::Result<()> {
    let x = images(2, 3, 4);
    let none = Factor::Between(0.0, 0.0);
    let same = |y: Array| assert_eq!(close(&y, &x, 1e-5, 1e-4), Ok(()));
    same(in_training(RandomRotation::new(none), &x, 1)?);
    same(in_training(
        RandomRotation::new((1.0, 1.0)).fill_mode(FillMode::Nearest),
        &x,
        1,
    )?);
    same(in_training(RandomZoom::new(none), &x, 1)?);
    same(in_training(RandomTranslation::new(none, none), &x, 1)?);
    // A whole width round.
    let round = RandomTranslation::new(none, (1.0, 1.0)).fill_mode(FillMode::Wrap);
    same(in_training(round, &x, 1)?);
    Ok(())
}

#[test]
fn crops_are_windows_at_every_place() -> cornu::Result<()> {
    let x = images(2, 4, 5);
    let whole = Tensor::constant(x.clone());
    let mut seen = std::collections::BTreeSet::new();
    for step in 0..60 {
        let y = in_training(RandomCrop::new(3, 3), &x, step)?;
        let first = y.to_vec::<f32>()[0] as usize / 2;
        let (row, column) = (first / 5, first % 5);
        let window = whole.narrow(1, row, 3).narrow(2, column, 3).eval()?;
        assert_eq!(y, window);
        seen.insert((row, column));
    }
    assert_eq!(seen.len(), 6);
    // Outside training: the middle, fitted.
    let mut model = Sequential::new();
    model.add(RandomCrop::new(2, 2).input_shape([2, 4, 1]));
    model.build()?;
    let rows = [0.0f32, 1.0, 2.0, 3.0].repeat(2);
    let y = model.predict(&Array::from_vec([1, 2, 4, 1], rows)?)?;
    assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 1.0, 2.0]);
    Ok(())
}

#[test]
fn counted_categories_have_weights() -> cornu::Result<()> {
    let (ids, weights) = (Input::new([3]).symbol(), Input::new([3]).symbol());
    let count = CategoryEncoding::new(3).output_mode(OutputMode::Count);
    let model = Model::new([&ids, &weights], count.on([&ids, &weights]))?;
    let (x, w) = (Array::from([[0, 2, 2]]), Array::from([[0.5f32, 1.0, 0.25]]));
    assert_eq!(model.predict((&x, &w))?.to_vec::<f32>(), [0.5, 0.0, 1.25]);
    Ok(())
}

/// The error of a layer built for samples of this shape.
fn refusal(layer: impl Into<Box<dyn Layer>>, shape: &[usize]) -> String {
    let mut model = Sequential::from_layers(vec![layer.into()]);
    let input = cornu::layers::InputShape::batch_of(shape.to_vec());
    model.build_for(&input).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_is_refused() {
    let says = |e: String, layer: &str, what: &str| {
        assert!(e.contains(layer) && e.contains(what), "{e}");
    };
    let image = [4, 4, 1];
    says(
        refusal(Resizing::new(0, 3), &image),
        "resizing",
        "height=0, width=3",
    );
    says(refusal(Resizing::new(3, 3), &[4]), "resizing", "(None, 4)");
    let both = Resizing::new(3, 3)
        .crop_to_aspect_ratio(true)
        .pad_to_aspect_ratio(true);
    says(refusal(both, &image), "resizing", "either crops or pads");
    says(
        refusal(RandomRotation::new(2.0), &image),
        "random_rotation",
        "between -1 and 1",
    );
    let cubic = RandomZoom::new(0.1).interpolation(Interpolation::Bicubic);
    says(refusal(cubic, &image), "random_zoom", "Received: Bicubic");
    says(
        refusal(RandomZoom::new(-1.0), &image),
        "random_zoom",
        "height_factor",
    );
    let range = RandomContrast::new(0.1).value_range(1.0, 0.0);
    says(
        refusal(range, &image),
        "random_contrast",
        "value_range=[1, 0]",
    );
    says(
        refusal(RandomBrightness::new(f64::NAN), &image),
        "random_brightness",
        "NaN",
    );
    says(
        refusal(CategoryEncoding::new(0), &[3]),
        "category_encoding",
        "num_tokens=0",
    );
    says(
        refusal(Discretization::of_bins(3), &[3]),
        "discretization",
        "call adapt()",
    );
    says(
        refusal(Discretization::new([1.0, 0.0]), &[3]),
        "discretization",
        "must rise",
    );
    let moments = Normalization::new().moments([1.0, 2.0], [1.0, 2.0]);
    says(
        refusal(moments, &[3]),
        "normalization",
        "2 and 2 for input shape (None, 3)",
    );
    let adapted = Normalization::new()
        .adapt(Array::from([[1.0f32, 2.0]]))
        .unwrap();
    says(refusal(adapted, &[3]), "normalization", "(None, 3)");
    says(
        refusal(UpSampling2D::new(0), &image),
        "up_sampling2d",
        "size=[0, 0]",
    );
    says(
        refusal(EinsumDense::new("ab,bc", 3), &[4]),
        "einsum_dense",
        "\"ab,bc\"",
    );
    says(
        refusal(EinsumDense::new("abc,cd->abd", 3), &[4]),
        "einsum_dense",
        "2 axes and not the 3",
    );
    let shared = EinsumDense::new("abc,cd->abd", [5, 3]);
    says(
        refusal(shared, &[4, 2]),
        "einsum_dense",
        "'b' has 4 cells in the input and 5",
    );
    let bias = EinsumDense::new("ab,bc->ac", 3).bias_axes("x");
    says(refusal(bias, &[4]), "einsum_dense", "'x'");
    says(
        refusal(ReversibleEmbedding::new(0, 2), &[4]),
        "reversible_embedding",
        "input_dim=0",
    );
    let groups = GroupedQueryAttention::new(2, 3, 2);
    says(
        refusal(groups, &[4, 2]),
        "grouped_query_attention",
        "num_query_heads=3",
    );
    let axes = MultiHeadAttention::new(1, 2).attention_axes(3);
    says(
        refusal(axes, &[4, 2]),
        "multi_head_attention",
        "[3] for an input of 3 axes",
    );
    says(
        refusal(Attention::new(), &[4, 2]),
        "attention",
        "2 to 3 inputs. Received: 1",
    );

    let (a, b) = (Input::new([3]).symbol(), Input::new([4]).symbol());
    let e = Dot::new(1).on([&a, &b]).check().unwrap_err().to_string();
    says(e, "dot", "(None, 3) and (None, 4)");
    let e = Dot::new(0).on([&a, &b]).check().unwrap_err().to_string();
    says(e, "dot", "not the batch's");

    let object =
        serde_json::json!({"class_name": "Lambda", "config": {"name": "f", "function": "x"}});
    let e = cornu::layers::from_config(&object).unwrap_err().to_string();
    says(e, "f", "A Lambda is a function, which no file holds");
}

/// Images in colour whose values are all different.
fn colours(n: usize) -> Array {
    let values: Vec<f32> = (0..n * 48).map(|i| (i * 37 % 251) as f32).collect();
    Array::from_vec([n, 4, 4, 3], values).unwrap()
}

#[test]
fn a_share_of_the_images_is_changed_and_the_rest_is_left() -> cornu::Result<()> {
    let x = colours(200);
    let layers: [Box<dyn Layer>; 4] = [
        RandomInvert::new((0.3, 0.3)).into(),
        RandomGrayscale::new(0.3).into(),
        RandomErasing::new((0.3, 0.3)).scale((0.5, 0.5)).into(),
        RandomGaussianBlur::new((0.3, 0.3)).sigma((0.5, 0.5)).into(),
    ];
    for layer in layers {
        let name = layer.class_name().to_string();
        let y = in_training(layer, &x, 1)?.to_vec::<f32>();
        let x = x.to_vec::<f32>();
        let changed = y
            .chunks(48)
            .zip(x.chunks(48))
            .filter(|(y, x)| y != x)
            .count();
        // Four standard deviations of 200 draws.
        assert!((34..=86).contains(&changed), "{name}: {changed}");
        assert!(y.iter().all(|v| (0.0..=255.0).contains(v)), "{name}");
    }
    Ok(())
}

#[test]
fn what_is_erased_is_one_rectangle_of_the_size_asked_for() -> cornu::Result<()> {
    let x = Array::full(DType::F32, [50, 8, 6, 3], 9.0);
    let layer = || RandomErasing::new((1.0, 1.0)).scale((0.25, 0.25));
    let y = in_training(layer().fill_colour([1.0, 2.0, 3.0]), &x, 3)?.to_vec::<f32>();
    let mut corners = std::collections::BTreeSet::new();
    for image in y.chunks(8 * 6 * 3) {
        let erased: Vec<usize> = (0..48).filter(|i| image[3 * i] != 9.0).collect();
        assert!(
            erased
                .iter()
                .all(|i| image[3 * i..3 * i + 3] == [1.0, 2.0, 3.0])
        );
        let (first, last) = (erased[0], erased[erased.len() - 1]);
        let (height, width) = (last / 6 - first / 6 + 1, last % 6 - first % 6 + 1);
        assert_eq!((erased.len(), height, width), (12, 4, 3));
        corners.insert(first);
    }
    assert!(corners.len() > 5, "{corners:?}");
    Ok(())
}

#[test]
fn images_are_sheared_and_hues_turned_either_way() -> cornu::Result<()> {
    let x = colours(20);
    let y = in_training(RandomShear::new((0.5, 0.5), 0.0), &x, 1)?;
    let hue = in_training(RandomHue::new((0.4, 0.4)), &x, 1)?;
    let whole = Tensor::constant(x);
    let mut ways = std::collections::BTreeSet::new();
    for i in 0..20 {
        let image = |a: &Array| Tensor::constant(a.clone()).narrow(0, i, 1);
        let one = whole.narrow(0, i, 1);
        let (sheared, turned) = (image(&y).eval()?, image(&hue).eval()?);
        let fits = |way: f32| -> cornu::Result<(bool, bool)> {
            let map = Tensor::constant([[1.0, 0.5 * way, 0.0, 0.0, 1.0, 0.0]]);
            let by = (Interpolation::Bilinear, FillMode::Reflect);
            let moved = affine_transform(&one, &map, by.0, by.1, 0.0).eval()?;
            let hsv = cornu::image::rgb_to_hsv(&(&one / 255.0));
            let parts = [hsv.narrow(-1, 0, 1) + 0.2 * way, hsv.narrow(-1, 1, 2)];
            let rgb = cornu::image::hsv_to_rgb(&Tensor::concat(&parts, -1)) * 255.0;
            let near = |a: &Array, b: &Array| close(a, b, 1e-4, 1e-2).is_ok();
            Ok((near(&moved, &sheared), near(&rgb.eval()?, &turned)))
        };
        let (ahead, back) = (fits(1.0)?, fits(-1.0)?);
        assert!((ahead.0 || back.0) && (ahead.1 || back.1), "{i}");
        ways.insert((ahead, back));
    }
    assert!(ways.len() > 1, "{ways:?}");
    Ok(())
}

#[test]
fn colours_that_cannot_be_are_refused() {
    let says = |e: String, what: &str| assert!(e.contains(what), "{e}");
    let grey = [4, 4, 1];
    says(
        refusal(RandomHue::new(0.1), &grey),
        "images of three channels",
    );
    says(
        refusal(RandomGrayscale::new(0.5), &[4, 4, 2]),
        "three channels, or one",
    );
    says(refusal(RandomGrayscale::new(1.5), &grey), "between 0 and 1");
    says(
        refusal(Equalization::new().bins(0), &grey),
        "bins must be a positive integer",
    );
    says(
        refusal(AutoContrast::new().value_range(1.0, 1.0), &grey),
        "from a lower to a higher",
    );
    let even = RandomGaussianBlur::new(1.0).kernel_size((3, 4));
    says(
        refusal(even, &grey),
        "kernel_size must be odd numbers. Received: kernel_size=[3, 4]",
    );
    let colour = RandomErasing::new(1.0).fill_colour([0.0; 3]);
    says(refusal(colour, &grey), "fills images of three channels");
    says(
        refusal(Solarization::new().threshold_factor(2.0), &grey),
        "threshold_factor",
    );
    says(
        refusal(RandomPosterization::new(9.0), &grey),
        "between 1 and 8",
    );
    let jitter = RandomColorJitter::new().hue_factor(0.1);
    says(refusal(jitter, &grey), "images of three channels");
}
