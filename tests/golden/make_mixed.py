"""mixed.json: the type of every layer's output under mixed policies. Needs the files of layers."""

import glob
import json
import os

from make_common import keras, np, number

HERE = os.path.dirname(os.path.abspath(__file__))


def firsts():
    """The first case of each class in the files of layers, with a float or an integer input."""
    met = {}
    for path in sorted(glob.glob(os.path.join(HERE, "layers*.json"))):
        with open(path, encoding="utf-8") as f:
            for case in json.load(f).get("cases", []):
                met.setdefault(case["class"], (os.path.basename(path)[:-5], case))
    return met


def build():
    cases = []
    for cls, (file, case) in sorted(firsts().items()):
        x = case["input"]
        data = np.array(x["data"], x.get("dtype", "float32")).reshape(x["shape"])
        for policy in ["mixed_bfloat16", "mixed_float16"]:
            config = dict(case["get_config"])
            config["dtype"] = policy
            keras.utils.set_random_seed(1)
            layer = getattr(keras.layers, cls).from_config(config)
            output = layer(data, training=False)
            finite = bool(np.isfinite(np.asarray(output, "float32")).all())
            cases.append({
                "class": cls,
                "file": file,
                "policy": policy,
                "dtype": str(keras.backend.standardize_dtype(output.dtype)),
                "finite": number(finite),
            })  # fmt: skip
    return {"cases": cases}
