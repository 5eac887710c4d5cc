from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import collate
from reranker.start import start_network
from reranker.throughput import Throughput, matrix_rate, training_flops
from tests.colour_shop import query


def test_the_operations_are_those_that_torch_counts_but_for_the_head(base: Path, encoder: TextEncoder) -> None:
    example = as_example(query(1), encoder)
    network = start_network(base, encoder, [example], seed=1)
    one = example.take(np.array([0]))
    batch = collate([one], encoder, torch.device("cpu"))
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        network.encode(batch.pairs)
    tokens = np.array([batch.pairs.laid_out().ids.shape[1]])
    assert training_flops(network, frozen_layers=4, tokens=tokens) == counted.get_total_flops()
    assert training_flops(network, frozen_layers=0, tokens=tokens) == 3 * counted.get_total_flops()


def test_the_share_is_of_what_all_devices_could_do() -> None:
    rate = matrix_rate(torch.device("cpu"), None)
    assert rate > 1e8
    found = Throughput(pairs=300, flops=rate, seconds=2.0).metrics(torch.device("cpu"), None, devices=2)
    assert found == {"pairs_per_second": 150.0, "matrix_rate_share": pytest.approx(0.25)}
