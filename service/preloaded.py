"""Everything that processes of ours import, and what they make at first need: imported once and then forked."""

import granian.server
from sqlalchemy.orm import configure_mappers

from messaging.reading import rulebook
from service import app, ticker, worker
from service.cli import service as commands

# Imported for what it brings into memory.
IMPORTED = (app, commands, granian.server, ticker, worker)

configure_mappers()
rulebook.rules()
