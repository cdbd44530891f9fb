//! The URLs of Google's Security Token Service and IAM Service Account Credentials API.

use super::ServiceAccount;
use crate::error::UsageError;
use crate::http::SecureUrl;
use crate::settings::Setting;

/// Overrides the URL of the Security Token Service. The name follows gcloud's variables.
pub const STS_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS";
/// Overrides the URL of the IAM Service Account Credentials API. This is a variable of gcloud.
pub const IAM_VARIABLE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS";

pub(super) const STS: &str = "https://sts.googleapis.com/";
pub(super) const IAM: &str = "https://iamcredentials.googleapis.com/";

/// The base URLs, each with a slash at its end.
#[derive(Debug, Clone)]
pub struct Endpoints {
    sts: SecureUrl,
    iam: SecureUrl,
}

/// A method of the IAM Service Account Credentials API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    AccessToken,
    IdToken,
}

impl Endpoints {
    /// Uses the URLs of the variables, or Google's own if they are not set.
    ///
    /// # Errors
    /// A URL that is neither https nor http to loopback.
    pub fn new(sts: Option<Setting<'_>>, iam: Option<Setting<'_>>) -> Result<Self, UsageError> {
        let base = |found: Option<Setting<'_>>, name, value| {
            found.unwrap_or(Setting { name, value }).parse(SecureUrl::base)
        };
        Ok(Self { sts: base(sts, STS_VARIABLE, STS)?, iam: base(iam, IAM_VARIABLE, IAM)? })
    }

    /// Whether both URLs are Google's own.
    pub fn are_google(&self) -> bool {
        self.foreign_hosts(true).is_empty()
    }

    /// The origins of the services in use that are not Google's. IAM is in use if `impersonates`.
    pub fn foreign_hosts(&self, impersonates: bool) -> Vec<String> {
        let sts = (self.sts.as_str() != STS).then(|| self.sts.origin());
        let iam = (impersonates && self.iam.as_str() != IAM).then(|| self.iam.origin());
        let iam = iam.filter(|iam| sts.as_ref() != Some(iam));
        sts.into_iter().chain(iam).collect()
    }

    /// The URLs that issue tokens: the token service, and the credentials API if there is an
    /// `account`.
    pub fn addresses(&self, account: Option<&ServiceAccount>) -> Vec<SecureUrl> {
        let iam = account.map(|account| self.impersonation_url(account));
        [self.token_url()].into_iter().chain(iam).collect()
    }

    /// The token exchange endpoint.
    pub fn token_url(&self) -> SecureUrl {
        self.sts.below("v1/token")
    }

    /// The token introspection endpoint: gcloud asks it for the principal of a token.
    pub fn introspection_url(&self) -> SecureUrl {
        self.sts.below("v1/introspect")
    }

    /// The endpoint that issues an access token of the service account.
    pub fn impersonation_url(&self, account: &ServiceAccount) -> SecureUrl {
        self.method_url(account, Method::AccessToken)
    }

    pub(super) fn method_url(&self, account: &ServiceAccount, method: Method) -> SecureUrl {
        let method = match method {
            Method::AccessToken => "generateAccessToken",
            Method::IdToken => "generateIdToken",
        };
        self.iam.below(&format!("v1/projects/-/serviceAccounts/{account}:{method}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let named = |value| Setting { name: STS_VARIABLE, value };
        let account = ServiceAccount::parse("a@p.iam.gserviceaccount.com").unwrap();
        let google = Endpoints::new(None, None).unwrap();
        assert_eq!(google.token_url().as_str(), "https://sts.googleapis.com/v1/token");
        assert_eq!(
            google.impersonation_url(&account).as_str(),
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken"
        );
        assert!(google.foreign_hosts(true).is_empty());
        let local = Endpoints::new(Some(named("http://127.0.0.1:1/gcp/sts")), None).unwrap();
        assert_eq!(local.token_url().as_str(), "http://127.0.0.1:1/gcp/sts/v1/token");
        assert_eq!(local.foreign_hosts(true), ["http://127.0.0.1:1"]);
        let iam = Endpoints::new(None, Some(named("https://iam.example.com"))).unwrap();
        assert_eq!(
            (iam.foreign_hosts(true), iam.foreign_hosts(false)),
            (vec!["https://iam.example.com".into()], vec![])
        );
        for wrong in
            ["http://sts.example.com/", "sts.example.com", "ftp://localhost/", "https://a@b/", "https://a/?b"]
        {
            assert!(Endpoints::new(Some(named(wrong)), None).is_err(), "{wrong}");
        }
    }
}
