"""initializers.json: exact values of the fixed initializers, statistics of the random ones."""

import math

from keras.src.initializers.random_initializers import compute_fans
from make_common import array, keras, np, plain

RANDOM_SHAPES = [(200, 300), (3, 3, 40, 60), (700,), (5, 4000)]

# Standard deviation of a normal cut at two standard deviations.
CUT = 0.87962566103423978

EXACT = [
    ("Zeros", {}, [(2, 3), (2, 2, 1, 3), (4,)]),
    ("Ones", {}, [(2, 3), (2, 2, 1, 3), (4,)]),
    ("Constant", {"value": 0.25}, [(2, 3), (4,)]),
    ("Constant", {}, [(3,)]),
    ("Identity", {}, [(3, 3), (2, 4), (4, 2)]),
    ("Identity", {"gain": 0.5}, [(3, 3)]),
    ("STFT", {}, [(8, 1, 5)]),
    ("STFT", {"side": "imag", "window": "hamming", "scaling": "spectrum"}, [(8, 1, 5)]),
    ("STFT", {"window": None, "scaling": None}, [(8, 1, 5)]),
    ("STFT", {"periodic": True}, [(8, 1, 5)]),
]

RANDOM = [
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.5}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.5}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": 1.0, "maxval": 3.0}),
    ("GlorotNormal", {}),
    ("GlorotUniform", {}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    ("VarianceScaling", {"scale": 0.5, "mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_in", "distribution": "truncated_normal"}),
]


def theory(initializer, shape):
    """Mean, standard deviation and bounds of the distribution, from Keras' own attributes."""
    i = initializer
    cls = type(i).__name__
    if cls == "RandomNormal":
        return i.mean, i.stddev, None
    if cls == "TruncatedNormal":
        return i.mean, i.stddev * CUT, [i.mean - 2 * i.stddev, i.mean + 2 * i.stddev]
    if cls == "RandomUniform":
        middle = (i.minval + i.maxval) / 2
        return middle, (i.maxval - i.minval) / math.sqrt(12), [i.minval, i.maxval]
    fan_in, fan_out = compute_fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[i.mode]
    std = math.sqrt(i.scale / max(1.0, fan))
    if i.distribution == "uniform":
        return 0.0, std, [-math.sqrt(3) * std, math.sqrt(3) * std]
    if i.distribution == "truncated_normal":
        return 0.0, std, [-2 * std / CUT, 2 * std / CUT]
    return 0.0, std, None


def statistics(cls, config, shape):
    initializer = getattr(keras.initializers, cls)(**config, seed=5)
    a = np.asarray(initializer(shape), np.float64)
    mean, std, bounds = theory(initializer, shape)
    fan_in, fan_out = compute_fans(shape)
    unseeded = getattr(keras.initializers, cls)(**config)
    b, c = np.asarray(unseeded(shape)), np.asarray(unseeded(shape))
    short = lambda v: float("%.6g" % v)  # noqa: E731
    return {
        "class": cls,
        "config": config,
        "shape": list(shape),
        "fan_in": fan_in,
        "fan_out": fan_out,
        "mean": short(mean),
        "std": short(std),
        "bounds": bounds and [short(v) for v in bounds],
        "observed": {
            "mean": short(a.mean()),
            "std": short(a.std()),
            "min": short(a.min()),
            "max": short(a.max()),
            "kurtosis": short(((a - a.mean()) ** 4).mean() / a.var() ** 2),
        },
        "same_seed_repeats": bool(
            (a == np.asarray(getattr(keras.initializers, cls)(**config, seed=5)(shape))).all()
        ),
        "unseeded_instance_repeats": bool((b == c).all()),
        "get_config": plain(getattr(keras.initializers, cls)(**config).get_config()),
    }


def orthogonal(config, shape):
    initializer = keras.initializers.Orthogonal(**config, seed=5)
    a = np.asarray(initializer(shape), np.float64)
    m = a.reshape(-1, shape[-1])
    gram = m.T @ m if m.shape[0] >= m.shape[1] else m @ m.T
    gain = config.get("gain", 1.0)
    return {
        "class": "Orthogonal",
        "config": config,
        "shape": list(shape),
        "gram": "columns" if m.shape[0] >= m.shape[1] else "rows",
        "gram_diagonal": gain * gain,
        "largest_deviation": float("%.3g" % np.abs(gram - gain * gain * np.eye(len(gram))).max()),
        "get_config": plain(keras.initializers.Orthogonal(**config).get_config()),
    }


def build():
    exact = []
    for cls, config, shapes in EXACT:
        for shape in shapes:
            i = getattr(keras.initializers, cls)(**config)
            exact.append(
                {
                    "class": cls,
                    "config": config,
                    "shape": list(shape),
                    "value": array(np.asarray(i(shape), np.float32)),
                    "get_config": plain(i.get_config()),
                }
            )
    random = [statistics(cls, config, s) for cls, config in RANDOM for s in RANDOM_SHAPES]
    orthogonals = [
        orthogonal(config, shape)
        for config in ({}, {"gain": 2.0})
        for shape in ((20, 30), (30, 20), (16, 16), (3, 3, 2, 10))
    ]
    strings, refused = {}, []
    names = [n for n in dir(keras.initializers) if not n.startswith("_")]
    names += ["normal", "uniform", "one", "zero", "Glorot_Uniform", "glorot", "xavier", "", "none"]
    for s in sorted(set(names)):
        if s.lower() in ("get", "serialize", "deserialize", "initializer"):
            continue
        try:
            i = keras.initializers.get(s)
            strings[s] = {"class": type(i).__name__, "config": plain(i.get_config())}
        except (ValueError, TypeError, KeyError):
            refused.append(s)
    return {
        "exact": exact,
        "random": random,
        "orthogonal": orthogonals,
        "strings": strings,
        "refused_strings": refused,
    }
