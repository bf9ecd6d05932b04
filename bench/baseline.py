"""The floors: the same server with the signature check and one durable INSERT, or with a 304 and nothing else."""

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
