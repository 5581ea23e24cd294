"""layers_arguments.json: layers with the arguments that their families' files leave at their defaults."""

from make_common import normal, np
from make_layers import case, con, ini, reg

FIRST = {"data_format": "channels_first"}


def convolutions(rng):
    """Convolutions of every kind: both formats, groups, strides, dilation, activation, penalties, constraints."""
    penalties = {
        "bias_initializer": "ones", "bias_regularizer": reg("L1", l1=0.05), "bias_constraint": con("NonNeg"),
        "activation": "tanh", "activity_regularizer": None,
    }  # fmt: skip
    kernel = {
        "kernel_initializer": ini("HeNormal", seed=7), "kernel_regularizer": reg("L2", l2=0.1),
        "kernel_constraint": con("MaxNorm", max_value=2, axis=0),
    }  # fmt: skip
    depth = {k.replace("kernel", "depthwise"): v for k, v in kernel.items()}
    point = {k.replace("kernel", "pointwise"): v for k, v in kernel.items()}
    line, plane, room = (2, 7), (2, 5, 6), (2, 4, 3, 5)
    cases = []

    def add(cls, shape, config, channels_last=True):
        last = (shape[0], *shape[1:], 2)
        first = (shape[0], 2, *shape[1:])
        config = {"kernel_size": 2, **config}
        cases.append(case(rng, cls, config if channels_last else {**config, **FIRST},
                          normal(rng, *(last if channels_last else first))))  # fmt: skip

    for dims, shape in ((1, line), (2, plane), (3, room)):
        plain, back = f"Conv{dims}D", f"Conv{dims}DTranspose"
        add(plain, shape, {"filters": 4, "groups": 2, **kernel, **penalties})
        add(plain, shape, {"filters": 4, "dilation_rate": 2, "groups": 2}, False)
        add(back, shape, {"filters": 3, **kernel, **penalties, "strides": 2})
        add(back, shape, {"filters": 3, "strides": 2, "padding": "same"}, False)
        if dims == 3:
            continue
        deep, apart = f"DepthwiseConv{dims}D", f"SeparableConv{dims}D"
        add(deep, shape, {"depth_multiplier": 2, **depth, **penalties})
        add(apart, shape, {"filters": 3, **depth, **point, **penalties})
    return cases


def space(rng):
    cases = []
    line, room = normal(rng, 2, 2, 7), normal(rng, 1, 2, 4, 5, 3)
    for kind in ("Max", "Average"):
        cases.append(case(rng, f"Adaptive{kind}Pooling1D", {"output_size": 3, **FIRST}, line))
        cases.append(case(rng, f"Adaptive{kind}Pooling3D", {"output_size": (2, 3, 2), **FIRST}, room))
        config = {"pool_size": (2, 3, 2), "strides": (1, 2, 2), "padding": "same", **FIRST}
        cases.append(case(rng, f"{kind}Pooling3D", config, room))
    cases.append(case(rng, "Cropping3D", {"cropping": ((1, 0), (1, 2), (0, 1)), **FIRST}, room))
    cases.append(case(rng, "ZeroPadding3D", {"padding": ((1, 0), (1, 2), (0, 1)), **FIRST}, room))
    cases.append(case(rng, "ZeroPadding1D", {"padding": (1, 2), **FIRST}, line))
    image = normal(rng, 2, 2, 3, 2)
    alpha = {"alpha_constraint": con("NonNeg"), "alpha_regularizer": reg("L1", l1=0.1), "shared_axes": [1]}
    cases.append(case(rng, "PReLU", alpha, image))
    return cases


def moving(rng):
    """What the augmentations do at borders, with factors of one value."""
    x = normal(rng, 1, 4, 5, 2, scale=50)
    cases = []
    for cls, mode, config in [
        ("RandomRotation", "nearest", {"factor": (0.15, 0.15)}),
        ("RandomZoom", "wrap", {"height_factor": (0.4, 0.4), "width_factor": (0.2, 0.2)}),
        ("RandomTranslation", "constant",
         {"height_factor": (0.3, 0.3), "width_factor": (0.1, 0.1), "interpolation": "nearest"}),
    ]:  # fmt: skip
        outside = {"fill_mode": mode, "fill_value": 3.0}
        cases.append(case(rng, cls, {**config, **outside}, x, training=True))
    # A quarter of a turn about the middle of a square: no cell lies between two.
    turn = {"factor": (0.25, 0.25)}
    cases.append(case(rng, "RandomRotation", turn, normal(rng, 1, 5, 5, 1), training=True))
    return cases


def transposed(rng):
    """Dilation, padding of the output and both together, where strides let them."""
    line, plane, room = normal(rng, 2, 4, 2), normal(rng, 2, 3, 4, 2), normal(rng, 1, 2, 3, 2, 2)
    cases = []
    for cls, x, config in [
        ("Conv1DTranspose", line, {"dilation_rate": 3}),
        ("Conv1DTranspose", line, {"dilation_rate": 2, "padding": "same"}),
        ("Conv2DTranspose", plane, {"dilation_rate": 2}),
        ("Conv2DTranspose", plane, {"dilation_rate": [1, 2], "padding": "same"}),
        ("Conv2DTranspose", plane, {"dilation_rate": [3, 1], "kernel_size": [2, 3], "use_bias": False}),
        ("Conv2DTranspose", plane, {"strides": [3, 2], "output_padding": [2, 1]}),
        ("Conv3DTranspose", room, {"dilation_rate": 2}),
        ("Conv3DTranspose", room, {"strides": 2, "output_padding": 1}),
        ("Conv3DTranspose", room, {"strides": [2, 3, 2], "padding": "same", "output_padding": [0, 2, 1]}),
    ]:  # fmt: skip
        cases.append(case(rng, cls, {"filters": 3, "kernel_size": 3, **config}, x))
    first = {"dilation_rate": 2, "filters": 3, "kernel_size": 2, **FIRST}
    cases.append(case(rng, "Conv2DTranspose", first, normal(rng, 1, 2, 3, 4)))
    return cases


def dropouts(rng):
    """Outside training, and with a rate of 0 or 1, dropouts of channels leave nothing to chance."""
    cases = []
    for dims, shape in ((1, (2, 3, 2)), (2, (2, 3, 2, 2)), (3, (1, 2, 3, 2, 2))):
        x = normal(rng, *shape)
        cls = f"SpatialDropout{dims}D"
        cases.append(case(rng, cls, {"rate": 0.4, "seed": 3}, x))
        cases.append(case(rng, cls, {"rate": 0.0}, x, training=True))
    return cases


def build():
    rng = np.random.default_rng(114)
    cases = convolutions(rng) + space(rng) + moving(rng) + transposed(rng) + dropouts(rng)
    return {"cases": cases}
