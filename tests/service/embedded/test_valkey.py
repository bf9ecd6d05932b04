"""The embedded queue store: private, durable, alone on its directory, and gone with its parent."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest
import redis

from service.embedded import lifeline, locks, valkey
from service.embedded.valkey import DirectoryInUse, ValkeyError, ValkeyServer
from tests.waiting import PATIENCE, until

OWNER = (
    "import sys, time; from pathlib import Path; import redis\n"
    "from service.embedded.valkey import ValkeyServer\n"
    "server = ValkeyServer(Path(sys.argv[1])).start()\n"
    "with redis.from_url(server.url) as client: client.set('kept', 'yes')\n"
    "print(server.pid, flush=True); time.sleep(600)"
)


def put(server, value):
    with redis.from_url(server.url) as client:
        client.set("kept", value)


def kept(server):
    with redis.from_url(server.url, decode_responses=True) as client:
        return client.get("kept")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_answers_on_a_private_socket_and_keeps_what_it_is_told(tmp_path):
    with ValkeyServer(tmp_path) as server, redis.from_url(server.url, decode_responses=True) as client:
        assert server.url == f"unix://{tmp_path}/valkey/valkey.sock"
        assert client.ping()
        config = client.config_get("port", "save", "append*", "maxmemory-policy", "aof-load-truncated")
        assert config["port"] == "0"
        assert (config["appendonly"], config["appendfsync"], config["save"]) == ("yes", "everysec", "")
        assert (config["maxmemory-policy"], config["aof-load-truncated"]) == ("noeviction", "yes")
        assert mode(tmp_path / "valkey") == 0o700
        assert mode(server.socket) == 0o700
    assert server.pid is None
    assert not server.socket.exists()


def test_data_outlives_a_restart(tmp_path):
    with ValkeyServer(tmp_path) as server:
        put(server, "yes")
    with ValkeyServer(tmp_path) as server:
        assert kept(server) == "yes"


def test_data_outlives_a_killed_server_whose_owner_starts_it_again(tmp_path):
    with ValkeyServer(tmp_path) as server:
        put(server, "yes")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: server.pid is None)
        assert server.socket.exists()  # the stale one, which the next start replaces
        assert not server.is_ready()
        server.start()
        assert server.pid != first
        assert kept(server) == "yes"


def test_starting_a_running_server_changes_nothing(tmp_path):
    with ValkeyServer(tmp_path) as server:
        first = server.pid
        assert server.start().pid == first


def test_it_dies_with_a_killed_parent_and_the_next_has_the_data(tmp_path, python, alive):
    owner = python(OWNER, tmp_path)
    pid = int(owner.stdout.readline())
    owner.kill()
    with ValkeyServer(tmp_path) as server:  # at once, while the old server may still be writing
        assert not alive(pid)
        assert kept(server) == "yes"


def test_nobody_starts_while_a_dead_owners_server_still_writes(tmp_path, python, monkeypatch):
    owner = python(OWNER, tmp_path)
    pid = int(owner.stdout.readline())
    os.kill(pid, signal.SIGSTOP)  # a slow disk, say
    owner.kill()
    owner.wait()
    with monkeypatch.context() as patched:
        patched.setattr(valkey, "PREDECESSOR_SECONDS", 0.3)
        try:
            with pytest.raises(DirectoryInUse):
                ValkeyServer(tmp_path).start()
        finally:
            os.kill(pid, signal.SIGCONT)
    with ValkeyServer(tmp_path) as server:
        assert kept(server) == "yes"


def test_it_dies_with_its_parent_without_the_kernels_help(tmp_path, python, alive):
    without = f"from service.embedded import lifeline; lifeline.kernel_holds = lambda: False\n{OWNER}"
    owner = python(without, tmp_path)
    pid = int(owner.stdout.readline())
    owner.kill()
    until(lambda: not alive(pid))


def test_it_outlives_the_thread_that_started_it(tmp_path, python):
    threaded = python(
        "import sys, threading; from pathlib import Path; from service.embedded.valkey import ValkeyServer\n"
        "server = ValkeyServer(Path(sys.argv[1]))\n"
        "thread = threading.Thread(target=server.start); thread.start(); thread.join()\n"
        "ready = all(server.is_ready() for _ in range(200)); print(ready, server.pid is not None)\n"
        "server.stop(); print(server.pid)",
        tmp_path,
    )
    assert threaded.stdout.read().split() == ["True", "True", "None"]
    assert threaded.wait(PATIENCE) == 0


def test_a_power_cut_in_the_middle_of_a_command_costs_only_that_command(tmp_path):
    with ValkeyServer(tmp_path) as server:
        put(server, "yes")
        put(server, "torn")
    (log,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    os.truncate(log, log.stat().st_size - 3)
    with ValkeyServer(tmp_path) as server:
        assert kept(server) == "yes"


def test_start_returns_only_after_a_long_file_is_loaded(tmp_path):
    with ValkeyServer(tmp_path) as server:
        put(server, "0")
    (log,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*2\r\n$4\r\nINCR\r\n$4\r\nkept\r\n" * 400_000)
    with ValkeyServer(tmp_path) as server:
        assert kept(server) == "400000"


def test_a_second_owner_is_refused_at_once_and_told_which_directory(tmp_path, python, monkeypatch):
    monkeypatch.setattr(valkey, "PREDECESSOR_SECONDS", 2 * PATIENCE)
    owner = python(OWNER, tmp_path)
    pid = int(owner.stdout.readline())
    started = time.monotonic()
    with pytest.raises(DirectoryInUse) as refused, ValkeyServer(tmp_path):
        pass
    assert time.monotonic() - started < PATIENCE
    assert str(tmp_path) in str(refused.value)
    assert str(owner.pid) in str(refused.value)
    os.kill(pid, 0)  # the first still runs


def test_a_second_server_of_the_same_process_is_refused(tmp_path):
    with ValkeyServer(tmp_path) as first:
        with pytest.raises(DirectoryInUse), ValkeyServer(tmp_path / "." / "valkey" / ".."):
            pass
        assert first.is_ready()


def test_two_directories_live_side_by_side(tmp_path):
    with ValkeyServer(tmp_path / "north") as north, ValkeyServer(tmp_path / "south") as south:
        put(north, "north")
        put(south, "south")
        assert (kept(north), kept(south)) == ("north", "south")


def test_a_directory_too_long_for_a_socket_works(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with ValkeyServer(deep) as server:
        put(server, "yes")
        assert deep not in server.socket.parents
        assert len(os.fsencode(server.socket)) <= valkey.SOCKET_PATH_BYTES
        assert mode(server.socket.parent) == 0o700
    with ValkeyServer(deep) as server:
        assert kept(server) == "yes"
    assert not server.socket.parent.exists()


def test_two_long_directories_have_different_sockets(tmp_path):
    assert valkey.socket_path(tmp_path / ("d" * 99)) != valkey.socket_path(tmp_path / ("e" * 99))


def test_a_directory_with_awkward_characters_works(tmp_path):
    with ValkeyServer(tmp_path / 'o\'clock? #1 50% "ü"') as server:
        put(server, "yes")
        assert kept(server) == "yes"


def test_the_address_survives_awkward_characters():
    server = ValkeyServer(Path("/o'clock? #1 50% ü"))
    pool = redis.ConnectionPool.from_url(server.url)
    assert pool.connection_kwargs["path"] == str(server.socket)
    assert server.socket.parent == server.home


def test_a_directory_open_to_others_is_closed_to_them(tmp_path):
    (tmp_path / "valkey").mkdir(mode=0o755)
    valkey.private_directory(tmp_path / "valkey")
    assert mode(tmp_path / "valkey") == 0o700


def test_a_link_under_the_expected_name_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "valkey").symlink_to(tmp_path / "theirs")
    with pytest.raises(ValkeyError, match="not a directory of this user"):
        ValkeyServer(tmp_path).start()


def test_a_file_under_the_expected_name_is_refused(tmp_path):
    (tmp_path / "valkey").write_text("")
    with pytest.raises(ValkeyError, match="valkey"):
        ValkeyServer(tmp_path).start()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(tmp_path):
    with ValkeyServer(tmp_path) as server:
        put(server, "yes")
    (log,) = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"*nonsense\r\n" * 20)
    server = ValkeyServer(tmp_path)
    with pytest.raises(ValkeyError, match=r"(?s)ended while starting.*Bad file format"):
        server.start()
    assert server.pid is None
    os.close(locks.hold(server.home / "owner.lock"))


def test_a_server_that_does_not_answer_in_time_is_ended_and_the_log_is_shown(tmp_path):
    server = ValkeyServer(tmp_path)
    with pytest.raises(ValkeyError, match=r"(?s)did not answer within 0 s.*valkey\.log"):
        server.start(timeout=0.0)
    assert server.pid is None


def test_a_frozen_server_is_ended_by_force(tmp_path):
    server = ValkeyServer(tmp_path).start()
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    server.stop(timeout=0.2)
    assert not lifeline.group_exists(pid)


def test_it_starts_in_a_locale_that_does_not_exist_and_sees_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "xx_XX.nowhere")
    monkeypatch.setenv("WARMTHREAD_MASTER_KEYS", "secret")
    with ValkeyServer(tmp_path) as server:
        assert server.is_ready()
        assert "WARMTHREAD_MASTER_KEYS" not in server.env


def test_a_large_log_is_set_aside_at_the_start(tmp_path):
    (tmp_path / "valkey").mkdir()
    server = ValkeyServer(tmp_path)
    server.log.write_bytes(b"x" * (valkey.LOG_BYTES + 1))
    with server:
        assert server.log.stat().st_size < valkey.LOG_BYTES
    assert Path(f"{server.log}.1").stat().st_size > valkey.LOG_BYTES


def test_the_wheel_brings_a_program_for_this_machine():
    assert os.access(valkey.server_program(), os.X_OK)


def test_a_machine_without_a_program_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(valkey.platform, "machine", lambda: "vax")
    with pytest.raises(ValkeyError, match="REDIS_URL"):
        valkey.server_program()
