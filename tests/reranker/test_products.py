"""Products with weights that were laid out once are those of torch's public operations."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.activations import ACT2FN

from reranker.products import LaidOut, Plain, Product, product

NO_BF16 = not torch.ops.mkldnn._is_mkldnn_bf16_supported()
needs_bf16 = pytest.mark.skipif(NO_BF16, reason="this CPU has no instructions for bfloat16")


def weights(seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(48, 32, generator=random).bfloat16(), torch.randn(48, generator=random).bfloat16()


def close(found: Tensor, wanted: Tensor) -> bool:
    """To two roundings of bfloat16."""
    return found.dtype == torch.bfloat16 and torch.allclose(found.float(), wanted.float(), rtol=2**-7, atol=2**-6)


@needs_bf16
@pytest.mark.parametrize("shape", [(1, 32), (64, 32), (97, 32), (3, 5, 32)])
@pytest.mark.parametrize(
    "apply",
    [
        lambda it, rows, _: it(rows),
        lambda it, rows, _: it.activated(rows, ACT2FN["gelu"]),
        lambda it, rows, _: it.activated(rows, ACT2FN["relu"]),
        lambda it, rows, _: it.activated(rows, ACT2FN["gelu_new"]),
        lambda it, rows, other: it.plus(rows, other),
    ],
    ids=["alone", "gelu", "relu", "another gelu", "residual"],
)
def test_laid_out_and_plain_agree(shape: tuple[int, ...], apply: Callable[[Product, Tensor, Tensor], Tensor]) -> None:
    rows, other = torch.randn(*shape).bfloat16(), torch.randn(*shape[:-1], 48).bfloat16()
    before = other.clone()
    exact = apply(Plain(*(part.float() for part in weights())), rows.float(), other.float())
    assert close(apply(LaidOut(*weights()), rows, other), exact)
    assert close(apply(Plain(*weights()), rows, other), exact)
    assert torch.equal(other, before)


@needs_bf16
def test_several_that_read_the_same_rows_are_one_product() -> None:
    parts = [nn.Linear(32, out).bfloat16() for out in (16, 24)]
    rows = torch.randn(7, 32).bfloat16()
    found = product(*parts)
    assert isinstance(found, LaidOut)
    with torch.inference_mode():
        assert close(found(rows), torch.cat([F.linear(rows, part.weight, part.bias) for part in parts], 1))


def test_float32_and_other_devices_take_the_public_operations() -> None:
    assert isinstance(product(nn.Linear(32, 16)), Plain)
    assert isinstance(product(nn.Linear(32, 16, device="meta", dtype=torch.bfloat16)), Plain)


def test_a_torch_without_these_operations_takes_the_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert isinstance(product(nn.Linear(32, 16).bfloat16()), Plain)
