"""A phone network on this machine: it speaks the part of Twilio's REST API that matters here, signs its webhooks and shows phones.

A program of its own. It imports nothing of the service and the service imports nothing of it; they meet
over HTTP only, so that the service's real adapter and the real SDK are what is exercised.
"""
