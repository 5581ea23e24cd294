"""curves.json: networks of every kind, trained for some epochs from given weights, rows in order."""

import json

from make_common import array, f32, keras, normal, np, plain

L = keras.layers


def grid(a, steps=8):
    """Rounds to a binary grid, so that the numbers are short and exact."""
    return f32(np.round(np.asarray(a) * steps) / steps)


def series(values):
    return [array(np.float32(v))["data"][0] for v in values]


def train(rng, name, make, compile_args, x, y, epochs, batch, held, left_out=()):
    """Trains on all rows but the last `held`, which are for validation."""
    keras.backend.clear_session()
    model = make()
    start = []
    for w in model.weights:
        # Gains and what variances start from stay near 1.
        centre = 1.0 if w.name in ("gamma", "moving_variance") else 0.0
        fan = int(np.prod(w.shape[:-1])) if len(w.shape) > 1 else 100
        start.append(grid(centre + normal(rng, *w.shape, scale=1 / np.sqrt(fan)), 64))
    model.set_weights(start)
    model.compile(**compile_args)
    told = json.loads(model.to_json())

    def rows(arrays, some):
        cut = [a[some] for a in arrays]
        return cut if len(cut) > 1 else cut[0]

    history = model.fit(
        rows(x, slice(-held)),
        rows(y, slice(-held)),
        batch_size=batch,
        epochs=epochs,
        shuffle=False,
        validation_data=(rows(x, slice(-held, None)), rows(y, slice(-held, None))),
        verbose=0,
    )
    return {
        "name": name,
        "model": plain(told),
        "weights": [array(w) for w in start],
        "x": [array(a) for a in x],
        "y": [array(a) for a in y],
        "held": held,
        "batch_size": batch,
        "epochs": epochs,
        "history": {k: series(v) for k, v in history.history.items() if k not in left_out},
        "trained": [array(w) for w in model.get_weights()],
    }


def images(rng, rows, size, channels, classes):
    """Noise with a bright square where the class says."""
    labels = rng.integers(0, classes, rows)
    x = rng.standard_normal((rows, size, size, channels))
    for i, label in enumerate(labels):
        at = int(label) * (size // classes)
        x[i, at : at + 2, at : at + 2, :] += 2.0
    return grid(x, 4), labels.astype("int32")


def convolutional(rng):
    x, y = images(rng, 40, 8, 2, 3)

    def make():
        return keras.Sequential([
            keras.Input((8, 8, 2)),
            L.Conv2D(6, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(8, 2, padding="same", activation="relu"),
            L.AveragePooling2D(2, strides=1),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ])  # fmt: skip

    how = {
        "optimizer": keras.optimizers.Adam(0.01),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    return train(rng, "a convolutional network", make, how, [x], [y], 5, 8, 8)


def residual(rng):
    x, y = images(rng, 40, 6, 2, 3)

    def make():
        image = keras.Input((6, 6, 2))
        h = L.Conv2D(4, 3, padding="same", use_bias=False)(image)
        h = L.ReLU()(L.BatchNormalization(momentum=0.8)(h))
        for channels, strides in [(4, 1), (6, 2)]:
            way = h
            h = L.Conv2D(channels, 3, strides, padding="same", use_bias=False)(h)
            h = L.ReLU()(L.BatchNormalization(momentum=0.8)(h))
            h = L.Conv2D(channels, 3, padding="same", use_bias=False)(h)
            h = L.BatchNormalization(momentum=0.8)(h)
            if strides > 1:
                way = L.Conv2D(channels, 1, strides, use_bias=False)(way)
                way = L.BatchNormalization(momentum=0.8)(way)
            h = L.ReLU()(L.Add()([h, way]))
        return keras.Model(image, L.Dense(3)(L.GlobalAveragePooling2D()(h)))

    how = {
        "optimizer": keras.optimizers.SGD(0.05, momentum=0.9),
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "metrics": ["accuracy"],
    }
    return train(rng, "a residual network", make, how, [x], [y], 5, 8, 8)


def sentences(rng, rows, longest, words):
    """Numbers of words, filled up with zeros; the class is which half of the words is more frequent."""
    x = rng.integers(1, words, (rows, longest))
    for row, length in zip(x, rng.integers(2, longest + 1, rows)):
        row[length:] = 0
    high = (x >= words // 2).sum(1) * 2 > (x > 0).sum(1)
    return x.astype("int32"), high.astype("int32")


def bidirectional(rng):
    x, y = sentences(rng, 40, 7, 12)

    def make():
        return keras.Sequential([
            keras.Input((7,), dtype="int32"),
            L.Embedding(12, 4, mask_zero=True),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.Bidirectional(L.LSTM(3), merge_mode="sum"),
            L.Dense(1, activation="sigmoid"),
        ])  # fmt: skip

    how = {
        "optimizer": keras.optimizers.Adam(0.05),
        "loss": "binary_crossentropy",
        "metrics": ["accuracy"],
    }
    return train(rng, "bidirectional LSTMs with a mask", make, how, [x], [y], 5, 8, 8)


def gated(rng, reset_after):
    """A running sum of what is not left out, at every step."""
    x = grid(rng.standard_normal((40, 6, 2)))
    for row, length in zip(x, rng.integers(3, 7, 40)):
        row[length:] = 0.0
    y = grid(np.cumsum(x[:, :, :1], axis=1) / 2)

    def make():
        return keras.Sequential([
            keras.Input((6, 2)),
            L.Masking(),
            L.GRU(5, return_sequences=True, reset_after=reset_after),
            L.Dense(1),
        ])  # fmt: skip

    name = f"a GRU, reset_after {reset_after}, with a loss at every step that counts"
    how = {"optimizer": keras.optimizers.RMSprop(0.01), "loss": "mse", "metrics": ["mae"]}
    # On JAX alone, the mask is lost between the gradient and the metrics; in validation it is heeded.
    return train(rng, name, make, how, [x], [y], 5, 8, 8, left_out=["mae"])


def transformer(rng):
    x, y = sentences(rng, 40, 7, 12)
    places = np.tile(np.arange(7, dtype="int32"), (40, 1))

    def make():
        words = keras.Input((7,), dtype="int32", name="words")
        at = keras.Input((7,), dtype="int32", name="places")
        h = L.Add()([L.Embedding(12, 6, mask_zero=True)(words), L.Embedding(7, 6)(at)])
        seen = L.MultiHeadAttention(2, 3)(h, h)
        h = L.LayerNormalization(epsilon=1e-6)(L.Add()([h, seen]))
        further = L.Dense(6)(L.Dense(8, activation="gelu")(h))
        h = L.LayerNormalization(epsilon=1e-6)(L.Add()([h, further]))
        h = L.GlobalAveragePooling1D()(h)
        return keras.Model([words, at], L.Dense(2, activation="softmax")(h))

    how = {
        "optimizer": keras.optimizers.AdamW(0.03),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    return train(rng, "a Transformer's encoder", make, how, [x, places], [y], 5, 8, 8)


def several(rng):
    image, kind = images(rng, 40, 4, 1, 2)
    facts = grid(rng.standard_normal((40, 3)))
    price = grid(facts[:, :1] - 0.5 * facts[:, 1:2] + kind[:, None])

    def make():
        seen, known = keras.Input((4, 4, 1), name="image"), keras.Input((3,), name="facts")
        h = L.Flatten()(L.Conv2D(3, 2, activation="relu")(seen))
        both = L.Dense(6, activation="tanh")(L.Concatenate()([h, L.Dense(4)(known)]))
        return keras.Model(
            [seen, known],
            [
                L.Dense(2, activation="softmax", name="kind")(both),
                L.Dense(1, name="price", kernel_regularizer="l2")(both),
            ],
        )

    how = {
        "optimizer": keras.optimizers.Adam(0.01),
        "loss": {"kind": "sparse_categorical_crossentropy", "price": "mse"},
        "loss_weights": {"kind": 1.5, "price": 0.25},
        "metrics": {"kind": ["accuracy"], "price": ["mae", "mse"]},
    }
    return train(
        rng, "two inputs, two outputs", make, how, [image, facts], [kind, price], 5, 8, 8
    )


def build():
    rng = np.random.default_rng(117)
    return {
        "runs": [
            convolutional(rng),
            residual(rng),
            bidirectional(rng),
            gated(rng, True),
            gated(rng, False),
            transformer(rng),
            several(rng),
        ]
    }
