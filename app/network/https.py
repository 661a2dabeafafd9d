"""Serves with HTTPS, so that browsers on other machines give a camera: `python -m app.network.https`.

The certificate is the one that Streamlit's `server.sslCertFile` and `server.sslKeyFile` name. Without them, a
self-signed one is made for this machine's names and addresses, and made anew when it is about to end or when they have
changed.
"""

import argparse
import ipaddress
import os
import socket
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import ifaddr
import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app import door
from app.network.listen import PORT, port_number, problem, serve
from app.settings import ROOT

VALID = timedelta(days=397)  # how long a certificate lasts; browsers refuse those that last longer
RENEW = timedelta(days=30)  # how long before its end it is replaced


def machine_hosts() -> list[str]:
    """This machine's host names and addresses, without link-local addresses, which no browser can open.

    Returns:
        The address first that other machines most likely reach; loopback addresses last.
    """
    addresses = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not address.is_link_local:
                addresses.append(address)
    main = _main_address()
    addresses.sort(key=lambda a: (a.is_loopback, str(a) != main, a.version))
    name = socket.gethostname()
    names = [name, f"{name}.local"] if name.isascii() and "." not in name else [name] if name.isascii() else []
    texts = [str(address) for address in addresses]
    return list(dict.fromkeys([*texts, *(n for n in names if n), "localhost", "127.0.0.1", "::1"]))


def _main_address() -> str | None:
    """The IPv4 address of the default route, or None without one. Only the routing table is asked; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation (RFC 5737)
        except OSError:
            return None
        return str(probe.getsockname()[0])


def certificate_hosts(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that a certificate is for, in the certificate's order; empty if it names none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)]


def self_signed(folder: Path, hosts: Iterable[str], now: datetime | None = None) -> tuple[Path, Path, str]:
    """A self-signed certificate for some hosts: the one in the folder as long as it is good, else a new one.

    Only the owner of the files can read the private key.

    Args:
        folder: Where the certificate and its key are kept; made if it is missing.
        hosts: The host names and addresses that the certificate has to be for.
        now: The time, with its time zone; None for the real one.

    Returns:
        The certificate's file, the private key's file, and why they were made anew; empty if they were not.

    Raises:
        OSError: The folder cannot be written.
    """
    hosts, now = list(hosts), now or datetime.now(UTC)
    cert_file, key_file = folder / "certificate.pem", folder / "key.pem"
    reason = _reason_to_renew(cert_file, key_file, hosts, now)
    if reason:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        _write(key_file, secret, 0o600)
        _write(cert_file, _sign(key, hosts, now).public_bytes(serialization.Encoding.PEM), 0o644)
    return cert_file, key_file, reason


def _reason_to_renew(cert_file: Path, key_file: Path, hosts: list[str], now: datetime) -> str:
    if not (cert_file.exists() and key_file.exists()):
        return "there was none"
    try:
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except ValueError as error:
        return f"the old one is damaged: {error}"
    if key.public_key() != certificate.public_key():
        return "key and certificate did not fit"
    if certificate.not_valid_after_utc - now < RENEW:
        return f"the old one ends on {certificate.not_valid_after_utc:%Y-%m-%d}"
    missing = [host for host in hosts if host not in certificate_hosts(certificate)]
    return f"new here: {', '.join(missing)}" if missing else ""


def _sign(key: ec.EllipticCurvePrivateKey, hosts: list[str], now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Whichbin, self-signed")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be slow
        .not_valid_after(now + VALID - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        # not a certificate authority: whoever steals its key can pretend to be this server, and no other
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a file so that it is never there half written, and never with more permissions than `mode`."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)
    new.replace(path)


def own_certificate() -> tuple[str, str]:
    """The certificate's and the key's file that Streamlit's configuration or environment names; empty for none."""
    from streamlit import config

    # outside of `streamlit run`, Streamlit's configuration does not know of the environment
    cert = os.environ.get("STREAMLIT_SERVER_SSL_CERT_FILE") or config.get_option("server.sslCertFile") or ""
    key = os.environ.get("STREAMLIT_SERVER_SSL_KEY_FILE") or config.get_option("server.sslKeyFile") or ""
    return cert, key


def addresses(hosts: Iterable[str], port: int) -> list[str]:
    """The URLs to type into the browser of another machine.

    Args:
        hosts: Host names and addresses. Wildcards, loopback and IPv6 addresses, and names without a domain or in
            `.local` are left out, because another machine may not be able to open them.
        port: The port that the server listens at.

    Returns:
        One URL for each host that is left; the one of localhost if none is.
    """
    shown = []
    for host in hosts:
        try:
            address = ipaddress.ip_address(host)
            good = address.version == 4 and not address.is_loopback
        except ValueError:
            good = "." in host and not host.startswith("*") and not host.endswith(".local")
        if good:
            shown.append(f"https://{host}" + ("" if port == 443 else f":{port}"))
    return shown or [f"https://localhost:{port}"]


def _announce(certificate: x509.Certificate, made: str | None, urls: list[str]) -> None:
    """Print a QR code of the first URL, all URLs, and what a browser will warn of.

    Args:
        certificate: The one that is served.
        made: None if it is the operator's own, else why the self-signed one is new; empty if it is not new.
        urls: What visitors can open.
    """
    try:
        "▀▄█".encode(sys.stdout.encoding)
        segno.make(urls[0], error="l").terminal(compact=True)
    except UnicodeEncodeError:
        print("(This terminal cannot show the blocks of a QR code.)")
    print("Open on a phone: " + "  or  ".join(urls))
    if made is not None:
        if made:
            print(f"A new certificate was made ({made}).")
        print("The browser warns once: nobody vouches for a self-signed certificate. Its SHA-256 fingerprint is")
        print(certificate.fingerprint(hashes.SHA256()).hex(":").upper())
    sys.stdout.flush()


def main() -> None:
    """Make the certificate if necessary, say where to go, and become the server."""
    parser = argparse.ArgumentParser(prog="python -m app.network.https", description="Serve Whichbin with HTTPS.")
    parser.add_argument("--port", type=port_number, default=PORT)
    parser.add_argument("--address", default="", help="the one address to listen at; else all")
    parser.add_argument("--folder", type=Path, default=ROOT / ".https", help="of the self-signed certificate")
    options = parser.parse_args()
    own, own_key = own_certificate()
    if bool(own) != bool(own_key):
        sys.exit("whichbin cannot serve HTTPS: server.sslCertFile and server.sslKeyFile go together; one is missing")
    try:
        if own:
            cert_file, key_file, made = Path(own), Path(own_key), None
        else:
            cert_file, key_file, made = self_signed(options.folder, machine_hosts())
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    except (OSError, ValueError) as error:
        sys.exit(f"whichbin cannot serve HTTPS: {error}")
    urls = addresses([options.address] if options.address else certificate_hosts(certificate), options.port)
    if why := problem(options.address, options.port):
        sys.exit(f"whichbin cannot serve HTTPS: {why}")
    _announce(certificate, made, urls)
    # without it, Streamlit asks a server on the internet for this machine's address, and waits for the answer
    more = ["--browser.serverAddress", str(urlsplit(urls[0]).hostname)]
    more += ["--server.sslCertFile", str(cert_file), "--server.sslKeyFile", str(key_file)]
    serve(options.address, options.port, *more)


if __name__ == "__main__":
    door.run(main, "app.network.https")
