import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;

/** Prints the access key that the default chain of the AWS SDK for Java finds. */
final class Aws {
    public static void main(String[] arguments) {
        try (DefaultCredentialsProvider chain = DefaultCredentialsProvider.builder().build()) {
            System.out.println(chain.resolveCredentials().accessKeyId());
        }
    }
}
