"""Runs with ONNX Runtime what Cornu exported, for two sizes of the batch, and compares with what Keras predicts:

    CORNU_ONNX=/tmp/onnx cargo test -p cornu --features onnx --test golden_saved for_onnx
    python tests/interop/check_onnx.py /tmp/onnx

Without the packages onnx and onnxruntime it says so and passes.
"""

import os
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as e:
    print(f"A package is not installed ({e}); what Cornu exported was not checked with ONNX Runtime.")
    sys.exit(0)

from saved_models import array, cases

# Checked, but not run: the CPU's kernels for 16-bit formats are not complete.
NOT_RUN = {"mixed_precision", "weights_in_half"}


def check(path, name, given):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    for end in [*model.graph.input, *model.graph.output]:
        assert end.type.tensor_type.shape.dim[0].dim_param == "batch", f"{end.name} has a fixed batch"
    if name in NOT_RUN:
        return
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = [array(a) for a in given["inputs"]]
    outputs = [array(a) for a in given["outputs"]]
    names = [i.name for i in session.get_inputs()]
    for rows in (len(inputs[0]), 1):
        got = session.run(None, {n: x[:rows] for n, x in zip(names, inputs, strict=True)})
        for g, want in zip(got, outputs, strict=True):
            np.testing.assert_allclose(g, want[:rows], rtol=1e-5, atol=1e-5, err_msg=f"{rows} rows")


def main(folder):
    onnxruntime.set_default_logger_severity(3)
    failed, done, given = [], 0, cases()
    for file in sorted(os.listdir(folder)):
        name = file.removesuffix(".onnx")
        try:
            check(os.path.join(folder, file), name, given[name])
            done += 1
        except Exception as e:
            failed.append(f"{name}: {' '.join(str(e).split())[:500]}")
    if failed:
        sys.exit("\n".join(failed) + f"\n{len(failed)} models that Cornu exported differ in ONNX Runtime.")
    assert done >= 45, f"only {done} models"
    print(f"ONNX Runtime computes what Keras does, of {done} models that Cornu exported.")


if __name__ == "__main__":
    main(sys.argv[1])
