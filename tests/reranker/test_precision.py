import pytest
import torch

from reranker.precision import choose_half, half_type

FLOAT, BRAIN, HALF = torch.float32, torch.bfloat16, torch.float16


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({FLOAT: 1.0}, None),
        ({FLOAT: 1.0, BRAIN: 0.9}, None),  # too little for its rounding
        ({FLOAT: 1.0, BRAIN: 0.5}, BRAIN),
        ({FLOAT: 1.0, BRAIN: 0.5, HALF: 0.45}, BRAIN),  # as fast, and without gradient scaling
        ({FLOAT: 1.0, BRAIN: 0.9, HALF: 0.3}, HALF),
        ({FLOAT: 1.0, HALF: 0.5}, HALF),  # a GPU that only emulates bf16
        ({FLOAT: 1.0, BRAIN: 2.0}, None),
    ],
)
def test_the_number_format_is_the_one_that_is_measured_to_pay(
    seconds: dict[torch.dtype, float], chosen: torch.dtype | None
) -> None:
    assert choose_half(seconds) is chosen


def test_a_setting_outranks_the_measurement() -> None:
    assert half_type(torch.device("cpu"), "float32") is None
    assert half_type(torch.device("cpu"), "float16") is torch.float16
    assert half_type(torch.device("cpu"), "auto") in (None, torch.bfloat16)
