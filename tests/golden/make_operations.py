"""operations.json: functions of tensors that Keras records in functional models, and that are layers in Cornu."""

import json

from make_common import array, jax, jnp, keras, normal, np


def case(rng, function, config, x):
    """A model of one operation: its JSON, what it gives and the gradient of that."""
    keras.backend.clear_session()
    inputs = keras.Input(x.shape[1:], name="x")
    model = keras.Model(inputs, function(inputs, **config))
    y = model(x)
    w = normal(rng, *y.shape)
    grad = jax.grad(lambda x: jnp.sum(function(x, **config) * w))(jnp.asarray(x))
    return {
        "config": config,
        "model": json.loads(model.to_json()),
        "input": array(x),
        "output": array(y),
        "w": array(w),
        "grad_input": array(grad),
    }


def build():
    rng = np.random.default_rng(77)
    x = normal(rng, 4, 3)
    x[0, 1] = x[2, 2] = np.nan
    x[1, 0], x[3, 1] = np.inf, -np.inf
    nan_to_num = [
        case(rng, keras.ops.nan_to_num, config, x)
        for config in ({}, {"nan": 1.0}, {"nan": -2.5, "posinf": 7.0}, {"neginf": -3.0})
    ]
    return {"nan_to_num": nan_to_num}
