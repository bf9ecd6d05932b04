"""The tier of a text over every combination of what can be known of it, and that no change of the logic goes unseen."""

import ast
import copy
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from messaging.reading import read_reply, tiers
from messaging.reading.likeness import Likeness

SURE, SOFT = tiers.Mark("crisis.en.self_harm", True), tiers.Mark("crisis.en.hopelessness", False)
RULES = {"nothing": (), "soft": (SOFT,), "sure": (SURE,), "both": (SOFT, SURE)}
LIKENESSES = (None, *(Likeness(score, band, "en", "v") for band in ("none", "worry", "crisis") for score in (0.3, 0.6)))
OFF = (None, "missing", "misfit", "slow", "threw")
WIDENED = (None, 0.5, 0.6, 0.7)
ALL = [
    (rules, tiers.Facts(crises, likeness, off, free, widened))
    for (rules, crises), likeness, off, free, widened in itertools.product(
        RULES.items(), LIKENESSES, OFF, (True, False), WIDENED
    )
]
GRAVITY = {None: 0, "worry": 1, "crisis": 2}


def expected(rules: str, facts: tiers.Facts) -> str | None:
    """The tier as the page for clinicians says it, written without a look at the code."""
    if rules in ("sure", "both"):
        return "crisis"
    if facts.off or facts.likeness is None:
        return "crisis" if rules == "soft" else "worry" if facts.free else None
    if facts.likeness.band == "crisis" or (rules == "soft" and facts.likeness.band == "worry"):
        return "crisis"
    if rules == "soft" or facts.likeness.band == "worry":
        return "worry"
    return "worry" if facts.free and facts.widened and facts.likeness.score >= facts.widened else None


def reasons(rules: str, facts: tiers.Facts) -> set[str]:
    """Every reason that is met, for a crisis and for a worry."""
    sure, soft = rules in ("sure", "both"), rules in ("soft", "both")
    if facts.off or facts.likeness is None:
        met = {"sure_phrase": sure, "soft_alone": soft, "reader_off": facts.free}
    else:
        band = facts.likeness.band
        widened = bool(facts.widened) and facts.free and facts.likeness.score >= (facts.widened or 0)
        met = {
            "sure_phrase": sure,
            "soft_confirmed": soft and band in ("worry", "crisis"),
            "reader_high": band == "crisis",
            "soft_unconfirmed": soft and band == "none",
            "reader_low": band == "worry",
            "reader_widened": band == "none" and widened,
        }
    return {reason for reason, holds in met.items() if holds}


def test_every_combination_of_facts_has_the_tier_and_the_reasons_it_should() -> None:
    assert len(ALL) == 4 * 7 * 5 * 2 * 4
    for rules, facts in ALL:
        verdict = tiers.decide(facts)
        assert verdict.tier == expected(rules, facts), facts
        assert set(verdict.reasons) == reasons(rules, facts), facts
        assert bool(verdict.reasons) == (verdict.tier is not None)


def test_nothing_is_ever_placed_lower_than_the_rules_place_it_but_a_soft_phrase_nobody_hears() -> None:
    for rules, facts in ALL:
        before, after = tiers.rules_alone(facts).tier, tiers.decide(facts).tier
        soft_alone = rules == "soft" and facts.likeness is not None and not facts.off and facts.likeness.band == "none"
        assert GRAVITY[after] >= GRAVITY["worry" if soft_alone else before]


def test_a_clinic_can_widen_and_never_narrow() -> None:
    for rules, facts in ALL:
        narrowest = tiers.decide(tiers.Facts(facts.crises, facts.likeness, facts.off, facts.free, None))
        assert GRAVITY[tiers.decide(facts).tier] >= GRAVITY[narrowest.tier], (rules, facts)


def test_the_rules_alone_take_each_of_their_phrases_for_a_crisis() -> None:
    for rules, facts in ALL:
        verdict = tiers.rules_alone(facts)
        assert (verdict.tier, verdict.reasons) == ((None, ()) if rules == "nothing" else ("crisis", ("phrase",)))


class _Mutations(ast.NodeTransformer):
    """Makes one change at a time, the `wanted`-th of all that can be made."""

    SWAPS = {ast.And: ast.Or, ast.Or: ast.And, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
             ast.IsNot: ast.Is, ast.GtE: ast.Gt}  # fmt: skip

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen, self.made = wanted, 0, ""

    def _now(self, what: str) -> bool:
        self.seen += 1
        if self.seen - 1 == self.wanted:
            self.made = what
            return True
        return False

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        swapped = ast.BoolOp(self.SWAPS[type(node.op)](), node.values)
        for place in range(len(node.values)):
            if self._now(f"{ast.unparse(node)} without its part {place}"):
                kept = [value for at, value in enumerate(node.values) if at != place]
                return kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
        return swapped if self._now(f"{ast.unparse(node)} with the other word") else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if type(node.ops[0]) in self.SWAPS and self._now(f"{ast.unparse(node)} turned round"):
            return ast.Compare(node.left, [self.SWAPS[type(node.ops[0])]()], node.comparators)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._now(f"{ast.unparse(node)} the other way"):
            return ast.IfExp(node.test, node.orelse, node.body)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool | str) and self._now(f"{node.value!r} changed"):
            return ast.Constant(not node.value if isinstance(node.value, bool) else "changed")
        return node


def _mutants() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mutant of the logic, as the names of its module."""
    whole = ast.parse(Path(tiers.__file__).read_text("utf-8"))
    functions = [node for node in whole.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for wanted in itertools.count():
            mutation, changed = _Mutations(wanted), copy.deepcopy(function)
            # Neither words of documentation nor types are logic.
            changed.body = [
                mutation.visit(each) if not isinstance(each, ast.AnnAssign) else _visited(mutation, each)
                for each in changed.body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
            if not mutation.made:
                break
            names = dict(vars(tiers))
            for each in functions:
                module = ast.Module([changed if each is function else each], [])
                exec(compile(ast.fix_missing_locations(module), "mutant", "exec"), names)
            yield f"{function.name}: {mutation.made}", names


def _visited(mutation: _Mutations, assigned: ast.AnnAssign) -> ast.AnnAssign:
    assigned.value = mutation.visit(assigned.value) if assigned.value else None
    return assigned


def _survives(names: dict[str, Any]) -> bool:
    decide: Callable[[tiers.Facts], Any] = names["decide"]
    alone: Callable[[tiers.Facts], Any] = names["rules_alone"]
    nobody = SimpleNamespace(tier="threw", reasons=())
    for rules, facts in ALL:
        try:
            verdict, before = decide(facts), alone(facts)
        except Exception:  # noqa: BLE001 - a mutant that throws is found
            verdict = before = nobody
        if verdict.tier != expected(rules, facts) or set(verdict.reasons) != reasons(rules, facts):
            return False
        if (before.tier, before.reasons) != ((None, ()) if rules == "nothing" else ("crisis", ("phrase",))):
            return False
    return True


def test_no_change_of_the_logic_goes_unseen() -> None:
    mutants = dict(_mutants())
    assert len(mutants) > 40
    assert [made for made, names in mutants.items() if _survives(names)] == []


@pytest.mark.parametrize(
    ("text", "soft"),
    [
        ("I give up on this portal", True),
        ("I give up, I want to die", False),
        ("I want to kill myself", False),
        ("set the date", True),
        ("la espalda me esta matando", True),
        ("mi esposo me esta matando", False),
        ("he wont let me leave", False),
        ("on the roof for work today", True),
        ("I'm done with this. I want to end my life", False),
    ],
)
def test_only_idiom_prone_phrases_are_soft(text: str, soft: bool) -> None:
    reading = read_reply.read(text)
    met = [label for label in reading.why if label.startswith("crisis.")]
    assert reading.crisis
    assert (set(reading.soft) == set(met)) == soft


def test_the_labels_of_a_reading_do_not_tell_soft_from_sure() -> None:
    for text in ("I give up", "I want to die", "me rindo"):
        assert not any(label.endswith(".soft") for label in read_reply.read(text).why)
