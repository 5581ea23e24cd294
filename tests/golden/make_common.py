"""What all golden generators share: the Keras set-up and the way numbers are written."""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("KERAS_MAX_EPOCHS", None)
os.environ.pop("KERAS_MAX_STEPS_PER_EPOCH", None)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402


def number(x):
    """A scalar with 9 significant digits, which identify any f32; NaN and infinities as strings."""
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    x = float(x)
    if x != x:
        return "nan"
    if x in (float("inf"), float("-inf")):
        return "inf" if x > 0 else "-inf"
    return float("%.9g" % x)


def array(a):
    """`{"shape", "data"}`, row-major; a `"dtype"` is added when it is not float32."""
    a = np.asarray(a)
    out = {"shape": list(a.shape), "data": [number(x) for x in a.ravel()]}
    if a.dtype == np.float64:
        a = a.astype(np.float32)
        out["data"] = [number(x) for x in a.ravel()]
    if a.dtype != np.float32:
        out["dtype"] = str(a.dtype)
    return out


def plain(x):
    """Any nesting of arrays, dicts, lists and Python values as JSON values.

    Python floats keep all their digits (they are configuration), arrays get nine.
    """
    if x is None or isinstance(x, (bool, str, int)):
        return x
    if isinstance(x, float):
        return number(x) if x != x or abs(x) == float("inf") else x
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, np.generic):
        return number(x)
    if isinstance(x, keras.Variable):
        x = x.numpy()
    return array(x)


def serialize_config(config):
    """A Keras `get_config()` with its objects as Keras writes them into config.json."""
    return plain(keras.saving.serialize_keras_object(config))


def write(path, value):
    """Writes `value` (a dict of lists of cases) with one case per line."""

    def dump(v):
        return json.dumps(v, separators=(",", ":"), allow_nan=False, ensure_ascii=False)

    lines = ["{"]
    keys = list(value)
    for i, key in enumerate(keys):
        comma = "," if i + 1 < len(keys) else ""
        v = plain(value[key])
        if isinstance(v, list) and v:
            lines.append(dump(key) + ":[")
            lines.append(",\n".join(dump(case) for case in v))
            lines.append("]" + comma)
        else:
            lines.append(dump(key) + ":" + dump(v) + comma)
    lines.append("}")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def versions():
    return {
        "keras": keras.__version__,
        "backend": "jax",
        "jax": jax.__version__,
        "numpy": np.__version__,
    }


def f32(a):
    return np.asarray(a, dtype=np.float32)


def normal(rng, *shape, scale=1.0):
    return f32(rng.standard_normal(shape) * scale)


def uniform(rng, *shape, low=0.0, high=1.0):
    return f32(rng.uniform(low, high, shape))


def probabilities(rng, *shape):
    e = np.exp(rng.standard_normal(shape))
    return f32(e / e.sum(-1, keepdims=True))


def one_hot(labels, classes):
    return f32(np.eye(classes)[np.asarray(labels)])
