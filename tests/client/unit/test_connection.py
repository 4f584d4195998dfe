"""What the clients connect with."""

import ssl

from modelport.transport.connection import http_options


def test_certificate_authorities_are_read_for_https_alone() -> None:
    over_http = http_options("http://127.0.0.1:8000", 60)["verify"]
    assert over_http.get_ca_certs() == []
    assert (over_http.verify_mode, over_http.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert "verify" not in http_options("https://models.example", 60)
