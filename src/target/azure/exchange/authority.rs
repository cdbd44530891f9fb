//! The clouds of Azure: the authority host, the audience of federated credentials, and the URL of
//! the resource manager.

use crate::http::{SecureUrl, UrlError};

/// A cloud with its own directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The public cloud. Unknown authority hosts belong to it, too.
    Public,
    /// The cloud of the United States government.
    UsGovernment,
    /// The cloud in China, operated by 21Vianet.
    China,
}

impl Cloud {
    fn of(host: &str) -> Self {
        match host {
            "login.microsoftonline.us" => Self::UsGovernment,
            "login.chinacloudapi.cn" | "login.partner.microsoftonline.cn" => Self::China,
            _ => Self::Public,
        }
    }

    /// The audience of federated credentials.
    pub fn audience(self) -> &'static str {
        match self {
            Self::Public => "api://AzureADTokenExchange",
            Self::UsGovernment => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }

    /// The URL of the resource manager.
    pub fn management(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::UsGovernment => "https://management.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Terraform's name of the cloud (`ARM_ENVIRONMENT`).
    pub fn environment(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGovernment => "usgovernment",
            Self::China => "china",
        }
    }
}

const HOSTS: [&str; 5] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
];

/// Why a text is not an authority host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// No secret may be sent to the URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A URL of Microsoft with a path, such as a tenant.
    #[error("the URL has a path: write `https://{host}/`, and give the tenant with `--tenant-id`")]
    Path { host: String },
}

/// The host that issues tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    url: SecureUrl,
    cloud: Cloud,
}

impl Authority {
    /// The default: the public cloud.
    pub const DEFAULT: &'static str = "https://login.microsoftonline.com/";

    /// Parses a URL, with or without a slash at its end. A host name alone means https, as in
    /// Azure's SDKs.
    ///
    /// # Errors
    /// The URL is neither https nor http to loopback, or has a path on a host of Microsoft.
    pub fn parse(text: &str) -> Result<Self, AuthorityError> {
        let url = match SecureUrl::base(text) {
            Err(UrlError::NotAUrl) if !text.contains(":/") => SecureUrl::base(&format!("https://{text}"))?,
            other => other?,
        };
        let host = url.host_str().unwrap_or_default();
        // Other servers may have a base path.
        if HOSTS.contains(&host) && url.path() != "/" {
            return Err(AuthorityError::Path { host: host.to_owned() });
        }
        let cloud = Cloud::of(host);
        Ok(Self { url, cloud })
    }

    /// The URL, with a slash at its end.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// Whether this is a host of Microsoft.
    pub fn is_microsoft(&self) -> bool {
        self.url.port().is_none() && HOSTS.contains(&self.url.host_str().unwrap_or_default())
    }

    /// Scheme, host and port, for messages.
    pub fn origin(&self) -> String {
        self.url.origin()
    }

    pub(crate) fn token_url(&self, tenant: &super::TenantId) -> SecureUrl {
        self.url.below(&format!("{}/oauth2/v2.0/token", tenant.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_and_their_clouds() {
        let cases = [
            (Authority::DEFAULT, Some(Cloud::Public)),
            ("https://login.microsoftonline.com", Some(Cloud::Public)),
            ("login.microsoftonline.us", Some(Cloud::UsGovernment)),
            ("https://login.chinacloudapi.cn/", Some(Cloud::China)),
            ("https://login.example.com/path", Some(Cloud::Public)),
            ("http://127.0.0.1:1/", Some(Cloud::Public)),
            ("http://login.microsoftonline.com", None),
            ("https://login.microsoftonline.com/common", None),
            ("login.microsoftonline.us/contoso.onmicrosoft.com/", None),
            ("https://me@login.example.com", None),
            ("https:/me@login.example.com", None),
            ("https://login.example.com:port/", None),
            ("https://login.example.com/?a", None),
            ("", None),
            ("ftp://localhost", None),
        ];
        for (text, cloud) in cases {
            assert_eq!(Authority::parse(text).ok().map(|authority| authority.cloud()), cloud, "{text}");
        }
        let tenant = crate::target::azure::exchange::TenantId::parse("contoso.onmicrosoft.com").unwrap();
        let url = Authority::parse("https://login.example.com/a").unwrap().token_url(&tenant);
        assert_eq!(url.as_str(), "https://login.example.com/a/contoso.onmicrosoft.com/oauth2/v2.0/token");
    }
}
