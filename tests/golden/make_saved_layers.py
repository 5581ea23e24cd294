"""saved_layers.zip: as saved.zip, of layers that renormalise, divide kernels and change images."""

import os
import tempfile

from make_common import keras
from make_saved import L, data, saved, stack, write


def divided_kernels(rng):
    divided = L.SpectralNormalization
    model = stack(
        L.Input((6, 5, 2)),
        divided(L.Conv2D(3, 2, name="edges"), power_iterations=2),
        divided(L.DepthwiseConv2D(2)),
        L.Flatten(),
        divided(L.Dense(2, use_bias=False), name="last"),
    )
    return model, [data(rng, 2, 6, 5, 2)]


def renormalised(rng):
    clipping = {"rmax": 1.5, "rmin": 0.5, "dmax": 1.0}
    model = stack(
        L.Input((4,)),
        L.Dense(3),
        L.BatchNormalization(renorm=True, renorm_clipping=clipping, renorm_momentum=0.8),
        L.Dense(1),
    )
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    return model, [data(rng, 6, 4)], [data(rng, 6, 1)]


def colours(rng):
    model = stack(
        L.Input((4, 3, 3)),
        L.AutoContrast(),
        L.Solarization(threshold_factor=0.4, seed=5),
        L.RandomColorJitter(brightness_factor=0.2, hue_factor=(0.1, 0.3)),
        L.RandomPosterization((3, 6)),
        L.RandomSharpness(0.3),
        L.RandomGrayscale(0.2),
        L.RandomErasing(fill_value=3.0),
        L.RandomGaussianBlur(kernel_size=5),
        L.RandomShear(x_factor=(0.1, 0.2)),
    )
    return model, [data(rng, 2, 4, 3, 3)]


def mixing(rng):
    model = stack(
        L.Input((9, 8, 3)),
        L.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 3), clip_limit=3.0, value_range=(-3, 3)),
        L.MixUp(alpha=0.3, seed=4),
        L.CutMix(factor=(0.2, 0.8)),
        L.RandomPerspective(factor=0.4, scale=0.3),
        L.RandomElasticTransform(scale=(0.1, 0.2), fill_mode="wrap"),
        L.RandAugment(num_ops=3, factor=0.2, seed=2),
        L.AugMix(num_chains=2, all_ops=False),
        L.Flatten(),
        L.Dense(2),
    )
    return model, [data(rng, 2, 9, 8, 3)]


def archive(folder):
    """Writes saved_layers.zip and returns its path."""
    path = os.path.join(folder, "saved_layers.zip")
    makers = (divided_kernels, renormalised, colours, mixing)
    with tempfile.TemporaryDirectory() as scratch:
        write(path, "model.keras", ((make.__name__, *saved(make, scratch)) for make in makers))
    return path
