"""TLS: the server's certificate, and the users behind clients' certificates."""

import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes

# The user principal name in a certificate, by which Windows maps it to an account.
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


def server_context(cert, key, client_ca=None, tls_max=None):
    """The TLS settings; with `client_ca`, clients may show certificates that it signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    if tls_max == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if tls_max == "1.0":
        # What a Windows of 2008 offers: neither TLS 1.2 nor anything but CBC.
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    if tls_max == "cbc":
        # What a stock 2008 R2 to 2012 R2 with an RSA certificate is left with.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA:AES256-SHA256:AES256-SHA:@SECLEVEL=0")
    return context


def end_point(path):
    """The channel binding `tls-server-end-point` of a certificate (RFC 5929 section 4.1): the digest is that of
    its signature, SHA-256 in place of MD5 and SHA-1."""
    with open(path, "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        algorithm = hashes.SHA256()
    return b"tls-server-end-point:" + certificate.fingerprint(algorithm)


def user_of(der):
    """The user principal name of a client's certificate, without its domain; None if it has none."""
    certificate = x509.load_der_x509_certificate(der)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    for name in names.get_values_for_type(x509.OtherName):
        if name.type_id == UPN:
            # DER: a UTF8String of fewer than 128 bytes.
            return name.value[2:].decode("utf-8").split("@")[0]
    return None
