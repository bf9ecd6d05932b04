"""What the web server imports: the application of this process's environment."""

from service import hardening, start
from service.app import create_app

hardening.undumpable()  # where the server starts its processes anew and does not fork them
start.begin("web")
app = create_app()
start.settled()
