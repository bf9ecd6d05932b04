"""Every staff page in one application: which there are, and what stands before them."""

from typing import Any

from web import layout
from web.account import notifications, preferences, signin
from web.boards import away, handoffs, response_times, unassigned, unreached
from web.compose import saved_replies
from web.inbox import (
    bulk_actions,
    compose_actions,
    inbox_page,
    live,
    notes_and_calls,
    outcome_actions,
    saved_filters,
    send_form,
)
from web.patients import (
    attachments,
    clinic_forms,
    consent_pages,
    identify,
    patient_page,
    phones,
    record,
    search,
)
from web.settings import (
    cadence,
    cadence_week,
    clinic,
    clinic_file,
    decision_pages,
    escalation_policy,
    imports,
    people,
    policy_replay,
    questionnaires,
    rota,
    setup,
    wording_pages,
)

PAGES = (
    signin.signin,
    inbox_page.inbox,
    bulk_actions.room,
    outcome_actions.outcome,
    notes_and_calls.contacts,
    send_form.questions,
    clinic_forms.answers,
    compose_actions.composer,
    saved_replies.savedreplies,
    live.live,
    attachments.attachments,
    saved_filters.savedfilters,
    handoffs.handoffs,
    search.search,
    identify.identify,
    phones.phones,
    consent_pages.consents,
    record.record,
    unreached.reach,
    patient_page.patients,
    preferences.preferences,
    notifications.notices,
    unassigned.unowned,
    escalation_policy.settings,
    policy_replay.replays,
    rota.rota,
    decision_pages.versions,
    imports.importing,
    wording_pages.wordings,
    cadence_week.rehearsals,
    cadence.cadences,
    away.cover,
    setup.setup,
    clinic.clinics,
    people.colleagues,
    questionnaires.questionnaires,
    clinic_file.files,
    response_times.clocks,
)


def register(app: Any) -> None:
    """Put every staff page into the Flask application `app`, each closed to those it does not name."""
    layout.register(app, *PAGES)
    app.extensions["large_bodies"] = {"/settings/import": (imports.LARGEST, imports.may_send_large)}
    app.wsgi_app = live.Watching(app.wsgi_app)
