// Prints the access token that Azure's workload identity credential gets with the variables in the environment.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

func main() {
	log.SetFlags(0)
	options := azidentity.WorkloadIdentityCredentialOptions{DisableInstanceDiscovery: true}
	credential, err := azidentity.NewWorkloadIdentityCredential(&options)
	if err != nil {
		log.Fatal(err)
	}
	scopes := []string{"https://vault.azure.net/.default"}
	token, err := credential.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: scopes})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Token)
}
