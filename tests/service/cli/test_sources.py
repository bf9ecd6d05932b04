"""A form vendor or a feed is let in once, by a name that fits an address."""

import os
import subprocess

import pytest

from tests.commands import completed


@pytest.fixture
def run(tmp_path):
    """Run a command of the service in a folder of its own."""
    env = {
        "PATH": os.environ["PATH"],
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "a token of the tests",
        "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
        "WARMTHREAD_DATA_DIR": str(tmp_path / "data"),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return completed(words, env)

    return run


def test_a_source_is_added_once_and_by_a_plain_name(tmp_path, run):
    run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    assert "whsec_" in run("forms", "add-source", "vendor", "--json").stdout
    again = run("forms", "add-source", "vendor")
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert run("forms", "add-source", "a vendor/1").returncode == 2
    profile = tmp_path / "books.toml"
    profile.write_text('key = ["SCH-3"]')
    assert "whsec_" in run("feeds", "add-source", "books", "--profile", str(profile), "--json").stdout
    assert "already" in run("feeds", "add-source", "books").stderr
    profile.write_text('kee = ["SCH-3"]')
    refused = run("feeds", "add-source", "others", "--profile", str(profile))
    assert (refused.returncode, "kee" in refused.stderr) == (2, True)
    said = run("feeds", "mllp", "books", "--sender", "EPIC|ELM", "--certificate", "engine.example")
    assert (said.returncode, "EPIC|ELM" in said.stdout) == (0, True)
    assert run("feeds", "mllp", "books", "--sender", "EPIC").returncode == 2
    assert run("feeds", "mllp", "books").returncode == 2
    assert run("feeds", "add-source", "others").returncode == 0
    assert "another feed" in run("feeds", "mllp", "others", *said.args[3:]).stderr
    assert run("feeds", "mllp", "books", "--off").returncode == 0
    assert run("feeds", "mllp", "others", *said.args[3:]).returncode == 0
    listener = run("mllp")
    assert (listener.returncode, "WARMTHREAD_MLLP_PORT" in listener.stderr) == (2, True)


def test_an_ehr_is_let_be_asked_where_it_may_be(run):
    run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    run("feeds", "add-source", "books")
    asked = ("feeds", "ask", "books", "--address", "https://ehr.example/api/FHIR/R4", "--client-id", "us")
    said = run(*asked, "--json")
    assert "https://clinic.example/webhooks/ehr/books/jwks.json" in said.stdout
    inside = run(*asked[:4], "https://10.0.0.1/fhir", *asked[5:])
    assert (inside.returncode, "base_url: That address is inside a network" in inside.stderr) == (
        2,
        True,
    )
    assert "no feed strangers" in run(*asked[:2], "strangers", *asked[3:]).stderr


def test_an_interface_engine_is_set_up_where_it_may_be(run):
    run("clinic", "create", "--name", "Elm", "--zone", "America/Denver", "--number", "+13035550100")
    run("feeds", "add-source", "books")
    told = ("feeds", "tell", "books", "--host", "engine.clinic.example", "--port", "6661")
    assert '"told": "mllps://engine.clinic.example:6661"' in run(*told, "--json").stdout
    plain = run(*told, "--plain")
    assert (
        plain.returncode,
        "tls: Without TLS an engine is told on this machine alone" in plain.stderr,
    ) == (2, True)
    inside = run(*told[:4], "10.0.0.1", *told[5:])
    assert (inside.returncode, "host: That host is inside a network" in inside.stderr) == (2, True)
    assert "no feed strangers" in run(*told[:2], "strangers", *told[3:]).stderr
    run("feeds", "add-source", "asked")
    run("feeds", "ask", "asked", "--address", "https://ehr.example/api/FHIR/R4", "--client-id", "us")
    assert "host: This feed’s EHR is asked by us" in run(*told[:2], "asked", *told[3:]).stderr
