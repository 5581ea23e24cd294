"""layers_recurrent.json: recurrent layers around others, with several inputs and outputs.

Each case is a layer called on a sequence and, if given, initial states; the sum of all its outputs,
weighted, is differentiated. (What `layers_rnn.json` has are layers of one output.)
"""

from make_common import array, jax, jnp, keras, normal, np, plain, serialize_config

L = keras.layers
MASK = np.array([[True] * 4, [True, False, True, False], [False, False, False, False]])


def case(rng, make, x, note="", states=(), training=False, mask=None):
    keras.backend.clear_session()
    layer = make()
    xs = [jnp.asarray(x), *(jnp.asarray(s) for s in states)]
    layer(xs[0], **({"initial_state": xs[1:]} if states else {}))
    if getattr(layer, "stateful", False):
        layer.reset_state()
    layer.set_weights([normal(rng, *w.shape, scale=0.5) for w in layer.weights])
    train = [jnp.asarray(w.value) for w in layer.trainable_variables]
    rest = [jnp.asarray(w.value) for w in layer.non_trainable_variables]

    def run(train, xs):
        kwargs = {"training": training} if layer._call_has_training_arg else {}
        if len(xs) > 1:
            kwargs["initial_state"] = xs[1:]
        if mask is not None:
            kwargs["mask"] = jnp.asarray(mask)
        out, moved = layer.stateless_call(train, rest, xs[0], **kwargs)
        return keras.tree.flatten(out), moved

    outputs, moved = run(train, xs)
    ws = [normal(rng, *out.shape) for out in outputs]
    floats = x.dtype == np.float32

    def loss(train, xs):
        return sum(jnp.sum(out * w) for out, w in zip(run(train, xs)[0], ws))

    grads = jax.grad(loss, argnums=(0, 1))(train, xs) if floats else ([], [])
    states_of = [v for v in layer.non_trainable_variables if "seed_gen" not in v.path]
    new = {id(v): m for v, m in zip(layer.non_trainable_variables, moved)}
    return {
        "class": type(layer).__name__,
        "note": note,
        "get_config": serialize_config(layer.get_config()),
        "inputs": [array(x) for x in [x, *states]],
        "mask": None if mask is None else array(mask),
        "training": training,
        "weights": [
            {"path": w.path, "trainable": w.trainable, "value": array(w.numpy())}
            for w in layer.weights
        ],
        "moved": [{"path": v.path, "value": array(new[id(v)])} for v in states_of],
        "count_params": layer.count_params(),
        "outputs": [array(out) for out in outputs],
        # What Keras computes beforehand is wrong where both directions differ.
        "output_shapes": plain([[None, *out.shape[1:]] for out in outputs]),
        "w": [array(w) for w in ws],
        "grad_inputs": [array(g) for g in grads[1]],
        "grad_weights": [array(g) for g in grads[0]],
    }


def built_in(rng):
    """States in and out of LSTM, GRU and SimpleRNN, masks with rows that are masked throughout."""
    x = normal(rng, 3, 4, 2)
    h, c = normal(rng, 3, 2), normal(rng, 3, 2)
    cases = []
    for cls, states in ((L.SimpleRNN, [h]), (L.LSTM, [h, c]), (L.GRU, [h])):
        for config in (
            {"return_state": True},
            {"return_state": True, "return_sequences": True, "go_backwards": True},
            {"return_state": True, "unroll": True, "return_sequences": True},
            {"return_state": True, "stateful": True},
        ):  # fmt: skip
            if "stateful" not in config:
                cases.append(case(rng, lambda: cls(2, **config), x, "states", states))
                cases.append(case(rng, lambda: cls(2, **config), x, "masked states", states, mask=MASK))
        both = {"return_state": True, "return_sequences": True}
        cases.append(case(rng, lambda: cls(2, **both), x, "masked rows", mask=MASK))
        zero = {**both, "zero_output_for_mask": True, "go_backwards": True}
        cases.append(case(rng, lambda: cls(2, **zero), x, "masked rows, zeros", mask=MASK))
        last = {"zero_output_for_mask": True}
        cases.append(case(rng, lambda: cls(2, **last), x, "last step masked, zeros", mask=MASK))
        cases.append(case(rng, lambda: cls(2, dropout=0.4, recurrent_dropout=0.3), x, "inference"))
    return cases


def bidirectional(rng):
    x = normal(rng, 3, 4, 2)
    cases = []
    for mode in ("concat", "sum", "mul", "ave", None):
        for sequences in (False, True):
            make = lambda: L.Bidirectional(L.LSTM(2, return_sequences=sequences), merge_mode=mode)
            cases.append(case(rng, make, x))
            cases.append(case(rng, make, x, "mask", mask=MASK))
    states = [normal(rng, 3, 2) for _ in range(4)]
    for mode in ("concat", None):
        make = lambda: L.Bidirectional(
            L.LSTM(2, return_sequences=True, return_state=True), merge_mode=mode, name="both")
        cases.append(case(rng, make, x, "states", states))
        cases.append(case(rng, make, x, "masked states", states, mask=MASK))
    for make in (
        lambda: L.Bidirectional(L.GRU(3, reset_after=False, return_state=True)),
        lambda: L.Bidirectional(L.GRU(3, kernel_regularizer="l2", name="forward_walk")),
        lambda: L.Bidirectional(L.SimpleRNN(2, go_backwards=False), merge_mode="sum"),
        lambda: L.Bidirectional(
            L.LSTM(2), backward_layer=L.GRU(2, go_backwards=True, name="back"), merge_mode="ave"),
        lambda: L.Bidirectional(
            L.LSTM(2, return_sequences=True, name="ahead"),
            backward_layer=L.LSTM(3, return_sequences=True, go_backwards=True, name="back")),
        lambda: L.Bidirectional(L.RNN(L.LSTMCell(2), return_sequences=True)),
        lambda: L.Bidirectional(L.RNN([L.LSTMCell(2), L.GRUCell(3)])),
    ):  # fmt: skip
        cases.append(case(rng, make, x))
    return cases


def time_distributed(rng):
    x = normal(rng, 3, 4, 2)
    images = normal(rng, 2, 3, 5, 4, 2)
    words = rng.integers(0, 5, (2, 3, 4)).astype("int32")
    cases = [
        case(rng, lambda: L.TimeDistributed(L.Dense(3, activation="tanh")), x),
        case(rng, lambda: L.TimeDistributed(L.Dense(3)), x, "mask", mask=MASK),
        case(rng, lambda: L.TimeDistributed(L.Conv2D(2, 3, name="look")), images),
        case(rng, lambda: L.TimeDistributed(L.MaxPooling2D()), images),
        case(rng, lambda: L.TimeDistributed(L.Flatten()), images),
        case(rng, lambda: L.TimeDistributed(L.LSTM(2, return_sequences=True)), normal(rng, 2, 3, 4, 2)),
        case(rng, lambda: L.TimeDistributed(L.TimeDistributed(L.Dense(2))), normal(rng, 2, 3, 4, 2)),
        case(rng, lambda: L.TimeDistributed(L.Bidirectional(L.GRU(2))), normal(rng, 2, 3, 4, 2)),
        case(rng, lambda: L.TimeDistributed(L.Embedding(5, 2)), words),
    ]  # fmt: skip
    inner = np.array([[[True, True, False, False], [False] * 4, [True] * 4]] * 2)
    make = lambda: L.TimeDistributed(L.LSTM(2))
    cases.append(case(rng, make, normal(rng, 2, 3, 4, 2), "mask inside", mask=inner))
    for training in (False, True):
        make = lambda: L.TimeDistributed(L.BatchNormalization(momentum=0.7))
        cases.append(case(rng, make, x, training=training))
        cases.append(case(rng, make, x, "mask", training=training, mask=MASK))
        cases.append(case(rng, make, normal(rng, 2, 3, 3, 2), training=training))
    return cases


def cells(rng):
    x = normal(rng, 3, 4, 2)
    h, c, more = normal(rng, 3, 2), normal(rng, 3, 2), normal(rng, 3, 3)
    cases = []
    for make in (L.SimpleRNNCell, L.LSTMCell, L.GRUCell):
        for config in (
            {}, {"return_sequences": True, "go_backwards": True}, {"unroll": True},
        ):  # fmt: skip
            cases.append(case(rng, lambda: L.RNN(make(2), **config), x))
            cases.append(case(rng, lambda: L.RNN(make(2, activation="elu"), **config), x, "mask", mask=MASK))
    both = {"return_sequences": True, "return_state": True}
    two = lambda: [L.LSTMCell(2, recurrent_activation="hard_sigmoid"), L.GRUCell(3, reset_after=False)]
    for config in ({}, both, {**both, "go_backwards": True}, {**both, "zero_output_for_mask": True}):
        cases.append(case(rng, lambda: L.RNN(two(), **config), x))
        cases.append(case(rng, lambda: L.RNN(two(), **config), x, "mask", mask=MASK))
    cases.append(case(rng, lambda: L.RNN(L.StackedRNNCells(two(), name="tower"), unroll=True), x))
    cases.append(case(rng, lambda: L.RNN(L.LSTMCell(2), **both), x, "states", [h, c]))
    cases.append(case(rng, lambda: L.RNN([L.GRUCell(2), L.GRUCell(2, name="upper")]), x))
    return cases


def kept(rng, make, batches, mask=None):
    """A stateful layer on one batch after the other, and on the first again once its states are reset."""
    keras.backend.clear_session()
    layer = make()
    layer(batches[0])
    layer.set_weights([normal(rng, *w.shape, scale=0.5) for w in layer.weights])
    call = lambda x: [array(y) for y in keras.tree.flatten(layer(x, mask=mask))]
    layer.reset_state()
    outputs = [call(x) for x in batches]
    layer.reset_state()
    return {
        "class": type(layer).__name__,
        "get_config": serialize_config(layer.get_config()),
        "batches": [array(x) for x in batches],
        "mask": None if mask is None else array(mask),
        "weights": [array(w.numpy()) for w in layer.weights],
        "outputs": outputs,
        "reset": call(batches[0]),
    }


def stateful(rng):
    batches = [normal(rng, 3, 4, 2) for _ in range(3)]
    cases = []
    for cls in (L.SimpleRNN, L.LSTM, L.GRU):
        for config in ({}, {"return_sequences": True, "return_state": True}, {"go_backwards": True},
                       {"unroll": True}):  # fmt: skip
            cases.append(kept(rng, lambda: cls(2, stateful=True, **config), batches))
        cases.append(kept(rng, lambda: cls(2, stateful=True, return_sequences=True), batches, MASK))
    both = {"stateful": True, "return_sequences": True}
    cases += [
        kept(rng, lambda: L.GRU(2, reset_after=False, stateful=True), batches),
        kept(rng, lambda: L.RNN(L.GRUCell(3), **both), batches),
        kept(rng, lambda: L.Bidirectional(L.LSTM(2, **both)), batches),
        kept(rng, lambda: L.Bidirectional(L.GRU(2, stateful=True), merge_mode="sum"), batches),
    ]
    return cases


def build():
    rng = np.random.default_rng(211)
    return {"stateful": stateful(np.random.default_rng(212)), "recurrent": built_in(rng) + bidirectional(rng) + time_distributed(rng) + cells(rng)}
