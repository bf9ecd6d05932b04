"""A phone network on this machine: it speaks Twilio's REST API, signs its webhooks and shows phones.

Of that API it speaks the part that matters here. A program of its own: it imports nothing of the service and the
service imports nothing of it; they meet over HTTP only, so that the service's real adapter and the real SDK are what is
exercised.
"""
