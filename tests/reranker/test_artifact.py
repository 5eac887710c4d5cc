import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import safetensors.torch
import torch

from contract.errors import ArtifactMismatch, PacesetterError
from contract.records import ItemRecord
from reranker.artifact import CONTENT, read_artifact, write_artifact
from reranker.loading import load_network, load_reranker
from reranker.manifest import FORMAT, MANIFEST, FileEntry, canonical, is_version, read_manifest, seal
from reranker.network import CrossEncoder
from reranker.texts import TEMPLATE_VERSION
from reranker.weights import pack_weights, unpack_network
from tests.colour_shop import DAY
from tests.scenarios import SAMPLE, template

Copy = Callable[[], Path]


def refused(directory: Path, reason: str) -> None:
    with pytest.raises(ArtifactMismatch, match=reason):
        load_reranker(directory, "cpu", 1)


def reseal(directory: Path, content: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """Make the directory one whose manifest vouches for other content or says other things: a consistent lie."""
    manifest = read_manifest(directory)
    files = dict(manifest.files)
    for name, raw in (content or {}).items():
        (directory / name).write_bytes(raw)
        files[name] = FileEntry(len(raw), hashlib.sha256(raw).hexdigest())
    sealed = seal(msgspec.structs.replace(manifest, **{"files": files, **changes}))
    (directory / MANIFEST).write_bytes(canonical(sealed))
    return directory.rename(directory.with_name(sealed.version))


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return dict(safetensors.torch.load((directory / "model.safetensors").read_bytes()))


def test_an_artifact_holds_what_the_issue_of_a_model_needs(exported: Path) -> None:
    manifest = read_manifest(exported)
    assert is_version(exported.name)
    assert exported.name == manifest.version == f"20240331-{manifest.digest[:12]}"
    assert {path.name for path in exported.iterdir()} == {MANIFEST, *CONTENT}
    assert (manifest.role, manifest.date, manifest.layers, manifest.base_model) == ("student", DAY, 4, "tiny")
    assert (manifest.template_version, manifest.query_tokens, manifest.item_tokens) == (TEMPLATE_VERSION, 20, 8)
    assert manifest.text_template == SAMPLE.text
    assert manifest.metrics == {"validation_ndcg10": 0.25}
    assert {weight.dtype for weight in weights(exported).values()} == {torch.float16}


def test_an_artifact_loads_as_the_network_it_was_made_of(exported: Path) -> None:
    manifest, network, encoder = load_network(exported)
    assert network.layers == manifest.layers
    assert pack_weights(network) == (exported / "model.safetensors").read_bytes()
    assert encoder.item(ItemRecord("i", "Red mug")) == (2417, 14757)


def test_a_resealed_copy_that_says_the_truth_loads(copied: Copy) -> None:
    """The lies below are refused for what they say, not for how they are told."""
    assert load_reranker(reseal(copied(), base_model="renamed"), "cpu", 1).manifest.base_model == "renamed"


@pytest.mark.parametrize("name", [MANIFEST, *CONTENT])
@pytest.mark.parametrize("place", [0.0, 0.33, 0.5, 0.77, 1.0])
def test_a_flipped_bit_is_refused(copied: Copy, name: str, place: float) -> None:
    path = copied() / name
    raw = bytearray(path.read_bytes())
    raw[int(place * (len(raw) - 1))] ^= 4
    path.write_bytes(raw)
    refused(path.parent, name)


@pytest.mark.parametrize("name", [MANIFEST, *CONTENT])
def test_a_file_cut_off_or_missing_is_refused(copied: Copy, name: str) -> None:
    path = copied() / name
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    refused(path.parent, name)
    path.unlink()
    refused(path.parent, name)


def test_a_file_that_is_a_link_is_refused(copied: Copy, tmp_path: Path) -> None:
    path = copied() / "golden.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    refused(path.parent, "golden.json: missing, or no plain file")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pkl", ".hidden"])
def test_a_file_that_nobody_vouches_for_is_refused(copied: Copy, name: str) -> None:
    directory = copied()
    (directory / name).write_bytes(pickle.dumps(print))
    refused(directory, f"unknown file {name}")


def test_a_directory_of_another_name_is_refused(copied: Copy) -> None:
    directory = copied()
    refused(directory.rename(directory.with_name("20240331-ffffffffffff")), "a directory bears its version")


def test_no_directory_at_all_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "20240331-ffffffffffff", "manifest.json cannot be read")


def test_a_manifest_that_vouches_for_a_file_too_many_is_refused(copied: Copy) -> None:
    refused(reseal(copied(), {"model.pkl": pickle.dumps({})}), "it names .*model.pkl")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"template_version": "0"}, "text template version is 0, but here it is"),
        ({"feature_view": "0"}, "feature view is 0, but here it is"),
        ({"tokenizer_sha256": "0" * 64}, "tokenizer hash is 000"),
        ({"format": 99}, "format 99, but this code reads 5; train a new model"),
        ({"layers": 5}, "config.json of .* has 4 layers, its manifest 5 with a shape of 4"),
        ({"shape": ()}, "config.json of .* has 4 layers, its manifest 4 with a shape of 0"),
        ({"shape": ((4, 64),) * 3 + ((5, 64),)}, r"shape of layer 3 is \(5, 64\): of \(4, 64\) heads and neurons"),
        ({"shape": ((0, 64),) * 4}, r"shape of layer 0 is \(0, 64\)"),
        ({"shape": ((4, 64),) * 3 + ((4, 56),)}, r"layer.3.\S+dense.\S+ is .*64.*, not float16 .*56"),
        ({"shape": ((4, 64),) * 3 + ((3, 64),)}, r"layer.3.attention.\S+ is .*32.*, not float16 .*24"),
        ({"feature_mean": (0.0,)}, "feature names, means and deviations"),
        ({"special_tokens": (102, 101, 0)}, "golden pairs: the final scores differ"),
        ({"item_tokens": 1}, "golden pairs: the final scores differ"),
        ({"template": template("categories").model_dump(mode="json")}, "golden pairs: the final scores differ"),
        ({"template": {"item": ["name"]}}, "its text template: .*no part 'name'"),
    ],
)
def test_a_model_made_for_something_else_is_refused(copied: Copy, changes: dict[str, Any], reason: str) -> None:
    refused(reseal(copied(), **changes), reason)


def test_a_model_of_before_templates_is_refused_for_its_format(copied: Copy) -> None:
    directory = copied()
    manifest = json.loads((directory / MANIFEST).read_text())
    del manifest["template"]
    (directory / MANIFEST).write_text(json.dumps({**manifest, "format": 1}))
    refused(directory, f"format 1, but this code reads {FORMAT}; train a new model")


def test_features_of_another_scale_are_refused_by_the_golden_scores(copied: Copy) -> None:
    directory = copied()
    mean = np.array(read_manifest(directory).feature_mean)
    refused(reseal(directory, feature_mean=tuple((mean + 1).tolist())), "golden pairs: the final scores differ")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(copied: Copy, value: float) -> None:
    directory = copied()
    found = weights(directory)
    found["text.weight"][0, 3] = value
    refused(
        reseal(directory, {"model.safetensors": safetensors.torch.save(found)}), "weight text.weight holds NaN or inf"
    )


def test_other_weights_than_those_of_the_golden_scores_are_refused(copied: Copy) -> None:
    directory = copied()
    found = weights(directory)
    found["text.weight"] = -found["text.weight"]
    refused(reseal(directory, {"model.safetensors": safetensors.torch.save(found)}), "golden pairs: the")


def dropped(found: dict[str, torch.Tensor]) -> None:
    del found["text.bias"]


def added(found: dict[str, torch.Tensor]) -> None:
    found["surprise"] = torch.zeros(1, dtype=torch.float16)


def reshaped(found: dict[str, torch.Tensor]) -> None:
    found["text.weight"] = found["text.weight"][:, :-1].contiguous()


def widened(found: dict[str, torch.Tensor]) -> None:
    found["text.weight"] = found["text.weight"].float()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (dropped, "weight text.bias is missing"),
        (added, "weight surprise is unknown"),
        (reshaped, r"weight text.weight is torch.float16 \(1, 31\), not float16 \(1, 32\)"),
        (widened, "weight text.weight is torch.float32"),
    ],
)
def test_weights_of_another_network_are_refused(
    copied: Copy, change: Callable[[dict[str, torch.Tensor]], None], reason: str
) -> None:
    directory = copied()
    found = weights(directory)
    change(found)
    refused(reseal(directory, {"model.safetensors": safetensors.torch.save(found)}), reason)


class Bomb:
    """Its unpickling leaves a trace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["PACESETTER_TEST_TRACE"],)


def test_a_pickle_in_place_of_safetensors_is_refused_and_never_opened(
    copied: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACESETTER_TEST_TRACE", str(tmp_path / "trace"))
    refused(reseal(copied(), {"model.safetensors": pickle.dumps(Bomb())}), "is no safetensors file")
    assert not (tmp_path / "trace").exists()


def test_truncated_safetensors_that_a_manifest_vouches_for_are_refused(copied: Copy) -> None:
    directory = copied()
    raw = (directory / "model.safetensors").read_bytes()
    refused(reseal(directory, {"model.safetensors": raw[:-100]}), "is no safetensors file")


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("golden.json", b"[]", "no golden pairs"),
        ("golden.json", b'[{"user": 3}]', "golden.json of model"),
        ("config.json", b"not json", "config.json of model"),
        ("config.json", b'{"model_type": "gpt2"}', "describes no encoder"),
        ("config.json", b'{"model_type": "bert", "hidden_size": 30, "num_attention_heads": 4}', "describes no encoder"),
    ],
)
def test_content_that_makes_no_sense_is_refused(copied: Copy, name: str, raw: bytes, reason: str) -> None:
    refused(reseal(copied(), {name: raw}), reason)


def test_a_tokenizer_that_is_none_is_refused(copied: Copy) -> None:
    raw = b'{"model": 3}'
    changed = reseal(copied(), {"tokenizer.json": raw}, tokenizer_sha256=hashlib.sha256(raw).hexdigest())
    refused(changed, "tokenizer.json does not load")


def test_another_tokenizer_is_refused_by_the_golden_scores(copied: Copy) -> None:
    directory = copied()
    tokenizer = json.loads((directory / "tokenizer.json").read_bytes())
    words = tokenizer["model"]["vocab"]
    words["red"], words["blue"], words["mug"] = words["blue"], words["mug"], words["red"]
    raw = json.dumps(tokenizer).encode()
    changed = reseal(directory, {"tokenizer.json": raw}, tokenizer_sha256=hashlib.sha256(raw).hexdigest())
    refused(changed, "golden pairs: the")


def test_writing_the_same_artifact_again_is_the_same_artifact(exported: Path) -> None:
    artifact = read_artifact(exported)
    assert write_artifact(exported.parent, artifact.manifest, artifact.content) == exported
    assert [path.name for path in exported.parent.iterdir()] == [exported.name]


def test_a_write_that_fails_half_way_leaves_nothing(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, synced = read_artifact(exported), []

    def full_disk(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_artifact(tmp_path / "models", artifact.manifest, artifact.content)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_weight_that_float16_cannot_hold_is_not_exported(exported: Path) -> None:
    network: CrossEncoder = unpack_network(read_artifact(exported))
    with torch.no_grad():
        network.text.bias.fill_(1e6)
    with pytest.raises(PacesetterError, match=r"weight text\.bias is not finite in float16"):
        pack_weights(network)
