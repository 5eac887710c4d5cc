"""What is judged, and how: each column beside its own of the model's day, each signal against its bound."""

from collections.abc import Mapping, Sequence

import msgspec

from contract.settings import Drift
from contract.slo import Verdict
from jobs.drift.distances import Values, ks, psi


class Column(msgspec.Struct, frozen=True):
    """One column of two days; `psi` and `ks` are missing where nothing could be compared, and `why` says why."""

    name: str
    psi: float | None
    ks: float | None
    verdict: Verdict
    why: str


class Signal(msgspec.Struct, frozen=True):
    """`value` against `most`: MISS above it, UNKNOWN without one."""

    name: str
    value: float | None
    most: float
    verdict: Verdict
    why: str
    columns: tuple[Column, ...] = ()


def of_columns(
    name: str, reference: Mapping[str, Values] | None, current: Mapping[str, Values] | None, bounds: Drift, missing: str
) -> Signal:
    """The share of columns that have moved. `missing` says what to do where one of the days is not there."""
    if reference is None or current is None:
        return unknown(name, bounds.columns_share_max, missing)
    columns = tuple(
        column(one, reference.get(one), current.get(one), bounds) for one in dict.fromkeys([*reference, *current])
    )
    judged = [one for one in columns if one.verdict is not Verdict.UNKNOWN]
    if not judged:
        why = columns[0].why if columns else "there is no column"
        return Signal(name, None, bounds.columns_share_max, Verdict.UNKNOWN, why, columns)
    moved = [one.name for one in judged if one.verdict is Verdict.MISS]
    told = f"{len(moved)} of {len(judged)} columns moved" + (f": {', '.join(moved)}" if moved else "")
    return bounded(name, len(moved) / len(judged), bounds.columns_share_max, told, columns)


def of_values(name: str, reference: Values | None, current: Values | None, bounds: Drift, missing: str) -> Signal:
    """The PSI of one column that is a signal by itself."""
    if reference is None or current is None:
        return unknown(name, bounds.psi_max, missing)
    found = column(name, reference, current, bounds)
    if found.psi is None:
        return unknown(name, bounds.psi_max, found.why)
    return Signal(name, found.psi, bounds.psi_max, found.verdict, found.why, (found,))


def column(name: str, reference: Values | None, current: Values | None, bounds: Drift) -> Column:
    """MISS where PSI or KS is past its bound; UNKNOWN for a column that one day lacks, or has too few rows of."""
    if reference is None or current is None:
        since = "is new since the model's day" if reference is None else "is gone since the model's day"
        return Column(name, None, None, Verdict.UNKNOWN, since)
    rows = min(len(reference), len(current))
    if rows < bounds.rows_min:
        return Column(name, None, None, Verdict.UNKNOWN, f"{rows} rows, {bounds.rows_min} are needed")
    stability, distance = psi(reference, current), ks(reference, current)
    past = stability > bounds.psi_max or (distance is not None and distance > bounds.ks_max)
    told = f"PSI {stability:.3f}" + ("" if distance is None else f", KS {distance:.3f}")
    return Column(name, stability, distance, Verdict.MISS if past else Verdict.OK, told)


def of_share(name: str, share: float | None, most: float, why: str) -> Signal:
    """A share that is a signal by itself, or None with the reason."""
    return unknown(name, most, why) if share is None else bounded(name, share, most, why)


def bounded(name: str, value: float, most: float, why: str, columns: Sequence[Column] = ()) -> Signal:
    return Signal(name, value, most, Verdict.MISS if value > most else Verdict.OK, why, tuple(columns))


def unknown(name: str, most: float, why: str) -> Signal:
    return Signal(name, None, most, Verdict.UNKNOWN, why)
