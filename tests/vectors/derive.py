#!/usr/bin/env python3
"""Derives jws.json from Wycheproof's vectors: each JWS becomes a JWT with a claims set, signed with
the vector's own private key, and with the vector's fault.

    tests/vectors/derive.py json_web_signature_test.json json_web_key_test.json > tests/vectors/jws.json

A fault of an RSA signature is in its encoded message (RFC 8017, "EM"). The script recovers EM with
the public key, replaces its digest by that of the new content, and signs the result again. `how`
describes the change of each vector.
"""

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

NOW = 1_800_000_000
CLAIMS = {"iss": "https://i", "sub": "s", "aud": "a", "exp": NOW + 100, "iat": NOW - 100}
# One byte more than a multiple of three, so that its base64url has unused bits.
TEXT = json.dumps(CLAIMS, separators=(",", ":"))
TEXT += " " * ((1 - len(TEXT)) % 3)
HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(decode(text), "big")


PAYLOAD = encode(TEXT.encode())
OTHER = encode(TEXT.replace('"s"', '"t"').encode())


# Signatures.


class Curve:
    """Textbook ECDSA over P-256, for test vectors only."""

    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    g = (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    )
    size = 32

    @classmethod
    def add(cls, a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
        if a is None or b is None:
            return a or b
        if a[0] == b[0] and (a[1] + b[1]) % cls.p == 0:
            return None
        slope = (
            (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, cls.p)
            if a == b
            else (b[1] - a[1]) * pow(b[0] - a[0], -1, cls.p)
        )
        x = (slope * slope - a[0] - b[0]) % cls.p
        return x, (slope * (a[0] - x) - a[1]) % cls.p

    @classmethod
    def times(cls, k: int) -> tuple[int, int]:
        result, point = None, cls.g
        while k:
            result = cls.add(result, point) if k & 1 else result
            point, k = cls.add(point, point), k >> 1
        return result

    @classmethod
    def sign(cls, d: int, message: str) -> tuple[int, int]:
        digest = hashlib.sha256(message.encode()).digest()
        secret = d.to_bytes(cls.size, "big")
        k = int.from_bytes(hmac.new(secret, digest, hashlib.sha256).digest(), "big") % cls.n
        r = cls.times(k)[0] % cls.n
        return r, pow(k, -1, cls.n) * (int.from_bytes(digest, "big") + r * d) % cls.n


def es256(d: int, message: str) -> bytes:
    r, s = Curve.sign(d, message)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Rsa:
    def __init__(self, jwk: dict[str, str]) -> None:
        self.n, self.e, self.d = (number(jwk[name]) for name in ("n", "e", "d"))
        self.size = (self.n.bit_length() + 7) // 8

    def opened(self, signature: int) -> bytes:
        return pow(signature, self.e, self.n).to_bytes(self.size, "big")

    def sealed(self, em: bytes) -> int:
        return pow(int.from_bytes(em, "big"), self.d, self.n)


def mask(seed: bytes, length: int, digest: Any) -> bytes:
    blocks = (digest(seed + i.to_bytes(4, "big")).digest() for i in range(-(-length // digest().digest_size)))
    return b"".join(blocks)[:length]


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def pss(rsa: Rsa, digest: Any, message: str, salt: bytes) -> bytes:
    size = digest().digest_size
    h = digest(bytes(8) + digest(message.encode()).digest() + salt).digest()
    db = bytes(rsa.size - 2 * size - 2) + b"\x01" + salt
    return finish(xor(db, mask(h, len(db), digest))) + h + b"\xbc"


def finish(masked: bytes) -> bytes:
    """Clears the first bit, so that the number is below n."""
    return bytes([masked[0] & 0x7F]) + masked[1:]


def carried_pss(rsa: Rsa, digest: Any, em: bytes, old: str, new: str) -> tuple[bytes, str]:
    """`em` of the content `old`, converted to the content `new` with the same fault, and how."""
    size = digest().digest_size
    masked, h = em[: -size - 1], em[-size - 1 : -1]
    db = finish(xor(masked, mask(h, len(masked), digest)))
    start = bytes(rsa.size - 2 * size - 2) + b"\x01"
    at = db.find(b"\x01")
    salts = [db[len(start) :]] + ([db[at + 1 :]] if at >= 0 else [])
    for salt in salts:
        of = lambda message: digest(bytes(8) + digest(message.encode()).digest() + salt).digest()
        if h == of(old):
            # The hash is correct, so the fault is in the block beside it or after it.
            return finish(xor(db, mask(of(new), len(db), digest))) + of(new) + em[-1:], "the fault in the encoded salt"
    if db.startswith(start):
        # The block is correct, so the fault is in the hash.
        salt = salts[0]
        h = xor(of(new), xor(h, of(old)))
        return finish(xor(db, mask(h, len(db), digest))) + h + em[-1:], "the fault in the encoded hash"
    # The salt was changed. The hashed salt is unknown, so zeros are hashed instead.
    kept = db.find(FIXED_SALT)
    if size == 32 and kept >= 0:
        h = digest(bytes(8) + digest(new.encode()).digest() + bytes(size)).digest()
        return finish(xor(db, mask(h, len(db), digest))) + h + em[-1:], "the changed salt, the hash of another one"
    return b"", ""


# The end of the salt of most of Wycheproof's PS256 signatures.
FIXED_SALT = bytes.fromhex("ede29d38793114fe18ff496b533b0f0be6b8c51e0df849471d068c0dd6")


def carried_pkcs1(em: bytes, old: bytes, new: bytes) -> bytes | None:
    """`em` with the digest `old`, or the longest part of it in `em`, replaced by `new`."""
    for length in range(len(old), 11, -1):
        for start in range(len(old) - length + 1):
            at = em.find(old[start : start + length])
            if at >= 0:
                return em[:at] + new[start : start + length] + em[at + length :]
    return None


# Vectors.


def rsa_signature(key: Rsa, alg: str, signature: bytes, old: list[str], new: list[str]) -> tuple[bytes, str]:
    """A signature of one of the contents `old`, converted to the content at the same index of `new`
    with the same fault, and how."""
    digest = HASHES[alg[2:]]
    value = int.from_bytes(signature, "big")
    if len(signature) == key.size and value in (0, 1, key.n - 1, key.n):
        return signature, "the same signature, which is of no content"
    # Leading or trailing zeros, and a missing byte, are faults outside of the signature.
    around = [(signature, lambda made: made)]
    if len(signature) > key.size:
        extra = len(signature) - key.size
        around = [
            (signature[extra:], lambda made: signature[:extra] + made),
            (signature[:-extra], lambda made: made + signature[-extra:]),
        ]
    times = value // key.n
    if times and not (len(signature) > key.size and signature[key.size :] == bytes(len(signature) - key.size)):
        around = [((value % key.n).to_bytes(key.size, "big"), None)]
    if len(signature) < key.size:
        return cut(key, alg, new[0])[: len(signature)], "cut as much"
    for inner, wrap in around:
        em = key.opened(int.from_bytes(inner, "big"))
        for before, after in zip(old, new, strict=True):
            for other, algorithm in ((False, digest), *((True, each) for each in HASHES.values() if each != digest)):
                was, now = (algorithm(text.encode()).digest() for text in (before, after))
                made = carried_pkcs1(em, was, now)
                how = "the digest in the signature replaced"
                if made is None and alg[0] == "P":
                    made, how = carried_pss(key, algorithm, em, before, after)
                    if other and how != "the fault in the encoded salt":
                        made = None
                if not made:
                    continue
                value = key.sealed(made)
                if wrap is None:
                    return (value + times * key.n).to_bytes(len(signature), "big"), "the modulus added as often"
                return wrap(value.to_bytes(key.size, "big")), how
    return signature, "the same signature: it has no digest that could be replaced"


def cut(key: Rsa, alg: str, message: str) -> bytes:
    digest = HASHES[alg[2:]]
    return key.sealed(pss(key, digest, message, bytes(digest().digest_size))).to_bytes(key.size, "big")


def ec_signature(d: int, comment: str, signature: bytes, base: bytes, message: str) -> tuple[bytes, str]:
    n = Curve.n
    made = es256(d, message)
    if signature == base:
        return made, "signed"
    if len(signature) == 64 and signature[1:] == base[1:]:
        return bytes([made[0] ^ base[0] ^ signature[0]]) + made[1:], "the same bit changed"
    r, s = Curve.sign(d, message)
    wide = lambda r, s: r.to_bytes(33, "big") + s.to_bytes(33, "big")
    forms = {
        "SignatureTooLong": wide(r, s),
        "TrailingZeros": made + bytes(2),
        "RisTooBig": wide(r + n, s),
        "SisTooBig": wide(r, s + n),
        "BufferOverflow": bytes(225) + made[:32] + bytes(225) + made[32:],
    }
    if comment == "IntegerOverflow":
        return (wide(r + 2**256, s) if signature[0] else wide(r, s + 2**256)), "the same number added"
    if comment in forms:
        return forms[comment], "the same form"
    return signature, "the same signature, which is of no content"


def signature_vectors(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "key": group.get("public") or group["private"],
            "tests": [one_signature(group, test) for test in group["tests"]],
        }
        for group in groups
        if not is_about_hmac(group)
    ]


def is_about_hmac(group: dict[str, Any]) -> bool:
    return group["private"]["kty"] == "oct" and len(group["tests"]) > 1


def hmac_vectors(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """ES256 in place of an HMAC: an HMAC would be refused before most of these faults."""
    return [
        {"key": EC, "tests": [as_es256(group, test) for test in group["tests"]]}
        for group in groups
        if is_about_hmac(group)
    ]


EC: dict[str, str] = {}
EC_PRIVATE = 0


def clean_parts(group: dict[str, Any]) -> list[str]:
    """The parts of the group's first vector."""
    return group["tests"][0]["jws"].split(".")


def one_signature(group: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    vector = {"id": test["tcId"], "comment": test["comment"], "result": test["result"]}
    jws, private = test["jws"], group["private"]
    if jws.startswith("{"):
        return vector | {"token": jws, "how": "as it is: it is no compact form"}
    clean = clean_parts(group)
    parts = jws.split(".")
    if len(parts) != 3 or not all(parts):
        made = structure(private, parts, clean)
        return vector | {"token": ".".join(made), "how": "the same parts left out or added"}
    header = json.loads(decode(parts[0]))
    if "jwk" in header:
        forged = dict(header["jwk"])
        attacker = 0xA77AC4E2
        point = Curve.times(attacker)
        forged["x"], forged["y"] = (encode(value.to_bytes(32, "big")) for value in point)
        message = f"{encode(json.dumps(header | {'jwk': forged}).encode())}.{PAYLOAD}"
        return vector | {
            "token": f"{message}.{encode(es256(attacker, message))}",
            "how": "another key in the header, as the private half of the vector's is not published",
        }
    if header["alg"].startswith("HS"):
        secret = decode(private["k"]) if private["kty"] == "oct" else json.dumps(group["public"]).encode()
        name = "sha" + header["alg"][2:]
        message = f"{parts[0]}.{PAYLOAD}"
        made = encode(hmac.new(secret, message.encode(), name).digest())
        how = "signed" if private["kty"] == "oct" else "the public key, as JSON, as the secret"
        return vector | {"token": f"{message}.{made}", "how": how}
    own = len(clean) == 3 and (parts[0] != clean[0] or parts[1] != clean[1]) and parts[2] == clean[2]
    if private["kty"] == "RSA":
        # The signature is of this content, or of that of the group's valid vector.
        old = [f"{parts[0]}.{parts[1]}", f"{clean[0]}.{clean[1]}"]
        shown = OTHER if own and parts[1] != clean[1] else PAYLOAD
        new = [f"{parts[0]}.{PAYLOAD}", f"{clean[0]}.{PAYLOAD}"]
        alg = json.loads(decode(clean[0]))["alg"] if own else header["alg"]
        key = Rsa(private)
        flipped = not own and parts[:2] == clean[:2] and parts[2][1:] == clean[2][1:] and parts[2] != clean[2]
        signature = decode(clean[2] if flipped else parts[2])
        made, how = rsa_signature(key, alg, signature, old, new)
        text = encode(made)
        if flipped:
            text, how = ("A" if text[0] != "A" else "B") + text[1:], "the first character changed"
        if own:
            how = "what is signed changed afterwards"
        return vector | {"token": f"{parts[0]}.{shown}.{text}", "how": how}
    if private["crv"] != "P-256":
        return vector | {
            "token": f"{parts[0]}.{PAYLOAD}.{parts[2]}",
            "how": "not signed again: this script has no P-521, and the verdict does not look at the signature",
        }
    signer = clean[0] if own else parts[0]
    base = decode(clean[2])
    made, how = ec_signature(number(private["d"]), test["comment"], decode(parts[2]), base, f"{signer}.{PAYLOAD}")
    shown = OTHER if own and parts[1] != clean[1] else PAYLOAD
    return vector | {"token": f"{parts[0]}.{shown}.{encode(made)}", "how": "what is signed changed afterwards" if own else how}


def structure(private: dict[str, str], parts: list[str], clean: list[str]) -> list[str]:
    """Missing or additional parts, with a valid signature."""
    message = f"{clean[0]}.{PAYLOAD}"
    if private["kty"] == "EC" and private["crv"] == "P-256":
        good = es256(number(private["d"]), message)
    else:
        key = Rsa(private)
        alg = json.loads(decode(clean[0]))["alg"] if clean[0] else "RS256"
        digest = HASHES[alg[2:]]
        good = key.sealed(pss(key, digest, message, bytes(digest().digest_size)) if alg[0] == "P" else pkcs1(key, digest, message))
        good = good.to_bytes(key.size, "big")
        if parts[0] and len(parts) == 3 and not parts[1] and parts[2]:
            # An empty payload, which the vector's signature may or may not cover.
            empty = f"{parts[0]}."
            good = key.sealed(pss(key, digest, empty, bytes(digest().digest_size)) if alg[0] == "P" else pkcs1(key, digest, empty)).to_bytes(key.size, "big") if clean == parts else good
    swap = {clean[1]: PAYLOAD, clean[2]: encode(good)} if len(clean) == 3 and clean[1] else {clean[2]: encode(good)}
    return [swap.get(part, PAYLOAD if index == 1 and part and len(parts) == 3 else part) for index, part in enumerate(parts)]


def pkcs1(key: Rsa, digest: Any, message: str) -> bytes:
    prefix = {
        hashlib.sha256: "3031300d060960864801650304020105000420",
        hashlib.sha384: "3041300d060960864801650304020205000430",
        hashlib.sha512: "3051300d060960864801650304020305000440",
    }[digest]
    info = bytes.fromhex(prefix) + digest(message.encode()).digest()
    return b"\x00\x01" + b"\xff" * (key.size - len(info) - 3) + b"\x00" + info


def as_es256(group: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """An HMAC vector, converted to ES256 with the key of the second group."""
    vector = {"id": test["tcId"], "comment": test["comment"], "result": test["result"]}
    clean = group["tests"][0]["jws"].split(".")
    if test["jws"].startswith("{"):
        return vector | {"token": test["jws"], "how": "as it is: it is no compact form"}
    if any(test["jws"] == other["jws"] and other["tcId"] < test["tcId"] for other in group["tests"]):
        vector["how"] = "signed: the vector is the same as a valid one of its group"
    parts = test["jws"].split(".")
    swap = lambda text: text.replace('"HS256"', '"ES256"').replace(KID[0], "kid-ec-sign").replace(KID[1], "kid-ec-sign")
    good_header = lambda text: encode(swap(decode(text).decode()).encode())
    header, payload = parts[0], parts[1] if len(parts) > 1 else ""
    own = "".join(c for c in header if c.isalnum() or c in "-_")
    if own and len(parts) > 1 and own != clean[1] and own[:2] == "ey":
        new = good_header(own)
        # Insert the same characters at the same end.
        if header != own:
            extra = "".join(c for c in header if c not in own)
            new = new[:-1] + extra + new[-1:] if header[-1] == own[-1] else new + extra
    else:
        new = header and PAYLOAD
    bare = "".join(c for c in payload if c.isalnum() or c in "-_")
    shown = payload
    if payload and payload in (clean[1],) or len(bare) > 3:
        extra = "".join(c for c in payload if c not in bare)
        front = payload.startswith(extra) if extra else False
        changed = OTHER if clean[1] == "Zm9v" and bare != clean[1] else PAYLOAD
        shown = extra + changed if front else changed + extra
    elif payload == "AB":
        shown = PAYLOAD[:-1] + chr(ord(PAYLOAD[-1]) + 1)
    if len(parts) != 3 or not parts[0]:
        message = f"{good_header(clean[0])}.{PAYLOAD}"
        good = encode(es256(EC_PRIVATE, message))
        swap_parts = {clean[0]: good_header(clean[0]), clean[1]: PAYLOAD, clean[2]: good}
        return vector | {"token": ".".join(swap_parts.get(part, part) for part in parts), "how": "the same parts left out or added"}
    secret = decode(group["private"]["k"])
    mac = "".join(c for c in parts[2] if c.isalnum() or c in "-_")
    over = hmac.new(secret, f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
    # The MAC is of the shown content, or of the content before the change.
    shown_is_signed = mac and over == decode(mac)
    message = f"{new}.{shown}" if shown_is_signed else f"{good_header(clean[0])}.{PAYLOAD}"
    made = encode(es256(EC_PRIVATE, message))
    if not parts[2]:
        made = ""
    elif mac != parts[2]:
        extra = "".join(c for c in parts[2] if c not in mac)
        if len(parts[2]) == len(clean[2]):
            made = extra + made[len(extra) :]
        else:
            made = extra + made if parts[2].startswith(extra) else made + extra
    elif test["comment"] == "rejectsModifiedSignature":
        made = ("A" if made[0] != "A" else "B") + made[1:]
    if json.loads(decode(good_header(own)) if own[:2] == "ey" else "{}").get("alg") == "none":
        made = ""
    return {"how": "ES256 in place of the HMAC, the fault in the same part"} | vector | {"token": f"{new}.{shown}.{made}"}


KID = ("kid-aes-sign", "hs256-key")


def key_vectors(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for group in groups:
        tests = []
        for test in group["tests"]:
            vector = {"id": test["tcId"], "comment": test["comment"], "result": test["result"]}
            parts = test["jws"].split(".")
            header = json.loads(decode(parts[0]))
            key = next(key for key in group["private"]["keys"] if key.get("kid") == header["kid"])
            message = f"{parts[0]}.{PAYLOAD}"
            how = "signed"
            if header["alg"].startswith("HS"):
                made = hmac.new(decode(key["k"]), message.encode(), "sha" + header["alg"][2:]).digest()
                if test["comment"] == "rejectsModifiedSignature":
                    made, how = bytes([made[0] ^ 1]) + made[1:], "a bit changed"
            elif "n" in key:
                rsa = Rsa(key)
                made = rsa.sealed(pkcs1(rsa, hashlib.sha256, message)).to_bytes(rsa.size, "big")
            else:
                made = es256(number(key["d"]), message)
            tests.append(vector | {"token": f"{message}.{encode(made)}", "how": how})
        found.append({"key": group.get("public") or group["private"], "tests": tests})
    return found


def main() -> None:
    signatures, keys = (json.load(open(path, encoding="utf-8"))["testGroups"] for path in sys.argv[1:3])
    global EC, EC_PRIVATE
    EC, EC_PRIVATE = signatures[1]["public"], number(signatures[1]["private"]["d"])
    found = {
        "signature": signature_vectors(signatures),
        "hmac_as_es256": hmac_vectors(signatures),
        "key": key_vectors(keys),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
