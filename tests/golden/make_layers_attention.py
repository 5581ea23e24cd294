"""layers_attention.json: layers over several tensors: attention of all kinds, and products."""

import jax.numpy as jnp
from make_common import array, jax, keras, normal, np, number, plain, serialize_config
from make_layers import con, ini, reg


def case(rng, cls, config, inputs, masks=None, attention_mask=None, causal=None, scores=None):
    """A layer on its inputs: outputs, and the gradients of inputs and weights by the first one.

    `masks` has one mask of steps (or None) for each input; `causal` and `scores` are the arguments
    `use_causal_mask` and `return_attention_scores` of the call, where there are such.
    """
    keras.backend.clear_session()
    arguments = {
        k: keras.saving.deserialize_keras_object(v) if isinstance(v, dict) else v
        for k, v in config.items()
    }
    layer = getattr(keras.layers, cls)(**arguments)
    named = cls in ("MultiHeadAttention", "GroupQueryAttention")
    shapes = [x.shape for x in inputs]
    if named:
        layer.build(*[shapes[min(i, len(shapes) - 1)] for i in range(3)])
    else:
        layer.build(shapes)
    layer.set_weights([normal(rng, *w.shape, scale=0.5) for w in layer.weights])
    train = [jnp.asarray(w.value) for w in layer.trainable_variables]
    rest = [jnp.asarray(v.value) for v in layer.non_trainable_variables]
    kwargs = {}
    if causal is not None:
        kwargs = {"use_causal_mask": causal, "return_attention_scores": scores}
    given = [None if m is None else jnp.asarray(m) for m in masks or []]
    if named:
        names = ("query_mask", "value_mask", "key_mask")
        kwargs.update({n: m for n, m in zip(names, given) if m is not None})
        if attention_mask is not None:
            kwargs["attention_mask"] = jnp.asarray(attention_mask)
    elif masks:
        kwargs["mask"] = given

    def run(train, xs):
        args = [xs[min(i, len(xs) - 1)] for i in range(3)] if named else [list(xs)]
        out = layer.stateless_call(train, rest, *args, **kwargs)[0]
        return out if isinstance(out, tuple) else (out,)

    xs = [jnp.asarray(x) for x in inputs]
    outputs = run(train, xs)
    w = normal(rng, *outputs[0].shape)
    grad_w, grad_x = jax.grad(lambda t, x: jnp.sum(run(t, x)[0] * w), argnums=(0, 1))(train, xs)
    penalties = {"losses": [number(v) for v in layer.losses]} if layer.losses else {}
    return penalties | {
        "class": type(layer).__name__,
        "config": plain(config),
        "get_config": serialize_config(layer.get_config()),
        "inputs": [array(x) for x in inputs],
        "masks": [None if m is None else array(m) for m in masks or []],
        "attention_mask": None if attention_mask is None else array(attention_mask),
        "causal": causal,
        "scores": scores,
        "weights": [{"path": v.path, "value": array(v.numpy())} for v in layer.weights],
        "outputs": [array(y) for y in outputs],
        "w": array(w),
        "grad_inputs": [array(g) for g in grad_x],
        "grad_weights": [array(g) for g in grad_w],
    }


def heads(rng):
    x, v, k = normal(rng, 2, 5, 6), normal(rng, 2, 4, 6), normal(rng, 2, 4, 3)
    one = {"num_heads": 2, "key_dim": 3}
    value = np.array([[True, True, False, True], [True, False, False, False]])
    nothing = np.array([[True, True, False, True], [False] * 4])
    where = rng.uniform(size=(2, 5, 4)) < 0.7
    where[1, 2] = False

    def mha(config, inputs, causal=False, scores=True, **more):
        return case(rng, "MultiHeadAttention", config, inputs, causal=causal, scores=scores, **more)

    field, other = normal(rng, 2, 3, 4, 5), normal(rng, 2, 3, 2, 5)
    return [
        mha(one, [x]),
        mha(one, [x], causal=True),
        mha({**one, "value_dim": 4, "use_bias": False}, [x, v]),
        mha({**one, "output_shape": 7}, [x, v, k]),
        mha({**one, "output_shape": (2, 3)}, [x, v], scores=False),
        mha({**one, "sliding_window": 2}, [x], causal=True),
        mha(one, [x, v], masks=(None, value)),
        mha(one, [x, v, k], masks=(None, None, value)),
        # A row that may look nowhere: twice, for Keras takes another way if it returns scores.
        mha(one, [x, v], masks=(None, nothing)),
        mha(one, [x, v], masks=(None, nothing), scores=False),
        mha(one, [x, v], attention_mask=where),
        mha(one, [x, v], attention_mask=where, causal=True, scores=False),
        mha({**one, "use_gate": True, "value_dim": 2}, [x, v]),
        mha(one, [field]),
        mha({**one, "attention_axes": 2}, [field, other]),
        mha({**one, "attention_axes": (1, 2)}, [field], scores=False),
    ]


def groups(rng):
    x, v, k = normal(rng, 2, 5, 6), normal(rng, 2, 4, 6), normal(rng, 2, 4, 3)
    one = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    query = np.array([[True] * 5, [True, False, True, False, False]])
    value = np.array([[True, True, False, True], [True, False, False, False]])
    where = rng.uniform(size=(2, 5, 4)) < 0.7

    def gqa(config, inputs, causal=False, scores=True, **more):
        return case(
            rng, "GroupQueryAttention", config, inputs, causal=causal, scores=scores, **more)  # fmt: skip

    return [
        gqa(one, [x]),
        gqa(one, [x], causal=True, scores=False),
        gqa({**one, "num_key_value_heads": 1, "use_bias": False}, [x, v, k]),
        gqa({**one, "sliding_window": 2}, [x]),
        gqa({**one, "use_gate": True}, [x, v], masks=(None, value)),
        gqa(one, [x, v], masks=(query, value)),
        gqa(one, [x, v], masks=(query, value), scores=False),
        gqa(one, [x, v], attention_mask=where),
    ]


def plain_attention(rng):
    q, v, k = normal(rng, 2, 5, 3), normal(rng, 2, 4, 3), normal(rng, 2, 4, 3)
    query = np.array([[True] * 5, [True, False, True, False, False]])
    value = np.array([[True, True, False, True], [False] * 4])

    def attend(cls, config, inputs, causal=False, scores=True, **more):
        return case(rng, cls, config, inputs, causal=causal, scores=scores, **more)

    cases = []
    for cls, configs in (
        ("Attention", [{}, {"use_scale": True}, {"score_mode": "concat"},
                       {"score_mode": "concat", "use_scale": True}]),
        ("AdditiveAttention", [{}, {"use_scale": False}]),
    ):  # fmt: skip
        cases += [attend(cls, config, [q, v, k]) for config in configs]
        cases += [
            attend(cls, {}, [q, v], scores=False),
            attend(cls, {}, [q, v], causal=True),
            attend(cls, {}, [q, v, k], masks=(query, value)),
            attend(cls, {}, [q, v], masks=(None, value), causal=True),
        ]
    cases.append(attend("Attention", {}, [q, normal(rng, 2, 4, 2), k]))
    return cases


def dots(rng):
    a, b = normal(rng, 2, 3), normal(rng, 2, 3)
    x, y = normal(rng, 2, 3, 4), normal(rng, 2, 4, 5)
    z = normal(rng, 2, 2, 3, 4)
    return [
        case(rng, "Dot", {"axes": 1}, [a, b]),
        case(rng, "Dot", {"axes": -1, "normalize": True}, [a, b]),
        case(rng, "Dot", {"axes": (2, 1)}, [x, y]),
        case(rng, "Dot", {"axes": (2, 1), "normalize": True}, [x, y]),
        case(rng, "Dot", {"axes": (1, 1)}, [a, x]),
        case(rng, "Dot", {"axes": (1, 1)}, [x, a]),
        case(rng, "Dot", {"axes": 2}, [x, normal(rng, 2, 6, 4)]),
        case(rng, "Dot", {"axes": (3, 2)}, [z, x]),
        case(rng, "Dot", {"axes": (1, 3)}, [y, z]),
        case(rng, "Dot", {"axes": (-2, 1)}, [z, a]),
    ]


def penalties(rng):
    """Every option of kernels and biases, which each of the projections inside takes."""
    x, v = normal(rng, 2, 5, 6), normal(rng, 2, 4, 6)
    options = {
        "kernel_initializer": ini("HeNormal", seed=7), "bias_initializer": "ones",
        "kernel_regularizer": reg("L2", l2=0.1), "bias_regularizer": reg("L1", l1=0.05),
        "kernel_constraint": con("MaxNorm", max_value=2, axis=0), "bias_constraint": con("NonNeg"),
        "dropout": 0.3, "seed": 3,
    }  # fmt: skip
    mha = {"num_heads": 2, "key_dim": 3, **options}
    gqa = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **options}
    return [
        case(rng, cls, {**config, **more}, [x, v], causal=False, scores=scores)
        for cls, config in (("MultiHeadAttention", mha), ("GroupQueryAttention", gqa))
        for more, scores in (({}, True), ({"use_gate": True}, False), ({"use_bias": False}, False))
    ]


def build():
    rng = np.random.default_rng(108)
    several = heads(rng) + groups(rng) + plain_attention(rng) + dots(rng)
    several += penalties(np.random.default_rng(109))
    return {"several": several, "cases": []}
