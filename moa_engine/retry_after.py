"""What an endpoint's headers say about how long to wait (RFC 9110, 10.2.3, and what is common besides)."""

from __future__ import annotations

import re
from collections.abc import Mapping


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an endpoint asks to wait, from the headers (lower-case names) of a refusal.

    Reads `retry-after-ms`, `retry-after` (seconds or a date) and, where a limit is used up, when it
    is reset: `x-ratelimit-reset-requests` and `-tokens` ("1m2.5s"), `x-ratelimit-reset` and
    `ratelimit-reset` (seconds, or the epoch in seconds or milliseconds). `now` is seconds since the
    epoch. None when they say nothing usable.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (text := headers.get("retry-after")) is not None:
        return _seconds(text) if _seconds(text) is not None else _until(text, now)
    waits = [
        wait
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
        and (wait := _seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))) is not None
    ]
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        if (value := _number(headers.get(name))) is not None:
            epoch = value / 1000 if value > 1e11 else value
            waits.append(max(0.0, epoch - now) if epoch > 1e9 else value)
    return max(waits, default=None)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text.strip()) else None


def _seconds(text: str) -> float | None:
    """ "2", "1.5", "120ms", "6m0s" as seconds."""
    if (plain := _number(text)) is not None:
        return plain
    parts = re.findall(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None
