"""A stand-in for a GPU's graphs: operations are recorded with the tensors they met, and done again without Python."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# They would wait for the device, which a recording must not.
WAITING = {
    torch.ops.aten.item.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
}


class Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, list[tuple[int, torch.Tensor]]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in WAITING:
            raise RuntimeError(f"{func} asks the device")
        kwargs = kwargs or {}
        found = func(*args, **kwargs)
        given = {leaf.untyped_storage().data_ptr() for leaf in tensors((args, kwargs))}
        new = [(at, leaf) for at, leaf in enumerate(tensors(found)) if leaf.untyped_storage().data_ptr() not in given]
        if new or func._schema.is_mutable:  # a view stays what it is
            self._done.append((func, args, kwargs, new))
        return found

    def again(self) -> None:
        """With what the tensors hold now, into the same ones as before."""
        for func, args, kwargs, new in self._done:
            found = tensors(func(*args, **kwargs))
            for at, before in new:
                before.copy_(found[at])


def record(body: Callable[[], None]) -> Callable[[], None]:
    """A `reranker.graphs.Recorder`."""
    operations = Operations()
    with operations:
        body()
    return operations.again


def tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
