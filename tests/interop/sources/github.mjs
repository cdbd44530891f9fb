// GitHub's own client: prints the ID token for an audience on the last line. The line before it masks the token in logs.
import { getIDToken } from "@actions/core";

console.log(await getIDToken(process.argv[2]));
