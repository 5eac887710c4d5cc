"""`python -m ops.drill.model FOLDER` leaves a model of the shop in FOLDER: three real layers, an untrained head.

What it answers means nothing; how it is computed, and what that costs, is as in any split model.
"""

import itertools
import sys
from pathlib import Path

from contract.errors import PacesetterError
from contract.features import feature_names, pair_features
from contract.scenario import read_scenario
from ops.drill.shop import DAY, SOURCES, Query, Shop
from reranker.depth import level_depths
from reranker.encoding import TextEncoder, base_model_directory, base_text_encoder
from reranker.examples import Example
from reranker.export import export_artifact
from reranker.golden import GoldenQuery
from reranker.manifest import Level, Loss
from reranker.pruning import Cut, pruned
from reranker.split import SplitNetwork
from reranker.start import start_network
from reranker.state_choice import choose_states

SCENARIO = Path(__file__).parents[1] / "scenario.yaml"
EXAMPLES, GOLDEN, SEED = 8, 2, 17
QUERY_TOKENS, ITEM_TOKENS = 48, 16
# Quick, so that a busy machine does not look like an injection.
KEPT = Cut(layers=(0, 2, 5))
UNKNOWN_LOSS = Loss(0.0, None, None)


def write_model(folder: Path) -> Path:
    """The directory of its artifact, named after its version. Raises PacesetterError."""
    base, shop = base_model_directory(""), Shop()
    encoder = base_text_encoder(base, QUERY_TOKENS, ITEM_TOKENS, read_scenario(SCENARIO).text)
    queries = list(itertools.islice(shop.queries(), EXAMPLES))
    examples = [as_example(query, shop, encoder) for query in queries]
    network = SplitNetwork.of(pruned(start_network(base, encoder, examples, SEED).eval(), KEPT))
    states = choose_states(network, encoder, examples, "drill")
    return export_artifact(
        folder,
        network,
        encoder,
        [GoldenQuery.of(q.user, (q.context,), q.candidates, shop.items, SOURCES) for q in queries[:GOLDEN]],
        role="student",
        date=DAY,
        created_at=0.0,
        base_model=base.name,
        feature_names=feature_names(SOURCES),
        training={"seed": SEED},
        metrics={},
        levels=[
            Level(name, depth, 0.0, UNKNOWN_LOSS, UNKNOWN_LOSS) for name, depth in level_depths(network.layers).items()
        ],
        states=states,
    )


def as_example(query: Query, shop: Shop, encoder: TextEncoder) -> Example:
    """Every third candidate counts as taken: the head has to start from something."""
    context, ids = (query.context,), query.candidates.item_ids
    features = pair_features(query.user, context, query.candidates, shop.items, SOURCES)
    labels = features[:, 0] * 0
    labels[::3] = 1
    items = tuple(encoder.item(shop.items[item_id]) for item_id in ids)
    return Example(encoder.query(query.user, context, shop.items), items, features, labels)


if __name__ == "__main__":
    try:
        print(write_model(Path(sys.argv[1])))
    except PacesetterError as error:
        sys.exit(f"slo-drill: {error}")
