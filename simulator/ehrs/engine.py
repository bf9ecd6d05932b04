"""The interface engine of an EHR: takes HL7 v2 by MLLP on this machine, answers, and fails where it is told to.

A message under an MSH-10 that it has taken is answered again and changes nothing.
"""

import secrets
import socketserver
import threading
import time
from dataclasses import dataclass

from simulator import clock
from simulator.ehrs import hl7
from simulator.ehrs.charts import Asked, Chart, Charts, Fault, Written

LARGEST, CHUNK, PATIENCE_S = 256 * 1024, 4096, 120
SPLIT_S = 0.01
EVENTS = ("S14", "S15")
# MSA-1, the code of table 0357 and where it stands.
GOOD = ("AA", "", "")
STATUS = {"AA": 200, "AE": 422, "AR": 501}


@dataclass(frozen=True)
class Message:
    """A message as it came: its segments by name, the first of each, each with its fields counted as HL7 does."""

    text: str

    def part(self, name: str, number: int, component: int = 1) -> str:
        """Return a component of a field, "" where there is none."""
        line = next((each for each in self.text.split("\r") if each[:3] == name), "")
        fields = line.split("|")
        at = number - 1 if name == "MSH" else number
        components = fields[at].split("^") if at < len(fields) else []
        return components[component - 1] if component <= len(components) else ""

    @property
    def control_id(self) -> str:
        """Return MSH-10."""
        return self.part("MSH", 10)

    @property
    def event(self) -> str:
        """Return "SIU^S14" of such a message."""
        return f"{self.part('MSH', 9)}^{self.part('MSH', 9, 2)}"

    @property
    def visit(self) -> str:
        """Return which visit it is about: the filler's id, else the placer's."""
        return self.part("SCH", 2) or self.part("SCH", 1)


def taken(chart: Chart, message: Message) -> tuple[str, str, str]:
    """Do what a message says; return what is answered."""
    with chart.lock:
        visit = chart.visits.get(message.visit)
        if message.event not in [f"SIU^{event}" for event in EVENTS]:
            return "AR", "201", "MSH^1^9"
        if visit is None:
            return "AE", "204", "SCH^1^2"
        person = chart.people.get(visit.patient)
        if person is None or message.part("PID", 3) not in (visit.patient, person.record):
            return "AE", "204", "PID^1^3"
        status = message.part("SCH", 25)
        if not status:
            return "AE", "101", "SCH^1^25"
        if any(each.body.get("control_id") == message.control_id for each in chart.written):
            return GOOD
        body = {"message": message.text, "status": status, "control_id": message.control_id}
        chart.write(Written(message.event, message.visit, visit.patient, clock.now(), body))
        if message.event == "SIU^S15":
            chart.put_visit(message.visit, visit.model_copy(update={"status": "cancelled"}))
    return GOOD


def acknowledgement(message: Message, ack: str, code: str, where: str) -> bytes:
    """Return what is answered, in a frame."""
    parties = "|".join(message.part("MSH", field) for field in (5, 6, 3, 4))
    head = f"MSH|^~\\&|{parties}|{clock.now():%Y%m%d%H%M%S}+0000||ACK|{secrets.token_hex(8).upper()}|P|2.5.1"
    error = f"ERR||{where}|{code}^^HL70357|E\r" if code else ""
    return hl7.START + f"{head}\rMSA|{ack}|{message.control_id}\r{error}".encode() + hl7.END


class _Talk(socketserver.BaseRequestHandler):
    """One connection: frame after frame."""

    def handle(self) -> None:
        self.request.settimeout(PATIENCE_S)
        heard = b""
        try:
            while len(heard) < LARGEST:
                while hl7.END in heard:
                    frame, _, heard = heard.partition(hl7.END)
                    if not self._answered(Message(frame.partition(hl7.START)[2].decode("utf-8", "replace"))):
                        return
                more = self.request.recv(CHUNK)
                if not more:
                    return
                heard += more
        except OSError:
            return

    def _answered(self, message: Message) -> bool:
        """Take a message and answer it; False where the connection ends."""
        chart: Chart = self.server.chart()  # type: ignore[attr-defined]
        fault = chart.fault(f"mllp/{message.event}", "MLLP") or Fault()
        refusal = (*fault.code.split(), "", "")[:3]
        answer = GOOD if fault.code and not fault.accepts else taken(chart, message)
        answer = (refusal[0], refusal[1], refusal[2]) if fault.code else answer
        chart.note(Asked(clock.now().isoformat(), "MLLP", f"{message.event}/{message.control_id}", STATUS[answer[0]]))
        time.sleep(fault.hang_s if fault.accepts else 0)
        if fault.drops:
            return False
        said = acknowledgement(message, *answer)
        if fault.unframed:
            said = said.strip(hl7.START + hl7.END)
        for piece in (said[at : at + 1] for at in range(len(said))) if fault.splits else (said,):
            self.request.sendall(piece)
            time.sleep(SPLIT_S if fault.splits and piece in (hl7.START, hl7.END[:1]) else 0)
        return not fault.unframed


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, host: str, port: int, charts: Charts, name: str) -> None:
        self._charts, self._name = charts, name
        super().__init__((host, port), _Talk)

    def chart(self) -> Chart:
        """Return what the EHR holds, also after a reset."""
        chart = self._charts.of(self._name)
        assert chart is not None
        return chart


class Engines:
    """The engines that run, by the EHR's name."""

    def __init__(self, charts: Charts) -> None:
        self._charts, self.ports, self._lock = charts, dict[str, int](), threading.Lock()

    def start(self, name: str, port: int = 0) -> int:
        """Take messages for an EHR from now on; return the port. Raises OSError where it is taken."""
        with self._lock:
            if name not in self.ports:
                server = _Server("127.0.0.1", port, self._charts, name)
                self.ports[name] = server.server_address[1]
                threading.Thread(target=server.serve_forever, name=f"hl7-{name}", daemon=True).start()
            return self.ports[name]
