"""activations.json: every activation function, its values and gradients."""

from make_common import array, f32, jax, jnp, keras, normal, np, plain

ELEMENTWISE = [
    ("celu", {}),
    ("celu", {"alpha": 0.5}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("exponential", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 1.2}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_tanh", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("linear", {}),
    ("log_sigmoid", {}),
    ("mish", {}),
    ("relu", {}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 4.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 4.0, "threshold": 1.0}),
    ("relu6", {}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 1.2}),
    ("softplus", {}),
    ("softsign", {}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("squareplus", {}),
    ("squareplus", {"b": 1.0}),
    ("tanh", {}),
    ("tanh_shrink", {}),
    ("threshold", {"threshold": 0.5, "default_value": 0.25}),
    ("threshold", {"threshold": -1.0, "default_value": 20.0}),
]

# (name, arguments, input shapes)
AXIAL = [
    ("softmax", {}, [(3, 5), (2, 3, 4)]),
    ("softmax", {"axis": 1}, [(3, 5), (2, 3, 4)]),
    ("softmax", {"axis": [1, 2]}, [(2, 3, 4)]),
    ("log_softmax", {}, [(3, 5), (2, 3, 4)]),
    ("log_softmax", {"axis": 0}, [(3, 5)]),
    ("sparsemax", {}, [(3, 5), (2, 3, 4)]),
    ("sparsemax", {"axis": 1}, [(2, 3, 4)]),
    ("glu", {}, [(3, 6), (2, 3, 4)]),
    ("glu", {"axis": 1}, [(2, 4, 3)]),
]

# Points where some activation has a kink: a gradient there is a convention (JAX' own).
KINKS = [0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 4.0, 6.0, 1.2, -1.2]

SMOOTH = [
    1e-30, -1e-30, 1e-8, -1e-8, 1e-4, -1e-4, 0.01, -0.01, 0.1, -0.1, 0.3, -0.3, 0.51, -0.51,
    0.75, -0.75, 0.99, -0.99, 1.1, -1.1, 1.5, -1.5, 2.0, -2.0, 2.7, -2.7, 3.1, -3.1, 3.9, 5.0,
    -5.0, 5.9, 7.0, -7.0, 10.0, -10.0, 17.0, -17.0, 20.5, -20.5, 35.0, -35.0, 60.0, -60.0,
]  # fmt: skip
HUGE = [87.0, -87.0, 95.0, -95.0, 150.0, -150.0, 1e4, -1e4, 1e10, -1e10]


def run(name, args, x, rng, note):
    fn = getattr(keras.activations, name)
    kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in args.items()}
    out = np.asarray(fn(jnp.asarray(x), **kwargs))
    w = normal(rng, *out.shape)
    grad = jax.grad(lambda x: jnp.sum(fn(x, **kwargs) * w))(jnp.asarray(x))
    return {
        "name": name,
        "args": plain(args),
        "note": note,
        "x": array(x),
        "y": array(out),
        "w": array(w),
        "grad": array(grad),
    }


def build():
    rng = np.random.default_rng(101)
    cases = []
    for name, args in ELEMENTWISE:
        for note, points in (("smooth", SMOOTH), ("kinks", KINKS), ("huge", HUGE)):
            cases.append(run(name, args, f32(points), rng, note))
    for name, args, shapes in AXIAL:
        for shape in shapes:
            x = normal(rng, *shape)
            cases.append(run(name, args, x, rng, "random"))
            cases.append(run(name, args, x * 60, rng, "large"))
        equal = np.full(shapes[0], 0.7, np.float32)
        cases.append(run(name, args, equal, rng, "equal"))
    strings = {
        s: keras.activations.get(s).__name__
        for s in sorted({n for n, _ in ELEMENTWISE} | {n for n, _, _ in AXIAL})
        + ["swish", "hard_swish"]
    }
    refused = []
    for s in ["Relu", "ReLU", "SELU", "softMax", "", "unknown", "none"]:
        try:
            strings[s] = keras.activations.get(s).__name__
        except ValueError:
            refused.append(s)
    return {"cases": cases, "strings": strings, "refused_strings": refused}
