"""layers_signatures.json: the arguments of every layer's constructor, their defaults, and what each does to
`get_config`, one argument at a time. Needs TensorFlow beside JAX, as Keras' hashing layers do."""

import inspect

from make_common import keras, plain, serialize_config

L = keras.layers

# What a constructor cannot do without.
REQUIRED = {
    "Activation": {"activation": "relu"},
    "Bidirectional": {"layer": lambda: L.LSTM(3, name="inside")},
    "CategoryEncoding": {"num_tokens": 4},
    "CenterCrop": {"height": 3, "width": 4},
    "Discretization": {"bin_boundaries": [0.5, 2.0]},
    "Dot": {"axes": 1},
    "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 3},
    "Embedding": {"input_dim": 6, "output_dim": 3},
    "GaussianNoise": {"stddev": 0.3},
    "GroupedQueryAttention": {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    "HashedCrossing": {"num_bins": 5},
    "Hashing": {"num_bins": 5},
    "InputLayer": {"batch_shape": (None, 4)},
    "MaxNumBoundingBoxes": {"max_number": 3},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "Permute": {"dims": (2, 1)},
    "Pipeline": {"layers": lambda: [L.Rescaling(0.5, name="inside")]},
    "RNN": {"cell": lambda: L.LSTMCell(3, name="inside")},
    "RandomCrop": {"height": 3, "width": 4},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.2},
    "RepeatVector": {"n": 3},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (2, 3)},
    "Resizing": {"height": 3, "width": 4},
    "RandomPosterization": {"factor": 3},
    "ReversibleEmbedding": {"input_dim": 6, "output_dim": 3},
    "SpectralNormalization": {"layer": lambda: L.Dense(3, name="inside")},
    "StackedRNNCells": {"cells": lambda: [L.LSTMCell(3, name="inside"), L.GRUCell(2, name="other")]},
    "TimeDistributed": {"layer": lambda: L.Dense(3, name="inside")},
    "Wrapper": {"layer": lambda: L.Dense(3, name="inside")},
}

# By the name of the argument where a class is not told to need it above.
NEEDED = {"units": 3, "filters": 4, "kernel_size": 2, "pool_size": 2, "output_size": 3, "rate": 0.3, "factor": 0.2}

# Another value than the default, by name, and by class and name where a class takes others.
OTHER = {
    "activation": "softsign", "recurrent_activation": "hard_sigmoid", "use_scale": "flip", "score_mode": "concat",
    "dropout": 0.25, "recurrent_dropout": 0.3, "seed": 7, "noise_shape": (None, 1, 4), "axis": 1, "momentum": 0.7,
    "epsilon": 0.02, "renorm_momentum": 0.8, "merge_mode": "sum", "padding": "same", "strides": 1,
    "dilation_rate": 2, "groups": 2, "depth_multiplier": 2, "data_format": "channels_first", "output_padding": 1,
    "l1": 0.1, "l2": 0.2, "alpha": 0.4, "negative_slope": 0.2, "max_value": 3.0, "threshold": 0.5,
    "value_range": (0, 1), "cropping": ((1, 2), (0, 1)), "mask_value": 2.0, "output_mode": "one_hot",
    "units": 5, "filters": 6, "kernel_size": 3, "pool_size": 3, "output_size": 2, "rate": 0.4, "factor": (0.1, 0.3),
    "num_tokens": 5, "height": 5, "width": 6, "bin_boundaries": [1.0], "axes": (1, 2), "bias_axes": "c",
    "input_dim": 7, "output_dim": 4, "logit_soft_cap": 5.0, "stddev": 0.1, "value_dim": 4, "output_shape": 4,
    "attention_axes": (1,), "sliding_window": 3, "num_heads": 3, "key_dim": 4, "head_dim": 4,
    "num_query_heads": 2, "num_key_value_heads": 4, "size": 3, "n": 2, "target_shape": (3, 2), "dims": (1, 2),
    "scale": 0.25, "offset": 1.0, "interpolation": "nearest", "fill_mode": "constant", "fill_value": 3.0,
    "mode": "horizontal", "height_factor": (-0.1, 0.3), "width_factor": 0.3, "x_factor": 0.2, "y_factor": (0.1, 0.2),
    "sigma": (0.5, 2.0), "brightness_factor": 0.2, "contrast_factor": 0.3, "saturation_factor": 0.4,
    "hue_factor": 0.1, "addition_factor": 0.2, "threshold_factor": (0.1, 0.3), "bins": 64, "power_iterations": 2,
    "shared_axes": [1], "mean": 1.5, "variance": 2.0, "num_bins": 6, "salt": 11, "clip_limit": 2.0,
    "tile_grid_size": (4, 2), "num_chains": 2, "chain_depth": 2, "num_ops": 3, "reverse_dtype": "float16",
    "shape": (3, 2), "batch_size": 5, "batch_shape": (5, 3), "dtype": "float64", "name": "another",
}  # fmt: skip
BY_CLASS = {
    "Activation": {"activation": "gelu"},
    "Cropping1D": {"cropping": (1, 2)},
    "Cropping3D": {"cropping": ((1, 0), (0, 2), (1, 1))},
    "ZeroPadding1D": {"padding": (1, 2)},
    "ZeroPadding2D": {"padding": ((1, 0), (2, 1))},
    "ZeroPadding3D": {"padding": ((1, 0), (2, 1), (0, 3))},
    "Bidirectional": {
        "layer": lambda: L.GRU(2, name="another"),
        "backward_layer": lambda: L.LSTM(3, go_backwards=True, name="back"),
    },
    "BatchNormalization": {"renorm_clipping": {"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}},
    "Discretization": {"output_mode": "multi_hot"},
    "EinsumDense": {"equation": "ab,bd->ad", "output_shape": (5,)},
    "GroupNormalization": {"groups": 4},
    "Hashing": {"mask_value": "nothing"},
    "MixUp": {"alpha": 0.4},
    "AugMix": {"alpha": 0.4, "factor": 0.2},
    "MaxNumBoundingBoxes": {"fill_value": -2, "max_number": 2},
    "Pipeline": {"layers": lambda: [L.RandomFlip(name="one"), L.Rescaling(2.0, name="two")]},
    "RNN": {"cell": lambda: [L.LSTMCell(3, name="one"), L.GRUCell(2, name="two")]},
    "RandAugment": {"factor": 0.2},
    "RandomElasticTransform": {"scale": 0.4},
    "RandomGrayscale": {"factor": 0.3},
    "Resizing": {"fill_mode": "constant"},
    "RandomErasing": {"scale": (0.1, 0.2)},
    "RandomFlip": {"mode": "vertical"},
    "RandomPosterization": {"factor": 4},
    "Rescaling": {"scale": [0.25, 2.0], "offset": [1.0, 0.0]},
    "SpectralNormalization": {"layer": lambda: L.Conv2D(3, 2, name="another")},
    "StackedRNNCells": {"cells": lambda: [L.SimpleRNNCell(3, name="one")]},
    "TimeDistributed": {"layer": lambda: L.Conv1D(3, 2, name="another")},
    "UpSampling2D": {"size": (2, 3), "interpolation": "bilinear"},
    "UpSampling3D": {"size": (1, 2, 3)},
    "Wrapper": {"layer": lambda: L.Flatten(name="another")},
    "CategoryEncoding": {"output_mode": "count"},
    "RandomGaussianBlur": {"kernel_size": (3, 5)},
}  # fmt: skip

# What else must be given for an argument to be taken.
WITH = {
    ("BatchNormalization", "renorm_clipping"): {"renorm": True},
    ("Conv1DTranspose", "output_padding"): {"strides": 2},
    ("Conv2DTranspose", "output_padding"): {"strides": 2},
    ("Conv3DTranspose", "output_padding"): {"strides": 2},
    ("Discretization", "num_bins"): {"bin_boundaries": None},
    ("Normalization", "mean"): {"variance": 2.0},
    ("Normalization", "variance"): {"mean": 1.5},
}

# What only its name is compared of: other frameworks, functions, layers with a vocabulary or of sound.
NAMED = {
    "FlaxLayer", "JaxLayer", "Lambda", "Layer", "TFSMLayer", "TorchModuleWrapper", "IntegerLookup", "StringLookup",
    "TextVectorization", "MelSpectrogram", "STFTSpectrogram",
}  # fmt: skip


def classes():
    """Every class with the names that `keras.layers` has for it."""
    seen = {}
    for name in sorted(dir(L)):
        it = getattr(L, name)
        if inspect.isclass(it) and issubclass(it, keras.layers.Layer):
            seen.setdefault(it, []).append(name)
    return seen


def value(v):
    return v() if callable(v) else v


def other(cls, argument, default):
    """A value that is not the default; None if the constructor has none that we know."""
    if argument in BY_CLASS.get(cls, {}):
        return value(BY_CLASS[cls][argument])
    if argument.endswith("_initializer"):
        return keras.initializers.HeNormal(seed=7)
    if argument.endswith("_regularizer"):
        return keras.regularizers.L1L2(0.02, 0.03)
    if argument.endswith("_constraint"):
        return keras.constraints.MinMaxNorm(0.1, 0.9, rate=0.5, axis=0)
    if isinstance(default, bool):
        return not default
    if argument == "strides" and default is not None:
        return 2
    return OTHER.get(argument)


def one(cls, arguments):
    """The arguments as files have them, and what Keras' layer then says of itself."""
    keras.backend.clear_session()
    given = serialize_config(arguments)
    config = cls(**arguments).get_config()
    if cls is L.RandomCrop and "seed" not in arguments:
        config["seed"] = None  # Keras draws one.
    return {"config": given, "get_config": serialize_config(config)}


def entry(cls, names):
    if cls.__name__ in NAMED:
        return {"class": cls.__name__, "names": names}
    signature = list(inspect.signature(cls.__init__).parameters.values())[1:]
    signature = [p for p in signature if p.kind is not p.VAR_KEYWORD]
    needed = {**NEEDED, "alpha": 0.4}
    told = REQUIRED.get(cls.__name__, {})
    required = {p.name: needed[p.name] for p in signature if p.default is p.empty and p.name not in told}
    required |= told
    make = lambda: {k: value(v) for k, v in required.items()}
    varied, untouched = [], []
    for p in signature:
        default = None if p.default is p.empty else p.default
        v = other(cls.__name__, p.name, default)
        if v is None:
            untouched.append(p.name)
            continue
        arguments = {**make(), p.name: v}
        arguments |= WITH.get((cls.__name__, p.name), {})
        if p.name in ("shape", "batch_size") and cls is L.InputLayer:
            arguments = {"shape": (3, 2), p.name: v}
        try:
            varied.append({"argument": p.name, **one(cls, arguments)})
        except Exception as e:
            varied.append({"argument": p.name, "refused": str(e).split("\n")[0]})
    return {
        "class": cls.__name__,
        "names": names,
        "arguments": [
            {"name": p.name, **({} if p.default is p.empty else {"default": plain(p.default)})} for p in signature
        ],
        "required": one(cls, make()),
        "varied": varied,
        "untouched": untouched,
    }


def build():
    return {"classes": [entry(cls, names) for cls, names in classes().items()]}
