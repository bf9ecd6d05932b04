"""The floors: the same server with the signature check and one durable INSERT, or with a 304 and nothing else."""

import time

from flask import Flask, Response, request
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert
from twilio.request_validator import RequestValidator

from config import db
from service import start

settings = start.begin("floor")
validator = RequestValidator(settings.twilio_auth_token.get_secret_value())
app = Flask("floor")
SAID = Table("said", MetaData(), Column("sid", String(34), primary_key=True), Column("body", LargeBinary))
SAID.create(db.engine(), checkfirst=True)


@app.get("/healthz")
def alive() -> str:
    """Say that the floor is up."""
    return "ok"


@app.get("/inbox/poll")
def nothing_new() -> Response:
    """Answer 304 whatever is asked."""
    return Response(status=304)


@app.post("/webhooks/twilio/sms")
def hear() -> Response:
    """Check the signature, insert, answer."""
    form = request.form.to_dict()
    if not validator.validate(settings.public_url + request.path, form, request.headers["X-Twilio-Signature"]):
        return Response(status=403)
    with db.engine().begin() as connection:
        connection.execute(insert(SAID).values(sid=form["MessageSid"], body=form["Body"].encode()))
    return Response("<Response/>", mimetype="text/xml")


@app.post("/webhooks/ehr/books")
def hear_ehr() -> Response:
    """Check the signature of a feed, insert, acknowledge."""
    from bench.siu import SECRET
    from webhooks import signatures

    said, body = request.headers, request.get_data()
    parts = (said["webhook-id"], said["webhook-timestamp"], body, said["webhook-signature"])
    if not signatures.by_standard(SECRET, *parts, time.time()):
        return Response(status=403)
    with db.engine().begin() as connection:
        connection.execute(insert(SAID).values(sid=parts[0], body=body))
    return Response("MSH|^~\\&|\rMSA|AA|1\r", mimetype="application/hl7-v2")
