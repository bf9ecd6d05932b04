"""What patients wrote when they were asked how the clinic did: without names or days, some at a time."""

from caseload.satisfaction import telling
from config import audit, db
from reminders import satisfaction
from web import layout, permissions, sessions

review_words = layout.room("review_words", __name__)


@review_words.get("/review/words")
@permissions.signed_in("review.read")
def show() -> str:
    """Show the free texts of the last year to whoever leads the clinic."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        audit.record(session, clinic.id, layout.the_actor(), "review.words_opened", f"clinic:{clinic.id}")
        return layout.page(
            session,
            "staff/review_words.html",
            here="review",
            texts=telling.words_of(session, clinic),
            waiting=telling.waiting(session, clinic),
            handful=telling.HANDFUL,
            asks=satisfaction.of_clinic(clinic).asks,
        )
