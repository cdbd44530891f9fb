// Prints the access key that the default chain of the AWS SDK for JavaScript finds.
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

console.log((await fromNodeProviderChain()()).accessKeyId);
