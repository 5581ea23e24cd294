"""metrics.json: every metric over several batches, and how Keras resolves "accuracy"."""

from make_common import (
    array,
    f32,
    keras,
    normal,
    np,
    one_hot,
    plain,
    probabilities,
    serialize_config,
    uniform,
)


def result_of(metric):
    try:
        r = metric.result()
    except Exception as e:  # some cannot answer before their first batch
        return {"error": type(e).__name__}
    if isinstance(r, dict):
        return {k: array(np.asarray(v)) for k, v in r.items()}
    return array(np.asarray(r))


def case(cls, config, batches, note=""):
    """`batches` holds (y_true, y_pred) or (y_true, y_pred, weight); Mean and Sum take (values,)."""
    keras.backend.clear_session()
    metric = getattr(keras.metrics, cls)(**config)
    values = cls in ("Mean", "Sum")
    initial = result_of(metric)
    steps = []
    for batch in batches:
        count = 1 if values else 2
        weight = batch[count] if len(batch) > count else None
        metric.update_state(*batch[:count], sample_weight=weight)
        step = {"values": array(batch[0])} if values else {
            "y_true": array(batch[0]), "y_pred": array(batch[1])
        }  # fmt: skip
        step["sample_weight"] = None if weight is None else array(weight)
        step["result"] = result_of(metric)
        steps.append(step)
    variables = [
        {"name": v.name, "shape": list(v.shape), "dtype": str(v.dtype)} for v in metric.variables
    ]
    small = [array(v.numpy()) for v in metric.variables if np.prod(v.shape, dtype=int) <= 16]
    metric.reset_state()
    after = result_of(metric)
    return {
        "class": cls,
        "config": plain(config),
        "note": note,
        "name": metric.name,
        "get_config": serialize_config(metric.get_config()),
        "result_initial": initial,
        "steps": steps,
        "variables": variables,
        "variable_values": small if len(small) == len(variables) else None,
        "result_after_reset": after if after != initial else "as initial",
    }


def weighted(rng, cls, config, draw, note=""):
    """Unweighted, weighted by sample, and mixed batches of different length."""
    a, b, c = draw(5), draw(4), draw(1)
    w = lambda n: uniform(rng, n, high=2)  # noqa: E731
    zero = f32([1, 0, 0, 1])
    return [
        case(cls, config, [a, b, c], note),
        case(cls, config, [(*a, w(5)), (*b, zero), (*c, w(1))], (note + " weighted").strip()),
    ]


def reductions(rng):
    cases = []
    for cls in ("Mean", "Sum"):
        cases += [
            case(cls, {}, [(normal(rng, 4),), (normal(rng, 2, 3),), (f32(2.5),)]),
            case(cls, {}, [(normal(rng, 4), uniform(rng, 4)), (f32(2.0), f32(3.0))], "weighted"),
            case(cls, {}, [(normal(rng, 3, 2), uniform(rng, 3))], "weight per row"),
            case(cls, {"name": "mine"}, [(normal(rng, 3, 2), uniform(rng, 3, 2))], "full weight"),
            case(cls, {}, [(normal(rng, 3), np.zeros(3, np.float32))], "all weights zero"),
        ]
    return cases


def regression(rng):
    cases = []
    for cls in (
        "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError",
        "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "CosineSimilarity",
        "LogCoshError", "Poisson", "PearsonCorrelation", "ConcordanceCorrelation",
    ):  # fmt: skip
        positive = cls in ("MeanSquaredLogarithmicError", "Poisson")

        def draw(n, shape=(3,)):
            if positive:
                return uniform(rng, n, *shape, low=0.1, high=4), uniform(
                    rng, n, *shape, low=0.1, high=4
                )
            return normal(rng, n, *shape), normal(rng, n, *shape)

        cases += weighted(rng, cls, {}, draw)
        if "Correlation" not in cls:
            cases.append(case(cls, {}, [draw(4, ()), draw(3, ())], "rank 1"))
            t, p = draw(4, ())
            cases.append(case(cls, {}, [(t, p[:, None])], "y_true rank 1, y_pred a column"))
            cases.append(case(cls, {}, [(*draw(2, (2, 3)), uniform(rng, 2))], "rank 3 weighted"))
    cases.append(case("CosineSimilarity", {"axis": 1}, [(normal(rng, 2, 3, 4),) * 2], "axis 1"))
    cases += weighted(
        rng, "R2Score", {}, lambda n: (normal(rng, n, 3), normal(rng, n, 3))
    )
    for config in (
        {"class_aggregation": None},
        {"class_aggregation": "variance_weighted_average"},
        {"num_regressors": 2},
    ):
        cases.append(
            case("R2Score", config,
                 [(normal(rng, 5, 3), normal(rng, 5, 3)), (normal(rng, 4, 3), normal(rng, 4, 3))])
        )  # fmt: skip
    return cases


def accuracy(rng):
    cases = []

    def binary(n, shape=(2,)):
        return f32(rng.integers(0, 2, (n, *shape))), uniform(rng, n, *shape)

    def categorical(n, shape=()):
        return one_hot(rng.integers(0, 4, (n, *shape)), 4), probabilities(rng, n, *shape, 4)

    def sparse(n, shape=()):
        return rng.integers(0, 4, (n, *shape)).astype("int32"), probabilities(rng, n, *shape, 4)

    def sparse_wide(n):
        return rng.integers(0, 8, n).astype("int32"), normal(rng, n, 8)

    cases += weighted(
        rng, "Accuracy", {},
        lambda n: (f32(rng.integers(0, 3, (n, 2))), f32(rng.integers(0, 3, (n, 2)))),
    )  # fmt: skip
    cases += weighted(rng, "BinaryAccuracy", {}, binary)
    cases += weighted(rng, "BinaryAccuracy", {"threshold": 0.3}, binary)
    cases += weighted(rng, "BinaryAccuracy", {}, lambda n: binary(n, (1,)), "column")
    t, p = binary(4, (1,))
    cases.append(case("BinaryAccuracy", {}, [(t[:, 0], p)], "y_true rank 1"))
    cases.append(
        case("BinaryAccuracy", {}, [(f32([[1], [0]]), f32([[0.5], [0.5]]))], "at the threshold")
    )
    cases += weighted(rng, "CategoricalAccuracy", {}, categorical)
    cases.append(case("CategoricalAccuracy", {}, [categorical(2, (3,))], "rank 3"))
    t, p = categorical(2, (3,))
    cases.append(case("CategoricalAccuracy", {}, [(t, p, uniform(rng, 2, 3))], "rank 3 weighted"))
    cases.append(
        case("CategoricalAccuracy", {}, [(one_hot([0, 1, 2], 3), np.full((3, 3), 1 / 3, "f4"))],
             "ties")
    )  # fmt: skip
    cases += weighted(rng, "SparseCategoricalAccuracy", {}, sparse)
    cases += weighted(
        rng, "SparseCategoricalAccuracy", {}, lambda n: (lambda s: (s[0][:, None], s[1]))(sparse(n)),
        "column",
    )  # fmt: skip
    cases.append(case("SparseCategoricalAccuracy", {}, [sparse(2, (3,))], "rank 3"))
    t, p = sparse(2, (3,))
    cases.append(case("SparseCategoricalAccuracy", {}, [(t, p, f32([1, 3]))], "row weight"))
    for k in (1, 2, 5):
        cases += weighted(
            rng, "TopKCategoricalAccuracy", {"k": k},
            lambda n: (one_hot(rng.integers(0, 8, n), 8), normal(rng, n, 8)),
        )  # fmt: skip
        cases += weighted(rng, "SparseTopKCategoricalAccuracy", {"k": k}, sparse_wide)
    cases.append(case("TopKCategoricalAccuracy", {}, [(one_hot([5], 8), normal(rng, 1, 8))]))
    ties = (np.array([0, 1, 2, 3], "int32"), f32([[0.5, 0.5, 0.5, 0.1]] * 4))
    cases.append(case("SparseTopKCategoricalAccuracy", {"k": 2}, [ties], "ties"))
    return cases


def confusion(rng):
    cases = []

    def binary(n, shape=()):
        return f32(rng.integers(0, 2, (n, *shape))), uniform(rng, n, *shape)

    for cls in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives",
                "Precision", "Recall"):  # fmt: skip
        cases += weighted(rng, cls, {}, binary)
        cases += weighted(rng, cls, {"thresholds": [0.2, 0.5, 0.9]}, binary)
        cases += weighted(rng, cls, {"thresholds": 0.7}, lambda n: binary(n, (1,)), "column")
        cases.append(case(cls, {}, [binary(3, (2, 2))], "rank 3"))
        exact = (f32([1, 1, 0, 0, 1]), f32([0.5, 1, 0, 0.5, 0]))
        cases.append(case(cls, {"thresholds": [0.0, 0.5, 1.0]}, [exact], "at the thresholds"))
    for cls in ("Precision", "Recall"):
        for config in ({"class_id": 1}, {"top_k": 2}, {"top_k": 2, "class_id": 2},
                       {"class_id": 0, "thresholds": [0.2, 0.6]}):  # fmt: skip
            cases += weighted(
                rng, cls, config,
                lambda n: (one_hot(rng.integers(0, 4, n), 4), probabilities(rng, n, 4)),
            )  # fmt: skip
        cases.append(
            case(cls, {}, [(np.zeros(3, "f4"), np.zeros(3, "f4"))], "nothing positive")
        )
    return cases


def curves(rng):
    cases = []

    def binary(n, shape=()):
        y = f32(rng.integers(0, 2, (n, *shape)))
        p = np.clip(0.3 * y + uniform(rng, n, *shape, high=0.75), 0, 1)
        return y, f32(p)

    few = [(f32([0, 0, 1, 1]), f32([0, 0.5, 0.3, 0.9]))]
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "minoring", "majoring"):
            config = {"curve": curve, "summation_method": method}
            cases.append(case("AUC", {**config, "num_thresholds": 3}, few, "documented example"))
            cases.append(case("AUC", config, [binary(20), binary(15)]))
            y, p = binary(20)
            cases.append(case("AUC", config, [(y, p, uniform(rng, 20, high=2))], "weighted"))
    cases += weighted(rng, "AUC", {}, lambda n: binary(n, (1,)), "column")
    for config in (
        {"thresholds": [0.2, 0.35, 0.8]},
        {"thresholds": [0.5], "curve": "PR"},
        {"thresholds": [0.25, 0.5, 0.75]},
        {"num_thresholds": 11},
        {"from_logits": True},
    ):
        data = [binary(12), binary(9)]
        if config.get("from_logits"):
            data = [(y, f32(p * 8 - 4)) for y, p in data]
        cases.append(case("AUC", config, data))
    for config in (
        {"multi_label": True},
        {"multi_label": True, "num_labels": 3},
        {"multi_label": True, "label_weights": [0.5, 1.0, 2.0]},
        {"multi_label": True, "curve": "PR", "label_weights": [0.5, 1.0, 2.0]},
        {"multi_label": True, "thresholds": [0.3, 0.6]},
        {},
    ):
        cases.append(case("AUC", config, [binary(10, (3,)), binary(8, (3,))], "three labels"))
    y, p = binary(10, (3,))
    cases.append(
        case("AUC", {"multi_label": True}, [(y, p, uniform(rng, 10))], "three labels weighted")
    )
    cases.append(case("AUC", {}, [(np.ones(3, "f4"), f32([0.2, 0.5, 0.9]))], "one class only"))
    cases.append(
        case("AUC", {}, [(f32([0, 1, 1, 0]), f32([0, 1, 0, 1]))], "predictions of 0 and 1")
    )
    for cls, arg in (
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    ):
        for config in ({arg: 0.5}, {arg: 0.8, "num_thresholds": 5}, {arg: 0.7, "num_thresholds": 1}):
            cases.append(case(cls, config, [binary(12), binary(9)]))
        y, p = binary(14)
        cases.append(case(cls, {arg: 0.6}, [(y, p, uniform(rng, 14))], "weighted"))
        cases.append(case(cls, {arg: 0.6, "class_id": 1}, [binary(14, (3,))], "class_id"))
        cases.append(case(cls, {arg: 0.999}, [binary(14)], "hard to reach"))
    return cases


def scores(rng):
    cases = []

    def labels(n):
        return one_hot(rng.integers(0, 3, n), 3), probabilities(rng, n, 3)

    def multi(n):
        return f32(rng.integers(0, 2, (n, 3))), uniform(rng, n, 3)

    for average in (None, "micro", "macro", "weighted"):
        cases += weighted(rng, "F1Score", {"average": average}, labels)
        cases += weighted(rng, "F1Score", {"average": average, "threshold": 0.5}, multi)
        cases.append(
            case("FBetaScore", {"average": average, "beta": 2.0, "threshold": 0.4},
                 [multi(6), multi(4)])
        )  # fmt: skip
    cases.append(case("FBetaScore", {}, [labels(6)]))
    cases.append(case("FBetaScore", {"beta": 0.5}, [labels(6), labels(5)]))

    def ids(n, shape=()):
        return (
            rng.integers(0, 3, (n, *shape)).astype("int32"),
            rng.integers(0, 3, (n, *shape)).astype("int32"),
        )

    for config in (
        {"num_classes": 3, "target_class_ids": [0]},
        {"num_classes": 3, "target_class_ids": [0, 2]},
        {"num_classes": 3, "target_class_ids": [1, 2], "ignore_class": 0},
    ):
        cases += weighted(rng, "IoU", config, ids)
    cases += weighted(rng, "MeanIoU", {"num_classes": 3}, ids)
    cases += weighted(rng, "MeanIoU", {"num_classes": 4, "ignore_class": 1}, ids)
    cases.append(case("MeanIoU", {"num_classes": 3}, [ids(2, (2, 2)), ids(2, (2, 2))], "images"))
    cases.append(
        case("MeanIoU", {"num_classes": 3, "sparse_y_pred": False},
             [(ids(5)[0], probabilities(rng, 5, 3))], "scores")
    )  # fmt: skip

    def binary(n):
        return f32(rng.integers(0, 2, n)), uniform(rng, n)

    for config in ({}, {"threshold": 0.3, "target_class_ids": [0]}, {"target_class_ids": [1]}):
        cases += weighted(rng, "BinaryIoU", config, binary)
    cases += weighted(rng, "OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2]}, labels)
    cases += weighted(rng, "OneHotMeanIoU", {"num_classes": 3}, labels)
    return cases


def probabilistic(rng):
    cases = []

    def binary(n):
        return f32(rng.integers(0, 2, (n, 2))), uniform(rng, n, 2)

    def categorical(n):
        return one_hot(rng.integers(0, 4, n), 4), probabilities(rng, n, 4)

    def sparse(n):
        return rng.integers(0, 4, n).astype("int32"), probabilities(rng, n, 4)

    def logits(draw):
        return lambda n: (draw(n)[0], normal(rng, n, draw(n)[1].shape[1], scale=2))

    cases += weighted(
        rng, "KLDivergence", {}, lambda n: (probabilities(rng, n, 4), probabilities(rng, n, 4))
    )
    for cls, draw in (("BinaryCrossentropy", binary), ("CategoricalCrossentropy", categorical)):
        cases += weighted(rng, cls, {}, draw)
        cases += weighted(rng, cls, {"from_logits": True}, logits(draw))
        cases += weighted(rng, cls, {"label_smoothing": 0.2}, draw)
    cls = "SparseCategoricalCrossentropy"
    cases += weighted(rng, cls, {}, sparse)
    cases += weighted(rng, cls, {"from_logits": True}, logits(sparse))
    cases += weighted(rng, cls, {"ignore_class": 2}, sparse)
    margin = lambda n: (f32(rng.choice([-1, 1], (n, 3))), normal(rng, n, 3))  # noqa: E731
    for cls in ("Hinge", "SquaredHinge"):
        cases += weighted(rng, cls, {}, margin)
        cases.append(case(cls, {}, [(f32(rng.integers(0, 2, (4, 3))), normal(rng, 4, 3))], "0/1"))
    cases += weighted(
        rng, "CategoricalHinge", {},
        lambda n: (one_hot(rng.integers(0, 4, n), 4), normal(rng, n, 4)),
    )  # fmt: skip
    return cases


def options(rng):
    """Arguments and weights that the cases before leave out."""
    cases = []
    for cls in ("PearsonCorrelation", "ConcordanceCorrelation"):
        for axis in (0, 1):
            data = [(normal(rng, 4, 3), normal(rng, 4, 3)) for _ in range(2)]
            cases.append(case(cls, {"axis": axis}, data, f"axis {axis}"))
    ids = rng.integers(0, 4, (3, 2)).astype("int32")
    p = probabilities(rng, 3, 2, 4)
    along = np.moveaxis(one_hot(ids, 4), -1, 1), np.moveaxis(p, -1, 1)
    cases.append(case("CategoricalCrossentropy", {"axis": 1}, [along], "axis 1"))
    cls = "SparseTopKCategoricalAccuracy"
    ranked = np.argsort(-normal(rng, 6, 8), axis=-1).astype("int32")
    y = rng.integers(0, 8, 6).astype("int32")
    cases += [
        case(cls, {"k": 3, "from_sorted_ids": True}, [(y, ranked)], "sorted ids"),
        case(cls, {"k": 3, "from_sorted_ids": True}, [(y, ranked, uniform(rng, 6))], "weighted"),
    ]
    multi = f32(rng.integers(0, 2, (6, 3))), uniform(rng, 6, 3)
    for average in (None, "micro", "macro", "weighted"):
        config = {"average": average, "beta": 0.5, "threshold": 0.5}
        cases.append(case("FBetaScore", config, [(*multi, uniform(rng, 6, high=2))], "weighted"))
    labels = rng.integers(0, 3, 8).astype("int32")
    hot, scores = one_hot(labels, 3), probabilities(rng, 8, 3)
    guesses = rng.integers(0, 3, 8).astype("int32")
    some = {"num_classes": 3, "target_class_ids": [0, 2]}
    dense = {"sparse_y_true": False, "sparse_y_pred": False}
    w = f32([1, 2, 0, 1, 3, 1, 2, 1])
    cases += [
        case("IoU", {**some, **dense}, [(hot, scores), (hot, scores, w)], "one-hot"),
        case("IoU", {**some, **dense, "axis": 0}, [(hot.T, scores.T)], "axis 0"),
        case("MeanIoU", {"num_classes": 3, **dense}, [(hot, scores, w)], "one-hot"),
        case("MeanIoU", {"num_classes": 3, **dense, "axis": 0}, [(hot.T, scores.T)], "axis 0"),
        case("OneHotIoU", {**some, "ignore_class": 1}, [(hot, scores)], "ignored"),
        case("OneHotIoU", {**some, "sparse_y_pred": True}, [(hot, guesses)], "classes predicted"),
        case("OneHotIoU", {**some, "axis": 0}, [(hot.T, scores.T)], "axis 0"),
    ]
    cls, all_of = "OneHotMeanIoU", {"num_classes": 3}
    cases += [
        case(cls, {**all_of, "ignore_class": 1}, [(hot, scores)], "ignored"),
        case(cls, {**all_of, "sparse_y_pred": True}, [(hot, guesses)], "classes predicted"),
        case(cls, {**all_of, "axis": 0}, [(hot.T, scores.T)], "axis 0"),
    ]
    return cases


def resolution(rng):
    """Which class or function a shape-dependent string becomes in a compiled model."""
    table = []
    for true, pred in [
        ((6,), (6, 1)), ((6, 1), (6, 1)), ((6,), (6, 3)), ((6, 1), (6, 3)), ((6, 3), (6, 3)),
        ((6, 2), (6, 2)), ((6, 4), (6, 4, 1)), ((6, 4, 1), (6, 4, 1)), ((6, 4), (6, 4, 3)),
        ((6, 4, 1), (6, 4, 3)), ((6, 4, 3), (6, 4, 3)), ((6,), (6, 4, 1)),
    ]:  # fmt: skip
        classes = pred[-1]
        p = probabilities(rng, *pred) if classes > 1 else uniform(rng, *pred, low=0.05, high=0.95)
        if true[-1] == classes and classes > 1 and len(true) == len(pred):
            y = one_hot(rng.integers(0, classes, true[:-1]), classes)
        else:
            y = rng.integers(0, max(classes, 2), true).astype("int32")
        row = {"y_true": array(y), "y_pred": array(p)}
        for name in ("accuracy", "acc", "Accuracy", "ACC"):
            keras.backend.clear_session()
            model = keras.Sequential([keras.Input(pred[1:]), keras.layers.Identity()])
            model.compile(metrics=[name])
            try:
                logs = model.evaluate(p, y, batch_size=6, verbose=0, return_dict=True)
                metric = model._compile_metrics.metrics[0]
                row[name] = {
                    "class": type(metric).__name__,
                    "name": metric.name,
                    "value": array(np.float32(logs[metric.name])),
                }
            except Exception as e:  # whatever Keras or JAX raises is the answer
                row[name] = {"error": type(e).__name__}
        for name in ("crossentropy", "ce", "CE"):
            keras.backend.clear_session()
            model = keras.Sequential([keras.Input(pred[1:]), keras.layers.Identity()])
            model.compile(loss=name)
            try:
                logs = model.evaluate(p, y, batch_size=6, verbose=0, return_dict=True)
                loss = model._compile_loss._flat_losses[0].loss
                row[name] = {
                    "function": loss.fn.__name__,
                    "name": loss.name,
                    "value": array(np.float32(logs["loss"])),
                }
            except Exception as e:  # as above
                row[name] = {"error": type(e).__name__}
        table.append(row)
    return table


def strings():
    names = [n for n in dir(keras.metrics) if not n.startswith("_")]
    names += [
        "bce", "BCE", "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "rmse", "auc",
        "AUC", "accuracy", "acc", "Acc", "crossentropy", "ce", "kld", "f1_score", "f1score",
        "r2_score", "precision", "recall", "top_k_categorical_accuracy", "logcosh",
        "log_cosh_error", "root_mean_squared_error", "mean_squared_error", "mean", "sum", "",
        "io_u", "iou", "mean_io_u", "binary_io_u", "true_positives", "cosine_similarity",
        "sparse_top_k_categorical_accuracy", "f_beta_score", "fbeta_score", "hinge",
    ]  # fmt: skip
    resolved, refused = {}, []
    for name in sorted(set(names)):
        if name in ("Metric", "MeanMetricWrapper", "get", "serialize", "deserialize"):
            continue
        try:
            obj = keras.metrics.get(name)
        except (ValueError, TypeError):
            refused.append(name)
            continue
        resolved[name] = getattr(obj, "__name__", None) or type(obj).__name__
    return resolved, refused


def default_configs():
    out = {}
    for name in sorted(dir(keras.metrics)):
        cls = getattr(keras.metrics, name)
        if not isinstance(cls, type) or name in ("Metric", "MeanMetricWrapper"):
            continue
        keras.backend.clear_session()
        try:
            metric = cls()
        except TypeError:
            continue
        out[name] = serialize_config(metric.get_config())
    return out


def build():
    rng = np.random.default_rng(108)
    cases = reductions(rng) + regression(rng) + accuracy(rng) + confusion(rng) + curves(rng)
    cases += scores(rng) + probabilistic(rng)
    resolution_table = resolution(rng)
    cases += options(rng)
    resolved, refused = strings()
    return {
        "cases": cases,
        "accuracy_resolution": resolution_table,
        "metric_strings": resolved,
        "refused_strings": refused,
        "default_configs": default_configs(),
    }
