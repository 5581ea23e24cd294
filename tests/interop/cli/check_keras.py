"""Trains on a table with the program `cornu`, and checks that Keras loads the file, gives the same and goes on:

    cargo build -p cornu-cli
    KERAS_BACKEND=jax python tests/interop/cli/check_keras.py target/debug/cornu

Categories are texts, which Keras takes on TensorFlow alone: elsewhere the table has numbers only.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np


def main(cornu):
    def run(*line):
        return subprocess.run([cornu, *line], check=True, capture_output=True, text=True).stdout

    texts = keras.backend.backend() == "tensorflow"
    with tempfile.TemporaryDirectory() as folder:
        table, file = Path(folder, "homes.csv"), str(Path(folder, "homes.keras"))
        rows = ["size,age,rooms" + texts * ",town,street" + ",price"]
        for i in range(200):
            size, rooms = "" if i % 23 == 0 else i % 20, "NA" if i % 31 == 5 else 1 + i % 4
            words = texts * f",{'ab'[i % 2]},street {i % 40}"
            rows.append(f"{size},{i % 7},{rooms}{words},{1000 + 50 * (i % 20) + 400 * (i % 2)}")
        table.write_text("\n".join(rows) + "\n")
        # Where nothing was missing in training, something may be missing later.
        other = Path(folder, "other.csv")
        other.write_text("\n".join([rows[0], *(r.replace(",0,", ",,").replace(",1,", ",NA,") for r in rows[1:])]) + "\n")
        for kind in (["--epochs", "5"], ["--model", "ridge"]):
            task = ["--target", "price", "--task", "regression", *kind, "--seed", "1", "-q"]
            run("train", "--data", str(table), *task, "-o", file)
            model = keras.saving.load_model(file)
            for path in (other, table):
                lines = [line.split(",") for line in path.read_text().splitlines()]
                column = lambda name: [line[lines[0].index(name)] for line in lines[1:]]  # noqa: E731, B023
                number = lambda name: [float(v) if v not in ("", "NA") else np.nan for v in column(name)]  # noqa: E731, B023
                inputs = {"numbers": np.array([number(n) for n in ("size", "age", "rooms")], "float32").T}
                if texts:
                    inputs |= {name: [[v] for v in column(name)] for name in ("town", "street")}
                inputs = {name: keras.ops.convert_to_tensor(v) for name, v in inputs.items()}
                ours = np.array([float(line) for line in run("predict", file, "--input", str(path)).split()])
                theirs = np.asarray(model(inputs))[:, 0]
                assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max(), (ours - theirs)
            if kind[0] == "--epochs":
                assert model.optimizer.iterations == 5 * 5, model.optimizer.iterations
                history = model.fit(inputs, np.array(column("price"), "float32"), epochs=2, verbose=0)
                assert history.history["loss"][1] < history.history["loss"][0]
        # What Keras wrote, the program goes on with.
        again = str(Path(folder, "again.keras"))
        model.save(again)
        assert "Normalization" in run("summary", again)
        if not texts:
            np.save(Path(folder, "numbers.npy"), np.asarray(inputs["numbers"]))
            answers = run("predict", again, "--input", str(Path(folder, "numbers.npy"))).split()
            assert np.allclose(np.array(answers, "float64"), theirs, rtol=1e-5)
    print("Keras takes what the program trained.")


if __name__ == "__main__":
    main(sys.argv[1])
