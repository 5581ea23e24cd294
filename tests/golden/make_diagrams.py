"""diagrams.json: models as Graphviz' text, by `keras.utils.model_to_dot`. Needs `pydot`."""

import json
import re

from make_common import keras, plain

L = keras.layers


def stack():
    frozen = L.Dense(4, trainable=False)
    return keras.Sequential([
        keras.Input((6, 6, 2)),
        L.Conv2D(3, 3, activation="relu"),
        L.BatchNormalization(),
        L.Flatten(),
        frozen,
        L.Activation("tanh"),
        L.Dense(2, activation="softmax", name="to say what it is"),
    ])  # fmt: skip


def several():
    image, facts = keras.Input((4, 4, 1), name="image"), keras.Input((3,), name="facts")
    h = L.Flatten()(L.Conv2D(3, 2, activation="relu")(image))
    both = L.Concatenate()([h, L.Dense(4)(facts)])
    kind = L.Dense(2, activation="softmax", name="kind")(both)
    price = L.Dense(1, name="price")(both)
    return keras.Model([image, facts], [kind, price])


def recurrent():
    x = keras.Input((5,), dtype="int32", name="words")
    h = L.Embedding(9, 4)(x)
    y, state, carry = L.LSTM(3, return_state=True, return_sequences=True)(h)
    back = L.Bidirectional(L.GRU(3))(y, initial_state=None)
    return keras.Model(x, L.Concatenate()([back, L.Add()([state, carry])]))


def nested():
    a = keras.Input((4,), name="a")
    tower = [keras.Input((4,)), L.Dense(4, activation="relu"), L.Dense(4)]
    tower = keras.Sequential(tower, name="tower")
    small = keras.Sequential([keras.Input((4,)), L.Dense(4)], name="small")
    split = keras.Model(a, [L.Dense(2, name="low")(a), L.Dense(3, name="high")(a)], name="split")
    b, c = keras.Input((4,), name="b"), keras.Input((4,), name="c")
    join = keras.Model([b, c], L.Add(name="sum")([small(b), c]), name="join")
    x, other = keras.Input((4,), name="x"), keras.Input((4,), name="other")
    h = join([tower(x), other])
    low, high = split(L.Add()([h, x]))
    again = L.Dense(4, name="again")
    return keras.Model([x, other], [low, L.Concatenate()([high, again(again(x))])])


def stacks_in_stacks():
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3), L.ReLU()], name="inner")
    middle = keras.Sequential([keras.Input((4,)), inner, L.Dense(2)], name="in the middle")
    return keras.Sequential([keras.Input((4,)), L.Dense(4), middle, L.Dense(1)])


ALL = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_activations": True,
    "show_trainable": True,
}
OPTIONS = [
    {},
    {"show_layer_names": False, "rankdir": "LR", "dpi": 96},
    {"show_shapes": True, "show_layer_names": False},
    {"show_dtype": True, "show_trainable": True},
    ALL,
    {"expand_nested": True},
    {"expand_nested": True, **ALL},
]


def dot(model, options):
    """The text, layers numbered as they come: their numbers are addresses."""
    text = keras.utils.model_to_dot(model, **options).to_string()
    numbers = {}
    for address in re.findall(r"^(\d+) \[", text, re.M):
        numbers.setdefault(address, str(len(numbers)))
    return re.sub(r"\b\d{9,}\b", lambda m: numbers[m.group()], text)


def build():
    cases = []
    for make in [stack, several, recurrent, nested, stacks_in_stacks]:
        keras.backend.clear_session()
        model = make()
        told = plain(json.loads(model.to_json()))
        texts = [{"options": o, "dot": dot(model, o)} for o in OPTIONS]
        cases.append({"name": make.__name__, "model": told, "texts": texts})
    return {"cases": cases}
