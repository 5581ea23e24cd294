"""optimizers.json: five updates of a matrix and a vector by every optimizer, with its slots."""

from make_common import array, f32, keras, normal, np, plain, serialize_config

STEPS = 5

SHARED = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.25},
    {"global_clipnorm": 0.75},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 4.0},
]

DECAY = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
    "registered_name": None,
}

OWN = {
    "SGD": [
        {},
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "momentum": 0.9},
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        {"learning_rate": DECAY, "momentum": 0.5},
        {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {
            "learning_rate": 0.1,
            "gradient_accumulation_steps": 2,
            "clipnorm": 0.5,
            "weight_decay": 0.1,
        },
        {
            "learning_rate": 0.1,
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_momentum": 0.9,
            "ema_overwrite_frequency": 2,
        },
    ],
    "RMSprop": [
        {},
        {"learning_rate": 0.05, "rho": 0.8},
        {"learning_rate": 0.05, "momentum": 0.9},
        {"learning_rate": 0.05, "centered": True},
        {"learning_rate": 0.05, "centered": True, "momentum": 0.9, "epsilon": 0.01},
        {"learning_rate": DECAY},
    ],
    "Adam": [
        {},
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "amsgrad": True},
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001},
        {"learning_rate": DECAY, "amsgrad": True},
        {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "amsgrad": True},
    ],
    "AdamW": [
        {},
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "weight_decay": 0.2, "amsgrad": True},
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001},
        {"learning_rate": DECAY},
    ],
    "Adamax": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001}],
    "Nadam": [
        {},
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001},
        {"learning_rate": 0.05, "gradient_accumulation_steps": 2},
    ],
    "Adagrad": [
        {},
        {"learning_rate": 0.05, "initial_accumulator_value": 0.5, "epsilon": 0.001},
    ],
    "Adadelta": [{}, {"learning_rate": 1.0, "rho": 0.8, "epsilon": 0.001}],
    "Adafactor": [
        {},
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "relative_step": False},
        {
            "learning_rate": 0.05,
            "beta_2_decay": -0.5,
            "epsilon_1": 1e-8,
            "epsilon_2": 0.01,
            "clip_threshold": 0.5,
        },
    ],
    "Ftrl": [
        {},
        {"learning_rate": 0.05, "learning_rate_power": -0.3, "initial_accumulator_value": 0.5},
        {
            "learning_rate": 0.05,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
        },
    ],
    "Lion": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9}],
    "Lamb": [{}, {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001}],
    "Muon": [
        {},
        {"learning_rate": 0.05, "nesterov": False, "ns_steps": 3},
        {"learning_rate": 0.05, "momentum": 0.8, "rms_rate": 0.5, "adam_lr_ratio": 0.5},
        {"learning_rate": 0.05, "exclude_layers": ["dense"], "adam_weight_decay": 0.1},
        {"learning_rate": 0.05, "weight_decay": None},
        {"learning_rate": 0.05, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.5},
        {
            "learning_rate": 0.05,
            "exclude_embeddings": False,
            "adam_beta_1": 0.8,
            "adam_beta_2": 0.9,
            "epsilon": 0.001,
        },
    ],
    "ScheduleFreeAdamW": [
        {},
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.001},
        {"learning_rate": 0.05, "warmup_steps": 3},
    ],
}


def run(cls, config, initial, gradients, constraint=None, exclude=None):
    keras.backend.clear_session()
    layer = keras.layers.Dense(
        4, name="dense", kernel_constraint=constraint and keras.constraints.MaxNorm(**constraint)
    )
    layer.build((None, 3))
    layer.set_weights(initial)
    kwargs = dict(config)
    if isinstance(kwargs.get("learning_rate"), dict):
        kwargs["learning_rate"] = keras.optimizers.schedules.deserialize(kwargs["learning_rate"])
    optimizer = getattr(keras.optimizers, cls)(**kwargs)
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    optimizer.build(layer.trainable_variables)
    variables, rates = [], []
    for grads in gradients:
        rates.append(array(np.asarray(optimizer.learning_rate, np.float32))["data"][0])
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in grads])
        variables.append([array(v.numpy()) for v in layer.trainable_variables])
    slots = [
        {"path": v.path, "name": v.name, "value": array(v.numpy())} for v in optimizer.variables
    ]
    out = {
        "class": cls,
        "config": config,
        "kernel_max_norm": constraint,
        "exclude_from_weight_decay": exclude,
        "learning_rate": rates,
        "variables": variables,
        "slots": slots,
    }
    optimizer.finalize_variable_values(layer.trainable_variables)
    out["finalized"] = [array(v.numpy()) for v in layer.trainable_variables]
    if out["finalized"] == variables[-1]:
        out["finalized"] = None
    out["get_config"] = serialize_config(optimizer.get_config())
    return out


def build():
    rng = np.random.default_rng(103)
    initial = [normal(rng, 3, 4), normal(rng, 4, scale=0.5)]
    gradients = [[normal(rng, 3, 4, scale=0.6), normal(rng, 4, scale=0.6)] for _ in range(STEPS)]
    # A few zeros and tiny values, where an epsilon decides.
    gradients[0][0][0, 0] = 0.0
    gradients[1][0][0, 0] = 0.0
    gradients[0][0][1, 1] = 1e-6
    gradients[2][1][3] = 0.0
    cases = []
    for cls, own in OWN.items():
        for config in own:
            cases.append(run(cls, config, initial, gradients))
        for shared in SHARED:
            cases.append(run(cls, {"learning_rate": 0.05, **shared}, initial, gradients))
    ema = {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.5}
    for config in (
        {"learning_rate": 0.05},
        ema,
        {**ema, "ema_overwrite_frequency": 2},
    ):
        cases.append(
            run("SGD", config, initial, gradients, constraint={"max_value": 1.0, "axis": 0})
        )
    cases.append(
        run("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2}, initial, gradients,
            exclude=["bias"])
    )  # fmt: skip
    resolved, refused = {}, []
    names = list(OWN) + [n.lower() for n in OWN] + [n.upper() for n in OWN]
    for name in sorted(set(names + ["rms_prop", "adam_w", "momentum", ""])):
        try:
            resolved[name] = type(keras.optimizers.get(name)).__name__
        except (ValueError, TypeError, KeyError):
            refused.append(name)
    return {
        "initial": {"kernel": array(initial[0]), "bias": array(initial[1])},
        "gradients": plain([[array(f32(g)) for g in step] for step in gradients]),
        "cases": cases,
        "optimizer_strings": resolved,
        "refused_strings": refused,
    }
