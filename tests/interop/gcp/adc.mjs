// Application Default Credentials with Google's client library for Node: prints the access token as many
// times as the first argument says (default: once).
import { GoogleAuth } from "google-auth-library";

const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });
const client = await auth.getClient();
for (let count = Number(process.argv[2] ?? 1); count > 0; count -= 1) {
    console.log((await client.getAccessToken()).token);
}
