"""layers_space.json: margins, noise outside training, masking."""

from make_common import normal, np
from make_layers import case

FIRST = {"data_format": "channels_first"}


def build():
    rng = np.random.default_rng(107)
    cases = []
    x1, x2, x3 = normal(rng, 2, 6, 2), normal(rng, 1, 5, 6, 2), normal(rng, 1, 3, 4, 3, 2)
    for name, argument in (("ZeroPadding", "padding"), ("Cropping", "cropping")):
        for n, x, values in (
            (1, x1, (None, 2, [0, 3])), (2, x2, (None, 2, [1, 2], [[0, 1], [2, 3]])),
            (3, x3, (None, [[1, 0], [0, 2], [1, 1]])),
        ):  # fmt: skip
            for value in values:
                config = {} if value is None else {argument: value}
                cases.append(case(rng, f"{name}{n}D", config, x))
        cases.append(case(rng, f"{name}2D", {argument: 1, **FIRST}, normal(rng, 1, 2, 4, 4)))
    for cls in ("GaussianDropout", "AlphaDropout"):
        cases.append(case(rng, cls, {"rate": 0.3}, x1))
    cases.append(case(rng, "GaussianNoise", {"stddev": 0.3}, x1))
    x = normal(rng, 2, 4, 3)
    x[0, 1] = 0
    x[1, 3] = 2.5
    cases += [case(rng, "Masking", config, x) for config in ({}, {"mask_value": 2.5})]
    return {"cases": cases}
