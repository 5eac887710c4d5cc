"""The same verbs run a night, and the same servers answer, on lakes of other domains."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.domains.night import DOMAINS, import_verb, run_verbs
from contract.keys import Keys
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from tests.e2e.served import NIGHT, ask, until
from tests.e2e.video_domain import video_id, write_dataset

pytestmark = pytest.mark.slow


def slate_of_the_model(environment: dict[str, str], **query: str) -> dict[str, Any]:
    slate = until(lambda: (s := ask(environment, "/recommend", **query))["level"] == "full" and s, 180)
    assert slate["degraded"] is None
    assert slate["generation"] == live_generation(environment)
    assert len(slate["items"]) == int(query["n"])
    assert query.get("item_id") not in {item["item_id"] for item in slate["items"]}
    assert all(item["title"] for item in slate["items"])
    return dict(slate)


def live_generation(environment: dict[str, str]) -> int:
    """The one that the promotion made beside the night's."""
    with closing(connect(environment["PACE_REDIS__URL"], timeout_seconds=5)) as client:
        pointer = read_pointer(client, Keys("pace"))
    assert 0 < pointer.previous < pointer.generation
    return pointer.generation


def test_a_video_platform_runs_the_same_night_and_gets_slates_by_its_model(
    environment: dict[str, str], serve: Any, tmp_path: Path
) -> None:
    items, events = write_dataset(tmp_path)
    run_verbs([("import_events", "--items", str(items), "--events", str(events)), *NIGHT], environment)
    serve(environment)

    slate = slate_of_the_model(environment, user_id="viewer 2", item_id=video_id("chess", 1), n="5")  # likes chess
    assert sum(item["item_id"].startswith("vid/chess") for item in slate["items"]) >= 3
    assert ask(environment, "/recommend", user_id="a stranger", n="3")["level"] == "popular"


def test_ratings_without_baskets_need_a_scenario_and_nothing_else(
    environment: dict[str, str], serve: Any, tmp_path: Path
) -> None:
    films = DOMAINS["films"]
    environment |= {"PACE_NIGHT__SCENARIO": str(films.scenario)}
    run_verbs([import_verb(films, tmp_path, films=150, users=120), *NIGHT], environment)
    serve(environment)
    slate_of_the_model(environment, user_id="member 7", n="5")


def test_sessions_of_nobody_need_a_scenario_and_nothing_else(
    environment: dict[str, str], serve: Any, tmp_path: Path
) -> None:
    news = DOMAINS["news"]
    environment |= {"PACE_NIGHT__SCENARIO": str(news.scenario)}
    run_verbs([import_verb(news, tmp_path, articles=150, sessions=1200), *NIGHT], environment)
    serve(environment)

    clicked = ask_popular(environment)
    slate = slate_of_the_model(environment, item_id=clicked, n="5")
    section = clicked.split("/")[0]
    assert sum(item["item_id"].startswith(section) for item in slate["items"]) >= 3


def ask_popular(environment: dict[str, str]) -> str:
    """An article that is read much."""
    popular = until(lambda: ask(environment, "/recommend", n="1"), 180)
    return str(popular["items"][0]["item_id"])
