"""The figures with an aim, out of what an evaluation and a manifest say."""

from typing import Any

from benchmarks.quality import summary
from benchmarks.quality_page import page


def estimate(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high}


def found() -> dict[str, Any]:
    means = {
        "student": 0.27,
        "teacher": 0.25,
        "teacher, text alone": 0.1,
        "item-kNN": 0.135,
        "LambdaMART without text": 0.25,
        "candidate order": 0.2,
    }
    rare = {"student": 0.012, "LambdaMART without text": 0.006, "item-kNN": 0.01, "candidate order": 0.007}
    row = {"mrr": {"mean": 0.5}, "hit10": {"mean": 0.6}}
    basket = {
        "queries": 100,
        "rankers": {name: {**row, "ndcg10": estimate(mean, mean - 0.1, mean + 0.1)} for name, mean in means.items()},
        "segments": {"new or rare items": {"ndcg10": {name: estimate(mean, 0, 1) for name, mean in rare.items()}}},
        "differences": [
            {
                "of": "student",
                "less": "LambdaMART without text",
                "ndcg10": estimate(0.02, 0.01, 0.03),
                "segments": {"new or rare items": estimate(0.006, -0.001, 0.01)},
            },
            {"of": "student", "less": "teacher", "ndcg10": estimate(-0.001, -0.005, 0.002)},
            {"of": "student, text alone", "less": "teacher, text alone", "ndcg10": estimate(-0.02, -0.03, -0.01)},
            {"of": "student at fast", "less": "LambdaMART without text", "ndcg10": estimate(0.01, 0.0, 0.02)},
            {"of": "student at fast", "less": "teacher", "ndcg10": estimate(-0.01, -0.02, 0.0)},
            {
                "of": "student at fast, text alone",
                "less": "teacher, text alone",
                "ndcg10": estimate(-0.005, -0.01, 0.0),
            },
        ],
    }
    return {
        "machine": {
            "cores": 2, "cpu": "a CPU", "memory_gib": 23.5, "kernel": "Linux 6", "python": "3.11", "load_before": [0.1],
        },
        "seconds": {"train": 600.0},
        "tasks": {"basket": basket},
        "learned": "basket",
        "depth": 100,
        "recall": {"test basket": {"covisitation alone": {"100": 0.3}, "all": {"100": 0.45}}},
        "pruning": {
            "speedup": 2.016,
            "measured_in": "float32",
            "loss_final": estimate(0.004, -0.01, 0.02),
            "loss_text": estimate(0.2, 0.1, 0.3),
        },
        "levels": [{"name": "full", "flops": 0.1}, {"name": "fast", "flops": 0.01}],
        "states": {"kind": "int8", "correlation": 0.9999, "width": 768},
        "validation_queries": 300,
    }  # fmt: skip


def test_ratios_are_of_the_learned_task_and_of_rare_items() -> None:
    told = summary(found())
    assert told["stack_over_item_knn"] == 2.0
    assert told["stack_over_lambdamart_no_text"] == 1.08
    assert told["rare_over_lambdamart_no_text"] == 2.0
    assert told["recall_over_covisitation"] == 1.5
    assert told["student_speedup"] == 2.02
    assert told["ndcg10"]["basket"]["student"] == 0.27
    assert told["level_loss"] == {
        "full": {"final": estimate(0.004, -0.008, 0.02), "text": estimate(0.2, 0.1, 0.3)},
        "fast": {"final": estimate(0.04, 0.0, 0.08), "text": estimate(0.05, 0.0, 0.1)},
    }
    assert told["fast_less_lambdamart_no_text"] == estimate(0.01, 0.0, 0.02)


def test_a_ratio_to_nothing_is_none() -> None:
    what = found()
    what["tasks"]["basket"]["segments"] = {}
    assert summary(what)["rare_over_lambdamart_no_text"] is None


def test_the_page_says_which_aims_were_missed() -> None:
    what = found()
    text = page(what, summary(what))
    assert "| stack over item knn | 1.2 or more | 2.0 | met |" in text
    assert "| stack less LambdaMART without text | interval above 0 | 0.0200 [0.0100, 0.0300] | met |" in text
    assert "| student speedup | 2.5 or more | 2.02 | **missed** |" in text
    assert "| loss of level full, text score | 1% or less | 0.2000 [0.1000, 0.3000] | **missed** |" in text
    assert "| loss of level fast, text score | 10% or less | 0.0500 [0.0000, 0.1000] | met |" in text
    assert "0.100 at `full` and 0.010 at `fast`" in text
    assert text.index("| student | 0.2700") < text.index("| LambdaMART without text | 0.2500")
