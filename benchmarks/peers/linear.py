"""Times linear models of scikit-learn and of Cornu on the same data, in one run.

    cargo build --release -p cornu-linear --example linear_bench
    OMP_NUM_THREADS=2 python benchmarks/peers/linear.py [ROUNDS]

Both read 1,000,000 rows of 20 features (f64), and MNIST (f32) if `datasets/mnist` is there. Printed are the least
times of the rounds and the ratio.
"""

import gzip
import os
import subprocess
import sys
import tempfile
import time
import warnings

for name in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]:  # they slow a current OpenBLAS
    os.environ.pop(name, None)

import numpy as np
from sklearn import linear_model as lm

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def mnist(folder):
    def read(name, offset):
        with gzip.open(os.path.join(ROOT, "datasets", "mnist", name)) as f:
            return np.frombuffer(f.read(), np.uint8, offset=offset)

    images = [read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784) for part in ["train", "t10k"]]
    labels = [read(f"{part}-labels-idx1-ubyte.gz", 8) for part in ["train", "t10k"]]
    x = (np.concatenate(images) / np.float32(255)).astype(np.float32)
    y = np.concatenate(labels).astype(float)
    x.tofile(os.path.join(folder, "images.f32"))
    y.tofile(os.path.join(folder, "classes.f64"))
    return x, y


def main():
    warnings.filterwarnings("ignore")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_000_000, 20))
    coef = rng.normal(size=20)
    z = x @ coef
    y = z + rng.normal(size=len(x))
    labels = (z + rng.logistic(size=len(x)) > 0).astype(float)
    logistic = lm.LogisticRegression
    fits = {
        "LinearRegression": lambda: lm.LinearRegression().fit(x, y),
        "Ridge": lambda: lm.Ridge().fit(x, y),
        "Lasso": lambda: lm.Lasso(alpha=0.01).fit(x, y),
        "ElasticNet": lambda: lm.ElasticNet(alpha=0.01).fit(x, y),
        "Logistic Lbfgs": lambda: logistic().fit(x, labels),
        "Logistic NewtonCholesky": lambda: logistic(solver="newton-cholesky").fit(x, labels),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, array in [("x", x), ("y", y), ("labels", labels)]:
            array.tofile(os.path.join(folder, name + ".f64"))
        if os.path.exists(os.path.join(ROOT, "datasets", "mnist")):
            images, classes = mnist(folder)
            fits["Logistic MNIST"] = lambda: logistic(tol=0).fit(images[:60000], classes[:60000])
        program = os.path.join(ROOT, "target", "release", "examples", "linear_bench")
        lines = subprocess.check_output([program, folder, str(rounds)], text=True).splitlines()
        for line in lines:
            name, ours, said = line.split("\t")
            ours, theirs = float(ours), float("inf")
            for _ in range(1 if name == "Logistic MNIST" else rounds):
                start = time.perf_counter()
                model = fits[name]()
                theirs = min(theirs, time.perf_counter() - start)
            theirs_said = f"first {np.ravel(model.coef_)[0]:.9f} in {getattr(model, 'n_iter_', '-')}"
            if name == "Logistic MNIST":
                theirs_said = f"accuracy {model.score(images[60000:], classes[60000:]):.4f}"
            print(f"{name:24} {ours:8.4f} s  scikit-learn {theirs:8.4f} s  {theirs / ours:5.1f} times"
                  f"  ({said}; {theirs_said})", flush=True)


if __name__ == "__main__":
    main()
