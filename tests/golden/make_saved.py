"""saved.zip: models as Keras writes them, with what they predict and how their training goes on.

Each model is a folder with `model.keras`, as `model.save` wrote it, and `case.json`. The files carry their
date and Keras' own numbers for objects, so that two runs do not give the same bytes.
"""

import json
import os
import tempfile
import zipfile

from make_common import array, keras, normal, np, versions

L = keras.layers
CASES = {}


def case(make):
    """Registers a model: a function of the generator of its data, which returns the model, its inputs and, if
    its training is to go on, the targets."""
    CASES[make.__name__] = make
    return make


def short(a):
    """Numbers that half precision holds: they take half the room once they are compressed."""
    a = np.asarray(a)
    return a.astype(np.float16).astype(np.float32) if a.dtype == np.float32 else a


def data(rng, *shape):
    return short(normal(rng, *shape))


def tokens(rng, *shape, below):
    return rng.integers(0, below, shape).astype("int32")


def layers_within(layer):
    """A layer and all layers inside it."""
    yield layer
    for inner in layer._layers:
        yield from layers_within(inner)


def randomize(rng, model):
    """Random weights; variances are positive, and what `adapt` found stays."""
    for layer in layers_within(model):
        if isinstance(layer, (L.Normalization, L.Discretization)):
            continue
        for w in layer._trainable_variables + layer._non_trainable_variables:
            if "float" not in str(w.dtype):
                continue
            if "variance" in w.name:
                w.assign(short(rng.uniform(0.5, 1.5, w.shape).astype("float32")))
            else:
                w.assign(data(rng, *w.shape) * 0.5)


def stack(*layers, **kwargs):
    return keras.Sequential(list(layers), **kwargs)


# Dense layers and what stands between them.


@case
def dense_arguments(rng):
    model = stack(
        L.Input((5,), name="features"),
        L.Dense(
            7,
            activation="gelu",
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.1, seed=3),
            bias_initializer="ones",
            kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
            bias_regularizer="l2",
            activity_regularizer=keras.regularizers.L2(0.001),
            kernel_constraint=keras.constraints.MaxNorm(2.0),
            bias_constraint="non_neg",
            name="hidden",
        ),
        L.Dense(3, use_bias=False, kernel_constraint=keras.constraints.MinMaxNorm(0.1, 1.5, rate=0.7)),
        L.Dense(2, activation="softmax", kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.02, mode="columns")),
        name="arguments",
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(k=1, name="top")],
    )
    return model, [data(rng, 6, 5)], [np.eye(2, dtype="float32")[rng.integers(0, 2, 6)]]


@case
def activation_layers(rng):
    x = keras.Input((4, 3))
    y = L.PReLU(shared_axes=[1], alpha_initializer=keras.initializers.Constant(0.3))(x)
    y = L.LeakyReLU(negative_slope=0.2)(y)
    y = L.ELU(alpha=0.7)(y)
    y = L.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.05)(y)
    y = L.Activation("silu")(y)
    y = L.PReLU()(y)
    z = L.Softmax(axis=1)(y)
    return keras.Model(x, [y, z]), [data(rng, 3, 4, 3)]


@case
def every_activation(rng):
    names = (
        "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_tanh leaky_relu linear log_sigmoid log_softmax "
        "mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparsemax squareplus "
        "tanh tanh_shrink"
    ).split()
    x = keras.Input((4,))
    # Keras' sparsemax is another function: see the departures.
    return keras.Model(x, [L.Activation(n, name=n)(x) for n in names if n != "sparsemax"]), [data(rng, 2, 4)]


@case
def shapes_and_merging(rng):
    a, b = keras.Input((2, 6), name="a"), keras.Input((2, 6), name="b")
    merged = [
        L.Add()([a, b]),
        L.Subtract()([a, b]),
        L.Multiply()([a, b]),
        L.Average()([a, b]),
        L.Maximum()([a, b]),
        L.Minimum()([a, b]),
        L.Dot(axes=2)([a, b]),
        L.Dot(axes=(1, 1), normalize=True)([a, b]),
        L.Concatenate(axis=1)([a, b]),
        L.Reshape((3, -1))(a),
        L.Permute((2, 1))(a),
        L.Flatten(data_format="channels_first")(a),
        L.RepeatVector(3)(L.Flatten()(a)),
        L.Identity()(b),
        L.Rescaling(0.5, offset=1.0)(b),
    ]
    return keras.Model([a, b], merged), [data(rng, 3, 2, 6), data(rng, 3, 2, 6)]


@case
def einsum_dense(rng):
    x = keras.Input((4, 6))
    y = L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de", activation="tanh")(x)
    z = L.EinsumDense("...x,xy->...y", output_shape=5, bias_axes="y")(x)
    return keras.Model(x, [y, z]), [data(rng, 2, 4, 6)]


@case
def noise_and_dropout(rng):
    return (
        stack(
            L.Input((5, 4)),
            L.GaussianNoise(0.3, seed=1),
            L.GaussianDropout(0.2),
            L.AlphaDropout(0.1, noise_shape=(None, 1, 4)),
            L.SpatialDropout1D(0.3),
            L.Dropout(0.5, noise_shape=(None, 5, 1), seed=7),
            L.ActivityRegularization(l1=0.01, l2=0.02),
            L.Dense(2),
        ),
        [data(rng, 3, 5, 4)],
    )


@case
def noise_of_space(rng):
    x, y = keras.Input((3, 4, 2)), keras.Input((2, 3, 2, 2))
    return (
        keras.Model(
            [x, y],
            [L.SpatialDropout2D(0.4, data_format="channels_first")(x), L.SpatialDropout3D(0.4)(y)],
        ),
        [data(rng, 2, 3, 4, 2), data(rng, 2, 2, 3, 2, 2)],
    )


@case
def embeddings(rng):
    i, j = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    tied = L.ReversibleEmbedding(11, 4, mask_zero=False, reverse_dtype="float32", logit_soft_cap=5.0)
    y = L.Embedding(9, 5, mask_zero=True, embeddings_regularizer="l2", embeddings_constraint="unit_norm")(i)
    y = L.LSTM(3)(y)
    z = L.GlobalAveragePooling1D()(tied(j))
    return keras.Model([i, j], [y, z]), [tokens(rng, 4, 6, below=9), tokens(rng, 4, 6, below=11)]


@case
def masking(rng):
    x = data(rng, 3, 6, 2)
    x[0, 4:] = 0.0
    x[1, 2] = 0.0
    y = keras.Input((6, 2))
    seen = L.Masking(mask_value=0.0)(y)
    return keras.Model(y, [L.GRU(3)(seen), L.GlobalAveragePooling1D()(seen)]), [x]


# Convolutions and pooling.


@case
def conv1d(rng):
    x = keras.Input((9, 4))
    return (
        keras.Model(
            x,
            [
                L.Conv1D(6, 3, strides=2, padding="same", groups=2, activation="relu")(x),
                L.Conv1D(3, 2, dilation_rate=2, padding="causal", use_bias=False)(x),
                L.Conv1DTranspose(2, 3, strides=2, padding="same")(x),
                L.DepthwiseConv1D(3, depth_multiplier=2)(x),
                L.SeparableConv1D(5, 3, depth_multiplier=2, padding="same", strides=2)(x),
            ],
        ),
        [data(rng, 2, 9, 4)],
    )


@case
def conv2d(rng):
    x = keras.Input((7, 6, 4))
    return (
        keras.Model(
            x,
            [
                L.Conv2D(6, (3, 2), strides=(2, 1), padding="same", groups=2)(x),
                L.Conv2D(3, 2, dilation_rate=(1, 2), use_bias=False, activation="tanh")(x),
                L.Conv2DTranspose(3, (3, 2), strides=(2, 3), padding="valid", output_padding=(1, 0))(x),
                L.Conv2DTranspose(2, 3, strides=1, padding="same", dilation_rate=2)(x),
                L.DepthwiseConv2D((2, 3), strides=2, padding="same", depth_multiplier=2)(x),
                L.SeparableConv2D(5, 3, depth_multiplier=2, pointwise_regularizer="l1")(x),
            ],
        ),
        [data(rng, 2, 7, 6, 4)],
    )


@case
def conv3d(rng):
    x = keras.Input((4, 5, 4, 2))
    return (
        keras.Model(
            x,
            [
                L.Conv3D(4, (2, 3, 2), strides=(1, 2, 1), padding="same", groups=2)(x),
                L.Conv3DTranspose(2, 2, strides=2, use_bias=False)(x),
            ],
        ),
        [data(rng, 2, 4, 5, 4, 2)],
    )


@case
def channels_first(rng):
    x = keras.Input((3, 8, 7))
    y = L.BatchNormalization(axis=1)(L.ZeroPadding2D(((1, 0), (2, 1)), data_format="channels_first")(x))
    return (
        keras.Model(
            x,
            [
                L.AveragePooling2D(2, data_format="channels_first")(y),
                L.MaxPooling2D((3, 2), strides=2, padding="valid", data_format="channels_first")(y),
                L.GlobalMaxPooling2D(data_format="channels_first", keepdims=True)(y),
                L.UpSampling2D((2, 3), data_format="channels_first")(x),
                L.Conv2D(3, 3, data_format="channels_first")(y),
            ],
        ),
        [data(rng, 2, 3, 8, 7)],
    )


@case
def small_convnet(rng):
    model = stack(
        L.Input((8, 8, 1)),
        L.Conv2D(4, 3, activation="relu"),
        L.BatchNormalization(momentum=0.9),
        L.MaxPooling2D(2),
        L.Conv2D(5, 2, padding="same"),
        L.ReLU(),
        L.GlobalAveragePooling2D(),
        L.Dense(3),
    )
    model.compile(
        keras.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model, [data(rng, 6, 8, 8, 1)], [tokens(rng, 6, below=3)]


@case
def pooling1d(rng):
    x = keras.Input((9, 3))
    return (
        keras.Model(
            x,
            [
                L.MaxPooling1D(3, strides=2, padding="same")(x),
                L.AveragePooling1D(2)(x),
                L.GlobalMaxPooling1D(keepdims=True)(x),
                L.GlobalAveragePooling1D()(x),
                L.AdaptiveAveragePooling1D(3)(x),
                L.AdaptiveMaxPooling1D(3)(x),
                L.Cropping1D((1, 2))(x),
                L.ZeroPadding1D((2, 1))(x),
                L.UpSampling1D(2)(x),
            ],
        ),
        [data(rng, 2, 9, 3)],
    )


@case
def pooling2d(rng):
    x = keras.Input((6, 8, 2))
    return (
        keras.Model(
            x,
            [
                L.MaxPooling2D((2, 3), strides=(1, 2), padding="same")(x),
                L.AveragePooling2D(3, strides=2, padding="same")(x),
                L.GlobalAveragePooling2D(keepdims=True)(x),
                L.GlobalMaxPooling2D()(x),
                L.AdaptiveAveragePooling2D((3, 4))(x),
                L.AdaptiveMaxPooling2D(2)(x),
                L.Cropping2D(((1, 0), (2, 1)))(x),
                L.ZeroPadding2D((1, 2))(x),
                L.UpSampling2D(2, interpolation="bilinear")(x),
            ],
        ),
        [data(rng, 2, 6, 8, 2)],
    )


@case
def pooling3d(rng):
    x = keras.Input((4, 4, 6, 2))
    return (
        keras.Model(
            x,
            [
                L.MaxPooling3D(2)(x),
                L.AveragePooling3D((2, 1, 3))(x),
                L.GlobalAveragePooling3D()(x),
                L.GlobalMaxPooling3D()(x),
                L.AdaptiveAveragePooling3D((2, 2, 3))(x),
                L.AdaptiveMaxPooling3D((2, 2, 3))(x),
                L.Cropping3D(1)(x),
                L.ZeroPadding3D((0, 1, 0))(x),
                L.UpSampling3D((1, 2, 1))(x),
            ],
        ),
        [data(rng, 1, 4, 4, 6, 2)],
    )


# Normalisation and what is learnt before training.


@case
def normalisations(rng):
    x = keras.Input((5, 6))
    return (
        keras.Model(
            x,
            [
                L.BatchNormalization(center=False, epsilon=1e-2)(x),
                L.BatchNormalization(scale=False, axis=1)(x),
                L.LayerNormalization(axis=[1, 2], epsilon=1e-4)(x),
                L.LayerNormalization(center=False)(x),
                L.GroupNormalization(groups=3)(x),
                L.UnitNormalization(axis=2)(x),
                L.RMSNormalization()(x),
            ],
        ),
        [data(rng, 3, 5, 6)],
    )


@case
def batch_normalization_trains(rng):
    model = stack(
        L.Input((4,)),
        L.Dense(6, use_bias=False),
        L.BatchNormalization(),
        L.Activation("relu"),
        L.Dense(1, activation="sigmoid"),
    )
    model.compile(
        keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(num_thresholds=20)],
    )
    return model, [data(rng, 8, 4)], [rng.integers(0, 2, (8, 1)).astype("float32")]


@case
def frozen_layers(rng):
    frozen = L.Dense(4, trainable=False, name="frozen")
    model = stack(L.Input((3,)), frozen, L.BatchNormalization(trainable=False), L.Dense(2))
    model.compile(keras.optimizers.AdamW(0.02, weight_decay=0.05), loss="mse", weighted_metrics=["mae"])
    return model, [data(rng, 5, 3)], [data(rng, 5, 2)]


@case
def adapted(rng):
    numbers = data(rng, 50, 3) * 3.0 + 1.0
    norm = L.Normalization()
    norm.adapt(numbers)
    x = keras.Input((3,))
    fixed = L.Normalization(axis=-1, mean=[1.0, 0.5, 0.0], variance=[4.0, 1.0, 0.25], invert=True)(x)
    edges = L.Discretization(bin_boundaries=[-1.0, 0.0, 1.5], output_mode="one_hot")(x)
    return keras.Model(x, [norm(x), fixed, edges]), [numbers[:6]]


@case
def categories(rng):
    x = keras.Input((3,), dtype="int32")
    return (
        keras.Model(
            x,
            [
                L.CategoryEncoding(num_tokens=5, output_mode="multi_hot")(x),
                L.CategoryEncoding(num_tokens=5, output_mode="one_hot")(x),
            ],
        ),
        [tokens(rng, 4, 3, below=5)],
    )


@case
def images(rng):
    return (
        stack(
            L.Input((9, 8, 3)),
            L.Rescaling(1 / 127.5, offset=-1),
            L.RandomFlip("horizontal", seed=1),
            L.RandomRotation(0.1, fill_mode="nearest"),
            L.RandomZoom((-0.1, 0.2), width_factor=0.1),
            L.RandomTranslation(0.1, (-0.1, 0.2), interpolation="nearest"),
            L.RandomContrast(0.2),
            L.RandomBrightness(0.1, value_range=(-1.0, 1.0)),
            L.CenterCrop(6, 6),
            L.Resizing(5, 4, interpolation="bilinear"),
            L.RandomCrop(5, 4),
            L.Flatten(),
            L.Dense(2),
        ),
        [np.round(rng.uniform(0, 255, (2, 9, 8, 3))).astype("float32")],
    )


# Recurrence.


@case
def lstm(rng):
    model = stack(
        L.Input((5, 3)),
        L.LSTM(4, return_sequences=True, dropout=0.0, unit_forget_bias=False, recurrent_activation="hard_sigmoid"),
        L.LSTM(3, go_backwards=True, use_bias=False),
        L.Dense(1),
    )
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.7, staircase=True)),
        loss=keras.losses.Huber(delta=0.5),
        metrics=["mae"],
    )
    return model, [data(rng, 4, 5, 3)], [data(rng, 4, 1)]


@case
def gru(rng):
    model = stack(
        L.Input((None, 3)),
        L.GRU(4, return_sequences=True, reset_after=False, kernel_regularizer="l2"),
        L.GRU(3, reset_after=True, recurrent_dropout=0.0),
        L.Dense(2),
    )
    model.compile(
        keras.optimizers.Nadam(0.02, global_clipnorm=0.8),
        loss="mse",
        loss_weights=[0.5],
    )
    return model, [data(rng, 4, 5, 3)], [data(rng, 4, 2)]


@case
def simple_rnn(rng):
    x = keras.Input((4, 3))
    y, state = L.SimpleRNN(3, return_sequences=True, return_state=True, activation="relu", unroll=True)(x)
    return keras.Model(x, [y, state]), [data(rng, 3, 4, 3)]


@case
def states_passed_on(rng):
    x, h = keras.Input((4, 3), name="steps"), keras.Input((2,), name="start")
    y, a, b = L.LSTM(2, return_sequences=True, return_state=True, name="encoder")(x, initial_state=[h, h])
    z = L.LSTM(2, name="decoder")(y, initial_state=[b, a])
    w = L.GRU(2)(x, initial_state=h)
    return keras.Model([x, h], [y, z, w]), [data(rng, 3, 4, 3), data(rng, 3, 2)]


@case
def bidirectional(rng):
    x = keras.Input((4, 3))
    both = L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")(x)
    summed = L.Bidirectional(L.GRU(3), merge_mode="sum")(both)
    own = L.Bidirectional(
        L.SimpleRNN(2, return_sequences=True),
        backward_layer=L.GRU(2, return_sequences=True, go_backwards=True),
        merge_mode="ave",
    )(x)
    apart = L.Bidirectional(L.LSTM(2), merge_mode=None)(x)
    return keras.Model(x, [summed, own, *apart]), [data(rng, 3, 4, 3)]


@case
def cells(rng):
    x = keras.Input((4, 3))
    one = L.RNN(L.LSTMCell(3, unit_forget_bias=False), return_state=True)(x)
    two = L.RNN(L.GRUCell(2, reset_after=False), return_sequences=True)(x)
    three = L.RNN(L.SimpleRNNCell(2), go_backwards=True)(x)
    many = L.RNN([L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(4)], return_sequences=True)(x)
    held = L.RNN(L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(2)]))(x)
    return keras.Model(x, [*one, two, three, many, held]), [data(rng, 2, 4, 3)]


@case
def time_distributed(rng):
    inner = stack(L.Input((3, 3, 2)), L.Conv2D(2, 2), L.Flatten(), name="inner")
    x = keras.Input((4, 3, 3, 2))
    y = L.TimeDistributed(inner)(x)
    y = L.TimeDistributed(L.Dense(3, activation="relu"))(y)
    return keras.Model(x, L.LSTM(2)(y)), [data(rng, 2, 4, 3, 3, 2)]


@case
def conv_lstm(rng):
    x, y = keras.Input((3, 6, 2)), keras.Input((3, 4, 5, 2))
    z = keras.Input((2, 3, 3, 4, 1))
    return (
        keras.Model(
            [x, y, z],
            [
                L.ConvLSTM1D(2, 3, padding="same", return_sequences=True)(x),
                L.ConvLSTM2D(2, (2, 3), strides=(1, 2))(y),
                L.ConvLSTM3D(1, 2)(z),
            ],
        ),
        [data(rng, 2, 3, 6, 2), data(rng, 2, 3, 4, 5, 2), data(rng, 2, 2, 3, 3, 4, 1)],
    )


# Attention.


@case
def multi_head_attention(rng):
    q, v = keras.Input((4, 6)), keras.Input((5, 6))
    cross = L.MultiHeadAttention(2, 3, output_shape=5, use_bias=False, name="cross")(q, v)
    own = L.MultiHeadAttention(3, 2, dropout=0.1, use_gate=True)(q, q, use_causal_mask=True)
    three = L.MultiHeadAttention(1, 2)(q, v, v)
    return keras.Model([q, v], [cross, own, three]), [data(rng, 2, 4, 6), data(rng, 2, 5, 6)]


@case
def attention(rng):
    q, v, k = keras.Input((3, 4)), keras.Input((5, 4)), keras.Input((5, 4))
    return (
        keras.Model(
            [q, v, k],
            [
                L.Attention(use_scale=True, dropout=0.1)([q, v, k]),
                L.Attention(score_mode="concat")([q, v]),
                L.AdditiveAttention(use_scale=False)([q, v]),
                L.AdditiveAttention()([q, v, k]),
            ],
        ),
        [data(rng, 2, 3, 4), data(rng, 2, 5, 4), data(rng, 2, 5, 4)],
    )


@case
def grouped_query_attention(rng):
    q, v = keras.Input((4, 6)), keras.Input((5, 6))
    y = L.GroupQueryAttention(3, 4, 2)(q, v)
    z = L.GroupQueryAttention(3, 4, 2, use_bias=False, use_gate=True)(q, q, use_causal_mask=True)
    return keras.Model([q, v], [y, z]), [data(rng, 2, 4, 6), data(rng, 2, 5, 6)]


@case
def transformer(rng):
    x = keras.Input((5,), dtype="int32")
    y = L.Embedding(12, 8)(x)
    for _ in range(2):
        seen = L.MultiHeadAttention(2, 4)(y, y)
        y = L.LayerNormalization(epsilon=1e-6)(L.Add()([y, seen]))
        wide = L.Dense(8)(L.Dense(12, activation="relu")(y))
        y = L.LayerNormalization(epsilon=1e-6)(L.Add()([y, wide]))
    y = L.Dense(3, activation="softmax")(L.GlobalAveragePooling1D()(y))
    model = keras.Model(x, y, name="transformer")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model, [tokens(rng, 6, 5, below=12)], [tokens(rng, 6, below=3)]


# Graphs.


@case
def shared_and_nested(rng):
    encode = L.Dense(4, activation="relu", name="encode")
    inner = stack(L.Input((4,)), L.Dense(3), L.Dense(2), name="inner")
    deep_in = keras.Input((2,))
    within = stack(L.Input((2,)), L.Dense(3), L.LayerNormalization(), name="within")
    deep = keras.Model(deep_in, L.Dense(2, name="deepest")(within(deep_in)), name="deep")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    both = L.Add()([encode(a), encode(b)])
    y = deep(inner(both))
    z = inner(encode(a))
    model = keras.Model([a, b], [y, L.Dense(1, name="out")(z)], name="shared")
    model.compile(
        keras.optimizers.Adamax(0.02),
        loss={"deep": "mse", "out": keras.losses.LogCosh()},
        loss_weights={"deep": 0.3, "out": 2.0},
        metrics={"out": ["mae"]},
    )
    return model, [data(rng, 4, 3), data(rng, 4, 3)], [data(rng, 4, 2), data(rng, 4, 1)]


@case
def residual_blocks(rng):
    x = keras.Input((6, 6, 4))
    y = x
    for _ in range(2):
        z = L.Conv2D(4, 3, padding="same", use_bias=False)(y)
        z = L.ReLU()(L.BatchNormalization()(z))
        y = y + L.DepthwiseConv2D(3, padding="same")(z)
    y = L.GlobalAveragePooling2D()(y) * 0.5 + 1.0
    model = keras.Model(x, L.Dense(2)(y))
    model.compile(keras.optimizers.Lion(0.002), loss="mse")
    return model, [data(rng, 3, 6, 6, 4)], [data(rng, 3, 2)]


@case
def dictionaries(rng):
    ends = {"left": keras.Input((3,), name="left"), "right": keras.Input((2,), name="right")}
    y = L.Concatenate()([ends["left"], ends["right"]])
    model = keras.Model(ends, {"one": L.Dense(2, name="one")(y), "two": L.Dense(1, name="two")(y)})
    return model, [data(rng, 3, 3), data(rng, 3, 2)]


@case
def mixed_precision(rng):
    model = stack(
        L.Input((4,)),
        L.Dense(6, activation="relu", dtype="mixed_bfloat16"),
        L.Dense(2, dtype="float32"),
    )
    return model, [data(rng, 3, 4)]


@case
def weights_in_half(rng):
    model = stack(L.Input((4,), dtype="float16"), L.Dense(3, dtype="float16"), L.Dense(2, dtype="bfloat16"))
    return model, [data(rng, 3, 4).astype("float16")]


@case
def names_and_positions(rng):
    x = keras.Input((3,), name="z")
    y = L.Dense(3, name="b")(x)
    y = L.Dense(3, name="a")(y)
    y = L.PReLU(name="c")(y)
    y = L.PReLU(name="b_1")(y)
    y = L.Dense(3, name="dense_7")(y)
    return keras.Model(x, L.Dense(1, name="0")(y), name="named"), [data(rng, 2, 3)]


# Optimizers, losses and metrics whose state or configuration is their own.


def trained(name, optimizer, loss="mse", metrics=None, classes=None):
    def make(rng):
        last = L.Dense(classes or 2, activation="softmax" if classes else None)
        model = stack(L.Input((4,)), L.Dense(5, activation="tanh"), last)
        model.compile(optimizer(), loss=loss() if callable(loss) else loss, metrics=metrics and metrics())
        y = np.eye(classes, dtype="float32")[rng.integers(0, classes, 6)] if classes else data(rng, 6, 2)
        return model, [data(rng, 6, 4)], [y]

    make.__name__ = name
    case(make)


O, M = keras.optimizers, keras.metrics
trained("adagrad", lambda: O.Adagrad(0.05, initial_accumulator_value=0.2), metrics=lambda: [M.R2Score()])
trained("adadelta", lambda: O.Adadelta(0.5, rho=0.9, ema_momentum=0.9, use_ema=True))
trained("ftrl", lambda: O.Ftrl(0.05, l1_regularization_strength=0.01), loss=lambda: keras.losses.MeanAbsoluteError())
trained("lamb", lambda: O.Lamb(0.01), metrics=lambda: [M.RootMeanSquaredError()])
trained("adafactor", lambda: O.Adafactor(0.05))
trained("muon", lambda: O.Muon(0.02))
trained("accumulating", lambda: O.SGD(0.1, momentum=0.5, gradient_accumulation_steps=2, clipvalue=0.5))
trained("scaled_loss", lambda: O.LossScaleOptimizer(O.Adam(0.01), initial_scale=64.0, dynamic_growth_steps=4))
trained(
    "cosine",
    lambda: O.SGD(O.schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=5)),
    loss=lambda: keras.losses.CategoricalFocalCrossentropy(gamma=1.5),
    metrics=lambda: [M.F1Score(average="macro"), M.Precision(thresholds=0.4), "categorical_accuracy"],
    classes=3,
)
trained(
    "divergence",
    lambda: O.AdamW(O.schedules.PiecewiseConstantDecay([3, 5], [0.05, 0.02, 0.01])),
    loss="kl_divergence",
    metrics=lambda: [M.MeanIoU(num_classes=3, sparse_y_true=False, sparse_y_pred=False), M.CosineSimilarity()],
    classes=3,
)

STEPS = 5


def run(model, x, y):
    """What each of five steps on one batch says."""
    x = x if len(x) > 1 else x[0]
    y = y if len(y) > 1 else y[0]
    logs = [model.train_on_batch(x, y, return_dict=True) for _ in range(STEPS)]
    return [{k: float("%.9g" % float(np.mean(v))) for k, v in step.items()} for step in logs]


def prepared(make):
    """A model with random weights, its data, and what training has done to it."""
    keras.backend.clear_session()
    rng = np.random.default_rng(list(make.__name__.encode()))
    model, x, *y = make(rng)
    randomize(rng, model)
    if y:
        for _ in range(3):
            run(model, x, y[0])
    return model, x, y


def described(model, x, y):
    """What the model in a file does."""
    feed = x if len(x) > 1 else x[0]
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        feed = dict(zip(model._inputs_struct, x))
    out = model.predict(feed, verbose=0)
    outputs = list(out.values()) if isinstance(out, dict) else out if isinstance(out, (list, tuple)) else [out]
    made = {"inputs": [array(a) for a in x], "outputs": [array(np.asarray(a)) for a in outputs]}
    if y:
        made["targets"] = [array(a) for a in y[0]]
        made["curve"] = run(model, x, y[0])
    return made


def saved(make, folder):
    """The bytes of the file, and what the model in it does."""
    model, x, y = prepared(make)
    path = os.path.join(folder, "model.keras")
    model.save(path)
    with open(path, "rb") as f:
        content = f.read()
    return content, described(keras.saving.load_model(path), x, y)


def write(path, file, models):
    """An archive with a folder for each of `models`: name, content of the file, what it does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        out.comment = json.dumps(versions()).encode()
        for name, content, made in models:
            for member, text in [(file, content), ("case.json", json.dumps(made, separators=(",", ":")))]:
                out.writestr(zipfile.ZipInfo(f"{name}/{member}"), text, zipfile.ZIP_DEFLATED, 9)


def archive(folder):
    """Writes saved.zip and returns its path."""
    path = os.path.join(folder, "saved.zip")
    with tempfile.TemporaryDirectory() as scratch:
        write(path, "model.keras", ((name, *saved(make, scratch)) for name, make in CASES.items()))
    return path
