"""A supervised stack of real processes: it starts, it names what does not, and it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ops.embedded import down
from ops.embedded.processes import end, read_record, recorded
from ops.embedded.programs import Program
from ops.embedded.stack import RECORD
from ops.embedded.supervision import LONGEST_SOCKET_PATH, StackFailed, Supervision, socket_path

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """tests/ops/small_stack.py, up, in a process of its own: the end of a stack ends all of its descendants."""
    command = [sys.executable, ROOT / "tests" / "ops" / "small_stack.py", tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    yield process
    end(recorded(read_record(tmp_path / "var" / "run" / RECORD)))
    process.kill()
    process.communicate()


def pids(folder: Path) -> list[int]:
    return [int((folder / name).read_text()) for name in ("deserter", "plain")]


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_of_the_stack(
    stack: subprocess.Popen[bytes], tmp_path: Path, number: signal.Signals
) -> None:
    everything = [*pids(tmp_path), *(child.pid for child in psutil.Process(stack.pid).children(recursive=True))]
    assert all(map(runs, everything))
    stack.send_signal(number)
    stack.wait(40)
    assert [pid for pid in everything if runs(pid)] == []


def test_killed_outright_its_servers_end_and_down_ends_what_left_their_group(
    stack: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    deserter, plain = pids(tmp_path)
    stack.kill()
    wait_for(lambda: not runs(plain))
    assert runs(deserter)
    assert down.main(tmp_path) == 0
    assert not runs(deserter)
    assert not (tmp_path / "var").exists()


def test_a_dead_program_is_started_again(stack: subprocess.Popen[bytes], tmp_path: Path) -> None:
    _, plain = pids(tmp_path)
    os.kill(plain, signal.SIGKILL)
    wait_for(lambda: pids(tmp_path)[1] != plain and runs(pids(tmp_path)[1]))


def test_a_program_that_does_not_stay_up_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = Program("broken", [sys.executable, "-c", "print('100% of it'); raise SystemExit('no such model')"])
    supervision = Supervision(
        [Program("slow", ["sleep", "60"], [("127.0.0.1", 1)]), program], tmp_path / "run", tmp_path / "log", os.environ
    )
    supervision.start()
    try:
        with pytest.raises(StackFailed, match=r"broken does not stay up(?s:.*)100% of it(?s:.*)no such model"):
            supervision.wait_until_up(60, lambda program, seconds: None)
    finally:
        supervision.stop()


def test_the_control_socket_of_a_deep_checkout_has_a_path_that_fits(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    assert len(os.fsencode(socket_path(deep))) <= LONGEST_SOCKET_PATH
    assert socket_path(deep) != socket_path(deep / "other")


def test_down_leaves_a_linked_var_to_its_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lake").touch()
    (tmp_path / "var").symlink_to("elsewhere")
    assert down.main(tmp_path) == 1
    assert (tmp_path / "elsewhere" / "lake").exists()
    assert "is a link" in capsys.readouterr().err


def test_a_process_id_that_another_process_has_got_is_spared() -> None:
    this = psutil.Process()
    assert recorded({this.pid: this.create_time() - 60}) == []
    assert [process.pid for process in recorded({this.pid: this.create_time()})] == [this.pid]
