//! Checks tenant, client and scope, and recognises common mistakes.

use url::Url;

/// A tenant: its ID, or one of its domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantId(String);

/// The application (client) ID of an app registration or a managed identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId(String);

/// The scope of a token: all permissions for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

impl TenantId {
    /// # Errors
    /// A sentence that shows the right form.
    pub fn parse(text: &str) -> Result<Self, String> {
        if matches!(text, "common" | "organizations" | "consumers") {
            return Err(format!("`{text}` works only for people who sign in: give the ID of your tenant"));
        }
        let domain = text.contains('.')
            && text.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        if domain || is_guid(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a tenant: give its ID, like `72f988bf-0000-4000-8000-2d7cd011db47`, or one of its domains, like `contoso.onmicrosoft.com`"
            ))
        }
    }
}

impl TenantId {
    /// The text that was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClientId {
    /// # Errors
    /// A sentence that shows the right form.
    pub fn parse(text: &str) -> Result<Self, String> {
        if is_guid(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not an application (client) ID: write it like `11111111-0000-4000-8000-222222222222`"
            ))
        }
    }

    /// The text that was parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scope {
    /// The scope for all permissions of a resource: `https://vault.azure.net` becomes
    /// `https://vault.azure.net/.default`.
    ///
    /// # Errors
    /// A sentence that shows the right form.
    pub fn of_resource(text: &str) -> Result<Self, String> {
        if text.ends_with("/.default") {
            return Err(format!("`{text}` is a scope: give it with `--scope-uri`, or leave out `/.default`"));
        }
        check_uri(text)?;
        // A slash at the end is part of the resource's name. The scope then has two slashes.
        Ok(Self(format!("{text}/.default")))
    }

    /// # Errors
    /// A sentence that shows the right form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(resource) = text.strip_suffix("/.default") else {
            return Err(format!(
                "`{text}` does not end with `/.default`, and an application can get only such scopes: write it like `https://vault.azure.net/.default`"
            ));
        };
        check_uri(resource)?;
        Ok(Self(text.to_owned()))
    }

    /// The `scope` parameter of the request.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks for a URL, an `api://…` URI or the ID of an application.
fn check_uri(text: &str) -> Result<(), String> {
    let uri = text.contains("://") && Url::parse(text).is_ok() && !text.contains(char::is_whitespace);
    if uri || is_guid(text) {
        Ok(())
    } else {
        Err(format!("`{text}` is not the URI or ID of a resource: write it like `https://vault.azure.net`"))
    }
}

pub(crate) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUID: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn tenants_and_clients() {
        for (text, tenant, client) in [
            (GUID, true, true),
            (&GUID.to_uppercase(), true, true),
            ("contoso.onmicrosoft.com", true, false),
            ("common", false, false),
            ("contoso", false, false),
            ("a/b.c", false, false),
            ("contoso..com", false, false),
            (&GUID[1..], false, false),
            ("{72f988bf-86f1-41af-91ab-2d7cd011db47}", false, false),
            ("", false, false),
        ] {
            assert_eq!(TenantId::parse(text).is_ok(), tenant, "{text}");
            assert_eq!(ClientId::parse(text).is_ok(), client, "{text}");
        }
    }

    #[test]
    fn resources_and_scopes() {
        let of = |text: &str| Scope::of_resource(text).ok().map(|scope| scope.0);
        assert_eq!(of("https://vault.azure.net").as_deref(), Some("https://vault.azure.net/.default"));
        assert_eq!(of("api://app").as_deref(), Some("api://app/.default"));
        assert_eq!(of(GUID), Some(format!("{GUID}/.default")));
        for wrong in ["https://vault.azure.net/.default", "vault.azure.net", "https://a https://b", ""] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert!(Scope::parse("https://graph.microsoft.com/.default").is_ok());
        for wrong in
            ["https://graph.microsoft.com/User.Read", "https://a/.default https://b/.default", "/.default"]
        {
            assert!(Scope::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_a_tenant_has_no_delimiter_of_a_url(text in "\\PC{0,48}") {
            let _ = Scope::parse(&text);
            let _ = Scope::of_resource(&text);
            let _ = ClientId::parse(&text);
            if let Ok(tenant) = TenantId::parse(&text) {
                prop_assert!(!tenant.0.contains(['/', '?', '#', '%', ' ']), "{tenant:?}");
            }
        }
    }
}
