//go:build tools

// Package yamlhost pins the module of Pulumi's YAML language host.
package yamlhost

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
