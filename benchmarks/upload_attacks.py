"""What files that strangers send cost the server in memory, sent by many at once.

    python benchmarks/upload_attacks.py [--app PATH/TO/explainer/Home.py]

Each attack has a server of its own, where as many visitors as it needs have opened a page. Said is
by how many megabytes the server's memory grows: at the peak, and what is left ten seconds later.
The server speaks with plain websockets and requests, as a stranger's program would. Linux only.
"""

import argparse
import io
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

import numpy as np
import torch
from PIL import Image
from served import HOME, Server
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo, mnist_info

MEGABYTE = 1024**2
PATIENCE = 180  # seconds
LATER = 10  # seconds
QUIET = 0.5  # seconds without a message, after which nothing more comes
MODEL, PHOTOGRAPH = ("own-model", "a.safetensors"), ("photo-upload", "a.png")  # widget and file
SMALL = ViTConfig(patch_size=2, embed_dim=16, depth=12, num_heads=16, mlp_ratio=1.0)
TINY = ViTConfig(
    image_size=224,
    in_channels=3,
    num_classes=1000,
    patch_size=16,
    embed_dim=192,
    depth=12,
    num_heads=3,
)


class Visitor:
    """A session that has opened a page, and knows its widgets."""

    def __init__(self, port: int, **query: str) -> None:
        self.host, self.query = f"localhost:{port}", urlencode(query)
        self.session, self.uploaders, self.states = "", set(), {}
        self.connection = connect(
            f"ws://{self.host}/_stcore/stream",
            max_size=None,
            subprotocols=["streamlit"],
            ping_timeout=None,
        )

    def __enter__(self) -> "Visitor":
        self.stream = self.connection.__enter__()
        self.run()
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.__exit__(*error)

    def run(self) -> None:
        """Run the page with the widgets as they stand, and wait until it is complete."""
        ask = BackMsg()
        ask.rerun_script.query_string = self.query
        ask.rerun_script.widget_states.widgets.extend(self.states.values())
        self.read(QUIET)  # what is left of the run before
        self.stream.send(ask.SerializeToString())
        self.read(PATIENCE)

    def read(self, patience: float) -> None:
        """Read what the server sends, until a run of the page is complete."""
        while True:
            try:
                message = ForwardMsg.FromString(self.stream.recv(timeout=patience))
            except TimeoutError:
                return
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
            elif kind == "delta":
                element = message.delta.new_element
                if element.WhichOneof("type") == "file_uploader":
                    self.uploaders.add(element.file_uploader.id)
                elif element.WhichOneof("type") == "button_group":
                    self.choose_upload(element.button_group)
            elif kind == "script_finished" and patience > QUIET and is_whole(message):
                return

    def choose_upload(self, group: object) -> None:
        """Have the picker of pictures offer files, from the next run on."""
        if group.id.endswith("photo-picker"):
            self.states[group.id] = WidgetState(id=group.id)
            self.states[group.id].string_array_value.data.append("Upload")

    def put(self, content: bytes, name: str) -> tuple[int, str]:
        """Send a file; return the status and the file's id."""
        line = HTTPConnection(self.host, timeout=PATIENCE)
        line.request("GET", "/_stcore/health")
        answer = line.getresponse()
        answer.read()
        token = answer.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
        file = str(uuid.uuid4())
        body = (
            f'--X\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
            + content
            + b"\r\n--X--\r\n"
        )
        headers = {
            "X-Xsrftoken": token,
            "Cookie": f"_streamlit_xsrf={token}",
            "Content-Type": "multipart/form-data; boundary=X",
        }
        line.request("PUT", f"/_stcore/upload_file/{self.session}/{file}", body, headers)
        status = line.getresponse().status
        line.close()
        return status, file

    def bring(self, content: bytes, to: tuple[str, str]) -> int:
        """Give a file to a widget, and wait for the page; return the status of its arrival."""
        (widget, name), (status, file) = to, self.put(content, to[1])
        if status < 300:
            state = WidgetState(id=next(one for one in self.uploaders if one.endswith(widget)))
            info = state.file_uploader_state_value.uploaded_file_info.add()
            info.file_id, info.name, info.size = file, name, len(content)
            self.states[state.id] = state
            self.run()
        return status


def is_whole(message: ForwardMsg) -> bool:
    return message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


def checkpoint(config: ViTConfig) -> bytes:
    names = tuple(f"class {number}" for number in range(config.num_classes))
    colour = DataInfo("photographs", "", (0.5,) * 3, (0.25,) * 3, names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        data = colour if config.in_channels == 3 else mnist_info()
        save_checkpoint(build(config), path, data=data)
        return path.read_bytes()


def photograph() -> bytes:
    """Return a PNG file of 5 MB at most and 24 megapixels, which is large once it is decoded."""
    rows, columns = np.mgrid[:4_000, :6_000]
    pixels = np.stack([rows // 16, columns // 24, (rows + columns) // 40], axis=2).astype(np.uint8)
    pixels[:700] = np.random.default_rng(0).integers(0, 2, (700, 6_000, 1)) * 255
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    assert len(content.getvalue()) <= 5 * MEGABYTE
    return content.getvalue()


def grown(
    app: Path, count: int, attack: Callable[[Visitor], object], **query: str
) -> tuple[float, float, float, str]:
    """Return the peak, what is left, seconds, and the statuses, of ``count`` visitors at once."""
    with Server(app) as server, ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(server.port, **query)) for _ in range(count)]
        for visitor in visitors if query else ():
            visitor.run()  # with the widget that was asked for
        # what all pages need is there before the attack: the data, and one pass of a small model
        before = server.memory()
        most, over = before, Event()

        def watch() -> None:
            nonlocal most
            while not over.wait(0.005):
                most = max(most, server.memory())

        watcher = Thread(target=watch)
        watcher.start()
        began = time.monotonic()
        with ThreadPoolExecutor(count) as threads:
            statuses = list(threads.map(attack, visitors))
        took = time.monotonic() - began
        over.set()
        watcher.join()
        time.sleep(LATER)
        said = ", ".join(f"{statuses.count(one)} x {one}" for one in dict.fromkeys(statuses))
        return most - before, server.memory() - before, took, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", type=Path, default=HOME, help="another version's Home.py")
    parser.add_argument("--only", default="", help="run the attacks whose names contain this")
    given = parser.parse_args()
    torch.set_num_threads(1)
    small, tiny, photo, many = checkpoint(SMALL), checkpoint(TINY), photograph(), bytes(10**7)
    attacks = {
        f"{count} x checkpoint of {len(small) / 1e3:.0f} kB": (
            count,
            lambda visitor: visitor.bring(small, MODEL),
            {},
        )
        for count in (1, 3, 5, 20)
    }
    attacks |= {
        f"{count} x checkpoint of {len(tiny) / 1e6:.0f} MB (ViT-Ti/16)": (
            count,
            lambda visitor: visitor.bring(tiny, MODEL),
            {},
        )
        for count in (1, 5)
    }
    attacks["20 x file of 10 MB, put by one visitor without a widget"] = (
        1,
        lambda visitor: [visitor.put(many, "a.bin")[0] for _ in range(20)][-1],
        {},
    )
    attacks[f"8 x photograph of 24 megapixels, {len(photo) / 1e6:.1f} MB"] = (
        8,
        lambda visitor: visitor.bring(photo, PHOTOGRAPH),
        {"source": "cifar10"},
    )
    print(f"{'attack':60} {'peak':>8} {'later':>8} {'seconds':>8}  answers")
    for name, (count, attack, query) in attacks.items():
        if given.only in name:
            peak, left, took, said = grown(given.app, count, attack, **query)
            print(f"{name:60} {peak:5.0f} MB {left:5.0f} MB {took:8.1f}  {said}", flush=True)


if __name__ == "__main__":
    main()
