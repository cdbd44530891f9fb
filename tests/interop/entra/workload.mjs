// Microsoft's identity library for Node with the variables of `gp idp login azure`: prints an access token.
import { WorkloadIdentityCredential } from "@azure/identity";

const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
console.log((await credential.getToken("https://vault.azure.net/.default")).token);
