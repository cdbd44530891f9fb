//! Wycheproof's vectors for JWS and JWK, as JWTs (`tests/vectors`): the verdict of each, and its reason.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use super::Verdict::{self, Invalid, Undecided, Valid};
use super::tests::judge;

#[derive(Deserialize)]
struct Vectors {
    signature: Vec<Group>,
    hmac_as_es256: Vec<Group>,
    key: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    key: Value,
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: u32,
    comment: String,
    result: Expected,
    token: String,
    how: String,
}

/// What Wycheproof expects of a library.
#[derive(Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Valid,
    Invalid,
}

/// A range of vectors, their verdict, the step that fails, and the beginning of its text.
type Row = (RangeInclusive<u32>, Verdict, &'static str, &'static str);

const HMAC: &str = "`HS256`: it uses a shared secret";
const NOT_MADE: &str = "it does not match the key";
const PARTS: &str = "a JWT has 3 parts separated by dots, but this has";
const NO_HEADER: &str = "cannot parse the header: EOF";
const NO_PAYLOAD: &str = "the payload is empty: it is detached";
const UNNAMED: &str = "the token names the key `Xid-";

#[test]
fn signatures() {
    let rows: &[Row] = &[
        // ES256.
        (18..=18, Valid, "", ""),
        (19..=20, Invalid, "signature", NOT_MADE),
        (21..=21, Invalid, "token", PARTS),
        (22..=22, Invalid, "signature", NOT_MADE),
        (23..=23, Invalid, "token", NO_PAYLOAD),
        (24..=24, Invalid, "token", PARTS),
        (25..=25, Invalid, "key", UNNAMED),
        (26..=26, Invalid, "token", NO_HEADER),
        (27..=27, Invalid, "token", PARTS),
        (28..=28, Invalid, "token", NO_HEADER),
        (29..=29, Invalid, "token", PARTS),
        (30..=30, Invalid, "token", "there is no token: the input is empty"),
        // A public key used as the secret of an HMAC (RFC 8725 section 2.1).
        (31..=31, Invalid, "alg", HMAC),
        // A key in the header is ignored: anyone can put one there.
        (32..=32, Invalid, "signature", NOT_MADE),
        // RS256.
        (33..=33, Valid, "", ""),
        (34..=35, Invalid, "signature", NOT_MADE),
        (36..=36, Invalid, "token", PARTS),
        (37..=37, Invalid, "signature", NOT_MADE),
        (38..=38, Invalid, "token", NO_PAYLOAD),
        (39..=39, Invalid, "token", PARTS),
        (40..=40, Invalid, "key", UNNAMED),
        (41..=41, Invalid, "token", NO_HEADER),
        (42..=42, Invalid, "token", PARTS),
        (43..=43, Invalid, "token", NO_HEADER),
        (44..=44, Invalid, "token", PARTS),
        (45..=45, Invalid, "token", "there is no token: the input is empty"),
        // Every change to the padding and the DER around the digest (RFC 8017 section 9.2).
        (46..=258, Invalid, "signature", NOT_MADE),
        // An empty payload is a JWS and no JWT, here and with each algorithm below.
        (259..=259, Invalid, "token", NO_PAYLOAD),
        (260..=263, Valid, "", ""),
        (264..=264, Invalid, "token", NO_PAYLOAD),
        (265..=267, Valid, "", ""),
        (268..=268, Invalid, "token", NO_PAYLOAD),
        (269..=271, Valid, "", ""),
        // PS256: hash, salt and padding changed (RFC 8017 section 9.1).
        (272..=272, Invalid, "token", NO_PAYLOAD),
        (273..=275, Valid, "", ""),
        (276..=286, Invalid, "signature", NOT_MADE),
        (287..=288, Valid, "", ""),
        (289..=319, Invalid, "signature", NOT_MADE),
        (320..=320, Invalid, "token", NO_PAYLOAD),
        (321..=323, Valid, "", ""),
        (324..=324, Invalid, "signature", NOT_MADE),
        (325..=325, Invalid, "token", NO_PAYLOAD),
        (326..=328, Valid, "", ""),
        // The signature has another algorithm. The header names PS512 or the actual algorithm. The
        // key decides (RFC 8725 section 3.1).
        (329..=331, Invalid, "signature", NOT_MADE),
        (332..=332, Invalid, "key", "PS512_2048: it is only for PS512, but the token says RS256"),
        (333..=333, Invalid, "signature", NOT_MADE),
        (334..=334, Invalid, "key", "PS512_2048: it is only for PS512, but the token says RS384"),
        (335..=335, Invalid, "signature", NOT_MADE),
        (336..=336, Invalid, "key", "PS512_2048: it is only for PS512, but the token says RS512"),
        (337..=337, Invalid, "signature", NOT_MADE),
        (338..=338, Invalid, "key", "PS512_2048: it is only for PS512, but the token says PS256"),
        (339..=339, Invalid, "signature", NOT_MADE),
        (340..=340, Invalid, "key", "PS512_2048: it is only for PS512, but the token says PS384"),
        (341..=341, Invalid, "alg", "`none`: the token is not signed at all"),
        (342..=342, Invalid, "alg", "`NONE`: the token is not signed at all"),
        (343..=344, Invalid, "alg", "`none`: the token is not signed at all"),
        // Examples of RFC 7520. HMAC is refused, because every verifier could forge tokens. PS384
        // is refused, because the `alg` of the key is PS256 in these vectors.
        (345..=345, Valid, "", ""),
        (
            346..=346,
            Invalid,
            "key",
            "bilbo.baggins@hobbiton.example: it is only for PS256, but the token says PS384",
        ),
        // ring has no P-521.
        (347..=347, Undecided, "alg", "`ES512` is not supported here"),
        (348..=348, Invalid, "alg", HMAC),
        (349..=349, Valid, "", ""),
        (
            350..=350,
            Invalid,
            "key",
            "bilbo.baggins@hobbiton.example: it is only for PS256, but the token says PS384",
        ),
        (351..=351, Undecided, "alg", "`ES512` is not supported here"),
        (352..=352, Invalid, "alg", HMAC),
        // Keys for another use (RFC 7517 sections 4.2 and 4.3).
        (353..=353, Invalid, "key", "kid-rsa-sign: it is not for signatures"),
        (354..=354, Invalid, "key", "kid-ec-sign: it is not for signatures"),
        (355..=355, Invalid, "key", "kid-rsa-sign: it is not for verifying"),
        (356..=356, Invalid, "key", "kid-ec-sign: it is not for verifying"),
        // Special values of an ECDSA signature.
        (378..=378, Valid, "", ""),
        (379..=401, Invalid, "signature", NOT_MADE),
    ];
    assert_eq!(check(&vectors().signature, rows), 363);
}

/// The vectors about the form, which use an HMAC. They are signed with ES256 here, so that the
/// checks after `alg` run.
#[test]
fn vectors_with_an_hmac_as_es256() {
    let rows: &[Row] = &[
        (1..=1, Valid, "", ""),
        (2..=3, Invalid, "signature", NOT_MADE),
        (4..=4, Invalid, "token", PARTS),
        (5..=5, Invalid, "signature", NOT_MADE),
        (6..=6, Invalid, "token", NO_PAYLOAD),
        (7..=7, Invalid, "token", PARTS),
        (8..=8, Invalid, "key", UNNAMED),
        (9..=9, Invalid, "token", NO_HEADER),
        (10..=10, Invalid, "token", PARTS),
        (11..=11, Invalid, "token", NO_HEADER),
        (12..=12, Invalid, "token", PARTS),
        (13..=13, Invalid, "token", "there is no token: the input is empty"),
        (14..=15, Invalid, "token", PARTS),
        (16..=16, Invalid, "alg", "`none`: the token is not signed at all"),
        // The JSON serialization of JWS; a JWT has the compact one (RFC 7519 section 3).
        (17..=17, Invalid, "token", "this is JSON"),
        (357..=359, Valid, "", ""),
        // Base64url has neither white space nor other characters (RFC 7515 section 2).
        (360..=360, Invalid, "token", "the token has white space"),
        (361..=364, Invalid, "token", "the signature is not base64url: character "),
        (365..=365, Invalid, "token", "the token has white space"),
        (366..=366, Invalid, "token", "the header is not base64url: character "),
        // The same token as 357: it lacks the padding that its comment mentions.
        (367..=367, Valid, "", ""),
        (368..=368, Invalid, "token", "the token has white space"),
        (369..=369, Invalid, "token", "the payload is not base64url: character "),
        (370..=370, Valid, "", ""),
        (371..=371, Invalid, "token", "the payload is not base64url: character "),
        // Wycheproof allows a library to skip such characters. They are refused here.
        (372..=372, Invalid, "token", "the header is not base64url: character "),
        (373..=373, Invalid, "token", "the payload is not base64url: character "),
        (
            374..=375,
            Invalid,
            "token",
            "the payload is not base64url: its last character has unused bits that are not zero",
        ),
        (376..=377, Valid, "", ""),
    ];
    assert_eq!(check(&vectors().hmac_as_es256, rows), 38);
}

#[test]
fn keys() {
    let rows: &[Row] = &[
        // Shared secrets are refused, whatever their length and their other members.
        (1..=4, Invalid, "alg", HMAC),
        (5..=5, Valid, "", ""),
        (6..=6, Invalid, "key", "kid-rsa-sign: it is only for RSA1_5, but the token says RS256"),
        (7..=7, Invalid, "key", "kid-rsa-roca-sign: its private part can be computed (ROCA, CVE-2017-15361)"),
        (8..=8, Invalid, "key", "RS256_1024: it has 1024 bits, but a signature needs at least 2048"),
        // With the exponent 1 the message is its own signature.
        (9..=9, Invalid, "key", "RS256_2048: its exponent is not valid for signatures"),
        (10..=10, Invalid, "alg", HMAC),
        (11..=11, Invalid, "alg", "`HS384`: it uses a shared secret"),
        (12..=12, Invalid, "alg", "`HS512`: it uses a shared secret"),
        (13..=13, Invalid, "alg", HMAC),
        (14..=14, Invalid, "alg", "`HS384`: it uses a shared secret"),
        (15..=15, Invalid, "alg", "`HS512`: it uses a shared secret"),
        (16..=16, Invalid, "alg", HMAC),
        (17..=17, Invalid, "alg", "`HS384`: it uses a shared secret"),
        (18..=18, Invalid, "alg", "`HS512`: it uses a shared secret"),
        (19..=19, Invalid, "key", "kid-ec-sign: it is only for ES521, but the token says ES256"),
        (20..=20, Invalid, "key", "kid-ec-sign: it is only for ES224, but the token says ES256"),
        (21..=21, Invalid, "key", "kid-ec-sign: it is not for signatures"),
        // A point that is not on its curve: ring refuses it during verification.
        (22..=22, Invalid, "signature", NOT_MADE),
        // P-384 with coordinates of P-256, and RSA without a modulus: both keys are left out.
        (23..=24, Invalid, "key", "the token names the key `kid-ec-sign`"),
        (25..=26, Invalid, "alg", HMAC),
    ];
    assert_eq!(check(&vectors().key, rows), 26);
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/jws.json")).unwrap()
}

/// Verifies each vector, and returns the number of vectors. Each vector has exactly one row, and
/// each id of a row has a vector.
fn check(groups: &[Group], rows: &[Row]) -> usize {
    let mut seen = BTreeSet::new();
    for (group, vector) in
        groups.iter().flat_map(|group| group.tests.iter().map(move |vector| (group, vector)))
    {
        let mut row = rows.iter().filter(|(ids, ..)| ids.contains(&vector.id));
        let (Some((_, verdict, step, says)), None) = (row.next(), row.next()) else {
            panic!("{}: not one row", vector.id)
        };
        let report = judge(&vector.token, &group.key);
        let found = report.failed_step().map_or(("", ""), |step| (step.name, &step.value));
        let of = format!("{} ({}, {}): {found:?}", vector.id, vector.comment, vector.how);
        assert_eq!(report.verdict(), *verdict, "{of}");
        assert!(found.0 == *step && found.1.starts_with(says), "{of}");
        assert!(seen.insert(vector.id), "{of}");
        // A vector that Wycheproof refuses is always invalid, unless it equals a vector that
        // Wycheproof accepts.
        let is_same = vector.how.starts_with("signed: the vector is the same");
        assert!(vector.result == Expected::Valid || is_same || *verdict == Invalid, "{of}");
    }
    for (ids, ..) in rows {
        assert!(ids.clone().all(|id| seen.contains(&id)), "{ids:?}");
    }
    seen.len()
}
