"""layers_norm.json: layers that normalise, in training and outside it."""

from make_common import array, jnp, keras, normal, np, uniform
from make_layers import case, con, ini, reg


def weights(rng, layer, shape):
    """Random weights, positive where they stand for variances."""
    keras.backend.clear_session()
    layer.build(shape)
    values = []
    for w in layer.weights:
        positive = w.name in ("moving_variance", "gamma", "scale")
        low, high = (0.3, 1.5) if positive else (-0.8, 0.8)
        values.append(rng.uniform(low, high, w.shape).astype("float32"))
    return values


def norm_case(rng, cls, config, x, training=False, mask=None, note=""):
    """A case with weights that make sense, and what the state becomes in training."""
    arguments = {
        k: keras.saving.deserialize_keras_object(v) if isinstance(v, dict) else v
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
    return {"cases": batch(rng) + layer(rng) + others(rng)}
