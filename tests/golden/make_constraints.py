"""constraints.json: weights before and after each constraint."""

from make_common import array, f32, jnp, keras, normal, np, plain

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.0}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 1, "axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.9, "max_value": 1.4}),
    ("MinMaxNorm", {"min_value": 0.9, "max_value": 1.4, "rate": 0.3, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("UnitNorm", {"axis": [0, 1]}),
]


def build():
    rng = np.random.default_rng(107)
    inputs = [
        ("random", normal(rng, 3, 4)),
        ("small", normal(rng, 3, 4, scale=0.1)),
        ("rank 3", normal(rng, 2, 3, 4)),
        ("zeros", np.zeros((2, 3), np.float32)),
        ("signs", f32([[1, -1, 0], [-0.0, 1e-9, -3]])),
        ("vector", normal(rng, 5, scale=2)),
    ]
    cases = []
    for cls, config in CASES:
        for note, x in inputs:
            if x.ndim == 1 and config.get("axis", 0) != 0:
                continue
            c = getattr(keras.constraints, cls)(**config)
            cases.append(
                {
                    "class": cls,
                    "config": config,
                    "note": note,
                    "x": array(x),
                    "y": array(c(jnp.asarray(x))),
                    "get_config": plain(c.get_config()),
                }
            )
    strings, refused = {}, []
    for s in ["max_norm", "min_max_norm", "non_neg", "unit_norm", "MaxNorm", "MinMaxNorm",
              "NonNeg", "UnitNorm", "nonneg", "maxnorm", "", "none"]:  # fmt: skip
        try:
            c = keras.constraints.get(s)
            strings[s] = {"class": type(c).__name__, "config": plain(c.get_config())}
        except (ValueError, TypeError, KeyError):
            refused.append(s)
    return {"cases": cases, "strings": strings, "refused_strings": refused}
