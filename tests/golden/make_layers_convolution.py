"""layers_convolution.json: convolution layers."""

from make_common import normal, np
from make_layers import case, con, reg

FIRST = {"data_format": "channels_first"}


def plain(rng):
    cases = []
    x1, x2, x3 = normal(rng, 2, 7, 3), normal(rng, 2, 6, 5, 2), normal(rng, 1, 4, 5, 3, 2)
    for config in [
        {}, {"padding": "same"}, {"padding": "causal"}, {"padding": "causal", "dilation_rate": 2},
        {"strides": 2}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2, "padding": "same"},
        {"groups": 3, "filters": 6}, {"padding": "causal", "strides": 3},
    ]:  # fmt: skip
        cases.append(case(rng, "Conv1D", {"filters": 4, "kernel_size": 3, **config}, x1))
    for config in [
        {}, {"padding": "same", "activation": "relu"}, {"kernel_size": [2, 3], "strides": [1, 2]},
        {"strides": 2, "padding": "same"}, {"kernel_size": 1}, {"kernel_size": 1, "strides": 2},
        {"dilation_rate": [2, 1]}, {"dilation_rate": 2, "padding": "same"}, {"groups": 2},
        {"use_bias": False, "kernel_regularizer": reg("L2", l2=0.05)},
        {"bias_regularizer": reg("L1", l1=0.1), "kernel_constraint": con("NonNeg"),
         "activity_regularizer": reg("L2", l2=0.04)},
        {"activation": "softmax"},
    ]:  # fmt: skip
        cases.append(case(rng, "Conv2D", {"filters": 4, "kernel_size": 3, **config}, x2))
    for config in [{"padding": "same"}, {"activation": "softmax"}]:
        cases.append(case(rng, "Conv2D", {"filters": 3, "kernel_size": 3, **config, **FIRST},
                          normal(rng, 2, 2, 5, 4)))
    for config in [{}, {"strides": [1, 2, 1], "padding": "same"}]:
        cases.append(case(rng, "Conv3D", {"filters": 3, "kernel_size": 2, **config}, x3))
    return cases


def transposed(rng):
    cases = []
    x1, x2, x3 = normal(rng, 2, 5, 3), normal(rng, 2, 4, 3, 2), normal(rng, 1, 2, 3, 2, 2)
    for config in [
        {}, {"padding": "same"}, {"strides": 2}, {"strides": 2, "padding": "same"},
        {"strides": 3, "kernel_size": 2}, {"strides": 3, "kernel_size": 2, "padding": "same"},
        {"dilation_rate": 2}, {"strides": 2, "output_padding": 1},
        {"strides": 3, "padding": "same", "output_padding": 2, "kernel_size": 4},
    ]:  # fmt: skip
        cases.append(case(rng, "Conv1DTranspose", {"filters": 4, "kernel_size": 3, **config}, x1))
    for config in [
        {}, {"strides": 2, "padding": "same", "activation": "relu"},
        {"strides": [2, 1], "kernel_size": [2, 3]}, {"padding": "same", "use_bias": False},
        {"strides": 2, "padding": "same", "output_padding": 1},
    ]:  # fmt: skip
        cases.append(case(rng, "Conv2DTranspose", {"filters": 4, "kernel_size": 3, **config}, x2))
    cases.append(case(rng, "Conv2DTranspose",
                      {"filters": 3, "kernel_size": 3, "strides": 2, **FIRST},
                      normal(rng, 1, 2, 3, 2)))
    cases.append(case(rng, "Conv3DTranspose",
                      {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same"}, x3))
    return cases


def depthwise(rng):
    cases = []
    x1, x2 = normal(rng, 2, 7, 3), normal(rng, 2, 6, 5, 3)
    for config in [{}, {"padding": "same", "strides": 2}, {"depth_multiplier": 2}]:
        cases.append(case(rng, "DepthwiseConv1D", {"kernel_size": 3, **config}, x1))
        cases.append(case(rng, "SeparableConv1D",
                          {"filters": 4, "kernel_size": 3, **config}, x1))
        cases.append(case(rng, "DepthwiseConv2D", {"kernel_size": 3, **config}, x2))
        cases.append(case(rng, "SeparableConv2D",
                          {"filters": 4, "kernel_size": 3, **config}, x2))
    cases.append(case(rng, "DepthwiseConv2D",
                      {"kernel_size": 3, "dilation_rate": 2, "padding": "same",
                       "activation": "relu", "depthwise_regularizer": reg("L2", l2=0.1)}, x2))
    cases.append(case(rng, "DepthwiseConv2D", {"kernel_size": 2, **FIRST}, normal(rng, 2, 3, 4, 4)))
    cases.append(case(rng, "SeparableConv2D",
                      {"filters": 2, "kernel_size": 2, "use_bias": False,
                       "pointwise_regularizer": reg("L1", l1=0.1), **FIRST},
                      normal(rng, 2, 3, 4, 4)))
    return cases


def build():
    rng = np.random.default_rng(106)
    return {"cases": plain(rng) + transposed(rng) + depthwise(rng)}
