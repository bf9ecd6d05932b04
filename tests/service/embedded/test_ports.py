"""Free ports."""

import socket

from service.embedded import ports


def test_a_free_port_can_be_bound():
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, ports.free_port()))


def test_ports_asked_for_together_differ():
    assert len(set(ports.free_ports(50))) == 50
