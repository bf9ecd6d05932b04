"""How requests are served: bodies are read before a thread is taken, and each kind of client has threads of its own."""
