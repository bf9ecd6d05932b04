"""Every table of the service: what one row refers to in another room must be known before the first query."""

from api import models as api
from caseload import models as caseload
from caseload.figures import models as figures
from caseload.social import models as social
from caseload.stays import models as care_stays
from config import audit
from config.db import Base
from intake_links import models as intake_links
from interchange import models as interchange
from messaging import models as messaging
from messaging.delivery.brakes import models as brakes
from messaging.delivery.breaker import models as breaker
from messaging.delivery.restored import models as restored
from messaging.ehr_outbox import models as ehr_outbox
from messaging.event_webhooks import models as event_webhooks
from messaging.inbox import models as inbox
from messaging.mail import models as mail
from messaging.programs import models as programs
from messaging.retention import models as retention
from messaging.second_reading import models as second_reading
from messaging.team import models as team
from messaging.versions import models as versions
from reminders import models as reminders
from reminders.imports import models as imports
from reminders.shredding import models as shredding
from service.self_check import models as self_check
from web import models as web
from webhooks import models as webhooks

MODULES = (
    audit,
    messaging,
    brakes,
    breaker,
    restored,
    inbox,
    mail,
    programs,
    ehr_outbox,
    event_webhooks,
    retention,
    second_reading,
    team,
    versions,
    intake_links,
    reminders,
    imports,
    shredding,
    caseload,
    figures,
    social,
    care_stays,
    interchange,
    webhooks,
    api,
    web,
    self_check,
)
METADATA = Base.metadata
