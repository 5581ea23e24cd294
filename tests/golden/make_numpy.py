"""numpy.json: files that NumPy and safetensors write, byte for byte (in hexadecimal), and what they hold."""

import io

import numpy as np
from safetensors.numpy import save

from make_common import keras


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(compressed, **arrays):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def held(array):
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": array.ravel().astype("f8").tolist()}


def build():
    count = np.arange(6).reshape(2, 3)
    arrays = [count.astype(t) for t in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")]
    arrays += [(count - 2.5).astype(t) for t in (">f4", ">f8", ">i4", ">u2")]
    arrays += [np.asfortranarray(count.astype("f4")), np.float64(2.5), np.zeros((0, 3), "f4"), np.arange(3.0)]
    arrays += [np.asfortranarray(np.arange(24, dtype="i4").reshape(2, 3, 4))]
    refused = [np.array(["a", "b"]), np.array([1 + 2j]), np.zeros(2, [("a", "f4")]), np.array([2**64 - 1], "u8")]
    pair = {"x": count.astype("f4"), "dense/kernel": np.zeros((40, 30), "f4")}
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="first"), keras.layers.Dense(1)])
    weights = {w.path: np.asarray(w) for w in model.weights}
    return {
        "npy": [{"file": npy(a).hex(), **held(a)} for a in arrays],
        "refused": [npy(a).hex() for a in refused],
        "npz": [{"file": npz(c, **pair).hex(), "arrays": {k: held(v) for k, v in pair.items()}} for c in (False, True)],
        "safetensors": {"file": save(weights).hex(), "arrays": {k: held(v) for k, v in weights.items()}},
    }
