"""Reads a folder of logs with the real TensorBoard package and checks what the test `tensorboard` wrote:

    CORNU_LOGS=/tmp/logs cargo test -p cornu --features tensorboard --test tensorboard
    python tests/interop/check_tensorboard.py /tmp/logs
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read(folder):
    events = EventAccumulator(folder)
    events.Reload()
    return events


def main(logs):
    train, validation = read(f"{logs}/train"), read(f"{logs}/validation")
    expected = {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "batch_loss", "batch_accuracy"}
    assert set(train.Tags()["scalars"]) == expected, train.Tags()
    assert set(validation.Tags()["scalars"]) == {"epoch_loss", "epoch_accuracy"}, validation.Tags()
    losses = train.Scalars("epoch_loss")
    assert [e.step for e in losses] == [0, 1, 2] and losses[2].value < losses[0].value, losses
    assert abs(train.Scalars("epoch_learning_rate")[0].value - 0.01) < 1e-7
    assert set(train.Tags()["histograms"]) == {"out/kernel/histogram", "out/bias/histogram"}, train.Tags()
    histogram = train.Histograms("out/kernel/histogram")[0].histogram_value
    assert histogram.num == sum(histogram.bucket) == 6, histogram
    print("TensorBoard reads it all.")


if __name__ == "__main__":
    main(sys.argv[1])
