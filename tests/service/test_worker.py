"""What killed workers leave in Redis: nothing that stays for ever."""

from config import queue
from service import worker


def test_what_a_killed_horse_leaves_expires(bell, house):
    queue.knock("media")
    (job,) = list(bell.scan_iter("rq:job:*"))
    bell.persist(job)  # RQ takes the limit away as a job begins, and gives one when it ends
    bell.hset("rq:results:lost", "a", "b")
    bell.hset("rq:executions:lost", "a", "b")
    worker.make("default").run_maintenance_tasks()
    for key in (job, b"rq:results:lost", b"rq:executions:lost"):
        assert 0 < bell.ttl(key) <= worker.FORGOTTEN_AFTER


def test_a_limit_that_is_there_stays(bell, house):
    queue.knock("media")
    (job,) = list(bell.scan_iter("rq:job:*"))
    before = bell.ttl(job)
    worker.make("default").run_maintenance_tasks()
    assert 0 < bell.ttl(job) <= before
