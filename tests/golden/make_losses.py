"""losses.json: every loss on chosen and random inputs, with gradients for y_pred."""

from make_common import (
    array,
    f32,
    jax,
    jnp,
    keras,
    normal,
    np,
    one_hot,
    plain,
    probabilities,
    uniform,
)

REDUCTIONS = ["sum_over_batch_size", "sum", "none", "mean_with_sample_weight"]


def case(cls, config, y_true, y_pred, sample_weight=None, mask=None, note=""):
    loss = getattr(keras.losses, cls)(**config)

    def value(p):
        if mask is not None:
            keras.src.backend.set_keras_mask(p, jnp.asarray(mask))
        return loss(jnp.asarray(y_true), p, sample_weight=sample_weight)

    out = value(jnp.asarray(y_pred))
    grad = jax.grad(lambda p: jnp.sum(value(p)))(jnp.asarray(y_pred))
    return {
        "class": cls,
        "config": plain(config),
        "note": note,
        "y_true": array(y_true),
        "y_pred": array(y_pred),
        "sample_weight": None if sample_weight is None else array(sample_weight),
        "mask": None if mask is None else array(mask),
        "value": array(out),
        "grad": array(grad),
    }


# The scheme is the same for every loss: these go through all of it, the others through a part.
THOROUGH = [
    "MeanSquaredError",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
]


def reductions(cls, config, y_true, y_pred, rng):
    """All reductions: unweighted, weighted per sample, per sub-sample value, and as a column."""
    cases = []
    lead = y_pred.shape[:-1]
    if cls not in THOROUGH or config.get("ignore_class") == -1:
        for reduction in REDUCTIONS:
            c = dict(config, reduction=reduction)
            w = uniform(rng, *lead, low=0.0, high=2.0)
            cases.append(case(cls, c, y_true, y_pred, w, note="weight per value"))
        mask = rng.uniform(size=lead) < 0.6
        cases.append(case(cls, config, y_true, y_pred, w, mask, note="mask and weight"))
        return cases
    for reduction in REDUCTIONS:
        c = dict(config, reduction=reduction)
        cases.append(case(cls, c, y_true, y_pred))
        w = uniform(rng, *lead, low=0.0, high=2.0)
        cases.append(case(cls, c, y_true, y_pred, w, note="weight per value"))
        zero = w.copy()
        zero.ravel()[::2] = 0
        cases.append(case(cls, c, y_true, y_pred, zero, note="weights with zeros"))
        if len(lead) == 1:
            cases.append(case(cls, c, y_true, y_pred, w[:, None], note="weight column"))
        else:
            row = w[:, :1] if len(lead) == 2 else w[:, :1, :1]
            cases.append(case(cls, c, y_true, y_pred, row, note="weight broadcast"))
        mask = rng.uniform(size=lead) < 0.6
        cases.append(case(cls, c, y_true, y_pred, None, mask, note="mask"))
        cases.append(case(cls, c, y_true, y_pred, w, mask, note="mask and weight"))
    none = np.zeros(lead, bool)
    cases.append(case(cls, config, y_true, y_pred, None, none, note="nothing valid"))
    cases.append(case(cls, config, y_true, y_pred, f32(0.5), note="scalar weight"))
    return cases


def regression(rng):
    cases = []
    classes = [
        ("MeanSquaredError", [{}]),
        ("MeanAbsoluteError", [{}]),
        ("MeanAbsolutePercentageError", [{}]),
        ("MeanSquaredLogarithmicError", [{}]),
        ("Huber", [{}, {"delta": 0.3}, {"delta": 5.0}]),
        ("LogCosh", [{}]),
        ("CosineSimilarity", [{}, {"axis": 0}]),
        ("Poisson", [{}]),
    ]
    for cls, configs in classes:
        positive = cls in ("MeanSquaredLogarithmicError", "Poisson")
        draw = (lambda *s: uniform(rng, *s, low=0.05, high=4)) if positive else (
            lambda *s: normal(rng, *s, scale=1.5)
        )  # fmt: skip
        t, p = draw(4, 3), draw(4, 3)
        for config in configs:
            cases.append(case(cls, config, t, p))
            if config.get("axis") != 0:
                cases.append(case(cls, config, draw(6), draw(6), note="rank 1"))
                cases.append(case(cls, config, draw(2, 3, 4), draw(2, 3, 4), note="rank 3"))
                cases.append(case(cls, config, draw(5), draw(5, 1), note="y_true rank 1"))
                cases.append(case(cls, config, draw(5, 1), draw(5), note="y_pred rank 1"))
                cases.append(
                    case(cls, config, draw(2, 3), draw(2, 3, 1), note="y_true without last 1")
                )
        cases += reductions(cls, {}, t, p, rng)
        if cls in ("MeanSquaredError", "LogCosh"):
            cases += reductions(cls, {}, draw(2, 3, 4), draw(2, 3, 4), rng)
        if cls == "LogCosh":
            cases.append(case(cls, {}, f32([[0, 0, 0, 0]]), f32([[50, -50, 1e4, -1e-4]])))
        if cls == "MeanAbsolutePercentageError":
            cases.append(
                case(cls, {}, f32([[0, 1e-8, -1e-8, 2]]), f32([[0.5, 0.5, 0.5, 0.5]]), note="y≈0")
            )
        if cls == "MeanSquaredLogarithmicError":
            cases.append(
                case(cls, {}, f32([[0, 1, -2, 3]]), f32([[-1, 0.5, 2, 1e-8]]), note="clipped")
            )
        if cls == "Poisson":
            cases.append(case(cls, {}, f32([[0, 1, 2, 3]]), f32([[1e-8, 1e-3, 2, 100]])))
        if cls == "CosineSimilarity":
            cases.append(
                case(cls, {}, f32([[0, 0], [1, 2]]), f32([[1, 1], [0, 0]]), note="zero vectors")
            )
            cases.append(case(cls, {"axis": 1}, draw(2, 3, 4), draw(2, 3, 4), note="axis 1"))
    return cases


def classification(rng):
    cases = []
    # binary
    y = f32(rng.integers(0, 2, (5, 3)))
    for cls, configs in [
        (
            "BinaryCrossentropy",
            [{}, {"from_logits": True}, {"label_smoothing": 0.1},
             {"from_logits": True, "label_smoothing": 0.2}, {"axis": 0}],
        ),
        (
            "BinaryFocalCrossentropy",
            [{}, {"from_logits": True}, {"gamma": 3.0}, {"label_smoothing": 0.1},
             {"apply_class_balancing": True},
             {"apply_class_balancing": True, "alpha": 0.6, "gamma": 1.0, "from_logits": True}],
        ),
    ]:  # fmt: skip
        for config in configs:
            logits = config.get("from_logits", False)
            p = normal(rng, 5, 3, scale=2) if logits else uniform(rng, 5, 3)
            cases.append(case(cls, config, y, p))
            if "axis" in config:
                continue
            p3 = normal(rng, 2, 3, 4, scale=2) if logits else uniform(rng, 2, 3, 4)
            cases.append(case(cls, config, f32(rng.integers(0, 2, p3.shape)), p3, note="rank 3"))
            cases.append(case(cls, config, y[:, 0], p[:, :1], note="y_true rank 1"))
            cases.append(
                case(cls, config, rng.integers(0, 2, (5, 1)).astype("int32"), p[:, :1],
                     note="integer labels")
            )  # fmt: skip
            extreme = [-100, -1e4, 100, 1e4, 0, 30, -30, 1e-3] if logits else [
                0, 1, 0, 1, 1e-8, 1 - 6e-8, 0.5, 1e-6
            ]  # fmt: skip
            t = f32([[0, 1, 1, 0, 1, 0, 0, 1]]).T
            cases.append(case(cls, config, t, f32([extreme]).T, note="extreme"))
            cases.append(
                case(cls, dict(config, reduction="none"), t, f32([extreme]).T, note="extreme")
            )
        cases += reductions(cls, {}, y, uniform(rng, 5, 3), rng)
        cases += reductions(cls, {"from_logits": True}, y, normal(rng, 5, 3), rng)
        soft = uniform(rng, 5, 3)
        cases.append(case(cls, {}, soft, uniform(rng, 5, 3), note="soft labels"))

    # categorical
    labels = np.array([0, 3, 1, 2, 2])
    y = one_hot(labels, 4)
    for cls, configs in [
        (
            "CategoricalCrossentropy",
            [{}, {"from_logits": True}, {"label_smoothing": 0.1},
             {"from_logits": True, "label_smoothing": 0.3}, {"axis": 1},
             {"axis": 1, "from_logits": True}],
        ),
        (
            "CategoricalFocalCrossentropy",
            [{}, {"from_logits": True}, {"alpha": 0.6, "gamma": 1.0}, {"label_smoothing": 0.1},
             {"alpha": [0.1, 0.2, 0.3, 0.4]}, {"gamma": 0.0}],
        ),
        ("CategoricalGeneralizedCrossEntropy", [{}, {"q": 0.2}, {"q": 0.9}]),
        ("KLDivergence", [{}]),
    ]:  # fmt: skip
        sparse = cls == "CategoricalGeneralizedCrossEntropy"
        for config in configs:
            logits = config.get("from_logits", False)

            def draw(*s):
                return normal(rng, *s, scale=2) if logits else probabilities(rng, *s)

            if config.get("axis") == 1:
                t3 = np.moveaxis(one_hot(rng.integers(0, 4, (2, 3)), 4), -1, 1).copy()
                p3 = np.moveaxis(draw(2, 3, 4), -1, 1).copy()
                cases.append(case(cls, config, t3, p3, note="axis 1"))
                continue
            truth = labels.astype("int32") if sparse else y
            cases.append(case(cls, config, truth, draw(5, 4)))
            if sparse:
                continue
            cases.append(
                case(cls, config, one_hot(rng.integers(0, 4, (2, 3)), 4), draw(2, 3, 4),
                     note="rank 3")
            )  # fmt: skip
            if not logits:
                cases.append(
                    case(cls, config, y, uniform(rng, 5, 4, high=2), note="not normalised")
                )
            extreme = (
                f32([[1e4, 0, 0, 0], [1e4, 0, 0, -1e4], [80, 79, -80, 0], [0, 0, 0, 0],
                     [100, 0, 0, 100]])
                if logits
                else f32([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1e-8, 1, 0], [0.25] * 4, [0, 0.5, 0, 0]])
            )  # fmt: skip
            cases.append(case(cls, config, y, extreme, note="extreme"))
            cases.append(case(cls, dict(config, reduction="none"), y, extreme, note="extreme"))
            if not logits and cls != "KLDivergence":
                cases.append(case(cls, config, y[:1], f32([[0] * 4]), note="all zero, 0/0"))
            cases.append(case(cls, config, probabilities(rng, 5, 4), draw(5, 4), note="soft labels"))
        if not sparse:
            cases += reductions(cls, {}, y, probabilities(rng, 5, 4), rng)
    cases += reductions("CategoricalCrossentropy", {"from_logits": True}, y, normal(rng, 5, 4), rng)
    y3 = one_hot(rng.integers(0, 4, (2, 3)), 4)
    cases += reductions("CategoricalCrossentropy", {}, y3, probabilities(rng, 2, 3, 4), rng)

    # sparse categorical
    cls = "SparseCategoricalCrossentropy"
    for config in [
        {}, {"from_logits": True}, {"ignore_class": 2}, {"ignore_class": 2, "from_logits": True},
        {"ignore_class": -1}, {"ignore_class": -1, "from_logits": True},
    ]:  # fmt: skip
        logits = config.get("from_logits", False)

        def draw(*s):
            return normal(rng, *s, scale=2) if logits else probabilities(rng, *s)

        lab = labels.copy()
        if config.get("ignore_class") == -1:
            lab[[1, 4]] = -1
        for dtype in ("int32", "float32", "uint8"):
            if dtype == "uint8" and (lab < 0).any():
                continue
            cases.append(case(cls, config, lab.astype(dtype), draw(5, 4), note="labels " + dtype))
        cases.append(case(cls, config, lab.astype("int32")[:, None], draw(5, 4), note="column"))
        lab3 = rng.integers(0, 4, (2, 3)).astype("int32")
        cases.append(case(cls, config, lab3, draw(2, 3, 4), note="rank 3"))
        cases.append(case(cls, config, lab3[..., None], draw(2, 3, 4), note="rank 3 column"))
        none = dict(config, reduction="none")
        cases.append(case(cls, none, lab3, draw(2, 3, 4), note="rank 3"))
        extreme = (
            f32([[1e4, 0, 0, 0], [1e4, 0, 0, -1e4], [80, 79, -80, 0], [0, 0, 0, 0],
                 [100, 0, 0, 100]])
            if logits
            else f32([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1e-8, 1, 0], [0.25] * 4, [0, 0.5, 0, 0]])
        )  # fmt: skip
        cases.append(case(cls, none, lab.astype("int32"), extreme, note="extreme"))
        cases.append(case(cls, config, lab.astype("int32"), extreme, note="extreme"))
        if not logits:
            cases.append(
                case(cls, config, lab.astype("int32"), uniform(rng, 5, 4, high=2),
                     note="not normalised")
            )  # fmt: skip
        cases += reductions(cls, config, lab.astype("int32"), draw(5, 4), rng)
    cases += reductions(cls, {}, lab3, probabilities(rng, 2, 3, 4), rng)
    return cases


def margins(rng):
    cases = []
    for cls in ("Hinge", "SquaredHinge"):
        for t in (f32(rng.choice([-1, 1], (4, 3))), f32(rng.integers(0, 2, (4, 3)))):
            cases.append(case(cls, {}, t, normal(rng, 4, 3)))
        cases.append(case(cls, {}, f32([0, 1, -1, 1, 0.5]), normal(rng, 5), note="mixed labels"))
        cases.append(
            case(cls, {}, f32([1, 0, 1, 0]), f32([[1], [-1], [3], [-3]]), note="at the margin")
        )
        cases += reductions(cls, {}, f32(rng.choice([-1, 1], (4, 3))), normal(rng, 4, 3), rng)
    cls = "CategoricalHinge"
    y = one_hot([0, 3, 1, 2, 2], 4)
    cases.append(case(cls, {}, y, normal(rng, 5, 4)))
    cases.append(case(cls, {}, y * 2 - 1, normal(rng, 5, 4), note="labels -1 and 1"))
    cases += reductions(cls, {}, y, normal(rng, 5, 4), rng)
    return cases


def regions(rng):
    cases = []
    t = f32(rng.integers(0, 2, (2, 3, 4)))
    for cls, configs in [
        ("Dice", [{}, {"axis": [1, 2]}, {"axis": [0]}, {"reduction": "sum", "axis": [1, 2]},
                  {"reduction": "none", "axis": [1, 2]}]),
        ("Tversky", [{}, {"alpha": 0.3, "beta": 0.7}, {"axis": [1, 2], "alpha": 0.2, "beta": 0.9},
                     {"axis": [1, 2], "reduction": "none"}]),
    ]:  # fmt: skip
        for config in configs:
            cases.append(case(cls, config, t, uniform(rng, 2, 3, 4)))
            if "axis" in config and config["axis"] == [1, 2]:
                cases.append(
                    case(cls, config, t, uniform(rng, 2, 3, 4), f32([0.5, 2.0]), note="weighted")
                )
        cases.append(case(cls, {}, np.zeros_like(t), np.zeros_like(t), note="all zero"))
    labels = np.array([0, 1, 0, 2, 1, 2], "int32")
    unit = normal(rng, 6, 4)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for config in [{}, {"gamma": 20.0, "margin": 0.25}, {"remove_diagonal": False},
                   {"reduction": "none"}]:  # fmt: skip
        cases.append(case("Circle", config, labels, unit))
    cases.append(case("Circle", {}, labels, unit, uniform(rng, 6), note="weighted"))
    return cases


def sequences(rng):
    """Labels with repetitions, none, and almost as many as there are steps."""
    cases = []
    labels = np.array(
        [[1, 2, 0, 0], [3, 3, 1, 0], [2, 0, 0, 0], [0, 0, 0, 0], [1, 2, 3, 4]], "int32"
    )
    for steps in [5, 9]:
        logits = normal(rng, 5, steps, 6, scale=2)
        for reduction in REDUCTIONS:
            w = uniform(rng, 5, low=0.0, high=2.0)
            c = {"reduction": reduction}
            cases.append(case("CTC", c, labels, logits, w, note=f"{steps} steps"))
            cases.append(case("CTC", c, labels, logits, note=f"{steps} steps"))
    few = normal(rng, 2, 3, 4)
    pairs = np.array([[1, 1], [2, 3]], "int32")
    cases.append(case("CTC", {}, pairs, few, note="a blank is needed between equal labels"))
    cases.append(case("CTC", {}, np.array([[1], [3]], "int32"), few, note="one label"))
    cases.append(case("CTC", {}, f32(pairs), few, note="labels as floats"))
    return cases


def options(rng):
    """Arguments and masks that the cases before leave out."""
    cases = []
    labels = np.array([[0, 3, 1], [2, 2, 0]], "int32")
    y = one_hot(labels, 4)
    p = probabilities(rng, 2, 3, 4)
    cls = "CategoricalGeneralizedCrossEntropy"
    for config in ({}, {"q": 0.3}):
        cases += reductions(cls, config, labels, p, rng)
    cls = "CategoricalFocalCrossentropy"
    along = np.moveaxis(y, -1, 1), np.moveaxis(p, -1, 1)
    cases.append(case(cls, {"axis": 1}, *along, note="axis 1"))
    binary = f32(rng.integers(0, 2, (2, 3, 4))), uniform(rng, 2, 3, 4, low=0.05, high=0.95)
    cls = "BinaryFocalCrossentropy"
    for axis in (0, 1):
        cases.append(case(cls, {"axis": axis}, *binary, note=f"axis {axis}"))
    unit = normal(rng, 6, 4)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    mask = np.array([1, 1, 0, 1, 1, 0], bool)
    circle = np.array([0, 1, 0, 2, 1, 2], "int32")
    cases.append(case("Circle", {}, circle, unit, None, mask, note="mask"))
    cls = "SparseCategoricalCrossentropy"
    for config in ({}, {"from_logits": True}, {"ignore_class": 2}, {"reduction": "none"}):
        # Of another axis than the last Keras refuses the shapes.
        for axis in (2, -1):
            c = {"axis": axis, **config}
            scores = normal(rng, 2, 3, 4) if "from_logits" in config else p
            cases.append(case(cls, c, labels, scores, note=f"axis {axis}"))
    sure = np.array([1, 0], bool)
    weight = f32([0.5, 2.0])
    for cls in ("Dice", "Tversky"):
        for reduction in REDUCTIONS:
            c = {"axis": [1, 2], "reduction": reduction}
            cases.append(case(cls, c, *binary, None, sure, note="mask"))
            cases.append(case(cls, c, *binary, weight, sure, note="mask and weight"))
    words = np.array([[1, 2, 0], [3, 3, 1], [2, 0, 0], [1, 2, 3]], "int32")
    logits = normal(rng, 4, 7, 5)
    some = np.array([1, 0, 1, 1], bool)
    for reduction in REDUCTIONS:
        c = {"reduction": reduction}
        cases.append(case("CTC", c, words, logits, None, some, note="mask"))
        cases.append(case("CTC", c, words, logits, uniform(rng, 4), some, note="mask and weight"))
    return cases


def strings():
    names = [n for n in dir(keras.losses) if not n.startswith("_")]
    names += [n.lower() for n in names] + [n.upper() for n in names]
    names += [
        "bce", "BCE", "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD",
        "logcosh", "LogCosh", "huber_loss", "cosine", "ce", "crossentropy", "cross_entropy",
        "categorical_generalized_cross_entropy", "kullback_leibler_divergence",
    ]  # fmt: skip
    resolved, refused = {}, []
    for name in sorted(set(names)):
        if name in ("Loss", "LossFunctionWrapper", "loss", "LOSS"):
            continue
        try:
            obj = keras.losses.get(name)
        except (ValueError, TypeError, KeyError):
            refused.append(name)
            continue
        resolved[name] = getattr(obj, "__name__", None) or type(obj).__name__
    return resolved, refused


def build():
    rng = np.random.default_rng(102)
    cases = regression(rng) + classification(rng) + margins(rng) + regions(rng)
    cases += sequences(rng) + options(rng)
    resolved, refused = strings()
    configs = {}
    for cls in sorted({c["class"] for c in cases}):
        configs[cls] = getattr(keras.losses, cls)().get_config()
    return {
        "cases": cases,
        "loss_strings": resolved,
        "refused_strings": refused,
        "default_configs": configs,
    }
