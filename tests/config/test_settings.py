"""The settings: every mistake at once, secrets from files, and no default that is a gap."""

from datetime import timedelta
from pathlib import Path

import pytest

from config import settings
from service import child_settings, processes, start

GOOD = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "canary-token-77",
    "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
}


def problems(**changed: str) -> list[str]:
    with pytest.raises(settings.SettingsError) as refused:
        settings.load(GOOD | changed)
    return refused.value.problems


def test_three_values_are_enough():
    loaded = settings.load(GOOD)
    assert loaded.embedded_database
    assert loaded.embedded_queue
    assert loaded.port == 8000


def test_nothing_set_says_what_is_missing_all_at_once():
    with pytest.raises(settings.SettingsError) as refused:
        settings.load({})
    missing = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "WARMTHREAD_PUBLIC_URL"]
    assert [problem.split()[0] for problem in refused.value.problems] == missing


def test_every_mistake_is_reported_at_once():
    mistakes = problems(
        PORT="99999",
        DATABASE_URL="mysql://db",
        REDIS_URL="http://redis",
        WARMTHREAD_LOG_LEVEL="loud",
        WARMTHREAD_PUBLIC_URL="clinic.example",
        WARMTHREAD_SETTLE_SECONDS="soon",
        WARMTHREAD_COLOUR="red",
        TWILIO_ACCOUNT_SID="AC1",
    )
    names = {problem.split()[0] for problem in mistakes}
    assert names == {
        "PORT",
        "DATABASE_URL",
        "REDIS_URL",
        "WARMTHREAD_LOG_LEVEL",
        "WARMTHREAD_PUBLIC_URL",
        "WARMTHREAD_SETTLE_SECONDS",
        "WARMTHREAD_COLOUR",
        "TWILIO_ACCOUNT_SID",
    }


def test_a_misspelt_name_of_ours_is_a_mistake():
    assert problems(WARMTHREAD_PUBLIC_ULR="x") == ["WARMTHREAD_PUBLIC_ULR is not a setting of Warmthread: misspelt?"]


def test_a_misspelt_file_name_of_ours_is_a_mistake():
    assert "WARMTHREAD_PUBLIC_ULR_FILE" in problems(WARMTHREAD_PUBLIC_ULR_FILE="x")[0]


def test_names_of_other_programs_are_none_of_our_business():
    assert settings.load(GOOD | {"PATH": "/bin", "DATABASE_HOST": "db"}).port == 8000


def test_a_value_may_come_from_a_file(tmp_path: Path):
    secret = tmp_path / "token"
    secret.write_text("from-the-file-8\n")
    environ = {name: value for name, value in GOOD.items() if name != "TWILIO_AUTH_TOKEN"}
    loaded = settings.load(environ | {"TWILIO_AUTH_TOKEN_FILE": str(secret)})
    assert loaded.twilio_auth_token.get_secret_value() == "from-the-file-8"


def test_a_value_and_its_file_contradict_each_other(tmp_path: Path):
    (tmp_path / "token").write_text("another-one")
    assert problems(TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "token")) == [
        "TWILIO_AUTH_TOKEN and TWILIO_AUTH_TOKEN_FILE are both set: keep one"
    ]


def test_a_file_that_is_not_there_is_named_with_the_reason():
    mistakes = problems(DATABASE_URL_FILE="/nowhere/at/all")
    assert mistakes == ["DATABASE_URL_FILE cannot be read: No such file or directory"]


@pytest.mark.parametrize("name", ["WARMTHREAD_PUBLIC_URL", "TWILIO_API_URL"])
def test_an_address_is_https_unless_it_is_on_this_machine(name: str):
    assert problems(**{name: "http://clinic.example"}) == [f"{name} must be https unless it is on this machine"]
    for local in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
        assert settings.load(GOOD | {name: local})


@pytest.mark.parametrize(
    "tricky",
    [
        "http://127.0.0.1@evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1:80@evil.example/",
        "http://evil.example:80/127.0.0.1",
        "https://clinic.example/?q=1",
        "https://clinic.example/#x",
        "ftp://clinic.example",
    ],
)
def test_an_address_that_only_looks_local_is_refused(tricky: str):
    assert len(problems(WARMTHREAD_PUBLIC_URL=tricky)) == 1


def test_a_slash_at_the_end_of_an_address_makes_no_difference():
    assert settings.load(GOOD | {"WARMTHREAD_PUBLIC_URL": "https://c.example/"}).public_url == "https://c.example"


def test_secure_follows_the_public_address():
    assert settings.load(GOOD).secure
    assert not settings.load(GOOD | {"WARMTHREAD_PUBLIC_URL": "http://localhost:8000"}).secure


def test_the_usual_database_addresses_are_understood():
    for address in ("postgres://u@localhost/d", "postgresql://u@localhost/d", "postgresql+psycopg://u@localhost/d"):
        assert settings.load(GOOD | {"DATABASE_URL": address}).database_url == "postgresql+psycopg://u@localhost/d"


def test_no_secret_appears_in_a_message_or_a_repr():
    loaded = settings.load(GOOD | {"WARMTHREAD_MASTER_KEYS": "canary:" + "A" * 43 + "="})
    assert "canary" not in f"{loaded!r} {loaded}"
    messages = " ".join(
        problems(
            TWILIO_AUTH_TOKEN="canary7",
            DATABASE_URL="mysql://u:canary@h/d",
            REDIS_URL="http://:canary@h",
            WARMTHREAD_PUBLIC_URL="http://u:canary@h",
            TWILIO_ACCOUNT_SID="canary",
            PORT="canary",
            WARMTHREAD_MASTER_KEYS="canary",
        )
    )
    assert "canary" not in messages


def test_the_real_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch):
    for name in settings.names():
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert settings.load(PORT="8100").port == 8100


def test_every_setting_says_what_it_is_for():
    assert all(settings.names().values())


def test_a_setting_from_a_file_is_given_to_children_once(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("a token in a file")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    without = {name: value for name, value in GOOD.items() if name != "TWILIO_AUTH_TOKEN"}
    loaded = settings.load(without | {"TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "token")})
    child = child_settings.environment(loaded, "unix:///nowhere")
    assert settings.load(child).twilio_auth_token.get_secret_value() == "a token in a file"


def test_master_keys_of_a_wrong_form_are_a_mistake():
    assert problems(WARMTHREAD_MASTER_KEYS="k1:abc")[0].startswith("WARMTHREAD_MASTER_KEYS must be id:base64")


def test_only_this_machine_reaches_the_server_and_no_proxy_is_believed_unless_the_operator_says_so():
    assert (settings.load(GOOD).bind, settings.load(GOOD).trusted_proxies) == ("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("[::]", "http://[::1]:8000"),
        ("10.0.0.5", "http://10.0.0.5:8000"),
        ("2001:db8::5", "http://[2001:db8::5]:8000"),
    ],
)
def test_the_server_may_listen_elsewhere_and_is_asked_there_whether_it_is_up(bind: str, address: str):
    assert processes.here(settings.load(GOOD | {"WARMTHREAD_BIND": bind})) == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARMTHREAD_BIND", "everywhere"),
        ("WARMTHREAD_BIND", "127.1"),
        ("WARMTHREAD_BIND", "0.0.0.0:8000"),
        ("WARMTHREAD_TRUSTED_PROXIES", "-1"),
        ("WARMTHREAD_TRUSTED_PROXIES", "all"),
        ("WARMTHREAD_TRUSTED_PROXIES", "17"),
        ("WARMTHREAD_TRUSTED_PROXIES", "10.0.0.0/8"),
    ],
)
def test_a_wrong_address_or_count_is_a_mistake(name: str, value: str):
    assert [problem.split()[0] for problem in problems(**{name: value})] == [name]


HERE = {"WARMTHREAD_PUBLIC_URL": "http://127.0.0.1:8420", "TWILIO_API_URL": "http://127.0.0.1:8430"}


def test_the_clock_of_the_demonstration_is_shifted():
    loaded = settings.load(GOOD | HERE | {"WARMTHREAD_DEMO_CLOCK": "-3600"})
    assert loaded.demo
    assert loaded.clock_shift == timedelta(hours=-1)
    assert not settings.load(GOOD | HERE).demo
    assert settings.load(GOOD).clock_shift == timedelta(0)
    assert (loaded.clock_file, settings.load(GOOD).clock_file) == (loaded.data_dir / "demonstration.clock", None)


@pytest.mark.parametrize(
    "outside",
    [
        {"TWILIO_API_URL": ""},
        {"TWILIO_API_URL": "https://api.twilio.com"},
        {"WARMTHREAD_PUBLIC_URL": "https://clinic.example"},
        {"WARMTHREAD_BIND": "0.0.0.0"},
        {"WARMTHREAD_TRUSTED_PROXIES": "1"},
    ],
)
def test_the_clock_of_the_demonstration_is_refused_where_others_may_come(outside: dict[str, str]):
    mistakes = problems(**(HERE | {"WARMTHREAD_DEMO_CLOCK": "60"} | outside))
    assert mistakes[-1].startswith("WARMTHREAD_DEMO_CLOCK is for the demonstration alone")


def test_a_folder_that_the_demonstration_has_not_made_refuses_its_clock(tmp_path: Path):
    loaded = settings.load(GOOD | HERE | {"WARMTHREAD_DEMO_CLOCK": "60", "WARMTHREAD_DATA_DIR": str(tmp_path)})
    with pytest.raises(settings.SettingsError, match="WARMTHREAD_DEMO_CLOCK"):
        start.refuse_what_cannot_work(loaded)
    start.demo_mark(loaded).write_text("AC of another account")
    with pytest.raises(settings.SettingsError, match="WARMTHREAD_DEMO_CLOCK"):
        start.refuse_what_cannot_work(loaded)
    start.demo_mark(loaded).write_text(loaded.twilio_account_sid)
    start.refuse_what_cannot_work(loaded)


@pytest.mark.parametrize(
    "url",
    [
        "smtps://mail.example",
        "smtp://us%40clinic:pass%3Aword@mail.example:587",
        "smtp://127.0.0.1:1025",
        "smtp://[::1]",
    ],
)
def test_a_mail_server_by_its_address(url: str):
    loaded = settings.load(GOOD | {"WARMTHREAD_SMTP_URL": url, "WARMTHREAD_MAIL_FROM": "warmthread@clinic.example"})
    assert loaded.smtp_url is not None
    assert loaded.smtp_url.get_secret_value() == url
    assert "pass%3Aword" not in repr(loaded)
    assert "mail.example" not in repr(loaded.smtp_url)


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://user@mail.example", "smtps://a:b@c:d@e"]
)
def test_a_mail_server_that_cannot_be_read_is_named_without_its_password(url: str):
    (problem,) = problems(WARMTHREAD_SMTP_URL=url, WARMTHREAD_MAIL_FROM="warmthread@clinic.example")
    assert problem.startswith("WARMTHREAD_SMTP_URL must be smtps://")
    assert url not in problem


def test_a_mail_server_needs_an_address_to_write_from():
    (problem,) = problems(WARMTHREAD_SMTP_URL="smtps://mail.example")
    assert problem.startswith("WARMTHREAD_MAIL_FROM is demanded")
    (problem,) = problems(WARMTHREAD_MAIL_FROM="Warmthread\r\nBcc: a@evil.example")
    assert problem.startswith("WARMTHREAD_MAIL_FROM must be an address")


def test_the_demonstration_mails_nobody_outside_this_machine():
    here = {"WARMTHREAD_PUBLIC_URL": "http://127.0.0.1:1", "TWILIO_API_URL": "http://127.0.0.1:2"}
    mail = {"WARMTHREAD_DEMO_CLOCK": "0", "WARMTHREAD_MAIL_FROM": "warmthread@clinic.example"}
    assert settings.load(GOOD | here | mail | {"WARMTHREAD_SMTP_URL": "smtp://127.0.0.1:3"}).demo
    (problem,) = problems(**here, **mail, WARMTHREAD_SMTP_URL="smtps://mail.example")
    assert problem.startswith("WARMTHREAD_DEMO_CLOCK is for the demonstration alone")


@pytest.mark.parametrize("half", [{"TWILIO_API_KEY": "SK" + "1" * 32}, {"TWILIO_API_KEY_SECRET": "alone"}])
def test_an_api_key_and_its_secret_come_together(half: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsError, match="TWILIO_API_KEY_SECRET is demanded with TWILIO_API_KEY"):
        settings.load(GOOD | half)
    assert settings.load(GOOD | {"TWILIO_API_KEY": "SK" + "1" * 32, "TWILIO_API_KEY_SECRET": "both"}).twilio_api_key
