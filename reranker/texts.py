"""What the network reads of items and queries, by a template that a model carries with it."""

from collections.abc import Mapping, Sequence

from contract.records import ItemRecord, UserRecord
from contract.scenario import ATTRIBUTE, Part, QueryTemplate

# Change it with any change of how a template is read, or of the token layout: artifacts of another version are refused.
TEMPLATE_VERSION = "2"

# Characters that a cut may give up so that no word is cut in two.
LONGEST_WORD = 30


def item_text(item: ItemRecord, template: Sequence[Part]) -> str:
    """The parts of `template` that the item has, in its order."""
    return ". ".join(text for part in template if (text := _cut(_part(item, part.part), part.characters)))


def query_text(
    user: UserRecord | None, context: Sequence[ItemRecord], items: Mapping[str, ItemRecord], template: QueryTemplate
) -> str:
    """The query's items, newest first; `context` is in the order of time, oldest first.

    History items that `items` does not know, or that are in the context, are left out; only the newest
    `template.history` of the history are looked at.
    """
    seen = {item.item_id for item in context}
    history = user.history[: template.history] if user else ()
    past = [items[item_id] for item_id in history if item_id in items and item_id not in seen]
    told = {"context": list(reversed(context)), "history": past}
    texts = (item_text(item, template.item) for part in template.order for item in told[part])
    return ", ".join(text for text in texts if text)


def _part(item: ItemRecord, part: str) -> str:
    if part == "title":
        return item.title
    if part == "categories":
        return ", ".join(item.categories)
    if part == "text":
        return item.text or ""
    return item.attributes.get(part.removeprefix(ATTRIBUTE)) or ""


def _cut(text: str, characters: int | None) -> str:
    """At most `characters`, up to the end of a word where one ends near there (not every script has spaces)."""
    if characters is None or len(text) <= characters:
        return text
    near = max(characters - LONGEST_WORD, 1)
    end = max(text.rfind(blank, near, characters + 1) for blank in (" ", "\n"))
    return text[: end if end > 0 else characters].rstrip()
