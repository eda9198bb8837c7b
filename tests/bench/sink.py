"""A mail server that costs next to nothing: `python -m tests.bench.sink PORT_FILE DELAY`.

It takes every message, keeps none, and answers the final dot after DELAY seconds.
"""

import asyncio
import sys
from pathlib import Path

ANSWERS = {b"EHLO": b"250 bench", b"DATA": b"354 Go on", b"QUIT": b"221 Bye"}


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    writer.write(b"220 bench\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        writer.write(ANSWERS.get(verb, b"250 OK") + b"\r\n")
        if verb == b"DATA":
            await reader.readuntil(b"\r\n.\r\n")
            await asyncio.sleep(delay)
            writer.write(b"250 Taken\r\n")
    writer.close()


async def main(port_file: str, delay: str) -> None:
    server = await asyncio.start_server(lambda r, w: _talk(r, w, float(delay)), "127.0.0.1", 0, limit=2**24)
    Path(port_file).write_text(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
