"""What hostile models do when they are read. Names in capitals come from `Harness.places`."""

# Each raises what the kernel answered.
REFUSED = {
    "reads a file": "raise ValueError(open(SECRET).read())",
    "reads the password file": "raise ValueError(open('/etc/passwd').read())",
    "lists a folder": "import os; raise ValueError(os.listdir(FOLDER))",
    "reads another process's environment": "raise ValueError(open(f'/proc/{NEIGHBOR}/environ').read())",
    "reads its own environment": "open('/proc/self/environ').read()",
    "reads the machine's connections": "open('/proc/self/net/tcp').read()",
    "lists the machine's sockets": "open('/proc/net/unix').read()",
    "reads the machine's mounts": "open('/proc/self/mountinfo').read()",
    "reads the mounts by another name": "open('/proc/mounts').read()",
    "reads a thread's own folder": "import os; open(f'/proc/self/task/{os.getpid()}/mounts').read()",
    "reads the machine's groups of processes": "import os; os.listdir('/sys/fs/cgroup')",
    "reads through its own root": "raise ValueError(open('/proc/self/root' + SECRET).read())",
    "writes a file": "open(FOLDER + '/made', 'w').write('x')",
    "overwrites a file": "open(SECRET, 'w').write('x')",
    "appends to its own code": "import joblib; open(joblib.__file__, 'a').write('x = 1')",
    "overwrites the model file": "open(FOLDER + '/model', 'r+b').write(b'x')",
    "writes a temporary file": "open('/tmp/modelport-hostile', 'w').write('x')",
    "removes a file": "import os; os.remove(SECRET)",
    "renames a file": "import os; os.rename(SECRET, FOLDER + '/other')",
    "links a file": "import os; os.link(SECRET, FOLDER + '/other')",
    "makes a folder": "import os; os.mkdir(FOLDER + '/made')",
    "changes a mode": "import os; os.chmod(SECRET, 0o777)",
    "changes a time": "import os; os.utime(SECRET, (1, 1))",
    "truncates a file": "import os; os.truncate(SECRET, 0)",
    "starts a process": "import subprocess; subprocess.run(['touch', FOLDER + '/made'])",
    "forks": "import os; os.fork()",
    "becomes another program": "import os; os.execv('/bin/touch', ['touch', FOLDER + '/made'])",
    "spawns a process": "import os; os.posix_spawn('/bin/touch', ['touch', FOLDER + '/made'], {})",
    "connects by TCP": "import socket; socket.create_connection(('127.0.0.1', TCP))",
    "fetches an address": "import urllib.request as u; u.urlopen(f'http://127.0.0.1:{TCP}/')",
    "sends by UDP": "import socket as s; s.socket(2, 2).sendto(b'x', ('127.0.0.1', UDP))",
    "connects to a unix socket": "import socket as s; s.socket(1).connect(UNIX)",
    "connects to an abstract socket": "import socket as s; s.socket(1).connect(ABSTRACT)",
    "sends through half a datagram pair": "import socket as s; s.socketpair(1, 2)[0].sendto(b'x', DATAGRAM)",
    "opens a netlink socket": "import socket as s; s.socket(16, 3, 0)",
    "sends with TCP fast open": """
import os, socket
for number in range(3, 64):
    try: socket.socket(fileno=os.dup(number)).send(b'x', socket.MSG_FASTOPEN)
    except PermissionError: raise
    except OSError: pass
""",
    "kills another process": "import os; os.kill(NEIGHBOR, 9)",
    "kills the whole session": "import os; os.kill(-1, 9)",
    "kills the server process": "import os; os.kill(os.getppid(), 9)",
    "stops the server process": "import os, signal; os.kill(os.getppid(), signal.SIGSTOP)",
    "signals the server process by a file": """
import fcntl, os
fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())
""",
    "signals the server process by a socket": """
import fcntl, os, struct
fcntl.ioctl(os.pipe()[0], 0x8901, struct.pack('i', os.getppid()))
""",
    "reads the server process's environment": "import os; open(f'/proc/{os.getppid()}/environ').read()",
    "reads the server process's memory": "import os; open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "lists the server process's files": "import os; os.listdir(f'/proc/{os.getppid()}/fd')",
    "opens the server process's listener": "import os; os.open(f'/proc/{os.getppid()}/fd/3', os.O_RDWR)",
    "slows the server process": "import os; os.setpriority(os.PRIO_PROCESS, os.getppid(), 10)",
    "limits the server process": "import os, resource as r; r.prlimit(os.getppid(), r.RLIMIT_NOFILE, (8, 8))",
    "lives on without the server process": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(1, 0, 0, 0, 0) < 0: raise OSError(ctypes.get_errno(), '')
""",
    "slows another process": "import os; os.setpriority(os.PRIO_PROCESS, NEIGHBOR, 10)",
    "limits another process": "import resource as r; r.prlimit(NEIGHBOR, r.RLIMIT_NOFILE, (8, 8))",
    "lifts its memory limit": "import resource as r; r.prlimit(0, r.RLIMIT_AS, (-1, -1))",
    "makes a pair of sockets": "import socket; socket.socketpair()",
    "enlarges a pipe": "import fcntl, os; fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)",
    "locks a file": "import fcntl, os; fcntl.flock(open(os.__file__), fcntl.LOCK_SH)",
    "locks a part of a file": "import fcntl, os; fcntl.lockf(open(os.__file__), fcntl.LOCK_SH, 1)",
    "makes memory that is not counted": "import os; os.memfd_create('x')",
}

# Of those, one of each kind; and some that hide what the kernel answered.
REPORTED = {
    name: REFUSED[name]
    for name in (
        "reads a file",
        "overwrites a file",
        "starts a process",
        "forks",
        "connects by TCP",
        "fetches an address",
        "kills another process",
    )
} | {
    "swallows the refusal": "import os\ntry: os.remove(SECRET)\nexcept OSError: pass",
    "ignores the refusal": "import os; os.system('touch ' + FOLDER + '/made')",
}

# System calls that Python has no function for: x86-64's numbers.
CALLS = {
    "makes a user namespace": (272, 0x10000000),
    "enters a namespace": (308, 0, 0),
    "traces a process": (101, 16, 0, 0, 0),
    "sets up io_uring": (425, 1, 0),
    "adds a key": (248, 0, 0, 0, 0, 0),
    "opens a process": (434, 1, 0),
    "loads a BPF program": (321, 0, 0, 0),
    "outlives its parent": (157, 1, 0, 0, 0, 0),
    "finds shared memory": (29, 0, 0, 0),
    "makes semaphores": (64, 0, 1, 0o1600),
    "makes a queue": (68, 0, 0o1600),
    "waits for a semaphore": (65, 0, None, 0),
    "waits a while for a semaphore": (220, 0, None, 0, None),
    "sets a semaphore": (66, 0, 0, 16, 0),
    "leaves shared memory": (67, None),
    "sends to a queue": (69, 0, None, 0, 0),
    "receives from a queue": (70, 0, None, 0, 0, 0),
    "removes a queue": (71, 0, 0, None),
    "opens a POSIX queue": (240, b"/x", 0, 0, None),
    "removes a POSIX queue": (241, b"/x"),
    "sends to a POSIX queue": (242, 3, None, 0, 0, None),
    "receives from a POSIX queue": (243, 3, None, 0, None, None),
    "asks a POSIX queue for signals": (244, 3, None),
    "changes a POSIX queue": (245, 3, None, None),
    "makes descriptors of its own": (436, 60, 63, 2),
    "starts a thread with descriptors of its own": (56, 0x10900, 0, None, None, 0),
    "makes a timer": (222, 0, None, None),
    "passes descriptors on": (46, 3, None, 0),
    "filters again": (317, 1, 0, None),
    "locks memory": (149, None, 0),
}

# On a segment of the harness's, by its number.
CALLS_ON_SHARED_MEMORY = {
    "attaches shared memory": "(30, SEGMENT, None, 0)",
    "asks about shared memory": "(31, SEGMENT, 2, ctypes.create_string_buffer(256))",
    "removes shared memory": "(31, SEGMENT, 0, None)",
    "finds all shared memory": "(31, 0, 13, ctypes.create_string_buffer(256))",
}

# The same with the server process's pid, which a payload learns only when it runs.
CALLS_ON_THE_FRONT = {
    "traces the server process": "(101, 16, os.getppid(), 0, 0)",
    "seizes the server process": "(101, 0x4206, os.getppid(), 0, 0)",
    "reads the server process's memory at once": "(310, os.getppid(), None, 0, None, 0, 0)",
    "writes to the server process's memory": "(311, os.getppid(), None, 0, None, 0, 0)",
    "opens the server process as a file": "(434, os.getppid(), 0)",
    "takes the server process's files": "(438, 3, 3, 0)",
    "sends the server process a queued signal": "(129, os.getppid(), 9, None)",
    "sends the server process's thread a signal": "(234, os.getppid(), os.getppid(), 9)",
}

SYSTEM_CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(*CALL)
code = ctypes.get_errno()
if result < 0: raise OSError(code, os.strerror(code))
"""

# Runs all in one process and prints what each was answered, because starting one takes a second.
GAUNTLET = """
import json, os
def outcome(source):
    try:
        exec(source, dict(PLACES))
    except OSError as error:
        denied = error if error.errno else getattr(error, 'reason', error)
        return type(denied).__name__
    except BaseException as error:
        return f'{type(error).__name__}: {error}'
    return 'allowed'
outcomes = json.dumps({name: outcome(source) for name, source in SOURCES})
os.write(1, f'\\nOUTCOMES {outcomes}\\n'.encode())
"""
