"""What the web server imports: the application of this process's environment."""

from service import start
from service.app import create_app

start.begin("web")
app = create_app()
start.settled()
