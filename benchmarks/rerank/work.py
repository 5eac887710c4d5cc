"""The work: queries and documents out of ordinary words. Generated: they mean nothing, but are as long as real ones.

Each word is one wordpiece of all-MiniLM-L6-v2, so that a text's tokens are its words and two special ones.
"""

import functools
import random
from dataclasses import dataclass

SEED = 17
SPECIAL_TOKENS = 2
# Drawn evenly between the ends: 32 tokens a document and 96 a query in the mean, special ones counted.
DOCUMENT_WORDS = (21, 39)
QUERY_WORDS = (85, 103)
CATALOGUE, QUERIES = 5000, 1000

WORDS = tuple(
    """
autumn garden window river mountain kitchen morning silver paper candle basket wooden bridge summer winter bottle
yellow orange purple golden green black white brown small large narrow simple modern ancient quiet bright heavy soft
table chair mirror blanket pillow carpet curtain lamp clock radio camera piano guitar violin drum flute bell whistle
horse rabbit chicken turtle salmon spider beetle pigeon eagle falcon tiger lion monkey elephant dragon kitten puppy
bread butter cheese sugar honey pepper garlic onion potato tomato carrot apple cherry lemon banana peach coffee water
doctor teacher farmer sailor soldier painter writer singer dancer lawyer builder driver hunter baker uncle sister
market station harbour castle temple village museum library theatre hospital factory office school church prison
engine wheel hammer needle ladder shovel bucket rope chain blade handle button pocket sleeve collar jacket sweater
story letter number question answer promise secret danger journey holiday birthday wedding dinner breakfast supper
travel carry gather measure follow listen remember forget borrow return finish choose repair polish wander whisper
under above beside between across without against during before after never always often seldom almost enough together
weather thunder shadow sunlight moonlight desert forest island valley meadow ocean glacier volcano canyon planet
cotton leather velvet copper marble granite plastic rubber glass crystal diamond pearl ribbon thread fabric
""".split()  # noqa: SIM905
)


def documents(count: int, seed: int) -> list[str]:
    """`count` texts of 21 to 39 words. A longer list of the same seed begins with a shorter one."""
    return _texts(count, f"documents {seed}", DOCUMENT_WORDS)


def queries(count: int, seed: int) -> list[str]:
    """`count` texts of 85 to 103 words. A longer list of the same seed begins with a shorter one."""
    return _texts(count, f"queries {seed}", QUERY_WORDS)


def _texts(count: int, seed: str, words: tuple[int, int]) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(*words))) for _ in range(count)]


@dataclass(frozen=True)
class Asked:
    """One request: which query, and the places of its candidates in the catalogue, in the order asked."""

    query: int
    candidates: tuple[int, ...]


class Workload:
    """A catalogue of documents, and requests that each name a query and some documents of it.

    Request k is the same for every system and in every run; a query comes again after `queries` requests.
    """

    def __init__(self, catalogue: int = CATALOGUE, queries_known: int = QUERIES, seed: int = SEED) -> None:
        self.documents = documents(catalogue, seed)
        self.queries = queries(queries_known, seed)
        self._seed = seed

    def request(self, number: int, count: int) -> Asked:
        """Request `number`, of `count` different documents. Raises ValueError where the catalogue has fewer."""
        draw = random.Random(f"request {self._seed} {number} {count}")
        return Asked(number % len(self.queries), tuple(draw.sample(range(len(self.documents)), count)))


@functools.cache
def workload() -> Workload:
    """The one that all systems are measured with."""
    return Workload()
