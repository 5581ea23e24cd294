"""layers_rnn.json: recurrent layers."""

from make_common import normal, np
from make_layers import case


def recurrent(rng):
    cases = []
    x = normal(rng, 3, 5, 4)
    mask = np.array([[True] * 5, [True, True, False, True, False], [False, False, True, False, False]])
    common = [
        {}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True},
        {"unroll": True}, {"use_bias": False}, {"activation": "relu"}, {"activation": "elu"},
        {"kernel_initializer": "he_normal", "recurrent_initializer": "glorot_uniform",
         "bias_initializer": "ones", "kernel_regularizer": "l2", "recurrent_regularizer": "l1",
         "bias_regularizer": "l2"},
        {"kernel_constraint": "max_norm", "recurrent_constraint": "unit_norm",
         "bias_constraint": "non_neg", "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 7},
    ]  # fmt: skip
    gated = [
        {"recurrent_activation": "hard_sigmoid"},
        {"activation": None, "recurrent_activation": "softsign"},
    ]
    own = {
        "SimpleRNN": [],
        "LSTM": [*gated, {"unit_forget_bias": False}],
        "GRU": [*gated, {"reset_after": False}, {"reset_after": False, "unroll": True},
                {"reset_after": False, "go_backwards": True, "return_sequences": True}],
    }  # fmt: skip
    for cls, more in own.items():
        for config in common + more:
            cases.append(case(rng, cls, {"units": 3, **config}, x))
        for config in [
            {}, {"return_sequences": True}, {"return_sequences": True, "zero_output_for_mask": True},
            {"go_backwards": True, "return_sequences": True},
        ]:  # fmt: skip
            cases.append(
                case(rng, cls, {"units": 3, **config}, x, note="mask", call_args={"mask": mask})
            )
    return cases


def embedding(rng):
    x = np.array([[0, 3, 1], [6, 3, 0]], dtype=np.int32)
    return [
        case(rng, "Embedding", config, x)
        for config in [
            {"input_dim": 7, "output_dim": 2},
            {"input_dim": 7, "output_dim": 3, "mask_zero": True, "embeddings_initializer": "normal",
             "embeddings_regularizer": "l2", "embeddings_constraint": "non_neg"},
        ]
    ]  # fmt: skip


def build():
    rng = np.random.default_rng(107)
    return {"cases": recurrent(rng) + embedding(rng)}
