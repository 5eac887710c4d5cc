"""Generated: a film club. Users rate films from 1 to 5, there are no sessions and no baskets, and plots are long.

What is in it to be found: each user likes two of twelve themes and one of the directors. A theme shows in words of the
title and of the plot alone, never in a category; each film uses other words of its theme, so that whoever knows what
words mean has an advantage. Films come out over the whole time: the newer ones are known by few ratings.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_WORDS = {
    "sea": "harbour lighthouse sailor tide trawler storm anchor island captain shipwreck reef gull",
    "kitchen": "recipe oven baker chef banquet spice cellar bread restaurant knife orchard feast",
    "court": "trial judge verdict lawyer witness prison appeal jury sentence alibi evidence prosecutor",
    "mountain": "summit glacier avalanche rope climber valley ridge shepherd snow cabin precipice sherpa",
    "music": "violin orchestra conductor melody piano concert composer opera rehearsal cello choir jazz",
    "space": "orbit astronaut rocket comet station planet gravity satellite crater telescope alien moon",
    "war": "trench soldier battle general siege medal barracks bomber truce deserter frontier rifle",
    "school": "teacher classroom pupil exam blackboard headmaster lesson homework library playground term essay",
    "sport": "boxer marathon stadium coach goalkeeper medalist sprint referee league racket champion relay",
    "money": "banker heist vault ledger auction fortune debt stockbroker forger inheritance gold swindle",
    "animals": "wolf stallion falcon kennel zookeeper elephant fox herd hound stable otter beekeeper",
    "machines": "robot engine factory inventor locomotive gear circuit clockwork android turbine welder computer",
}
THEMES = {theme: words.split() for theme, words in _WORDS.items()}
GENRES = ("drama", "comedy", "thriller", "documentary")
DIRECTORS = tuple(f"{first} {last}" for first in ("Ada", "Bo", "Chen", "Dina") for last in ("Marsh", "Okafor", "Lind"))
PLACES = ("village", "city", "suburb", "border", "province", "capital", "coast", "colony", "county", "district")
TITLES = ("The Last {}", "{} at Dawn", "A {} for Two", "Beyond the {}", "My Father's {}", "{} and Ashes", "The {} Year")
FILLER = (
    "In a {place} where nothing has happened for years, two strangers meet over a {word}.",
    "What begins with a {word} ends with a question that nobody in the {place} dares to ask.",
    "Years later, a {word} brings the family back together, though not as any of them had hoped.",
    "Critics called it slow, and audiences stayed for the scene with the {word} all the same.",
    "Everyone remembers the {word}; hardly anyone remembers who paid for it.",
    "Shot in one autumn in a small {place}, with amateurs and one borrowed {word}.",
)
LAST_DAY = datetime(2024, 6, 30, tzinfo=UTC)
DAYS = 180


def write_dataset(folder: Path, films: int = 500, users: int = 600, seed: int = 5) -> tuple[Path, Path]:
    """JSON lines of items and events under `folder`; returns their paths."""
    draw = random.Random(seed)
    catalogue = [_film(number, films, draw) for number in range(films)]
    items, events = folder / "films.jsonl", folder / "ratings.jsonl"
    items.write_text("".join(json.dumps(film["row"]) + "\n" for film in catalogue))
    with events.open("w") as out:
        for user in range(users):
            for row in _ratings(user, catalogue, draw):
                out.write(json.dumps(row) + "\n")
    return items, events


def _film(number: int, films: int, draw: random.Random) -> dict[str, Any]:
    theme, director = draw.choice(list(THEMES)), draw.choice(DIRECTORS)
    words = draw.sample(THEMES[theme], 5)
    title = draw.choice(TITLES).format(words[0].capitalize())
    plot = " ".join(
        # One sentence in four is about something else: no plot is of its theme alone.
        draw.choice(FILLER).format(
            place=draw.choice(PLACES),
            word=draw.choice(words if draw.random() < 0.75 else THEMES[draw.choice(list(THEMES))]),
        )
        for _ in range(draw.randrange(20, 40))
    )
    # Two films in three are older than the club.
    released = max(-1, int((number / films - 0.67) * 3 * DAYS))
    row = {
        "item_id": f"film-{number:04}",
        "title": title,
        "text": plot,
        "categories": [draw.choice(GENRES)],
        "attributes": {"director": director, "minutes": str(draw.randrange(80, 150))},
        "updated_at": (LAST_DAY - timedelta(days=DAYS - released, hours=1)).isoformat(),
    }
    return {
        "row": row, "theme": theme, "director": director, "released": released, "fame": draw.paretovariate(2.0)
    }  # fmt: skip


def _ratings(user: int, catalogue: list[dict[str, Any]], draw: random.Random) -> Iterator[dict[str, Any]]:
    themes, director = draw.sample(list(THEMES), 2), draw.choice(DIRECTORS)
    liked = [(film["theme"] in themes) + 0.7 * (film["director"] == director) for film in catalogue]
    weights = [film["fame"] * (1 + 6 * like) for film, like in zip(catalogue, liked, strict=True)]
    seen: set[int] = set()
    for day in sorted(draw.sample(range(DAYS), draw.randrange(12, 30))):
        start = LAST_DAY - timedelta(days=DAYS - 1 - day) + timedelta(hours=19, minutes=draw.randrange(120))
        out = [place for place, film in enumerate(catalogue) if film["released"] <= day and place not in seen]
        evening = draw.choices(out, [weights[place] for place in out], k=draw.randrange(1, 4))
        for place, film in enumerate(dict.fromkeys(evening)):
            seen.add(film)
            value = min(5, max(1, round(2.6 + 1.9 * min(liked[film], 1) + draw.gauss(0, 0.8))))
            yield {
                "event_id": f"{user}-{day}-{place}",
                "ts": (start + timedelta(minutes=2 * place)).isoformat(),
                "type": "rating",
                "user_id": f"member {user}",
                "item_id": catalogue[film]["row"]["item_id"],
                "value": value,
            }
