"""Keras on one of its three backends: `fit`, `evaluate` and `predict` as a user writes them."""

import os
import time

import harness

args = harness.arguments(None)
os.environ["KERAS_BACKEND"] = args.backend
if args.backend == "tensorflow":
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
elif args.backend == "torch":
    import torch

    torch.set_num_threads(args.threads)
else:
    import jax

import keras  # noqa: E402  (reads KERAS_BACKEND)
import numpy as np  # noqa: E402


class EpochEnds(keras.callbacks.Callback):
    """Keeps the time of day at the end of every epoch."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(time.perf_counter())


def transformer():
    """One block of a Transformer's encoder between an embedding and a small classifier."""
    layers = keras.layers
    words = keras.Input((200,), dtype="int32")
    x = layers.Embedding(harness.WORDS, 32)(words)
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=32)(x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    fed = layers.Dense(32)(layers.Dense(32, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(fed))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    x = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(x))
    model = keras.Model(words, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def resnet20():
    """The residual network of 20 layers for small images."""
    layers = keras.layers

    def convolution(x, filters, size, stride):
        x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    images = keras.Input((32, 32, 3))
    x = layers.Activation("relu")(convolution(images, 16, 3, 1))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            y = layers.Activation("relu")(convolution(x, filters, 3, stride))
            y = convolution(y, filters, 3, 1)
            short = convolution(x, filters, 1, stride) if stride > 1 else x
            x = layers.Activation("relu")(short + y)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(images, layers.Dense(10, activation="softmax")(x))
    optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    return model


class KerasPeer(harness.Peer):
    def __init__(self, workload, batch):
        layers = keras.layers
        self.batch = batch
        if workload == "mlp":
            self.model = keras.Sequential(
                [keras.Input((784,)), layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")]
            )
            self.model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
        elif workload == "convnet":
            self.model = keras.Sequential(
                [
                    keras.Input((28, 28, 1)),
                    layers.Conv2D(32, 3, activation="relu"),
                    layers.MaxPooling2D(2),
                    layers.Conv2D(64, 3, activation="relu"),
                    layers.MaxPooling2D(2),
                    layers.Flatten(),
                    layers.Dropout(0.5),
                    layers.Dense(10, activation="softmax"),
                ]
            )
            self.model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        elif workload == "transformer":
            self.model = transformer()
        elif workload == "resnet20":
            self.model = resnet20()
        elif workload in harness.RECURRENT:
            recurrent = layers.LSTM(64) if workload == "lstm" else layers.GRU(64)
            self.model = keras.Sequential(
                [
                    keras.Input((200,), dtype="int32"),
                    layers.Embedding(harness.WORDS, 128),
                    recurrent,
                    layers.Dense(1, activation="sigmoid"),
                ]
            )
            self.model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        else:
            self.model = keras.Sequential(
                [
                    keras.Input((8,)),
                    layers.Dense(32, activation="relu"),
                    layers.Dense(32, activation="relu"),
                    layers.Dense(1),
                ]
            )
            self.model.compile("adam", "mse", metrics=["mae"])

    def fit(self, x, y, epochs):
        clock = EpochEnds()
        self.model.fit(x, y, batch_size=self.batch, epochs=epochs, verbose=0, callbacks=[clock])
        return clock.ends

    def evaluate(self, x, y):
        return self.model.evaluate(x, y, verbose=0)

    def predict(self, x, batch):
        return self.model.predict(x, batch_size=batch, verbose=0)

    def lean_calls(self, row):
        model = self.model
        if args.backend == "tensorflow":
            x = tf.constant(row)
            graph = tf.function(lambda rows: model(rows, training=False))
            return [lambda: model(x, training=False).numpy(), lambda: graph(x).numpy()]
        if args.backend == "jax":
            x = jax.numpy.asarray(row)
            trainable = [v.value for v in model.trainable_variables]
            others = [v.value for v in model.non_trainable_variables]
            stateless = jax.jit(lambda t, o, rows: model.stateless_call(t, o, rows, training=False)[0])
            return [
                lambda: np.asarray(model(x, training=False)),
                lambda: np.asarray(stateless(trainable, others, x)),
            ]
        x = torch.from_numpy(row)

        def eager():
            with torch.no_grad():
                return model(x, training=False).numpy()

        return [eager]


harness.main(args, f"keras-{args.backend}", keras.__version__, KerasPeer)
