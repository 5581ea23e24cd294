"""Computes the golden files with scikit-learn itself.

    python crates/cornu-linear/tests/golden/make.py              # all files
    python crates/cornu-linear/tests/golden/make.py regression   # some

Data are rounded so that they are short; results have 13 digits.
"""

import importlib
import json
import os
import sys
import warnings

import numpy as np
import sklearn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
FILES = ["regression", "classification", "selection", "robust"]


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, np.ndarray):
        return plain(v.tolist())
    if isinstance(v, (float, np.floating)):
        return float("%.13g" % v)
    if isinstance(v, np.integer):
        return int(v)
    return v


def main():
    warnings.filterwarnings("ignore")
    for name in sys.argv[1:] or FILES:
        value = importlib.import_module("make_" + name).build()
        lines = ['{"scikit-learn":"%s"' % sklearn.__version__]
        for key, v in value.items():
            dump = lambda x: json.dumps(plain(x), separators=(",", ":"), allow_nan=False)
            if isinstance(v, list):
                lines.append(',"%s":[' % key + ",\n".join(map(dump, v)) + "]")
            else:
                lines.append(',"%s":' % key + dump(v))
        with open(os.path.join(HERE, name + ".json"), "w") as f:
            f.write("\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
