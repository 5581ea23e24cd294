"""text.json: vocabularies and outputs of TextVectorization, which needs TensorFlow beside JAX."""

from make_common import keras, plain

TEXTS = [
    "The Rock is destined to be the 21st Century's new ''Conan''!",
    "  a rock,\ta  hard place;\nand a -- fine_line \\ (the edge) [of] {time}",
    "rock rock rock paper Scissors",
    "naïve ÉTÉ — the été ~ `quoted` <b>bold</b> a|b^c=d+e*f%g$h#i@j&k?",
    "",
    "edge of time",
]
UNSEEN = ["the rock of the unknown", "", "paper; time! a [UNK] fine_line", "été the ÉTÉ"]

CASES = [
    ("defaults", {}),
    ("max_tokens and a length", {"max_tokens": 8, "output_sequence_length": 4}),
    ("a length beyond the longest", {"output_sequence_length": 30}),
    ("nothing standardised", {"standardize": None}),
    ("lower", {"standardize": "lower", "max_tokens": 20}),
    ("strip", {"standardize": "strip_punctuation"}),
    ("characters", {"split": "character", "max_tokens": 12, "output_sequence_length": 20}),
    ("bigrams", {"ngrams": 2, "max_tokens": 15}),
    ("trigrams alone", {"ngrams": (3,), "output_mode": "count"}),
    ("multi_hot", {"output_mode": "multi_hot", "max_tokens": 9}),
    ("count", {"output_mode": "count"}),
    ("padded", {"output_mode": "count", "max_tokens": 60, "pad_to_max_tokens": True}),
    ("tf_idf", {"output_mode": "tf_idf", "max_tokens": 10}),
]


def case(note, arguments):
    layer = keras.layers.TextVectorization(**arguments)
    layer.adapt(TEXTS)
    output = keras.ops.convert_to_numpy(layer(UNSEEN))
    return {
        "note": note,
        "arguments": arguments,
        "vocabulary": layer.get_vocabulary(),
        "dtype": str(output.dtype),
        "shape": plain(output.shape),
        "output": plain(output.ravel().tolist()),
    }


def build():
    return {"texts": TEXTS, "unseen": UNSEEN, "cases": [case(*c) for c in CASES]}
