"""training.json: whole training runs from given weights, in the given order of rows."""

from make_common import array, f32, keras, normal, np, one_hot, plain, serialize_config, uniform

L = keras.layers


def grid(a, steps=64):
    """Rounds to a binary grid, so that the numbers are short and exact."""
    return f32(np.round(np.asarray(a) * steps) / steps)


def blobs(rng, rows, features, classes, spread=1.0):
    centres = rng.standard_normal((classes, features))
    labels = rng.integers(0, classes, rows)
    return grid(centres[labels] + spread * rng.standard_normal((rows, features))), labels


def table(rng, rows, features):
    x = grid(rng.standard_normal((rows, features)))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] - 0.3 * x[:, 3] + 0.2
    return x, grid(y + 0.1 * rng.standard_normal(rows))


def build_model(rng, layers):
    keras.backend.clear_session()
    model = keras.Sequential(layers())
    weights = []
    for w in model.weights:
        scale = 0.1 if len(w.shape) == 1 else 1 / np.sqrt(w.shape[0])
        weights.append(grid(normal(rng, *w.shape, scale=scale), 1024))
    model.set_weights(weights)
    return model, weights



def series(values):
    return [array(np.float32(v))["data"][0] for v in values]


def logs_of(logs):
    return {k: array(np.float32(v))["data"][0] for k, v in logs.items()}


def compiled(model, arguments):
    """Compiles; returns the arguments as JSON, objects in Keras' serialised form."""
    shown = {k: serialize_config(v) for k, v in arguments.items()}
    model.compile(**arguments)
    return shown


def run(rng, name, layers, compile_args, x, y, fit, callbacks=(), validation=None, extra=None):
    model, initial = build_model(rng, layers)
    shown = compiled(model, compile_args)
    fit_args = dict(fit)
    data = {"x": array(x), "y": array(y)}
    if "sample_weight" in fit_args:
        data["sample_weight"] = array(fit_args["sample_weight"])
    if validation is not None:
        fit_args["validation_data"] = validation
        for key, value in zip(("val_x", "val_y", "val_sample_weight"), validation):
            data[key] = array(value)
    made = [make() for _, _, make in callbacks]
    history = model.fit(x, y, shuffle=False, verbose=0, callbacks=made, **fit_args)
    final = [array(w) for w in model.get_weights()]
    slots = [{"path": v.path, "value": array(v.numpy())} for v in model.optimizer.variables]
    results = model.evaluate(x, y, batch_size=32, verbose=0)
    entry = {
        "name": name,
        "model": serialize_config(model.get_config()),
        "initial_weights": [array(w) for w in initial],
        "compile": shown,
        "data": data,
        "fit": {
            k: v for k, v in plain(fit).items() if k not in ("sample_weight", "validation_data")
        },
        "callbacks": [{"class": c, "config": config} for c, config, _ in callbacks],
        "history": {k: series(v) for k, v in history.history.items()},
        "history_keys": list(history.history),
        "epoch": history.epoch,
        "params": plain(history.params),
        "final_weights": final,
        "weight_paths": [w.path for w in model.weights],
        "optimizer_variables": slots,
        "evaluate": {
            "batch_size": 32,
            "list": series(results if isinstance(results, list) else [results]),
            "is_list": isinstance(results, list),
            "dict": logs_of(model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)),
        },
        "metrics_names": model.metrics_names,
        "predict_first_rows": array(model.predict(x[:8], verbose=0)),
        "stop_training": bool(model.stop_training),
    }
    for cb in made:
        if isinstance(cb, keras.callbacks.EarlyStopping):
            entry["early_stopping"] = {
                "stopped_epoch": cb.stopped_epoch,
                "best_epoch": cb.best_epoch,
                "wait": cb.wait,
                "best": None if cb.best is None else series([cb.best])[0],
            }
    if extra:
        entry.update(extra)
    return entry


def softmax_classifier(rng):
    x, labels = blobs(rng, 120, 6, 3)
    return run(
        rng,
        "softmax classifier, rmsprop, validation_split",
        lambda: [keras.Input((6,)), L.Dense(8, "relu"), L.Dense(3, "softmax")],
        {"optimizer": "rmsprop", "loss": "categorical_crossentropy", "metrics": ["accuracy"]},
        x,
        one_hot(labels, 3),
        {"batch_size": 16, "epochs": 5, "validation_split": 0.2},
    )


def regression(rng):
    x, y = table(rng, 100, 4)
    return run(
        rng,
        "regression, adam, sample_weight, short last batch",
        lambda: [keras.Input((4,)), L.Dense(8, "tanh"), L.Dense(4, "relu"), L.Dense(1)],
        {
            "optimizer": keras.optimizers.Adam(learning_rate=0.01),
            "loss": "mse",
            "metrics": ["mae"],
            "weighted_metrics": ["mae", "mse"],
        },
        x,
        y,
        {
            "batch_size": 32,
            "epochs": 6,
            "validation_split": 0.15,
            "sample_weight": grid(uniform(rng, 100, high=2)),
        },
    )


def logistic(rng):
    x, labels = blobs(rng, 90, 4, 2, spread=1.3)
    return run(
        rng,
        "logistic regression, sgd with momentum, class_weight, many metrics",
        lambda: [keras.Input((4,)), L.Dense(1, "sigmoid")],
        {
            "optimizer": keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
            "loss": "binary_crossentropy",
            "metrics": [
                "accuracy",
                keras.metrics.AUC(name="auc"),
                keras.metrics.Precision(name="precision"),
                keras.metrics.Recall(name="recall"),
            ],
            "weighted_metrics": ["accuracy", "mse"],
        },
        x,
        f32(labels),
        {
            "batch_size": 20,
            "epochs": 5,
            "validation_split": 0.2,
            "class_weight": {0: 1.0, 1: 2.5},
        },
    )


def regularised(rng, smooth):
    x, labels = blobs(rng, 80, 5, 4)
    vx, vlabels = blobs(rng, 30, 5, 4)
    vw = grid(uniform(rng, 30, high=2))
    if smooth:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        metric = keras.metrics.CategoricalCrossentropy(from_logits=True, name="ce")
        y, vy = one_hot(labels, 4), one_hot(vlabels, 4)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metric = keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="ce")
        y, vy = labels.astype("int32"), vlabels.astype("int32")
    return run(
        rng,
        ("label smoothing" if smooth else "sparse labels")
        + ", adam with clipnorm, L2, MaxNorm, weighted validation_data, initial_epoch",
        lambda: [
            keras.Input((5,)),
            L.Dense(
                8,
                "relu",
                kernel_regularizer=keras.regularizers.L2(0.01),
                kernel_constraint=keras.constraints.MaxNorm(0.8),
            ),
            L.Dense(4, activity_regularizer=keras.regularizers.L2(0.001)),
        ],
        {
            "optimizer": keras.optimizers.Adam(learning_rate=0.01, clipnorm=0.1),
            "loss": loss,
            "metrics": ["accuracy"],
            "weighted_metrics": ["accuracy", metric],
        },
        x,
        y,
        {"batch_size": 25, "epochs": 6, "initial_epoch": 2},
        validation=(vx, vy, vw),
    )


def plateau():
    config = {"monitor": "val_loss", "factor": 0.5, "patience": 1, "min_lr": 0.01}
    return ("ReduceLROnPlateau", config, lambda: keras.callbacks.ReduceLROnPlateau(**config))


def stopping(**config):
    return ("EarlyStopping", config, lambda: keras.callbacks.EarlyStopping(**config))


def scheduler():
    return (
        "LearningRateScheduler",
        {"schedule": "lambda epoch, lr: lr if epoch < 2 else lr * 0.5"},
        lambda: keras.callbacks.LearningRateScheduler(
            lambda epoch, lr: lr if epoch < 2 else lr * 0.5
        ),
    )


def callbacks(rng):
    runs = []
    x, labels = blobs(rng, 60, 4, 3, spread=1.6)
    vx, vlabels = blobs(rng, 30, 4, 3, spread=1.6)
    model = lambda: [keras.Input((4,)), L.Dense(12, "relu"), L.Dense(3, "softmax")]  # noqa: E731
    best = stopping(monitor="val_loss", patience=3, restore_best_weights=True)
    for name, cbs in [
        ("ReduceLROnPlateau and EarlyStopping with the best weights", [plateau(), best]),
        ("LearningRateScheduler", [scheduler()]),
        ("LearningRateScheduler before ReduceLROnPlateau", [scheduler(), plateau()]),
        ("ReduceLROnPlateau before LearningRateScheduler", [plateau(), scheduler(), best]),
        (
            "EarlyStopping on an accuracy with start_from_epoch",
            [
                stopping(
                    monitor="val_accuracy",
                    mode="max",
                    min_delta=0.01,
                    patience=2,
                    start_from_epoch=2,
                    restore_best_weights=True,
                )
            ],
        ),
        (
            "EarlyStopping with a baseline never reached",
            [stopping(monitor="val_loss", baseline=0.1, patience=2, restore_best_weights=True)],
        ),
        ("EarlyStopping, mode auto, on accuracy", [stopping(monitor="accuracy", patience=1)]),
    ]:
        runs.append(
            run(
                rng,
                name,
                model,
                {
                    "optimizer": keras.optimizers.SGD(learning_rate=0.3, momentum=0.5),
                    "loss": "sparse_categorical_crossentropy",
                    "metrics": ["accuracy"],
                },
                x,
                labels.astype("int32"),
                {"batch_size": 15, "epochs": 10},
                cbs,
                validation=(vx, vlabels.astype("int32")),
            )
        )
    tx, ty = table(rng, 40, 4)
    runs.append(
        run(
            rng,
            "TerminateOnNaN after the weights overflow",
            lambda: [keras.Input((4,)), L.Dense(1)],
            {"optimizer": keras.optimizers.SGD(learning_rate=1e12), "loss": "mse"},
            tx,
            ty,
            {"batch_size": 10, "epochs": 4},
            [("TerminateOnNaN", {}, lambda: keras.callbacks.TerminateOnNaN())],
        )
    )
    return runs


def steps(rng):
    runs = []
    x, labels = blobs(rng, 100, 4, 3)
    for name, y, metrics in [
        ("integer labels", labels.astype("int32"), ["acc"]),
        ("one-hot labels", one_hot(labels, 3), ["accuracy", "mse"]),
    ]:
        loss = "sparse_categorical_crossentropy" if y.ndim == 1 else "categorical_crossentropy"
        runs.append(
            run(
                rng,
                "steps_per_epoch, class_weight with " + name + ", validation_freq",
                lambda: [keras.Input((4,)), L.Dense(6, "relu"), L.Dense(3, "softmax")],
                {"optimizer": "adam", "loss": loss, "weighted_metrics": metrics},
                x,
                y,
                {
                    "batch_size": 10,
                    "epochs": 5,
                    "steps_per_epoch": 4,
                    "class_weight": {0: 1.0, 2: 3.0},
                    "validation_freq": 2,
                },
                validation=(x[:25], y[:25]),
            )
        )
    for name, fit in [
        ("validation_freq as a list", {"validation_freq": [1, 4], "batch_size": 30, "epochs": 4}),
        ("validation_steps and validation_batch_size",
         {"validation_steps": 2, "validation_batch_size": 8, "batch_size": 40, "epochs": 3}),
        ("the default batch size", {"epochs": 2}),
    ]:  # fmt: skip
        runs.append(
            run(
                rng,
                name,
                lambda: [keras.Input((4,)), L.Dense(3)],
                {
                    "optimizer": "adagrad",
                    "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                    "metrics": ["accuracy", "sparse_categorical_crossentropy"],
                },
                x,
                labels.astype("int32"),
                fit,
                validation=(x[50:90], labels[50:90].astype("int32")),
            )
        )
    return runs


def optimizers(rng):
    runs = []
    x, y = table(rng, 60, 4)
    for name, make in [
        ("exponential moving average, copied at the end",
         lambda: keras.optimizers.SGD(learning_rate=0.05, use_ema=True, ema_momentum=0.8)),
        ("gradient accumulation and weight decay",
         lambda: keras.optimizers.Adam(
             learning_rate=0.02, gradient_accumulation_steps=3, weight_decay=0.1)),
        ("cosine decay and global_clipnorm",
         lambda: keras.optimizers.AdamW(
             keras.optimizers.schedules.CosineDecay(0.0, 12, warmup_target=0.05, warmup_steps=4),
             global_clipnorm=0.5)),
        ("nesterov and clipvalue",
         lambda: keras.optimizers.SGD(
             learning_rate=0.05, momentum=0.9, nesterov=True, clipvalue=0.1)),
    ]:  # fmt: skip
        runs.append(
            run(
                rng,
                name,
                lambda: [keras.Input((4,)), L.Dense(6, "relu"), L.Dense(1)],
                {"optimizer": make(), "loss": "huber", "metrics": ["mse", "mae"]},
                x,
                y[:, None],
                {"batch_size": 16, "epochs": 4, "validation_split": 0.1},
            )
        )
    runs.append(
        run(
            rng,
            "no metrics, multi-output regression, loss_weights",
            lambda: [keras.Input((4,)), L.Dense(2)],
            {"optimizer": "sgd", "loss": "mean_absolute_error", "loss_weights": 2.0},
            x,
            np.stack([y, -y], 1),
            {"batch_size": 16, "epochs": 3},
        )
    )
    return runs


def on_batch(rng):
    """train_on_batch, test_on_batch and predict_on_batch in turn; each starts its metrics afresh."""
    x, labels = blobs(rng, 48, 4, 3)
    y = labels.astype("int32")
    model, initial = build_model(
        rng, lambda: [keras.Input((4,)), L.Dense(6, "relu"), L.Dense(3, "softmax")]
    )
    shown = compiled(
        model,
        {
            "optimizer": keras.optimizers.Adam(learning_rate=0.02),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "weighted_metrics": ["accuracy"],
        },
    )
    w = grid(uniform(rng, 16, high=2))
    calls = []

    def call(method, rows, **kwargs):
        batch = x[rows[0] : rows[1]], y[rows[0] : rows[1]]
        if method == "reset_metrics":
            model.reset_metrics()
            result = None
        elif method == "predict_on_batch":
            result = array(model.predict_on_batch(batch[0]))
        else:
            result = getattr(model, method)(*batch, **kwargs)
            result = (
                logs_of(result) if isinstance(result, dict) else series(np.atleast_1d(result))
            )
        calls.append({
            "method": method,
            "rows": rows,
            "args": {k: plain(v) for k, v in kwargs.items()},
            "result": result,
        })  # fmt: skip

    call("train_on_batch", [0, 16])
    call("train_on_batch", [16, 32], sample_weight=w)
    call("train_on_batch", [32, 48], return_dict=True)
    call("test_on_batch", [0, 16])
    call("test_on_batch", [16, 32], sample_weight=w, return_dict=True)
    call("predict_on_batch", [0, 4])
    call("train_on_batch", [0, 10], class_weight={0: 2.0, 1: 0.5}, return_dict=True)
    call("reset_metrics", [0, 0])
    call("train_on_batch", [10, 20], return_dict=True)
    call("reset_metrics", [0, 0])
    call("test_on_batch", [20, 48])
    return {
        "name": "train_on_batch, test_on_batch, predict_on_batch",
        "model": serialize_config(model.get_config()),
        "initial_weights": [array(v) for v in initial],
        "compile": shown,
        "data": {"x": array(x), "y": array(y)},
        "calls": calls,
        "final_weights": [array(v) for v in model.get_weights()],
    }


def build():
    rng = np.random.default_rng(105)
    runs = [
        softmax_classifier(rng),
        regression(rng),
        logistic(rng),
        regularised(rng, False),
        regularised(rng, True),
        *callbacks(rng),
        *steps(rng),
        *optimizers(rng),
    ]
    return {"runs": runs, "on_batch": [on_batch(rng)]}
