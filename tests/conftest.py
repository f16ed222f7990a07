"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")  # a busy machine is no fault

# A background job of a shell is started with it ignored; the tests interrupt themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their argument: what is packed anew in each process differs."""
    return argname if isinstance(val, bytes) else None
