"""A made-up video platform: another domain, other ids, no prices, no categories, no session ids.

Every viewer likes one of five topics and watches videos of it in evenings of a few clicks; that is
all the structure there is, so a slate for a viewer of a topic should be mostly of that topic.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOPICS = {
    "alps": ("Climbing the north face", "Ridge walk at dawn", "Ice axe basics", "Hut to hut in winter"),
    "bread": ("Sourdough from scratch", "Rye loaf overnight", "Shaping a baguette", "Why dough rests"),
    "chess": ("Rook endings explained", "The quiet Italian", "Pawn breaks in practice", "Mate in three"),
    "diesel": ("Injector pump rebuild", "Cold start repair", "Turbo seals replaced", "Gearbox teardown"),
    "ensembles": ("String quartet rehearsal", "Tuning a viola", "Bowing for cellists", "Score reading live"),
}
VIDEOS_PER_TOPIC = 12
LAST_DAY = datetime(2024, 3, 31, tzinfo=UTC)


def video_id(topic: str, number: int) -> str:
    return f"vid/{topic}:{number:03d}?x=é"


def write_dataset(folder: Path, viewers: int = 60, days: int = 45, seed: int = 3) -> tuple[Path, Path]:
    """JSON lines of items and events; returns their paths."""
    draw = random.Random(seed)
    items, events = folder / "videos.jsonl", folder / "watching.jsonl"
    with items.open("w") as out:
        for topic, titles in TOPICS.items():
            for number in range(VIDEOS_PER_TOPIC):
                title = f"{titles[number % len(titles)]}, part {number // len(titles) + 1}"
                first = LAST_DAY - timedelta(days=days + 5)
                row = {"item_id": video_id(topic, number), "title": title, "updated_at": first.isoformat()}
                out.write(json.dumps(row) + "\n")
    with events.open("w") as out:
        for viewer in range(viewers):
            topic = list(TOPICS)[viewer % len(TOPICS)]
            for day in range(days):
                if draw.random() > 0.4:
                    continue
                start = LAST_DAY - timedelta(days=days - 1 - day) + timedelta(hours=18, minutes=draw.randrange(120))
                for place in range(draw.randrange(2, 5)):
                    seen = topic if draw.random() < 0.9 else draw.choice(list(TOPICS))
                    row = {
                        "event_id": f"{viewer}-{day}-{place}",
                        "ts": (start + timedelta(minutes=4 * place)).isoformat(),
                        "type": "click",
                        "user_id": f"viewer {viewer}",
                        "item_id": video_id(seen, draw.randrange(VIDEOS_PER_TOPIC)),
                    }
                    out.write(json.dumps(row) + "\n")
    return items, events
