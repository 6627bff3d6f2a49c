"""The D-Bus protocol by hand, for what no library would send: any bytes, any flags, any file descriptors, and a caller
who goes away. Values are Python's own; bytes stand for a string as it is, a variant is a pair (signature, value)."""

import array
import os
import socket
import struct

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY, NO_AUTOSTART, INTERACTIVE = 1, 2, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE, UNIX_FDS = range(1, 10)
FIXED = {"y": ("B", 1), "b": ("I", 4), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4), "x": ("q", 8),
         "t": ("Q", 8), "d": ("d", 8), "h": ("I", 4)}
ALIGNMENT = {**{kind: size for kind, (_, size) in FIXED.items()}, "s": 4, "o": 4, "g": 1, "v": 1, "a": 4, "(": 8, "{": 8}
BUS = {"destination": "org.freedesktop.DBus", "path": "/org/freedesktop/DBus", "interface": "org.freedesktop.DBus"}


class Gone(Exception):
    """The bus has closed the connection: it does that to whoever sends what is no message."""


def split(signature):
    """The complete types of a signature."""
    found, depth, begin = [], 0, 0
    for i, c in enumerate(signature):
        depth += (c in "({") - (c in ")}")
        if depth == 0 and c != "a":
            found.append(signature[begin:i + 1])
            begin = i + 1
    return found


def pad(into, size):
    into += bytes(-len(into) % size)


def put_text(into, kind, value):
    data = value if isinstance(value, bytes) else value.encode()
    into += struct.pack("<B" if kind == "g" else "<I", len(data)) + data + b"\0"


def put(into, kind, value):
    pad(into, ALIGNMENT[kind[0]])
    if kind in FIXED:
        into += struct.pack("<" + FIXED[kind][0], value)
    elif kind in "sog":
        put_text(into, kind, value)
    elif kind == "v":
        put_text(into, "g", value[0])
        put(into, *value)
    elif kind[0] == "a":
        at = len(into)
        into += bytes(4)
        pad(into, ALIGNMENT[kind[1]])
        begin = len(into)
        if isinstance(value, bytes):
            into += value
        else:
            for one in value:
                put(into, kind[1:], one)
        struct.pack_into("<I", into, at, len(into) - begin)
    else:
        for inner, one in zip(split(kind[1:-1]), value, strict=True):
            put(into, inner, one)


def body(signature, values):
    into = bytearray()
    for kind, value in zip(split(signature), values, strict=True):
        put(into, kind, value)
    return bytes(into)


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def pad(self, size):
        self.at += -self.at % size

    def number(self, kind):
        code, size = FIXED[kind]
        self.pad(size)
        self.at += size
        return struct.unpack_from("<" + code, self.data, self.at - size)[0]

    def text(self, length):
        self.at += length + 1
        return bytes(self.data[self.at - length - 1:self.at - 1]).decode()

    def get(self, kind):
        if kind in FIXED:
            return self.number(kind)
        if kind in "so":
            return self.text(self.number("u"))
        if kind == "g":
            return self.text(self.number("y"))
        if kind == "v":
            return self.get(self.get("g"))
        if kind[0] != "a":
            self.pad(8)
            return tuple(self.get(inner) for inner in split(kind[1:-1]))
        length = self.number("u")
        self.pad(ALIGNMENT[kind[1]])
        end, found = self.at + length, []
        while self.at < end:
            found.append(self.get(kind[1:]))
        return found


class Message:
    """One that came."""

    def __init__(self, data, fields_end):
        self.kind, self.size = data[1], len(data)
        header = Reader(data, 8)
        self.serial = header.number("u")
        self.fields = {code: value for code, value in header.get("a(yv)")}
        self.signature = self.fields.get(SIGNATURE, "")
        self.data = data[fields_end:]

    def values(self):
        reader = Reader(self.data)
        return [reader.get(kind) for kind in split(self.signature)]


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert self.line().startswith(b"OK")
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        assert self.line().startswith(b"AGREE_UNIX_FD")
        self.socket.sendall(b"BEGIN\r\n")
        self.serial, self.read, self.name = 0, bytearray(), None
        self.name = self.call(**BUS, member="Hello").values()[0]

    def line(self):
        found = b""
        while not found.endswith(b"\r\n"):
            found += self.socket.recv(1)
        return found

    def close(self):
        self.socket.close()

    def send(self, kind=CALL, flags=0, signature="", data=b"", fds=(), n_fds=None, **names):
        """Returns the serial. names: path, interface, member, destination, error_name, reply_serial."""
        self.serial += 1
        codes = {"path": (PATH, "o"), "interface": (INTERFACE, "s"), "member": (MEMBER, "s"), "error_name": (ERROR_NAME, "s"),
                 "reply_serial": (REPLY_SERIAL, "u"), "destination": (DESTINATION, "s")}
        fields = [(codes[name][0], (codes[name][1], value)) for name, value in names.items() if value is not None]
        if signature:
            fields.append((SIGNATURE, ("g", signature)))
        if n_fds is None and fds:
            n_fds = len(fds)
        if n_fds:
            fields.append((UNIX_FDS, ("u", n_fds)))
        message = bytearray(struct.pack("<BBBBII", ord("l"), kind, flags, 1, len(data), self.serial))
        put(message, "a(yv)", fields)
        pad(message, 8)
        message += data
        self.write(message, fds)
        return self.serial

    def write(self, message, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            sent = self.socket.sendmsg([message], rights)
            # The bus may be as full as this: what it has for us is taken meanwhile.
            view = memoryview(message)[sent:]
            while view:
                try:
                    view = view[self.socket.send(view, socket.MSG_DONTWAIT):]
                except BlockingIOError:
                    self.more(0.01)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def more(self, timeout):
        """Whether something came."""
        self.socket.settimeout(timeout)
        try:
            data, ancillary, _, _ = self.socket.recvmsg(1 << 20, 4096)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError as error:
            raise Gone from error
        finally:
            self.socket.settimeout(None)
        for _, _, rights in ancillary:
            for fd in array.array("i", rights[:len(rights) // 4 * 4]):
                os.close(fd)
        if not data:
            raise Gone
        self.read += data
        return True

    def next(self, timeout=30):
        """The next message, or None."""
        while True:
            if len(self.read) >= 16:
                length, fields = struct.unpack_from("<I4xI", self.read, 4)[:1][0], struct.unpack_from("<I", self.read, 12)[0]
                fields_end = 16 + fields + -fields % 8
                if len(self.read) >= fields_end + length:
                    data = bytes(self.read[:fields_end + length])
                    del self.read[:fields_end + length]
                    return Message(data, fields_end)
            if not self.more(timeout):
                return None

    def answer(self, serial, timeout=30):
        while message := self.next(timeout):
            if message.fields.get(REPLY_SERIAL) == serial:
                return message
        raise AssertionError(f"no answer within {timeout} s")

    def call(self, signature="", values=(), timeout=30, **more):
        return self.answer(self.send(signature=signature, data=body(signature, values), **more), timeout)
