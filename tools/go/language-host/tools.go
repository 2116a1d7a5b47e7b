//go:build tools

// Package languagehost pins the last published module that holds Pulumi's Python language host.
package languagehost

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
