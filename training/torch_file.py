"""Reads the weights that torch saved, without torch: a download of gigabytes for one file."""

import pickle
from collections import OrderedDict
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]


def read_arrays(handle: IO[bytes]) -> Arrays:
    """The float32 tensors of a state dictionary that torch saved before 1.6, by name; whole numbers are left out.

    The format is pickles of a magic number, a version, sizes, the dictionary and the storages' keys, then each storage
    as its length and raw values (torch/serialization.py, `_legacy_load`). Nothing but tensors is unpickled: raises
    pickle.UnpicklingError for anything else, EOFError or ValueError where the file ends too soon.
    """
    kinds: dict[str, str] = {}

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) == ("collections", "OrderedDict"):
                return OrderedDict  # the real one: torch hangs attributes on it
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
            if module == "torch" and name in ("FloatStorage", "LongStorage"):
                return name
            raise pickle.UnpicklingError(f"{module}.{name} is no tensor")

        def persistent_load(self, identity: Any) -> Any:
            kinds[identity[2]] = identity[1]
            return identity[2]

    for _ in range(3):
        Reader(handle).load()
    wanted = Reader(handle).load()
    storages: dict[str, NDArray[Any]] = {}
    for key in Reader(handle).load():
        count = int(np.frombuffer(handle.read(8), np.int64)[0])
        kind = np.dtype(np.float32 if kinds[key] == "FloatStorage" else np.int64)
        storages[key] = np.frombuffer(handle.read(count * kind.itemsize), kind)
    arrays = {}
    for name, (key, offset, shape, strides) in wanted.items():
        if kinds[key] == "FloatStorage":  # the counters of batches are whole numbers
            last = offset + sum((count - 1) * stride for count, stride in zip(shape, strides, strict=True))
            if min(offset, *strides) < 0 or last >= len(storages[key]):
                raise pickle.UnpicklingError(f"{name} reaches beyond its storage")
            start = storages[key][offset:]
            arrays[name] = np.lib.stride_tricks.as_strided(start, shape, [4 * stride for stride in strides])
    return arrays
