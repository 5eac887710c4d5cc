"""What a request is answered by: the settings, the places that they name, and the addresses under Airflow's root."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fastapi import Request

from contract.settings import Settings
from pacesetter_airflow.console.addresses import Addresses
from pacesetter_airflow.console.places import Places


class Known(NamedTuple):
    settings: Settings
    places: Places
    addresses: Addresses


# Raises BadInput for settings that do not hold.
Knowing = Callable[[Request], Known]


def knowing(settings: Callable[[], Settings], home: Callable[[], Path]) -> Knowing:
    """Settings are read at each request: a mistake in them is told on the page, and mended by an edit."""

    def know(request: Request) -> Known:
        found = settings()
        return Known(found, Places.of(found, home()), Addresses(request.scope["root_path"], found))

    return know
