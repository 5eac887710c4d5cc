from pathlib import Path

from benchmarks.generated_pairs import DAY, generate, write_base_model
from benchmarks.training_memory import page
from jobs.lake import Lake
from jobs.model.dataset import read_queries
from reranker.encoders import load_base_encoder
from reranker.encoding import base_model_directory


def test_generated_pairs_are_training_queries(tmp_path: Path) -> None:
    lake = Lake(str(generate(tmp_path / "lake", 3)))
    found = read_queries(lake, DAY, "train", "basket", 10, 3, 100, hit=True)
    assert [query.query_id for query in found] == ["q0000000", "q0000001", "q0000002"]
    assert all(query.hits.sum() == 3 for query in found)


def test_the_generated_base_model_loads(tmp_path: Path) -> None:
    base = base_model_directory(str(write_base_model(tmp_path / "base")))
    assert load_base_encoder(base).config.num_hidden_layers == 2


def test_the_page_tells_the_growth() -> None:
    machine = {"cpu": "C", "cores": 2, "memory_gib": 8.0, "kernel": "L", "python": "3", "load_before": [0.1, 0.1, 0.1]}
    runs = [
        {"queries": queries, "pairs_mib": 1.0, "peak_mib": peak, "seconds": 1.0, "cpu_seconds": 1.0}
        for queries, peak in ((2500, 500), (25000, 510))
    ]
    text = page({"machine": machine, "runs": runs, "growth": 1.02})
    assert "| 25,000 | 1 | 510 | 1 |" in text
    assert "Ten times the data takes 1.02 times the memory." in text
