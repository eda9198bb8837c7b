"""A real server of the Redis protocol on a private socket."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import redis

from partnerships.management.broker import find_server, server_command
from tests.services.processes import ServiceFailedError, start_process, stop_process, wait_until


class RedisServer:
    """start(), kill() and start() again; kill(lose_data=True) forgets everything, as a server without persistence."""

    def __init__(self) -> None:
        # Not tmp_path: a socket's path has 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self.socket = self.directory / "socket"
        self.log = self.directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For REDIS_URL and Celery."""
        return f"redis+socket://{self.socket}"

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self) -> None:
        program = find_server()
        if not program:
            raise ServiceFailedError("No Redis server: apt-get install -y redis-server")
        self.process = start_process(server_command(program, socket=self.socket, data=self.directory), log=self.log)
        wait_until(self._answers, process=self.process, log=self.log, what="Redis")

    def _answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def kill(self, *, lose_data: bool = False) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)
        if lose_data:
            shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)

    def remove(self) -> None:
        if self.process:
            stop_process(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)
