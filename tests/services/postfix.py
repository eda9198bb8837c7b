"""A Postfix of the tests' own: its configuration and its queue in a temporary directory, on a free port of loopback."""

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.services.processes import ServiceFailedError, start_process, stop_process, wait_until
from tests.services.stack import free_port

MAIN = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{onward}
smtp_host_lookup = native
disable_dns_lookups = yes
local_transport = error
alias_maps =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
maillog_file = /dev/stdout
"""
# Service, type, private, unprivileged, chroot, wakeup, processes at most, command.
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Takes mail on ``port`` and hands it on to the server on port ``onward``. Needs root, as Postfix does."""

    host = "127.0.0.1"

    def __init__(self, *, onward: int) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
        self.directory.chmod(0o755)
        for name in ("queue", "data"):
            (self.directory / name).mkdir()
        shutil.chown(self.directory / "data", "postfix", "postfix")
        self.config = self.directory / "config"
        self.config.mkdir()
        (self.config / "main.cf").write_text(MAIN.format(directory=self.directory, onward=onward))
        (self.config / "master.cf").write_text(MASTER.format(port=self.port))
        self.log = self.directory / "log"

    def start(self) -> None:
        program = shutil.which("postfix", path="/usr/sbin:/usr/bin")
        if not program:
            raise ServiceFailedError("No Postfix: apt-get install -y postfix")
        self.process = start_process([program, "-c", str(self.config), "start-fg"], log=self.log)
        wait_until(self._listens, process=self.process, log=self.log, what="Postfix")

    def _listens(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1):
                return True
        except OSError:
            return False

    def is_empty(self) -> bool:
        """Nothing waits to be handed on."""
        command = ["postqueue", "-c", str(self.config), "-j"]
        return not subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def remove(self) -> None:
        stop_process(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)
