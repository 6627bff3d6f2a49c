"""A D-Bus client over libsystemd, so that the tests see error names and exact types. Values are Python's own; a
variant is a pair (signature, value) when sent and the bare value when received. A file descriptor that was received is
the caller's to close."""

import ctypes
import os
import time

lib = ctypes.CDLL("libsystemd.so.0")
P = ctypes.c_void_p
NUMBERS = {"y": ctypes.c_uint8, "b": ctypes.c_int, "n": ctypes.c_int16, "q": ctypes.c_uint16, "i": ctypes.c_int32,
           "u": ctypes.c_uint32, "x": ctypes.c_int64, "t": ctypes.c_uint64, "d": ctypes.c_double}


class Failure(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("message", ctypes.c_char_p), ("need_free", ctypes.c_int)]


class Refused(Exception):
    """The answer was an error."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


def check(r, what):
    if r < 0:
        raise OSError(-r, what)
    return r


def split(signature):
    """The complete types of a signature."""
    found, depth, begin = [], 0, 0
    for i, c in enumerate(signature):
        depth += (c in "({") - (c in ")}")
        if depth == 0 and c != "a":
            found.append(signature[begin:i + 1])
            begin = i + 1
    return found


def container(m, kind, contents, values, each):
    check(lib.sd_bus_message_open_container(m, ctypes.c_char(kind), contents.encode()), "open")
    for value in values:
        each(value)
    check(lib.sd_bus_message_close_container(m), "close")


def append(m, kind, value):
    if kind == "h":
        check(lib.sd_bus_message_append_basic(m, ctypes.c_char(b"h"), ctypes.byref(ctypes.c_int(value))), kind)
    elif kind in NUMBERS:
        number = NUMBERS[kind](value)
        check(lib.sd_bus_message_append_basic(m, ctypes.c_char(kind.encode()), ctypes.byref(number)), kind)
    elif kind in ("s", "o", "g"):
        text = value if isinstance(value, bytes) else value.encode()
        check(lib.sd_bus_message_append_basic(m, ctypes.c_char(kind.encode()), text), kind)
    elif kind == "v":
        container(m, b"v", value[0], [value[1]], lambda one: append(m, value[0], one))
    elif kind == "ay":
        check(lib.sd_bus_message_append_array(m, ctypes.c_char(b"y"), bytes(value), ctypes.c_size_t(len(value))), kind)
    elif kind[0] == "a":
        pairs = value.items() if isinstance(value, dict) else value
        container(m, b"a", kind[1:], pairs, lambda one: append(m, kind[1:], one))
    else:
        types = split(kind[1:-1])
        container(m, b"r" if kind[0] == "(" else b"e", kind[1:-1], zip(types, value), lambda pair: append(m, *pair))


def read_all(m):
    """Everything up to the end of the container that is open."""
    found = []
    kind, contents = ctypes.c_char(), ctypes.c_char_p()
    while check(lib.sd_bus_message_peek_type(m, ctypes.byref(kind), ctypes.byref(contents)), "peek") > 0:
        name = kind.value.decode()
        if name in "sog":
            text = ctypes.c_char_p()
            check(lib.sd_bus_message_read_basic(m, kind, ctypes.byref(text)), name)
            found.append(text.value.decode())
        elif name == "h":
            fd = ctypes.c_int()
            check(lib.sd_bus_message_read_basic(m, kind, ctypes.byref(fd)), name)
            found.append(os.dup(fd.value))
        elif name in NUMBERS:
            number = NUMBERS[name]()
            check(lib.sd_bus_message_read_basic(m, kind, ctypes.byref(number)), name)
            found.append(bool(number.value) if name == "b" else number.value)
        else:
            inside = contents.value
            check(lib.sd_bus_message_enter_container(m, kind, inside), name)
            values = read_all(m)
            check(lib.sd_bus_message_exit_container(m), name)
            if name == "a":
                found.append(dict(values) if inside.startswith(b"{") else values)
            else:
                found.append(values[0] if name == "v" else tuple(values))
    return found


class Bus:
    """A connection; signals that are asked for are gathered by signals()."""

    def __init__(self, address, name, path, interface):
        self.bus = P()
        self.to = [word.encode() for word in (name, path, interface)]
        check(lib.sd_bus_new(ctypes.byref(self.bus)), "new")
        check(lib.sd_bus_set_address(self.bus, address.encode()), "address")
        check(lib.sd_bus_set_bus_client(self.bus, 1), "client")
        check(lib.sd_bus_start(self.bus), "start")

    def close(self):
        lib.sd_bus_close_unref.restype = None
        lib.sd_bus_close_unref(self.bus)

    def message(self, to, method, signature, args):
        m = P()
        check(lib.sd_bus_message_new_method_call(self.bus, ctypes.byref(m), *to, method.encode()), method)
        for kind, value in zip(split(signature), args, strict=True):
            append(m, kind, value)
        return m

    def call_at(self, to, method, signature="", *args, timeout=25, interactive=False, reader=read_all):
        m, reply, failure = self.message(to, method, signature, args), P(), Failure()
        check(lib.sd_bus_message_set_allow_interactive_authorization(m, int(interactive)), method)
        r = lib.sd_bus_call(self.bus, m, ctypes.c_uint64(timeout * 1000000), ctypes.byref(failure), ctypes.byref(reply))
        lib.sd_bus_message_unref.restype = P
        lib.sd_bus_message_unref(m)
        if failure.name:
            error = Refused(failure.name.decode(), (failure.message or b"").decode())
            lib.sd_bus_error_free(ctypes.byref(failure))
            raise error
        check(r, method)
        values = reader(reply)
        lib.sd_bus_message_unref(reply)
        return values[0] if len(values) == 1 else tuple(values)

    def call(self, method, signature="", *args, **more):
        return self.call_at(self.to, method, signature, *args, **more)

    def send(self, method, signature="", *args, interactive=False):
        """Without waiting for the answer."""
        return self.send_at(self.to, method, signature, *args, interactive=interactive)

    def send_at(self, to, method, signature="", *args, interactive=False):
        """Likewise; returns what the answer is known by."""
        m, cookie = self.message(to, method, signature, args), ctypes.c_uint64()
        check(lib.sd_bus_message_set_allow_interactive_authorization(m, int(interactive)), method)
        # Without room for the cookie the message would say that no answer is wanted.
        check(lib.sd_bus_send(self.bus, m, ctypes.byref(cookie)), method)
        lib.sd_bus_message_unref(m)
        check(lib.sd_bus_flush(self.bus), "flush")
        return cookie.value

    def answers_to(self, cookies, timeout):
        """For each that was answered in time the error's name, "" where it is none."""
        lib.sd_bus_message_get_error.restype = ctypes.POINTER(Failure)
        found, end = {}, time.monotonic() + timeout
        while len(found) < len(cookies) and time.monotonic() < end:
            m, cookie = P(), ctypes.c_uint64()
            if check(lib.sd_bus_process(self.bus, ctypes.byref(m)), "process") == 0:
                lib.sd_bus_wait(self.bus, ctypes.c_uint64(100000))
            if m:
                if lib.sd_bus_message_get_reply_cookie(m, ctypes.byref(cookie)) >= 0 and cookie.value in cookies:
                    error = lib.sd_bus_message_is_method_error(m, None) > 0
                    found[cookie.value] = lib.sd_bus_message_get_error(m).contents.name.decode() if error else ""
                lib.sd_bus_message_unref(m)
        return found

    def answers(self, count, timeout=10):
        """The error names of the answers to what send() sent, "" for those that are none."""
        lib.sd_bus_message_get_error.restype = ctypes.POINTER(Failure)
        found, end = [], time.monotonic() + timeout
        while len(found) < count and time.monotonic() < end:
            m = P()
            if check(lib.sd_bus_process(self.bus, ctypes.byref(m)), "process") == 0:
                lib.sd_bus_wait(self.bus, ctypes.c_uint64(100000))
            if m:
                if lib.sd_bus_message_is_method_error(m, None) > 0:
                    found.append(lib.sd_bus_message_get_error(m).contents.name.decode())
                elif lib.sd_bus_message_is_signal(m, None, None) == 0:
                    found.append("")
                lib.sd_bus_message_unref(m)
        return found

    def get(self, name):
        to = [*self.to[:2], b"org.freedesktop.DBus.Properties"]
        return self.call_at(to, "Get", "ss", self.to[2].decode(), name)

    def watch(self, rule):
        self.call_at([b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus"], "AddMatch", "s", rule)

    def signals(self, wanted, timeout=10):
        """Signals that come until wanted(list of (member, values)) says that it is enough, or the time is over."""
        lib.sd_bus_message_get_member.restype = ctypes.c_char_p
        found, end = [], time.monotonic() + timeout
        while not wanted(found) and time.monotonic() < end:
            m = P()
            if check(lib.sd_bus_process(self.bus, ctypes.byref(m)), "process") == 0:
                lib.sd_bus_wait(self.bus, ctypes.c_uint64(100000))
            if m:
                if lib.sd_bus_message_is_signal(m, None, None) > 0:
                    found.append((lib.sd_bus_message_get_member(m).decode(), read_all(m)))
                lib.sd_bus_message_unref(m)
        return found
