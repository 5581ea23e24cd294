"""hostile.zip: HDF5 files of weights that are made to do harm, for a model `Dense(3)` over four numbers.

No reader may hang, run out of memory or open another file because of one of them. Keras has no part in this.
"""

import os
import tempfile
import zipfile

import h5py
import numpy as np

KERNEL, BIAS = "layers/dense/vars/0", "layers/dense/vars/1"


def plain(f):
    f[KERNEL], f[BIAS] = np.ones((4, 3), "float32"), np.zeros(3, "float32")


def cyclic_hard_links(f):
    """Every name under the root leads back to the root."""
    for name in ("layers", "dense", "vars", "0", "1", "optimizer"):
        f[name] = f["/"]


def cyclic_soft_links(f):
    f["layers/dense/vars/x"] = 0.0
    f[KERNEL] = h5py.SoftLink("/" + BIAS)
    f[BIAS] = h5py.SoftLink("/" + KERNEL)


def external_link(f):
    f[KERNEL] = h5py.ExternalLink("other.h5", "/0")
    f[BIAS] = np.zeros(3, "float32")


def external_storage(f):
    """The values are said to be in another file."""
    f.create_dataset(KERNEL, (4, 3), "float32", external=[("/etc/hostname", 0, 48)])
    f[BIAS] = np.zeros(3, "float32")


def huge_shape(f):
    """2⁵⁰ numbers, of which none is stored."""
    f.create_dataset(KERNEL, (2**20, 2**30), "float32", chunks=(1, 1024))
    f[BIAS] = np.zeros(3, "float32")


def overflowing_shape(f):
    f.create_dataset(KERNEL, (2**40, 2**40), "float32", chunks=(1, 1024))
    f[BIAS] = np.zeros(3, "float32")


def compressed_bomb(f):
    """The right shape, in one chunk that unpacks to 64 MiB."""
    f.create_dataset(KERNEL, (4, 3), "float32", maxshape=(None, None), chunks=(4096, 4096), compression=9)
    f[KERNEL][:] = 0.0
    f[BIAS] = np.zeros(3, "float32")


def other_types(f):
    f[KERNEL] = np.full((4, 3), b"text", "S4")
    f[BIAS] = np.zeros(3, "complex64")


def deep_groups(f):
    """A thousand groups inside each other where the layer should be."""
    f["/".join(["layers"] + ["dense"] * 1000)] = 0.0


CASES = [
    plain, cyclic_hard_links, cyclic_soft_links, external_link, external_storage, huge_shape, overflowing_shape,
    compressed_bomb, other_types, deep_groups,
]


def archive(folder):
    """Writes hostile.zip and returns its path."""
    path = os.path.join(folder, "hostile.zip")
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path, "w") as out:
        for make in CASES:
            file = os.path.join(scratch, make.__name__)
            with h5py.File(file, "w") as f:
                make(f)
            with open(file, "rb") as f:
                member = zipfile.ZipInfo(make.__name__ + ".weights.h5")
                out.writestr(member, f.read(), zipfile.ZIP_DEFLATED, 9)
    return path
