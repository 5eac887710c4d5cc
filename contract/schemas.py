"""The tables that every job reads and writes, as Spark DDL strings (no Spark needed to read them).

Times are UTC. `events` and `items` are what users bring; the rest is derived from them. Every table
lies in the lake as Parquet under `<lake>/<table>/day=YYYY-MM-DD/`, and is rewritten a day at a time.
"""

EVENT_TYPES = ("impression", "view", "click", "add_to_cart", "purchase", "rating")

EVENTS = (
    "event_id STRING NOT NULL, ts TIMESTAMP NOT NULL, type STRING NOT NULL, user_id STRING, "
    "session_id STRING, item_id STRING NOT NULL, position INT, recommendation_id STRING, value DOUBLE"
)

ITEMS = (
    "item_id STRING NOT NULL, title STRING NOT NULL, text STRING, categories ARRAY<STRING>, "
    "price DOUBLE, attributes MAP<STRING,STRING>, available BOOLEAN, updated_at TIMESTAMP NOT NULL"
)

# A row that was set aside at import: what it was, where it stood, and why.
QUARANTINE = (
    "source_file STRING NOT NULL, row_number BIGINT NOT NULL, table_name STRING NOT NULL, "
    "reason STRING NOT NULL, raw STRING, quarantined_at TIMESTAMP NOT NULL"
)

# Positive events only, each in its session; `position_in_session` counts from 0 in order of `ts`.
SESSIONS = (
    "session_id STRING NOT NULL, user_id STRING, item_id STRING NOT NULL, ts TIMESTAMP NOT NULL, "
    "type STRING NOT NULL, position_in_session INT NOT NULL"
)

# `history`: distinct item ids, most recent first, at most `night.history_length`.
USER_FEATURES = (
    "user_id STRING NOT NULL, segment STRING NOT NULL, history ARRAY<STRING>, sessions INT, "
    "positives INT, mean_price DOUBLE, days_since_last DOUBLE"
)

# `segment`: the item's first category, or its price band where the catalogue has no categories,
# or `all`. Counts are of positive events in the days before the partition's date. `text` is cut after
# jobs.features.items.LONGEST_TEXT characters. `vector` is the text's (contract.vectors), null before it is embedded.
ITEM_FEATURES = (
    "item_id STRING NOT NULL, title STRING NOT NULL, text STRING, categories ARRAY<STRING>, "
    "price DOUBLE, available BOOLEAN, segment STRING NOT NULL, popularity_7d INT, "
    "popularity_30d INT, buyers_30d INT, age_days DOUBLE, attributes MAP<STRING,STRING>, "
    "vector BINARY, vector_space STRING"
)

# One row: how many slates the last days had, and the shares of them that a click or a purchase of a shown item
# followed, null where nothing can be said.
SLATE_THROUGH = "slates BIGINT NOT NULL, click DOUBLE, purchase DOUBLE"

# One row a list: `kind` is user, item or segment; `key` is its id. The entries stand in merged order.
# `scores` holds one number per source, in the order of the partition's `sources`; `weights` are what each
# source counts for where lists are merged.
CANDIDATES = (
    "kind STRING NOT NULL, key STRING NOT NULL, sources ARRAY<STRING> NOT NULL, weights ARRAY<DOUBLE> NOT NULL, "
    "entries ARRAY<STRUCT<item_id: STRING, source: STRING, scores: ARRAY<FLOAT>>> NOT NULL"
)

# One row a query of the temporal split: what the ranker would have seen, and what came next.
# `user` and `items` are the records that serving would have read, as JSON of contract.records;
# `split` is train, validation or test; `task` is basket (what else goes into the session) or next_visit
# (what the user's next session holds); `labels` are the items of the session after the context. Nothing
# that happened at `cut` or later is known to the row.
TRAINING_PAIRS = (
    "query_id STRING NOT NULL, split STRING NOT NULL, task STRING NOT NULL, cut TIMESTAMP NOT NULL, "
    "ts TIMESTAMP NOT NULL, user STRING, "
    "context ARRAY<STRING> NOT NULL, labels ARRAY<STRING> NOT NULL, sources ARRAY<STRING> NOT NULL, "
    "entries ARRAY<STRUCT<item_id: STRING, source: STRING, scores: ARRAY<FLOAT>>> NOT NULL"
)

# The item features that serving would have had at each cut.
TRAINING_ITEMS = f"cut TIMESTAMP NOT NULL, {ITEM_FEATURES}"

# What was chosen before the cut of the test period: what the baselines of an evaluation learn from.
TRAINING_HISTORY = SESSIONS

# One row a text that a model has read: what its lowest layers make of it (contract.states), by `text_key` of its
# token ids. A table a model, `item_states/<version>`; a day holds the texts that were read on it, none of them twice.
ITEM_STATES = "key BINARY NOT NULL, length INT NOT NULL, rows BINARY NOT NULL"

# Embeddings of catalogue texts, kept from night to night: `digest` is of the text, `version` of the model
# and the way it is used, `embedding` holds little-endian float32.
TEXT_EMBEDDINGS = "version STRING NOT NULL, digest STRING NOT NULL, embedding BINARY NOT NULL"
