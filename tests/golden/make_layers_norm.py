"""layers_norm.json: layers that normalise, in training and outside it."""

from make_common import array, f32, jax, jnp, keras, normal, np, plain, serialize_config, uniform
from make_layers import case, con, ini, is_object, reg


def weights(rng, layer, shape):
    """Random weights, positive where they stand for variances."""
    keras.backend.clear_session()
    layer.build(shape)
    values = []
    for w in layer.weights:
        positive = w.name in ("moving_variance", "gamma", "scale") or "stddev" in w.name
        low, high = (0.3, 1.5) if positive else (-0.8, 0.8)
        values.append(rng.uniform(low, high, w.shape).astype("float32"))
    return values


def norm_case(rng, cls, config, x, training=False, mask=None, note=""):
    """A case with weights that make sense, and what the state becomes in training."""
    arguments = {
        k: keras.saving.deserialize_keras_object(v) if is_object(v) else v
        for k, v in config.items()
    }
    layer = getattr(keras.layers, cls)(**arguments)
    values = weights(rng, layer, x.shape)
    call_args = {} if mask is None else {"mask": mask}
    result = case(rng, cls, config, x, note, training, call_args, values)
    layer.set_weights(values)
    kwargs = {k: jnp.asarray(v) for k, v in call_args.items()}
    if layer._call_has_training_arg:
        kwargs["training"] = training
    trained = [v.value for v in layer.trainable_variables]
    state = [v.value for v in layer.non_trainable_variables]
    _, state = layer.stateless_call(trained, state, jnp.asarray(x), **kwargs)
    result["state"] = [
        {"name": v.name, "value": array(a)}
        for v, a in zip(layer.non_trainable_variables, state)
        if not v.trainable
    ]
    return result


def batch(rng):
    cases = []
    image, rows = normal(rng, 4, 3, 2, 5), normal(rng, 6, 4)
    for training in (False, True):
        for config in [
            {}, {"momentum": 0.8, "epsilon": 0.1}, {"scale": False}, {"center": False},
            {"scale": False, "center": False}, {"axis": 1}, {"axis": -2}, {"trainable": False},
        ]:  # fmt: skip
            cases.append(norm_case(rng, "BatchNormalization", config, image, training))
        cases.append(norm_case(rng, "BatchNormalization", {}, rows, training))
    for x in (normal(rng, 1, 4), normal(rng, 5, 1), normal(rng, 37, 19), uniform(rng, 70, 3, 3) + 1):
        cases.append(norm_case(rng, "BatchNormalization", {}, x, True))
    config = {
        "beta_initializer": ini("RandomNormal", stddev=0.1, seed=3),
        "gamma_initializer": "ones",
        "moving_mean_initializer": ini("Constant", value=0.5),
        "moving_variance_initializer": "ones",
        "beta_regularizer": reg("L2", l2=0.1), "gamma_regularizer": reg("L1", l1=0.05),
        "beta_constraint": con("NonNeg"), "gamma_constraint": con("MaxNorm", max_value=2, axis=0),
        "name": "bn",
    }  # fmt: skip
    cases.append(norm_case(rng, "BatchNormalization", config, rows, True))
    steps = normal(rng, 3, 5, 4)
    mask = rng.uniform(size=(3, 5)) < 0.6
    for training in (False, True):
        cases.append(norm_case(rng, "BatchNormalization", {}, steps, training, mask, "mask"))
    nothing = np.zeros((3, 5), bool)
    cases.append(norm_case(rng, "BatchNormalization", {}, steps, True, nothing, "all masked"))
    return cases


def renorm(rng):
    cases = []
    image, rows, steps = normal(rng, 3, 2, 2, 3), normal(rng, 6, 4), normal(rng, 3, 5, 2)
    clipping = {"rmax": 1.2, "rmin": 0.8, "dmax": 0.5}
    for training in (False, True):
        for config in [
            {}, {"renorm_momentum": 0.7, "momentum": 0.9}, {"renorm_clipping": clipping},
            {"renorm_clipping": {"dmax": 0.1}, "epsilon": 0.1}, {"scale": False},
            {"center": False}, {"scale": False, "center": False, "axis": 1},
        ]:  # fmt: skip
            config = {"renorm": True, **config}
            cases.append(norm_case(rng, "BatchNormalization", config, image, training))
        cases.append(norm_case(rng, "BatchNormalization", {"renorm": True}, rows, training))
    frozen = {"renorm": True, "trainable": False}
    cases.append(norm_case(rng, "BatchNormalization", frozen, rows, True))
    mask = rng.uniform(size=(3, 5)) < 0.6
    config = {"renorm": True, "renorm_clipping": {"rmax": 2.0}}
    cases.append(norm_case(rng, "BatchNormalization", config, steps, True, mask, "mask"))
    return cases


def wrapped(cls, **config):
    return {"module": "keras.layers", "class_name": cls, "config": config, "registered_name": None}


def spectral(rng):
    cases = []
    rows, image = normal(rng, 4, 3), normal(rng, 2, 3, 4, 2)
    ids = f32(rng.integers(0, 6, (2, 3)))
    for x, layer, config in [
        (rows, wrapped("Dense", units=4), {}),
        (rows, wrapped("Dense", units=4, use_bias=False), {"power_iterations": 3}),
        (rows, wrapped("Dense", units=2, name="d", kernel_regularizer=reg("L2", l2=0.1)),
         {"name": "sn"}),
        (normal(rng, 2, 4, 3), wrapped("EinsumDense", equation="abc,cd->abd",
         output_shape=[None, 5], bias_axes="d"), {"power_iterations": 2}),
        (image, wrapped("Conv2D", filters=2, kernel_size=2, padding="same"), {}),
        (image, wrapped("Conv2DTranspose", filters=2, kernel_size=2, strides=2), {}),
        (image, wrapped("DepthwiseConv2D", kernel_size=3, depth_multiplier=2), {}),
        (ids, wrapped("Embedding", input_dim=6, output_dim=3), {"power_iterations": 2}),
    ]:  # fmt: skip
        for training in (False, True):
            config = {"layer": layer, **config}
            cases.append(norm_case(rng, "SpectralNormalization", config, x, training))
    layer = wrapped("Dense", units=2)
    zeros = [np.zeros((3, 2), "float32"), normal(rng, 1, 2), normal(rng, 2)]
    cases.append(case(rng, "SpectralNormalization", {"layer": layer}, rows, "zeros", True, weights=zeros))
    return cases


def divided(rng):
    """Steps of training in which the kernel is divided, and then follows the gradient."""
    cases = []
    for optimizer in (keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01)):
        keras.backend.clear_session()
        layer = keras.layers.SpectralNormalization(keras.layers.Dense(3), power_iterations=2)
        x, y = normal(rng, 8, 4), normal(rng, 8, 3)
        layer.build(x.shape)
        layer.set_weights([normal(rng, *w.shape) for w in layer.weights])
        first = [array(w) for w in layer.get_weights()]
        for _ in range(4):
            trained = [v.value for v in layer.trainable_variables]
            state = [v.value for v in layer.non_trainable_variables]

            def loss(trained):
                out, _ = layer.stateless_call(trained, state, x, training=True)
                return jnp.mean(jnp.square(out - y))

            gradients = jax.grad(loss)(trained)
            layer(x, training=True)
            optimizer.apply(gradients, layer.trainable_variables)
        cases.append({
            "layer": serialize_config(layer.get_config()), "weights": first, "x": array(x), "y": array(y),
            "optimizer": plain(keras.saving.serialize_keras_object(optimizer)), "steps": 4,
            "trained": [array(w) for w in layer.get_weights()], "output": array(layer(x)),
        })  # fmt: skip
    return cases


def layer(rng):
    cases = []
    x = normal(rng, 3, 4, 5)
    for config in [
        {}, {"epsilon": 1e-6}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [-1, -2]},
        {"scale": False}, {"center": False}, {"scale": False, "center": False},
        {"rms_scaling": True},
        {"beta_initializer": "ones", "gamma_initializer": ini("Constant", value=2.0),
         "beta_regularizer": reg("L2", l2=0.1), "gamma_regularizer": reg("L1", l1=0.05),
         "beta_constraint": con("NonNeg"), "gamma_constraint": con("UnitNorm", axis=0)},
    ]:  # fmt: skip
        cases.append(norm_case(rng, "LayerNormalization", config, x))
    for x in (normal(rng, 7, 32), normal(rng, 2, 3, 100), normal(rng, 3, 1), normal(rng, 5, 6) + 2):
        cases.append(norm_case(rng, "LayerNormalization", {}, x, training=True))
    return cases


def others(rng):
    cases = []
    x = normal(rng, 2, 3, 4, 6)
    for config in [
        {"groups": 2}, {"groups": 3, "epsilon": 0.01}, {"groups": 1}, {"groups": 6},
        {"groups": -1}, {"groups": 3, "axis": 1}, {"groups": 2, "axis": 2},
        {"groups": 2, "axis": -2}, {"groups": 2, "scale": False}, {"groups": 2, "center": False},
        {"groups": 2, "scale": False, "center": False},
        {"groups": 3, "beta_initializer": "ones", "gamma_initializer": "ones",
         "beta_regularizer": reg("L2", l2=0.1), "gamma_regularizer": reg("L1", l1=0.05),
         "beta_constraint": con("NonNeg"), "gamma_constraint": con("NonNeg")},
    ]:  # fmt: skip
        cases.append(norm_case(rng, "GroupNormalization", config, x))
    cases.append(norm_case(rng, "GroupNormalization", {}, normal(rng, 2, 64)))
    x = normal(rng, 3, 4, 5)
    for config in [{}, {"epsilon": 0.1}, {"axis": [1, 2]}, {"axis": [-2, -1]}]:
        cases.append(norm_case(rng, "RMSNormalization", config, x))
    for config in [{}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [-1]}]:
        cases.append(norm_case(rng, "UnitNormalization", config, x))
    return cases


def build():
    rng = np.random.default_rng(111)
    cases = batch(rng) + layer(rng) + others(rng)
    rng = np.random.default_rng(112)
    return {"cases": cases + renorm(rng) + spectral(rng), "divided": divided(rng)}
