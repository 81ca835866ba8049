"""Envoy as a child of this process: neither outlives the other."""

import ctypes
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

ENDINGS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
HEARD = ENDINGS | {signal.SIGCHLD}
PATIENCE = 5.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def supervise(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    begin: Callable[[], object],
    finish: Callable[[], object],
) -> int:
    """Run the command until it ends or we are told to; the code to exit with.

    `begin` is called once it runs, `finish` before it is told to end. The command stays in our
    process group, so that whoever ends the group ends it too. If we are killed, or told a second
    time, the kernel kills it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    # No thread of ours runs yet: what is between fork and exec is safe.
    child = subprocess.Popen(  # noqa: S603 - our own choice of program
        command,
        env=environment,
        preexec_fn=_dying_with(os.getpid()),
    )
    begin()
    while signal.sigwait(HEARD) == signal.SIGCHLD:
        code = child.poll()
        if code is not None and not signal.sigpending() & ENDINGS:
            log.error("Envoy has ended", extra={"code": code})
            return 1
        if code is not None:
            return 0
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    finish()
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return 0


def wait_for_the_end() -> None:
    """Return when we are told to end."""
    signal.sigwait(ENDINGS)


def hold_endings() -> None:
    """Keep the signals that end us for `wait_for_the_end`; threads begun later do the same."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)


def _dying_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes the program."""

    def prepare() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)

    return prepare
