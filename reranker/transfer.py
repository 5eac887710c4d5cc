"""Arrays to a device and back, through page-locked memory where that is another memory than the machine's."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """The array on the device. A GPU copies it beside what it does, and nobody waits; on a CPU it is not copied."""
    tensor = torch.from_numpy(array)
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def put(array: NDArray[Any], into: Tensor) -> None:
    """Over the first of `into`, as `to_device` would bring it there."""
    tensor = torch.from_numpy(array)
    into[: len(array)].copy_(tensor if into.device.type == "cpu" else tensor.pin_memory(), non_blocking=True)


def to_numpy(tensor: Tensor) -> NDArray[Any]:
    """What a tensor on any device holds, once the device has come to it."""
    if tensor.device.type == "cpu":
        return np.asarray(tensor.numpy())
    here = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    here.copy_(tensor, non_blocking=True)
    torch.cuda.current_stream(tensor.device).synchronize()
    return np.asarray(here.numpy())
