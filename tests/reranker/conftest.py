"""A tiny base model and networks of it, made once."""

from pathlib import Path

import pytest

from reranker.encoding import TextEncoder, base_text_encoder
from tests.colour_shop import write_base_model


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def encoder(base: Path) -> TextEncoder:
    return base_text_encoder(base, query_tokens=20, item_tokens=8)
