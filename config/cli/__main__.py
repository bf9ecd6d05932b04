"""`python -m config.cli` is `warmthread`: the supervisor starts its children this way, whatever the PATH."""

from config.cli import main

main()
