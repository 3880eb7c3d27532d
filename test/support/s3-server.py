"""Swift with its S3 interface, whole, in one process on loopback: the arguments are the folder of its data and the port.

Rings, settings and disks are made in the folder; nothing of the machine's own Swift is read or touched.
"""
import eventlet

eventlet.monkey_patch()

import os
import sys
from io import StringIO

from eventlet import listen, spawn, wsgi
from eventlet.hubs import trampoline

folder, port = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "swift.conf"), "w") as file:
    file.write("[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = only\ndefault = yes\n")

from swift.common import utils

utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
utils.HASH_PATH_SUFFIX = b"tests"
# What goes wrong is told to whoever started it.
utils.get_logger.console_handler4logger = {}

from swift.common import storage_policy

storage_policy.reload_storage_policies()

from swift.common.ring import RingBuilder
from swift.common.wsgi import loadapp


class Cache(dict):
    """What memcached is asked, for one process."""

    # One that is empty is there nevertheless.
    def __bool__(self):
        return True

    def set(self, key, value, serialize=True, time=0, **_):
        self[key] = value

    def get(self, key, default=None, **_):
        return dict.get(self, key, default)

    def delete(self, key, **_):
        self.pop(key, None)

    def incr(self, key, delta=1, time=0):
        self[key] = int(dict.get(self, key, 0)) + delta
        return self[key]


def with_cache(app, cache=Cache()):
    def call(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return call


def serve(name, sock, **settings):
    lines = "\n".join(f"{key} = {value}" for key, value in settings.items())
    path = os.path.join(folder, f"{name}.conf")
    with open(path, "w") as file:
        file.write(
            f"[DEFAULT]\nswift_dir = {folder}\ndevices = {folder}/disks\nmount_check = false\n"
            f"log_level = ERROR\nlog_address = {folder}/nobody\n{lines}\n"
        )
    app = loadapp(path)
    spawn(wsgi.server, sock, with_cache(app) if name == "proxy" else app, log=StringIO(), debug=False)


def backend(kind):
    sock = listen(("127.0.0.1", 0))
    builder = RingBuilder(4, 1, 1)
    builder.add_dev(
        {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": sock.getsockname()[1], "device": "sda"}
    )
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))
    serve(kind, sock, **{"[pipeline:main]\npipeline": kind + f"-server\n[app:{kind}-server]\nuse = egg:swift#{kind}"})


os.makedirs(os.path.join(folder, "disks", "sda"), exist_ok=True)
for kind in ("account", "container", "object"):
    backend(kind)
serve(
    "proxy",
    listen(("127.0.0.1", port), backlog=256),
    **{
        "[pipeline:main]\npipeline": "gatekeeper s3api tempauth bulk slo proxy-server\n"
        "[filter:gatekeeper]\nuse = egg:swift#gatekeeper\n"
        "[filter:s3api]\nuse = egg:swift#s3api\nallow_multipart_uploads = true\nmin_segment_size = 1\nmax_bucket_listing = 20\n"
        "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = secret .admin\n"
        "[filter:bulk]\nuse = egg:swift#bulk\n"
        "[filter:slo]\nuse = egg:swift#slo\n"
        "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true"
    },
)
print("ready", flush=True)
# Ends with whoever started it, whose end closes the pipe.
while True:
    trampoline(0, read=True)
    if not os.read(0, 1):
        os._exit(0)
