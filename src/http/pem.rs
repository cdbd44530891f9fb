//! A fast reader for PEM certificates (RFC 7468).
//!
//! The library's reader decodes in constant time, as needed for private keys. With it, the about
//! 140 authorities of a system took half of the 17 million instructions of `gp idp token`
//! (tests/bench/run).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr;
use rustls::pki_types::CertificateDer;

const MARK: &[u8] = b"-----";
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The certificates, in order, of a file with no other PEM blocks. Skips text around the
/// certificates, and certificates whose base64 is in `seen`. Adds the base64 of each returned
/// certificate to `seen`. Returns `None` for any other file, which the library must read.
pub(super) fn certificates(pem: &[u8], seen: &mut HashSet<Vec<u8>>) -> Option<Vec<CertificateDer<'static>>> {
    let mut found = Vec::new();
    let mut text = Vec::new();
    let mut inside = false;
    let mut rest = pem;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(memchr(b'\n', rest).unwrap_or(rest.len()));
        rest = after.get(1..).unwrap_or_default();
        let line = line.trim_ascii_end();
        match (inside, line) {
            (false, BEGIN) => inside = true,
            (true, END) => {
                if !seen.contains(&text) {
                    found.push(STANDARD.decode(&text).ok()?.into());
                    seen.insert(text.clone());
                }
                text.clear();
                inside = false;
            }
            _ if line.starts_with(MARK) => return None,
            (true, _) => text.extend_from_slice(line),
            (false, _) => {}
        }
    }
    (!inside).then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn of_library(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()
    }

    fn file(bodies: &[Vec<u8>], width: usize, line_end: &str, comment: &str) -> String {
        let one = |body: &Vec<u8>| {
            let text = STANDARD.encode(body);
            let lines: Vec<_> = text
                .as_bytes()
                .chunks(width)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            let lines = lines.join(line_end);
            format!(
                "{comment}{line_end}-----BEGIN CERTIFICATE-----{line_end}{lines}{line_end}-----END CERTIFICATE-----{line_end}"
            )
        };
        bodies.iter().map(one).collect()
    }

    proptest! {
        #[test]
        fn certificates_are_those_that_the_library_reads(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..5),
            width in 1_usize..100,
            line_end in prop::sample::select(vec!["\n", "\r\n"]),
            comment in "[ -,.-~]{0,20}",
        ) {
            let pem = file(&bodies, width, line_end, &comment);
            let mut seen = HashSet::new();
            let read = certificates(pem.as_bytes(), &mut seen);
            prop_assert_eq!(certificates(pem.as_bytes(), &mut seen), Some(Vec::new()));
            let mut wanted = of_library(pem.as_bytes()).unwrap();
            prop_assert_eq!(wanted.iter().map(|der| der.to_vec()).collect::<Vec<_>>(), bodies);
            let mut once = HashSet::new();
            wanted.retain(|der| once.insert(der.clone()));
            prop_assert_eq!(read, Some(wanted));
        }

        #[test]
        fn the_library_reads_the_same_from_odd_files(
            lines in prop::collection::vec(prop::sample::select(vec![
                "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----",
                "-----END PRIVATE KEY-----", "-----BEGIN TRUSTED CERTIFICATE-----", "AAAA", "AAA=", "AA", "A A",
                "# comment", "", "-----", " -----BEGIN CERTIFICATE-----",
            ]), 0..8),
        ) {
            let pem = lines.join("\n");
            let once = |all: Vec<CertificateDer<'static>>| all.into_iter().collect::<HashSet<_>>();
            if let Some(read) = certificates(pem.as_bytes(), &mut HashSet::new()) {
                prop_assert_eq!(Some(once(read)), of_library(pem.as_bytes()).map(once));
            }
        }
    }
}
