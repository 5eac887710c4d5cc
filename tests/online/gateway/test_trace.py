"""The id that a request has in logs and traces."""

import pytest

from online.gateway.telemetry.trace import Trace, trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OWN = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_a_caller_that_traces_gives_the_id_and_decides_whether_it_is_recorded(flags, sampled) -> None:
    assert trace_of(f"00-{TRACE}-{SPAN}-{flags}", lambda: OWN) == Trace(TRACE, SPAN, sampled)


def test_a_later_version_may_say_more() -> None:
    assert trace_of(f"cc-{TRACE}-{SPAN}-01-what-else", lambda: OWN).trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",  # version 00 ends there
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_cannot_be_used_is_as_good_as_none_and_a_trace_of_its_own_begins(header) -> None:
    assert trace_of(header, lambda: OWN) == Trace(OWN)
