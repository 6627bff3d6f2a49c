"""A disk that loses what it was not told to keep.

A network block device, served from a file on a socket of this process. What is written is in the file at once, and what stood
there before is remembered until a flush: so when the power fails, any part of what was not flushed can be taken back. A host's
page cache would keep all of it; a disk with a cache of its own does not."""

import os
import socket
import struct
import threading

MAGIC, OPTION, REPLY, REQUEST, ANSWER = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9, 0x25609513, 0x67446698
HAS_FLAGS, SEND_FLUSH, SEND_FUA = 1, 4, 8
FIXED, NO_ZEROES = 1, 2
OPT_ABORT, OPT_INFO, OPT_GO = 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FUA = 1
INVALID = 22


class Disk:
    """One client at a time; one request after the other, so a flush covers all that came before it."""

    def __init__(self, image, path, chance):
        self.fd, self.size, self.chance = os.open(image, os.O_RDWR | os.O_CLOEXEC), os.path.getsize(image), chance
        self.unflushed, self.flushes, self.writes = [], 0, 0  # (offset, what was there, what is there)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.listener.accept()
        with peer:
            try:
                if self.negotiate(peer):
                    while self.request(peer):
                        pass
            except (ConnectionError, EOFError):
                pass  # the machine is gone

    @staticmethod
    def read(peer, n):
        data = bytearray()
        while len(data) < n:
            more = peer.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return bytes(data)

    def negotiate(self, peer):
        peer.sendall(struct.pack(">QQH", MAGIC, OPTION, FIXED | NO_ZEROES))
        self.read(peer, 4)
        while True:
            _, option, length = struct.unpack(">QII", self.read(peer, 16))
            self.read(peer, length)
            if option in (OPT_INFO, OPT_GO):
                info = struct.pack(">HQH", 0, self.size, HAS_FLAGS | SEND_FLUSH | SEND_FUA)
                peer.sendall(struct.pack(">QIII", REPLY, option, REP_INFO, len(info)) + info)
            known = option in (OPT_INFO, OPT_GO, OPT_ABORT)
            peer.sendall(struct.pack(">QIII", REPLY, option, REP_ACK if known else REP_UNSUPPORTED, 0))
            if option in (OPT_GO, OPT_ABORT):
                return option == OPT_GO

    def request(self, peer):
        _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", self.read(peer, 28))
        data, error = b"", 0
        if kind == DISCONNECT:
            return False
        if kind == READ:
            data = os.pread(self.fd, length, offset)
        elif kind == WRITE:
            self.write(offset, self.read(peer, length))
        if kind == FLUSH or flags & FUA:
            self.flushes += 1
            self.unflushed.clear()
        elif kind not in (READ, WRITE):
            error = INVALID
        peer.sendall(struct.pack(">IIQ", ANSWER, error, handle) + data)
        return True

    def write(self, offset, new):
        self.writes += 1
        self.unflushed.append((offset, os.pread(self.fd, len(new), offset), new))
        os.pwrite(self.fd, new, offset)

    def lose(self):
        """The power is gone, and the client with it: of what was not flushed a random half stays. How much went, and how
        much stayed all the same."""
        self.close()
        for offset, old, _ in reversed(self.unflushed):
            os.pwrite(self.fd, old, offset)
        kept = [write for write in self.unflushed if self.chance.random() < 0.5]
        for offset, _, new in kept:
            os.pwrite(self.fd, new, offset)
        os.close(self.fd)
        return len(self.unflushed) - len(kept), len(kept)

    def close(self):
        self.listener.close()
        self.thread.join(60)
