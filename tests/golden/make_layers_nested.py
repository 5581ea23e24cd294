"""layers_nested.json: as layers_recurrent.json, of models in layers and of ConvLSTM with states."""

from make_common import keras, normal, np
from make_layers_recurrent import MASK, case

L = keras.layers


def build():
    rng = np.random.default_rng(227)
    model = lambda: keras.Sequential(
        [keras.Input((2,)), L.Dense(3, activation="tanh"), L.Dense(2, use_bias=False)], name="inside")
    cases = [case(rng, lambda: L.TimeDistributed(model()), normal(rng, 2, 3, 2))]
    rows = normal(rng, 2, 3, 5, 2)
    states = [normal(rng, 2, 5, 2) for _ in range(2)]
    every = {"return_sequences": True, "return_state": True, "padding": "same"}
    cases.append(case(rng, lambda: L.ConvLSTM1D(2, 3, **every, go_backwards=True), rows, "states", states))
    cases.append(case(rng, lambda: L.ConvLSTM1D(2, 2, stateful=True, return_state=True), rows))
    rooms = normal(rng, 1, 2, 2, 3, 2, 1)
    states = [normal(rng, 1, 2, 3, 2, 1) for _ in range(2)]
    cases.append(case(rng, lambda: L.ConvLSTM3D(1, 2, **every), rooms, "states", states))
    back = lambda: L.GRU(3, return_sequences=True, go_backwards=True, reset_after=False, name="back")
    make = lambda: L.Bidirectional(L.SimpleRNN(2, return_sequences=True), backward_layer=back())
    cases.append(case(rng, make, normal(rng, 3, 4, 2), "mask", mask=MASK))
    return {"recurrent": cases}
