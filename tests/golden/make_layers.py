"""layers.json: layers of stacks and tables, their outputs, gradients, shapes, weights and losses."""

from make_common import array, jax, jnp, keras, normal, np, plain, serialize_config, uniform


def is_object(value):
    return isinstance(value, dict) and "class_name" in value


def case(rng, cls, config, x, note="", training=False, call_args=None, weights=None):
    """Builds the layer, replaces its weights by random ones, runs it and differentiates."""
    keras.backend.clear_session()
    arguments = {
        k: keras.saving.deserialize_keras_object(v) if is_object(v) else v
        for k, v in config.items()
    }
    layer = getattr(keras.layers, cls)(**arguments)
    call_args = {k: jnp.asarray(v) for k, v in (call_args or {}).items()}
    layer.build(x.shape)
    if weights is None:
        weights = [normal(rng, *w.shape, scale=0.5) for w in layer.weights]
    layer.set_weights(weights)
    kwargs = dict(call_args)
    if layer._call_has_training_arg:
        kwargs["training"] = training
    train = [jnp.asarray(w.value) for w in layer.trainable_variables]
    non_train = [jnp.asarray(w.value) for w in layer.non_trainable_variables]

    def run(train, x):
        out, _, losses = layer.stateless_call(train, non_train, x, return_losses=True, **kwargs)
        return out, losses

    xj = jnp.asarray(x)
    out, losses = run(train, xj)
    w = normal(rng, *out.shape)

    def scalar(train, x):
        out, _ = run(train, x)
        return jnp.sum(out * w)

    result = {
        "class": cls,
        "config": plain(config),
        "note": note,
        "get_config": serialize_config(layer.get_config()),
        "input": array(x),
        "call_args": {k: array(np.asarray(v)) for k, v in call_args.items()},
        "training": training,
        "weights": [
            {"name": v.name, "path": v.path, "trainable": v.trainable, "value": array(v.numpy())}
            for v in layer.weights
        ],
        "output": array(out),
        "output_shape": plain(layer.compute_output_shape(x.shape)),
        "batch_output_shape": plain(layer.compute_output_shape((None, *x.shape[1:]))),
        "count_params": layer.count_params(),
        "losses": [array(v)["data"][0] for v in losses],
    }
    if x.dtype == np.float32:
        grad_w, grad_x = jax.grad(scalar, argnums=(0, 1))(train, xj)
        result["w"] = array(w)
        result["grad_input"] = array(grad_x)
        result["grad_weights"] = [array(g) for g in grad_w]
        if losses:
            gl_w, gl_x = jax.grad(lambda t, x: sum(run(t, x)[1]), argnums=(0, 1))(train, xj)
            result["losses_grad_input"] = array(gl_x)
            result["losses_grad_weights"] = [array(g) for g in gl_w]
    return result


def reg(cls, **config):
    return {
        "module": "keras.regularizers",
        "class_name": cls,
        "config": config,
        "registered_name": None,
    }


def con(cls, **config):
    return dict(reg(cls, **config), module="keras.constraints")


def ini(cls, **config):
    return dict(reg(cls, **config), module="keras.initializers")


def dense(rng):
    cases = []
    x = normal(rng, 4, 3)
    for config in [
        {"units": 5},
        {"units": 5, "use_bias": False},
        {"units": 1},
        {"units": 5, "activation": "relu"},
        {"units": 5, "activation": "softmax"},
        {"units": 5, "activation": "sigmoid", "name": "gate"},
        {"units": 4, "activation": "tanh", "use_bias": False},
        {"units": 2, "kernel_regularizer": reg("L2", l2=0.05)},
        {"units": 2, "kernel_regularizer": reg("L1", l1=0.02),
         "bias_regularizer": reg("L2", l2=0.1)},
        {"units": 2, "activation": "relu", "kernel_regularizer": reg("L1L2", l1=0.02, l2=0.03),
         "activity_regularizer": reg("L2", l2=0.04)},
        {"units": 2, "activity_regularizer": reg("L1", l1=0.04)},
        {"units": 3, "kernel_regularizer": reg("OrthogonalRegularizer", factor=0.1, mode="rows")},
        {"units": 2, "kernel_regularizer": "l2", "activity_regularizer": "l1"},
        {"units": 2, "kernel_initializer": ini("HeNormal", seed=7), "bias_initializer": "ones",
         "kernel_constraint": con("MaxNorm", max_value=2, axis=0),
         "bias_constraint": con("NonNeg"), "trainable": False, "dtype": "float32"},
    ]:  # fmt: skip
        cases.append(case(rng, "Dense", config, x))
    cases.append(case(rng, "Dense", {"units": 4, "activation": "relu"}, normal(rng, 2, 3, 5)))
    cases.append(case(rng, "Dense", {"units": 3, "activation": "gelu"}, normal(rng, 2, 2, 2, 3)))
    cases.append(case(rng, "Dense", {"units": 7}, normal(rng, 1, 17), note="one row"))
    big = {"units": 33, "activation": "relu"}
    cases.append(case(rng, "Dense", big, normal(rng, 9, 19), note="odd sizes"))
    return cases


def shapes(rng):
    cases = []
    x3 = normal(rng, 2, 3, 4)
    for x in (normal(rng, 3, 4), x3, normal(rng, 2, 2, 3, 2), normal(rng, 4)):
        cases.append(case(rng, "Flatten", {}, x))
    cases.append(case(rng, "Flatten", {"data_format": "channels_first"}, x3))
    cases.append(case(rng, "Flatten", {"data_format": "channels_first"}, normal(rng, 2, 2, 3, 2)))
    for target in ([12], [2, 6], [-1], [-1, 2], [4, 3], [2, -1, 3], [1, 12, 1]):
        cases.append(case(rng, "Reshape", {"target_shape": target}, x3))
    for dims in ([2, 1], [1, 2]):
        cases.append(case(rng, "Permute", {"dims": dims}, x3))
    cases.append(case(rng, "Permute", {"dims": [3, 1, 2]}, normal(rng, 2, 2, 3, 4)))
    for n in (1, 3):
        cases.append(case(rng, "RepeatVector", {"n": n}, normal(rng, 2, 4)))
    cases.append(case(rng, "Identity", {}, x3))
    cases.append(case(rng, "Rescaling", {"scale": 1 / 255}, uniform(rng, 2, 3, high=255)))
    cases.append(case(rng, "Rescaling", {"scale": 1 / 127.5, "offset": -1}, uniform(rng, 2, 3)))
    cases.append(
        case(rng, "Rescaling", {"scale": 1 / 255},
             rng.integers(0, 256, (2, 3)).astype("uint8"), note="uint8 input")
    )  # fmt: skip
    cases.append(
        case(rng, "Rescaling", {"scale": [0.5, 2.0, 3.0], "offset": [1.0, 0.0, -1.0]},
             uniform(rng, 2, 3))
    )  # fmt: skip
    return cases


def activations(rng):
    cases = []
    x = normal(rng, 3, 5, scale=3)
    for name in ("relu", "softmax", "tanh", "gelu", "linear", "log_softmax", "swish"):
        cases.append(case(rng, "Activation", {"activation": name}, x))
    for config in [
        {}, {"max_value": 2.0}, {"negative_slope": 0.2}, {"threshold": 0.7},
        {"max_value": 2.0, "negative_slope": 0.2, "threshold": 0.7}, {"max_value": 6},
    ]:  # fmt: skip
        cases.append(case(rng, "ReLU", config, x))
    cases += [case(rng, "LeakyReLU", c, x) for c in ({}, {"negative_slope": 0.05})]
    cases += [case(rng, "ELU", c, x) for c in ({}, {"alpha": 0.4})]
    x3 = normal(rng, 2, 3, 4)
    cases.append(case(rng, "PReLU", {}, x))
    cases.append(case(rng, "PReLU", {}, x3))
    cases.append(case(rng, "PReLU", {"shared_axes": [1]}, x3))
    cases.append(case(rng, "PReLU", {"shared_axes": [1, 2]}, normal(rng, 2, 3, 2, 4)))
    cases.append(
        case(rng, "PReLU", {"alpha_initializer": ini("Constant", value=0.25),
                            "alpha_regularizer": reg("L2", l2=0.1)}, x)
    )  # fmt: skip
    for config in ({}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [-1]}):
        cases.append(case(rng, "Softmax", config, x3))
    mask = rng.uniform(size=x3.shape) < 0.6
    mask[0, 0] = False
    cases.append(case(rng, "Softmax", {}, x3, note="mask", call_args={"mask": mask}))
    row = np.array([[True, True, False, True]])[:, None]
    cases.append(case(rng, "Softmax", {}, x3, note="broadcast mask", call_args={"mask": row}))
    cases.append(
        case(rng, "ActivityRegularization", {"l1": 0.1, "l2": 0.2}, normal(rng, 3, 4))
    )
    return cases


def dropout(rng):
    """Outside training Dropout copies; inside, its numbers are random and only counted here."""
    cases, statistics = [], []
    for rate in (0.0, 0.5, 1.0):
        cases.append(case(rng, "Dropout", {"rate": rate}, normal(rng, 3, 4), note="inference"))
    cases.append(case(rng, "Dropout", {"rate": 0.0}, normal(rng, 3, 4), training=True))
    cases.append(case(rng, "Dropout", {"rate": 1.0}, normal(rng, 3, 4), training=True))
    shape = (400, 500)
    for config in [
        {"rate": 0.1}, {"rate": 0.2}, {"rate": 0.5}, {"rate": 0.9}, {"rate": 0.5, "seed": 3},
        {"rate": 0.3, "noise_shape": [400, 1]}, {"rate": 0.3, "noise_shape": [None, 1]},
    ]:  # fmt: skip
        keras.backend.clear_session()
        layer = keras.layers.Dropout(**{"seed": 11, **config})
        out = np.asarray(layer(np.ones(shape, np.float32), training=True))
        again = np.asarray(layer(np.ones(shape, np.float32), training=True))
        kept = out[out != 0]
        statistics.append({
            "class": "Dropout",
            "config": config,
            "get_config": serialize_config(layer.get_config()),
            "input": "ones",
            "shape": list(shape),
            "fraction_zero": float((out == 0).mean()),
            "kept_min": array(kept.min())["data"][0],
            "kept_max": array(kept.max())["data"][0],
            "rows_constant": bool((out == out[:, :1]).all()),
            "second_call_differs": bool((out != again).any()),
            "seed_generator_state": [
                {"path": v.path, "trainable": v.trainable, "dtype": str(v.dtype),
                 "shape": list(v.shape)}
                for v in layer.variables
            ],
            "weights": len(layer.weights),
            "count_params": layer.count_params(),
        })  # fmt: skip
    return cases, statistics


def stacks():
    """What a Sequential says about itself before and after it is built."""
    cases = []
    L = keras.layers
    for make in (
        lambda: [keras.Input((8,)), L.Dense(4, "relu"), L.Dense(3, "softmax")],
        lambda: [L.Dense(4), L.Dense(3)],
        lambda: [keras.Input((4, 4, 1), name="image"), L.Rescaling(1 / 255), L.Flatten(),
                 L.Dense(8, name="hidden"), L.ReLU(), L.Dropout(0.5), L.Dense(2, use_bias=False)],
        lambda: [keras.Input((6,), batch_size=5), L.Reshape((2, 3)), L.Permute((2, 1)),
                 L.PReLU(), L.Flatten(), L.LeakyReLU(), L.Activation("tanh")],
    ):  # fmt: skip
        keras.backend.clear_session()
        model = keras.Sequential(make())
        entry = {
            "get_config": serialize_config(model.get_config()),
            "name": model.name,
            "built_at_once": model.built,
        }
        if not model.built:
            model.build((None, 5))
            entry["built_with"] = [None, 5]
        entry["get_config_built"] = serialize_config(model.get_config())
        entry["input_shape"] = plain(model.input_shape)
        entry["output_shape"] = plain(model.output_shape)
        entry["count_params"] = model.count_params()
        entry["layers"] = [{"name": v.name, "class": type(v).__name__} for v in model.layers]
        entry["weights"] = [{"path": v.path, "shape": list(v.shape)} for v in model.weights]
        entry["variables"] = [{"path": v.path, "shape": list(v.shape)} for v in model.variables]
        cases.append(entry)
    return cases


def build():
    rng = np.random.default_rng(104)
    dropped, statistics = dropout(rng)
    return {
        "cases": dense(rng) + shapes(rng) + activations(rng) + dropped,
        "dropout_statistics": statistics,
        "sequential": stacks(),
    }
