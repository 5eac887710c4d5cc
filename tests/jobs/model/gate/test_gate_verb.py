"""The gate on models of the colour shop, with a real pointer."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml

from contract.errors import ArtifactMismatch, BadInput, GateRefused
from contract.keys import Keys
from contract.settings import Gate, Settings
from contract.store.publisher import set_model
from jobs.model.evaluation import ORDER, STUDENT, read_evaluation, write_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.gate import verb as gate
from jobs.model.gate.record import GateRecord, read_record
from jobs.model.per_query import PerQuery, read_per_query, write_per_query
from tests.jobs.model.conftest import Challenge
from tests.jobs.model.shop_models import backwards, export_student, run, silent
from tests.scenarios import scenario


def judged(settings: Settings, folders: ModelFolders, version: str = "") -> GateRecord:
    run(gate, settings, "--version", version or folders.newest_evaluated())
    return read_record(folders.gate_record(version or folders.newest_evaluated()))


def refused(settings: Settings, folders: ModelFolders, version: str = "") -> GateRecord:
    with pytest.raises(GateRefused):
        judged(settings, folders, version)
    return read_record(folders.gate_record(version or folders.newest_evaluated()))


def with_gate(settings: Settings, **changed: Any) -> Settings:
    return settings.model_copy(update={"gate": settings.gate.model_copy(update=changed)})


def test_a_first_model_is_compared_with_the_candidate_order(shop: Settings, folders: ModelFolders, capsys: Any) -> None:
    record = judged(shop, folders)
    order, baseline = record.comparisons
    assert (order.against, order.note, order.required) == (ORDER, "no model is live", True)
    assert order.bound is not None
    assert order.bound > 0
    assert (record.admitted, record.reasons, record.live, record.champion) == (True, [], "", "")
    assert (baseline.against, baseline.required) == ("LambdaMART without text", False)
    assert "trained on 40 queries, fewer than the 5000 of PACE_GATE__BASELINE_FROM" in baseline.note
    assert "admitted" in capsys.readouterr().out


def test_the_record_holds_every_input(shop: Settings, folders: ModelFolders) -> None:
    record = judged(shop, folders)
    found = read_evaluation(folders.evaluation(record.version))
    assert (record.digest, record.date, record.task) == (found.digest, found.date, "basket")
    assert record.comparisons[0].ndcg10 == pytest.approx(found.rankers[STUDENT].ndcg10.mean)
    assert record.comparisons[0].other_ndcg10 == pytest.approx(found.rankers[ORDER].ndcg10.mean)
    assert (record.latency.queries, record.latency.candidates, record.latency.budget_ms) == (4, 9, 5000.0)
    assert 0 < record.latency.p50_ms <= record.latency.p95_ms <= record.latency.p99_ms
    assert "cores" in record.latency.machine
    assert 0 <= record.parity.difference <= record.parity.allowed
    assert (record.scores.pairs, record.scores.not_finite) == (36, 0)
    assert record.settings["tolerance"] == 0.01
    assert record.settings["rerank_depth"] == 50
    assert "evaluated on the first 9 candidates, served on 50" in record.warnings
    assert len(record.evaluation_sha256) == 64


def test_a_model_worse_than_the_champion_is_refused_with_numbers(
    shop: Settings, folders: ModelFolders, client: Any, challenge: Challenge
) -> None:
    """The champion was never evaluated on these queries, so that the gate scores it."""
    champion = folders.newest_evaluated()
    set_model(client, Keys("test"), champion)
    challenge(backwards)
    folders.evaluation(champion).unlink()
    record = refused(shop, folders)
    assert (record.live, record.champion) == (champion, champion)
    assert champion.endswith(record.champion_digest[:12])
    assert record.comparisons[0].against == f"champion {champion}"
    (reason,) = record.reasons
    assert reason.startswith(f"worse than champion {champion}: NDCG@10 ")
    assert record.comparisons[0].other_ndcg10 > record.comparisons[0].ndcg10


def test_a_champion_scored_here_gets_what_its_evaluation_found(
    shop: Settings, folders: ModelFolders, client: Any, challenge: Challenge
) -> None:
    champion = folders.newest_evaluated()
    wanted = read_evaluation(folders.evaluation(champion)).rankers[STUDENT].ndcg10.mean
    set_model(client, Keys("test"), champion)
    challenge()
    taken = judged(shop, folders)
    folders.per_query(champion).unlink()
    scored = judged(shop, folders)
    for record in (taken, scored):
        assert record.comparisons[0].against == f"champion {champion}"
        assert record.comparisons[0].other_ndcg10 == pytest.approx(wanted)
        assert record.comparisons[0].bound == 0.0, "the same weights"


def test_figures_of_other_queries_are_not_compared_with(
    shop: Settings, folders: ModelFolders, client: Any, challenge: Challenge
) -> None:
    """The champion's own file says something else of the candidate order: it is of other candidates."""
    champion = folders.newest_evaluated()
    single = read_per_query(folders.per_query(champion))
    spoilt = {name: np.zeros_like(values) for name, values in single.ndcg10.items()}
    set_model(client, Keys("test"), champion)
    challenge()
    write_per_query(folders.per_query(champion), PerQuery(single.query_ids, spoilt))
    assert judged(shop, folders).comparisons[0].other_ndcg10 > 0


def test_a_champion_that_no_ranker_can_load_gives_its_place_to_the_candidate_order(
    shop: Settings, folders: ModelFolders, client: Any
) -> None:
    set_model(client, Keys("test"), "20240101-000000000000")
    record = judged(shop, folders)
    assert record.comparisons[0].against == ORDER
    assert (record.live, record.champion) == ("20240101-000000000000", "")
    told = "candidate order: the live model 20240101-000000000000 does not load here, so no ranker serves it"
    assert any(warning.startswith(told) for warning in record.warnings)


def test_from_enough_training_queries_on_lambdamart_is_required(shop: Settings, folders: ModelFolders) -> None:
    version = folders.newest_evaluated()
    single = read_per_query(folders.per_query(version))
    better = {**single.ndcg10, "LambdaMART without text": np.ones(len(single.query_ids))}
    write_per_query(folders.per_query(version), PerQuery(single.query_ids, better))
    assert "not required" in " ".join(judged(shop, folders).warnings)
    record = refused(with_gate(shop, baseline_from=40), folders)
    assert record.comparisons[1].required
    assert record.reasons[0].startswith("worse than LambdaMART without text")


def test_the_baseline_is_fitted_where_the_evaluation_has_it_not(shop: Settings, folders: ModelFolders) -> None:
    wanted = judged(shop, folders).comparisons[1]
    version = folders.newest_evaluated()
    single = read_per_query(folders.per_query(version))
    without = {name: values for name, values in single.ndcg10.items() if name != "LambdaMART without text"}
    write_per_query(folders.per_query(version), PerQuery(single.query_ids, without))
    assert judged(shop, folders).comparisons[1] == wanted


def test_a_model_beyond_the_latency_budget_is_refused(shop: Settings, folders: ModelFolders) -> None:
    (reason,) = refused(with_gate(shop, latency_budget_ms=0.001), folders).reasons
    assert reason.startswith("too slow: ")


def test_a_collapsed_model_is_refused(shop: Settings, folders: ModelFolders, challenge: Challenge) -> None:
    """It keeps the candidate order, so that the comparison alone would admit it."""
    challenge(silent)
    record = refused(shop, folders)
    assert record.comparisons[0].holds
    assert record.reasons == ["it has collapsed: every candidate of a query gets the same score (36 pairs scored)"]


def test_an_evaluation_of_another_artifact_or_task_is_refused(
    shop: Settings, folders: ModelFolders, tmp_path: Path
) -> None:
    version = folders.newest_evaluated()
    found = read_evaluation(folders.evaluation(version))
    write_evaluation(folders.evaluation(version), msgspec.structs.replace(found, digest="0" * 64))
    assert refused(shop, folders).reasons[0].startswith("its evaluation is of another artifact (000000000000)")
    write_evaluation(folders.evaluation(version), found)
    other = tmp_path / "scenario.yaml"
    other.write_text(yaml.safe_dump(scenario(task="next_visit").model_dump(mode="json")))
    visits = shop.model_copy(update={"night": shop.night.model_copy(update={"scenario": str(other)})})
    (reason,) = refused(visits, folders).reasons
    assert reason.startswith("its evaluation is of the task basket, not of next_visit (`task` in PACE_NIGHT__SCENARIO)")


def test_a_model_that_does_not_load_leaves_no_verdict(shop: Settings, folders: ModelFolders) -> None:
    version = judged(shop, folders).version
    weights = folders.student(version) / "model.safetensors"
    raw = weights.read_bytes()
    weights.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(ArtifactMismatch, match="its sha256 is not the manifest's"):
        run(gate, shop)
    assert not folders.gate_record(version).exists()


def test_queries_that_are_no_longer_those_of_the_evaluation_are_refused(
    shop: Settings, folders: ModelFolders, client: Any, challenge: Challenge
) -> None:
    set_model(client, Keys("test"), folders.newest_evaluated())
    challenge()
    folders.per_query(folders.versions()[0]).unlink()
    reseeded = shop.model_copy(update={"night": shop.night.model_copy(update={"seed": 4})})
    with pytest.raises(BadInput, match=r"are not those that model .* was evaluated on: other training pairs, or other"):
        judged(reseeded, folders)


def test_a_model_without_an_evaluation_is_refused(shop: Settings, folders: ModelFolders) -> None:
    version = export_student(shop, created_at=1_711_900_100.0)
    with pytest.raises(BadInput, match="the model has no evaluation; run `python -m jobs evaluate` first"):
        run(gate, shop, "--version", version)


def test_the_settings_are_what_the_gate_documents() -> None:
    with pytest.raises(ValueError, match="confidence"):
        Gate(confidence=1.0)
