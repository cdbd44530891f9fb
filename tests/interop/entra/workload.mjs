// Microsoft's identity library for Node with the variables of `gp idp login azure`: prints an access token.
import { webcrypto } from "node:crypto";

// In Node 18, as in Debian 12, `webcrypto` is only in a module; the library needs the global `crypto`.
globalThis.crypto ??= webcrypto;
const { WorkloadIdentityCredential } = await import("@azure/identity");

const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
console.log((await credential.getToken("https://vault.azure.net/.default")).token);
