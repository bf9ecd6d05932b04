"""An RQ worker of one queue: a worker on several loses jobs for good when it is killed between two commands.

What is urgent is worked in the worker itself, and what may wait in a child of it: a child begins with no connection
and no statement compiled, which takes longer than the work of an alert; and it gives back the memory of an import.
"""

import signal
from contextlib import nullcontext
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import BaseWorker

from config import db, logging, queue
from service import overdue, start
from service.embedded import lifeline

# A job waits 300 seconds and runs 120 at most; an expiry that is set already stays.
FORGOTTEN_AFTER = 3600


class Expiring(BaseWorker):
    """A worker of whose jobs nothing stays in Redis."""

    def run_maintenance_tasks(self) -> None:
        """Do what RQ does, and let what a killed worker left of its jobs expire: no job of ours lives that long."""
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        for kind in ("job", "executions", "results"):
            for key in self.connection.scan_iter(f"rq:{kind}:*", count=500):
                self.connection.expire(key, FORGOTTEN_AFTER, nx=True)


class WarmWorker(Expiring, SimpleWorker):
    """A worker that does its jobs itself, with the connections and compiled statements of those before.

    A job that hangs beyond any alarm holds this worker alone: the ticker works off what waits too long.
    """


class ForkingWorker(Expiring, Worker):
    """A worker whose work-horse dies with it, and takes no connection of its parent along."""

    def main_work_horse(self, job: Job, job_queue: Queue) -> None:
        """Run one job in the forked child."""
        # Without this, a killed worker's horse goes on, and after its lease the job runs twice at the same time.
        lifeline.die_with_parent(signal.SIGKILL)
        db.forget_connections()
        super().main_work_horse(job, job_queue)


def make(name: str) -> Expiring:
    """Return the worker of queue `name` (urgent, default or bulk)."""
    connection = Redis.from_url(queue.redis_url())
    kind = WarmWorker if name == "urgent" else ForkingWorker
    return kind(
        [Queue(name, connection=connection, job_class=queue.SafeJob, serializer=JSONSerializer)],
        connection=connection,
        job_class=queue.SafeJob,
        serializer=JSONSerializer,
        log_job_description=False,
        maintenance_interval=15,
        worker_ttl=30,
        job_monitoring_interval=5,
        default_result_ttl=0,
        exception_handlers=[_keep_only_the_kind],
        disable_default_exception_handler=True,
    )


def run(name: str) -> None:
    """Work the queue `name` until SIGTERM. What jobs need is made here, once, so that no job pays for it."""
    for lane in queue.lanes().values():
        if lane.queue == name:
            lane.prepare()
    db.engine()
    start.settled()
    with overdue.watched(name) if name == "urgent" else nullcontext():
        make(name).work(logging_level="WARNING")


def _keep_only_the_kind(_job: Job, kind: type, _value: object, _trace: Any) -> bool:
    logging.logger().error("job failed", error_type=kind.__name__)
    return False
