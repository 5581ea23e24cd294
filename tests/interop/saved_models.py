"""What Keras was given and computed for the models that it saved (`tests/golden`): read by the checks beside."""

import json
import os
import zipfile

import numpy as np

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")


def cases():
    """What Keras was given and computed, by the names of the models."""
    found = {}
    for archive in ["saved.zip", "saved_layers.zip"]:
        with zipfile.ZipFile(os.path.join(GOLDEN, archive)) as golden:
            for member in golden.namelist():
                name, file = member.split("/")
                if file == "case.json":
                    found[name] = json.loads(golden.read(member))
    return found


def array(v):
    data = [float(x) if isinstance(x, str) else x for x in v["data"]]
    return np.asarray(data, v.get("dtype", "float32")).reshape(v["shape"])
