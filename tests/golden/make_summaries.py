"""Summaries of models with branches, on a terminal of 80 columns and wider."""

import os

os.environ["COLUMNS"] = "80"
os.environ["LINES"] = "24"

from make_common import keras, plain  # noqa: E402

L = keras.layers


def two_towers():
    a = keras.Input([8], name="image")
    b = keras.Input([1], name="age")
    seen = L.Dense(4, name="seen")(a)
    both = L.Add(name="both")([L.Dense(4, name="known")(b), seen])
    kind = L.Dense(3, name="kind")(both)
    price = L.Dense(1, name="price")(both)
    return keras.Model([a, b], [kind, price], name="towers")


def shared():
    a, b = keras.Input([4], name="a"), keras.Input([4], name="b")
    encode = L.Dense(2, name="encode")
    y = L.Subtract(name="difference")([encode(a), encode(b)])
    return keras.Model([a, b], y, name="siamese")


def nested():
    x = keras.Input([4], name="inside")
    encoder = keras.Model(x, L.Dense(2, name="code")(x), name="encoder")
    image = keras.Input([4], name="image")
    code = encoder(image)
    frozen = L.Dense(2, name="frozen", trainable=False)(code)
    y = L.Dense(4, name="decode")(L.Concatenate(name="joined")([code, frozen]))
    return keras.Model(image, y, name="outer")


def line():
    x = keras.Input([4], name="x")
    return keras.Model(x, L.Dense(2, name="y")(x), name="line")


CASES = [
    (two_towers, {}),
    (two_towers, {"show_trainable": True}),
    (shared, {}),
    (nested, {}),
    (nested, {"expand_nested": True, "show_trainable": True}),
    (nested, {"layer_range": ["encoder", "joined"], "expand_nested": True}),
    (nested, {"line_length": 70}),
    (line, {}),
]


def case(make, args, columns):
    os.environ["COLUMNS"] = str(columns)
    keras.backend.clear_session()
    lines = []
    make().summary(print_fn=lines.append, **args)
    return {
        "model": make.__name__,
        "args": plain(args),
        "columns": columns,
        "text": "\n".join(lines),
    }


def build():
    cases = [case(make, args, 80) for make, args in CASES]
    return {"summaries": cases + [case(two_towers, {}, 130)]}
