"""layers_attention.json: attention with several heads, over several inputs."""

import jax.numpy as jnp
from make_common import array, jax, keras, normal, np, plain, serialize_config


def case(rng, config, inputs, masks=(), causal=False):
    """MultiHeadAttention on query, value and key: output, scores, gradients of inputs and weights."""
    keras.backend.clear_session()
    layer = keras.layers.MultiHeadAttention(**config)
    query, value, key = (inputs[min(i, len(inputs) - 1)] for i in range(3))
    layer.build(query.shape, value.shape, key.shape)
    layer.set_weights([normal(rng, *w.shape, scale=0.5) for w in layer.weights])
    train = [jnp.asarray(w.value) for w in layer.trainable_variables]
    masks = {"value_mask": jnp.asarray(masks[1])} if masks else {}

    def run(train, xs):
        query, value, key = (xs[min(i, len(xs) - 1)] for i in range(3))
        return layer.stateless_call(
            train, [], query, value, key, use_causal_mask=causal, return_attention_scores=True,
            **masks)[0]  # fmt: skip

    xs = [jnp.asarray(x) for x in inputs]
    out, scores = run(train, xs)
    w = normal(rng, *out.shape)
    grad_w, grad_x = jax.grad(lambda t, x: jnp.sum(run(t, x)[0] * w), argnums=(0, 1))(train, xs)
    return {
        "config": plain(config),
        "get_config": serialize_config(layer.get_config()),
        "inputs": [array(x) for x in inputs],
        "value_mask": array(np.asarray(masks["value_mask"])) if masks else None,
        "causal": causal,
        "weights": [{"path": v.path, "value": array(v.numpy())} for v in layer.weights],
        "output": array(out),
        "scores": array(scores),
        "w": array(w),
        "grad_inputs": [array(g) for g in grad_x],
        "grad_weights": [array(g) for g in grad_w],
    }


def build():
    rng = np.random.default_rng(108)
    x, v, k = normal(rng, 2, 5, 6), normal(rng, 2, 4, 6), normal(rng, 2, 4, 3)
    one = {"num_heads": 2, "key_dim": 3}
    value = np.array([[True, True, False, True], [True, False, False, False]])
    return {
        "attention": [
            case(rng, one, [x]),
            case(rng, one, [x], causal=True),
            case(rng, {**one, "value_dim": 4, "use_bias": False}, [x, v]),
            case(rng, {**one, "output_shape": 7}, [x, v, k]),
            case(rng, {**one, "sliding_window": 2}, [x], causal=True),
            case(rng, one, [x, v], masks=(None, value)),
        ],
        "cases": [],
    }
