//! Replies of STS: for any input, the values are those that another XML reader finds.

#![no_main]

use gp_idp::fuzz;
use libfuzzer_sys::fuzz_target;
use roxmltree::Document;

fuzz_target!(|body: &[u8]| {
    let headers: [(&[u8], &[u8]); 1] = [(b"content-type", b"text/xml")];
    if let Ok(Ok([secret, token, arn])) = fuzz::sts(&fuzz::reply(200, &headers, body)) {
        for (name, value) in [("SecretAccessKey", secret), ("SessionToken", token), ("Arn", arn)] {
            check_value(body, name, &value);
        }
    }
    match fuzz::sts(&fuzz::reply(400, &headers, body)) {
        Ok(Err([code, message, request])) => {
            for (name, value) in [("Code", code), ("Message", message), ("RequestId", request)] {
                if !value.is_empty() {
                    check_value(body, name, &value);
                }
            }
        }
        Ok(Ok(_)) => panic!("HTTP 400 gives credentials"),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("s3cret"), "the error repeats the body: {text}");
        }
    }
});

/// If the body is an XML document with exactly one element `name`, the element has this value.
fn check_value(body: &[u8], name: &str, value: &str) {
    let Some(document) = std::str::from_utf8(body).ok().and_then(|text| Document::parse(text).ok()) else {
        return;
    };
    let mut named =
        document.descendants().filter(|node| node.has_tag_name(name) || node.tag_name().name() == name);
    if let (Some(element), None) = (named.next(), named.next()) {
        let text: String =
            element.children().filter_map(|node| node.text().filter(|_| node.is_text())).collect();
        let blank = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(blank(&text), blank(value), "{:?}", String::from_utf8_lossy(body));
    }
}
