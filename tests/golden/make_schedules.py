"""schedules.json: the learning rate at steps 0 to 20 for every schedule."""

from make_common import array, keras, np, serialize_config

STEPS = 21

CASES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}),
    ("ExponentialDecay",
     {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [4, 9], "values": [0.1, 0.02, 0.003]}),
    ("PiecewiseConstantDecay", {"boundaries": [0, 15], "values": [1.0, 0.5, 0.25]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10}),
    ("PolynomialDecay",
     {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.01, "power": 0.5}),
    ("PolynomialDecay",
     {"initial_learning_rate": 0.1, "decay_steps": 6, "end_learning_rate": 0.02, "power": 2.0,
      "cycle": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}),
    ("InverseTimeDecay",
     {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5, "staircase": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "alpha": 0.1}),
    ("CosineDecay",
     {"initial_learning_rate": 0.01, "decay_steps": 12, "alpha": 0.1, "warmup_target": 0.2,
      "warmup_steps": 5}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "warmup_steps": 5}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 4}),
    ("CosineDecayRestarts",
     {"initial_learning_rate": 0.1, "first_decay_steps": 3, "t_mul": 1.5, "m_mul": 0.8,
      "alpha": 0.05}),
    ("CosineDecayRestarts",
     {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.9}),
]  # fmt: skip


def build():
    cases = []
    for cls, config in CASES:
        schedule = getattr(keras.optimizers.schedules, cls)(**config)
        rates = [np.asarray(schedule(keras.ops.convert_to_tensor(i))) for i in range(STEPS)]
        cases.append(
            {
                "class": cls,
                "config": config,
                "values": array(np.array(rates, np.float32)),
                "get_config": serialize_config(schedule.get_config()),
                "serialized": serialize_config(schedule),
            }
        )
    return {"cases": cases}
