// Reads an AuthenticationConfiguration as kube-apiserver does, and checks tokens against it:
//
//	apiserver CONFIG KEYS < TOKENS
//
// KEYS is a JWK Set. For each line of TOKENS, it prints a line of JSON: user and groups, or an error. If kube-apiserver would
// not start with the configuration, it prints an error on stderr and exits with 1.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"gopkg.in/go-jose/go-jose.v2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	api "k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// The keys of the issuer, without a request to it.
type keys jose.JSONWebKeySet

func (set keys) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token)
	if err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if payload, err := signed.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key verifies the signature")
}

type answer struct {
	User   string   `json:"user,omitempty"`
	Groups []string `json:"groups,omitempty"`
	Error  string   `json:"error,omitempty"`
}

func load(path string) (*api.AuthenticationConfiguration, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
	object, err := runtime.Decode(decoder, text)
	if err != nil {
		return nil, err
	}
	config, ok := object.(*api.AuthenticationConfiguration)
	if !ok {
		return nil, fmt.Errorf("it is a %T", object)
	}
	return config, nil
}

func judges(config *api.AuthenticationConfiguration, set keys) ([]authenticator.Token, error) {
	compiler := cel.NewCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if found := validation.ValidateAuthenticationConfiguration(compiler, config, nil); len(found) > 0 {
		return nil, found.ToAggregate()
	}
	var all []authenticator.Token
	for _, one := range config.JWT {
		options := oidc.Options{JWTAuthenticator: one, KeySet: set, Compiler: compiler}
		judge, err := oidc.New(context.Background(), options)
		if err != nil {
			return nil, err
		}
		all = append(all, judge)
	}
	return all, nil
}

func judge(all []authenticator.Token, token string) answer {
	reason := "no issuer of the configuration"
	for _, one := range all {
		found, ok, err := one.AuthenticateToken(context.Background(), token)
		if ok {
			return answer{User: found.User.GetName(), Groups: found.User.GetGroups()}
		}
		if err != nil {
			reason = err.Error()
		}
	}
	return answer{Error: reason}
}

func run() error {
	config, err := load(os.Args[1])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		return err
	}
	var set keys
	if err := json.Unmarshal(text, &set); err != nil {
		return err
	}
	all, err := judges(config, set)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := json.NewEncoder(os.Stdout).Encode(judge(all, lines.Text())); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
