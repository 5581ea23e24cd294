"""layers_pooling.json: pooling layers."""

from make_common import normal, np
from make_layers import case


def windows(rng):
    cases = []
    x1, x2, x3 = normal(rng, 2, 7, 3), normal(rng, 2, 6, 5, 2), normal(rng, 1, 4, 5, 3, 2)
    for kind in ("Max", "Average"):
        for config in [
            {"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": 3, "padding": "same"},
            {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 2, "strides": 3},
        ]:  # fmt: skip
            cases.append(case(rng, f"{kind}Pooling1D", config, x1))
        cases.append(case(rng, f"{kind}Pooling1D",
                          {"pool_size": 2, "data_format": "channels_first"}, normal(rng, 2, 3, 6)))
        for config in [
            {"pool_size": 2}, {"pool_size": [2, 3]}, {"pool_size": 3, "strides": 1},
            {"pool_size": 3, "strides": 2, "padding": "same"},
            {"pool_size": [3, 2], "strides": [1, 2], "padding": "same"}, {"pool_size": 1},
        ]:  # fmt: skip
            cases.append(case(rng, f"{kind}Pooling2D", config, x2))
        cases.append(case(rng, f"{kind}Pooling2D",
                          {"pool_size": 2, "padding": "same", "data_format": "channels_first"},
                          normal(rng, 2, 3, 5, 4)))
        for config in [{"pool_size": 2}, {"pool_size": [1, 2, 3], "strides": 2, "padding": "same"}]:
            cases.append(case(rng, f"{kind}Pooling3D", config, x3))
        for n, x in ((1, x1), (2, x2), (3, x3)):
            for config in ({}, {"keepdims": True}, {"data_format": "channels_first"},
                           {"data_format": "channels_first", "keepdims": True}):
                cases.append(case(rng, f"Global{kind}Pooling{n}D", config, x))
        for n, x, sizes in (
            (1, x1, (1, 2, 3, 5, 9)), (2, x2, (1, [2, 3], [4, 5])), (3, x3, (2, [1, 2, 3])),
        ):  # fmt: skip
            for size in sizes:
                cases.append(case(rng, f"Adaptive{kind}Pooling{n}D", {"output_size": size}, x))
        cases.append(case(rng, f"Adaptive{kind}Pooling2D",
                          {"output_size": 2, "data_format": "channels_first"}, x2))
    mask = np.array([[True, True, False, True, False, False, True], [True] + [False] * 6])
    cases.append(case(rng, "GlobalAveragePooling1D", {}, x1, note="mask", call_args={"mask": mask}))
    cases.append(case(rng, "GlobalAveragePooling1D", {"keepdims": True}, x1, note="mask",
                      call_args={"mask": mask}))
    return cases


def build():
    rng = np.random.default_rng(105)
    return {"cases": windows(rng)}
