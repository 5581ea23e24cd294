"""Loads with Keras what Cornu saved of models that look texts and integers up, and compares what they predict:

    CORNU_LOOKUPS=/tmp/lookups cargo test -p cornu --test lookups for_keras
    python tests/interop/check_lookups.py /tmp/lookups

Keras' lookups need TensorFlow; without it this says so and passes.
"""

import json
import os
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy as np
    import tensorflow as tf
except ImportError as e:
    print(f"Keras or TensorFlow is not installed ({e}); lookups that Cornu saved were not checked with them.")
    sys.exit(0)

from saved_models import GOLDEN


def given(v):
    return tf.reshape(tf.constant(v["data"], v.get("dtype", "float32")), v["shape"])


def check(path, case):
    model = keras.saving.load_model(path)
    x = [given(v) for v in case["inputs"]]
    got = model(x if len(x) > 1 else x[0])
    got = got if isinstance(got, (list, tuple)) else [got]
    for g, want in zip(got, case["outputs"], strict=True):
        want = np.array(want["data"], want.get("dtype", "float32")).reshape(want["shape"])
        np.testing.assert_allclose(np.asarray(g), want, rtol=1e-5, atol=1e-5)


def main(folder):
    failed, done = [], 0
    with zipfile.ZipFile(os.path.join(GOLDEN, "lookups.zip")) as golden:
        for member in golden.namelist():
            name, file = member.split("/")
            if file != "case.json":
                continue
            try:
                check(os.path.join(folder, name + ".keras"), json.loads(golden.read(member)))
                done += 1
            except Exception as e:
                failed.append(f"{name}: {' '.join(str(e).split())[:400]}")
    if failed:
        sys.exit("\n".join(failed) + f"\n{len(failed)} models with lookups that Cornu saved differ in Keras.")
    assert done >= 11, f"only {done} models"
    print(f"Keras looks up what Cornu does, with {done} models that Cornu saved.")


if __name__ == "__main__":
    main(sys.argv[1])
