"""Products with weights that were laid out once are those of torch's public operations."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.activations import ACT2FN

from reranker import products
from reranker.products import LaidOut, Plain, Product, laid_out_works, product

needs_bf16 = pytest.mark.skipif(not laid_out_works(), reason="no oneDNN for bfloat16 here")


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
        lambda it, rows, other: it.plus(rows, other),
    ],
    ids=["alone", "gelu", "residual"],
)
def test_laid_out_and_plain_agree(shape: tuple[int, ...], apply: Callable[[Product, Tensor, Tensor], Tensor]) -> None:
    random = torch.Generator().manual_seed(1)
    rows, other = (torch.randn(*shape[:-1], width, generator=random).bfloat16() for width in (32, 48))
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


def refused(*_: object) -> Tensor:
    raise RuntimeError("mkldnn_linear_pointwise: no bfloat16 here")


@pytest.mark.parametrize(
    ("name", "instead"),
    [("__init__", refused), ("plus", refused), ("_product", lambda _, rows, after, form: 2 * rows)],
    ids=["none", "not all of them", "wrong"],
)
def test_where_these_operations_do_not_work_the_public_ones_are_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, instead: Callable[..., object]
) -> None:
    monkeypatch.setattr(products, "laid_out_works", laid_out_works.__wrapped__)
    monkeypatch.setattr(LaidOut, name, instead)
    assert isinstance(product(nn.Linear(32, 16).bfloat16()), Plain)


def test_a_product_of_one_copies_no_weights() -> None:
    linear = nn.Linear(32, 16)
    plain = product(linear)
    assert isinstance(plain, Plain)
    assert plain._weight.data_ptr() == linear.weight.data_ptr()


@needs_bf16
def test_of_activations_exact_gelu_alone_goes_into_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    laid, rows = LaidOut(*weights()), torch.linspace(-3, 3, 64).view(2, 32).bfloat16()
    separate = laid(rows)
    inside: list[str] = []
    whole = LaidOut._product

    def seen(it: LaidOut, given: Tensor, after: str, form: str) -> Tensor:
        inside.append(after)
        return whole(it, given, after, form)

    monkeypatch.setattr(LaidOut, "_product", seen)
    for name in ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_python", "gelu_10", "quick_gelu", "relu", "silu"):
        inside.clear()
        found = laid.activated(rows, ACT2FN[name])
        assert inside == ["gelu" if name == "gelu" else "none"], name
        assert name == "gelu" or torch.equal(found, ACT2FN[name](separate)), name
