"""An identity provider, and a clinic whose people sign in with it; files that need others have their own."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging.models import Staff
from tests.web.account import provider as providers
from tests.web.account.provider import Provider
from tests.web.account.sso_place import ROSA, at
from tests.web.account.test_second_step import a_colleague


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as running:
        running.person = {
            "sub": "u-1",
            "email": ROSA,
            "email_verified": True,
            "name": "Rosa Delgado",
            "groups": ["staff", "care"],
        }
        yield running


@pytest.fixture
def place(house: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Any:
    return at(house, provider, monkeypatch)


@pytest.fixture
def rosa(place: Any) -> Staff:
    return a_colleague(place, email=ROSA)
