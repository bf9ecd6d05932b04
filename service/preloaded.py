"""Everything that processes of ours import, and what they make at first need: imported once and then forked."""

import granian.server
from sqlalchemy.orm import configure_mappers

from messaging.gateways import twilio
from messaging.reading import rulebook
from service import app, lanes, ticker, worker
from service.cli import service as commands

# Imported for what it brings into memory.
IMPORTED = (app, commands, granian.server, lanes, ticker, worker)

configure_mappers()
rulebook.rules()
twilio.load_sdk()
