// Microsoft's identity library for Node with the variables of `gp idp login azure`: prints an access token.
import { webcrypto } from "node:crypto";

// Node 18, as Debian 12 has it, keeps it in a module; the library looks for it as a global.
globalThis.crypto ??= webcrypto;
const { WorkloadIdentityCredential } = await import("@azure/identity");

const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
console.log((await credential.getToken("https://vault.azure.net/.default")).token);
