"""What a recommend call may ask: one pydantic model for GET and POST, and the reading of both."""

from typing import Annotated, Any, Self
from urllib.parse import unquote, unquote_to_bytes

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from contract.errors import BadInput
from contract.keys import MAX_ID_BYTES
from contract.settings import Gateway
from online.gateway.problems import InvalidRequest

MAX_CATEGORIES = 50


def _storable(id: str) -> str:
    try:
        fits = len(id.encode()) <= MAX_ID_BYTES
    except UnicodeEncodeError:
        raise ValueError("is not valid Unicode") from None
    if not fits:
        raise ValueError(f"has more than {MAX_ID_BYTES} bytes in UTF-8")
    return id


def _whole(value: object) -> object:
    """JSON tells 3 from 3.0 no more than JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_BYTES), AfterValidator(_storable)]
Count = Annotated[int, BeforeValidator(_whole)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Filter(_Part):
    """Which items may be in the slate. An item of unknown price passes no price bound."""

    categories: tuple[Id, ...] = Field((), max_length=MAX_CATEGORIES, description="Any of these categories")
    price_min: float | None = Field(None, ge=0, description="Lowest price, inclusive")
    price_max: float | None = Field(None, ge=0, description="Highest price, inclusive")
    available: bool = Field(True, description="true: only available items; false: the others as well")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.price_min is not None and self.price_max is not None and self.price_min > self.price_max:
            raise ValueError("price_min is greater than price_max")
        return self


class RecommendRequest(_Part):
    """A recommend call. Without a user and an item, or with unknown ones only, the answer is what is popular."""

    user_id: Id | None = Field(None, description="Whom to recommend for")
    session_id: Id | None = Field(None, description="Stands in the impression event; changes no answer")
    item_id: Id | None = Field(None, description="The item being looked at: the newest of the context")
    item_ids: tuple[Id, ...] = Field((), description="The basket or the items seen, oldest first")
    n: Count = Field(10, ge=1, description="Length of the slate")
    filter: Filter = Field(Filter(), description="Which items may be in the slate")
    exclude: tuple[Id, ...] = Field((), description="Items never to show; context items never are")
    timeout_ms: float | None = Field(None, description="Answer budget in milliseconds")
    explain: bool = Field(False, description="Say for each item where it came from and what it scored")

    @property
    def context(self) -> tuple[str, ...]:
        """The context items, oldest first, each once, where it stands last."""
        given = self.item_ids if self.item_id is None else (*self.item_ids, self.item_id)
        return tuple(reversed(dict.fromkeys(reversed(given)))) if len(given) > 1 else given


def bounded_request(limits: Gateway) -> type[RecommendRequest]:
    """RecommendRequest with the bounds and defaults of the settings in its schema."""

    class Bounded(RecommendRequest):
        model_config = ConfigDict(title="RecommendRequest")
        __doc__ = RecommendRequest.__doc__

        item_ids: tuple[Id, ...] = _bounded("item_ids", default=(), max_length=limits.max_context_items)
        n: Count = _bounded("n", default=min(limits.default_n, limits.max_n), ge=1, le=limits.max_n)
        exclude: tuple[Id, ...] = _bounded("exclude", default=(), max_length=limits.max_exclude)
        timeout_ms: float | None = _bounded(
            "timeout_ms", default=limits.timeout_ms, ge=limits.min_timeout_ms, le=limits.max_timeout_ms
        )

    return Bounded


def _bounded(name: str, **bounds: Any) -> Any:
    return Field(description=RecommendRequest.model_fields[name].description, **bounds)


_LISTS = frozenset({"item_ids", "exclude", "filter.categories"})


def from_query(model: type[RecommendRequest], query: bytes) -> RecommendRequest:
    """From a URL's query string: lists by repetition, `filter.price_max=9.5` for the filter's fields.

    Raises InvalidRequest naming each parameter that does not hold.
    """
    fields: dict[str, Any] = {}
    for name, values in _parameters(query).items():
        if name not in _LISTS and len(values) > 1:
            raise InvalidRequest([(name, "is given more than once")])
        value = values if name in _LISTS else values[0]
        part, dot, inner = name.partition(".")
        if dot and part == "filter":
            fields.setdefault("filter", {})[inner] = value
        elif name == "filter":
            raise InvalidRequest([(name, "has fields of its own: filter.categories, filter.price_min, ...")])
        else:
            fields[name] = value
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error) from None


def _parameters(query: bytes) -> dict[str, list[str]]:
    """The values of each name, as forms are encoded. Raises InvalidRequest where their bytes are no UTF-8."""
    found: dict[str, list[str]] = {}
    try:
        for parameter in query.decode().split("&"):
            if parameter:
                name, _, value = parameter.replace("+", " ").partition("=")
                found.setdefault(unquote(name, errors="strict"), []).append(unquote(value, errors="strict"))
    except UnicodeDecodeError:
        raise InvalidRequest([(_not_utf8(query), "is not UTF-8")]) from None
    return found


def _not_utf8(query: bytes) -> str:
    """The name of the first parameter whose bytes are no UTF-8."""
    for parameter in query.split(b"&"):
        try:
            unquote(parameter.decode(), errors="strict")
        except UnicodeDecodeError:
            return unquote_to_bytes(parameter).partition(b"=")[0].decode(errors="replace")
    raise AssertionError(f"{query!r} is UTF-8")


def from_body(model: type[RecommendRequest], body: bytes) -> RecommendRequest:
    """From a JSON body, types taken strictly. Raises InvalidRequest."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _invalid(error) from None


def check_budgets(limits: Gateway, store_timeout_seconds: float) -> None:
    """Raises BadInput where a request could ask for less time than one read may take."""
    if limits.min_timeout_ms <= store_timeout_seconds * 1000:
        raise BadInput(
            f"settings: PACE_GATEWAY__MIN_TIMEOUT_MS ({limits.min_timeout_ms:g}) must exceed "
            f"PACE_REDIS__TIMEOUT_SECONDS ({store_timeout_seconds:g} s): a frozen Redis would outlast the budget"
        )


def _invalid(error: ValidationError) -> InvalidRequest:
    problems = []
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(step) for step in found["loc"])
        text = "is no parameter" if found["type"] == "extra_forbidden" else found["msg"].removeprefix("Value error, ")
        problems.append((path or "body", text))
    return InvalidRequest(problems)
