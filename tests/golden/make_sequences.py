"""Sequences made arrays: pad_sequences and timeseries_dataset_from_array (by grain, which needs no
TensorFlow)."""

import keras
import numpy as np
from make_common import array, plain

SEQUENCES = [[1], [2, 3, 4], [5, 6], [], [7, 8, 9, 10, 11]]
ROWS = [[[1, 2]], [[3, 4], [5, 6], [7, 8]], [[9, 10], [11, 12]]]

PADDED = [
    {},
    {"maxlen": 3},
    {"maxlen": 3, "padding": "post"},
    {"maxlen": 3, "truncating": "post"},
    {"maxlen": 7, "padding": "post", "truncating": "post", "value": -1.5, "dtype": "float32"},
    {"maxlen": 2, "value": 9.0},
]

WINDOWS = [
    {"sequence_length": 4},
    {"sequence_length": 4, "batch_size": 3},
    {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 2, "batch_size": 4},
    {"sequence_length": 3, "start_index": 5, "end_index": 14, "batch_size": 2},
    {"sequence_length": 5, "sampling_rate": 3, "start_index": 1},
    {"sequence_length": 2, "sequence_stride": 5, "batch_size": None},
]


def padded(sequences, args):
    result = keras.utils.pad_sequences(sequences, **args)
    return {"sequences": sequences, "args": args, "result": array(result)}


def windows(data, targets, args):
    dataset = keras.utils.timeseries_dataset_from_array(data, targets, format="grain", **args)
    batches = []
    for batch in dataset:
        x, y = batch if targets is not None else (batch, None)
        batches.append({"x": array(x), **({} if y is None else {"y": array(y)})})
    return {
        "data": array(data),
        "targets": None if targets is None else array(targets),
        "args": args,
        "batches": batches,
    }


def build():
    series = np.arange(20, dtype="float32")
    pairs = np.arange(40, dtype="float32").reshape(20, 2)
    return {
        "pad_sequences": plain(
            [padded(SEQUENCES, a) for a in PADDED] + [padded(ROWS, a) for a in PADDED[:3]]
        ),
        "timeseries": plain(
            [windows(series, None, a) for a in WINDOWS]
            + [windows(pairs, -series, a) for a in WINDOWS]
            + [windows(series, series[:9], a) for a in WINDOWS[:2]]
        ),
    }
