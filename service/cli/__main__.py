"""`python -m service.cli` is `warmthread`: the supervisor starts its children this way, whatever the PATH."""

from service.cli import main

main()
