import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.WorkloadIdentityCredential;
import com.azure.identity.WorkloadIdentityCredentialBuilder;

/** Prints the access token that azure-identity gets with the token file. */
final class Azure {
    public static void main(String[] arguments) {
        WorkloadIdentityCredential credential =
                new WorkloadIdentityCredentialBuilder().disableInstanceDiscovery().build();
        TokenRequestContext request = new TokenRequestContext().addScopes("https://vault.azure.net/.default");
        System.out.println(credential.getTokenSync(request).getToken());
    }
}
