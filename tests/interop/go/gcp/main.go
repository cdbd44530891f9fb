// Prints the access token of Application Default Credentials.
package main

import (
	"context"
	"fmt"
	"log"

	"golang.org/x/oauth2/google"
)

func main() {
	log.SetFlags(0)
	found, err := google.FindDefaultCredentials(context.Background(), "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		log.Fatal(err)
	}
	token, err := found.TokenSource.Token()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
}
