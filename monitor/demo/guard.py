"""Keeps one program, and ends it when whoever started us is gone, however that went.

Run as `python -I -S guard.py SIGNAL GRACE_S OWNER -- COMMAND…`, OWNER being `uid:gid`, or `-` for our own.
Standard input is a pipe that the starter holds open: when it closes, because the starter died or let go, the
program gets the signal, and after the grace the last one. Standard output gets one line, the program's
process id. Only the standard library is here, so that it starts in milliseconds and stays small.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def _die_with_the_guard() -> None:
    """Linux only: whoever kills the guard kills the program with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(command: list[str], owner: str) -> subprocess.Popen[bytes]:
    """The program in a session of its own: Ctrl-C in a terminal reaches it only through the starter."""
    user, group = (None, None) if owner == "-" else (int(part) for part in owner.split(":"))
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,
        user=user,
        group=group,
        extra_groups=None if user is None else [],
        preexec_fn=_die_with_the_guard,  # runs after the change of user, which would undo it
    )


def _end(program: subprocess.Popen[bytes], number: int, grace_s: float) -> None:
    program.send_signal(number)
    try:
        program.wait(grace_s)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def _wake_on_signals() -> int:
    """A pipe that becomes readable with every signal, the end of the program among them."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the program would inherit
    return reading


def _watch(program: subprocess.Popen[bytes], woken: int, end: tuple[int, float]) -> int:
    """Until the program ends by itself, or the pipe closes; returns an exit code as a shell would."""
    while program.poll() is None:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
        if 0 in readable and not os.read(0, 4096):
            _end(program, *end)
    return program.returncode if program.returncode >= 0 else 128 - program.returncode


def main(arguments: list[str]) -> int:
    number, grace_s, owner, dashes, *command = arguments
    assert dashes == "--"
    woken = _wake_on_signals()
    program = _start(command, owner)
    os.write(1, f"{program.pid}\n".encode())
    os.close(1)
    return _watch(program, woken, (int(number), float(grace_s)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
