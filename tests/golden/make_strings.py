"""strings.json: which strings Keras takes for a thing, in every spelling of every name, and what it makes of them."""

import re

from make_common import keras

MODULES = {
    "activations": keras.activations, "constraints": keras.constraints, "initializers": keras.initializers,
    "losses": keras.losses, "metrics": keras.metrics, "optimizers": keras.optimizers,
    "regularizers": keras.regularizers,
}  # fmt: skip

# Those by which others go, and some that look as if they did.
MORE = """accuracy acc bce mse mae mape msle kld ce crossentropy cross_entropy cosine rmse auc r2 f1 io_u iou normal
uniform one zero glorot xavier he lecun swish hard_swish hard_silu lrelu leaky_relu relu6 l1 l2 l1_l2 l1l2 orthogonal
unit_norm max_norm non_neg min_max_norm nonneg maxnorm none sgd adam momentum rms_prop rmsprop adam_w nadam
kullback_leibler_divergence huber_loss log_cosh logcosh categorical_crossentropy softmax_cross_entropy
"""

# Base classes and functions that are no such thing themselves.
LEFT = {"get", "serialize", "deserialize", "schedules", "legacy"}


def snake(name):
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def spellings(module):
    names = {n for n in dir(module) if not n.startswith("_")} - LEFT
    names |= set(MORE.split()) | {"", "unknown", "None"}
    for change in (str.lower, str.upper, snake, str.capitalize):
        names |= {change(n) for n in names}
    return sorted(names - LEFT)


def build():
    out = {}
    for kind, module in MODULES.items():
        taken, refused = {}, []
        for name in spellings(module):
            try:
                it = module.get(name)
            except Exception:
                refused.append(name)
                continue
            taken[name] = getattr(it, "__name__", None) or type(it).__name__
        out[kind] = {"taken": taken, "refused": refused}
    return out
