"""Everything that processes of ours import, and what they make at first need: imported once and then forked."""

import granian.server
import twilio.http.http_client
import twilio.rest
from sqlalchemy.orm import configure_mappers

from messaging.reading import rulebook
from service import app, lanes, ticker, worker
from service.cli import service as commands

# Imported for what it brings into memory.
IMPORTED = (app, commands, granian.server, lanes, ticker, twilio.http.http_client, twilio.rest, worker)

configure_mappers()
rulebook.rules()
