"""layers_preprocessing.json: moments, bins, categories, and images resized, moved and recoloured."""

from make_common import array, f32, jnp, keras, normal, np, plain, uniform
from make_layers import case

FIRST = {"data_format": "channels_first"}


def moments(rng):
    x2, x3 = normal(rng, 4, 3), normal(rng, 2, 3, 4)
    cases = []
    for x, config in [
        (x2, {}), (x3, {}), (x3, {"axis": 1}), (x3, {"axis": (1, 2)}), (x3, {"axis": None}),
        (x2, {"invert": True}),
    ]:  # fmt: skip
        axes = config.get("axis", -1)
        axes = () if axes is None else (axes,) if isinstance(axes, int) else axes
        shape = tuple(x.shape[a] for a in axes)
        weights = [normal(rng, *shape), uniform(rng, *shape), np.int32(0)]
        cases.append(case(rng, "Normalization", config, x, weights=weights))
    for x, config in [
        (x2, {"mean": 0.5, "variance": 4.0}),
        (x2, {"mean": [0.5, -1.0, 2.0], "variance": [4.0, 0.25, 0.0]}),
        (x3, {"axis": 1, "mean": [0.5, -1.0, 2.0], "variance": [4.0, 0.25, 9.0], "invert": True}),
        (x3, {"axis": (1, 2), "mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 16.0]}),
    ]:
        cases.append(case(rng, "Normalization", config, x))
    return cases


def bins(rng):
    x2, x3 = normal(rng, 4, 3), normal(rng, 2, 3, 2)
    cases = []
    for mode in ("int", "one_hot", "multi_hot", "count"):
        config = {"bin_boundaries": [-1.0, 0.0, 0.5], "output_mode": mode}
        cases += [case(rng, "Discretization", config, x) for x in (x2, x3)]
    edges = f32([[-1.0, 0.0, 0.5, -3.0]])
    cases.append(case(rng, "Discretization", {"bin_boundaries": [-1.0, 0.0, 0.5]}, edges))
    ids, one = rng.integers(0, 5, (3, 4)).astype("int32"), np.int32([[2], [4]])
    for mode in ("one_hot", "multi_hot", "count"):
        config = {"num_tokens": 5, "output_mode": mode}
        cases += [case(rng, "CategoryEncoding", config, x) for x in (ids, one)]
    return cases


def sizes(rng):
    x, first = normal(rng, 2, 5, 7, 2), normal(rng, 2, 2, 5, 7)
    cases = []
    for way in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        for size in ((3, 4), (8, 9)):
            config = {"height": size[0], "width": size[1], "interpolation": way}
            cases.append(case(rng, "Resizing", config, x))
    for config in [
        {"antialias": True}, {"antialias": True, "interpolation": "bicubic"},
        {"antialias": True, "interpolation": "lanczos3"}, {"crop_to_aspect_ratio": True},
        {"pad_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 2.5},
    ]:  # fmt: skip
        for size in ((3, 4), (4, 3), (6, 2)):
            cases.append(case(rng, "Resizing", {"height": size[0], "width": size[1], **config}, x))
    cases.append(case(rng, "Resizing", {"height": 3, "width": 4, **FIRST}, first))
    cases.append(case(rng, "Resizing", {"height": 5, "width": 4}, x))
    for size in ((3, 4), (2, 2), (5, 7), (6, 3), (4, 9)):
        config = {"height": size[0], "width": size[1]}
        cases.append(case(rng, "CenterCrop", config, x))
        cases.append(case(rng, "CenterCrop", {**config, **FIRST}, first))
    return cases


def augmentations(rng):
    """Outside training nothing changes; in training, factors of one value leave nothing to chance."""
    x, first = uniform(rng, 2, 4, 5, 2, high=255), uniform(rng, 2, 2, 4, 5, high=255)
    cases = []
    for cls, config in [
        ("RandomFlip", {}), ("RandomFlip", {"mode": "horizontal", "seed": 3}),
        ("RandomRotation", {"factor": 0.2}), ("RandomRotation", {"factor": (-0.1, 0.3)}),
        ("RandomZoom", {"height_factor": 0.2}),
        ("RandomZoom", {"height_factor": (0.1, 0.2), "width_factor": 0.3, "fill_value": 1.0}),
        ("RandomTranslation", {"height_factor": 0.2, "width_factor": (-0.1, 0.3)}),
        ("RandomContrast", {"factor": 0.2}), ("RandomContrast", {"factor": (0.1, 0.3)}),
        ("RandomBrightness", {"factor": 0.2, "value_range": (0, 1)}),
        ("RandomBrightness", {"factor": (-0.1, 0.3), **FIRST}),
    ]:  # fmt: skip
        cases.append(case(rng, cls, config, x, note="inference"))
    always = [
        ("RandomRotation", {"factor": (0.1, 0.1)}),
        ("RandomRotation", {"factor": (-0.25, -0.25), "interpolation": "nearest"}),
        ("RandomZoom", {"height_factor": (0.2, 0.2)}),
        ("RandomZoom", {"height_factor": (-0.3, -0.3), "width_factor": (0.4, 0.4)}),
        ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)}),
        ("RandomContrast", {"factor": (0.0, 0.0)}),
        ("RandomBrightness", {"factor": (0.3, 0.3)}),
    ]
    for cls, config in always:
        cases.append(case(rng, cls, config, x, training=True))
        cases.append(case(rng, cls, {**config, **FIRST}, first, training=True))
    moved = {"height_factor": (0.3, 0.3), "width_factor": (-0.4, -0.4)}
    for mode in ("reflect", "wrap", "constant", "nearest"):
        config = {**moved, "fill_mode": mode, "fill_value": 7.0}
        cases.append(case(rng, "RandomTranslation", config, x, training=True))
    return cases


def colours(rng):
    """As `augmentations`, of the layers that change colours and parts of images."""
    x, first = uniform(rng, 2, 3, 4, 3, high=255), uniform(rng, 2, 3, 3, 4, high=255)
    unit = uniform(rng, 2, 3, 4, 3)
    share = {"value_range": (0, 1)}
    jitter = {"brightness_factor": (0.2, 0.2), "contrast_factor": (0.0, 0.0),
              "saturation_factor": (0.6, 0.6), "hue_factor": (1.0, 1.0)}  # fmt: skip
    always = [
        ("AutoContrast", {}, None), ("AutoContrast", share, None),
        ("Equalization", {}, FIRST), ("Equalization", {"bins": 8}, FIRST), ("Equalization", share, None),
        ("Solarization", {}, FIRST), ("Solarization", share, None),
        ("RandomGrayscale", {"factor": 1.0}, FIRST), ("RandomGrayscale", {"factor": 0.0}, None),
        ("RandomColorDegeneration", {"factor": (0.3, 0.3)}, FIRST),
        ("RandomColorDegeneration", {"factor": (-0.4, -0.4)}, None),
        ("RandomSaturation", {"factor": (0.3, 0.3)}, FIRST),
        ("RandomSaturation", {"factor": (0.8, 0.8), **share}, None),
        ("RandomHue", {"factor": (1.0, 1.0)}, FIRST), ("RandomHue", {"factor": (1.0, 1.0), **share}, None),
        ("RandomSharpness", {"factor": (0.1, 0.1)}, FIRST),
        ("RandomSharpness", {"factor": (0.9, 0.9)}, None),
        ("RandomInvert", {"factor": (1.0, 1.0)}, FIRST), ("RandomInvert", {"factor": (0.0, 0.0)}, None),
        ("RandomPosterization", {"factor": 1}, FIRST), ("RandomPosterization", {"factor": (5, 5)}, None),
        ("RandomPosterization", {"factor": (3, 3), **share}, None),
        ("RandomColorJitter", jitter, None), ("RandomColorJitter", {"hue_factor": (0.0, 0.0)}, None),
        ("RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 7.0}, FIRST),
        ("RandomErasing", {"factor": (0.0, 0.0)}, None),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.7, 0.7)}, FIRST),
        ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (1.0, 1.0), "kernel_size": (5, 3)}, None),
        ("RandomShear", {}, FIRST),
    ]
    cases = []
    for cls, config, other in always:
        image = unit if config.get("value_range") == (0, 1) else x
        cases.append(case(rng, cls, config, image, training=True))
        if other:
            cases.append(case(rng, cls, {**config, **other}, first, training=True))
    for cls, config in [
        ("AutoContrast", {}), ("Equalization", {}), ("RandomPosterization", {"factor": (2, 6)}),
        ("Solarization", {"addition_factor": 0.2, "threshold_factor": (0.1, 0.3), "seed": 3}),
        ("RandomGrayscale", {}), ("RandomHue", {"factor": 0.2}), ("RandomInvert", {}),
        ("RandomSaturation", {"factor": 0.2}), ("RandomSharpness", {"factor": 0.2}),
        ("RandomColorDegeneration", {"factor": 0.3}), ("RandomErasing", {}), ("RandomGaussianBlur", {}),
        ("RandomColorJitter", {"brightness_factor": 0.3, "hue_factor": (0.1, 0.2)}),
        ("RandomShear", {"x_factor": 0.2, "y_factor": (0.1, 0.3), "fill_mode": "wrap"}),
    ]:  # fmt: skip
        cases.append(case(rng, cls, config, x, note="inference"))
    return cases


def affine(rng):
    x = normal(rng, 3, 4, 5, 2)
    maps = normal(rng, 3, 8)
    maps[:, 6:] = 0
    maps[:, [2, 5]] *= 4
    cases = []
    for mode in ("reflect", "wrap", "constant", "nearest"):
        for way in ("nearest", "bilinear"):
            y = keras.ops.image.affine_transform(
                jnp.asarray(x), jnp.asarray(maps), way, mode, 0.5, data_format="channels_last"
            )
            cases.append({
                "images": array(x), "transforms": array(maps[:, :6]), "interpolation": way,
                "fill_mode": mode, "fill_value": 0.5, "output": array(y),
            })  # fmt: skip
    return cases


def adapted(rng):
    cases = []
    for shape, config in [((6, 3), {}), ((4, 3, 2), {"axis": 1}), ((4, 3), {"axis": None})]:
        x = normal(rng, *shape, scale=3)
        layer = keras.layers.Normalization(**config)
        layer.adapt(x)
        cases.append({
            "class": "Normalization", "config": plain(config), "data": array(x),
            "weights": [array(w.numpy()) for w in layer.weights], "output": array(layer(x)),
        })  # fmt: skip
    for n, config in [(7, {"num_bins": 3}), (500, {"num_bins": 4}), (500, {"num_bins": 7}),
                      (130, {"num_bins": 5, "epsilon": 0.1}), (3, {"num_bins": 10})]:  # fmt: skip
        x = normal(rng, n, scale=3)
        layer = keras.layers.Discretization(**config)
        # What adapt() does, which itself asks for TensorFlow.
        layer.update_state(x)
        layer.finalize_state()
        cases.append({
            "class": "Discretization", "config": plain(config), "data": array(x),
            "bin_boundaries": plain(layer.bin_boundaries),
        })  # fmt: skip
    return cases


def build():
    rng = np.random.default_rng(111)
    cases = moments(rng) + bins(rng) + sizes(rng) + augmentations(rng)
    return {
        "cases": cases + colours(np.random.default_rng(113)),
        "affine": affine(rng),
        "adapted": adapted(rng),
    }
