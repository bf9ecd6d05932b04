"""How a clinic's people sign in with its identity provider (OpenID Connect): one of its decisions, off until published.

Whoever runs the provider says who is who here, so that whatever widens what it may say takes a second person.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any

import pydantic
from sqlalchemy import update
from sqlalchemy.orm import Session

from config import public_internet, runtime
from messaging.event_webhooks import guard
from messaging.models import Clinic, Staff
from messaging.versions import publishing
from reminders.clinic_definition import Role

NAME = "single_sign_on"
MOST, LONGEST = 20, 200
# In the order in which they are looked at: whoever is in groups of two roles has the first.
ROLES: tuple[Role, ...] = (
    "clinic_admin",
    "clinician",
    "care_manager",
    "psychiatric_consultant",
    "front_desk",
    "auditor",
)
EXPECTED = {
    "bool_type": "yes or no",
    "bool_parsing": "yes or no",
    "string_type": "a text",
    "string_too_long": f"at most {LONGEST} characters",
    "string_pattern_mismatch": "a single line that can be shown",
    "too_long": f"at most {MOST}",
    "extra_forbidden": "unknown",
}
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
NEEDED = ("issuer", "client_id", "domains", "groups_claim")
Line = Annotated[
    str, pydantic.StringConstraints(strip_whitespace=True, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Lines = Annotated[tuple[Line, ...], pydantic.Field(max_length=MOST)]


class Terms(pydantic.BaseModel):
    """Which provider says who is who, and what follows from what it says.

    `issuer` is its address, as it calls itself; people have an e-mail of one of `domains`; whoever is in a group that
    stands at a role has this role, and who is in none does not come in. `joiners`: an account is made for whoever comes
    for the first time. `only`: who has come in so does not come in by a password any more, administrators excepted.
    `second_step`: which values of `amr` or `acr` say that the provider has asked for a second factor; with none, the
    second step stays ours.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    on: bool = False
    issuer: Line = ""
    client_id: Line = ""
    domains: Lines = ()
    groups_claim: Line = "groups"
    clinic_admin: Lines = ()
    clinician: Lines = ()
    care_manager: Lines = ()
    psychiatric_consultant: Lines = ()
    front_desk: Lines = ()
    auditor: Lines = ()
    joiners: bool = False
    only: bool = True
    second_step: Lines = ()

    @pydantic.field_validator("domains", mode="before")
    @classmethod
    def _lower(cls, domains: Any) -> Any:
        return (
            tuple(str(domain).strip().lower() for domain in domains) if isinstance(domains, list | tuple) else domains
        )

    def groups_of(self, role: Role) -> tuple[str, ...]:
        """Return the groups whose members have a role."""
        groups: tuple[str, ...] = getattr(self, role)
        return groups

    def role_of(self, groups: Collection[str]) -> Role | None:
        """Return the role of somebody in these groups, None where none of them has one."""
        return next((role for role in ROLES if set(self.groups_of(role)) & set(groups)), None)


def of_clinic(clinic: Clinic) -> Terms:
    """Return the terms that hold; a clinic that has decided nothing has no provider."""
    return Terms.model_validate(clinic.rules.get(NAME, {}))


def keeps_out(terms: Terms, staff: Staff) -> bool:
    """Whether a password, a passkey alone or a link that an administrator made lets somebody in no more.

    Administrators keep theirs for the day on which the provider is silent, unless it has said that they are nobody.
    """
    if not terms.on or staff.sso_state is None:
        return False
    return staff.sso_state == "refused" or (terms.only and staff.sso_state == "linked" and staff.role != "clinic_admin")


def read(definition: Mapping[str, Any]) -> publishing.Definition:
    """Bring a definition into its full form. Raises Refused, each mistake at its field."""
    full = publishing.reading(Terms, EXPECTED)(definition)
    problems = [*_missing(full), *_address(full), *_domains(full), *_twice(full)]
    if problems:
        raise publishing.Refused(problems)
    return full


def _missing(full: publishing.Definition) -> list[publishing.Problem]:
    if not full["on"]:
        return []
    missing = [publishing.Problem(field, "this must be given") for field in NEEDED if not full[field]]
    nobody = not any(full[role] for role in ROLES)
    return missing + ([publishing.Problem("clinic_admin", "give at least one role a group")] if nobody else [])


def _address(full: publishing.Definition) -> list[publishing.Problem]:
    if not full["issuer"]:
        return []
    try:
        target = guard.read(full["issuer"], loopback=runtime.settings().webhooks_to_loopback)
    except public_internet.Refused:
        return [publishing.Problem("issuer", "an https address on the public internet, as the provider calls itself")]
    return [publishing.Problem("issuer", "without a question mark")] if "?" in target.path else []


def _domains(full: publishing.Definition) -> list[publishing.Problem]:
    wrong = [domain for domain in full["domains"] if not DOMAIN.fullmatch(domain)]
    return [publishing.Problem("domains", "what stands behind the @, such as clinic.example")] if wrong else []


def _twice(full: publishing.Definition) -> list[publishing.Problem]:
    """A group stands at one role: who reads the page should not have to know which comes first."""
    seen: set[str] = set()
    problems = []
    for role in ROLES:
        if seen & set(full[role]):
            problems.append(publishing.Problem(role, "one of these groups stands at another role already"))
        seen |= set(full[role])
    return problems


def silences(old: publishing.Definition, new: publishing.Definition) -> list[str]:
    """Return in words whom a change would let in, or keep out, by somebody else's word."""
    if not new["on"]:
        return ["whoever has no password here could not sign in any more"] if old["on"] else []
    before = old if old["on"] else Terms().model_dump(mode="json")
    losses = []
    if any(before[field] != new[field] for field in ("issuer", "client_id", "groups_claim")):
        losses.append(f"whoever runs {new['issuer']} would say who is who here")
    if set(new["domains"]) - set(before["domains"]):
        losses.append("people of another e-mail domain could come in")
    if any(set(new[role]) - set(before[role]) for role in ROLES):
        losses.append("members of another group would get a role")
    if new["joiners"] and not before["joiners"]:
        losses.append("accounts would be made for people whom nobody here has invited")
    if set(new["second_step"]) - set(before["second_step"]):
        losses.append("the provider's word would stand for the second step")
    return losses


def _present(_session: Session, clinic: Clinic) -> publishing.Definition:
    return of_clinic(clinic).model_dump(mode="json")


def _take_effect(session: Session, clinic: Clinic, definition: publishing.Definition, _actor: str) -> None:
    """A link is to one provider: with another, or none, nobody is taken to have a way in by it."""
    before = of_clinic(clinic)
    clinic.rules = {**clinic.rules, NAME: definition}
    if not definition["on"] or definition["issuer"] != before.issuer:
        linked = update(Staff).where(Staff.clinic_id == clinic.id, Staff.sso_state.in_(("linked", "refused")))
        session.execute(linked.values(sso_subject=None, sso_state=None, sso_used_at=None))


SINGLE_SIGN_ON = publishing.Kind(
    NAME,
    read=read,
    present=_present,
    silences=silences,
    take_effect=_take_effect,
    model=Terms,
    shipped=lambda: Terms().model_dump(mode="json"),
)
