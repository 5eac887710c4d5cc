"""Generated: a magazine's archive. Nobody is known: there are session ids and clicks, no users, no prices.

What is in it to be found: a reader follows one story of a section, and clicks what belongs to it. An article's story
shows in the words of its headline and text alone, each time in others; a section holds several stories. Articles come
out every day and are read less as they age.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

_WORDS = {
    "politics": {
        "election": "ballot campaign candidate poll voter turnout recount constituency debate landslide",
        "budget": "deficit tax treasury spending minister austerity pension subsidy revenue borrowing",
        "treaty": "summit ambassador sanctions border ceasefire negotiator accord embassy alliance veto",
    },
    "science": {
        "climate": "glacier emissions drought carbon warming heatwave methane forest flood temperature",
        "medicine": "vaccine hospital trial patient virus surgeon antibody dose clinic therapy",
        "space": "rocket telescope orbit probe asteroid launch astronaut lunar satellite galaxy",
    },
    "culture": {
        "theatre": "stage actor premiere curtain playwright rehearsal audience drama costume director",
        "books": "novel author publisher poet manuscript library translation prize chapter bookshop",
        "cooking": "recipe chef restaurant kitchen flavour bakery harvest cheese menu spice",
    },
    "sport": {
        "football": "striker goalkeeper league penalty stadium transfer derby midfield referee coach",
        "cycling": "peloton sprint mountain stage rider breakaway jersey descent saddle time-trial",
        "chess": "grandmaster opening endgame board tournament pawn checkmate rook blunder clock",
    },
}
STORIES = {section: {story: words.split() for story, words in stories.items()} for section, stories in _WORDS.items()}
HEADLINES = ("{} in doubt as {} looms", "Why the {} matters more than the {}", "{} and {}: a week in review",
             "After the {}, a {}", "Inside the {} that nobody saw behind the {}", "No {} without a {}")  # fmt: skip
SENTENCES = (
    "Observers had expected the {}, but hardly anyone was prepared for what followed.",
    "Questions about the {} remain, and answers are slow to come.",
    "Those who follow the {} closely speak of a turning point.",
    "Only last year the {} would have been unthinkable.",
)
LAST_DAY = datetime(2024, 6, 30, tzinfo=UTC)
DAYS = 120
# Days after which an article is read half as much.
HALF_LIFE_DAYS = 45


def write_dataset(folder: Path, articles: int = 600, sessions: int = 7000, seed: int = 6) -> tuple[Path, Path]:
    """JSON lines of items and events under `folder`; returns their paths."""
    draw = random.Random(seed)
    items, events = folder / "articles.jsonl", folder / "clicks.jsonl"
    of_story: dict[str, list[tuple[int, str, float]]] = {}
    with items.open("w") as out:
        for number in range(articles):
            section = draw.choice(list(STORIES))
            story = draw.choice(list(STORIES[section]))
            words = draw.sample(STORIES[section][story], 6)
            # Half of them are older than the log.
            published = int((2 * number / articles - 1) * DAYS)
            row = {
                "item_id": f"{section}/{number:04}",
                "title": draw.choice(HEADLINES).format(*words[:2]).capitalize(),
                "text": " ".join(draw.choice(SENTENCES).format(draw.choice(words)) for _ in range(12)),
                "categories": [section],
                "updated_at": (LAST_DAY - timedelta(days=DAYS - published, hours=1)).isoformat(),
            }
            out.write(json.dumps(row) + "\n")
            of_story.setdefault(story, []).append((published, row["item_id"], draw.paretovariate(1.5)))
    everything = [article for of_one in of_story.values() for article in of_one]
    with events.open("w") as out:
        for session in range(sessions):
            day = draw.randrange(DAYS)
            start = LAST_DAY - timedelta(days=DAYS - 1 - day) + timedelta(minutes=draw.randrange(1380))
            followed = of_story[draw.choice(list(of_story))]
            for place in range(draw.randrange(2, 7)):
                row = {
                    "event_id": f"{session}-{place}",
                    "ts": (start + timedelta(minutes=3 * place)).isoformat(),
                    "type": "click",
                    "session_id": f"session {session}",
                    "item_id": _clicked(followed if draw.random() < 0.85 else everything, day, draw),
                }
                out.write(json.dumps(row) + "\n")
    return items, events


def _clicked(articles: list[tuple[int, str, float]], day: int, draw: random.Random) -> str:
    out = [(item, fame * 0.5 ** ((day - published) / HALF_LIFE_DAYS)) for published, item, fame in articles
           if published <= day]  # fmt: skip
    return draw.choices([item for item, _ in out], cum_weights=list(accumulate(weight for _, weight in out)))[0]
