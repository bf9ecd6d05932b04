"""An item for the tests of the inbox."""

import pytest

from config import db
from messaging.inbox import items
from messaging.inbox.models import InboxItem


@pytest.fixture
def opened(clinic):
    """Opens an item; takes what items.open_item takes."""

    def opened(kind="safety", dedupe="", **more) -> InboxItem:
        reason = dedupe or f"reason:{db.new_id()}"
        with db.unit_of_work(clinic.id) as session:
            return items.open_item(
                session, clinic, kind=kind, about="screen:1", dedupe=reason, summary="A screen.", **more
            )

    return opened
