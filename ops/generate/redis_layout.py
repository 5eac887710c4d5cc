"""docs/redis-layout.md from the key grammar and the records, so that the page cannot drift from the code."""

import inspect
import re

import msgspec

from contract import codec
from contract.features import VERSION as FEATURE_VIEW
from contract.keys import GRAMMAR, MAX_ID_BYTES, Keys
from contract.records import GenerationMeta, ItemRecord, Pointer, UserRecord
from contract.store.impressions import Impression
from contract.store.numbers import number_of

_RECORDS = (ItemRecord, UserRecord, GenerationMeta, Impression)


def redis_layout() -> str:
    """The text of docs/redis-layout.md."""
    keys = Keys("pace")
    example_ids = {
        "user": "17850",
        "item": "85123A",
        "candidates-user": "17850",
        "candidates-item": "85123A",
        "states": "0",
    }
    number = number_of(1_796_004_903)
    values = [
        (
            (keys.meta(number) if kind == "meta" else keys.value(number, kind, example_ids.get(kind, "all"))).decode(),
            kind,
            f"`<prefix>:g<generation>:{tag}" + ("`" if kind == "meta" else ":<id>`"),
            re.sub(r"contract(\.\w+)+", r"`\g<0>`", meaning),
        )
        for kind, (tag, meaning) in GRAMMAR.items()
    ]
    lines = [
        "<!-- Generated from contract/keys.py, codec.py and records.py by `python -m ops.generate`: do not edit. -->",
        "# What lies in Redis",
        "",
        "Two instances: *serving* (may evict what has a TTL) holds everything but the stream; *events*",
        "(append-only file, never evicts) holds the stream. `<prefix>` is `PACE_REDIS__PREFIX`, `pace` by default.",
        f"Ids are the users' own, 1 to {MAX_ID_BYTES} bytes of UTF-8; they stand last, so any character but NUL may "
        "occur in them.",
        "",
        "## Keys of a generation (serving)",
        "",
        "Written beside the live generation with a staging TTL, verified, sealed (TTL dropped), then made live by the",
        "pointer. The generation before stays; the one before that gets `PACE_REDIS__RETIRED_TTL_SECONDS`.",
        "",
        "A generation's number is the time in UTC when its publish began, or the first free one after it, so that none",
        "comes again in a store that was lost or restored from an older backup ([why](decisions/pointer.md#numbers)).",
        "",
        "| kind | key | value | example |",
        "|---|---|---|---|",
        *(f"| {kind} | {key} | {meaning} | `{example}` |" for example, kind, key, meaning in values),
        "",
        "## Other keys",
        "",
        "| key | instance | type | value | life |",
        "|---|---|---|---|---|",
        f"| `{_shown(keys.pointer)}` | serving | hash | which generation and model are live: "
        f"{', '.join(Pointer.__struct_fields__)} | kept |",
        f"| `{_shown(keys.counter)}` | serving | string | the last generation number given out: the next is above it "
        "| kept |",
        "| `<prefix>:answer:<digest>` | serving | string | a cached response body; the digest is over everything that "
        "changes it | `PACE_GATEWAY__CACHE_TTL_SECONDS` |",
        "| `<prefix>:query:<digest>` | serving | string | a query's keys and values, which rankers share: "
        "safetensors behind a digest; the key's is over model, number format and token ids | "
        "`PACE_RANKER__QUERY_TTL_SECONDS` |",
        f"| `{_shown(keys.impressions)}` | events | stream | field `v`: MessagePack of `Impression`, one entry a slate "
        "shown | about `PACE_EVENTS__STREAM_MAX_LENGTH` entries |",
        "",
        "## A candidate list",
        "",
        "```",
        *_paragraphs(codec.__doc__)[1:],
        "```",
        "",
        f"Format version {codec.VERSION}; at most {codec.MAX_ENTRIES} entries. The columns of `scores` are named by "
        "`sources` of the generation's meta.",
        "",
        "## Records",
        "",
        "MessagePack arrays: fields are positional, and only ever added at the end, with a default. Meta is JSON,",
        f"an impression a MessagePack map. The feature view is version {FEATURE_VIEW}: a model refuses a generation of",
        "another one, or of vectors of another base model (`vector_space`).",
        "",
    ]
    for record in _RECORDS:
        lines += [
            f"### {record.__name__}",
            "",
            _first_paragraph(record),
            "",
            "| field | type | default |",
            "|---|---|---|",
        ]
        for field in msgspec.structs.fields(record):
            made = (
                field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else field.default
            )
            default = "" if field.required else f"`{made!r}`"
            lines.append(f"| `{field.name}` | `{_type(field.type)}` | {default} |")
        lines.append("")
    return "\n".join(lines)


def _shown(key: bytes) -> str:
    return "<prefix>:" + key.decode().partition(":")[2]


def _paragraphs(text: str | None) -> list[str]:
    return inspect.cleandoc(text or "").split("\n\n")


def _first_paragraph(record: type) -> str:
    return re.sub(r"\s+", " ", _paragraphs(record.__doc__)[0])


def _type(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else annotation
    return str(text).replace("|", "or")
