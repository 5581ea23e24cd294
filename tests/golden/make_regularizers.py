"""regularizers.json: penalties and their gradients."""

from make_common import array, f32, jax, jnp, keras, normal, np, plain

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.2}),
    ("L2", {}),
    ("L2", {"l2": 0.2}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.3}),
    ("L1L2", {"l1": 0.1}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.2, "mode": "columns"}),
]


def build():
    rng = np.random.default_rng(106)
    inputs = [normal(rng, 3, 4), normal(rng, 4, 2), normal(rng, 5), normal(rng, 2, 2, 3)]
    inputs.append(np.zeros((2, 3), np.float32))
    inputs.append(f32([[1, -1, 0], [0, 2, -3]]))
    cases = []
    for cls, config in CASES:
        for x in inputs:
            if cls == "OrthogonalRegularizer" and x.ndim != 2:
                continue
            r = getattr(keras.regularizers, cls)(**config)
            value, grad = jax.value_and_grad(lambda x: jnp.reshape(r(x), ()))(jnp.asarray(x))
            cases.append(
                {
                    "class": cls,
                    "config": config,
                    "x": array(x),
                    "value": array(value),
                    "grad": array(grad),
                    "get_config": plain(r.get_config()),
                }
            )
    strings, refused = {}, []
    for s in ["l1", "l2", "l1_l2", "l1l2", "L1", "L2", "L1L2", "OrthogonalRegularizer",
              "orthogonal_regularizer", "orthogonal", "", "none"]:  # fmt: skip
        try:
            r = keras.regularizers.get(s)
            strings[s] = {"class": type(r).__name__, "config": plain(r.get_config())}
        except (ValueError, TypeError, KeyError):
            refused.append(s)
    return {"cases": cases, "strings": strings, "refused_strings": refused}
