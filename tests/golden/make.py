"""Computes the golden files with Keras itself. See README.md.

    python tests/golden/make.py                  # all files
    python tests/golden/make.py losses layers    # some
"""

import importlib
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import make_common  # noqa: E402

# Every make_NAME.py that is not shared code makes NAME.json, or an archive.
FILES = sorted(
    file[len("make_") : -len(".py")]
    for file in os.listdir(HERE)
    if file.startswith("make_") and file != "make_common.py"
)


def main():
    for name in sys.argv[1:] or FILES:
        start = time.time()
        module = importlib.import_module("make_" + name)
        if hasattr(module, "archive"):
            path = module.archive(HERE)
        else:
            path = os.path.join(HERE, name + ".json")
            make_common.write(path, {"versions": make_common.versions(), **module.build()})
        size = os.path.getsize(path) / 1024
        print(f"{os.path.basename(path)}: {size:.0f} KiB in {time.time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
