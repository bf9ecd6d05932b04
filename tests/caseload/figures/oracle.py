"""Every figure of the review once more, straight from the rows of a made-up half-year and from nothing that is kept.

Written for whole spans and not for days, so that it cannot share a mistake with what adds days up. Of the product it
uses the tables of the rows, and Span and Month for the days that a span and a month have.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from caseload.figures.days import Span
from caseload.models import CareEntry, Episode
from caseload.months import Month
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import Contact, InboxItem
from messaging.models import ConsentEntry, Message, SafetyPlan
from reminders.models import Appointment, FollowUp, Handoff, Reminder
from tests.caseload.figures.half_year import DAY, DENVER, NOW, HalfYear

TODAY = NOW.astimezone(DENVER).date()
LEFT = ("sent", "delivered", "undelivered")
Figures = dict[tuple[str, str], tuple[int, int | None]]


def local(at: datetime) -> date:
    """The day of a moment by the clinic's clock."""
    return at.astimezone(DENVER).date()


def age(born: date, on: date) -> int:
    """Whole years."""
    years = on.year - born.year
    return years - 1 if (on.month, on.day) < (born.month, born.day) else years


class Oracle:
    """What each row of each measure must say of a span."""

    def __init__(self, past: HalfYear, span: Span) -> None:
        self.past, self.span = past, span
        self.results = {row.id: json.loads(row.result) for row in past.of(Screen) if not row.detail.get("again")}
        self.texts = {row.id: row for row in past.of(Message)}

    def inside(self, model: type, moment: str) -> list[Any]:
        """The rows whose moment lies in the span."""
        rows = [row for row in self.past.of(model) if getattr(row, moment) is not None]
        return [row for row in rows if self.span.first <= local(getattr(row, moment)) <= self.span.last]

    def visits(self) -> Figures:
        """No-shows, reach and confirmation."""
        told = {
            (visit.patient_id, visit.starts_at)
            for visit in self.past.of(Appointment)
            for reminder in self.past.of(Reminder)
            if reminder.appointment_id == visit.id
            and (text := self.texts[reminder.message_id]).state == "delivered"
            and text.delivered_at < visit.starts_at
        }
        visits = self.inside(Appointment, "starts_at")
        reminded = [each for each in visits if (each.patient_id, each.starts_at) in told]
        others = [each for each in visits if (each.patient_id, each.starts_at) not in told]

        def missed(of: list[Any]) -> tuple[int, int]:
            known = [each.state for each in of if each.state in ("arrived", "no_show")]
            return known.count("no_show"), len(known)

        said = ["change_asked" if each.state == "change_asked" else "cancelled" if each.state == "cancelled"
                else "confirmed" if each.confirmed_at else "unanswered" for each in reminded]  # fmt: skip
        standing = [each for each in visits if each.state != "cancelled"]
        return {
            ("no_shows", "all"): missed(visits),
            ("no_shows", "reminded"): missed(reminded),
            ("no_shows", "not_reminded"): missed(others),
            ("reach", "all"): (sum(each in reminded for each in standing), len(standing)),
            **{("confirmation", key): (said.count(key), len(said)) for key in
               ("confirmed", "change_asked", "cancelled", "unanswered")},
        }  # fmt: skip

    def screening(self) -> Figures:
        """CMS2, each patient once a day."""
        came = {(row.patient_id, local(row.starts_at)) for row in self.inside(Appointment, "starts_at")
                if row.state == "arrived"}  # fmt: skip
        eligible = [(who, on) for who, on in came if who in self.past.born and age(self.past.born[who], on) >= 12]
        screened = positive = plan = 0
        for who, on in eligible:
            screens = self._depression(who, on - 14 * DAY, on)
            if not screens:
                continue
            screened += 1
            if self.results[screens[-1].id]["positive"]:
                positive += 1
                plan += self._planned(screens[-1], on)
        return {
            ("cms2", "screened"): (screened, len(eligible)),
            ("cms2", "positive"): (positive, screened),
            ("cms2", "plan"): (plan, positive),
            ("cms2", "met"): (screened - positive + plan, len(eligible)),
        }

    def _depression(self, who: UUID, first: date, last: date) -> list[Screen]:
        found = [
            row
            for row in self.past.of(Screen)
            if row.patient_id == who and row.id in self.results and row.instrument in ("phq9", "phq2", "phq9m")
            and self.results[row.id]["positive"] is not None and first <= local(row.submitted_at) <= last
        ]  # fmt: skip
        return sorted(found, key=lambda row: (row.submitted_at, row.id.bytes))

    def _planned(self, screen: Screen, visit: date) -> bool:
        who, since = screen.patient_id, screen.submitted_at
        last = visit + 2 * DAY

        def soon(at: datetime | None) -> bool:
            return at is not None and at >= since and local(at) <= last

        past = self.past
        return (
            any(row.patient_id == who and row.outcome != "cancelled" and soon(row.requested_at)
                for row in past.of(Handoff))
            or any(row.patient_id == who and local(since) <= row.enrolled_on <= last for row in past.of(Episode))
            or any(row.patient_id == who and soon(row.at) for row in past.of(SafetyPlan))
            or any(row.about == f"screen:{screen.id}" and row.disposition == "assessed_plan"
                   and soon(row.acknowledged_at) for row in past.of(InboxItem))
        )  # fmt: skip

    def months(self) -> list[Month]:
        """The months that end in the span."""
        days = (self.span.first + number * DAY for number in range(self.span.length))
        return [Month(day.year, day.month) for day in days if (day + DAY).day == 1]

    def by_month(self) -> Figures:
        """Measure 9 of New York State."""
        n = of = 0
        for month in self.months():
            came = {row.patient_id for row in self.past.of(Appointment) if row.state == "arrived"
                    and month.first <= local(row.starts_at) <= month.last}  # fmt: skip
            eligible = {who for who in came if who in self.past.born and age(self.past.born[who], month.last) >= 12}
            of += len(eligible)
            n += sum(bool(self._depression(who, month.last - 365 * DAY, month.last)) for who in eligible)
        return {("nys9", "all"): (n, of)}

    def texting(self) -> Figures:
        """Texts, and opt-outs of the numbers that were texted."""
        texts = self.inside(Message, "created_at")
        left = [row for row in texts if row.direction == "out" and row.state in LEFT]
        wishes = {(row.number_index, local(row.at)) for row in self.inside(ConsentEntry, "at")
                  if row.event == "revoked" and row.source != "import"}  # fmt: skip
        return {
            ("texts", "left"): (len(left), None),
            ("texts", "delivered"): (sum(row.state == "delivered" for row in left), len(left)),
            ("texts", "received"): (sum(row.direction == "in" for row in texts), None),
            ("opt_outs", "all"): (len(wishes), len({row.conversation_id for row in left})),
        }

    def _counting_links(self) -> Iterable[tuple[IntakeLink, bool]]:
        texted = {row.link_id: self.texts[row.first_message_id].state for row in self.past.of(FollowUp)}
        for link in self.inside(IntakeLink, "created_at"):
            running = link.state in ("open", "verified") and link.expires_at > NOW
            reached = link.place == "tablet" or texted.get(link.id) == "delivered"
            if reached and not running and link.state != "withdrawn":
                yield link, link.state == "answered"

    def forms(self) -> Figures:
        """Form completion by phone and on the tablet."""
        phone = [done for link, done in self._counting_links() if link.place is None]
        tablet = [done for link, done in self._counting_links() if link.place == "tablet"]
        return {("forms", "all"): (sum(phone), len(phone)), ("forms", "tablet"): (sum(tablet), len(tablet))}

    def forms_by(self) -> Figures:
        """Form completion by language and age."""
        figures: Figures = {}
        for link, done in self._counting_links():
            if link.place is not None:
                continue
            born = self.past.born.get(link.patient_id)
            years = age(born, local(link.created_at)) if born else None
            band = ("unknown" if years is None else "65" if years >= 65 else "18" if years >= 18
                    else "12" if years >= 12 else "0")  # fmt: skip
            for key in (("forms_by_language", link.language), ("forms_by_age", band)):
                n, of = figures.get(key, (0, 0))
                figures[key] = n + done, (of or 0) + 1
        return figures

    def spoken(self, who: UUID) -> list[datetime]:
        """When somebody of the team has spoken with a patient."""
        past = self.past
        mine = {row.id for row in past.of(Episode) if row.patient_id == who}
        return [
            *(row.starts_at for row in past.of(CareEntry)
              if row.episode_id in mine and row.live and not row.struck_at),
            *(row.at for row in past.of(Contact) if row.patient_id == who and row.kind == "call"
              and row.outcome == "reached" and not row.struck_at),
            *(row.met_at for row in past.of(Handoff) if row.patient_id == who and row.met_at),
            *(row.acknowledged_at for row in past.of(InboxItem) if row.patient_id == who
              and row.disposition in ("reached_by_phone", "in_person")),
        ]  # fmt: skip

    def positives(self) -> Figures:
        """Positive screens and when somebody spoke with them."""
        firsts: dict[tuple[UUID, date], datetime] = {}
        for row in sorted(self.inside(Screen, "submitted_at"), key=lambda row: row.submitted_at):
            if row.id in self.results and self.results[row.id]["positive"]:
                firsts.setdefault((row.patient_id, local(row.submitted_at)), row.submitted_at)
        waits: list[tuple[date, int | None]] = []
        for (who, on), since in firsts.items():
            if any(row.patient_id == who and row.enrolled_on < on and (row.ended_on or on) >= on
                   for row in self.past.of(Episode)):  # fmt: skip
                continue
            after = [at for at in self.spoken(who) if at >= since]
            waits.append((on, (local(min(after)) - on).days if after else None))
        figures: Figures = {("follow_through", "waiting"): (sum(days is None for _, days in waits), len(waits))}
        for limit in (7, 14, 28):
            within = [days is not None and days <= limit for on, days in waits
                      if (days is not None and days <= limit) or (TODAY - on).days > limit]  # fmt: skip
            figures["follow_through", str(limit)] = sum(within), len(within)
        return figures

    def item9(self) -> Figures:
        """Alerts of self-harm answers."""
        items = [row for row in self.inside(InboxItem, "created_at") if row.kind == "safety"]
        due = [row for row in items if row.acknowledged_at or row.answer_by <= NOW]
        took = [row.acknowledged_at - row.created_at if row.acknowledged_at else None for row in due]

        def within(minutes: int) -> int:
            return sum(span is not None and span <= timedelta(minutes=minutes) for span in took)

        return {
            ("item9", "within_15"): (within(15), len(due)),
            ("item9", "within_60"): (within(60), len(due)),
            ("item9", "in_time"): (within(120), len(due)),
            ("item9", "overdue"): (took.count(None), len(due)),
        }
