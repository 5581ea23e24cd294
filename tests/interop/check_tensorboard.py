"""Reads a folder of logs with the real TensorBoard package and checks what the test `tensorboard` wrote:

    CORNU_LOGS=/tmp/logs cargo test -p cornu --features tensorboard --test tensorboard
    python tests/interop/check_tensorboard.py /tmp/logs
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.graph import keras_util


def read(folder):
    events = EventAccumulator(folder)
    events.Reload()
    return events


def main(logs):
    train, validation = read(f"{logs}/train"), read(f"{logs}/validation")
    expected = {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "epoch_steps_per_second"}
    expected |= {"batch_loss", "batch_accuracy"}
    assert set(train.Tags()["scalars"]) == expected, train.Tags()
    expected = {"epoch_loss", "epoch_accuracy"}
    expected |= {"evaluation_loss_vs_iterations", "evaluation_accuracy_vs_iterations"}
    assert set(validation.Tags()["scalars"]) == expected, validation.Tags()
    # 32 samples in batches of 8.
    assert [e.step for e in validation.Scalars("evaluation_loss_vs_iterations")] == [4, 8, 12]
    assert [e.step for e in train.Scalars("batch_loss")] == [2, 4, 6, 8, 10, 12]
    losses = train.Scalars("epoch_loss")
    assert [e.step for e in losses] == [0, 1, 2] and losses[2].value < losses[0].value, losses
    assert abs(train.Scalars("epoch_learning_rate")[0].value - 0.01) < 1e-7
    assert set(train.Tags()["histograms"]) == {"out/kernel/histogram", "out/bias/histogram"}, train.Tags()
    histogram = train.Histograms("out/kernel/histogram")[0].histogram_value
    assert histogram.num == sum(histogram.bucket) == 6, histogram
    assert train.Tags()["tensors"] == ["keras"], train.Tags()
    assert train.summary_metadata["keras"].plugin_data.plugin_name == "graph_keras_model"
    config = json.loads(train.Tensors("keras")[0].tensor_proto.string_val[0])
    nodes = [node.name for node in keras_util.keras_model_to_graph_def(config).node]
    assert nodes == ["sequential/input_layer", "sequential/out"], nodes
    print("TensorBoard reads it all.")


if __name__ == "__main__":
    main(sys.argv[1])
