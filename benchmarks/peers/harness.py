"""What the Python peers share: the workloads' data, the clockwork and the JSON line.

A peer is a class with the methods that `Peer` lists; `main` times it. Nothing here imports more than NumPy,
and NumPy only after the threads are bounded.
"""

import argparse
import gzip
import json
import math
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "datasets" / "mnist"
EPOCHS = 5
PREDICT_BATCHES = (32, 1000)
SYNTHETIC_SEED = 20_261
SYNTHETIC_ROWS = (20_000, 10_000)


class Peer:
    """One engine. `x`, `y` are NumPy arrays, rows first: float32 (labels of `CLASSES` one-hot), words and
    the labels of `transformer` int32."""

    def __init__(self, workload: str, batch: int):
        """Builds a fresh model for `workload`, trained in batches of `batch` rows."""
        raise NotImplementedError

    def fit(self, x, y, epochs: int) -> list[float]:
        """Trains; returns the time of day (`time.perf_counter`) at the end of every epoch."""
        raise NotImplementedError

    def evaluate(self, x, y) -> tuple[float, float]:
        """Mean loss and metric over all rows."""
        raise NotImplementedError

    def predict(self, x, batch: int):
        """The public way from a NumPy array of rows to a NumPy array of outputs."""
        raise NotImplementedError

    def lean_calls(self, row):
        """Functions of no arguments that run the model on the one row `row`, made ready beforehand, and wait."""
        raise NotImplementedError


@dataclass
class Data:
    x: object
    y: object
    x_test: object
    y_test: object


def read_idx(path: Path):
    """The array of unsigned bytes in a gzipped IDX file (magic number, big-endian sizes, bytes)."""
    import numpy as np

    raw = gzip.decompress(path.read_bytes())
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: expected an IDX file of unsigned bytes")
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist(folder: Path) -> Data:
    """MNIST as rows of 784 values in [0, 1] and one-hot labels."""
    import numpy as np

    def part(name):
        images = read_idx(folder / f"{name}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{name}-labels-idx1-ubyte.gz")
        x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
        return x, np.eye(10, dtype=np.float32)[labels]

    return Data(*part("train"), *part("t10k"))


def uniform(seed: int, n: int):
    """`n` numbers of SplitMix64 in [0, 1)."""
    import numpy as np

    with np.errstate(over="ignore"):  # SplitMix64 is arithmetic modulo 2^64
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def sequences() -> Data:
    """1,600 sequences of 200 words (400 to test), called by whether most are in the vocabulary's upper half."""
    import numpy as np

    x = (uniform(20_262, 2_000 * 200) * WORDS).astype(np.int32).reshape(2_000, 200)
    y = ((x >= WORDS // 2).sum(1, keepdims=True) > 100).astype(np.float32)
    return Data(x[:1_600].copy(), y[:1_600], x[1_600:].copy(), y[1_600:])


def synthetic() -> Data:
    """The `tabular` rows: 8 standard-normal inputs and a smooth target with noise (README.md, "Data")."""
    import numpy as np

    rows = sum(SYNTHETIC_ROWS)
    u = uniform(SYNTHETIC_SEED, 2 * 9 * rows)
    normal = np.sqrt(-2 * np.log(1 - u[0::2])) * np.cos(2 * math.pi * u[1::2])
    normal = normal.reshape(rows, 9)
    x, noise = normal[:, :8], normal[:, 8]
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.25 * x[:, 3] ** 2 - np.tanh(x[:, 4]) + 0.3 * x[:, 5]
    y = (y + 0.1 * noise)[:, None]
    x, y = x.astype(np.float32), y.astype(np.float32)
    n = SYNTHETIC_ROWS[0]
    return Data(x[:n].copy(), y[:n], x[n:].copy(), y[n:])


def images(folder: Path) -> Data:
    """MNIST as images of 28×28×1; the first 12,800 for training."""
    data = mnist(folder)
    x, x_test = (a.reshape(-1, 28, 28, 1) for a in (data.x, data.x_test))
    return Data(x[:12_800].copy(), data.y[:12_800].copy(), x_test, data.y_test)


def classed_sequences() -> Data:
    """The same sequences with class numbers."""
    import numpy as np

    data = sequences()
    return Data(data.x, data.y[:, 0].astype(np.int32), data.x_test, data.y_test[:, 0].astype(np.int32))


def coloured_images() -> Data:
    """2,560 images of noise (640 to test), of ten classes in turn: the class is how bright they are."""
    import numpy as np

    def part(u):
        classes = np.arange(len(u)) % 10
        x = (u + classes[:, None] / 10) / 2
        return x.astype(np.float32).reshape(-1, 32, 32, 3), np.eye(10, dtype=np.float32)[classes]

    u = uniform(20_263, 3_200 * 32 * 32 * 3).reshape(3_200, -1)
    return Data(*part(u[:2_560]), *part(u[2_560:]))


WORDS = 20_000
BATCH = {"mlp": 128, "tabular": 32, "convnet": 128, "lstm": 32, "gru": 32, "transformer": 32, "resnet20": 128}
FEATURES = {
    "mlp": ((784,), 10),
    "tabular": ((8,), 1),
    "convnet": ((28, 28, 1), 10),
    "lstm": ((200,), 1),
    "gru": ((200,), 1),
    "transformer": ((200,), None),
    "resnet20": ((32, 32, 3), 10),
}
RECURRENT = ("lstm", "gru")
CLASSES = ("mlp", "convnet", "resnet20")


def median_us(call, seconds: float = 2.0, at_most: int = 2000) -> float:
    """Median time of `call` in microseconds, after a warm-up, over up to `seconds` or `at_most` calls."""
    for _ in range(3):
        call()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < at_most and (time.perf_counter() < end or len(times) < 5):
        t = time.perf_counter()
        call()
        times.append(time.perf_counter() - t)
    times.sort()
    return times[len(times) // 2] * 1e6


def start_seconds(argv: list[str]) -> float:
    """Runs this same program in a child as far as the end of one training step; returns the seconds it took."""
    began = time.time()
    done = subprocess.run([sys.executable, *argv, "--start-only"], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) - began


def arguments(engine: str | None) -> argparse.Namespace:
    """Parses the common options, and bounds the threads: call it before importing any engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=sorted(BATCH), required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=1, help="whole fits; epoch_s is the best over all of them")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the four MNIST files")
    parser.add_argument("--start-only", action="store_true", help="one training step, then print the time of day")
    if engine is None:
        parser.add_argument("--backend", choices=["tensorflow", "jax", "torch"], required=True)
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: args.threads]
    os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        os.environ[name] = str(args.threads)
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return args


def main(args: argparse.Namespace, engine: str, version: str, make: type[Peer]) -> None:
    """Times `make(workload, batch)` and prints the one JSON line."""
    import numpy as np

    batch = BATCH[args.workload]
    if args.start_only:
        features, outputs = FEATURES[args.workload]
        peer = make(args.workload, batch)
        x = np.zeros((batch, *features), np.int32 if features == (200,) else np.float32)
        y = np.zeros(batch, np.int32) if outputs is None else np.eye(batch, outputs, dtype=np.float32)
        peer.fit(x, y, 1)
        print(time.time())
        return

    files = {"mlp": mnist, "convnet": images}
    made = {
        "tabular": synthetic,
        "lstm": sequences,
        "gru": sequences,
        "transformer": classed_sequences,
        "resnet20": coloured_images,
    }
    data = files[args.workload](args.data) if args.workload in files else made[args.workload]()
    firsts, fits, bests = [], [], []
    for _ in range(args.repeat):
        began = time.perf_counter()
        peer = make(args.workload, batch)
        ends = peer.fit(data.x, data.y, EPOCHS)
        epochs = [b - a for a, b in zip([began, *ends], ends)]
        firsts.append(epochs[0])
        fits.append(ends[-1] - began)
        bests.append(min(epochs[1:]))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    loss, metric = peer.evaluate(data.x_test, data.y_test)

    n = len(data.x_test)
    per_s = 0.0
    for size in PREDICT_BATCHES:
        per_s = max(per_s, n / (median_us(lambda: peer.predict(data.x_test, size), 3.0, 20) * 1e-6))
    row = data.x_test[:1].copy()
    result = {
        "w": args.workload,
        "engine": engine,
        "version": version,
        "threads": args.threads,
        "first_epoch_s": round(firsts[0], 4),
        "epoch_s": round(min(bests), 5),
        "fit_s": round(fits[0], 4),
        "samples_per_s": round(len(data.x) / min(bests)),
        "predict_per_s": round(per_s),
        "predict1_us": round(median_us(lambda: peer.predict(row, 32)), 2),
        "call1_us": round(min(median_us(call) for call in peer.lean_calls(row)), 2),
        "rss_mb": round(rss, 1),
        "start_s": round(start_seconds(sys.argv), 3),
        "test_loss": round(float(loss), 5),
        ("test_mae" if args.workload == "tabular" else "test_accuracy"): round(float(metric), 5),
    }
    print(json.dumps(result))
