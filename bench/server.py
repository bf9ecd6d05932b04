"""The web server of `warmthread web`, serving the application named, so that floor and product differ only in it."""

import sys

from config import runtime
from service import start
from service.cli.service import web_server

start.begin("bench")
web_server(sys.argv[1], runtime.settings())()
