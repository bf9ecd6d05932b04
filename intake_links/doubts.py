"""What an EHR has told of a form beside its answers: the total, and what of it cannot be right."""

from collections.abc import Sequence

from intake_links import scoring
from intake_links.models import Screen
from messaging.reasons import Reason


def told_total(screen: Screen) -> int | None:
    """Return the total as it was told from elsewhere, None where there is none. Raises keys.WrongKey."""
    told = screen.told_total if screen.told_total_ct is not None else None
    return None if told is None else int(told)


def unclear(screen: Screen) -> str | None:
    """Return what the parts that came as what they cannot be ask of a person: safety | screen, None for nothing."""
    kinds = set(screen.detail.get("unclear", {}).values())
    return "safety" if "safety" in kinds else "screen" if kinds else None


def alert_by_total(definition: scoring.Instrument, told: int | None) -> list[Reason]:
    """Return the alerts that no answer rang, but the total: it is so high that the item cannot have been 0."""
    items = dict.fromkeys(rule.item for rule in definition.alerts if definition.items[rule.item - 1].scored)
    return [Reason("alert_by_total", {"item": n, "instrument": definition.title, "total": told or 0}) for n in items]


def reasons(screen: Screen, answers: Sequence[int | None]) -> list[Reason]:
    """Return in which way what was told cannot be right."""
    definition, told = scoring.instrument(screen.instrument), told_total(screen)
    doubts = []
    if told is not None and scoring.contradicts(definition, answers, told):
        points = sum(answer or 0 for item, answer in zip(definition.items, answers, strict=True) if item.scored)
        doubts.append(Reason("contradicts", {"total": told, "points": points}))
    kind = unclear(screen)
    return [*doubts, *([Reason(f"unclear_{kind}", {"instrument": definition.title})] if kind else [])]
