"""How long the next try must wait: longer with each one too many, a minute at most, and never for ever.

Counts stand in Redis, shared by all processes, and in the memory of each process while Redis is silent. What is
counted by (an account, an address) is kept as a keyed hash only.
"""

import hashlib
import hmac
import math
import threading
from dataclasses import dataclass
from typing import TypeVar

from config import clock, keys, queue, runtime

T = TypeVar("T")
MOST_DOUBLINGS = 10
KEPT = 10_000


@dataclass(frozen=True)
class Limit:
    """So many tries in `window` seconds are `free`; each more waits twice as long as the last, `longest` at most."""

    name: str
    free: int
    window: int = 3600
    longest: int = 60

    @property
    def fullest(self) -> int:
        """The level above which nothing is counted, so that whoever stops is forgotten in time."""
        return self.free + MOST_DOUBLINGS

    @property
    def emptied_in(self) -> int:
        """Seconds in which the highest level has run off."""
        return math.ceil(self.window * self.fullest / self.free)

    def of(self, *whose: str) -> "Bucket":
        """Return the bucket that counts the tries of `whose`."""
        return Bucket(self, _hidden(self.name, *whose))


@dataclass(frozen=True)
class Bucket:
    """Tries that run off with time, of somebody who is known only by a hash."""

    limit: Limit
    key: str


def standing(limit: Limit, level: float, last: float, now: float) -> tuple[float, float]:
    """Return what is left of `level` at `now`, and the seconds still to wait since the `last` try; see _TAKE."""
    since = max(0.0, now - last)
    level = max(0.0, level - since * limit.free / limit.window)
    over = math.ceil(level - 1e-6) - limit.free
    pause = min(limit.longest, 2.0 ** min(over + 1, MOST_DOUBLINGS)) if over >= 0 else 0.0
    return level, max(0.0, pause - since)


def take(*buckets: Bucket) -> int:
    """Count a try in each bucket and return 0; or count none and return how many seconds to wait for all of them.

    Counted before it is known whether the try was right: of a hundred guesses at once none slips through.
    """
    return _changed("take", buckets)


def wait(*buckets: Bucket) -> int:
    """Return how many seconds a try would have to wait, and count nothing."""
    return _changed("wait", buckets)


def level(bucket: Bucket) -> float:
    """Return how many tries stand in a bucket now; no more than a hint, since others try meanwhile."""
    kept = queue.ask(lambda redis: redis.hmget(bucket.key, "level", "last"))
    now = clock.now().timestamp()
    if kept is None:
        return _memory().level(bucket, now)
    return standing(bucket.limit, float(kept[0] or 0), float(kept[1] or now), now)[0]


def give_back(*buckets: Bucket) -> None:
    """Take back one try, which was right."""
    _changed("give_back", buckets)


def forget(*buckets: Bucket) -> None:
    """Take back every try."""
    for bucket in buckets:
        _memory().forget(bucket)
    queue.ask(lambda redis: redis.delete(*(bucket.key for bucket in buckets)))


def remember(name: str, whose: str, seconds: int) -> None:
    """Remember `whose` under a name for so long."""
    key = _hidden(name, whose)
    _memory().remember(key, seconds)
    queue.ask(lambda redis: redis.set(key, "1", ex=seconds))


def remembers(name: str, whose: str) -> bool:
    """Whether `whose` is remembered under a name."""
    key = _hidden(name, whose)
    return bool(queue.ask(lambda redis: redis.exists(key))) or _memory().remembers(key)


# KEYS: the buckets. ARGV: what to do, now, then for each bucket free, window, longest, most doublings and when it is
# empty. The rule is that of `standing`; a test holds the two to each other.
_TAKE = """
local act, now, longest_wait, levels, lasts = ARGV[1], tonumber(ARGV[2]), 0, {}, {}
for i, key in ipairs(KEYS) do
  local free, window, longest, doublings = unpack(ARGV, 5 * i - 2, 5 * i + 1)
  local kept = redis.call('HMGET', key, 'level', 'last')
  local last = tonumber(kept[2] or ARGV[2])
  local since = math.max(0, now - last)
  local level = math.max(0, tonumber(kept[1] or 0) - since * free / window)
  local over, pause = math.ceil(level - 1e-6) - free, 0
  if over >= 0 then pause = math.min(longest, 2 ^ math.min(over + 1, doublings)) end
  longest_wait = math.max(longest_wait, pause - since)
  levels[i], lasts[i] = level, kept[2] or ARGV[2]
end
local step = 0
if act == 'take' and longest_wait <= 0 then step = 1 elseif act == 'give_back' then step = -1 end
if step ~= 0 then
  for i, key in ipairs(KEYS) do
    local level = math.min(ARGV[5 * i - 2] + ARGV[5 * i + 1], math.max(0, levels[i] + step))
    local last = step == 1 and ARGV[2] or lasts[i]
    redis.call('HSET', key, 'level', string.format('%.17g', level), 'last', last)
    redis.call('EXPIRE', key, ARGV[5 * i + 2])
  end
end
return tostring(longest_wait)
"""


def _changed(act: str, buckets: tuple[Bucket, ...]) -> int:
    now = clock.now().timestamp()
    facts = [
        str(fact)
        for limit in (bucket.limit for bucket in buckets)
        for fact in (limit.free, limit.window, limit.longest, MOST_DOUBLINGS, limit.emptied_in)
    ]
    names = [bucket.key for bucket in buckets]
    answer = queue.ask(lambda redis: float(redis.eval(_TAKE, len(names), *names, act, repr(now), *facts)))
    waits = answer if answer is not None else _memory().change(act, buckets, now)
    return math.ceil(waits - 1e-6)


class _Memory:
    """The same counts in this process alone, the oldest forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}
        self._until: dict[str, float] = {}

    def change(self, act: str, buckets: tuple[Bucket, ...], now: float) -> float:
        with self._lock:
            stands = [standing(bucket.limit, *self._levels.get(bucket.key, (0.0, now)), now) for bucket in buckets]
            waits = max(seconds for _, seconds in stands)
            step = {"take": int(waits <= 0), "give_back": -1}.get(act, 0)
            for bucket, (level, _) in zip(buckets, stands, strict=True) if step else ():
                last = now if step == 1 else self._levels.get(bucket.key, (0.0, now))[1]
                _put(self._levels, bucket.key, (min(bucket.limit.fullest, max(0.0, level + step)), last))
            return waits

    def level(self, bucket: Bucket, now: float) -> float:
        with self._lock:
            return standing(bucket.limit, *self._levels.get(bucket.key, (0.0, now)), now)[0]

    def forget(self, bucket: Bucket) -> None:
        with self._lock:
            self._levels.pop(bucket.key, None)

    def remember(self, key: str, seconds: int) -> None:
        with self._lock:
            _put(self._until, key, clock.now().timestamp() + seconds)

    def remembers(self, key: str) -> bool:
        with self._lock:
            return clock.now().timestamp() < self._until.get(key, 0.0)


def _put(kept: dict[str, T], key: str, value: T) -> None:
    """Keep a value as the newest, and let the oldest go where there are too many."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > KEPT:
        kept.pop(next(iter(kept)))


def _hidden(name: str, *whose: str) -> str:
    content = "\n".join((name, *whose)).encode("utf-8", "replace")
    secret = runtime.once("throttle.secret", lambda: keys.ring().secret("throttle"))
    return f"warmthread:throttle:{name}:{hmac.new(secret, content, hashlib.sha256).hexdigest()[:32]}"


def _memory() -> _Memory:
    return runtime.once("throttle.memory", _Memory)
