"""What pydantic finds wrong with a value, in the words of the file and with what to write instead."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from contract.slo.checks import Place, Problem
from contract.slo.schema import BoundObjective, BurnRate, EventObjective, Events, Notify, Patience, Slo, Targets
from contract.slo.text import shown

# By the last word of pydantic's path to them: a key, or the kind of an objective.
_SECTIONS: Mapping[Any, type[BaseModel]] = {
    "burn_rates": BurnRate,
    "patience": Patience,
    "targets": Targets,
    "notify": Notify,
    "events": EventObjective,
    "bound": BoundObjective,
    "objectives": EventObjective,
    "total": Events,
    "good": Events,
    "bad": Events,
}


def as_problem(detail: ErrorDetails) -> Problem:
    """Of an objective pydantic names the kind as well, which does not stand in the file as a key."""
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    place = tuple(part for at, part in enumerate(loc) if not (at == 2 and loc[0] == "objectives"))
    match detail["type"]:
        case "missing":
            return place[:-1], f"lacks `{place[-1]}`: add it"
        case "extra_forbidden" | "invalid_key":
            known = _known_keys(loc[:-1])
            near = get_close_matches(str(place[-1]), known, n=1)
            meant = f"did you mean `{near[0]}`? " if near else ""
            return place, f"no such key: {meant}known are {', '.join(known)}"
        case "union_tag_not_found" | "union_tag_invalid":
            return place, "needs a `kind`: write `kind: events` or `kind: bound`"
        case "value_error":
            return place, str(detail["ctx"]["error"])
        case "string_too_long":
            return place, f"has more than {detail['ctx']['max_length']} characters: shorten it"
        case "too_short":
            return place, "is an empty list: name at least one value, or leave the key out"
    return place, f"is {shown(detail['input'])}: write {_wanted(detail, loc)}"


def _wanted(detail: ErrorDetails, loc: Place) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "tuple_type":
            is_labels = "where" in loc
            return "a text, or a list of texts" if is_labels else "a list, each entry behind a `-`"
        case "dict_type":
            return "keys below it, such as `level: full`"
        case "model_type" | "model_attributes_type":
            return f"keys below it; known are {', '.join(_known_keys(loc))}"
        case "string_type":
            return "a text, in quotes"
        case "string_pattern_mismatch":
            return "small letters, digits and _, a letter first, such as level_full"
        case "float_type" | "finite_number":
            return "a number, such as 0.5"
        case "int_type" | "int_from_float":
            return "a whole number, such as 1"
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "bool_type" | "bool_parsing":
            return "true or false"
        case "literal_error":
            return str(context["expected"])
    return f"another value ({detail['msg']})"


def _known_keys(place: Place) -> list[str]:
    """Of the section that `place` is, or stands in."""
    section = next((_SECTIONS[part] for part in reversed(place) if part in _SECTIONS), Slo)
    return list(section.model_fields)
