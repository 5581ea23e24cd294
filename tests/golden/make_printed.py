"""printed.json: what Keras prints, to the character: summaries, progress lines, messages, CSV."""

import contextlib
import io
import os
import re
import tempfile

os.environ["COLUMNS"] = "80"
os.environ["LINES"] = "24"
os.environ.pop("FORCE_COLOR", None)

from make_common import f32, keras, normal, np, plain, serialize_config  # noqa: E402

L = keras.layers


def summary_text(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, **kwargs)
    return "\n".join(lines)


def summary_case(note, make, prepare=None, **kwargs):
    keras.backend.clear_session()
    model = make()
    if prepare:
        prepare(model)
    entry = {"note": note, "args": plain(kwargs), "columns": 80}
    try:
        entry["model"] = serialize_config(model.get_config())
    except Exception:  # a nested Sequential that is not built has no config to show
        entry["model"] = None
    entry["text"] = summary_text(model, **kwargs)
    return entry


def classifier(name=None):
    return keras.Sequential(
        [keras.Input((8,)), L.Dense(4, "relu"), L.Dropout(0.5), L.Dense(3, "softmax")], name=name
    )


def image():
    return keras.Sequential(
        [
            keras.Input((28, 28), name="image"),
            L.Rescaling(1 / 255),
            L.Flatten(),
            L.Dense(1024, "relu", name="first_hidden_layer_with_a_very_long_name_indeed_it_is"),
            L.ReLU(max_value=6.0, name="a_name_of_thirty_four_characters__"),
            L.Dense(512, use_bias=False),
            L.PReLU(),
            L.Dense(10, name="logits[0]"),
        ],
        name="mnist_classifier_with_a_name_so_long_that_the_title_line_exceeds_eighty_columns_by_far",
    )


def frozen():
    base = L.Dense(16, name="base")
    base.trainable = False
    return keras.Sequential([keras.Input((20,)), base, L.Dense(2)], name="frozen")


def fit_once(optimizer):
    def prepare(model):
        model.compile(optimizer=optimizer(), loss="mse")
        inputs = np.zeros((4, *model.input_shape[1:]), np.float32)
        model.fit(inputs, np.zeros((4, model.output_shape[-1]), np.float32), verbose=0)

    return prepare


def summaries():
    adam = fit_once(keras.optimizers.Adam)
    unbuilt = lambda: keras.Sequential([L.Dense(4), L.Dropout(0.1), L.Dense(2)])  # noqa: E731
    return [
        summary_case("built", classifier),
        summary_case("built and named", lambda: classifier("net")),
        summary_case("not built", unbuilt),
        summary_case("built by build()", unbuilt, lambda m: m.build((None, 5))),
        summary_case("no layers", lambda: keras.Sequential()),
        summary_case("compiled, not fitted", classifier, lambda m: m.compile("adam", "mse")),
        summary_case("fitted with adam", classifier, adam),
        summary_case("fitted with sgd", classifier, fit_once(keras.optimizers.SGD)),
        summary_case(
            "fitted with momentum", classifier, fit_once(lambda: keras.optimizers.SGD(0.1, 0.9))
        ),
        summary_case("long names, many parameters", image),
        summary_case("long names, fitted", image, adam),
        summary_case("line_length 100", classifier, line_length=100),
        summary_case("line_length 60", image, line_length=60),
        summary_case("line_length 40", classifier, line_length=40),
        summary_case("positions", classifier, positions=[0.3, 0.6, 1.0]),
        summary_case("a frozen layer", frozen),
        summary_case("a frozen layer, show_trainable", frozen, show_trainable=True),
        summary_case("layer_range", image, layer_range=["flatten", "dense"]),
        summary_case(
            "batch size known",
            lambda: keras.Sequential(
                [keras.Input((6, 2), batch_size=32), L.Permute((2, 1)), L.Flatten(), L.Dense(1)]
            ),
        ),
        summary_case(
            "millions of parameters",
            lambda: keras.Sequential([keras.Input((2000,)), L.Dense(1500), L.Dense(1)]),
        ),
        summary_case(
            "nested",
            lambda: keras.Sequential(
                [keras.Input((8,)), classifier("inner"), L.Dense(2)], name="outer"
            ),
        ),
        summary_case(
            "nested, expanded",
            lambda: keras.Sequential(
                [keras.Input((8,)), classifier("inner"), L.Dense(2)], name="outer"
            ),
            expand_nested=True,
        ),
    ]


TIMES = [
    (re.compile(r"\b\d+(ms|us|s)/step"), "<t>/step"),
    (re.compile(r" - \d+s - "), " - <s> - "),
    (re.compile(r"\x1b\[1m\d+s\x1b\[0m "), "\x1b[1m<s>\x1b[0m "),
    (re.compile(r"\x1b\[1m\d+:\d+(:\d+)?\x1b\[0m "), "\x1b[1m<s>\x1b[0m "),
]


def masked(text):
    """Replaces durations; of a line drawn again and again only the last drawing stays."""
    for pattern, by in TIMES:
        text = pattern.sub(by, text)
    lines = []
    for line in text.split("\n"):
        lines.append(re.split(r"\x08*\r", line)[-1].rstrip(" ") if "\r" in line else line)
    return lines


def captured(fn):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        fn()
    return out.getvalue()


def toy(rows=50):
    """A model without randomness: linear, from zero weights."""
    rng = np.random.default_rng(109)
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input((3,)), L.Dense(1, kernel_initializer="zeros")])
    x = normal(rng, rows, 3)
    y = f32(x @ f32([1.0, -2.0, 0.5]) + 0.3)
    return model, f32(np.round(x * 64) / 64), f32(np.round(y * 64) / 64)


def progress():
    """Printed lines of runs over `data`; `continues` goes on with the model of the case before."""
    model, x, y = toy()
    data = {
        "x": x,
        "y": y,
        "zeros_x": x * 0,
        "zeros_y": y * 0,
        "tiny_y": f32(x @ f32([0.01, 0.02, 0.01])),
        "tiled_x": np.tile(x, (20, 1)),
        "tiled_y": np.tile(y, 20),
    }
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)
    plan = [
        ("fit", 0.1, "x", "y", {"epochs": 3, "batch_size": 4}, ""),
        ("evaluate", None, "x", "y", {"batch_size": 4}, "continues"),
        ("predict", None, "x", None, {"batch_size": 4}, "continues"),
        ("fit", 0.1, "x", "y", {"validation_split": 0.2, "batch_size": 64}, ""),
        ("fit", 0.1, "x", "y", {"epochs": 4, "initial_epoch": 2, "callbacks": [halve]}, ""),
        ("fit", 0.4, "zeros_x", "zeros_y", {}, ""),
        ("fit", 0.2, "x", "tiny_y", {"epochs": 2}, ""),
        ("fit", 0.1, "tiled_x", "tiled_y", {"batch_size": 1}, ""),
    ]
    cases = []
    for verbose in (1, 2):
        for method, lr, x_name, y_name, args, note in plan:
            if lr is not None:
                model, _, _ = toy()
                model.compile(keras.optimizers.SGD(lr), "mse", metrics=["mae"])
            inputs = [data[x_name]] + ([data[y_name]] if y_name else [])
            extra = {"shuffle": False} if method == "fit" else {}
            lines = masked(
                captured(lambda: getattr(model, method)(*inputs, **args, **extra, verbose=verbose))  # noqa: B023
            )
            shown = {k: v for k, v in args.items() if k != "callbacks"}
            if "callbacks" in args:
                shown["learning_rate_scheduler"] = "lambda epoch, lr: lr * 0.5"
            cases.append(
                {
                    "method": method,
                    "continues": note == "continues",
                    "learning_rate": lr,
                    "x": x_name,
                    "y": y_name,
                    "args": {**shown, **extra, "verbose": verbose},
                    "lines": lines,
                }
            )
        keras.backend.clear_session()
        model = keras.Sequential([keras.Input((3,)), L.Identity()])
        model.compile(loss="cosine_similarity")
        ones = np.ones((8, 3), np.float32)
        cases.append(
            {
                "method": "evaluate",
                "note": "an Identity layer, cosine_similarity, ones of shape (8, 3) as x and y",
                "args": {"verbose": verbose},
                "lines": masked(captured(lambda: model.evaluate(ones, ones, verbose=verbose))),  # noqa: B023
            }
        )
    model, _, _ = toy()
    setup = {
        "model": serialize_config(model.get_config()),
        "optimizer": "SGD with the case's learning_rate",
        "loss": "mse",
        "metrics": ["mae"],
        "data": {
            "x": x,
            "y": y,
            "tiny_y": data["tiny_y"],
            "zeros_x, zeros_y": "x and y times 0",
            "tiled_x, tiled_y": "x and y 20 times over",
        },
    }
    return [setup], cases


def progbar():
    """Single drawings of keras.utils.Progbar with a clock set by hand."""
    import keras.src.utils.progbar as module

    cases = []
    real = module.time.time
    now = [1000.0]
    module.time.time = lambda: now[0]
    try:
        for note, target, verbose, drawings in [
            ("seconds", 5, 1, [(1, 2.0), (2, 3.0), (3, 4.0), (5, 6.0)]),
            ("milliseconds", 20, 1, [(1, 1.0), (2, 0.2), (10, 0.5), (19, 1.0), (20, 0.1)]),
            ("microseconds", 1000, 1, [(1, 0.3), (400, 0.2), (1000, 0.3)]),
            ("minutes and hours", 400, 1, [(1, 10.0), (2, 40.0), (300, 9000.0), (400, 100.0)]),
            ("unknown target", None, 1, [(1, 1.0), (12, 2.0)]),
            ("drawn too soon", 10, 1, [(1, 0.01), (2, 0.01), (3, 0.2), (10, 0.0)]),
            ("verbose 2", 20, 2, [(1, 1.0), (10, 0.5), (20, 0.1)]),
            ("verbose 2, slow", 2, 2, [(1, 7.0), (2, 90.0)]),
        ]:
            bar = keras.utils.Progbar(target, verbose=verbose, unit_name="step",
                                      stateful_metrics=["loss", "mae"])  # fmt: skip
            texts = []
            for i, (current, seconds) in enumerate(drawings):
                now[0] += seconds
                last = target is not None and i + 1 == len(drawings)
                values = [("loss", 1.5 / current), ("mae", -0.5 / current)]
                texts.append(
                    {
                        "current": current,
                        "seconds_since_last": seconds,
                        "finalize": last,
                        "values": plain(values),
                        "text": captured(
                            lambda: bar.update(current, values, finalize=last)  # noqa: B023
                        ),
                    }
                )
            cases.append({"note": note, "target": target, "verbose": verbose, "drawings": texts})
    finally:
        module.time.time = real
    return cases


def messages():
    """Messages of callbacks, driven by hand-written logs."""
    cases = []

    def drive(cls, config, logs, note="", set_up=None):
        keras.backend.clear_session()
        model, x, y = toy(4)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        callback = cls(**config)
        callback.set_model(model)
        callback.set_params({"epochs": len(logs), "steps": 1, "verbose": 1})

        def run():
            callback.on_train_begin()
            for epoch, log in enumerate(logs):
                callback.on_epoch_begin(epoch)
                callback.on_epoch_end(epoch, dict(log))
                if model.stop_training:
                    break
            callback.on_train_end()

        shown = {k: v for k, v in config.items() if isinstance(v, (int, float, str, bool))}
        with tempfile.TemporaryDirectory() as folder:
            here = os.getcwd()
            os.chdir(folder)
            try:
                text = captured(run)
                files = sorted(os.listdir("."))
            finally:
                os.chdir(here)
        cases.append(
            {
                "class": cls.__name__,
                "config": shown,
                "note": note,
                "learning_rate": 0.1,
                "logs": plain(logs),
                "text": text,
                "stop_training": bool(model.stop_training),
                "learning_rate_after": float("%.9g" % float(model.optimizer.learning_rate)),
                "files": files,
            }
        )

    c = keras.callbacks
    val = lambda *v: [{"loss": 1.0, "val_loss": x} for x in v]  # noqa: E731
    drive(c.EarlyStopping, {"patience": 2, "verbose": 1}, val(1.0, 0.5, 0.6, 0.7, 0.8))
    drive(
        c.EarlyStopping,
        {"patience": 2, "verbose": 1, "restore_best_weights": True},
        val(1.0, 0.5, 0.6, 0.7, 0.8),
    )
    drive(
        c.EarlyStopping,
        {"patience": 3, "verbose": 1, "restore_best_weights": True},
        val(1.0, 0.5, 0.6),
        "not stopped",
    )
    drive(c.EarlyStopping, {"patience": 0, "verbose": 1}, val(1.0, 1.0), "patience 0")
    drive(
        c.EarlyStopping,
        {"patience": 1, "verbose": 1, "min_delta": 0.1},
        val(1.0, 0.95, 0.8, 0.75),
        "min_delta",
    )
    drive(
        c.ReduceLROnPlateau,
        {"patience": 1, "verbose": 1, "factor": 0.5},
        val(1.0, 0.5, 0.6, 0.7, 0.8),
    )
    drive(
        c.ReduceLROnPlateau,
        {"patience": 1, "verbose": 1, "factor": 0.5, "cooldown": 2, "min_lr": 0.03},
        val(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        "cooldown and min_lr",
    )
    drive(
        c.LearningRateScheduler,
        {"schedule": lambda epoch, lr: lr * 0.5, "verbose": 1},
        val(1.0, 0.5, 0.4),
        "schedule: lr * 0.5",
    )
    for config in (
        {"filepath": "best.weights.h5", "save_best_only": True, "save_weights_only": True},
        {"filepath": "{epoch:02d}-{val_loss:.2f}.weights.h5", "save_weights_only": True},
        {"filepath": "model_{epoch}.keras"},
        {"filepath": "best.keras", "save_best_only": True, "mode": "max", "monitor": "loss"},
    ):
        drive(c.ModelCheckpoint, {**config, "verbose": 1}, val(1.0, 0.5123456, 0.6))
    return cases


def csv_files():
    cases = []
    for note, args, logs in [
        ("no validation", {}, [{"loss": 0.5, "accuracy": 0.25}, {"loss": 0.1, "accuracy": 1.0}]),
        ("validation", {}, [{"loss": 1.0, "val_loss": 2.0}, {"loss": 1e-5, "val_loss": 123456.75}]),
        ("validation only at times", {}, [{"loss": 1.0}, {"loss": 0.5, "val_loss": 2.0}]),
        ("validation missing later", {}, [{"loss": 1.0, "val_loss": 3.0}, {"loss": 0.5}]),
        ("separator", {"separator": ";"}, [{"loss": 1.0, "learning_rate": 0.0010000000474974513}]),
        ("vector", {}, [{"loss": 1.0, "f1": np.array([0.5, 0.25])}]),
    ]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.csv")
            logger = keras.callbacks.CSVLogger(path, **args)
            model, _, _ = toy(4)
            logger.set_model(model)
            logger.on_train_begin()
            for epoch, log in enumerate(logs):
                logger.on_epoch_end(epoch, log)
            logger.on_train_end()
            with open(path, newline="") as f:
                text = f.read()
            again = None
            if note == "no validation":
                logger = keras.callbacks.CSVLogger(path, append=True)
                logger.set_model(model)
                logger.on_train_begin()
                logger.on_epoch_end(2, logs[0])
                logger.on_train_end()
                with open(path, newline="") as f:
                    again = f.read()
        cases.append(
            {"note": note, "args": args, "logs": plain(logs), "text": text, "appended": again}
        )
    return cases


def names():
    """Automatic names, counted per class."""
    keras.backend.clear_session()
    layers = [
        L.Dense(1), L.Dense(1), L.ReLU(), L.LeakyReLU(), L.PReLU(), L.ELU(), L.Softmax(),
        L.Activation("relu"), L.Dropout(0.1), L.Flatten(), L.Flatten(), L.Reshape((1,)),
        L.Permute((1,)), L.RepeatVector(2), L.Identity(), L.Rescaling(1.0), L.InputLayer((1,)),
        L.ActivityRegularization(), L.Conv2D(1, 1), L.LSTM(1), L.BatchNormalization(),
    ]  # fmt: skip
    out = [{"class": type(v).__name__, "name": v.name} for v in layers]
    for cls in (keras.Sequential, keras.Sequential):
        out.append({"class": cls.__name__, "name": cls().name})
    for optimizer in ("SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta",
                      "Adafactor", "Ftrl", "Lion", "Lamb", "Muon", "ScheduleFreeAdamW"):  # fmt: skip
        o = getattr(keras.optimizers, optimizer)()
        out.append({"class": optimizer, "name": o.name})
    return out


def build():
    setup, progress_cases = progress()
    return {
        "summaries": summaries(),
        "progress_setup": setup,
        "progress": progress_cases,
        "progbar": progbar(),
        "callback_messages": messages(),
        "csv": csv_files(),
        "auto_names": names(),
    }
