import com.google.auth.oauth2.GoogleCredentials;

/** Prints the access token that the application default credentials of google-auth-library give. */
final class Google {
    public static void main(String[] arguments) throws Exception {
        GoogleCredentials found = GoogleCredentials.getApplicationDefault();
        GoogleCredentials scoped = found.createScoped("https://www.googleapis.com/auth/cloud-platform");
        System.out.println(scoped.refreshAccessToken().getTokenValue());
    }
}
