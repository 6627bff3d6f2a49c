"""What the emulated machine boots: Debian's kernel, a little program that finds the disk, and a disk with those packages of a
root that the service needs, the build installed among them. No mount is made for it, and nothing of the root is changed."""

import gzip
import hashlib
import io
import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "taskschedd-quickstart"
HERE = pathlib.Path(__file__).resolve().parent
SRC = HERE.parent.parent.parent
KERNEL = "linux-image-cloud-amd64"
MODULES = ["virtio/virtio_ring", "virtio/virtio", "virtio/virtio_pci_legacy_dev", "virtio/virtio_pci_modern_dev",
           "virtio/virtio_pci", "block/virtio_blk", "char/virtio_console"]
DISK = 1536 << 20

# What is in the machine, with all that it depends on; names differ from one Debian to the next. Of what these depend on, some
# is only for putting packages in order, or for speed.
SEEDS = re.compile(r"""systemd|dbus|bash|dash|coreutils|util-linux|mount|procps|sed|grep|findutils|libc-bin|base-files|tzdata|
    python3|python3-dbus|postgresql-\d+|libglib2\.0-0(t64)?|libjson-glib-1\.0-0|libpq5|libsodium23|libsystemd0|libzstd1|
    liblz4-1|liblzma5|libgcrypt20|libseccomp2|libkmod2|libapparmor1|libbpf1""", re.VERBOSE)
LEFT_OUT = re.compile(r"libllvm.*|perl.*|libperl.*|debconf|locales.*|ssl-cert|postgresql-(client-)?common|adduser|ucf|openssl|"
                      r"media-types|sensible-utils|dpkg|tar|libgdbm.*|udev|init-system-helpers|mailcap")
NOT_COPIED = re.compile(r"/usr/share/(doc|man|locale|info|lintian|bug|i18n|bash-completion|zsh|fish|perl5|gcc)/|"
                        r".*/postgresql/\d+/(lib/bitcode|man)/|/(etc|dev|proc|sys|run|tmp|boot)(/|$)")
WANTED = {"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket", "dbus.socket", "dbus.service",
          "systemd-tmpfiles-setup.service", "systemd-journal-flush.service", "systemd-random-seed.service"}
NOT_ETC = ["./etc/systemd", "./etc/fstab", "./etc/machine-id", "./etc/hostname", "./etc/resolv.conf", "./etc/mtab",
           "./etc/taskschedd", "./etc/ssl", "./etc/modules-load.d", "./etc/.pwd.lock"]


class Trouble(Exception):
    """The machine cannot be had; it says why."""


def run(*argv, **more):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if p.returncode != 0:
        raise Trouble(f"{argv[0]}: exit status {p.returncode}: {(p.stderr + p.stdout).strip()[-2000:]}")
    return p.stdout


# --- the kernel -----------------------------------------------------------------------------------------------------


def kernel():
    """Where a kernel of the machine's archives lies unpacked: it is fetched once."""
    there = sorted(CACHE.glob("linux-image-*-cloud-amd64_*"))
    if there:
        return there[-1]
    try:
        return fetch_kernel()
    except Trouble:
        # The list of packages may be older than the archives, or there is none yet.
        run("apt-get", "-qq", "update", timeout=300)
        return fetch_kernel()


def fetch_kernel():
    listed = re.search(r"Depends: (linux-image-[0-9]\S*)", run("apt-cache", "depends", KERNEL))
    if not listed:
        raise Trouble(f"the machine's archives have no {KERNEL}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kernel.", dir=CACHE) as new:
        os.chmod(new, 0o755)
        shutil.chown(new, "_apt")
        run("apt-get", "-qq", "download", listed[1], cwd=new, timeout=500)
        [archive] = pathlib.Path(new).glob("*.deb")
        run("dpkg-deb", "-x", archive, f"{new}/unpacked")
        place = CACHE / archive.name.removesuffix("_amd64.deb").replace("%3a", ":")
        try:
            os.rename(f"{new}/unpacked", place)
        except OSError:
            if not place.is_dir():  # somebody else was quicker
                raise
    return place


def module(place, name):
    for path in place.glob(f"**/modules/*/kernel/drivers/{name}.ko*"):
        data = path.read_bytes()
        return lzma.decompress(data) if path.suffix == ".xz" else data
    return None  # built in


def archive_entry(out, name, mode, data=b""):
    """One of a cpio archive, as the kernel reads it."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    for part in (b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0", data):
        out.write(part)
        out.write(b"\0" * (-out.tell() % 4))


def first_files(place, folder):
    """The kernel and what it starts, in a folder."""
    run("gcc", "-static", "-Os", "-s", "-Wall", "-Werror", "-o", folder / "init", HERE / "init.c")
    out = io.BytesIO()
    archive_entry(out, "modules", stat.S_IFDIR | 0o755)
    for i, name in enumerate(MODULES):
        if data := module(place, name):
            archive_entry(out, f"modules/{i}", stat.S_IFREG | 0o644, data)
    archive_entry(out, "init", stat.S_IFREG | 0o755, (folder / "init").read_bytes())
    archive_entry(out, "TRAILER!!!", 0)
    with gzip.open(folder / "initrd", "wb", compresslevel=1) as f:
        f.write(out.getvalue())
    [image] = place.glob("boot/vmlinuz-*")
    shutil.copyfile(image, folder / "vmlinuz")


# --- packages of a root ---------------------------------------------------------------------------------------------


class Packages:
    """What is installed in a root."""

    def __init__(self, root):
        self.root, self.depends, self.provided = root, {}, {}
        for text in (root / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", text, re.MULTILINE))
            if fields.get("Status") == "install ok installed":
                name = fields["Package"]
                self.depends[name] = fields.get("Depends", "") + "," + fields.get("Pre-Depends", "")
                for provided in re.findall(r"[a-z0-9][a-z0-9.+-]+(?=[ ,]|$)", re.sub(r"\([^)]*\)", "", fields.get("Provides", ""))):
                    self.provided.setdefault(provided, name)

    def newest_server(self):
        servers = sorted((int(n[11:]), n) for n in self.depends if re.fullmatch(r"postgresql-\d+", n))
        if not servers:
            raise Trouble("there is no PostgreSQL server in the machine's root")
        return servers[-1][1]

    def wanted(self):
        server = self.newest_server()
        todo = [n for n in self.depends if SEEDS.fullmatch(n) and (n == server or not n.startswith("postgresql-"))]
        found = set()
        while todo:
            name = todo.pop()
            if name in found or LEFT_OUT.fullmatch(name):
                continue
            found.add(name)
            for group in self.depends[name].split(","):
                for choice in group.split("|"):
                    word = re.sub(r"[ (:].*", "", choice.strip())
                    word = word if word in self.depends else self.provided.get(word)
                    if word:
                        todo.append(word)
                        break
        return found

    def files(self):
        """As they are called where /bin and the like are links into /usr."""
        info, names = self.root / "var/lib/dpkg/info", set()
        for package in self.wanted():
            [listing] = [p for p in (info / f"{package}.list", info / f"{package}:amd64.list") if p.exists()]
            for name in listing.read_text(encoding="utf-8").splitlines():
                name = re.sub(r"^/(bin|sbin|lib|lib64)(?=/)", r"/usr/\1", name)
                if name not in ("/bin", "/sbin", "/lib", "/lib64", "/.", "/usr/bin/psql") and not NOT_COPIED.match(name + "/"):
                    names.add(name)
        for name in [n for n in names if n.endswith(".py")]:
            folder, stem = os.path.split(name[:-3])
            names.update(f"{folder}/__pycache__/{p.name}" for p in (self.root / folder[1:] / "__pycache__").glob(f"{stem}.cpython-*"))
        return sorted(n for n in names if os.path.lexists(self.root / n[1:]))


# --- the disk -------------------------------------------------------------------------------------------------------


def copy_root(packages, stage):
    names = stage.parent / "names"
    names.write_text("".join(f".{n}\n" for n in packages.files()), encoding="utf-8")
    script = 'set -o pipefail; tar -C "$1" -c --no-recursion -T "$2" | tar -C "$3" -xp'
    run("bash", "-c", script, "bash", packages.root, names, stage)
    excluded = [f"--exclude={name}" for name in NOT_ETC]
    script = 'set -o pipefail; root=$1 stage=$2; shift 2; tar -C "$root" "$@" -c ./etc | tar -C "$stage" -xp'
    run("bash", "-c", script, "bash", packages.root, stage, *excluded)
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink(f"usr/{name}", stage / name)
    for name, mode in (("dev", 0o755), ("proc", 0o555), ("sys", 0o555), ("run", 0o755), ("tmp", 0o1777), ("root", 0o700),
                       ("var/tmp", 0o1777), ("var/log/journal", 0o755), ("var/lib/dbus", 0o755), ("home", 0o755)):
        os.makedirs(stage / name, exist_ok=True)
        os.chmod(stage / name, mode)
    if not (stage / "var/run").exists():
        os.symlink("/run", stage / "var/run")
    version = packages.newest_server()[11:]
    os.symlink(f"../lib/postgresql/{version}/bin/psql", stage / "usr/bin/psql")


def install(build, stage):
    if (build / "stage").is_dir():
        run("cp", "-a", f"{build}/stage/.", stage)
    else:
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": str(stage)})
    run("systemd-sysusers", f"--root={stage}", "taskschedd.conf")


UNITS = {
    "taskschedd-test.target": """[Unit]
Requires=basic.target dbus.service
Wants=taskschedd-test-agent.service taskschedd.service
After=basic.target dbus.service
AllowIsolate=yes
""",
    "taskschedd-test-agent.service": """[Unit]
DefaultDependencies=no
After=dbus.socket
[Service]
ExecStart=/usr/bin/python3 /usr/lib/taskschedd-test/agent.py
Environment=HOME=/root LANG=C.UTF-8 TASKSCHEDD_EMULATED=1
OOMScoreAdjust=-1000
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
""",
}


def settle(root, stage):
    """Units of the machine's own, and nothing that costs time and does nothing here."""
    units = stage / "etc/systemd/system"
    units.mkdir(parents=True)
    for folder in ("sysinit", "basic", "local-fs", "sockets", "timers", "paths", "multi-user"):
        for link in (stage / f"usr/lib/systemd/system/{folder}.target.wants").glob("*"):
            if link.suffix not in (".target", ".slice") and link.name not in WANTED and not (units / link.name).is_symlink():
                os.symlink("/dev/null", units / link.name)
    for name in ("systemd-update-utmp.service", "modprobe@.service", "serial-getty@.service", "getty@.service",
                 "systemd-logind.service", "systemd-user-sessions.service"):
        if not (units / name).is_symlink():
            os.symlink("/dev/null", units / name)
    for name, text in UNITS.items():
        (units / name).write_text(text, encoding="utf-8")
    os.symlink("/usr/lib/systemd/system/taskschedd.service", units / "dbus-org.taskschedd1.service")
    etc = stage / "etc"
    (etc / "fstab").touch()
    (etc / "hostname").write_text("emulated\n", encoding="utf-8")
    (etc / "machine-id").write_text(hashlib.md5(b"emulated").hexdigest() + "\n", encoding="utf-8")
    for name, text in (("journald", "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=64M\n"),
                       ("system", "[Manager]\nDefaultTimeoutStartSec=300s\n")):
        (etc / f"systemd/{name}.conf.d").mkdir()
        (etc / f"systemd/{name}.conf.d/taskschedd-test.conf").write_text(text, encoding="utf-8")


def make_cluster(stage):
    """The database as its service makes it at the first start, by the same program: emulated, that takes long. Mounts and
    processes are in namespaces that end with it."""
    script = r"""
        stage=$1 state=/var/lib/taskschedd/postgresql run=/run/taskschedd/postgresql
        mount --bind "$stage" "$stage" && mount -t proc proc "$stage/proc" && mount --rbind /dev "$stage/dev" &&
            mount -t tmpfs tmpfs "$stage/run" || exit 1
        install -d -m 0755 "$stage/run/taskschedd" && install -d -m 0755 "$stage/var/lib/taskschedd" || exit 1
        chroot "$stage" install -d -o taskschedd -g taskschedd -m 0700 "$state" || exit 1
        chroot "$stage" install -d -o taskschedd -g taskschedd -m 0750 "$run" || exit 1
        chroot "$stage" setpriv --reuid=taskschedd --regid=taskschedd --clear-groups env -i LANG=C.UTF-8 PATH=/usr/bin:/bin \
            STATE_DIRECTORY=$state RUNTIME_DIRECTORY=$run /usr/libexec/taskschedd/taskschedd-postgresql prepare"""
    run("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "bash", "-c", script, "bash", stage)


def make_disk(root, build, folder):
    """The file `disk` in the folder: ext4, as a fresh installation."""
    stage = folder / "stage"
    stage.mkdir(mode=0o755)
    copy_root(Packages(root), stage)
    settle(root, stage)
    install(build, stage)
    make_cluster(stage)
    here = stage / "usr/lib/taskschedd-test"
    here.mkdir()
    for path in (HERE / "agent.py", SRC / "tests/system/world.py"):
        shutil.copyfile(path, here / path.name)
    with open(folder / "disk", "wb") as f:
        f.truncate(DISK)
    run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d", stage, folder / "disk")
    shutil.rmtree(stage)
