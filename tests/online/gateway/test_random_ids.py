"""Ids that nobody guesses."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

from online.gateway.random_ids import AT_ONCE, RandomIds


def test_ids_differ_whoever_asks_and_however_many_are_drawn_at_a_time() -> None:
    draw = RandomIds()
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: draw(), range(20 * AT_ONCE)))

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_a_process_that_was_forked_has_ids_of_its_own() -> None:
    draw = RandomIds()
    draw()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, "".join(draw() for _ in range(3)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 96).decode()
    ours = {draw() for _ in range(AT_ONCE)}
    os.close(reader)
    os.close(writer)

    assert len(theirs) == 96
    assert not ours & {theirs[at : at + 32] for at in range(0, 96, 32)}
