"""layers_conv_lstm.json: ConvLSTM over rows, images and volumes."""

from make_common import keras, normal, np
from make_layers_recurrent import case

L = keras.layers


def build():
    rng = np.random.default_rng(223)
    x = normal(rng, 2, 3, 5, 4, 2)
    cases = [
        case(rng, lambda: L.ConvLSTM2D(2, (3, 2), **config), x)
        for config in (
            {}, {"padding": "same", "return_sequences": True}, {"strides": 2, "padding": "same"},
            {"dilation_rate": 2, "padding": "same", "use_bias": False},
            {"return_sequences": True, "return_state": True, "go_backwards": True},
            {"activation": "relu", "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False,
             "kernel_regularizer": "l2", "dropout": 0.2, "recurrent_dropout": 0.3, "seed": 5},
            {"stateful": True, "return_state": True},
        )
    ]  # fmt: skip
    first = lambda: L.ConvLSTM2D(2, 2, data_format="channels_first", return_sequences=True,
                                 return_state=True, padding="same")
    cases.append(case(rng, first, normal(rng, 2, 3, 2, 4, 3)))
    cases.append(case(rng, lambda: L.ConvLSTM1D(2, 3, return_state=True), normal(rng, 2, 3, 5, 2)))
    cases.append(case(rng, lambda: L.ConvLSTM3D(1, 2), normal(rng, 2, 2, 3, 3, 2, 1)))
    both = lambda: L.Bidirectional(L.ConvLSTM1D(2, 3, padding="same"))
    cases.append(case(rng, both, normal(rng, 2, 3, 5, 2)))
    states = [normal(rng, 2, 3, 3, 2) for _ in range(2)]
    cases.append(case(rng, lambda: L.ConvLSTM2D(2, 2, return_state=True), normal(rng, 2, 3, 4, 4, 1),
                      "states", states))
    # Keras pairs a mask with the columns of an image unless the steps are written out.
    mask = np.array([[False, True, False], [True, True, False]])
    for sequences in (False, True):
        make = lambda: L.ConvLSTM2D(2, 2, unroll=True, return_sequences=sequences)
        cases.append(case(rng, make, normal(rng, 2, 3, 4, 4, 1), "mask", mask=mask))
    return {"recurrent": cases}
