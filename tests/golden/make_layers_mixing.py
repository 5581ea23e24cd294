"""layers_mixing.json: images mixed, cut, bent, seen in perspective, equalised by tiles, and changed by chosen layers."""

from make_common import array, jnp, keras, normal, np, uniform
from make_layers import case

FIRST = {"data_format": "channels_first"}
UNIT = {"value_range": (0, 1)}
L = keras.layers


def cases(rng):
    """Outside training nothing changes but by CLAHE; in training, what leaves nothing to chance."""
    x, first = uniform(rng, 2, 5, 6, 3, high=255), uniform(rng, 2, 3, 5, 6, high=255)
    one, unit = uniform(rng, 1, 4, 5, 3, high=255), uniform(rng, 2, 5, 6, 3)
    clahe = "ContrastLimitedAdaptiveHistogramEqualization"
    all_cases = []
    for config in [
        {}, {"tile_grid_size": (2, 3)}, {"tile_grid_size": (1, 1), "clip_limit": 0.0},
        {"tile_grid_size": (3, 2), "clip_limit": 40.0}, {"tile_grid_size": (4, 5), "clip_limit": 1.0},
        {"tile_grid_size": (7, 9)},
    ]:  # fmt: skip
        all_cases.append(case(rng, clahe, config, x))
        all_cases.append(case(rng, clahe, {**config, **FIRST}, first))
        all_cases.append(case(rng, clahe, {**config, **UNIT}, unit))
    # Few values in large tiles, so that counts differ and the limit cuts.
    steps = np.floor(uniform(rng, 1, 24, 20, 1, high=9)) ** 2
    for limit in (4.0, 20.0, 90.0):
        config = {"tile_grid_size": (2, 2), "clip_limit": limit}
        all_cases.append(case(rng, clahe, config, steps.astype("float32"), training=True))
    for cls, config in [
        ("MixUp", {}), ("MixUp", {"alpha": 0.4, "seed": 3}), ("CutMix", {}), ("CutMix", {"factor": (0.2, 0.7)}),
        ("RandomPerspective", {}), ("RandomPerspective", {"factor": 0.3, "scale": 0.2, "fill_value": 3.0}),
        ("RandomElasticTransform", {}), ("RandomElasticTransform", {"factor": (0.1, 0.4), "scale": 0.2}),
        ("RandomElasticTransform", {"fill_mode": "mirror", "interpolation": "nearest"}),
        ("RandAugment", {}), ("RandAugment", {"factor": 0.2, "num_ops": 4, **UNIT}), ("AugMix", {}),
        ("AugMix", {"all_ops": False, "alpha": 0.5, "num_chains": 2, "chain_depth": 1, "factor": (0.1, 0.2)}),
    ]:  # fmt: skip
        all_cases.append(case(rng, cls, config, x, note="inference"))
        all_cases.append(case(rng, cls, {**config, **FIRST}, first, note="inference"))
    for cls, config in [
        ("RandomPerspective", {"factor": 0.0}), ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.0}),
        ("RandomElasticTransform", {"factor": 0.0}), ("RandomElasticTransform", {"scale": 0.0}),
        ("RandAugment", {"num_ops": 0}), ("AugMix", {"chain_depth": 0}),
    ]:  # fmt: skip
        all_cases.append(case(rng, cls, config, x, training=True))
        all_cases.append(case(rng, cls, {**config, **FIRST}, first, training=True))
    # Alone in its batch an image is mixed with itself.
    all_cases += [case(rng, cls, {}, one, training=True) for cls in ("MixUp", "CutMix")]
    return all_cases


def bytes_of_images(rng):
    """CLAHE keeps whole numbers."""
    x = rng.integers(0, 256, (2, 6, 5, 2)).astype("uint8")
    layer = L.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
    return [{"images": array(x), "output": array(layer(x))}]


def mixed(rng):
    """The layers with what they draw given."""
    labels, order = uniform(rng, 4, 3), np.array([2, 0, 3, 1])
    weight, top, left = (uniform(rng, 4, low=0.1, high=0.9) for _ in range(3))
    entries = []
    for cls in (L.MixUp, L.CutMix):
        for fmt, shape in (("channels_last", (4, 5, 6, 2)), ("channels_first", (4, 2, 5, 6))):
            layer = cls(data_format=fmt)
            x = uniform(rng, *shape)
            given = {"permutation_order": jnp.asarray(order), "mix_weight": jnp.asarray(weight)}
            if cls is L.CutMix:
                # As `_compute_crop_bounds` does, with its random numbers given.
                ratio = jnp.sqrt(1.0 - weight)
                y0, x0 = top * (5 - ratio * 5), left * (6 - ratio * 6)
                masks, mix = layer._generate_batch_mask(shape, (x0, x0 + ratio * 6, y0, y0 + ratio * 5))
                given |= {"batch_masks": masks, "mix_weight": mix}
            entries.append({
                "class": cls.__name__, "data_format": fmt, "images": array(x), "labels": array(labels),
                "order": array(order.astype("int32")), "weight": array(weight), "top": array(top), "left": array(left),
                "mixed_images": array(layer.transform_images(jnp.asarray(x), given)),
                "mixed_labels": array(layer.transform_labels(jnp.asarray(labels), given)),
            })  # fmt: skip
    return entries


def bent(rng):
    """How far an elastic transform moves each cell, for given noise."""
    layer, entries = L.RandomElasticTransform(), []
    for height, width in ((7, 9), (60, 40), (33, 33)):
        for scale in (0.05, 0.9):
            noise = normal(rng, 2, height, width)
            alpha, sigma = layer.get_elastic_transform_params(height, width, scale)
            size = int(6 * np.float32(sigma)) | 1
            moved = keras.ops.image.gaussian_blur(
                jnp.asarray(noise * np.float32(sigma))[..., None], (size, size), (sigma, sigma), data_format="channels_last"
            )
            entries.append({
                "scale": scale, "noise": array(noise), "moved": array(moved[..., 0] * alpha),
            })  # fmt: skip
    return entries


def coordinates(rng):
    x, entries = normal(rng, 2, 4, 5, 2), []
    rows, columns = normal(rng, 2, 3, 7, scale=5), normal(rng, 2, 3, 7, scale=5)
    for mode in ("reflect", "mirror", "wrap", "constant", "nearest"):
        for order, way in enumerate(("nearest", "bilinear")):
            y = np.stack([
                np.stack([
                    keras.ops.image.map_coordinates(x[b, ..., c], np.stack([rows[b], columns[b]]), order, mode, 0.5)
                    for c in range(2)
                ], -1)
                for b in range(2)
            ])  # fmt: skip
            entries.append({
                "images": array(x), "rows": array(rows), "columns": array(columns), "interpolation": way,
                "fill_mode": mode, "fill_value": 0.5, "output": array(y),
            })  # fmt: skip
    return entries


def perspective(rng):
    entries = []
    for height, width in ((5, 6), (9, 4)):
        x = normal(rng, 3, height, width, 2)
        corners = np.float32([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
        start = np.stack([corners] * 3)
        for way in ("nearest", "bilinear"):
            for end in (start * (1 + uniform(rng, 3, 4, 2, low=-0.5, high=0.5)), start + normal(rng, 3, 4, 2, scale=0.4)):
                y = keras.ops.image.perspective_transform(
                    jnp.asarray(x), jnp.asarray(start), jnp.asarray(end), way, 0.5, data_format="channels_last"
                )
                entries.append({
                    "images": array(x), "start_points": array(start), "end_points": array(end), "interpolation": way,
                    "fill_value": 0.5, "output": array(y),
                })  # fmt: skip
    return entries


def changes(rng):
    """What each layer of RandAugment makes of images where the factor leaves nothing to chance, but for the direction
    of a shear."""
    x, entries = uniform(rng, 1, 6, 7, 3, low=20, high=230), []
    for factor in (0.0, 0.3):
        layer = L.RandAugment(factor=(factor, factor), num_ops=1)
        for i, name in enumerate(layer._AUGMENT_LAYERS):
            if name in ("solarization", "random_contrast") and factor:
                continue  # Their two ends differ.
            outputs = []
            for seed in range(12 if name == "random_shear" else 3):
                keras.utils.set_random_seed(seed)
                given = layer.get_random_transformation(jnp.asarray(x))
                given["layer_idxes"] = [i]
                y = np.asarray(layer.transform_images(jnp.asarray(x), given))
                if not any(np.allclose(y, known, atol=1e-3) for known in outputs):
                    outputs.append(y)
            assert len(outputs) == (2 if name == "random_shear" and factor else 1), name
            entries.append({"factor": factor, "layer": name, "images": array(x), "outputs": [array(y) for y in outputs]})
    return entries


def build():
    rng = np.random.default_rng(127)
    return {
        "cases": cases(rng), "bytes": bytes_of_images(rng), "mixed": mixed(rng), "bent": bent(rng),
        "coordinates": coordinates(rng), "perspective": perspective(rng), "changes": changes(rng),
    }  # fmt: skip
