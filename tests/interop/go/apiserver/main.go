// Reads each AuthenticationConfiguration as kube-apiserver reads the file of `--authentication-config`, and validates it.
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/cel"
)

func main() {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
	compiler := cel.NewDefaultCompiler()
	failed := false
	for _, path := range os.Args[1:] {
		if err := check(decoder, compiler, path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(decoder runtime.Decoder, compiler cel.Compiler, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	config := &apiserver.AuthenticationConfiguration{}
	if err := runtime.DecodeInto(decoder, data, config); err != nil {
		return err
	}
	return validation.ValidateAuthenticationConfiguration(compiler, config, nil).ToAggregate()
}
