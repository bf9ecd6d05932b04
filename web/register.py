"""Every staff page in one application: which there are, and what stands before them."""

from typing import Any

from config import audit
from web import desk, layout
from web.account import (
    account_page,
    demo_roles,
    duty_feed,
    factor_pages,
    mail_address,
    menu,
    notifications,
    passkey_pages,
    preferences,
    second_step,
    signin,
)
from web.boards import away, readings, response_times, today, unassigned, unreached, visits, workload
from web.caseload import episode_page, month_page, registry_page, review_pages
from web.compose import saved_replies
from web.handoff import answering, news, reporting
from web.help import pages as help_pages
from web.inbox import (
    bulk_actions,
    compose_actions,
    first_words,
    inbox_page,
    likeness_actions,
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
    details,
    identify,
    merge,
    patient_page,
    patient_visits,
    phones,
    protocol_ticks,
    record,
    safety_plan,
    search,
    summary,
    whole_record,
)
from web.review import changes
from web.review import page as review_page
from web.settings import (
    api_keys,
    brakes,
    cadence,
    cadence_week,
    care_terms,
    clinic,
    clinic_file,
    decision_pages,
    escalation_policy,
    feed_page,
    feeds,
    handoffs,
    imports,
    people,
    policy_replay,
    protocol,
    questionnaires,
    recovery_pages,
    rota,
    second_reading,
    setup,
    webhook_page,
    webhooks,
    wording_pages,
)
from web.teamwork import board_pages, note_pages, task_pages, team_files, template_pages, thread_pages

PAGES = (
    signin.signin,
    second_step.secondstep,
    passkey_pages.passkeypages,
    account_page.account,
    factor_pages.factorpages,
    inbox_page.inbox,
    desk.desk,
    bulk_actions.room,
    outcome_actions.outcome,
    likeness_actions.likenesses,
    notes_and_calls.contacts,
    send_form.questions,
    clinic_forms.answers,
    compose_actions.composer,
    first_words.firstwords,
    saved_replies.savedreplies,
    live.live,
    attachments.attachments,
    saved_filters.savedfilters,
    today.today,
    visits.visits,
    answering.handoffs,
    reporting.reports,
    news.news,
    search.search,
    identify.identify,
    phones.phones,
    consent_pages.consents,
    record.record,
    patient_visits.patient_visits,
    details.details,
    merge.merges,
    summary.summaries,
    whole_record.whole_records,
    safety_plan.plans,
    protocol_ticks.ticks,
    protocol.protocols,
    unreached.reach,
    patient_page.patients,
    menu.menu,
    preferences.preferences,
    notifications.notices,
    mail_address.mails,
    duty_feed.feeds,
    unassigned.unowned,
    escalation_policy.settings,
    policy_replay.replays,
    rota.rota,
    decision_pages.versions,
    imports.importing,
    feeds.feeds,
    feed_page.one_feed,
    wording_pages.wordings,
    cadence_week.rehearsals,
    cadence.cadences,
    away.cover,
    setup.setup,
    clinic.clinics,
    people.colleagues,
    api_keys.api_keys,
    webhooks.webhooks,
    webhook_page.webhook,
    brakes.brake_pages,
    recovery_pages.recoverypages,
    questionnaires.questionnaires,
    handoffs.handoff_terms,
    care_terms.care_terms,
    clinic_file.files,
    response_times.clocks,
    readings.readings,
    second_reading.second_reading,
    workload.lead,
    registry_page.registry,
    episode_page.care,
    review_pages.case_reviews,
    month_page.care_months,
    review_page.reviews,
    changes.changes,
    help_pages.help_pages,
    thread_pages.threads,
    team_files.teamfiles,
    template_pages.templates,
    task_pages.taskpages,
    note_pages.notepages,
    board_pages.boardpages,
)


def register(app: Any) -> None:
    """Put every staff page into the Flask application `app`, each closed to those it does not name."""
    layout.register(app, *PAGES)
    demo_roles.register(app)
    app.extensions["large_bodies"] = {
        "/settings/import": (imports.LARGEST, imports.may_send_large),
        "/team/post": (thread_pages.LARGEST, imports.may_send_large),
    }
    # What marks the acts of one request must not mark those of the next in the same thread.
    app.teardown_request(lambda _wrong: audit.mark())
    app.wsgi_app = live.Watching(app.wsgi_app)
