//! Where Google's token service and its credentials API are.

use url::Url;

use super::ServiceAccount;

/// Another address of the Security Token Service; gcloud's naming of such variables.
pub const STS_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS";
/// Another address of the IAM Service Account Credentials API, a variable of gcloud's.
pub const IAM_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS";

/// The base addresses, each with a slash at its end.
#[derive(Debug, Clone)]
pub struct Endpoints {
    sts: Url,
    iam: Url,
}

/// A method of the IAM Service Account Credentials API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    AccessToken,
    IdToken,
}

impl Endpoints {
    /// Google's own, where the variables name no others.
    ///
    /// # Errors
    /// A sentence about the one that is no https address (or http to loopback).
    pub fn new(sts: Option<&str>, iam: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            sts: base(STS_VARIABLE, sts.unwrap_or("https://sts.googleapis.com/"))?,
            iam: base(IAM_VARIABLE, iam.unwrap_or("https://iamcredentials.googleapis.com/"))?,
        })
    }

    /// Where tokens are exchanged.
    #[must_use]
    pub fn token_url(&self) -> Url {
        join(&self.sts, "v1/token")
    }

    /// Where gcloud asks whose token one is.
    #[must_use]
    pub fn introspection_url(&self) -> Url {
        join(&self.sts, "v1/introspect")
    }

    /// Where a service account's access token is to be had.
    #[must_use]
    pub fn impersonation_url(&self, account: &ServiceAccount) -> Url {
        self.method_url(account, Method::AccessToken)
    }

    pub(super) fn method_url(&self, account: &ServiceAccount, method: Method) -> Url {
        let method = match method {
            Method::AccessToken => "generateAccessToken",
            Method::IdToken => "generateIdToken",
        };
        join(&self.iam, &format!("v1/projects/-/serviceAccounts/{account}:{method}"))
    }
}

fn base(variable: &str, text: &str) -> Result<Url, String> {
    let wrong = || format!("`{variable}` is not an https address, or http to loopback: {text}");
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && crate::http::is_loopback(&url));
    if !safe || !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// `path` holds nothing that would need to be encoded.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path()));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let account = ServiceAccount::parse("a@p.iam.gserviceaccount.com").unwrap();
        let google = Endpoints::new(None, None).unwrap();
        assert_eq!(google.token_url().as_str(), "https://sts.googleapis.com/v1/token");
        assert_eq!(
            google.impersonation_url(&account).as_str(),
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken"
        );
        let local = Endpoints::new(Some("http://127.0.0.1:1/gcp/sts"), None).unwrap();
        assert_eq!(local.token_url().as_str(), "http://127.0.0.1:1/gcp/sts/v1/token");
        for wrong in
            ["http://sts.example.com/", "sts.example.com", "ftp://localhost/", "https://a@b/", "https://a/?b"]
        {
            assert!(Endpoints::new(Some(wrong), None).is_err(), "{wrong}");
        }
    }
}
