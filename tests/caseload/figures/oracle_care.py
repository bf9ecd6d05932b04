"""What the care team did, recounted from the rows of a made-up half-year; with it the oracle is whole."""

import json
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from caseload.models import CareEntry, CareMonth, CaseReview, Episode, SatisfactionAsked
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import Contact, InboxItem
from reminders.models import Appointment, Handoff
from tests.caseload.figures import emergencies, half_year, oracle
from tests.caseload.figures.half_year import DAY
from tests.caseload.figures.oracle import TODAY, Figures, local
from tests.caseload.measures.by_the_words import Patient, by_the_words


class Oracle(oracle.Oracle):
    """What each row of each measure must say of a span."""

    def all(self) -> Figures:
        """Every figure: n and N by measure and row."""
        parts = (self.visits, self.screening, self.by_month, self.texting, self.forms, self.forms_by, self.positives,
                 self.item9, self.handoffs, self.contacts, self.twelve_weeks, self.registry, self.views,
                 self.emergencies)  # fmt: skip
        return {key: value for part in parts for key, value in part().items()}

    def handoffs(self) -> Figures:
        """Warm handoffs, and visits kept after any referral."""
        asked = [row for row in self.inside(Handoff, "requested_at") if row.outcome != "cancelled"]
        warm = [row for row in asked if row.modality != "later" and row.ended_at]
        kept = {}
        for row in asked:
            last = local(row.requested_at) + 30 * DAY
            kept[row.id] = any(
                visit.patient_id == row.patient_id and visit.state == "arrived" and visit.starts_at > row.requested_at
                and local(visit.starts_at) <= last for visit in self.past.of(Appointment)
            )  # fmt: skip
        due = [row for row in asked if kept[row.id] or (TODAY - local(row.requested_at)).days > 30]
        return {
            ("engagement", "all"): (sum(kept[row.id] for row in due), len(due)),
            ("handoffs", "accepted"): (sum(row.accepted_at is not None for row in warm), len(warm)),
            ("handoffs", "met"): (sum(row.met_at is not None for row in warm), len(warm)),
            ("handoffs", "lost"): (sum(row.outcome in ("left", "lost") for row in warm), len(warm)),
        }

    def contacts(self) -> Figures:
        """Live contacts, each patient once a day and kind."""
        whose = {row.id: row.patient_id for row in self.past.of(Episode)}
        how = {"reached_by_phone": "call", "in_person": "in_person"}
        live = {
            *((whose[row.episode_id], local(row.starts_at), row.kind if row.kind != "registry" else "other")
              for row in self.inside(CareEntry, "starts_at") if row.live and not row.struck_at),
            *((row.patient_id, local(row.at), "call") for row in self.inside(Contact, "at")
              if row.kind == "call" and row.outcome == "reached" and not row.struck_at),
            *((row.patient_id, local(row.met_at), "handoff") for row in self.inside(Handoff, "met_at")),
            *((row.patient_id, local(row.acknowledged_at), how[row.disposition])
              for row in self.inside(InboxItem, "acknowledged_at") if row.disposition in how),
        }  # fmt: skip
        kinds = [kind for _, _, kind in live]
        names = ("call", "video", "in_person", "handoff", "other")
        return {("contacts", kind): (kinds.count(kind), len(kinds)) for kind in names}

    def _points(self, who: UUID) -> list[tuple[date, int]]:
        rows = sorted((row for row in self.past.of(Screen) if row.patient_id == who and row.instrument == "phq9"
                       and row.id in self.results and self.results[row.id]["total"] is not None),
                      key=lambda row: (row.submitted_at, row.id.bytes))  # fmt: skip
        return [(local(row.submitted_at), self.results[row.id]["total"]) for row in rows]

    def twelve_weeks(self) -> Figures:
        """Response and remission of the episodes whose window closes in the span."""
        of = response = remission = none = 0
        for row in self.past.of(Episode):
            if not self.span.first <= row.enrolled_on + 98 * DAY <= self.span.last:
                continue
            ages = [((on - row.enrolled_on).days, total) for on, total in self._points(row.patient_id)]
            base = [total for days, total in ages if 0 <= days <= 14][:1]
            base = base or [total for days, total in ages if -30 <= days < 0][-1:]
            if not base or base[0] < 10:
                continue
            of += 1
            near = sorted((abs(days - 84), -days, place) for place, (days, _) in enumerate(ages) if 70 <= days <= 98)
            if not near:
                none += 1
                continue
            total = ages[near[0][2]][1]
            response, remission = response + (total <= base[0] / 2), remission + (total < 5)
        return {("weeks12", "response"): (response, of), ("weeks12", "remission"): (remission, of),
                ("weeks12", "no_score"): (none, of)}  # fmt: skip

    def registry(self) -> Figures:
        """New York State's measures, minutes and codes."""
        sums = {key: [0, 0] for key in "5678"}
        open_in = closed = units = 0
        for month in self.months():
            counted = by_the_words([self._nys(row) for row in self.past.of(Episode)], month.year, month.month)
            for key, both in sums.items():
                both[0] += counted[key]["n"]
                both[1] += counted[key]["of"]
            open_in += sum(row.enrolled_on <= month.last and (row.ended_on or month.last) >= month.first
                           for row in self.past.of(Episode))  # fmt: skip
            shut = [row for row in self.past.of(CareMonth) if row.month == str(month)]
            closed += sum(bool(row.codes) for row in shut)
            units += sum(len(row.codes) for row in shut)
        work = sum(((row.ends_at - row.starts_at for row in self.inside(CareEntry, "starts_at")
                     if not row.struck_at and row.staff_id == self.past.rosa.id)), timedelta())  # fmt: skip
        figures: Figures = {("nys", f"nys{key}"): (n, of) for key, (n, of) in sums.items()}
        figures["codes", "minutes"] = int(work.total_seconds()) // 60, None
        figures["codes", "closed"] = closed, open_in
        if units:
            figures["units", "99493"] = units, None
        return figures

    def emergencies(self) -> Figures:
        """Visits to emergency departments in months, and for whom a hospital is connected."""
        days = [self.span.first + number * DAY for number in range(self.span.length)]
        sums = emergencies.recounted(
            self.past, days, local, lambda day: datetime.combine(day, time(), half_year.DENVER).astimezone(UTC)
        )
        figures: Figures = {
            ("emergency", f"ed_{name}"): (sums[name][0], sums[name][1] // 30) for name in ("all", "early", "ahead")
        }
        figures["emergency", "ed_connected"] = sums["connected"][0] // 30, sums["connected"][1] // 30
        return figures

    def views(self) -> Figures:
        """Who said how the clinic did, in which language, and how many marks each question has."""
        links = {row.id: row for row in self.past.of(IntakeLink)}
        running = {
            row.id for row in links.values() if row.state in ("open", "verified") and row.expires_at > oracle.NOW
        }
        rows = self.inside(SatisfactionAsked, "asked_at")
        answered = [row for row in rows if row.answered_at]
        silent = [row for row in rows if not row.answered_at and self.texts[row.message_id].state == "delivered"
                  and links[row.link_id].state != "withdrawn"
                  and row.link_id not in running]  # fmt: skip
        figures: Figures = {("satisfaction", "answered"): (len(answered), len(answered) + len(silent))}
        for language in ("en", "es"):
            spoken = sum(row.answered_in == language for row in answered)
            figures["satisfaction_languages", language] = spoken, len(answered)
            mine = [row in answered for row in (*answered, *silent) if row.language == language]
            figures["satisfaction_by_language", language] = sum(mine), len(mine)
        for question, marks in self.marks().items():
            figures["satisfaction_means", question] = len(marks), None
        return figures

    def marks(self) -> dict[str, list[int]]:
        """Every mark by the question."""
        said = [json.loads(row.said) for row in self.inside(SatisfactionAsked, "asked_at") if row.answered_at]
        questions = {question for marks in said for question in marks}
        return {question: [marks[question] for marks in said if question in marks] for question in questions}

    def _nys(self, row: Episode) -> Patient:
        discharged = {"discharged": row.ended_on} if row.ended_on else {}
        always = [{"payer": "medicaid", "from": date.min}] if row.payer == "medicaid" else []
        return {
            "episodes": [{"enrolled": row.enrolled_on, "scale": "phq9"} | discharged],
            "coverage": always,
            "contacts": [{"at": local(at), "kind": "treatment", "by": "phone"} for at in self.spoken(row.patient_id)],
            "scores": [{"at": on, "scale": "phq9", "total": total} for on, total in self._points(row.patient_id)],
            "reviews": [{"at": local(each.at), "recommendation": True} for each in self.past.of(CaseReview)
                        if each.episode_id == row.id],
        }  # fmt: skip
