"""lookups.zip: models that look texts and integers up, or hash them, as Keras writes them, with what they predict.

Keras' lookups need TensorFlow: this generator alone runs on that backend, in a process of its own. Each model is a
folder as in saved.zip; a text is written as it is.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

L = keras.layers
COLOURS = ["red", "green", "blue", "ultramarine", "a shade between green and blue that has no name of its own"]
TEXTS = [*COLOURS, "", "grün", "violet", "Red", "x" * 65, "y" * 64, "z" * 200, "w" * 129, "[UNK]"]
NUMBERS = [12, 36, 1138, 42, 7, -5, 0, 2**62 + 1, 2**62 + 2, -(2**62) - 1, -1]
CASES = {}


def case(make):
    CASES[make.__name__] = make
    return make


def texts(name="text", width=1):
    return keras.Input((width,), dtype="string", name=name)


def integers(name="number", width=1):
    return keras.Input((width,), dtype="int64", name=name)


def columns(values, width=1):
    values = list(values)
    return np.array(values, "object" if isinstance(values[0], str) else "int64").reshape(-1, width)


@case
def given(rng):
    x = texts()
    return keras.Model(x, L.StringLookup(vocabulary=COLOURS)(x)), [columns(TEXTS)]


@case
def adapted(rng):
    x = texts()
    lookup = L.StringLookup()
    lookup.adapt(np.array(["red", "blue", "red", "green", "blue", "red", "violet", "grün"]))
    return keras.Model(x, L.CategoryEncoding(6, output_mode="one_hot")(lookup(x))), [columns(TEXTS)]


@case
def adapted_with_mask(rng):
    x = texts(width=2)
    lookup = L.StringLookup(mask_token="", max_tokens=5)
    lookup.adapt(np.array(["red", "", "red", "green", "blue", "red", "violet"]))
    return keras.Model(x, lookup(x)), [columns(TEXTS, 2)]


@case
def buckets(rng):
    x = texts()
    outputs = [L.StringLookup(vocabulary=COLOURS, num_oov_indices=n, mask_token="")(x) for n in (2, 3, 7)]
    return keras.Model(x, outputs), [columns(TEXTS)]


@case
def vectors(rng):
    x = texts(width=2)
    outputs = []
    for mode in ("one_hot", "multi_hot", "count"):
        for more in ({}, {"mask_token": "", "num_oov_indices": 2}, {"max_tokens": 9, "pad_to_max_tokens": True}):
            outputs.append(L.StringLookup(vocabulary=COLOURS, output_mode=mode, **more)(x))
    return keras.Model(x, outputs), [columns(TEXTS, 2)]


@case
def one_column(rng):
    x = texts()
    return keras.Model(x, L.StringLookup(vocabulary=COLOURS, output_mode="one_hot")(x)), [columns(TEXTS)]


@case
def in_a_stack(rng):
    inside = keras.Sequential([texts(), L.StringLookup(vocabulary=["", "[UNK]", *COLOURS], mask_token="")])
    x = texts()
    y = L.Dense(2)(L.Flatten()(L.Embedding(7, 3)(inside(x))))
    return keras.Model(x, y), [columns(TEXTS)]


@case
def adapted_inside(rng):
    lookups = [L.StringLookup(), L.StringLookup(num_oov_indices=2), L.IntegerLookup()]
    data = [["b", "a", "b"], ["red", "green"], [42, 36, 42, -3]]
    for lookup, values in zip(lookups, data):
        lookup.adapt(np.array(values))
    inner_x = texts("inner")
    inner = keras.Model(inner_x, lookups[1](inner_x), name="inner_model")
    a, b, n = texts("a"), texts("b"), integers("n")
    y = L.Concatenate()([lookups[0](a), inner(b), lookups[2](n)])
    data = [columns(["b", "a", "c"]), columns(["red", "blue", "green"]), columns([36, 42, 5])]
    return keras.Model([a, b, n], y), data


@case
def numbers(rng):
    x = integers()
    vocabulary = [12, 36, 1138, 42, 2**62 + 1, -(2**62) - 1]
    outputs = [
        L.IntegerLookup(vocabulary=vocabulary, num_oov_indices=n, mask_token=m)(x) for n in (1, 3) for m in (None, 0)
    ]
    outputs.append(L.IntegerLookup(vocabulary=vocabulary, output_mode="one_hot")(x))
    return keras.Model(x, outputs), [columns(NUMBERS)]


@case
def back(rng):
    x = integers()
    outputs = [L.IntegerLookup(vocabulary=[12, 36, 1138], invert=True, mask_token=m)(x) for m in (None, 0)]
    return keras.Model(x, outputs), [columns([0, 1, 2, 3, 4, 5, -1])]


@case
def a_table(rng):
    colour, size = texts("colour"), keras.Input((1,), name="size")
    hot = L.StringLookup(vocabulary=COLOURS, output_mode="one_hot")(colour)
    y = L.Dense(3, activation="softmax")(L.Concatenate()([hot, size]))
    model = keras.Model([colour, size], y)
    x = [columns(TEXTS), rng.normal(size=(len(TEXTS), 1)).astype("float32")]
    return model, x


@case
def hashed(rng):
    x, n = texts(), integers()
    outputs = [L.Hashing(b)(v) for b in (1, 3, 1000003) for v in (x, n)]
    outputs += [L.Hashing(5, mask_value="")(x), L.Hashing(1, mask_value="")(x), L.Hashing(5, mask_value=7)(n)]
    outputs += [L.Hashing(7, dtype="int32")(x), L.Hashing(2**40, salt=3)(n), L.Hashing(7, salt=[133, 137])(n)]
    return keras.Model([x, n], outputs), [columns(TEXTS), columns([*NUMBERS, 2**63 - 1, -(2**63), 10])]


@case
def hashed_vectors(rng):
    x, n, one = texts(width=2), integers("n", 2), integers("one")
    outputs = []
    for mode in ("one_hot", "multi_hot", "count"):
        for v, mask in ((x, ""), (n, 7), (one, None)):
            outputs.append(L.Hashing(4, output_mode=mode, mask_value=mask)(v))
    return keras.Model([x, n, one], outputs), [
        columns(TEXTS, 2), columns([1, 2, 7, 7, -3, 7, 12, 12, 0, 5, 6, 99, 10**12, 3], 2), columns(range(7)),
    ]  # fmt: skip


@case
def crossed(rng):
    x, n, y = texts(), integers(), texts("other")
    outputs = [L.HashedCrossing(b)(v) for b in (1, 5, 1000003) for v in ((x, n), (n, x), (n, n), (y, x))]
    outputs += [L.HashedCrossing(6, output_mode="one_hot")((x, y)), L.HashedCrossing(9, dtype="int32")((x, y))]
    inside = L.HashedCrossing(6)
    deep = L.Dense(2)(L.Flatten()(L.Embedding(6, 3)(inside((x, y)))))
    return keras.Model([x, n, y], [*outputs, deep]), [
        columns(TEXTS), columns([*NUMBERS, 2**63 - 1, -(2**63), 10]), columns(TEXTS[::-1]),
    ]  # fmt: skip


def array(a):
    a = np.asarray(a)
    if a.dtype == object:
        return {"shape": list(a.shape), "data": a.ravel().tolist(), "dtype": "string"}
    out = {"shape": list(a.shape), "data": [float("%.9g" % x) if a.dtype.kind == "f" else int(x) for x in a.ravel()]}
    return out if a.dtype == np.float32 else {**out, "dtype": str(a.dtype)}


def archive(folder):
    subprocess.run([sys.executable, os.path.abspath(__file__)], check=True)
    return os.path.join(folder, "lookups.zip")


def main():
    keras.utils.set_random_seed(7)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lookups.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out, tempfile.TemporaryDirectory() as folder:
        for name, make in CASES.items():
            model, x = make(np.random.default_rng(7))
            file = os.path.join(folder, name + ".keras")
            model.save(file)
            fed = [tf.constant(a.tolist()) if a.dtype == object else tf.constant(a) for a in x]
            y = model(fed if len(fed) > 1 else fed[0])
            y = y if isinstance(y, (list, tuple)) else [y]
            made = {"keras": keras.__version__, "inputs": [array(a) for a in x], "outputs": [array(v) for v in y]}
            out.write(file, f"{name}/model.keras")
            out.writestr(f"{name}/case.json", json.dumps(made, ensure_ascii=False))
    print(f"{path}: {len(CASES)} models")


if __name__ == "__main__":
    main()
