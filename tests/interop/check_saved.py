"""Loads with Keras what Cornu saved, and compares what the models predict and how their training goes on:

    CORNU_SAVED=/tmp/saved cargo test -p cornu --features safetensors --test golden_saved for_keras
    python tests/interop/check_saved.py /tmp/saved

Without Keras it says so and passes.
"""

import json
import os
import sys

try:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import keras
    import numpy as np
    from safetensors.numpy import load_file as load_safetensors
except ImportError as e:
    print(f"Keras is not installed ({e}); what Cornu saved was not checked with it.")
    sys.exit(0)

from saved_models import array, cases

# The 16-bit formats have two or three digits.
COARSE = {"mixed_precision", "weights_in_half"}


def several(arrays):
    return arrays if len(arrays) > 1 else arrays[0]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def check(path, name, given):
    model = keras.saving.load_model(os.path.join(path, name + ".keras"))
    with open(os.path.join(path, name + ".json")) as f:
        made = json.load(f)
    x = [array(a) for a in given["inputs"]]
    feed = several(x)
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        feed = dict(zip(model._inputs_struct, x))
    out = model.predict(feed, verbose=0)
    out = list(out.values()) if isinstance(out, dict) else out if isinstance(out, (list, tuple)) else [out]
    assert len(out) == len(made["outputs"]), f"{len(out)} outputs"
    tolerance = 2e-2 if name in COARSE else 1e-5
    for got, want in zip(out, made["outputs"]):
        np.testing.assert_allclose(np.asarray(got), array(want), rtol=tolerance, atol=tolerance)
    before = model.get_weights()
    for ending in [".weights.json", ".weights.h5"]:
        for w in model.weights:
            w.assign(w * 0)
        model.load_weights(os.path.join(path, name + ending))
        assert same(before, model.get_weights()), ending
    paths = [w.path for w in model.weights]
    for ending, load in [(".npz", np.load), (".safetensors", load_safetensors)]:
        arrays = load(os.path.join(path, name + ending))
        assert len(arrays) == len(before), ending
        # A stack's name begins its weights' paths in Keras too, until it has been in a file.
        own = model.name + "/"
        arrays = {k if k in paths else k.removeprefix(own): arrays[k] for k in arrays}
        # Of weights of one path, which layers in models within models can have, all but the first have a number.
        if len(set(paths)) == len(paths):
            assert set(arrays) == set(paths), f"{ending}: {set(arrays) ^ set(paths)}"
            assert same(before, [np.asarray(arrays[p]) for p in paths]), ending
    y = several([array(a) for a in given.get("targets", [])] or [None])
    for want in made.get("curve", []):
        logs = model.train_on_batch(feed, y, return_dict=True)
        assert set(logs) == set(want), (set(logs), set(want))
        for key, value in want.items():
            np.testing.assert_allclose(np.mean(logs[key]), value, rtol=1e-5, atol=1e-5, err_msg=key)
    return "curve" in made


def main(path):
    failed, steps, given = [], 0, cases()
    for name in given:
        try:
            steps += check(path, name, given[name])
        except Exception as e:
            failed.append(f"{name}: {' '.join(str(e).split())[:400]}")
    if failed:
        sys.exit("\n".join(failed) + f"\n{len(failed)} of {len(given)} models that Cornu saved differ in Keras.")
    print(f"Keras loads {len(given)} models that Cornu saved, and goes on training {steps} of them.")


if __name__ == "__main__":
    main(sys.argv[1])
