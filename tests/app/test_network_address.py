"""What a teacher is told who has opened the app at localhost."""

import socket

import pytest

from explainer.views.room import network
from explainer.views.room.network import address_in_network, is_local


@pytest.fixture
def computer(monkeypatch, tmp_path):
    """Return what sets an option of a server at port 8501 of a computer in a network."""
    options = {"server.port": 8501, "server.address": None}
    monkeypatch.setattr(network.st, "get_option", options.__getitem__)
    monkeypatch.setattr(network, "CONTAINER", (tmp_path / "container",))
    monkeypatch.setattr(network.platform, "release", lambda: "6.1.0-18-amd64")
    monkeypatch.setattr(network, "host_in_network", lambda: "192.168.1.20")
    return options.__setitem__


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("http://localhost:8501/room", "http://192.168.1.20:8501/room"),
        ("https://127.0.0.1:8501/vit/room", "https://192.168.1.20:8501/vit/room"),
        ("http://localhost:8501/room?room=ABCDEF", "http://192.168.1.20:8501/room"),
        ("http://localhost:8080/room", ""),  # of a proxy
        ("http://localhost/room", ""),
        ("", ""),
        # a stranger's word
        ("http://localhost:99999/room", ""),
        ("javascript://localhost:8501/room", ""),
    ],
)
def test_the_address_in_the_network_is_that_of_this_server(computer, here: str, there: str):
    assert address_in_network(here) == there


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1"])
def test_a_server_for_this_computer_alone_names_no_other_address(computer, address: str):
    computer("server.address", address)
    assert address_in_network("http://localhost:8501/room") == ""


def test_a_server_for_all_names_it(computer):
    computer("server.address", "0.0.0.0")
    assert address_in_network("http://localhost:8501/room")


def test_networks_inside_of_a_computer_are_not_named(computer, monkeypatch, tmp_path):
    monkeypatch.setattr(network.platform, "release", lambda: "5.15.153.1-microsoft-standard-WSL2")
    assert address_in_network("http://localhost:8501/room") == ""
    monkeypatch.setattr(network.platform, "release", lambda: "6.1.0-18-amd64")
    (tmp_path / "container").touch()
    assert address_in_network("http://localhost:8501/room") == ""


def test_without_a_network_there_is_no_address(computer, monkeypatch):
    monkeypatch.setattr(network, "host_in_network", lambda: "")
    assert address_in_network("http://localhost:8501/room") == ""


def test_the_address_of_a_computer_is_asked_without_sending_anything(monkeypatch):
    class Asked:
        def __init__(self, host):
            self.host = host

        def __call__(self, family, kind):
            assert kind == socket.SOCK_DGRAM
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def connect(self, _):
            if self.host is None:
                raise OSError("no network")

        def getsockname(self):
            return self.host, 5000

    for host, expected in (
        ("10.0.0.7", "10.0.0.7"),
        ("127.0.0.1", ""),
        ("0.0.0.0", ""),
        (None, ""),
    ):
        monkeypatch.setattr(network.socket, "socket", Asked(host))
        assert network.host_in_network() == expected


@pytest.mark.parametrize(
    ("link", "local"),
    [
        ("http://localhost:8501/room", True),
        ("http://[::1]:8501/room", True),
        ("/room", True),
        ("http://192.168.1.20:8501/room", False),
        ("https://school.example/vit/room", False),
    ],
)
def test_addresses_of_one_computer_are_known(link: str, local: bool):
    assert is_local(link) == local
