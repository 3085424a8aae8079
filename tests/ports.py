"""Ports for the servers of tests.

Both ranges lie below the ports that Linux gives to clients (`net.ipv4.ip_local_port_range`, 32768 and up). A client's
connection holds its port, so a port chosen from there may be taken before the program that it is meant for has started.
"""

import random
import socket

PUBLISHER_PORTS = range(20_000, 32_000)  # listeners of `tests.feed_server`, each open as long as its test
PROGRAM_PORTS = range(10_000, 20_000)  # programs that a test starts, stops and starts again


def free_port() -> int:
    """Return a port of 127.0.0.1 for a program that the test starts.

    Raises:
        OSError: twenty ports, chosen at random, are all in use.
    """
    for port in random.SystemRandom().sample(PROGRAM_PORTS, 20):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port among twenty of PROGRAM_PORTS")
