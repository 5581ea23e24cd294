"""layers_core.json: products by an equation, tables that lead back, space with more cells."""

from make_common import normal, np
from make_layers import case, con, ini, reg


def equations(rng):
    x2, x3, x4 = normal(rng, 4, 3), normal(rng, 2, 3, 4), normal(rng, 2, 2, 3, 4)
    cases = []
    for x, config in [
        (x2, {"equation": "ab,bc->ac", "output_shape": 5, "bias_axes": "c"}),
        (x2, {"equation": "ab,bc->ac", "output_shape": 5, "activation": "relu"}),
        (x3, {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"}),
        (x3, {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}),
        (x3, {"equation": "abc,cde->abde", "output_shape": (3, 2, 3), "bias_axes": "be"}),
        (x4, {"equation": "abcd,cde->abe", "output_shape": (None, 5), "bias_axes": "e"}),
        (x3, {"equation": "abc,bd->adc", "output_shape": (5, None), "bias_axes": "d"}),
        (x3, {"equation": "abc,bc->abc", "output_shape": (3, 4)}),
        (x3, {"equation": "...x,xy->...y", "output_shape": 5, "bias_axes": "y"}),
        (x4, {"equation": "...x,xy->...y", "output_shape": 5, "bias_axes": "y"}),
        (x2, {"equation": "...x,xy->...y", "output_shape": 5}),
        (x4, {"equation": "...bc,bcd->...d", "output_shape": 5, "bias_axes": "d"}),
        (x3, {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"}),
        (x4, {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"}),
        (x3, {"equation": "abc,cd->abd", "output_shape": (None, 2), "bias_axes": "d",
              "kernel_initializer": "he_normal", "bias_initializer": "ones",
              "kernel_regularizer": reg("L2", l2=0.05), "bias_regularizer": reg("L1", l1=0.02),
              "kernel_constraint": con("MaxNorm", max_value=2, axis=0),
              "activity_regularizer": reg("L2", l2=0.04), "name": "heads"}),
    ]:  # fmt: skip
        cases.append(case(rng, "EinsumDense", config, x))
    return cases


def tables(rng):
    ids = rng.integers(0, 6, (3, 4)).astype("int32")
    one = {"input_dim": 6, "output_dim": 3}
    return [
        case(rng, "ReversibleEmbedding", one, ids),
        case(rng, "ReversibleEmbedding", {**one, "tie_weights": False}, ids),
        case(rng, "ReversibleEmbedding",
             {**one, "embeddings_initializer": ini("Constant", value=0.25), "logit_soft_cap": 2.0,
              "embeddings_regularizer": reg("L2", l2=0.05), "reverse_dtype": "float32"}, ids),
    ]  # fmt: skip


def reversed_tables(rng):
    """The way back: an input, the weights, and what comes out."""
    from make_common import array, jnp, keras, plain, serialize_config

    cases = []
    for config in ({}, {"tie_weights": False}, {"logit_soft_cap": 0.5}):
        config = {"input_dim": 6, "output_dim": 3, **config}
        layer = keras.layers.ReversibleEmbedding(**config)
        layer.build()
        layer.set_weights([normal(rng, *w.shape, scale=0.5) for w in layer.weights])
        x = normal(rng, 2, 4, 3)
        cases.append({
            "config": plain(config),
            "get_config": serialize_config(layer.get_config()),
            "input": array(x),
            "weights": [array(w.numpy()) for w in layer.weights],
            "output": array(layer(jnp.asarray(x), reverse=True)),
        })  # fmt: skip
    return cases


def larger(rng):
    cases = []
    steps, image, volume = (normal(rng, 2, *s) for s in ((3, 2), (3, 4, 2), (2, 1, 3, 2)))
    cases += [case(rng, "UpSampling1D", c, steps) for c in ({}, {"size": 3})]
    first = {"data_format": "channels_first"}
    for config in ({}, {"size": (3, 1)}, {"size": (1, 2), **first}):
        cases.append(case(rng, "UpSampling2D", config, image))
    for way in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        cases.append(case(rng, "UpSampling2D", {"interpolation": way}, image))
        config = {"interpolation": way, "size": (2, 3), **first}
        cases.append(case(rng, "UpSampling2D", config, image))
    wide = normal(rng, 1, 3, 2, 9)
    cases.append(case(rng, "UpSampling2D", {"interpolation": "bilinear"}, wide))
    for config in ({}, {"size": (1, 2, 3)}, {"size": 2, **first}):
        cases.append(case(rng, "UpSampling3D", config, volume))
    return cases


def build():
    rng = np.random.default_rng(110)
    return {"cases": equations(rng) + tables(rng) + larger(rng), "reversed": reversed_tables(rng)}
