"""EHRs of the simulator that the house may ask, as they are on this machine."""

import pytest

from config import runtime, settings
from messaging.models import Clinic
from tests.interchange.polling.asked_ehrs import Asked
from tests.phones import Network


@pytest.fixture
def here(network: Network, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    allowed = runtime.settings().model_copy(update={"ehr_networks": "127.0.0.0/8"})
    monkeypatch.setattr(runtime, "_settings", allowed)
    return allowed


@pytest.fixture
def epic(here: settings.Settings, network: Network, clinic: Clinic) -> Asked:
    ehr = Asked(network, clinic)
    ehr.patient()
    return ehr


@pytest.fixture
def athena(here: settings.Settings, network: Network, clinic: Clinic) -> Asked:
    ehr = Asked(network, clinic, "athena", "RS384")
    ehr.patient()
    return ehr
