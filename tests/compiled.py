"""Engines that share what they have compiled: each test has a database, and so an engine, of its own."""

from collections.abc import Callable

from sqlalchemy import Engine


def compiled_once(make: Callable[..., Engine]) -> Callable[..., Engine]:
    """Return `make` so that each engine uses what the first of its kind has compiled.

    SQLAlchemy keeps compiled statements by engine, under keys that name its dialect. A quarter of the suite's time
    went into compiling the same ones anew.
    """
    first: dict[str, Engine] = {}

    def made(*sizes: int) -> Engine:
        engine = make(*sizes)
        like = first.get(engine.dialect.name)
        # One that never connected does not know its server's version, and nobody who shares it would learn it.
        if like is None or getattr(like.dialect, "server_version_info", None) is None:
            first[engine.dialect.name] = engine
            return engine
        engine.dialect, engine._compiled_cache = like.dialect, like._compiled_cache
        return engine

    return made
