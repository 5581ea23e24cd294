"""legacy.zip: whole models in `.h5` files: as Keras 3's legacy saver writes them, and as Keras 2 wrote them.

The latter are put together by hand, with Keras 2.10's arguments, names of weights and order of the optimizer's
state; the same layers in Keras 3 say what such a model does.
"""

import json
import os
import tempfile
import zipfile

import h5py
from make_common import array, keras, normal, np
from make_saved import CASES, data, described, prepared, run, short, tokens, write

L = keras.layers

# Models of make_saved whose files have something of their own in this format.
ALSO = """
    dense_arguments small_convnet simple_rnn gru bidirectional cells transformer shared_and_nested frozen_layers
    batch_normalization_trains names_and_positions multi_head_attention cosine
""".split()


def resaved(name, folder):
    model, x, y = prepared(CASES[name])
    path = os.path.join(folder, "model.h5")
    model.save(path)
    with open(path, "rb") as f:
        return name, f.read(), described(model, x, y)


def plain(cls):
    return {"class_name": cls, "config": {}}


GLOROT = {"class_name": "GlorotUniform", "config": {"seed": None}}
NONE = {k: None for k in ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint")}


def layer(cls, name, **config):
    return {"class_name": cls, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


def dense(name, units, activation):
    config = {"units": units, "activation": activation, "use_bias": True, "kernel_initializer": GLOROT}
    return layer("Dense", name, **config, bias_initializer=plain("Zeros"), **NONE)


def write_keras2(path, config, training, layers, optimizer):
    """A file as Keras 2.10 wrote it: texts are bytes of fixed length, weights' names end in `:0`."""
    with h5py.File(path, "w") as f:
        f.attrs["model_config"] = json.dumps(config).encode()
        f.attrs["training_config"] = json.dumps(training).encode()
        f.attrs["keras_version"], f.attrs["backend"] = b"2.10.0", b"tensorflow"
        top = f.create_group("model_weights")
        top.attrs["layer_names"] = np.array([name.encode() for name, _ in layers])
        for name, weights in layers:
            put(top.create_group(name), weights)
        put(top.create_group("top_level_model_weights"), [])
        put(f.create_group("optimizer_weights"), optimizer)


def put(group, weights):
    group.attrs["weight_names"] = np.array([name.encode() for name, _ in weights])
    for name, value in weights:
        group[name] = np.asarray(value)


def optimizer_weights(model, cls, slots):
    """Keras 2's order: the steps, then slot by slot."""
    steps, _, *kept = [np.asarray(v) for v in model.optimizer.variables]
    all = [(f"{cls}/iter:0", steps.astype("int64"))]
    for k, slot in enumerate(slots):
        names = [v.path for v in model.trainable_variables]
        all += [(f"{cls}/{name}/{slot}:0", kept[i * len(slots) + k]) for i, name in enumerate(names)]
    return all


def weights(model, names):
    """Layers' weights, trained ones first, under Keras 2's names."""
    for name, arrays in names.items():
        values = [np.asarray(v) for v in model.get_layer(name).weights]
        yield name, [(f"{name}/{array}:0", v) for array, v in zip(arrays, values, strict=True)]


def stack_of_keras2(folder):
    rng = np.random.default_rng(2)
    model = keras.Sequential(
        [
            L.Input((6, 5, 2)),
            L.Conv2D(4, 3, activation="relu", name="conv2d"),
            L.BatchNormalization(name="batch_normalization"),
            L.LeakyReLU(negative_slope=0.3, name="leaky_re_lu"),
            L.GlobalAveragePooling2D(name="global_average_pooling2d"),
            L.Dense(3, activation="softmax", name="dense"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    x, y = data(rng, 5, 6, 5, 2), np.eye(3, dtype="float32")[rng.integers(0, 3, 5)]
    run(model, [x], [y])
    batch = {f"{a}_{k}": None for a in ("beta", "gamma") for k in ("regularizer", "constraint")}
    starts = {f"{a}_initializer": plain(v) for a, v in zip(("beta", "gamma", "moving_mean", "moving_variance"), ("Zeros", "Ones") * 2)}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 6, 5, 2], "dtype": "float32", "sparse": False, "ragged": False, "name": "conv2d_input"}},
        layer(
            "Conv2D", "conv2d", batch_input_shape=[None, 6, 5, 2], filters=4, kernel_size=[3, 3], strides=[1, 1],
            padding="valid", data_format="channels_last", dilation_rate=[1, 1], groups=1, activation="relu",
            use_bias=True, kernel_initializer=GLOROT, bias_initializer=plain("Zeros"), **NONE,
        ),
        layer("BatchNormalization", "batch_normalization", axis=[3], momentum=0.99, epsilon=0.001, center=True, scale=True, **starts, **batch),
        layer("LeakyReLU", "leaky_re_lu", alpha=0.3),
        layer("GlobalAveragePooling2D", "global_average_pooling2d", data_format="channels_last", keepdims=False),
        dense("dense", 3, "softmax"),
    ]
    training = {
        "loss": "categorical_crossentropy",
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy"}}]],
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {
            "class_name": "Adam",
            "config": {"name": "Adam", "learning_rate": 0.01, "decay": 0.0, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False},
        },
    }
    names = {
        "conv2d": ["kernel", "bias"],
        "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"],
        "leaky_re_lu": [],
        "global_average_pooling2d": [],
        "dense": ["kernel", "bias"],
    }
    path = os.path.join(folder, "model.h5")
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    write_keras2(path, config, training, list(weights(model, names)), optimizer_weights(model, "Adam", "mv"))
    with open(path, "rb") as f:
        return "stack_of_keras2", f.read(), described(model, [x], [[y]])


def graph_of_keras2(folder):
    rng = np.random.default_rng(3)
    i = L.Input((5,), dtype="int32", name="input_1")
    y = L.Embedding(9, 4, mask_zero=True, name="embedding")(i)
    y = L.LSTM(3, name="lstm")(y)
    model = keras.Model(i, L.Dense(1, activation="sigmoid", name="dense")(y))
    for w in model.weights:
        w.assign(short(normal(rng, *w.shape)))
    model.compile(keras.optimizers.RMSprop(0.01), "binary_crossentropy", metrics=["mae"])
    x, y = tokens(rng, 4, 5, below=9), rng.integers(0, 2, (4, 1)).astype("float32")
    run(model, [x], [y])
    recurrent = {f"recurrent_{k}": None for k in ("regularizer", "constraint")}
    uniform = {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": None}}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 5], "dtype": "int32", "sparse": False, "ragged": False, "name": "input_1"}},
        layer(
            "Embedding", "embedding", batch_input_shape=[None, 5], input_dim=9, output_dim=4, embeddings_initializer=uniform,
            embeddings_regularizer=None, activity_regularizer=None, embeddings_constraint=None, mask_zero=True, input_length=5,
        ),
        layer(
            "LSTM", "lstm", return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
            time_major=False, units=3, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
            kernel_initializer=GLOROT, recurrent_initializer={"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}},
            bias_initializer=plain("Zeros"), unit_forget_bias=True, dropout=0.0, recurrent_dropout=0.0, implementation=2,
            **NONE, **recurrent,
        ),
        dense("dense", 1, "sigmoid"),
    ]
    for before, made in zip([None, *layers], layers):
        made["name"] = made["config"]["name"]
        made["inbound_nodes"] = [[[before["name"], 0, 0, {}]]] if before else []
    ends = {"input_layers": [["input_1", 0, 0]], "output_layers": [["dense", 0, 0]]}
    crossentropy = {"reduction": "auto", "name": "binary_crossentropy", "from_logits": False, "label_smoothing": 0.0, "axis": -1}
    training = {
        "loss": {"class_name": "BinaryCrossentropy", "config": crossentropy},
        "metrics": ["mae"],
        "weighted_metrics": None,
        "loss_weights": None,
        "sample_weight_mode": None,
        "optimizer_config": {
            "class_name": "RMSprop",
            "config": {"name": "RMSprop", "lr": 0.01, "decay": 0.0, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": False},
        },
    }
    names = {"input_1": [], "embedding": ["embeddings"], "lstm": [f"lstm_cell/{w}" for w in ("kernel", "recurrent_kernel", "bias")], "dense": ["kernel", "bias"]}
    path = os.path.join(folder, "model.h5")
    config = {"class_name": "Functional", "config": {"name": "model", "layers": layers, **ends}}
    write_keras2(path, config, training, list(weights(model, names)), optimizer_weights(model, "RMSprop", ["rms"]))
    with open(path, "rb") as f:
        return "graph_of_keras2", f.read(), described(model, [x], [[y]])


def shards(folder):
    """Weights and optimizer's state in files of at most 128 bytes of values, and their index."""
    rng = np.random.default_rng(4)
    model = keras.Sequential([L.Input((6,)), L.Dense(5, name="first"), L.ReLU(), L.Dense(3, name="second")])
    model.compile("adam", "mse")
    run(model, [data(rng, 4, 6)], [data(rng, 4, 3)])
    model.save_weights(os.path.join(folder, "small.weights.json"), max_shard_size=128 / 1024**3)
    kept = {"weights": model.get_weights(), "optimizer": [np.asarray(v) for v in model.optimizer.variables]}
    yield "expected.json", json.dumps({k: [array(a) for a in v] for k, v in kept.items()}).encode()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            yield name, f.read()


def archive(folder):
    """Writes legacy.zip and returns its path."""
    path = os.path.join(folder, "legacy.zip")
    with tempfile.TemporaryDirectory() as scratch:
        models = [resaved(name, scratch) for name in ALSO]
        write(path, "model.h5", [*models, stack_of_keras2(scratch), graph_of_keras2(scratch)])
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path, "a") as out:
        for name, content in shards(scratch):
            out.writestr(zipfile.ZipInfo(f"shards/{name}"), content, zipfile.ZIP_DEFLATED, 9)
    return path
