"""Trains on a table with the program `cornu`, and checks that Keras loads the file, gives the same and goes on:

    cargo build -p cornu-cli
    KERAS_BACKEND=jax python tests/interop/cli/check_keras.py target/debug/cornu
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np


def main(cornu):
    def run(*line):
        return subprocess.run([cornu, *line], check=True, capture_output=True, text=True).stdout

    with tempfile.TemporaryDirectory() as folder:
        table, file = Path(folder, "homes.csv"), str(Path(folder, "homes.keras"))
        rows = ["size,town,street,price"]
        for i in range(200):
            size = "" if i % 23 == 0 else i % 20
            rows.append(f"{size},{'ab'[i % 2]},street {i % 40},{1000 + 50 * (i % 20) + 400 * (i % 2)}")
        table.write_text("\n".join(rows) + "\n")
        task = ["--target", "price", "--task", "regression", "--epochs", "5", "--seed", "1", "-q"]
        run("train", "--data", str(table), *task, "-o", file)
        ours = np.array([float(line) for line in run("predict", file, "--input", str(table)).split()])

        model = keras.saving.load_model(file)
        schema = json.loads(zipfile.ZipFile(file).read("cornu.json"))["table"]
        columns = [line.split(",") for line in rows[1:]]
        names = rows[0].split(",")
        column = lambda name: [row[names.index(name)] for row in columns]  # noqa: E731
        mean = schema["numbers"][0]["mean"]
        inputs = {
            "numbers": np.array([[float(v or mean)] for v in column("size")], "float32"),
            "missing": np.array([[float(v == "")] for v in column("size")], "float32"),
        }
        for category in schema["categories"]:
            places = {value: i + 1 for i, value in enumerate(category["values"])}
            codes = [[places.get(v, 0)] for v in column(category["column"])]
            inputs[category["input"]] = np.array(codes, "int32")
        theirs = model.predict(inputs, verbose=0)[:, 0]
        assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max(), (ours - theirs)
        assert model.optimizer.iterations == 5 * 5, model.optimizer.iterations
        history = model.fit(inputs, np.array(column("price"), "float32"), epochs=2, verbose=0)
        assert history.history["loss"][1] < history.history["loss"][0]
        # What Keras wrote, the program goes on with.
        again = str(Path(folder, "again.keras"))
        model.save(again)
        assert "Normalization" in run("summary", again)
    print("Keras takes what the program trained.")


if __name__ == "__main__":
    main(sys.argv[1])
